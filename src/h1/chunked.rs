//! The chunked transfer coding (RFC 9112 §7.1): decoder and encoder.

use super::Reject;
use crate::limits::Limits;
use std::ops::Range;

/// Decodes a chunked body, whatever pieces it comes in. Small and `Copy`-able: it holds no octets.
#[derive(Clone, Copy, Debug, Default)]
pub struct Decoder {}

/// One step of decoding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decoded {
    /// Octets of the input that are dealt with, the data included.
    pub used: usize,
    /// Content, as a range of the input; may be empty. When it is, and the body is not done, more input is needed.
    pub data: Range<usize>,
}

impl Decoder {
    /// Takes framing octets up to the next run of content, and that run. Never reads beyond the body's last octet.
    pub fn decode(&mut self, input: &[u8], limits: &Limits) -> Result<Decoded, Reject> {
        todo!()
    }
    /// Whether the last chunk and its trailer section have been read. Trailer fields are validated, bounded and dropped.
    pub fn is_done(&self) -> bool {
        todo!()
    }
}

/// Appends the size line of a chunk of `len` octets (never 0, which would end the body).
pub fn push_chunk_start(out: &mut Vec<u8>, len: usize) {
    todo!()
}
/// Appends what follows a chunk's data.
pub fn push_chunk_end(out: &mut Vec<u8>) {
    todo!()
}
/// Appends the last chunk and an empty trailer section.
pub fn push_last_chunk(out: &mut Vec<u8>) {
    todo!()
}
