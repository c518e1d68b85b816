//! The options of the command line, as one table.
//!
//! In: words, and the table that says what they mean. Out: which options were given, with what value, in which order.
//! Help, parsing, "did you mean", the environment's names and the checks for conflicts all read [`TABLE`]: an option is
//! one row there and one arm in `settings.rs`. Never: the meaning of a value; an abbreviation that a later option could
//! make ambiguous.

use crate::messages::{self, Failure};
use crate::words;
use std::ffi::{OsStr, OsString};

/// An option's name within the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Id {
    Port,
    Bind,
    Lan,
    Threads,
    MaxConns,
    MaxConnsPerIp,
    Grace,
    Drain,
    Quiet,
    Help,
    Version,
}

/// The groups of the help, in its order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    Listen,
    Run,
    About,
}

impl Group {
    pub const ALL: [Group; 3] = [Group::Listen, Group::Run, Group::About];

    pub fn title(self) -> &'static str {
        match self {
            Group::Listen => "Where to listen",
            Group::Run => "How it runs",
            Group::About => "About",
        }
    }
}

/// Where else than on the command line an option may be given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Environment {
    /// Nowhere.
    No,
    /// `DOORSTEP_` and the long name in capitals.
    Own,
    /// The same, and else this variable.
    OwnElse(&'static str),
}

/// One option.
#[derive(Debug)]
pub struct Row {
    pub id: Id,
    pub long: &'static str,
    pub short: Option<char>,
    /// What the help calls the value; `None` for an option without one.
    pub value: Option<&'static str>,
    pub help: &'static str,
    pub group: Group,
    pub environment: Environment,
    /// Options that cannot stand beside this one.
    pub excludes: &'static [Id],
}

/// Every option. Given twice, an option's last value counts (so that an alias can be overruled), except for the
/// repeatable `--bind`.
#[rustfmt::skip]
pub static TABLE: &[Row] = &[
    Row { id: Id::Port, long: "port", short: Some('p'), value: Some("PORT"), group: Group::Listen, environment: Environment::OwnElse("PORT"), excludes: &[],
        help: "the port, as the second argument; 0 takes any" },
    Row { id: Id::Bind, long: "bind", short: Some('b'), value: Some("ADDR[:PORT]"), group: Group::Listen, environment: Environment::Own, excludes: &[Id::Lan],
        help: "listen on this address; may be repeated" },
    Row { id: Id::Lan, long: "lan", short: None, value: None, group: Group::Listen, environment: Environment::Own, excludes: &[Id::Bind],
        help: "listen on every address, so that others can reach it" },
    Row { id: Id::Threads, long: "threads", short: None, value: Some("N"), group: Group::Run, environment: Environment::Own, excludes: &[],
        help: "worker threads, exactly so many (as many as CPUs)" },
    Row { id: Id::MaxConns, long: "max-conns", short: None, value: Some("N"), group: Group::Run, environment: Environment::Own, excludes: &[],
        help: "open connections; beyond, idle ones close (10000)" },
    Row { id: Id::MaxConnsPerIp, long: "max-conns-per-ip", short: None, value: Some("N"), group: Group::Run, environment: Environment::Own, excludes: &[],
        help: "open ones of one IPv4 address or IPv6 /64 (any)" },
    Row { id: Id::Grace, long: "grace", short: None, value: Some("SECONDS"), group: Group::Run, environment: Environment::Own, excludes: &[],
        help: "how long a stop waits for running requests (10)" },
    Row { id: Id::Drain, long: "drain", short: None, value: Some("SECONDS"), group: Group::Run, environment: Environment::Own, excludes: &[],
        help: "before a stop, serve on with Connection: close (0)" },
    Row { id: Id::Quiet, long: "quiet", short: Some('q'), value: None, group: Group::Run, environment: Environment::Own, excludes: &[],
        help: "print errors only: no banner, warnings or log" },
    Row { id: Id::Help, long: "help", short: Some('h'), value: None, group: Group::About, environment: Environment::No, excludes: &[],
        help: "print this help" },
    Row { id: Id::Version, long: "version", short: Some('V'), value: None, group: Group::About, environment: Environment::No, excludes: &[],
        help: "print the version" },
];

/// Options that people know from elsewhere and that this program does not have on purpose, and the way to go instead.
const REFUSED: &[(&[&str], &str)] = &[
    (
        &["tls", "cert", "key", "https"],
        "doorstep speaks plain HTTP: for HTTPS put a proxy before it, such as `caddy reverse-proxy --from localhost:8443 --to :8000`",
    ),
    (
        &["http2"],
        "doorstep speaks HTTP/1.1: for HTTP/2 put a proxy before it, such as `caddy reverse-proxy --from localhost:8443 --to :8000`",
    ),
    (
        &["webdav"],
        "doorstep never writes a file: for WebDAV use another server, such as `rclone serve webdav DIR`",
    ),
    (
        &["directory"],
        "the folder is an argument of its own: `doorstep DIR`",
    ),
];

impl Row {
    /// The row of this option.
    pub fn of(id: Id) -> &'static Row {
        // Every Id has a row: the test `every_option_has_one_row` looks at each.
        TABLE.iter().find(|row| row.id == id).unwrap_or(&TABLE[0])
    }

    /// The variables that may give this option, the first one first.
    pub fn variables(&self) -> Vec<String> {
        let own = || format!("DOORSTEP_{}", self.long.to_uppercase().replace('-', "_"));
        match self.environment {
            Environment::No => Vec::new(),
            Environment::Own => vec![own()],
            Environment::OwnElse(other) => vec![own(), other.to_string()],
        }
    }

    fn by_long(name: &str) -> Option<&'static Row> {
        TABLE.iter().find(|row| row.long == name)
    }

    fn by_short(letter: char) -> Option<&'static Row> {
        TABLE.iter().find(|row| row.short == Some(letter))
    }
}

/// What stood on the command line.
#[derive(Debug, Default)]
pub struct Given {
    /// Options in their order, with their values.
    pub options: Vec<(&'static Row, Option<OsString>)>,
    /// The other arguments.
    pub arguments: Vec<OsString>,
}

impl Given {
    /// Whether the option was given.
    pub fn asks(&self, id: Id) -> bool {
        self.options.iter().any(|(row, _)| row.id == id)
    }
}

/// Reads the command line, without the program's name. `--help` and `--version` end it: what follows them is not read.
///
/// # Errors
/// Options that do not exist, lack their value, have one too many, or exclude each other.
pub fn parse(words: impl IntoIterator<Item = OsString>) -> Result<Given, Failure> {
    let mut words = words.into_iter().peekable();
    let mut given = Given::default();
    while let Some(word) = words.next() {
        // Options are ASCII, so a lossy view finds them; values and paths are taken from the word itself.
        let text = word.to_string_lossy();
        if text == "--" {
            given.arguments.extend(words);
            break;
        }
        if let Some(name) = text.strip_prefix("--") {
            long(name, &mut words, &mut given)?;
        } else if text.len() > 1 && text.starts_with('-') {
            short(&text, &mut words, &mut given)?;
        } else {
            given.arguments.push(word);
        }
        if given.asks(Id::Help) || given.asks(Id::Version) {
            return Ok(given);
        }
    }
    conflicts(&given)?;
    Ok(given)
}

type Words<I> = std::iter::Peekable<I>;

/// `--name`, `--name=value` or `--name value`.
fn long<I: Iterator<Item = OsString>>(
    text: &str,
    words: &mut Words<I>,
    given: &mut Given,
) -> Result<(), Failure> {
    let (name, attached) = match text.split_once('=') {
        Some((name, value)) => (name, Some(OsString::from(value))),
        None => (text, None),
    };
    let shown = format!("--{name}");
    let Some(row) = Row::by_long(name) else {
        return Err(unknown(&shown, name));
    };
    let value = match (row.value, attached) {
        (Some(_), Some(value)) => Some(value),
        (Some(what), None) => Some(next_value(&shown, what, words)?),
        (None, Some(_)) => return Err(messages::needless_value(&shown)),
        (None, None) => None,
    };
    given.options.push((row, value));
    Ok(())
}

/// `-q`, `-p80`, `-p 80`, `-qp80`.
fn short<I: Iterator<Item = OsString>>(
    text: &str,
    words: &mut Words<I>,
    given: &mut Given,
) -> Result<(), Failure> {
    let letters = text.strip_prefix('-').unwrap_or(text);
    // `-port 80` would otherwise be the port "ort".
    if Row::by_long(letters).is_some() && letters.len() > 1 {
        return Err(unknown(text, letters));
    }
    for (at, letter) in letters.char_indices() {
        let shown = format!("-{letter}");
        let Some(row) = Row::by_short(letter) else {
            return Err(unknown(&shown, ""));
        };
        let Some(what) = row.value else {
            given.options.push((row, None));
            continue;
        };
        let rest = letters.get(at + letter.len_utf8()..).unwrap_or_default();
        let value = match rest {
            "" => next_value(&shown, what, words)?,
            rest => OsString::from(rest),
        };
        given.options.push((row, Some(value)));
        break;
    }
    Ok(())
}

/// The word behind an option, unless it is an option itself. `-1` is none, so that it is called an invalid value.
fn next_value<I: Iterator<Item = OsString>>(
    option: &str,
    what: &str,
    words: &mut Words<I>,
) -> Result<OsString, Failure> {
    words
        .next_if(|word| !is_option(word))
        .ok_or_else(|| messages::missing_value(option, what))
}

fn is_option(word: &OsStr) -> bool {
    let text = word.to_string_lossy();
    let letter = text.strip_prefix('-').and_then(|rest| rest.chars().next());
    text.starts_with("--") || letter.is_some_and(|letter| Row::by_short(letter).is_some())
}

fn unknown(shown: &str, name: &str) -> Failure {
    if let Some((_, why)) = REFUSED.iter().find(|(names, _)| names.contains(&name)) {
        return messages::refused_option(shown, why);
    }
    messages::unknown_option(
        shown,
        words::nearest(name, TABLE.iter().map(|row| row.long)),
    )
}

fn conflicts(given: &Given) -> Result<(), Failure> {
    for (row, _) in &given.options {
        if let Some(other) = row.excludes.iter().find(|other| given.asks(**other)) {
            let (one, other) = (
                format!("--{}", row.long),
                format!("--{}", Row::of(*other).long),
            );
            return Err(messages::conflict(&one, &other));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The options and arguments in short: `port=80 quiet | dir`.
    fn read(line: &[&str]) -> Result<String, String> {
        let given = parse(line.iter().map(OsString::from)).map_err(|error| error.to_string())?;
        let mut text = String::new();
        for (row, value) in &given.options {
            text.push_str(row.long);
            if let Some(value) = value {
                text.push_str(&format!("={}", value.to_string_lossy()));
            }
            text.push(' ');
        }
        text.push('|');
        for argument in &given.arguments {
            text.push_str(&format!(" {}", argument.to_string_lossy()));
        }
        Ok(text)
    }

    #[test]
    fn reads_every_spelling() {
        for (line, expected) in [
            (&[][..], "|"),
            (&["public", "9000"], "| public 9000"),
            (&["--port=80"], "port=80 |"),
            (&["--port", "80"], "port=80 |"),
            (&["-p80"], "port=80 |"),
            (&["-p", "80"], "port=80 |"),
            (&["-qp80", "x"], "quiet port=80 | x"),
            (&["-qp", "80"], "quiet port=80 |"),
            (&["-p", "-1"], "port=-1 |"),
            (&["--port="], "port= |"),
            (&["--port=a=b"], "port=a=b |"),
            (&["-p1", "-p2"], "port=1 port=2 |"),
            (
                &["public", "-b", "::1", "9000", "--bind=[::1]:80"],
                "bind=::1 bind=[::1]:80 | public 9000",
            ),
            (&["--", "--port", "-q"], "| --port -q"),
            (&["-"], "| -"),
            (&[""], "| "),
            (&["--help", "--nonsense"], "help |"),
            (&["-qhx"], ""),
        ] {
            let read = read(line);
            match expected {
                "" => assert!(read.is_err(), "{line:?}: {read:?}"),
                expected => assert_eq!(read.as_deref(), Ok(expected), "{line:?}"),
            }
        }
    }

    #[test]
    fn every_option_has_one_row() {
        for row in TABLE {
            assert!(
                std::ptr::eq(Row::of(row.id), row),
                "two rows for {}",
                row.long
            );
            assert!(row.long.len() > 1, "{} is taken for a letter", row.long);
            assert_eq!(
                TABLE.iter().filter(|other| other.long == row.long).count(),
                1
            );
            if row.short.is_some() {
                assert_eq!(
                    TABLE
                        .iter()
                        .filter(|other| other.short == row.short)
                        .count(),
                    1
                );
            }
            for other in row.excludes {
                assert!(
                    Row::of(*other).excludes.contains(&row.id),
                    "{} is one-sided",
                    row.long
                );
            }
            assert!(!REFUSED.iter().any(|(names, _)| names.contains(&row.long)));
        }
        use Id::*;
        for id in [
            Port,
            Bind,
            Lan,
            Threads,
            MaxConns,
            MaxConnsPerIp,
            Grace,
            Drain,
            Quiet,
            Help,
            Version,
        ] {
            assert_eq!(Row::of(id).id, id);
        }
    }

    #[test]
    fn variables_follow_from_the_long_name() {
        assert_eq!(Row::of(Id::Port).variables(), ["DOORSTEP_PORT", "PORT"]);
        assert_eq!(Row::of(Id::Grace).variables(), ["DOORSTEP_GRACE"]);
        assert!(Row::of(Id::Help).variables().is_empty());
    }
}
