//! Basic authentication (RFC 7617): a handler that wraps another and responds 401 without valid
//! credentials.
//!
//! Passwords appear in no message, and every comparison does the same work.

use crate::base64;
use crate::error::{self, CliError};
use doorstep::{Handler, Headers, Request, Response, Status};
use std::fs::File;
use std::hint::black_box;
use std::io::Read as _;
use std::path::Path;
use std::{fmt, io};

/// The longest credentials in bytes (user, colon and password): twice what password managers make.
/// Every comparison costs this much.
const LENGTH: usize = 512;

/// The most credentials. Each request is compared with all of them: 128 KiB, a few microseconds.
/// For more users, put a server in front that manages them.
const ENTRIES: usize = 256;

/// The longest credentials file: every entry at its longest with a line end, and as much again for
/// empty lines.
const FILE_LENGTH: u64 = 2 * (ENTRIES * (LENGTH + 2)) as u64;

/// RFC 7617 §2: "the authentication parameter 'realm' is REQUIRED"; §2.1: credentials are in UTF-8.
const CHALLENGE: &str = "Basic realm=\"doorstep\", charset=\"UTF-8\"";

/// `user:password`, padded with zeros. Credentials contain no NUL, so equal arrays mean equal
/// lengths. `Debug` does not show them.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials(Box<[u8; LENGTH]>);

impl Credentials {
    /// Reads `USER:PASS`. `from` names the source for errors; the text itself appears in none.
    ///
    /// # Errors
    /// No colon, an empty user or password, control characters, more than [`LENGTH`] bytes.
    pub fn read(text: &str, from: &str) -> Result<Credentials, CliError> {
        let complete = |(user, password): (&str, &str)| !user.is_empty() && !password.is_empty();
        // RFC 7617 §2: "the user-id itself cannot contain a colon": the first one separates.
        text.split_once(':')
            .filter(|pair| complete(*pair))
            .and_then(|_| Credentials::of(text.as_bytes()))
            .ok_or_else(|| error::invalid_credentials(from, LENGTH))
    }

    /// RFC 7617 §2: "The user-id and password MUST NOT contain any control characters".
    fn of(bytes: &[u8]) -> Option<Credentials> {
        let mut padded = Box::new([0; LENGTH]);
        padded.get_mut(..bytes.len())?.copy_from_slice(bytes);
        let clean = !bytes.iter().any(u8::is_ascii_control);
        (clean && bytes.contains(&b':')).then_some(Credentials(padded))
    }

    /// The credentials of a request. More than one Authorization line is refused: which one counts
    /// would be a guess.
    fn from_headers(headers: Headers<'_>) -> Result<Credentials, &'static str> {
        let mut lines = headers.get_all("Authorization");
        let value = match (lines.next(), lines.next()) {
            (None, _) => return Err("no credentials"),
            (Some(value), None) => value,
            (Some(_), Some(_)) => return Err("more than one Authorization"),
        };
        token(value)
            .and_then(|token| base64::decode(token, &mut [0; LENGTH]).and_then(Credentials::of))
            .ok_or("credentials that are none of the scheme Basic")
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials")
    }
}

/// The token after the scheme's name. RFC 9110 §11.1: "a case-insensitive token"; §11.4:
/// `auth-scheme [ 1*SP ( token68 / …`.
fn token(value: &[u8]) -> Option<&[u8]> {
    let (scheme, behind) = value.split_at_checked(b"Basic".len())?;
    let spaces = behind.iter().take_while(|byte| **byte == b' ').count();
    let is_basic = scheme.eq_ignore_ascii_case(b"Basic") && spaces > 0;
    is_basic.then(|| behind.get(spaces..)).flatten()
}

/// The credentials in a file, one per line. Empty lines are skipped.
///
/// # Errors
/// When the file cannot be read, a line is invalid, or there are no credentials at all, which would
/// lock out everybody.
pub fn read_file(path: &Path) -> Result<Vec<Credentials>, CliError> {
    let mut bytes = Vec::new();
    let failed = |error: io::Error| error::credentials_file_failed(path, &error);
    let read = File::open(path).and_then(|file| file.take(FILE_LENGTH + 1).read_to_end(&mut bytes));
    let checked = read.and_then(|length| match length as u64 > FILE_LENGTH {
        true => Err(io::Error::other("it is too long")),
        false => Ok(()),
    });
    checked.map_err(failed)?;
    let name = crate::text::shown(path);
    // Some editors write a byte order mark, which would become part of the first user's name.
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    let mut found = Vec::new();
    for (index, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() {
            continue;
        }
        // Text that is not UTF-8 becomes empty, which is invalid.
        let text = std::str::from_utf8(line).unwrap_or_default();
        let from = format!("line {} of '{name}'", index + 1);
        found.push(Credentials::read(text, &from)?);
    }
    match found.is_empty() {
        true => Err(failed(io::Error::other("it holds none"))),
        false => Ok(found),
    }
}

/// Lets requests with valid credentials through to a handler.
#[derive(Debug)]
pub struct Guard<H> {
    entries: Vec<Credentials>,
    handler: H,
}

impl<H: Handler> Guard<H> {
    /// # Errors
    /// More than [`ENTRIES`] credentials.
    pub fn new(entries: Vec<Credentials>, handler: H) -> Result<Guard<H>, CliError> {
        match entries.len() > ENTRIES {
            true => Err(error::too_many_credentials(ENTRIES)),
            false => Ok(Guard { entries, handler }),
        }
    }
}

impl<H: Handler> Handler for Guard<H> {
    fn handle(&self, request: &mut Request<'_>) -> Response {
        let why = match Credentials::from_headers(request.headers()) {
            Ok(shown) if compare(&self.entries, &shown).is_known => {
                return self.handler.handle(request);
            }
            Ok(_) => "wrong credentials",
            Err(why) => why,
        };
        // RFC 9110 §15.5.2: "The server generating a 401 response MUST send a WWW-Authenticate
        // header field".
        Response::status_page(Status::UNAUTHORIZED)
            .header("WWW-Authenticate", CHALLENGE)
            .with_log_reason(why)
    }
}

/// The result of a comparison and its cost in bytes.
#[derive(Debug, Default, PartialEq, Eq)]
struct Compared {
    is_known: bool,
    bytes: usize,
}

/// Compares the credentials with every byte of every entry, so that the time reveals neither
/// whether a user exists nor how much of a password is right (CVE-2024-23771).
fn compare(entries: &[Credentials], shown: &Credentials) -> Compared {
    let mut compared = Compared::default();
    for entry in entries {
        let pairs = entry.0.iter().zip(shown.0.iter());
        let (difference, bytes) = pairs.fold((0, 0), |(difference, bytes), (one, other)| {
            (difference | (one ^ other), bytes + 1)
        });
        // Keeps the compiler from ending a comparison early.
        compared.is_known |= black_box(difference) == 0;
        compared.bytes += bytes;
    }
    compared
}

#[cfg(test)]
mod tests {
    use super::*;
    use doorstep::Method;

    fn entry(text: &str) -> Credentials {
        Credentials::read(text, "a test").unwrap()
    }

    fn encoded(bytes: &[u8]) -> String {
        const SIGNS: &[u8; 64] =
            b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let group = |bytes: &[u8]| {
            let bits = (0..3).fold(0, |bits, at| {
                bits << 8 | usize::from(*bytes.get(at).unwrap_or(&0))
            });
            (0..4)
                .map(|at| match at <= bytes.len() {
                    true => char::from(SIGNS[bits >> (18 - 6 * at) & 63]),
                    false => '=',
                })
                .collect::<String>()
        };
        bytes.chunks(3).map(group).collect()
    }

    fn guard() -> Guard<impl Handler> {
        let entries = ["ana:tea", "ben:a:b:", "zoë:grüße", "o'neil: spaced out "];
        Guard::new(entries.map(entry).to_vec(), |_: &mut Request<'_>| "inside").unwrap()
    }

    /// The Authorization lines, `{...}` encoded, and whether they grant access.
    #[rustfmt::skip]
    const SPELLINGS: &[(&str, &[&str], bool)] = &[
        ("the right ones", &["Basic {ana:tea}"], true),
        ("scheme in lower case", &["basic {ana:tea}"], true),
        ("scheme in any case", &["bAsIC {ana:tea}"], true),
        ("several spaces", &["Basic   {ana:tea}"], true),
        ("a password with colons", &["Basic {ben:a:b:}"], true),
        ("UTF-8", &["Basic {zoë:grüße}"], true),
        ("spaces in a password", &["Basic {o'neil: spaced out }"], true),
        ("none", &[], false),
        ("an empty one", &[""], false),
        ("the scheme alone", &["Basic"], false),
        ("the scheme and a space", &["Basic "], false),
        ("another scheme", &["Bearer {ana:tea}"], false),
        ("a longer scheme", &["Basics {ana:tea}"], false),
        ("no space", &["Basic{ana:tea}"], false),
        ("a tab", &["Basic\t{ana:tea}"], false),
        ("a comma before it", &[", Basic {ana:tea}"], false),
        ("two in one line", &["Basic {ana:tea}, Basic {ana:tea}"], false),
        ("two lines, the same", &["Basic {ana:tea}", "Basic {ana:tea}"], false),
        ("two lines, wrong and right", &["Basic {ana:x}", "Basic {ana:tea}"], false),
        ("two lines, right and wrong", &["Basic {ana:tea}", "Basic {ana:x}"], false),
        ("two schemes", &["Bearer x", "Basic {ana:tea}"], false),
        ("not encoded", &["Basic ana:tea"], false),
        ("without padding", &["Basic YW5hOnRlYQ"], false),
        ("pad bits that are not zero", &["Basic YW5hOnRlYR=="], false),
        ("no colon", &["Basic {anatea}"], false),
        ("no user", &["Basic {:tea}"], false),
        ("no password", &["Basic {ana:}"], false),
        ("a colon alone", &["Basic {:}"], false),
        ("nothing", &["Basic ===="], false),
        ("another password", &["Basic {ana:teb}"], false),
        ("the beginning of a password", &["Basic {ana:te}"], false),
        ("more than a password", &["Basic {ana:teaa}"], false),
        ("a NUL behind a password", &["Basic {ana:tea\0}"], false),
        ("a line end behind a password", &["Basic {ana:tea\n}"], false),
        ("a password in another case", &["Basic {ana:Tea}"], false),
        ("a user in another case", &["Basic {Ana:tea}"], false),
        ("another's password", &["Basic {ana:a:b:}"], false),
        ("a user that is not there", &["Basic {eve:tea}"], false),
    ];

    #[test]
    fn only_valid_credentials_grant_access() {
        let guard = guard();
        for (name, lines, inside) in SPELLINGS {
            let mut request = Request::test(Method::Get, "/");
            for line in *lines {
                let value = match line.split_once('{') {
                    None => (*line).to_string(),
                    Some(_) => line
                        .split('{')
                        .map(|part| match part.split_once('}') {
                            Some((text, behind)) => encoded(text.as_bytes()) + behind,
                            None => part.to_string(),
                        })
                        .collect(),
                };
                request = request.header("Authorization", &value);
            }
            let answer = request.send(&guard);
            let status = [Status::UNAUTHORIZED, Status::OK][usize::from(*inside)];
            assert_eq!(answer.status(), status, "{name}");
            let challenge = answer.header_value("WWW-Authenticate");
            assert_eq!(challenge.is_some(), !inside, "{name}");
            let content = answer.into_content().unwrap();
            assert_eq!(content == b"inside", *inside, "{name}");
        }
    }

    #[test]
    fn credentials_of_any_length_are_bounded() {
        let guard = guard();
        for (length, known) in [
            (LENGTH, false),
            (LENGTH + 1, false),
            (1 << 16, false),
            (7, true),
        ] {
            let mut text = b"ana:tea".to_vec();
            text.resize(length, b'a');
            let value = format!("Basic {}", encoded(&text));
            let request = Request::test(Method::Get, "/").header("Authorization", &value);
            let answer = request.send(&guard);
            assert_eq!(answer.status() == Status::OK, known, "{length}");
        }
        let longest = format!("ana:{}", "é".repeat((LENGTH - 4) / 2));
        let longer = format!("{longest}a");
        assert!(Credentials::read(&longest, "").is_ok());
        assert!(Credentials::read(&longer, "").is_err());
        let many =
            |count| Guard::new(vec![entry("ana:tea"); count], |_: &mut Request<'_>| "").is_ok();
        assert!(many(ENTRIES) && !many(ENTRIES + 1));
    }

    /// CVE-2024-23771, CVE-2026-27480: counted, as a clock on a busy machine says nothing.
    #[test]
    fn every_comparison_costs_the_same() {
        let entries = ["ana:tea", "ben:a much longer password than the others"].map(entry);
        for (shown, is_known) in [
            ("ana:tea", true),
            ("ben:a much longer password than the others", true),
            ("ana:teb", false),
            ("ana:xea", false),
            ("ana:t", false),
            ("eve:tea", false),
            ("e:x", false),
            (&format!("eve:{}", "x".repeat(LENGTH - 4)), false),
        ] {
            let bytes = entries.len() * LENGTH;
            let compared = compare(&entries, &entry(shown));
            assert_eq!(compared, Compared { is_known, bytes }, "{shown}");
        }
    }

    #[test]
    fn every_method_and_path_is_guarded() {
        let guard = guard();
        for (method, target) in [
            (Method::Get, "/"),
            (Method::Head, "/missing"),
            (Method::Post, "/"),
            (Method::Options, "*"),
            (Method::Connect, "localhost:80"),
            (Method::Trace, "/"),
        ] {
            let answer = Request::test(method, target).send(&guard);
            assert_eq!(answer.status(), Status::UNAUTHORIZED, "{method} {target}");
            assert_eq!(answer.header_value("WWW-Authenticate"), Some(CHALLENGE));
            assert_eq!(answer.header_value("Cache-Control"), Some("no-store"));
        }
    }

    #[test]
    fn no_password_is_printed() {
        let text = format!("{:?}", entry("ana:secret"));
        assert_eq!(text, "Credentials");
        let controls = ["ana:se\x1bcret", "ana:se\ncret", "\0:secret"];
        let incomplete = ["secret", ":secret", "secret:", "", ":"];
        for text in incomplete.into_iter().chain(controls) {
            let error = Credentials::read(text, "--auth").unwrap_err();
            assert_eq!(error.status(), 2);
            assert!(!error.to_string().contains("cret"), "{error}");
        }
    }

    /// What a file holds, and how many credentials are in it, or what is said.
    #[test]
    fn reads_files() {
        let path = std::env::temp_dir().join(format!("doorstep auth {}", std::process::id()));
        let many = "ana:tea\n".repeat(ENTRIES + 1);
        let long = "\n".repeat(FILE_LENGTH as usize + 1);
        let rows: &[(&[u8], Result<usize, &str>)] = &[
            (b"ana:tea", Ok(1)),
            (b"ana:tea\nben:a:b\n", Ok(2)),
            (b"\r\nana:tea\r\n\r\nben:x\r\n", Ok(2)),
            (b"\xef\xbb\xbfana:tea\n", Ok(1)),
            (many.as_bytes(), Ok(ENTRIES + 1)),
            (b"", Err("it holds none")),
            (b"\n\n", Err("it holds none")),
            (b"ana:tea\nben\n", Err("credentials in line 2 of '")),
            (b"ana:tea\n :\n", Err("credentials in line 2 of '")),
            (b"ana:\xff\n", Err("credentials in line 1 of '")),
            (long.as_bytes(), Err("it is too long")),
        ];
        for (content, expected) in rows {
            std::fs::write(&path, content).unwrap();
            let found = read_file(&path).map_err(|error| error.to_string());
            let shown = String::from_utf8_lossy(&content[..content.len().min(40)]);
            match (found, expected) {
                (Ok(found), Ok(count)) => {
                    assert_eq!(found.len(), *count, "{shown}");
                    assert!(found[0] == entry("ana:tea"), "{shown}");
                }
                (Err(error), Err(part)) => assert!(error.contains(part), "{shown}: {error}"),
                (found, _) => panic!("{shown}: {found:?}"),
            }
        }
        std::fs::remove_file(&path).unwrap();
        assert_eq!(read_file(&path).unwrap_err().status(), 1);
    }
}
