//! Character classes of RFC 9110 §5.6 and RFC 3986 §2, as one table lookup each.
//!
//! In: one octet, or the run of octets at the start of a slice. Out: what the run means. Never: a locale, `char`.

use crate::scan;

/// `tchar` (RFC 9110 §5.6.2), what tokens such as methods and field names are made of.
#[inline]
pub const fn is_tchar(octet: u8) -> bool {
    CLASSES[octet as usize] & TCHAR != 0
}

/// An octet of a field value: HTAB, SP, VCHAR or obs-text (RFC 9110 §5.5).
#[inline]
pub const fn is_field_octet(octet: u8) -> bool {
    CLASSES[octet as usize] & FIELD != 0
}

/// `unreserved` (RFC 3986 §2.3).
#[inline]
pub const fn is_unreserved(octet: u8) -> bool {
    CLASSES[octet as usize] & UNRESERVED != 0
}

/// `sub-delims` (RFC 3986 §2.2).
#[inline]
pub const fn is_sub_delim(octet: u8) -> bool {
    CLASSES[octet as usize] & SUB_DELIM != 0
}

/// `etagc` (RFC 9110 §8.8.3), what stands between the quotes of an entity tag.
#[inline]
pub const fn is_etag_octet(octet: u8) -> bool {
    CLASSES[octet as usize] & ETAG != 0
}

pub use crate::scan::{host_name_end, path_end, target_end};

/// The length of the longest prefix of `octets` that is a token (RFC 9110 §5.6.2); 0 when there is none.
#[inline]
pub fn token_len(octets: &[u8]) -> usize {
    token_end(octets, 0)
}

/// Where the octets of a token, from `start` on, end.
#[inline(always)]
pub fn token_end(octets: &[u8], start: usize) -> usize {
    // Letters and hyphens are tchars.
    let mut next = scan::letters_end(octets, start);
    while octets.get(next).is_some_and(|&octet| is_tchar(octet)) {
        next += 1;
    }
    next
}

/// Without the optional white space (SP, HTAB) at both ends (RFC 9110 §5.6.3). Octets from 0x80 on are never white space.
#[inline]
pub fn trim_ows(mut octets: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] = octets {
        octets = rest;
    }
    while let [rest @ .., b' ' | b'\t'] = octets {
        octets = rest;
    }
    octets
}

const TCHAR: u8 = 1;
const FIELD: u8 = 1 << 1;
const UNRESERVED: u8 = 1 << 2;
const SUB_DELIM: u8 = 1 << 3;
const ETAG: u8 = 1 << 4;

/// The classes of each octet, one bit a class: 256 octets stay in the cache, five tables would not.
static CLASSES: [u8; 256] = {
    let mut classes = [0; 256];
    let mut octet = 0;
    while octet < 256 {
        classes[octet] = classes_of(octet as u8);
        octet += 1;
    }
    classes
};

const fn classes_of(octet: u8) -> u8 {
    let mut classes = 0;
    // RFC 9110 §5.6.2: "tchar = "!" / "#" / "$" / "%" / "&" / "'" / "*" / "+" / "-" / "." / "^" / "_" / "`" / "|" /
    // "~" / DIGIT / ALPHA"
    if octet.is_ascii_alphanumeric()
        || matches!(
            octet,
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
    if matches!(octet, b'\t' | b' '..=b'~' | 0x80..=0xFF) {
        classes |= FIELD;
    }
    // RFC 3986 §2.3: "unreserved = ALPHA / DIGIT / "-" / "." / "_" / "~""
    if octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'.' | b'_' | b'~') {
        classes |= UNRESERVED;
    }
    // RFC 3986 §2.2: "sub-delims = "!" / "$" / "&" / "'" / "(" / ")" / "*" / "+" / "," / ";" / "=""
    if matches!(
        octet,
        b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*' | b'+' | b',' | b';' | b'='
    ) {
        classes |= SUB_DELIM;
    }
    // RFC 9110 §8.8.3: "etagc = %x21 / %x23-7E / obs-text"
    if matches!(octet, 0x21 | 0x23..=0x7E | 0x80..=0xFF) {
        classes |= ETAG;
    }
    classes
}
