//! Whatever a Range header asks for, the response has the satisfiable ranges of a naive reading,
//! merged where they overlap or nearly touch, each in the place of its first one in the header, and
//! no byte twice; an invalid header, or one that asks for too much, is ignored.

// Each fuzz target is a crate of its own.
#[allow(clippy::duplicate_mod)]
#[path = "naive/lines.rs"]
mod lines;

use doorstep::internals::limits::{RANGE_GAP, RANGE_SPECS_MAX, RANGES_MAX};
use doorstep::internals::semantics::range::{ByteRange, Selection, select};

const LENGTHS: [u64; 7] = [0, 1, 100, 1_000, 10_000, 1 << 40, u64::MAX];

/// Panics when the lines of `bytes`, each as the value of a Range field, break the sentence above.
pub fn check(bytes: &[u8]) {
    let values: Vec<&[u8]> = bytes.split(|&byte| byte == b'\n').collect();
    let specs = match values[..] {
        [value] => read(value),
        _ => None,
    };
    for length in LENGTHS {
        let selection = lines::with_lines("Range", &values, |headers| select(headers, length));
        let expected = match &specs {
            Some(specs) => expected(specs, length),
            None => Selection::Whole,
        };
        assert_eq!(selection, expected, "of {length}");
        if let Selection::Several(parts) = selection {
            assert!((2..=RANGES_MAX).contains(&parts.len()));
            // No sum exceeds the length, which fits in 64 bits.
            let sent = parts
                .iter()
                .try_fold(0_u64, |sum, part| sum.checked_add(part.length));
            assert!(
                sent.is_some_and(|sent| sent <= length),
                "more than there is"
            );
        }
    }
}

/// In the header's own numbers; one beyond 64 bits is the greatest number.
enum Spec {
    From(u64, Option<u64>),
    Last(u64),
}

/// RFC 9110 §14.1.1: `ranges-specifier = range-unit "=" range-set`. `None` when it is invalid, of
/// another unit, or too long.
fn read(value: &[u8]) -> Option<Vec<Spec>> {
    let text = std::str::from_utf8(value).ok()?;
    let (unit, set) = text.split_once('=')?;
    if !unit.eq_ignore_ascii_case("bytes") {
        return None;
    }
    let members = set
        .split(',')
        .map(|member| member.trim_matches([' ', '\t']));
    let specs: Option<Vec<Spec>> = members
        .filter(|member| !member.is_empty())
        .map(|member| {
            let (first, last) = member.split_once('-')?;
            match (first, last) {
                ("", count) => Some(Spec::Last(digits(count)?)),
                (first, "") => Some(Spec::From(digits(first)?, None)),
                (first, last) => {
                    let (first, last) = (digits(first)?, digits(last)?);
                    (last >= first).then_some(Spec::From(first, Some(last)))
                }
            }
        })
        .collect();
    specs.filter(|specs| (1..=RANGE_SPECS_MAX).contains(&specs.len()))
}

fn digits(text: &str) -> Option<u64> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    match text.trim_start_matches('0') {
        "" => Some(0),
        // A number of digits alone that does not fit is too great.
        significant => Some(significant.parse().unwrap_or(u64::MAX)),
    }
}

/// The parts of the response, found range by range: each takes in all that are near it, wherever
/// they are.
fn expected(specs: &[Spec], length: u64) -> Selection {
    // Place in the header, first byte, and the one after the last.
    let mut parts: Vec<(usize, u128, u128)> = Vec::new();
    let mut is_satisfiable = false;
    let end = u128::from(length);
    for (place, spec) in specs.iter().enumerate() {
        let mut part = match *spec {
            Spec::From(first, _) if first >= length => continue,
            Spec::From(first, last) => {
                let last = last.map_or(end, |last| u128::from(last) + 1);
                (place, u128::from(first), last.min(end))
            }
            Spec::Last(0) => continue,
            Spec::Last(count) => (place, u128::from(length.saturating_sub(count)), end),
        };
        is_satisfiable = true;
        while let Some(index) = parts.iter().position(|&other| are_near(part, other)) {
            let other = parts.remove(index);
            part = (
                part.0.min(other.0),
                part.1.min(other.1),
                part.2.max(other.2),
            );
        }
        parts.push(part);
    }
    parts.sort();
    let ranges: Vec<ByteRange> = parts
        .iter()
        .map(|&(_, first, end)| ByteRange {
            first: first as u64,
            length: (end - first) as u64,
        })
        .collect();
    match ranges[..] {
        _ if !is_satisfiable => Selection::Unsatisfiable,
        _ if length == 0 || ranges.len() > RANGES_MAX => Selection::Whole,
        [one] => Selection::One(one),
        _ => Selection::Several(ranges),
    }
}

/// Whether they overlap, touch, or have less between them than a part's head costs.
fn are_near(one: (usize, u128, u128), other: (usize, u128, u128)) -> bool {
    let gap = u128::from(RANGE_GAP);
    one.1 < other.2 + gap && other.1 < one.2 + gap
}
