//! Percent-encoding (RFC 3986 §2.1).

/// A `%` that is not followed by two HEXDIG, at this offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidEscape(pub usize);

/// Appends `octets` to `out` with every escape replaced by its octet, once ("%252e" gives "%2e"). `+` is a plus.
pub fn decode(octets: &[u8], out: &mut Vec<u8>) -> Result<(), InvalidEscape> {
    todo!()
}
/// Appends `segment` to `out` so that it is one path segment: everything but `unreserved` is escaped.
pub fn encode_segment(segment: &[u8], out: &mut Vec<u8>) {
    todo!()
}
