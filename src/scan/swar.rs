//! The searches, eight octets at a time in one register (SWAR).

/// The length of the longest prefix made of octets that a field value may hold: HTAB, SP, VCHAR, obs-text (RFC 9110 §5.5).
/// The octet after it, if any, is CR, LF, NUL, DEL or another control.
pub fn field_value_len(octets: &[u8]) -> usize {
    todo!()
}

/// The length of the longest prefix made of octets that a request target may hold: 0x21 to 0x7E.
pub fn target_len(octets: &[u8]) -> usize {
    todo!()
}
