//! Which entry comes first.

use super::{file, folder};
use doorstep::internals::files::listing::entries::LISTING_ENTRIES;
use doorstep::internals::files::listing::entries::{Entries, Entry};
use doorstep::internals::files::listing::order::{Key, Order, natural};
use doorstep::internals::files::listing::sort::sorted;
use proptest::prelude::*;
use std::cmp::Ordering;
use std::ops::ControlFlow;

/// Each list is in order, and no other order of it is.
const IN_ORDER: &[(&str, &[&[u8]])] = &[
    (
        "numbers",
        &[b"file", b"file2", b"file010", b"file10", b"file100"],
    ),
    (
        "numbers of any length",
        &[b"9", b"18446744073709551616", b"99999999999999999999999"],
    ),
    (
        "several numbers",
        &[b"1.9.9", b"1.10.1", b"1.10.1a", b"1.10.02", b"2"],
    ),
    ("nothing but zeros", &[b"a", b"a0", b"a00", b"a000", b"a1"]),
    ("zeros in front matter last", &[b"a01b1", b"a1b2", b"a01b3"]),
    (
        "digits stand where digits stand",
        &[b"a-b", b"a5", b"a:b", b"ab"],
    ),
    ("case matters last", &[b"A", b"a", b"aB", b"B", b"b"]),
    (
        "case beyond ASCII",
        &[
            "Zebra".as_bytes(),
            "Ärger".as_bytes(),
            "ärger".as_bytes(),
            "ÄRGERN".as_bytes(),
        ],
    ),
    (
        "a character that is two in lower case",
        &["i".as_bytes(), "İ".as_bytes(), "j".as_bytes()],
    ),
    (
        "no UTF-8 stands behind all characters",
        &["a\u{10FFFF}".as_bytes(), b"a\x80", b"a\xFF", b"b"],
    ),
    (
        "an unfinished character",
        &[b"a", b"a\xC3", b"a\xC3\xC3", b"b\xC3"],
    ),
    ("what is shorter first", &[b"", b" ", b"a", b"a ", b"aa"]),
];

#[test]
fn names_are_in_natural_order() {
    for (name, list) in IN_ORDER {
        for (left_place, left) in list.iter().enumerate() {
            for (right_place, right) in list.iter().enumerate() {
                assert_eq!(
                    natural(left, right),
                    left_place.cmp(&right_place),
                    "{name}: {} {}",
                    left.escape_ascii(),
                    right.escape_ascii()
                );
            }
        }
    }
}

/// Similar names: few letters, digits, and broken characters (RFC 3629 §3).
fn name() -> impl Strategy<Value = Vec<u8>> {
    let pieces = [
        "0",
        "1",
        "10",
        "a",
        "A",
        "-",
        ":",
        "ä",
        "Ä",
        "İ",
        "€",
        "\u{10FFFF}",
        "a long piece that is more than a block of them",
    ];
    let pieces = pieces.map(|piece| piece.as_bytes().to_vec());
    let broken = [&b"\xC3"[..], b"\xA4", b"\xFF", b"\xF4\x8F\xBF"].map(<[u8]>::to_vec);
    let piece = prop::sample::select([&pieces[..], &broken[..]].concat());
    prop::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat())
}

/// A name as the signs of the comparison: a character in lower case, or `0`, the length of a number
/// and its digits.
fn signs(name: &[u8]) -> Vec<(u32, usize, String)> {
    let mut signs: Vec<(u32, usize, String)> = Vec::new();
    let mut in_number = false;
    for chunk in name.utf8_chunks() {
        for c in chunk.valid().chars() {
            if c.is_ascii_digit() {
                if !in_number {
                    signs.push((u32::from('0'), 0, String::new()));
                }
                let (_, length, digits) = signs.last_mut().unwrap();
                if *length > 0 || c != '0' {
                    digits.push(c);
                    *length += 1;
                }
            } else {
                signs.extend(c.to_lowercase().map(|c| (u32::from(c), 0, String::new())));
            }
            in_number = c.is_ascii_digit();
        }
        let broken = chunk.invalid().iter();
        in_number &= chunk.invalid().is_empty();
        signs.extend(broken.map(|&byte| (0x10_FFFF + u32::from(byte), 0, String::new())));
    }
    signs
}

proptest! {
    #[test]
    fn natural_order_is_total(one in name(), two in name(), three in name()) {
        prop_assert_eq!(natural(&one, &two), natural(&two, &one).reverse());
        prop_assert_eq!(natural(&one, &two) == Ordering::Equal, one == two);
        if natural(&one, &two).is_le() && natural(&two, &three).is_le() {
            prop_assert!(natural(&one, &three).is_le());
        }
    }

    #[test]
    fn natural_order_is_that_of_the_signs(same in name(), one in name(), two in name()) {
        let (one, two) = ([&same[..], &one].concat(), [&same[..], &two].concat());
        let naive = signs(&one).cmp(&signs(&two)).then_with(|| one.cmp(&two));
        prop_assert_eq!(natural(&one, &two), naive);
    }
}

/// (query, key, whether it is descending)
const QUERIES: &[(Option<&str>, Key, bool)] = &[
    (None, Key::Name, false),
    (Some(""), Key::Name, false),
    (Some("sort=name&order=desc"), Key::Name, true),
    (Some("sort=size"), Key::Size, false),
    (Some("order=desc&sort=size"), Key::Size, true),
    (Some("sort=time&order=asc"), Key::Time, false),
    (Some("x=1&&sort=time&order=desc&y"), Key::Time, true),
    // The first of each counts.
    (
        Some("sort=size&sort=time&order=asc&order=desc"),
        Key::Size,
        false,
    ),
    (Some("sort=nothing&sort=time"), Key::Name, false),
    (Some("sort&order"), Key::Name, false),
    (Some("sort=&order="), Key::Name, false),
    (Some("Sort=size&ORDER=desc"), Key::Name, false),
    (Some("sort=SIZE&order=DESC"), Key::Name, false),
    (Some("sort=size=&order=desc%20"), Key::Name, false),
    (Some("sort%3dsize"), Key::Name, false),
    (Some("sort=size;order=desc"), Key::Name, false),
    (Some("order=descending"), Key::Name, false),
];

#[test]
fn a_query_sets_the_order() {
    for &(query, key, descending) in QUERIES {
        assert_eq!(
            Order::of_query(query),
            Order { key, descending },
            "{query:?}"
        );
    }
}

#[test]
fn folders_are_first_in_every_order() {
    let all = [
        file(b"b2", 300, 20),
        file(b"b10", 100, 30),
        folder(b"z", 10),
        file(b"a", 300, 10),
        folder(b"y", 20),
    ];
    let rows = [
        ("", ["y", "z", "a", "b2", "b10"]),
        ("order=desc", ["z", "y", "b10", "b2", "a"]),
        ("sort=size", ["y", "z", "b10", "a", "b2"]),
        ("sort=size&order=desc", ["y", "z", "a", "b2", "b10"]),
        ("sort=time", ["z", "y", "a", "b2", "b10"]),
        ("sort=time&order=desc", ["y", "z", "b10", "b2", "a"]),
    ];
    for (query, expected) in rows {
        let mut entries = Entries::default();
        for entry in &all {
            assert_eq!(entries.push(entry), ControlFlow::Continue(()));
        }
        let order = Order::of_query(Some(query));
        let entry = |place: u32| entries.get(place as usize).expect("an entry");
        let compare = |left, right| order.compare(&entry(left), &entry(right));
        let places = sorted(all.len() as u32, compare, &mut || true);
        let places = places.expect("nobody has gone").into_iter();
        let names = places.map(entry);
        let names: Vec<&str> = names
            .map(|entry| std::str::from_utf8(entry.name).unwrap())
            .collect();
        assert_eq!(names, expected, "{query}");
    }
}

/// Around the number that is sorted at a time, and its multiples.
#[test]
fn any_number_is_sorted() {
    for count in [0, 1, 2, 1_023, 1_024, 1_025, 2_048, 2_049, 3_072, 5_000] {
        // Each number once, in no order.
        let key = |place: u32| place.wrapping_mul(2_654_435_761);
        let compare = |left, right| key(left).cmp(&key(right));
        let mut expected: Vec<u32> = (0..count).collect();
        expected.sort_by(|left, right| compare(*left, *right));
        let got = sorted(count, compare, &mut || true);
        assert!(got == Some(expected), "{count}");
    }
}

/// What a client that has gone costs is bounded, wherever it goes.
#[test]
fn sorting_ends_soon_after_the_client_has_gone() {
    const COUNT: u32 = 5_000;
    let comparisons = std::cell::Cell::new(0);
    let sort = |looks: u32| {
        let mut left = looks;
        let mut before = comparisons.get();
        let mut most = 0;
        let compare = |left: u32, right: u32| {
            comparisons.set(comparisons.get() + 1);
            right.cmp(&left)
        };
        let done = sorted(COUNT, compare, &mut || {
            most = most.max(comparisons.get() - before);
            before = comparisons.get();
            left = left.saturating_sub(1);
            left > 0
        });
        assert!(most <= 1_024 * 12, "{most} comparisons between two looks");
        done
    };
    let looks = (1..1_000).find(|looks| sort(*looks).is_some());
    // Five runs, and three rounds of merging.
    assert!((18..=24).contains(&looks.expect("it ends")), "{looks:?}");
}

#[test]
fn entries_come_out_as_they_were_pushed() {
    let all = [
        file(b"", u64::MAX - 1, u64::MAX - 1),
        file(b"\0\xFF", 0, 0),
        Entry {
            modified: None,
            ..folder(b"x", 0)
        },
    ];
    let mut entries = Entries::default();
    assert!(entries.is_empty());
    for entry in &all {
        assert_eq!(entries.push(entry), ControlFlow::Continue(()));
    }
    for (index, entry) in all.iter().enumerate() {
        assert_eq!(entries.get(index).as_ref(), Some(entry));
    }
    assert_eq!((entries.len(), entries.get(3)), (3, None));
    assert!(!entries.is_truncated());
}

/// Names of all lengths, over the ends of blocks; and the memory is what was said.
#[test]
fn many_entries_come_out_as_they_were_pushed() {
    let names: Vec<Vec<u8>> = (0..3_000).map(|n| vec![n as u8; n % 300]).collect();
    let mut entries = Entries::default();
    let mut needed = 0;
    for name in &names {
        needed += entries.needs(name.len());
        assert_eq!(entries.push(&file(name, 1, 2)), ControlFlow::Continue(()));
    }
    let tables = entries.bytes() - needed;
    assert!(tables < 4_096, "{tables} bytes beside the blocks");
    entries.finish();
    assert!(entries.bytes() < needed + tables);
    for (index, name) in names.iter().enumerate() {
        assert_eq!(entries.get(index), Some(file(name, 1, 2)), "{index}");
    }
}

/// With the longest names the memory for them is the bound.
#[test]
fn eight_mebibytes_of_names_and_no_more() {
    let mut entries = Entries::default();
    let name = [b'a'; 255];
    // 128 names in a block of 32 KiB.
    for _ in 0..256 * 128 {
        assert_eq!(entries.push(&file(&name, 1, 1)), ControlFlow::Continue(()));
    }
    assert!(!entries.is_truncated(), "these are all");
    assert_eq!(entries.push(&file(&name, 1, 1)), ControlFlow::Break(()));
    assert_eq!((entries.len(), entries.is_truncated()), (32_768, true));
    assert!(entries.bytes() < 10 << 20);
}

#[test]
fn a_hundred_thousand_entries_and_no_more() {
    let mut entries = Entries::default();
    for _ in 0..LISTING_ENTRIES {
        assert_eq!(entries.push(&file(b"a", 1, 1)), ControlFlow::Continue(()));
    }
    assert!(!entries.is_truncated(), "these are all");
    for _ in 0..2 {
        assert_eq!(entries.push(&file(b"a", 1, 1)), ControlFlow::Break(()));
        assert_eq!((entries.len(), entries.is_truncated()), (100_000, true));
    }
}
