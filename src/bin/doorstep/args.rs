//! Splits the command line into options and arguments.
//!
//! What a value means is up to `settings.rs`. Abbreviations are refused: a later option could make
//! them ambiguous.

use crate::error::{self, CliError};
use crate::options::{Id, OPTIONS, Opt, REFUSED, Value};
use crate::text;
use std::ffi::{OsStr, OsString};

#[derive(Debug, Default)]
pub struct Given {
    pub options: Vec<(&'static Opt, Option<OsString>)>,
    /// Everything else.
    pub arguments: Vec<OsString>,
}

impl Given {
    pub fn has(&self, id: Id) -> bool {
        self.options.iter().any(|(option, _)| option.id == id)
    }
}

/// Parses the command line, without the program's name. Parsing stops at `--help` or `--version`.
///
/// # Errors
/// Unknown options, missing or needless values, options that exclude each other.
pub fn parse(words: impl IntoIterator<Item = OsString>) -> Result<Given, CliError> {
    let mut words = words.into_iter().peekable();
    let mut given = Given::default();
    while let Some(word) = words.next() {
        // Options are ASCII, so a lossy view finds them; values and paths keep their bytes.
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
        if given.has(Id::Help) || given.has(Id::Version) {
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
) -> Result<(), CliError> {
    let (name, attached) = match text.split_once('=') {
        Some((name, value)) => (name, Some(OsString::from(value))),
        None => (text, None),
    };
    let shown = format!("--{name}");
    let Some(option) = Opt::by_long(name) else {
        return Err(unknown(&shown, name));
    };
    let value = match (option.value, attached) {
        (Value::Needed(_) | Value::Optional(_), Some(value)) => Some(value),
        (Value::Needed(what), None) => Some(next_value(&shown, what, words)?),
        (Value::None, Some(_)) => return Err(error::needless_value(&shown)),
        (Value::None | Value::Optional(_), None) => None,
    };
    given.options.push((option, value));
    Ok(())
}

/// `-q`, `-p80`, `-p 80`, `-qp80`.
fn short<I: Iterator<Item = OsString>>(
    text: &str,
    words: &mut Words<I>,
    given: &mut Given,
) -> Result<(), CliError> {
    let letters = text.strip_prefix('-').unwrap_or(text);
    // Otherwise `-port 80` would mean the port "ort".
    if Opt::by_long(letters).is_some() && letters.len() > 1 {
        return Err(unknown(text, letters));
    }
    for (at, letter) in letters.char_indices() {
        let shown = format!("-{letter}");
        let Some(option) = Opt::by_short(letter) else {
            return Err(unknown(&shown, ""));
        };
        let Value::Needed(what) = option.value else {
            given.options.push((option, None));
            continue;
        };
        let rest = letters.get(at + letter.len_utf8()..).unwrap_or_default();
        let value = match rest {
            "" => next_value(&shown, what, words)?,
            rest => OsString::from(rest),
        };
        given.options.push((option, Some(value)));
        break;
    }
    Ok(())
}

/// The word after an option, unless it is itself an option. `-1` is not one, so it becomes an
/// invalid value rather than a missing one.
fn next_value<I: Iterator<Item = OsString>>(
    option: &str,
    what: &str,
    words: &mut Words<I>,
) -> Result<OsString, CliError> {
    words
        .next_if(|word| !is_option(word))
        .ok_or_else(|| error::missing_value(option, what))
}

fn is_option(word: &OsStr) -> bool {
    let text = word.to_string_lossy();
    let letter = text.strip_prefix('-').and_then(|rest| rest.chars().next());
    text.starts_with("--") || letter.is_some_and(|letter| Opt::by_short(letter).is_some())
}

fn unknown(shown: &str, name: &str) -> CliError {
    if let Some((_, why)) = REFUSED.iter().find(|(names, _)| names.contains(&name)) {
        return error::refused_option(shown, why);
    }
    let known = OPTIONS.iter().map(|option| option.long);
    error::unknown_option(shown, text::nearest(name, known))
}

fn conflicts(given: &Given) -> Result<(), CliError> {
    for (option, _) in &given.options {
        if let Some(other) = option.excludes.iter().find(|other| given.has(**other)) {
            let (one, other) = (option.long, Opt::of(*other).long);
            return Err(error::conflict(&format!("--{one}"), &format!("--{other}")));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The options and arguments in short form: `port=80 quiet | dir`.
    fn read(line: &[&str]) -> Result<String, String> {
        let given = parse(line.iter().map(OsString::from)).map_err(|error| error.to_string())?;
        let mut text = String::new();
        for (option, value) in &given.options {
            text.push_str(option.long);
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
    fn parses_every_spelling() {
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
            (&["--spa", "public"], "spa | public"),
            (&["--spa=app.html", "public"], "spa=app.html | public"),
            (&["--single", "--spa="], "spa spa= |"),
            (&["-s", "public"], "spa | public"),
            (&["-sq"], "spa quiet |"),
            (&["-s=app.html"], ""),
        ] {
            let read = read(line);
            match expected {
                "" => assert!(read.is_err(), "{line:?}: {read:?}"),
                expected => assert_eq!(read.as_deref(), Ok(expected), "{line:?}"),
            }
        }
    }
}
