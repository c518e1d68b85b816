//! A naive reading of what a client sent, with all of it at hand: the grammar of RFC 9112, RFC 9110
//! and RFC 3986 in the order in which it stands there, as strict as this server says that it is. It
//! shares nothing with the crate, so that it errs otherwise where it errs; `tests/tidy.rs` checks
//! that it imports nothing of it.
//!
//! A rule of the grammar is a function, which reads what the rule says, part by part, from bytes
//! that are all there: `?` after a part says that the bytes end within it, or which byte is the
//! first that no valid message has at its place. Nothing is kept from one reading to the next; who
//! wants to know what a piece of the bytes comes to reads that piece from its start.
#![allow(dead_code, reason = "each of the tests asks for a part of it")]

mod chunked;
mod grammar;
mod head;
mod reader;
mod target;

pub use chunked::{Body, read_chunked};
pub use head::read_head;
pub use reader::{Refusal, Stop};
pub use target::Form;

/// How much of everything is allowed.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes of a method,
    pub method_bytes: usize,
    /// of a target,
    pub target_bytes: usize,
    /// and of a head, the empty line before it included.
    pub head_bytes: usize,
    /// Field lines in a head.
    pub headers: usize,
    /// Bytes of a chunk's size line without its CRLF,
    pub chunk_line_bytes: usize,
    /// of a trailer section with its empty line, for which there is always room,
    pub trailer_bytes: usize,
    /// by which the size lines may be ahead of the content,
    pub chunk_overhead: usize,
    /// and of each size line that do not count.
    pub chunk_overhead_free: usize,
}

/// What a client's bytes say.
#[derive(Debug)]
pub struct Reading {
    /// The messages whose heads are here, of which only the last may be without the end of its
    /// content.
    pub messages: Vec<Message>,
    pub end: End,
}

/// What follows the last message, or how it goes on where it does not end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Nothing, or bytes that more may make a message of.
    Open,
    /// Nothing that anybody reads: the last message was the last.
    Last,
    /// What no valid message has at its place.
    Refused(Refusal),
}

/// One request.
#[derive(Clone, Debug)]
pub struct Message {
    /// Where it begins, an empty line before it included.
    pub start: usize,
    /// Where its head ends.
    pub head_end: usize,
    pub method: Vec<u8>,
    pub target: Vec<u8>,
    pub form: Form,
    /// The path as it stands in the target: nothing in the asterisk and the authority form.
    pub path: Vec<u8>,
    pub query: Option<Vec<u8>>,
    /// 0 or 1: a later minor version is served as 1.
    pub minor: u8,
    pub fields: Vec<(Vec<u8>, Vec<u8>)>,
    /// Of the target, or else of the field.
    pub host: Option<Vec<u8>>,
    /// The connection may live on after it, as far as the client is concerned.
    pub keeps_alive: bool,
    /// The client waits for 100 Continue.
    pub expects: bool,
    /// The protocols that it offers to go on in.
    pub upgrades: Vec<Vec<u8>>,
    /// The length of its content, if it is not chunked.
    pub length: Option<u64>,
    /// Its content, as far as it is here and can be read.
    pub content: Vec<u8>,
    /// Where its content ends, if that is here.
    pub end: Option<usize>,
}

impl Message {
    /// What it is, for a person.
    pub fn shown(&self) -> String {
        let (method, target) = (self.method.escape_ascii(), self.target.escape_ascii());
        format!(
            "{method} {target}, {} bytes, {:?}",
            self.content.len(),
            self.end
        )
    }
}

/// All that stands in `bytes`, message by message.
pub fn read(octets: &[u8], limits: &Limits) -> Reading {
    let mut messages: Vec<Message> = Vec::new();
    let mut start = 0;
    let end = loop {
        if start == octets.len() {
            break End::Open;
        }
        let behind = |refusal: Refusal, offset: usize| {
            let after = offset + refusal.after;
            End::Refused(Refusal { after, ..refusal })
        };
        let mut message = match read_head(&octets[start..], limits) {
            Ok(message) => message,
            Err(Stop::Cut) => break End::Open,
            Err(Stop::Refused(refusal)) => break behind(refusal, start),
        };
        message.start += start;
        message.head_end += start;
        let head_end = message.head_end;
        let body = content(&octets[head_end..], message.length, limits);
        message.content = body.content;
        message.end = body.end.ok().map(|end| head_end + end);
        // RFC 9112 §9.3. RFC 9110 §9.3.6: what follows a CONNECT that succeeds is no message.
        let is_last = !message.keeps_alive || message.method == b"CONNECT";
        messages.push(message);
        match body.end {
            Err(Stop::Cut) => break End::Open,
            Err(Stop::Refused(refusal)) => break behind(refusal, head_end),
            Ok(_) if is_last => break End::Last,
            Ok(end) => start = head_end + end,
        }
    };
    Reading { messages, end }
}

/// RFC 9112 §6: the content at the start of `bytes`, chunked when it has no length.
fn content(octets: &[u8], length: Option<u64>, limits: &Limits) -> Body {
    let Some(length) = length else {
        return read_chunked(octets, limits);
    };
    let here = usize::try_from(length).map_or(octets.len(), |length| length.min(octets.len()));
    Body {
        content: octets[..here].to_vec(),
        end: match here as u64 == length {
            true => Ok(here),
            false => Err(Stop::Cut),
        },
    }
}
