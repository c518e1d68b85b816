//! Ranges: rows by section, limits, and a naive oracle that looks at every byte.

use crate::lines::with_headers;
use doorstep::internals::limits::{RANGE_GAP, RANGE_SPECS_MAX, RANGES_MAX};
use doorstep::internals::semantics::range::{ByteRange, Selection, select};
use proptest::prelude::*;

/// First bytes and lengths.
#[derive(Debug)]
enum Expected {
    Whole,
    Parts(&'static [(u64, u64)]),
    Unsatisfiable,
}
use Expected::{Parts, Unsatisfiable, Whole};

/// A name, the value of the field, and what it selects of 10,000 bytes, as in the examples of the
/// RFC.
#[rustfmt::skip]
const ROWS: &[(&str, &str, Expected)] = &[
    ("RFC 9110 §14.1.2: the first 500", "bytes=0-499", Parts(&[(0, 500)])),
    ("RFC 9110 §14.1.2: the second 500", "bytes=500-999", Parts(&[(500, 500)])),
    ("RFC 9110 §14.1.2: the last 500", "bytes=-500", Parts(&[(9500, 500)])),
    ("RFC 9110 §14.1.2: the same, from a byte on", "bytes=9500-", Parts(&[(9500, 500)])),
    ("RFC 9110 §14.1.2: the first and the last", "bytes=0-0,-1", Parts(&[(0, 1), (9999, 1)])),
    ("RFC 9110 §14.1.2: first, middle and last 1,000", "bytes= 0-999, 4500-5499, -1000", Parts(&[(0, 1000), (4500, 1000), (9000, 1000)])),
    ("RFC 9110 §14.1.2: not canonical, side by side", "bytes=500-600,601-999", Parts(&[(500, 500)])),
    ("RFC 9110 §14.1.2: not canonical, overlapping", "bytes=500-700,601-999", Parts(&[(500, 500)])),

    ("all of it", "bytes=0-", Parts(&[(0, 10_000)])),
    ("one byte", "bytes=5-5", Parts(&[(5, 1)])),
    ("the last byte", "bytes=9999-9999", Parts(&[(9999, 1)])),
    ("from the last byte on", "bytes=9999-", Parts(&[(9999, 1)])),
    ("up to the last byte", "bytes=9000-9999", Parts(&[(9000, 1000)])),
    ("a byte past the end", "bytes=9000-10000", Parts(&[(9000, 1000)])),
    ("far past the end", "bytes=9000-999999", Parts(&[(9000, 1000)])),
    ("a suffix as long as all", "bytes=-10000", Parts(&[(0, 10_000)])),
    ("a suffix a byte longer", "bytes=-10001", Parts(&[(0, 10_000)])),
    ("a suffix of one byte", "bytes=-1", Parts(&[(9999, 1)])),
    ("zeros in front", "bytes=0000000000000000000000005-0000000000000000000000006", Parts(&[(5, 2)])),

    ("at the end", "bytes=10000-", Unsatisfiable),
    ("at the end, with a last", "bytes=10000-10001", Unsatisfiable),
    ("all past the end", "bytes=10000-, 20000-30000", Unsatisfiable),
    ("one of two past the end", "bytes=10000-, 5-6", Parts(&[(5, 2)])),
    ("dufs#690: no bytes from the end", "bytes=-0", Unsatisfiable),
    ("dufs#690: no bytes, and some", "bytes=-0,5-6", Parts(&[(5, 2)])),
    ("dufs#690: zeros", "bytes=-000", Unsatisfiable),
    ("dufs#690: a suffix beyond 64 bits", "bytes=-99999999999999999999", Parts(&[(0, 10_000)])),
    ("cpp-httplib#1766: from the greatest byte on", "bytes=18446744073709551615-", Unsatisfiable),
    ("cpp-httplib#1766: from beyond 64 bits on", "bytes=99999999999999999999-", Unsatisfiable),
    ("cpp-httplib#1766: up to the greatest byte", "bytes=0-18446744073709551615", Parts(&[(0, 10_000)])),
    ("cpp-httplib#1766: up to beyond 64 bits", "bytes=0-99999999999999999999", Parts(&[(0, 10_000)])),
    ("cpp-httplib#1766: both beyond 64 bits", "bytes=99999999999999999998-99999999999999999999", Unsatisfiable),
    ("2^63", "bytes=9223372036854775808-", Unsatisfiable),
    ("2^64 bytes after the first wrap to none", "bytes=1-18446744073709551616", Parts(&[(1, 9999)])),

    ("RFC 9110 §14.1: the unit's case means nothing", "BYTES=0-4", Parts(&[(0, 5)])),
    ("RFC 9110 §14.2: another unit", "octets=0-4", Whole),
    ("RFC 9110 §14.2: the beginning of a unit", "byte=0-4", Whole),
    ("RFC 9110 §14.2: a unit that begins so", "bytesx=0-4", Whole),
    ("RFC 9110 §14.2: none, as a unit", "none=0-4", Whole),
    ("no unit", "0-4", Whole),
    ("no unit before the sign", "=0-4", Whole),
    ("a unit alone", "bytes", Whole),
    ("as Content-Range has it", "bytes 0-4/10000", Whole),
    ("white space before the sign", "bytes =0-4", Whole),
    ("white space and a colon", "bytes: 0-4", Whole),
    ("empty", "", Whole),

    ("RFC 9110 §14.1.1: no range", "bytes=", Whole),
    ("RFC 9110 §14.1.1: the last before the first", "bytes=5-4", Whole),
    ("RFC 9110 §14.1.1: the last before the first, past the end", "bytes=20001-20000", Whole),
    ("RFC 9110 §14.1.1: one of two invalid", "bytes=0-4,9-8", Whole),
    ("RFC 9110 §14.1.1: the first of two invalid", "bytes=x,0-4", Whole),
    ("RFC 9110 §14.1.1: an invalid one behind one past the end", "bytes=10000-,a", Whole),
    ("RFC 9110 §14.1.1: another kind of range", "bytes=first", Whole),
    ("a dash alone", "bytes=-", Whole),
    ("two dashes", "bytes=0--4", Whole),
    ("two dashes in front", "bytes=--4", Whole),
    ("three numbers", "bytes=0-4-8", Whole),
    ("a number alone", "bytes=5", Whole),
    ("a plus", "bytes=+0-4", Whole),
    ("a plus after the dash", "bytes=0-+4", Whole),
    ("a plus in a suffix", "bytes=-+4", Whole),
    ("hexadecimal", "bytes=0x0-0x4", Whole),
    ("an underscore", "bytes=1_0-", Whole),
    ("a letter after a great number", "bytes=99999999999999999999a-", Whole),
    ("white space within", "bytes=0 - 4", Whole),
    ("white space after the dash", "bytes=0- 4", Whole),
    ("a semicolon", "bytes=0-4;5-6", Whole),
    ("two units in one field", "bytes=0-4, bytes=600-604", Whole),
    ("quotes", "bytes=\"0-4\"", Whole),
    ("a quote after a range", "bytes=0-4,\"", Whole),
    ("full-width digits", "bytes=５-６", Whole),

    ("RFC 9110 §5.6.1.2: empty elements", "bytes=,, 0-4 ,\t,600-604,", Parts(&[(0, 5), (600, 5)])),
    ("RFC 9110 §5.6.1.2: only empty elements", "bytes=, ,", Whole),
    ("tabs around", "bytes=\t0-4\t", Parts(&[(0, 5)])),

    ("RFC 9110 §15.3.7.2: the order of the field", "bytes=9000-9001, 5-6, 4000-4001", Parts(&[(9000, 2), (5, 2), (4000, 2)])),
    ("RFC 9110 §15.3.7.2: without those past the end", "bytes=9000-9001, 10000-, 5-6", Parts(&[(9000, 2), (5, 2)])),
    ("RFC 9110 §15.3.7.2: coalesced where the first stood", "bytes=500-509, 9000-, 400-499, 100-109", Parts(&[(400, 110), (9000, 1000), (100, 10)])),
    ("RFC 9110 §15.3.7.2: one that holds all", "bytes=5-6, 500-600, 0-, 9000-", Parts(&[(0, 10_000)])),
    ("RFC 9110 §15.3.7.2: the same twice", "bytes=5-6,5-6", Parts(&[(5, 2)])),
    ("RFC 9110 §15.3.7.2: one within another", "bytes=100-900,200-300", Parts(&[(100, 801)])),
    ("RFC 9110 §15.3.7.2: one that joins two", "bytes=0-99,400-499,50-450", Parts(&[(0, 500)])),
    ("RFC 9110 §15.3.7.2: a suffix that overlaps", "bytes=9000-9500,-700", Parts(&[(9000, 1000)])),
    ("RFC 9110 §15.3.7.2: 79 bytes between", "bytes=0-9,89-99", Parts(&[(0, 100)])),
    ("RFC 9110 §15.3.7.2: 80 bytes between", "bytes=0-9,90-99", Parts(&[(0, 10), (90, 10)])),
    ("RFC 9110 §15.3.7.2: 81 bytes between", "bytes=91-99,0-9", Parts(&[(91, 9), (0, 10)])),
];

#[test]
fn each_value() {
    for (name, value, expected) in ROWS {
        let expected = match expected {
            Whole => Selection::Whole,
            Unsatisfiable => Selection::Unsatisfiable,
            Parts([one]) => Selection::One(range(*one)),
            Parts(parts) => Selection::Several(parts.iter().copied().map(range).collect()),
        };
        assert_eq!(selected(value, 10_000), expected, "{name}");
    }
}

// RFC 9110 §14.2: "Range = ranges-specifier", no list.
#[test]
fn one_line_or_none() {
    for (name, lines, expected) in [
        ("none", &[][..], Selection::Whole),
        ("one", &["bytes=0-4"], Selection::One(range((0, 5)))),
        ("two", &["bytes=0-4", "bytes=600-604"], Selection::Whole),
        (
            "the same twice",
            &["bytes=0-4", "bytes=0-4"],
            Selection::Whole,
        ),
        ("an empty one behind", &["bytes=0-4", ""], Selection::Whole),
    ] {
        let lines: Vec<_> = lines.iter().map(|&value| ("range", value)).collect();
        let found = with_headers(&lines, |headers| select(headers, 10_000));
        assert_eq!(found, expected, "{name}");
    }
}

#[test]
fn other_lengths() {
    let one = |first, length| Selection::One(range((first, length)));
    #[rustfmt::skip]
    let rows = [
        ("RFC 9110 §14.1.2: nothing of nothing", "bytes=0-0", 0, Selection::Unsatisfiable),
        ("RFC 9110 §14.1.2: all of nothing", "bytes=0-", 0, Selection::Unsatisfiable),
        ("RFC 9110 §14.1.2: no bytes of nothing", "bytes=-0", 0, Selection::Unsatisfiable),
        ("RFC 9110 §14.2: a suffix of nothing is there, and no Content-Range says where", "bytes=-1", 0, Selection::Whole),
        ("RFC 9110 §14.2: one of two is there", "bytes=0-0,-5", 0, Selection::Whole),
        ("invalid, of nothing", "bytes=1-0", 0, Selection::Whole),
        ("the only byte", "bytes=0-0", 1, one(0, 1)),
        ("the only byte, from the end", "bytes=-1", 1, one(0, 1)),
        ("the only byte, and more", "bytes=-2,0-", 1, one(0, 1)),
        ("after the only byte", "bytes=1-", 1, Selection::Unsatisfiable),
        ("the greatest length", "bytes=0-", u64::MAX, one(0, u64::MAX)),
        ("the greatest length, by a suffix", "bytes=-18446744073709551615", u64::MAX, one(0, u64::MAX)),
        ("its last byte", "bytes=18446744073709551614-18446744073709551615", u64::MAX, one(u64::MAX - 1, 1)),
        ("after its last byte", "bytes=18446744073709551615-", u64::MAX, Selection::Unsatisfiable),
        ("its ends", "bytes=-1,0-0", u64::MAX, Selection::Several(vec![range((u64::MAX - 1, 1)), range((0, 1))])),
        ("near its end", "bytes=18446744073709551500-18446744073709551510,-40", u64::MAX, one(u64::MAX - 115, 115)),
    ];
    for (name, value, length, expected) in rows {
        assert_eq!(selected(value, length), expected, "{name}");
    }
}

/// Ranges of one byte, each just far enough from the next to be sent by itself.
fn far_apart(count: usize) -> String {
    let firsts = (0..count as u64).map(|place| place * (RANGE_GAP + 1));
    let specs: Vec<String> = firsts.map(|first| format!("{first}-{first}")).collect();
    format!("bytes={}", specs.join(","))
}

// RFC 9110 §14.2, RFC 9110 §15.3.7.2
#[test]
fn parts_are_limited() {
    for (parts, are_sent) in [
        (RANGES_MAX - 1, true),
        (RANGES_MAX, true),
        (RANGES_MAX + 1, false),
    ] {
        match selected(&far_apart(parts), 1_000_000) {
            Selection::Several(ranges) => assert!(are_sent && ranges.len() == parts, "{parts}"),
            selection => assert!(!are_sent && selection == Selection::Whole, "{parts}"),
        }
    }
    // What becomes one does not count.
    let joined = format!("{},0-999999", far_apart(RANGES_MAX + 1));
    assert_eq!(
        selected(&joined, 1_000_000),
        Selection::One(range((0, 1_000_000)))
    );
    // What is not there does not, either.
    let past = far_apart(RANGES_MAX + 1);
    assert!(matches!(selected(&past, RANGE_GAP + 2), Selection::Several(two) if two.len() == 2));
}

#[test]
fn ranges_asked_for_are_limited() {
    for (specs, are_looked_at) in [
        (RANGE_SPECS_MAX - 1, true),
        (RANGE_SPECS_MAX, true),
        (RANGE_SPECS_MAX + 1, false),
    ] {
        for (value, selection) in [
            ("0-9", Selection::One(range((0, 10)))),
            ("100-", Selection::Unsatisfiable),
        ] {
            let field = format!("bytes={}", vec![value; specs].join(","));
            let expected = if are_looked_at {
                selection
            } else {
                Selection::Whole
            };
            assert_eq!(selected(&field, 100), expected, "{specs} times {value}");
        }
    }
    // Empty elements are none.
    let empty = format!("bytes={}0-9", ",".repeat(2 * RANGE_SPECS_MAX));
    assert_eq!(selected(&empty, 100), Selection::One(range((0, 10))));
}

#[test]
fn a_thousand_ranges_that_overlap_and_are_not_sorted() {
    // 389 and 1,000 have no divisor in common, so that each place comes once.
    let places = (0..1000_u64).map(|place| place * 389 % 1000);
    let specs: Vec<String> = places
        .map(|place| format!("{}-{}", 10 * place, 10 * place + 25))
        .collect();
    let field = format!("bytes={}", specs.join(","));
    assert_eq!(selected(&field, 10_000), Selection::One(range((0, 10_000))));
    assert_eq!(
        selected(&field, 1_000_000),
        Selection::One(range((0, 10_016)))
    );
}

/// As it is asked for: from a byte to another, from one on, or so many from the end.
#[derive(Clone, Debug)]
enum Spec {
    Between(u64, u64),
    On(u64),
    Last(u64),
}

impl Spec {
    fn written(&self) -> String {
        match self {
            Spec::Between(first, last) => format!("{first}-{last}"),
            Spec::On(first) => format!("{first}-"),
            Spec::Last(count) => format!("-{count}"),
        }
    }

    fn has(&self, octet: u64, length: u64) -> bool {
        match *self {
            Spec::Between(first, last) => (first..=last).contains(&octet),
            Spec::On(first) => octet >= first,
            Spec::Last(count) => octet + count >= length,
        }
    }
}

fn specs() -> impl Strategy<Value = Vec<Spec>> {
    let position = || prop_oneof![4 => 0..1500_u64, 1 => Just(u64::MAX)];
    let between = (position(), 0..200_u64)
        .prop_map(|(first, more)| Spec::Between(first, first.saturating_add(more)));
    let spec = prop_oneof![8 => between, 1 => position().prop_map(Spec::On), 1 => (0..300_u64).prop_map(Spec::Last)];
    proptest::collection::vec(spec, 1..12)
}

proptest! {
    #[test]
    fn every_byte_is_where_a_naive_reader_has_it(specs in specs(), length in 1..1400_u64) {
        let written: Vec<String> = specs.iter().map(Spec::written).collect();
        let selection = selected(&format!("bytes={}", written.join(", ")), length);
        let parts = match &selection {
            Selection::Whole => return Err(TestCaseError::fail("so few are never refused")),
            Selection::Unsatisfiable => &[][..],
            Selection::One(one) => std::slice::from_ref(one),
            Selection::Several(parts) => {
                prop_assert!(parts.len() > 1);
                parts
            }
        };
        let asked: Vec<bool> = (0..length).map(|octet| specs.iter().any(|spec| spec.has(octet, length))).collect();
        let mut times = vec![0; length as usize];
        for part in parts {
            prop_assert!(part.length > 0);
            for octet in part.first..part.first + part.length {
                times[octet as usize] += 1;
            }
        }
        prop_assert!(times.iter().all(|&times| times <= 1), "a byte twice: {:?}", selection);
        // What is asked for is sent, and what stands between two of those when it is short.
        let mut wanted = asked.clone();
        let mut last = None;
        for octet in (0..length as usize).filter(|&octet| asked[octet]) {
            if let Some(last) = last.filter(|last| octet - last <= RANGE_GAP as usize) {
                wanted[last..octet].fill(true);
            }
            last = Some(octet);
        }
        let sent: Vec<bool> = times.iter().map(|&times| times > 0).collect();
        prop_assert_eq!(sent, wanted);
        // Parts stand in the order in which the field has the first of their ranges.
        let places: Vec<_> = parts.iter().map(|part| {
            let holds = |spec: &Spec| (part.first..part.first + part.length).any(|octet| spec.has(octet, length));
            specs.iter().position(holds)
        }).collect();
        prop_assert!(places.is_sorted(), "{:?} of {:?}", selection, specs);
    }

    #[test]
    fn any_bytes_are_a_field(value in "(bytes=)?[-,0-9 a]{0,40}", length: u64) {
        if let Selection::Several(parts) = selected(&value, length) {
            prop_assert!(parts.iter().map(|part| part.length).sum::<u64>() <= length);
        }
    }
}

fn selected(value: &str, length: u64) -> Selection {
    with_headers(&[("Range", value)], |headers| select(headers, length))
}

fn range((first, length): (u64, u64)) -> ByteRange {
    ByteRange { first, length }
}
