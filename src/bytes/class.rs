//! Character classes of RFC 9110 §5.6 and RFC 3986 §2, as one table lookup each.

use crate::scan;

/// `tchar` (RFC 9110 §5.6.2), the bytes of tokens such as methods and field names.
#[inline]
pub const fn is_tchar(byte: u8) -> bool {
    CLASSES[byte as usize] & TCHAR != 0
}

/// A byte of a field value: HTAB, SP, VCHAR or obs-text (RFC 9110 §5.5).
#[inline]
pub const fn is_field_octet(byte: u8) -> bool {
    CLASSES[byte as usize] & FIELD != 0
}

/// `unreserved` (RFC 3986 §2.3).
#[inline]
pub const fn is_unreserved(byte: u8) -> bool {
    CLASSES[byte as usize] & UNRESERVED != 0
}

/// `sub-delims` (RFC 3986 §2.2).
#[inline]
pub const fn is_sub_delim(byte: u8) -> bool {
    CLASSES[byte as usize] & SUB_DELIM != 0
}

/// `etagc` (RFC 9110 §8.8.3), the bytes between the quotes of an entity tag.
#[inline]
pub const fn is_etag_octet(byte: u8) -> bool {
    CLASSES[byte as usize] & ETAG != 0
}

pub use crate::scan::{host_name_end, path_end, target_end};

/// The length of the longest prefix of `bytes` that is a token (RFC 9110 §5.6.2); 0 when there is
/// none.
#[inline]
pub fn token_len(bytes: &[u8]) -> usize {
    token_end(bytes, 0)
}

/// Where the bytes of a token, from `start` on, end.
#[inline(always)]
pub fn token_end(bytes: &[u8], start: usize) -> usize {
    // Letters and hyphens are tchars.
    let mut next = scan::letters_end(bytes, start);
    while bytes.get(next).is_some_and(|&byte| is_tchar(byte)) {
        next += 1;
    }
    next
}

/// Without the optional white space (SP, HTAB) at both ends (RFC 9110 §5.6.3). Bytes from 0x80 on
/// are never white space.
#[inline]
pub fn trim_ows(mut bytes: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] = bytes {
        bytes = rest;
    }
    while let [rest @ .., b' ' | b'\t'] = bytes {
        bytes = rest;
    }
    bytes
}

const TCHAR: u8 = 1;
const FIELD: u8 = 1 << 1;
const UNRESERVED: u8 = 1 << 2;
const SUB_DELIM: u8 = 1 << 3;
const ETAG: u8 = 1 << 4;

/// The classes of each byte, one bit a class: 256 bytes stay in the cache, five tables would not.
static CLASSES: [u8; 256] = {
    let mut classes = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        classes[byte] = classes_of(byte as u8);
        byte += 1;
    }
    classes
};

const fn classes_of(byte: u8) -> u8 {
    let mut classes = 0;
    // RFC 9110 §5.6.2: "tchar = "!" / "#" / "$" / "%" / "&" / "'" / "*" / "+" / "-" / "." / "^" /
    // "_" / "`" / "|" / "~" / DIGIT / ALPHA"
    if byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'!' | b'#'
                | b'$'
                | b'%'
                | b'&'
                | b'\''
                | b'*'
                | b'+'
                | b'-'
                | b'.'
                | b'^'
                | b'_'
                | b'`'
                | b'|'
                | b'~'
        )
    {
        classes |= TCHAR;
    }
    // RFC 9110 §5.5: "field-vchar = VCHAR / obs-text"; between them "SP / HTAB".
    if matches!(byte, b'\t' | b' '..=b'~' | 0x80..=0xFF) {
        classes |= FIELD;
    }
    // RFC 3986 §2.3: "unreserved = ALPHA / DIGIT / "-" / "." / "_" / "~""
    if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
        classes |= UNRESERVED;
    }
    // RFC 3986 §2.2: "sub-delims = "!" / "$" / "&" / "'" / "(" / ")" / "*" / "+" / "," / ";" / "=""
    if matches!(
        byte,
        b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*' | b'+' | b',' | b';' | b'='
    ) {
        classes |= SUB_DELIM;
    }
    // RFC 9110 §8.8.3: "etagc = %x21 / %x23-7E / obs-text"
    if matches!(byte, 0x21 | 0x23..=0x7E | 0x80..=0xFF) {
        classes |= ETAG;
    }
    classes
}
