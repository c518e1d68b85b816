//! What a handler was asked and gave, and a naive reading of what came back: it shares nothing with
//! the crate that wrote it.

use std::borrow::Cow;
use std::io::BufRead;
use std::ops::Range;

/// One call of the handler.
#[derive(Debug)]
pub struct Call {
    /// On which link.
    pub link: usize,
    pub method: String,
    pub target: String,
    pub path: String,
    pub query: Option<String>,
    pub minor: u8,
    pub host: Option<String>,
    pub fields: Vec<(Vec<u8>, Vec<u8>)>,
    /// The content's length, if the client said it.
    pub length: Option<u64>,
    /// Bytes that the server had read from the link, and written to it.
    pub read: usize,
    pub taken: usize,
    /// The waits for this link while the handler ran, among all of them. After that the server
    /// looks at the socket for reasons of its own, such as whether the connection is idle when a
    /// shutdown begins.
    pub waits: Range<usize>,
    /// The content that the handler read.
    pub pulled: Pulled,
    /// What it answered; nothing if it did not come that far.
    pub given: Option<Given>,
}

/// How far a handler read the content.
#[derive(Debug, PartialEq)]
pub enum Pulled {
    Nothing,
    Part(Vec<u8>),
    Whole(Vec<u8>),
    /// To where it failed, at least.
    Failed(Vec<u8>),
}

/// What a handler gave, and so what the answer has to be.
#[derive(Debug, Default)]
pub struct Given {
    pub status: u16,
    pub content: Content,
    /// A line of its own.
    pub line: Option<(String, String)>,
    /// It is the last answer.
    pub closes: bool,
    /// Its length is not known before its end.
    pub is_unmeasured: bool,
    /// Its content ends too early, which its client is to see.
    pub breaks: bool,
    /// Its content cannot be had at all.
    pub fails: bool,
    /// Whatever the content is, none is sent.
    pub is_bodiless: bool,
    /// It needs a thread of its own, and is replaced where there can be none.
    pub is_detached: bool,
    /// It goes on in another protocol, whose bytes are echoed.
    pub is_upgrade: bool,
}

#[derive(Debug)]
pub enum Content {
    Known(Cow<'static, [u8]>),
    /// A page of the server's.
    Page,
}

impl Default for Content {
    fn default() -> Content {
        Content::Known(Cow::Borrowed(b""))
    }
}

impl Given {
    /// The answer in place of one that cannot be given.
    pub fn fault() -> Given {
        Given {
            status: 500,
            content: Content::Page,
            ..Given::default()
        }
    }

    /// It is the handler's own, with the number of its call.
    pub fn is_tagged(&self) -> bool {
        matches!(self.content, Content::Known(_))
    }
}

/// The head of an answer.
#[derive(Debug)]
pub struct Head<'a> {
    pub status: u16,
    fields: Vec<(&'a str, &'a str)>,
    /// Where its content begins.
    pub end: usize,
}

impl Head<'_> {
    pub fn values(&self, name: &str) -> Vec<&str> {
        let of_name = self
            .fields
            .iter()
            .filter(|(this, _)| this.eq_ignore_ascii_case(name));
        of_name.map(|(_, value)| *value).collect()
    }

    /// The value of a field that may stand there once.
    pub fn value(&self, name: &str) -> Result<Option<&str>, String> {
        match self.values(name)[..] {
            [] => Ok(None),
            [value] => Ok(Some(value)),
            _ => Err(format!("more than one {name}")),
        }
    }

    pub fn says_close(&self) -> Result<bool, String> {
        match self.value("Connection")? {
            None | Some("keep-alive" | "upgrade" | "keep-alive, upgrade") => Ok(false),
            Some("close" | "close, upgrade") => Ok(true),
            Some(other) => Err(format!("Connection: {other}")),
        }
    }
}

/// The head that begins at `at`. `None` when the bytes end within it.
pub fn head(octets: &[u8], at: usize) -> Result<Option<Head<'_>>, String> {
    let rest = &octets[at..];
    let Some(length) = find(rest, b"\r\n\r\n") else {
        let shown = rest.len().min(9);
        return match rest[..shown] == b"HTTP/1.1 "[..shown] {
            true => Ok(None),
            false => Err("bytes that begin no answer".into()),
        };
    };
    let text = std::str::from_utf8(&rest[..length]).map_err(|_| "a head that is no text")?;
    let mut lines = text.split("\r\n");
    let status = lines.next().and_then(|line| line.strip_prefix("HTTP/1.1 "));
    let status = status.and_then(|rest| rest.split_once(' '));
    let (digits, reason) = status.ok_or("no status line")?;
    let is_number = digits.len() == 3 && digits.bytes().all(|octet| octet.is_ascii_digit());
    if !is_number || !is_text(reason) {
        return Err(format!("no status line: {digits:?} {reason:?}"));
    }
    let mut fields = Vec::new();
    for line in lines {
        let (name, value) = line.split_once(':').ok_or("a line without a colon")?;
        let value = value.strip_prefix(' ').ok_or("a colon without a space")?;
        let is_token =
            |octet: u8| octet.is_ascii_graphic() && !b"\"(),/:;<=>?@[\\]{}".contains(&octet);
        if name.is_empty() || !name.bytes().all(is_token) || !is_text(value) {
            return Err(format!("no field line: {line:?}"));
        }
        fields.push((name, value));
    }
    Ok(Some(Head {
        status: digits.parse().map_err(|_| "no status")?,
        fields,
        end: at + length + 4,
    }))
}

/// Where these bytes, the last of which is a line feed, stand first.
fn find(octets: &[u8], what: &[u8]) -> Option<usize> {
    let mut end = 0;
    loop {
        // The search of std, which costs a fuzzer nothing.
        let mut rest = &octets[end..];
        end += rest.skip_until(b'\n').ok()?;
        if octets[..end].ends_with(what) {
            return Some(end - what.len());
        }
        if end == octets.len() {
            return None;
        }
    }
}

fn is_text(value: &str) -> bool {
    value.bytes().all(|octet| !octet.is_ascii_control())
}

/// The content of an answer.
#[derive(Debug)]
pub struct Body<'a> {
    pub content: Cow<'a, [u8]>,
    /// It is there to its end.
    pub is_whole: bool,
    /// It ends where the connection does.
    pub until_close: bool,
    /// Where it ends.
    pub end: usize,
}

/// The content after a head; `is_over`: no byte follows these ones.
pub fn body<'a>(octets: &'a [u8], head: &Head<'_>, is_over: bool) -> Result<Body<'a>, String> {
    let rest = &octets[head.end..];
    let coding = head.value("Transfer-Encoding")?;
    let length = head.value("Content-Length")?;
    match (coding, length) {
        (None, Some(digits)) => {
            let length: usize = digits.parse().map_err(|_| "a length that is none")?;
            let here = length.min(rest.len());
            Ok(Body {
                content: Cow::Borrowed(&rest[..here]),
                is_whole: here == length,
                until_close: false,
                end: head.end + here,
            })
        }
        (Some("chunked"), None) => {
            let (content, used) = chunks(rest)?;
            Ok(Body {
                content: Cow::Owned(content),
                is_whole: used.is_some(),
                until_close: false,
                end: used.map_or(octets.len(), |used| head.end + used),
            })
        }
        (None, None) => Ok(Body {
            content: Cow::Borrowed(rest),
            is_whole: is_over,
            until_close: true,
            end: octets.len(),
        }),
        other => Err(format!("framed by {other:?}")),
    }
}

/// The content of chunks, and the bytes that they took, if they are there to their end.
fn chunks(octets: &[u8]) -> Result<(Vec<u8>, Option<usize>), String> {
    let mut content = Vec::new();
    let mut at = 0;
    loop {
        let rest = &octets[at..];
        let window = &rest[..rest.len().min(20)];
        let Some(digits) = find(window, b"\r\n") else {
            let is_fine = window
                .iter()
                .all(|octet| octet.is_ascii_hexdigit() || *octet == b'\r');
            return match is_fine {
                true => Ok((content, None)),
                false => Err("no chunk size".into()),
            };
        };
        let text = std::str::from_utf8(&rest[..digits]).unwrap_or_default();
        let size = usize::from_str_radix(text, 16).map_err(|_| format!("chunk size {text:?}"))?;
        at += digits + 2;
        let data = &octets[at..octets.len().min(at + size)];
        content.extend_from_slice(data);
        at += data.len();
        let end = &octets[at..octets.len().min(at + 2)];
        if data.len() < size || end.len() < 2 {
            return Ok((content, None));
        }
        if end != b"\r\n" {
            return Err("a chunk without an end".into());
        }
        at += 2;
        if size == 0 {
            return Ok((content, Some(at)));
        }
    }
}
