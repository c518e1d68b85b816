//! The fast searches agree with the plain ones, and the plain ones with the RFC.

use doorstep::internals::bytes::class;
use doorstep::internals::scan::{
    field_value_len, field_value_len_plain, target_len, target_len_plain,
};
use proptest::collection::vec;
use proptest::prelude::*;

/// Name, octets, length of the prefix for a field value, length of the prefix for a target.
type Row = (&'static str, &'static [u8], usize, usize);

const ROWS: &[Row] = &[
    ("nothing", b"", 0, 0),
    ("one word", b"abcdefgh", 8, 8),
    ("one word and a tail", b"abcdefghij", 10, 10),
    (
        "a target ends at its space",
        b"/index.html HTTP/1.1",
        20,
        11,
    ),
    (
        "a value ends at its CR",
        b"text/html; q=1\r\nHost: a",
        14,
        10,
    ),
    ("a value ends at a bare LF", b"abcdefghi\nj", 9, 9),
    ("NUL", b"abcdefghi\0j", 9, 9),
    ("DEL", b"abcdefghi\x7Fj", 9, 9),
    ("tabs belong to a value", b"\t\t\t\t\t\t\t\t\t", 9, 0),
    ("a tab and then a space", b"a\t b\t c\t d\t e", 13, 1),
    (
        "obs-text belongs to a value",
        b"caf\xC3\xA9 \x80\xFF\x80\xFF",
        10,
        3,
    ),
    ("the last octets of a target", b"!~!~!~!~!~", 10, 10),
];

// RFC 9110 §5.5, RFC 9112 §3.2
#[test]
fn prefixes_end_where_the_table_says() {
    for &(name, octets, value, target) in ROWS {
        assert_eq!(field_value_len(octets), value, "{name}: field value");
        assert_eq!(
            field_value_len_plain(octets),
            value,
            "{name}: field value, plain"
        );
        assert_eq!(target_len(octets), target, "{name}: target");
        assert_eq!(target_len_plain(octets), target, "{name}: target, plain");
    }
}

// RFC 9110 §5.5
#[test]
fn the_plain_searches_accept_what_the_classes_accept() {
    for octet in 0..=u8::MAX {
        let value = usize::from(class::is_field_octet(octet));
        assert_eq!(
            field_value_len_plain(&[octet]),
            value,
            "{octet:#04x} in a value"
        );
        let target = usize::from((0x21..=0x7E).contains(&octet));
        assert_eq!(
            target_len_plain(&[octet]),
            target,
            "{octet:#04x} in a target"
        );
    }
}

/// Every pair of neighbours at every place of a word: what one octet is must not change what the next one is.
#[test]
fn no_octet_spills_into_its_neighbour() {
    for first in 0..=u8::MAX {
        for second in 0..=u8::MAX {
            for place in 0..7 {
                let mut octets = *b"abcdefgh";
                octets[place] = first;
                octets[place + 1] = second;
                assert_agree(&octets);
            }
        }
    }
}

#[test]
fn every_octet_is_found_at_every_place_of_every_length() {
    for filler in [b'\t', b'!', b'~'] {
        // Up to three words, and around the length from which blocks are judged.
        for len in (0..=24).chain([63, 64, 65, 72, 100]) {
            for place in 0..len {
                for octet in 0..=u8::MAX {
                    let mut octets = vec![filler; len];
                    octets[place] = octet;
                    assert_agree(&octets);
                }
            }
        }
    }
}

proptest! {
    #[test]
    fn fast_and_plain_agree_from_every_offset(octets in vec(mostly_harmless(), 0..80)) {
        for offset in 0..=octets.len() {
            assert_agree(&octets[offset..]);
        }
    }
}

/// Octets among which a search gets far: one in about twenty is any octet at all.
fn mostly_harmless() -> impl Strategy<Value = u8> {
    prop_oneof![
        14 => 0x21..=0x7E_u8,
        3 => prop_oneof![Just(b'\t'), Just(b' ')],
        2 => 0x80..=0xFF_u8,
        1 => any::<u8>(),
    ]
}

#[track_caller]
fn assert_agree(octets: &[u8]) {
    let token = octets.iter().position(|&octet| !class::is_tchar(octet));
    assert_eq!(
        class::token_len(octets),
        token.unwrap_or(octets.len()),
        "token in {octets:02x?}"
    );
    assert_eq!(
        field_value_len(octets),
        field_value_len_plain(octets),
        "value in {octets:02x?}"
    );
    assert_eq!(
        target_len(octets),
        target_len_plain(octets),
        "target in {octets:02x?}"
    );
}
