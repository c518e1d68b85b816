//! Percent-encoding (RFC 3986 §2.1).
//!
//! Nothing is decoded twice, and a broken escape is an error. `+` is not a space here: that is form
//! encoding.

use super::class;
use super::number::{UPPER_HEX_DIGITS, hex_digit};

/// A `%` that is not followed by two HEXDIG, at this offset of the encoded bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidEscape(pub usize);

/// Appends `bytes` to `out` with every escape replaced by its byte, once ("%252e" gives "%2e"). `+`
/// is a plus. On an error `out` is as it was.
pub fn decode(bytes: &[u8], out: &mut Vec<u8>) -> Result<(), InvalidEscape> {
    let len_before = out.len();
    let mut rest = bytes;
    while let Some(plain_len) = rest.iter().position(|&byte| byte == b'%') {
        let (plain, escape) = rest.split_at(plain_len);
        let Some(byte) = escaped_octet(escape) else {
            out.truncate(len_before);
            return Err(InvalidEscape(bytes.len() - escape.len()));
        };
        out.extend_from_slice(plain);
        out.push(byte);
        rest = &escape[ESCAPE_LEN..];
    }
    out.extend_from_slice(rest);
    Ok(())
}

/// Appends `segment` to `out` so that it is one path segment: everything but `unreserved` is
/// escaped, in upper case as RFC 3986 §2.1 asks of producers.
pub fn encode_segment(segment: &[u8], out: &mut Vec<u8>) {
    for &byte in segment {
        if class::is_unreserved(byte) {
            out.push(byte);
        } else {
            let high = UPPER_HEX_DIGITS[usize::from(byte >> 4)];
            let low = UPPER_HEX_DIGITS[usize::from(byte & 0xF)];
            out.extend_from_slice(&[b'%', high, low]);
        }
    }
}

/// The length of what [`encode_segment`] appends.
pub fn encoded_segment_len(segment: &[u8]) -> usize {
    let plain = segment.iter().filter(|&&byte| class::is_unreserved(byte));
    let plain = plain.count();
    plain + (segment.len() - plain) * ESCAPE_LEN
}

/// RFC 3986 §2.1: "pct-encoded = "%" HEXDIG HEXDIG".
const ESCAPE_LEN: usize = 3;

fn escaped_octet(bytes: &[u8]) -> Option<u8> {
    match bytes {
        [b'%', high, low, ..] => Some(hex_digit(*high)? * 16 + hex_digit(*low)?),
        _ => None,
    }
}
