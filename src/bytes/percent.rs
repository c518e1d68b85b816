//! Percent-encoding (RFC 3986 §2.1).
//!
//! In: octets with escapes, octets that need them. Out: what a decoded octet means in a path; form encoding, where `+` is a
//! space. Never: decoding twice, guessing at a broken escape.

use super::class;
use super::number::{UPPER_HEX_DIGITS, hex_digit};

/// A `%` that is not followed by two HEXDIG, at this offset of the encoded octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidEscape(pub usize);

/// Appends `octets` to `out` with every escape replaced by its octet, once ("%252e" gives "%2e"). `+` is a plus. On an
/// error `out` is as it was.
pub fn decode(octets: &[u8], out: &mut Vec<u8>) -> Result<(), InvalidEscape> {
    let len_before = out.len();
    let mut rest = octets;
    while let Some(plain_len) = rest.iter().position(|&octet| octet == b'%') {
        let (plain, escape) = rest.split_at(plain_len);
        let Some(octet) = escaped_octet(escape) else {
            out.truncate(len_before);
            return Err(InvalidEscape(octets.len() - escape.len()));
        };
        out.extend_from_slice(plain);
        out.push(octet);
        rest = &escape[ESCAPE_LEN..];
    }
    out.extend_from_slice(rest);
    Ok(())
}

/// Appends `segment` to `out` so that it is one path segment: everything but `unreserved` is escaped, in upper case as
/// RFC 3986 §2.1 asks of producers.
pub fn encode_segment(segment: &[u8], out: &mut Vec<u8>) {
    for &octet in segment {
        if class::is_unreserved(octet) {
            out.push(octet);
        } else {
            let high = UPPER_HEX_DIGITS[usize::from(octet >> 4)];
            let low = UPPER_HEX_DIGITS[usize::from(octet & 0xF)];
            out.extend_from_slice(&[b'%', high, low]);
        }
    }
}

/// RFC 3986 §2.1: "pct-encoded = "%" HEXDIG HEXDIG".
const ESCAPE_LEN: usize = 3;

/// The octet of the escape at the start.
fn escaped_octet(octets: &[u8]) -> Option<u8> {
    match octets {
        [b'%', high, low, ..] => Some(hex_digit(*high)? * 16 + hex_digit(*low)?),
        _ => None,
    }
}
