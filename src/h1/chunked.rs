//! The chunked transfer coding (RFC 9112 §7.1): decoder and encoder.
//!
//! The decoder bounds chunk-size lines, framing overhead and the trailer section; whoever collects
//! the content bounds that. It holds no bytes, and a size is only counted: nothing is reserved for
//! it.
//!
//! ```
//! use doorstep::Limits;
//! use doorstep::h1::chunked::{Decoder, push_chunk, push_last_chunk};
//!
//! let mut bytes = Vec::new();
//! push_chunk(&mut bytes, b"hello, ");
//! push_chunk(&mut bytes, b"world");
//! push_last_chunk(&mut bytes);
//! assert_eq!(bytes, b"7\r\nhello, \r\n5\r\nworld\r\n0\r\n\r\n");
//!
//! // In whatever pieces it comes: here in pieces of four bytes.
//! let (mut decoder, mut content) = (Decoder::new(), Vec::new());
//! for mut piece in bytes.chunks(4) {
//!     while !piece.is_empty() && !decoder.is_done() {
//!         let step = decoder.decode(piece, &Limits::default())?;
//!         content.extend_from_slice(&piece[step.data]);
//!         piece = &piece[step.used..];
//!     }
//! }
//! assert!(decoder.is_done());
//! assert_eq!(content, b"hello, world");
//! # Ok::<(), doorstep::Reject>(())
//! ```

use super::Reject;
use super::field_line::{self, CR, LF, Section, read_section};
use super::framing::LENGTH_MAX;
use crate::bytes::number;
use crate::limits::Limits;
use crate::scan;
use std::ops::Range;

/// Decodes the content of one message, in pieces of any size. 16 bytes, `Copy`: it holds none of
/// the message's bytes.
///
/// Trailer fields are validated, bounded and dropped (RFC 9110 §6.5.1). Strict: RFC 9112 §7.1 to
/// the letter, and no white space before an extension.
#[derive(Clone, Copy, Debug, Default)]
pub struct Decoder {
    /// Bytes of the chunk's data that have not come yet; while its size is read, the digits so far.
    remaining: u64,
    /// Bytes of the size line so far; of the trailer section, once that has begun.
    line: u32,
    /// Framing bytes that are held against the body, see [`CHUNK_OVERHEAD`], which bounds them.
    overhead: u16,
    at: ChunkState,
}

/// Framing bytes by which a chunked body may exceed its data, after the free ones of each chunk.
/// Beyond: 400. A signed upload has about 85 bytes of extension to 64 KiB of data, which never
/// exceeds it; a million chunks of one byte, each with a long extension, would cost 250 times what
/// they bring.
pub const CHUNK_OVERHEAD: u32 = 16 * 1024;
/// Free bytes of a chunk's size line, CRLF not counted: with both CRLF they make 16 bytes, which is
/// what the smallest chunks of honest writers need.
pub const CHUNK_OVERHEAD_FREE: u32 = 12;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum ChunkState {
    /// The size, or what follows it.
    #[default]
    Size,
    /// An extension, or the CR after it.
    Extension,
    SizeLineFeed,
    Data,
    /// The CR after data.
    DataEnd,
    DataLineFeed,
    /// The first field line of the trailer section, or its empty line.
    Trailer,
    /// A trailer section that has begun.
    TrailerRest(field_line::SectionState),
    /// Nothing: the body is complete.
    Done,
}

/// One step of decoding: see [`Decoder::decode`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decoded {
    /// Bytes of the input that are dealt with, the data included.
    pub used: usize,
    /// Content, as a range of the input; may be empty. When it is, and the body is not done, more
    /// input is needed.
    pub data: Range<usize>,
}

/// RFC 9112 §7.1 sets no bound. 16 digits fill 64 bits: one more, even a zero, is a number that
/// someone in the chain cuts off.
const SIZE_DIGITS: u32 = 16;

impl Decoder {
    /// A decoder at the start of a message's content.
    pub fn new() -> Decoder {
        Decoder::default()
    }

    /// Takes framing bytes up to the next run of content, and that run. Never reads beyond the
    /// body's last byte.
    ///
    /// Of `limits`, [`chunk_line_bytes`](Limits::chunk_line_bytes) and
    /// [`trailer_bytes`](Limits::trailer_bytes) count, in bytes. Framing beyond 16 bytes a chunk
    /// may be ahead of the content by 16 KiB. How much content there may be is the caller's to
    /// bound.
    ///
    /// A stream that ends before [`is_done`](Decoder::is_done) has brought part of the content only
    /// (RFC 9112 §8): that is the caller's to refuse, as [`Reject::TruncatedContent`].
    ///
    /// # Errors
    ///
    /// A [`Reject`] for the first byte that is not allowed at its place, or that exceeds a limit.
    /// After it neither the decoder nor the connection can be used again.
    pub fn decode(&mut self, input: &[u8], limits: &Limits) -> Result<Decoded, Reject> {
        let mut used = 0;
        while self.at != ChunkState::Data {
            let rest = input.get(used..).unwrap_or_default();
            if rest.is_empty() || self.is_done() {
                return Ok(Decoded {
                    used,
                    data: used..used,
                });
            }
            used += self.framing(rest, limits)?;
        }
        let available = input.len() - used;
        let len = usize::try_from(self.remaining).map_or(available, |left| left.min(available));
        self.remaining -= len as u64;
        self.overhead = (self.overhead).saturating_sub(u16::try_from(len).unwrap_or(u16::MAX));
        if self.remaining == 0 {
            self.at = ChunkState::DataEnd;
        }
        Ok(Decoded {
            used: used + len,
            data: used..used + len,
        })
    }

    /// Whether the last chunk and its trailer section have been read. The bytes after them are the
    /// next message.
    pub fn is_done(&self) -> bool {
        self.at == ChunkState::Done
    }

    /// Takes framing bytes from the start of `rest`, which is not empty, and tells how many.
    fn framing(&mut self, rest: &[u8], limits: &Limits) -> Result<usize, Reject> {
        match (self.at, rest.first()) {
            (ChunkState::Size, _) => return self.size(rest, limits),
            (ChunkState::Extension, _) => return self.extension(rest, limits),
            (ChunkState::SizeLineFeed, Some(&LF)) => self.size_line_end()?,
            (ChunkState::SizeLineFeed, _) => return Err(Reject::BareCarriageReturn),
            // RFC 9112 §7.1: `chunk = chunk-size [ chunk-ext ] CRLF chunk-data CRLF`. Both bytes
            // are checked: a decoder that skips two bytes unread lets a chunk hide bytes that
            // another recipient takes for a size line.
            (ChunkState::DataEnd, Some(&CR)) => self.at = ChunkState::DataLineFeed,
            (ChunkState::DataLineFeed, Some(&LF)) => self.at = ChunkState::Size,
            (ChunkState::DataEnd | ChunkState::DataLineFeed, _) => {
                return Err(Reject::InvalidChunkEnd);
            }
            (ChunkState::Trailer, _) => {
                return self.trailer(field_line::SectionState::LineStart, 0, rest, limits);
            }
            (ChunkState::TrailerRest(at), _) => return self.trailer(at, 1, rest, limits),
            // Neither has framing bytes.
            (ChunkState::Data | ChunkState::Done, _) => return Ok(0),
        }
        Ok(1)
    }

    /// RFC 9112 §7.1: `chunk-size = 1*HEXDIG`; "Recipients MUST anticipate potentially large
    /// hexadecimal numerals and prevent parsing errors due to integer conversion overflows or
    /// precision loss due to integer representation."
    fn size(&mut self, rest: &[u8], limits: &Limits) -> Result<usize, Reject> {
        for (index, &byte) in rest.iter().enumerate() {
            if let Some(digit) = number::hex_digit(byte) {
                self.line += 1;
                // 16 digits fill the 64 bits, so nothing overflows. STRICTER: above `LENGTH_MAX`,
                // as for Content-Length.
                if self.line > SIZE_DIGITS || self.remaining > LENGTH_MAX / 16 {
                    return Err(Reject::InvalidChunkSize);
                }
                self.remaining = self.remaining * 16 + u64::from(digit);
                if self.line as usize > limits.chunk_line_bytes {
                    return Err(Reject::ChunkLineTooLong);
                }
                continue;
            }
            self.at = match byte {
                _ if self.line == 0 => return Err(Reject::InvalidChunkSize),
                CR => ChunkState::SizeLineFeed,
                LF => return Err(Reject::BareLineFeed),
                b';' if self.line as usize >= limits.chunk_line_bytes => {
                    return Err(Reject::ChunkLineTooLong);
                }
                b';' => {
                    self.line += 1;
                    ChunkState::Extension
                }
                // STRICTER: RFC 9112 §7.1.1 allows white space before the semicolon, "only for
                // historical reasons"; others have read "5 " as 5, as 0 and as an error.
                _ => return Err(Reject::InvalidChunkSize),
            };
            return Ok(index + 1);
        }
        Ok(rest.len())
    }

    /// RFC 9112 §7.1.1: "A recipient MUST ignore unrecognized chunk extensions. A server ought to
    /// limit the total length of chunk extensions received in a request".
    fn extension(&mut self, rest: &[u8], limits: &Limits) -> Result<usize, Reject> {
        let left = counted(limits.chunk_line_bytes).saturating_sub(self.line as usize);
        let len = scan::field_value_end(rest, 0);
        if len > left {
            return Err(Reject::ChunkLineTooLong);
        }
        self.line += u32::try_from(len).unwrap_or(u32::MAX);
        match rest.get(len) {
            None => return Ok(len),
            Some(&CR) => self.at = ChunkState::SizeLineFeed,
            // STRICTER: RFC 9112 §2.2 would let it end the line. A recipient that ends it here and
            // one that reads on to CRLF see two different bodies.
            Some(&LF) => return Err(Reject::BareLineFeed),
            Some(_) => return Err(Reject::InvalidChunkExtension),
        }
        Ok(len + 1)
    }

    /// The size line is complete: `remaining` holds the chunk's size.
    fn size_line_end(&mut self) -> Result<(), Reject> {
        let held = self.line.saturating_sub(CHUNK_OVERHEAD_FREE);
        let overhead = held.saturating_add(u32::from(self.overhead));
        if overhead > CHUNK_OVERHEAD {
            return Err(Reject::ChunkOverhead);
        }
        const { assert!(CHUNK_OVERHEAD <= u16::MAX as u32) };
        self.overhead = overhead as u16;
        self.line = 0;
        self.at = match self.remaining {
            0 => ChunkState::Trailer,
            _ => ChunkState::Data,
        };
        Ok(())
    }

    /// Takes bytes of the trailer section, of which `lines` (0, or 1 for any) have begun.
    ///
    /// RFC 9110 §6.5.1: "a recipient MUST NOT merge a trailer field into the header section unless
    /// …". They are dropped, so a Content-Length or a Transfer-Encoding among them frames nothing.
    fn trailer(
        &mut self,
        at: field_line::SectionState,
        lines: u32,
        rest: &[u8],
        limits: &Limits,
    ) -> Result<usize, Reject> {
        // The empty line is always allowed: without it no body would ever end.
        let most = counted(limits.trailer_bytes).max(2);
        let left = most.saturating_sub(self.line as usize);
        let window = rest.get(..left).unwrap_or(rest);
        let mut section = Section {
            offset: 0,
            at,
            lines,
        };
        let complete = read_section(window, &mut section, usize::MAX, |_, _| ())?;
        self.line += u32::try_from(section.offset).unwrap_or(u32::MAX);
        if complete {
            self.at = ChunkState::Done;
        } else if rest.len() >= left {
            return Err(Reject::TrailerTooLarge);
        } else {
            self.at = ChunkState::TrailerRest(section.at);
        }
        Ok(section.offset)
    }
}

/// A limit on a line or a section, as far as their bytes can be counted.
fn counted(limit: usize) -> usize {
    limit.min(u32::MAX as usize)
}

/// Appends a chunk with this content to `out` (RFC 9112 §7.1). Appends nothing for empty content:
/// an empty chunk would end the body.
pub fn push_chunk(out: &mut Vec<u8>, content: &[u8]) {
    if content.is_empty() {
        return;
    }
    // A size line has at most 16 digits and CRLF, and CRLF follows the content.
    out.reserve(content.len() + 20);
    number::push_hexadecimal(out, content.len() as u64);
    out.extend_from_slice(b"\r\n");
    out.extend_from_slice(content);
    out.extend_from_slice(b"\r\n");
}

/// Appends the last chunk and an empty trailer section, which end the body (RFC 9112 §7.1).
pub fn push_last_chunk(out: &mut Vec<u8>) {
    out.extend_from_slice(b"0\r\n\r\n");
}
