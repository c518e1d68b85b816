//! Several parts of a file in one response: `multipart/byteranges` (RFC 9110 §14.6), made while it
//! is sent.

use crate::files::resource::representation::{Representation, random};
use crate::handler::Response;
use crate::limits::STREAM_BLOCK;
use crate::semantics::Status;
use crate::semantics::range::ByteRange;
use std::collections::VecDeque;
use std::io::{self, Read};
use std::sync::Arc;

/// 206 with these parts, each after its own Content-Type and Content-Range.
pub(super) fn respond(representation: &Arc<Representation>, ranges: &[ByteRange]) -> Response {
    let boundary = boundary();
    let media_type = representation.lines.get("Content-Type").unwrap_or_default();
    let mut pieces = VecDeque::with_capacity(2 * ranges.len() + 1);
    for range in ranges {
        // RFC 2046 §5.1.1: the CRLF before a delimiter belongs to it, and not to the part that it
        // ends. The first needs none, but some clients count on it. RFC 9110 §14.6: "Additional
        // CRLFs might precede the first boundary string in the body."
        let head = format!(
            "\r\n--{boundary}\r\nContent-Type: {media_type}\r\nContent-Range: {}\r\n\r\n",
            content_range(range, representation.length)
        );
        pieces.push_back(Piece::Bytes(head.into_bytes()));
        pieces.push_back(Piece::Part(*range));
    }
    pieces.push_back(Piece::Bytes(format!("\r\n--{boundary}--\r\n").into_bytes()));
    let length = pieces.iter().map(Piece::length).sum();
    let parts = Parts {
        representation: representation.clone(),
        pieces,
    };
    // RFC 9110 §15.3.7.2: "To avoid confusion with single-part responses, a server MUST NOT
    // generate a Content-Range header field in the HTTP header section of a multiple part
    // response".
    let content_type = format!("multipart/byteranges; boundary={boundary}");
    Response::with_lines(Status::PARTIAL_CONTENT, &representation.lines)
        .header("Content-Type", &content_type)
        .stream(Some(length), parts)
}

/// The value of Content-Range for a part of a representation of this length (RFC 9110 §14.4).
pub(super) fn content_range(range: &ByteRange, length: u64) -> String {
    let last = range.first + (range.length - 1);
    format!("bytes {}-{last}/{length}", range.first)
}

/// The delimiter of the parts. RFC 2046 §5.1.1: it "must not appear in any of the encapsulated
/// parts". Random for each response, so that no file can hold it on purpose, and none by chance.
fn boundary() -> String {
    format!("{:016x}{:016x}", random(), random())
}

struct Parts {
    representation: Arc<Representation>,
    pieces: VecDeque<Piece>,
}

enum Piece {
    Bytes(Vec<u8>),
    Part(ByteRange),
}

impl Piece {
    fn length(&self) -> u64 {
        match self {
            Piece::Bytes(bytes) => bytes.len() as u64,
            Piece::Part(range) => range.length,
        }
    }
}

impl Read for Parts {
    /// At most one piece, and one block of it.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let room = buffer.len().min(STREAM_BLOCK);
        let Some(piece) = self.pieces.front_mut() else {
            return Ok(0);
        };
        let count = match piece {
            Piece::Bytes(bytes) => {
                let count = bytes.len().min(room);
                buffer[..count].copy_from_slice(&bytes[..count]);
                bytes.drain(..count);
                count
            }
            Piece::Part(range) => {
                let count = range.length.min(room as u64) as usize;
                self.representation
                    .read_part(range.first, &mut buffer[..count])?;
                range.first += count as u64;
                range.length -= count as u64;
                count
            }
        };
        if piece.length() == 0 {
            self.pieces.pop_front();
        }
        Ok(count)
    }
}
