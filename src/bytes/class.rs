//! Character classes of RFC 9110 §5.6 and RFC 3986 §2, as one table lookup each.

/// `tchar` (RFC 9110 §5.6.2).
pub const fn is_tchar(octet: u8) -> bool {
    todo!()
}
/// An octet of a field value: HTAB, SP, VCHAR or obs-text (RFC 9110 §5.5).
pub const fn is_field_octet(octet: u8) -> bool {
    todo!()
}
/// `unreserved` (RFC 3986 §2.3).
pub const fn is_unreserved(octet: u8) -> bool {
    todo!()
}
/// The length of the longest prefix of `octets` that is a token (RFC 9110 §5.6.2); 0 when there is none.
pub fn token_len(octets: &[u8]) -> usize {
    todo!()
}
/// Without the optional white space (SP, HTAB) at both ends (RFC 9110 §5.6.3). Octets from 0x80 on are never white space.
pub fn trim_ows(octets: &[u8]) -> &[u8] {
    todo!()
}
