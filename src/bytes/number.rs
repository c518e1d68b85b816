//! Strict numbers: digits and nothing else. The only place where a number from the wire is parsed.
//!
//! std's `parse` and `from_str_radix` accept a sign ("+5"), which two servers in a chain read differently.

/// `1*DIGIT` that fits a `u64`.
pub fn decimal(octets: &[u8]) -> Option<u64> {
    todo!()
}
/// `1*HEXDIG` that fits a `u64`; at most 16 digits.
pub fn hexadecimal(octets: &[u8]) -> Option<u64> {
    todo!()
}
/// The value of one HEXDIG.
pub const fn hex_digit(octet: u8) -> Option<u8> {
    todo!()
}
/// Appends the decimal digits of `value`.
pub fn push_decimal(out: &mut Vec<u8>, value: u64) {
    todo!()
}
/// Appends the hexadecimal digits of `value`, upper case, no leading zeros (a chunk-size).
pub fn push_hexadecimal(out: &mut Vec<u8>, value: u64) {
    todo!()
}
