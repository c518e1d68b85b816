//! Comma-separated lists, `#element` (RFC 9110 §5.6.1), in one pass and without a copy: empty
//! elements are skipped, and commas in a quoted-string do not count.
//!
//! For lists of entity tags see [`etag`](super::etag): their quotes know no backslash.

use crate::bytes::class;

/// The elements of a list-based field value, each without white space around it and none of them
/// empty.
///
/// A quoted-string that does not end takes the rest of the value into its element.
pub fn elements(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    split(value, |bytes| len_before(bytes, b','))
}

/// The parameters of an element, split at semicolons as [`elements`] splits at commas:
/// `parameters = *( OWS ";" OWS [ parameter ] )` (RFC 9110 §5.6.6).
pub(super) fn parameters(element: &[u8]) -> impl Iterator<Item = &[u8]> {
    split(element, |bytes| len_before(bytes, b';'))
}

/// The elements of a list, where `element_len` returns the number of bytes before the next
/// separator, or of all.
pub(super) fn split(value: &[u8], element_len: fn(&[u8]) -> usize) -> impl Iterator<Item = &[u8]> {
    Elements {
        rest: value,
        element_len,
    }
}

/// Whether one of the elements is this token, without regard to case.
pub fn contains_token(value: &[u8], token: &str) -> bool {
    elements(value).any(|element| element.eq_ignore_ascii_case(token.as_bytes()))
}

struct Elements<'a> {
    rest: &'a [u8],
    element_len: fn(&[u8]) -> usize,
}

impl<'a> Iterator for Elements<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        while !self.rest.is_empty() {
            let (element, after) = self.rest.split_at((self.element_len)(self.rest));
            // `after` is empty or starts with the separator.
            self.rest = after.get(1..).unwrap_or_default();
            let element = class::trim_ows(element);
            // RFC 9110 §5.6.1.2: "A recipient MUST parse and ignore a reasonable number of empty
            // list elements". The limit of a head bounds their number.
            if !element.is_empty() {
                return Some(element);
            }
        }
        None
    }
}

/// The bytes before the first separator that is not within a quoted-string; all of them when there
/// is none.
fn len_before(bytes: &[u8], separator: u8) -> usize {
    let mut quoted = false;
    let mut position = 0;
    while position < bytes.len() {
        match bytes[position] {
            byte if byte == separator && !quoted => return position,
            b'"' => quoted = !quoted,
            // RFC 9110 §5.6.4: the backslash is special "within quoted-string and comment
            // constructs" only; the byte after it does not count.
            b'\\' if quoted => position += 1,
            _ => {}
        }
        position += 1;
    }
    bytes.len()
}
