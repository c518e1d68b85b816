//! Entity tags (RFC 9110 §8.8.3): one tag, a list of them, and the tag of a file.
//! [`precondition`](super::precondition) compares them.
//!
//! An "opaque-tag" is not a quoted-string: it has no backslash escapes, so
//! [`list::elements`] must not split a list of tags.

use std::time::{SystemTime, UNIX_EPOCH};

use super::list;
use crate::bytes::{class, number};

/// An entity tag as it stands in a field: the opaque part without quotes, and whether it is weak.
///
/// There is no `==`: RFC 9110 §8.8.3.2 has two comparisons, and the caller has to choose.
#[derive(Clone, Copy, Debug)]
pub struct EntityTag<'a> {
    /// Whether it stands for "as good as equal" only: `W/` before the quotes.
    pub weak: bool,
    /// The text between the quotes; may be empty.
    pub opaque: &'a [u8],
}

impl<'a> EntityTag<'a> {
    /// Parses exactly one entity tag: `entity-tag = [ weak ] opaque-tag`.
    pub fn parse(bytes: &'a [u8]) -> Option<EntityTag<'a>> {
        // RFC 9110 §8.8.3: "weak = %s"W/"", where %s means case-sensitive.
        let (weak, tag) = match bytes {
            [b'W', b'/', tag @ ..] => (true, tag),
            tag => (false, tag),
        };
        match tag {
            [b'"', opaque @ .., b'"'] if opaque.iter().all(|&byte| class::is_etag_octet(byte)) => {
                Some(EntityTag { weak, opaque })
            }
            _ => None,
        }
    }

    /// RFC 9110 §8.8.3.2, strong comparison: "two entity tags are equivalent if both are not weak
    /// and their opaque-tags match character-by-character".
    pub fn strong_eq(&self, other: &EntityTag<'_>) -> bool {
        !self.weak && !other.weak && self.opaque == other.opaque
    }

    /// RFC 9110 §8.8.3.2, weak comparison: "two entity tags are equivalent if their opaque-tags
    /// match character-by-character, regardless of either or both being tagged as "weak"".
    pub fn weak_eq(&self, other: &EntityTag<'_>) -> bool {
        self.opaque == other.opaque
    }
}

/// The members of a list, `#entity-tag` (RFC 9110 §5.6.1), each as its tag; `None` for one that is
/// no entity tag. Empty members are skipped.
///
/// A comma within the quotes of a tag is a byte of it. Quotes that do not end take the rest of the
/// value into their member, which is no tag.
pub fn tags(value: &[u8]) -> impl Iterator<Item = Option<EntityTag<'_>>> {
    // RFC 9110 §8.8.3: "opaque-tag = DQUOTE *etagc DQUOTE", where a backslash is a byte like any
    // other.
    list::split(value, tag_len).map(EntityTag::parse)
}

/// The bytes before the first comma that is not within the quotes of a tag; all of them when there
/// is none.
fn tag_len(bytes: &[u8]) -> usize {
    let mut quoted = false;
    let comma = bytes.iter().position(|&byte| {
        quoted ^= byte == b'"';
        byte == b',' && !quoted
    });
    comma.unwrap_or(bytes.len())
}

/// Appends the strong tag of a file: its length and its modification time in nanoseconds since
/// 1970, both in hexadecimal, as in `"1A4-18C2F0A1B3D4E5F6"`. A time before 1970 counts backwards
/// and has an `n` in front, so that every file has a tag.
pub fn push_file_tag(out: &mut Vec<u8>, length: u64, modified: SystemTime) {
    let (sign, distance) = match modified.duration_since(UNIX_EPOCH) {
        Ok(since) => (&b""[..], since),
        Err(before) => (&b"n"[..], before.duration()),
    };
    out.push(b'"');
    number::push_hexadecimal(out, length);
    out.push(b'-');
    out.extend_from_slice(sign);
    number::push_hexadecimal_wide(out, distance.as_nanos());
    out.push(b'"');
}
