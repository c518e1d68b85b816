//! The text of `--help` and `--version`. Facts about an option come from the table in `options.rs`.

use crate::options::{Group, OPTIONS, Opt, Value};

const USAGE: &str = "\
Usage: doorstep [OPTIONS] [DIR | FILE] [PORT]

  DIR   the folder to serve (otherwise the current one)
  FILE  a file to serve instead, whatever the path
  PORT  the port (otherwise 8000, or the next free one up to 8010)
  One argument alone is DIR or FILE if it exists, else the port if a number.
";

const NOTES: &str = "
Environment:
  DOORSTEP_ and the name of any option but the last two: DOORSTEP_LAN=1,
  DOORSTEP_MAX_CONNS=50, DOORSTEP_PORT, else PORT. _BIND, _INDEX and _MIME take
  several, with spaces between them. Options come first. NO_COLOR: no colour.

Exit status:
  0 after the first Ctrl-C, SIGTERM or SIGHUP, which lets running requests end,
  130 or 143 after a second; 1 when it cannot start, 2 for wrong usage.

Examples:
  doorstep                             the current folder, for this machine only
  doorstep ./public 9000               another folder on another port
  doorstep --lan                       for everyone on the network
  doorstep ./public --bind 127.0.0.1   as `python -m http.server` takes it
  doorstep -p 0 ./public >address &    on any free port, named on the output
";

pub fn text() -> String {
    let mut text = format!(
        "doorstep {}: serves the files of a folder over HTTP/1.1\n\n{USAGE}",
        env!("CARGO_PKG_VERSION")
    );
    for group in Group::ALL {
        text.push_str(&format!("\n{}:\n", group.title()));
        for option in OPTIONS.iter().filter(|option| option.group == group) {
            text.push_str(&format!("  {:<26}{}\n", names(option), option.help));
        }
    }
    text.push_str(NOTES);
    text
}

pub fn version() -> String {
    format!("doorstep {}\n", env!("CARGO_PKG_VERSION"))
}

fn names(option: &Opt) -> String {
    let short = match option.short {
        Some(letter) => format!("-{letter}, "),
        None => "    ".to_string(),
    };
    let value = match option.value {
        Value::None => String::new(),
        Value::Needed(what) => format!(" {what}"),
        Value::Optional(what) => format!("[={what}]"),
    };
    format!("{short}--{}{value}", option.long)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::Id;

    #[test]
    fn names_every_option_on_one_page() {
        let text = text();
        assert!(text.lines().count() <= 60, "{}", text.lines().count());
        for option in OPTIONS {
            let long = option.long;
            assert!(text.contains(&format!("--{long}")), "{long}");
            assert!(names(option).len() < 26, "{long} runs into its help");
            // NOTES describes the variables of all options in one sentence.
            let name = option.long.to_uppercase().replace('-', "_");
            let own = match option.id {
                Id::Help | Id::Version => None,
                _ => Some(format!("DOORSTEP_{name}")),
            };
            assert_eq!(option.variables().first(), own.as_ref(), "{}", option.long);
        }
        for line in text.lines() {
            assert!(line.chars().count() <= 80, "{line}");
        }
    }
}
