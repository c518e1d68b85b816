//! Several parts of a file in one response: `multipart/byteranges` (RFC 9110 §14.6), made while it
//! is sent.
//!
//! A connection holds the ranges and no more: the head of each part is made when it is read.

use crate::bytes::number::decimal_len;
use crate::files::resource::representation::{Representation, random};
use crate::handler::{Payload, Response};
use crate::semantics::Status;
use crate::semantics::range::ByteRange;
use std::io::{self, Read};
use std::sync::Arc;

/// 206 with these parts, each after its own Content-Type and Content-Range.
pub(super) fn respond(representation: &Arc<Representation>, ranges: Vec<ByteRange>) -> Response {
    let parts = Parts {
        representation: representation.clone(),
        boundary: boundary(),
        ranges,
        next: 0,
        sent: 0,
    };
    let ranges = parts.ranges.capacity() * size_of::<ByteRange>();
    // A small file's content is in memory, and no cache may hold it any more.
    let held = ranges + parts.boundary.capacity() + parts.representation.bytes();
    // RFC 9110 §15.3.7.2: "To avoid confusion with single-part responses, a server MUST NOT
    // generate a Content-Range header field in the HTTP header section of a multiple part
    // response".
    let content_type = format!("multipart/byteranges; boundary={}", parts.boundary);
    let lines = &representation.lines;
    let response = Response::with_lines(Status::PARTIAL_CONTENT, lines, Payload::Empty)
        .header("Content-Type", &content_type)
        .stream(Some(parts.length()), parts)
        .holding(held);
    representation.within(response)
}

/// The value of Content-Range for a part of a representation of this length (RFC 9110 §14.4).
pub(super) fn content_range(range: &ByteRange, length: u64) -> String {
    format!("bytes {}-{}/{length}", range.first, last(range))
}

fn last(range: &ByteRange) -> u64 {
    range.first + (range.length - 1)
}

/// The delimiter of the parts. RFC 2046 §5.1.1: it "must not appear in any of the encapsulated
/// parts". Random for each response, so that no file can hold it on purpose, and none by chance.
fn boundary() -> String {
    format!("{:016x}{:016x}", random(), random())
}

struct Parts {
    representation: Arc<Representation>,
    boundary: String,
    ranges: Vec<ByteRange>,
    /// The part that is being read; after the last one, the closing delimiter.
    next: usize,
    /// Bytes of it that have been read, those of its head included.
    sent: u64,
}

impl Parts {
    /// The length of the whole body.
    fn length(&self) -> u64 {
        // What is the same in the head of each part.
        let empty = ByteRange {
            first: 0,
            length: 1,
        };
        let frame = self.head(&empty).len() as u64 - self.digits(&empty);
        let part = |range| frame + self.digits(range) + range.length;
        self.ranges.iter().map(part).sum::<u64>() + self.close().len() as u64
    }

    /// The digits of a Content-Range.
    fn digits(&self, range: &ByteRange) -> u64 {
        let numbers = [range.first, last(range), self.representation.length];
        numbers.map(decimal_len).iter().sum::<usize>() as u64
    }

    /// What stands before a part.
    ///
    /// RFC 2046 §5.1.1: the CRLF before a delimiter belongs to it, and not to the part that it
    /// ends. The first needs none, but some clients count on it. RFC 9110 §14.6: "Additional CRLFs
    /// might precede the first boundary string in the body."
    fn head(&self, range: &ByteRange) -> String {
        let media_type = self.representation.lines.get("Content-Type");
        format!(
            "\r\n--{}\r\nContent-Type: {}\r\nContent-Range: {}\r\n\r\n",
            self.boundary,
            media_type.unwrap_or_default(),
            content_range(range, self.representation.length)
        )
    }

    /// What stands after the last part.
    fn close(&self) -> String {
        format!("\r\n--{}--\r\n", self.boundary)
    }
}

impl Read for Parts {
    /// Fills the whole buffer, so that many short parts are one read.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut filled = 0;
        while filled < buffer.len() && self.next <= self.ranges.len() {
            let range = self.ranges.get(self.next).copied();
            let head = range.map_or_else(|| self.close(), |range| self.head(&range));
            let head_len = head.len() as u64;
            let rest = head.as_bytes().get(self.sent as usize..);
            filled += copy(
                rest.unwrap_or_default(),
                &mut buffer[filled..],
                &mut self.sent,
            );
            if let Some(range) = range.filter(|_| filled < buffer.len()) {
                let read = self.sent - head_len;
                let count = (range.length - read).min((buffer.len() - filled) as u64) as usize;
                let part = &mut buffer[filled..filled + count];
                self.representation.read_part(range.first + read, part)?;
                filled += count;
                self.sent += count as u64;
            }
            if self.sent == head_len + range.map_or(0, |range| range.length) {
                (self.next, self.sent) = (self.next + 1, 0);
            }
        }
        Ok(filled)
    }
}

/// Copies as much as fits, and counts it.
fn copy(from: &[u8], to: &mut [u8], sent: &mut u64) -> usize {
    let count = from.len().min(to.len());
    to[..count].copy_from_slice(&from[..count]);
    *sent += count as u64;
    count
}
