//! The parts of a representation that a Range field asks for (RFC 9110 §14.1.2, §14.2).
//!
//! Whether the field applies at all, by method and If-Range, is decided in
//! [`precondition`](super::precondition). No byte is selected twice, and the constants below bound
//! the parts, the memory and the work.

use super::{FieldName, Headers, list};
use crate::bytes::number;

/// Consecutive bytes, at least one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ByteRange {
    /// Bytes before the first one.
    pub first: u64,
    /// How many there are.
    pub length: u64,
}

/// The part of a representation to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selection {
    /// All of it, as if there were no Range field: 200.
    Whole,
    /// One range: 206 with a Content-Range field.
    One(ByteRange),
    /// Two ranges or more, [`RANGES_MAX`] at most, [`RANGE_GAP`] bytes or more apart, in the order
    /// in which they are to be sent: 206 as multipart/byteranges.
    Several(Vec<ByteRange>),
    /// No byte of any range exists: 416.
    Unsatisfiable,
}

/// Parts of a response to a Range header, after overlapping and nearly touching ranges are merged.
/// Beyond: the whole representation. A player that seeks asks for one, a reader of an archive's
/// index for a few.
pub const RANGES_MAX: usize = 64;
/// Ranges that a Range header may ask for, merged or not. Beyond: the whole representation. Each
/// takes 24 bytes until they are sorted.
pub const RANGE_SPECS_MAX: usize = 1024;
/// Two ranges with fewer bytes between them are sent as one. RFC 9110 §15.3.7.2: "the typical
/// overhead between each part of a "multipart/byteranges" is around 80 bytes".
pub const RANGE_GAP: u64 = 80;

/// The part of a representation of `length` bytes that the Range field of a GET asks for.
///
/// A field that is not valid is ignored, as is one of another unit, one that stands on two lines,
/// and one that asks for too many ranges. RFC 9110 §14.2: "A server MAY ignore the Range header
/// field."
pub fn select(headers: Headers<'_>, length: u64) -> Selection {
    let mut lines = headers.known_all(FieldName::Range);
    match (lines.next(), lines.next()) {
        // RFC 9110 §14.2: "Range = ranges-specifier", which is no list of them.
        (Some(value), None) => selection(value, length).unwrap_or(Selection::Whole),
        _ => Selection::Whole,
    }
}

/// `None` when the field is to be ignored.
fn selection(value: &[u8], length: u64) -> Option<Selection> {
    let mut asked = Vec::new();
    let mut specs = 0;
    for spec in list::elements(range_set(value)?) {
        // RFC 9110 §14.1.1: "A ranges-specifier is invalid if it contains any range-spec that is
        // invalid or undefined for the indicated range-unit."
        let spec = Spec::parse(spec)?;
        specs += 1;
        if specs > RANGE_SPECS_MAX {
            return None;
        }
        asked.extend(spec.within(length, specs));
    }
    // RFC 9110 §14.1.1: "range-set = 1#range-spec".
    if specs == 0 {
        return None;
    }
    if asked.is_empty() {
        return Some(Selection::Unsatisfiable);
    }
    // RFC 9110 §14.1.2: "When a selected representation has zero length, the only satisfiable form
    // of range-spec in a GET request is a suffix-range with a non-zero suffix-length." No
    // Content-Range field can say which bytes those are; so, RFC 9110 §14.2: "A server that
    // supports range requests MAY ignore a Range header field when the selected representation has
    // no content".
    if length == 0 {
        return None;
    }
    coalesce(&mut asked);
    match asked[..] {
        [one] => Some(Selection::One(one.range())),
        _ if asked.len() > RANGES_MAX => None,
        _ => Some(Selection::Several(asked.iter().map(Asked::range).collect())),
    }
}

/// The text after `bytes=`. `None` for another unit, which is ignored. RFC 9110 §14.2: "An origin
/// server MUST ignore a Range header field that contains a range unit it does not understand."
fn range_set(value: &[u8]) -> Option<&[u8]> {
    const UNIT: &[u8] = b"bytes=";
    // RFC 9110 §14.1: "All range unit names are case-insensitive".
    let (unit, set) = value.split_at_checked(UNIT.len())?;
    unit.eq_ignore_ascii_case(UNIT).then_some(set)
}

/// One range, as requested (RFC 9110 §14.1.1). `u64::MAX` stands for larger numbers, too: it lies
/// past every end.
enum Spec {
    /// `int-range = first-pos "-" [ last-pos ]`; without `last-pos`, up to the end.
    From(u64, u64),
    /// `suffix-range = "-" suffix-length`.
    Last(u64),
}

impl Spec {
    /// `None` for one that is invalid.
    fn parse(bytes: &[u8]) -> Option<Spec> {
        let dash = bytes.iter().position(|&byte| byte == b'-')?;
        match (&bytes[..dash], &bytes[dash + 1..]) {
            (b"", suffix) => number::decimal_or_max(suffix).map(Spec::Last),
            (first, b"") => Some(Spec::From(number::decimal_or_max(first)?, u64::MAX)),
            (first, last) => {
                let first = number::decimal_or_max(first)?;
                let last = number::decimal_or_max(last)?;
                // RFC 9110 §14.1.1: "An int-range is invalid if the last-pos value is present and
                // less than the first-pos."
                (first <= last).then_some(Spec::From(first, last))
            }
        }
    }

    /// The part of `length` bytes that it asks for; `None` when it is not satisfiable.
    fn within(&self, length: u64, place: usize) -> Option<Asked> {
        let (first, end) = match *self {
            // RFC 9110 §14.1.2: "an int-range with a first-pos that is less than the current
            // length".
            Spec::From(first, _) if first >= length => return None,
            // RFC 9110 §14.1.2: "If the last-pos value is absent, or if the value is greater than
            // or equal to the current length of the representation data, the byte range is
            // interpreted as the remainder of the representation".
            Spec::From(first, last) => (first, last.saturating_add(1).min(length)),
            // RFC 9110 §14.1.2: "a suffix-range with a non-zero suffix-length".
            Spec::Last(0) => return None,
            // RFC 9110 §14.1.2: "If the selected representation is shorter than the specified
            // suffix-length, the entire representation is used."
            Spec::Last(most) => (length.saturating_sub(most), length),
        };
        Some(Asked { first, end, place })
    }
}

#[derive(Clone, Copy)]
struct Asked {
    first: u64,
    /// The byte after the last.
    end: u64,
    /// Which of the field's ranges it is.
    place: usize,
}

impl Asked {
    fn range(&self) -> ByteRange {
        ByteRange {
            first: self.first,
            length: self.end - self.first,
        }
    }
}

/// Makes one of those that overlap, touch, or have so few bytes between them that a part's head
/// costs more.
///
/// RFC 9110 §15.3.7.2: "a server MAY coalesce any of the ranges that overlap, or that are separated
/// by a gap that is smaller than the overhead of sending multiple parts, regardless of the order in
/// which the corresponding range-spec appeared".
fn coalesce(asked: &mut Vec<Asked>) {
    asked.sort_unstable_by_key(|range| range.first);
    asked.dedup_by(|next, before| {
        let is_near = next.first < before.end.saturating_add(RANGE_GAP);
        if is_near {
            before.end = before.end.max(next.end);
            before.place = before.place.min(next.place);
        }
        is_near
    });
    // RFC 9110 §15.3.7.2: "A server that generates a multipart response SHOULD send the parts in
    // the same order that the corresponding range-spec appeared in the received Range header
    // field". Ranges that became one take the place of the first.
    asked.sort_unstable_by_key(|range| range.place);
}
