//! Comma-separated lists, `#element` (RFC 9110 §5.6.1): empty elements are skipped, commas within a quoted-string do not count.

/// The elements of a list-based field value, each without white space around it.
pub fn elements(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    [].into_iter()
}
/// Whether one of the elements is this token, without regard to case.
pub fn contains_token(value: &[u8], token: &str) -> bool {
    todo!()
}
