//! What a program asks of the public [`Response`], read from the fuzzer's bytes, and what it may
//! expect of it.
//!
//! The bytes are parts with 0xFF between them, which UTF-8 never has. Each part is a letter, which
//! says what is done, and an argument, which may be any text:
//!
//! | letter | does |
//! |---|---|
//! | `q` | says how the request is: a word of [`Question`]'s letters |
//! | `h` `t` | `header`, `try_header`: name, `=`, value |
//! | `l` | `header("Location", …)` with the path that was asked for, percent-decoded |
//! | `r` `i` | `redirect(302, …)`; a second `header` after a `try_header` that failed |
//! | `s` `p` | the status of the answer, `status_page`: a number |
//! | `x` `X` | `text`, `html` |
//! | `b` `w` `d` `n` `m` | `body`, `writer`, `detached`, `stream` with and without its length |
//! | `e` | an error of the system with this text |
//! | `u` | `upgrade` to a part of [`STATIC`]: two bytes, where it begins and how long it is |
//! | `y` | `reason`: a part of [`STATIC`] |
//! | `c` | `close` |

use doorstep::{FieldError, IntoResponse, Response, Status};
use std::io::{self, Read, Write};

/// What a program that has only `'static` text may still get wrong.
pub const STATIC: &str =
    "websocket IRC/6.9,h2c\r\nSet-Cookie: a=b\r\n\r\nHTTP/1.1 200 OK\0\techo/1/2 \u{fc}\x7f/x\"()";

/// Fields of which an answer has one line at most (RFC 9110 §5.3): a later one replaces an earlier
/// one.
const SINGLE: [&str; 11] = [
    "age",
    "content-location",
    "content-range",
    "content-type",
    "date",
    "etag",
    "expires",
    "last-modified",
    "location",
    "retry-after",
    "server",
];

/// What separates the parts.
const SEPARATOR: u8 = 0xff;

/// The request.
#[derive(Clone, Debug, Default)]
pub struct Question {
    /// `H`, `C`, `P`: HEAD, CONNECT, POST with content; else GET.
    pub method: Option<char>,
    /// `0`: HTTP/1.0.
    pub is_old: bool,
    /// `k`, `x`: keep-alive, close.
    pub connection: Option<&'static str>,
    /// `u`: offers each protocol that a client could.
    pub offers: bool,
    /// `e`: expects 100-continue.
    pub expects: bool,
    /// `R`: the handler reads the content.
    pub reads: bool,
}

/// What becomes of the asking.
#[derive(Debug, Default)]
pub struct Wanted {
    pub question: Question,
    pub status: u16,
    /// The lines that were asked for and may be written.
    pub lines: Vec<(String, String)>,
    /// Something was asked for that must never be written.
    pub is_faulty: bool,
    pub closes: bool,
    pub content: Vec<u8>,
    /// The content's length is not known beforehand.
    pub is_unmeasured: bool,
    pub protocol: Option<&'static str>,
}

impl Wanted {
    /// Whether some line has this name.
    pub fn has(&self, name: &str) -> bool {
        self.lines
            .iter()
            .any(|(this, _)| this.eq_ignore_ascii_case(name))
    }

    fn new(status: u16) -> Wanted {
        Wanted {
            status,
            ..Wanted::default()
        }
    }

    /// What `status_page` asks for.
    pub fn page(status: u16) -> Wanted {
        let mut wanted = Wanted::new(status);
        wanted.line("Content-Type", "text/html; charset=utf-8");
        wanted.line("Cache-Control", "no-store");
        wanted.line("X-Content-Type-Options", "nosniff");
        let page = Status::from_code(status).map(Response::status_page);
        let content = page.and_then(|page| page.into_content().ok());
        wanted.content = content.unwrap_or_default();
        wanted
    }

    fn line(&mut self, name: &str, value: &str) {
        self.lines.push((name.into(), value.into()));
    }

    fn memory(&mut self, content: &str) {
        self.content = content.into();
        self.is_unmeasured = false;
        self.protocol = None;
    }

    /// What a field that is asked for leads to: RFC 9110 §5.1, §5.5, and what the server alone
    /// writes.
    fn field(&mut self, name: &str, value: &str) -> Result<(), FieldError> {
        let is_tchar = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
        if name.is_empty() || !name.chars().all(is_tchar) {
            return Err(FieldError::Name);
        }
        if value.contains(|c: char| c.is_ascii_control() && c != '\t') {
            return Err(FieldError::Value);
        }
        let managed = [
            "content-length",
            "transfer-encoding",
            "connection",
            "keep-alive",
            "upgrade",
        ];
        if managed.contains(&&*name.to_ascii_lowercase()) {
            return Err(FieldError::Managed);
        }
        if SINGLE.contains(&&*name.to_ascii_lowercase()) {
            self.lines
                .retain(|(this, _)| !this.eq_ignore_ascii_case(name));
        }
        self.line(name, value);
        Ok(())
    }
}

/// Does what the bytes say, for a request with this path.
pub fn run(octets: &[u8], path: &str) -> (Response, Wanted) {
    let mut response = Response::new(Status::OK);
    let mut wanted = Wanted::new(200);
    for part in octets.split(|&octet| octet == SEPARATOR) {
        let Some((letter, argument)) = part.split_first() else {
            continue;
        };
        let text = String::from_utf8_lossy(argument);
        let question = std::mem::take(&mut wanted.question);
        response = act(*letter, &text, response, &mut wanted, path);
        if *letter == b'q' {
            wanted.question = asked(&text);
        } else {
            wanted.question = question;
        }
    }
    (response, wanted)
}

fn asked(letters: &str) -> Question {
    let has = |letter| letters.contains(letter);
    Question {
        method: ['H', 'C', 'P'].into_iter().find(|&letter| has(letter)),
        is_old: has('0'),
        connection: match (has('k'), has('x')) {
            (_, true) => Some("close"),
            (true, false) => Some("keep-alive"),
            (false, false) => None,
        },
        offers: has('u'),
        expects: has('e'),
        reads: has('R'),
    }
}

fn act(letter: u8, text: &str, response: Response, wanted: &mut Wanted, path: &str) -> Response {
    match letter {
        b'h' | b't' | b'i' | b'l' | b'r' => field(letter, text, response, wanted, path),
        b's' => match status(text) {
            Some(status) => {
                wanted.status = status.code();
                (status, response).into_response()
            }
            None => response,
        },
        b'p' => match status(text) {
            Some(status) => {
                *wanted = Wanted::page(status.code());
                Response::status_page(status)
            }
            None => response,
        },
        b'x' | b'X' => {
            *wanted = Wanted::new(200);
            let kind = if letter == b'x' { "plain" } else { "html" };
            wanted.line("Content-Type", &format!("text/{kind}; charset=utf-8"));
            wanted.memory(text);
            if letter == b'x' {
                Response::text(text)
            } else {
                Response::html(text)
            }
        }
        b'e' => {
            *wanted = Wanted::page(500);
            io::Error::other(text).into_response()
        }
        b'y' => response.with_log_reason(fixed(text)),
        b'c' => {
            wanted.closes = true;
            response.close()
        }
        b'u' => {
            let protocol = fixed(text);
            wanted.is_faulty |= !is_protocol(protocol);
            wanted.status = 101;
            wanted.memory("");
            wanted.protocol = Some(protocol);
            response.upgrade(protocol, |peer| peer.write_all(b"upgraded"))
        }
        _ => content(letter, text, response, wanted),
    }
}

/// Asks for a field.
fn field(
    letter: u8,
    text: &str,
    mut response: Response,
    wanted: &mut Wanted,
    path: &str,
) -> Response {
    let (name, value) = match letter {
        b'l' | b'r' => ("Location", text),
        _ => text.split_once('=').unwrap_or((text, "")),
    };
    match letter {
        b'r' => {
            *wanted = Wanted::new(302);
            wanted.is_faulty |= wanted.field(name, value).is_err();
            Response::redirect(Status::FOUND, value)
        }
        b'l' => {
            let decoded = decoded(path);
            wanted.is_faulty |= wanted.field(name, &decoded).is_err();
            response.header(name, &decoded)
        }
        b'h' => {
            wanted.is_faulty |= wanted.field(name, value).is_err();
            response.header(name, value)
        }
        _ => {
            let tried = response.try_header(name, value);
            assert_eq!(tried, wanted.field(name, value), "{name:?}, {value:?}");
            if letter == b'i' && tried.is_err() {
                // As a program that goes on with something better.
                wanted.line("X-Instead", "1");
                response = response.header("X-Instead", "1");
            }
            response
        }
    }
}

/// Sets the content.
fn content(letter: u8, text: &str, response: Response, wanted: &mut Wanted) -> Response {
    let owned = text.to_string();
    if b"bwdnm".contains(&letter) {
        wanted.memory(text);
        wanted.is_unmeasured = b"wdm".contains(&letter);
    }
    match letter {
        b'b' => response.body(owned),
        b'w' => response.writer(move |out| out.write_all(owned.as_bytes())),
        b'd' => response.detached(move |out| out.write_all(owned.as_bytes())),
        b'n' | b'm' => {
            let length = (letter == b'n').then_some(owned.len() as u64);
            response.stream(length, io::Cursor::new(owned).take(u64::MAX))
        }
        _ => response,
    }
}

/// RFC 9110 §7.8: `protocol = protocol-name ["/" protocol-version]`.
fn is_protocol(text: &str) -> bool {
    let (name, version) = text.split_once('/').unwrap_or((text, "none"));
    let is_token = |part: &str| Wanted::default().field(part, "") != Err(FieldError::Name);
    is_token(name) && is_token(version)
}

fn status(text: &str) -> Option<Status> {
    Status::from_code(text.parse().ok()?)
}

/// A part of [`STATIC`].
fn fixed(text: &str) -> &'static str {
    let mut numbers = text.bytes().map(usize::from);
    let begin = numbers.next().unwrap_or(0) % STATIC.len();
    let len = numbers.next().unwrap_or(9) % STATIC.len();
    let end = (begin + len).min(STATIC.len());
    STATIC.get(begin..end).unwrap_or("echo")
}

/// A path with its escapes decoded, as a careless program does it.
fn decoded(path: &str) -> String {
    let mut octets = Vec::new();
    let mut rest = path.as_bytes();
    while let [octet, behind @ ..] = rest {
        let escaped = behind
            .get(..2)
            .and_then(|digits| std::str::from_utf8(digits).ok());
        let escaped = escaped.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match escaped.filter(|_| *octet == b'%') {
            Some(decoded) => {
                octets.push(decoded);
                rest = &behind[2..];
            }
            None => {
                octets.push(*octet);
                rest = behind;
            }
        }
    }
    String::from_utf8_lossy(&octets).into_owned()
}
