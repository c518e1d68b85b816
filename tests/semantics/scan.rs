//! The fast searches agree with the plain ones, on whatever machine they are for, and the plain
//! ones with the RFC.

use doorstep::internals::bytes::{class, number};
use doorstep::internals::scan::{self, plain, swar};
use proptest::collection::vec;
use proptest::prelude::*;

type Search = fn(&[u8], usize) -> usize;

/// A search by whatever is fast here, by words, and byte by byte.
const SEARCHES: [(&str, Search, Search, Search); 5] = [
    (
        "field value",
        scan::field_value_end,
        swar::field_value_end,
        plain::field_value_end,
    ),
    (
        "target",
        scan::target_end,
        swar::target_end,
        plain::target_end,
    ),
    ("path", scan::path_end, swar::path_end, plain::path_end),
    (
        "letters",
        scan::letters_end,
        swar::letters_end,
        plain::letters_end,
    ),
    (
        "host name",
        scan::host_name_end,
        swar::host_name_end,
        plain::host_name_end,
    ),
];

/// Name, bytes, and where each of the searches ends.
type Row = (&'static str, &'static [u8], [usize; 5]);

#[rustfmt::skip]
const ROWS: &[Row] = &[
    ("nothing", b"", [0, 0, 0, 0, 0]),
    ("one word", b"abcdefgh", [8, 8, 8, 8, 8]),
    ("one block", b"abcdefghijklmnop", [16, 16, 16, 16, 16]),
    ("a block and a tail", b"abcdefghijklmnopqrs", [19, 19, 19, 19, 19]),
    ("a target ends at its space", b"/index.html HTTP/1.1", [20, 11, 11, 0, 0]),
    ("a path ends at its query", b"/a-b?c=d?e HTTP/1.1", [19, 10, 4, 0, 0]),
    ("RFC 9112 §3.2: no fragment", b"/a#b", [4, 2, 2, 0, 0]),
    ("a name ends at its colon", b"Content-Type: text/html\r\n", [23, 13, 13, 12, 12]),
    ("a host ends at its colon", b"www.example-1.org:8080\r\n", [22, 22, 22, 3, 17]),
    ("a value ends at its CR", b"text/html; q=1\r\nHost: a", [14, 10, 10, 4, 4]),
    ("a value ends at a bare LF", b"abcdefghi\nj", [9, 9, 9, 9, 9]),
    ("NUL", b"abcdefghi\0j", [9, 9, 9, 9, 9]),
    ("DEL", b"abcdefghi\x7Fj", [9, 9, 9, 9, 9]),
    ("tabs belong to a value", b"\t\t\t\t\t\t\t\t\t", [9, 0, 0, 0, 0]),
    ("a tab and then a space", b"a\t b\t c\t d\t e", [13, 1, 1, 1, 1]),
    ("obs-text belongs to a value", b"caf\xC3\xA9 \x80\xFF\x80\xFF", [10, 3, 3, 3, 3]),
    ("the last bytes of a target", b"!~!~!~!~!~", [10, 10, 10, 0, 0]),
];

// RFC 9110 §5.5, RFC 9112 §3.2
#[test]
fn prefixes_end_where_the_table_says() {
    for &(name, octets, ends) in ROWS {
        for ((search, fast, words, plain), end) in SEARCHES.into_iter().zip(ends) {
            for (way, search_end) in [("fast", fast), ("words", words), ("plain", plain)] {
                assert_eq!(search_end(octets, 0), end, "{name}: {search}, {way}");
            }
        }
    }
}

// RFC 9110 §5.5, RFC 3986 §3.2.2
#[test]
fn the_plain_searches_accept_what_the_classes_accept() {
    for octet in 0..=u8::MAX {
        let belongs = [
            class::is_field_octet(octet),
            (0x21..=0x7E).contains(&octet) && octet != b'#',
            (0x21..=0x7E).contains(&octet) && octet != b'#' && octet != b'?',
            octet.is_ascii_alphabetic() || octet == b'-',
            class::is_unreserved(octet) && octet != b'_' && octet != b'~',
        ];
        for ((name, _, _, plain), belongs) in SEARCHES.into_iter().zip(belongs) {
            assert_eq!(
                plain(&[octet], 0),
                usize::from(belongs),
                "{octet:#04x}: {name}"
            );
        }
    }
}

/// Every pair of neighbours at every place of a word: what one byte is must not change what the
/// next one is.
#[test]
fn no_byte_spills_into_its_neighbour() {
    for first in 0..=u8::MAX {
        for second in 0..=u8::MAX {
            for place in 0..7 {
                let mut octets = *b"abcdefghijklmnop";
                octets[place] = first;
                octets[place + 1] = second;
                assert_agree(&octets, 0);
                // A byte before the start does not count, even where it is judged with those after
                // it.
                assert_agree(&octets, place + 1);
            }
        }
    }
}

#[test]
fn every_byte_is_found_at_every_place_of_every_length() {
    for filler in [b'\t', b'!', b'~', b'z'] {
        // Up to two blocks, and around others.
        for len in (0..=33).chain([63, 64, 65]) {
            for place in 0..len {
                for octet in 0..=u8::MAX {
                    let mut octets = vec![filler; len];
                    octets[place] = octet;
                    assert_agree(&octets, 0);
                }
            }
        }
    }
}

proptest! {
    #[test]
    fn fast_and_plain_agree_from_every_offset(octets in vec(mostly_harmless(), 0..80)) {
        // Also from beyond the end, where there is nothing.
        for start in 0..octets.len() + 20 {
            assert_agree(&octets, start);
        }
        for offset in 0..=octets.len() {
            assert_agree(&octets[offset..], 0);
        }
    }

    #[test]
    fn digits_are_told_at_once_as_one_by_one(octets in vec(any::<u8>(), 0..7), digits in vec(b'.'..=b'=', 0..7)) {
        for octets in [octets, digits] {
            prop_assert_eq!(number::are_digits(&octets), octets.iter().all(u8::is_ascii_digit));
        }
    }
}

/// Bytes among which a search gets far: one in about twenty is any byte at all.
fn mostly_harmless() -> impl Strategy<Value = u8> {
    prop_oneof![
        7 => 0x21..=0x7E_u8,
        7 => b'a'..=b'z',
        3 => prop_oneof![Just(b'\t'), Just(b' ')],
        2 => 0x80..=0xFF_u8,
        1 => any::<u8>(),
    ]
}

#[track_caller]
fn assert_agree(octets: &[u8], start: usize) {
    for (name, fast, words, plain) in SEARCHES {
        let end = plain(octets, start);
        assert_eq!(
            fast(octets, start),
            end,
            "{name} from {start} of {octets:02x?}"
        );
        assert_eq!(
            words(octets, start),
            end,
            "{name} by words from {start} of {octets:02x?}"
        );
    }
    let rest = octets.get(start..).unwrap_or_default();
    let token = rest.iter().position(|&octet| !class::is_tchar(octet));
    let token = start + token.unwrap_or(rest.len());
    assert_eq!(
        class::token_end(octets, start),
        token,
        "token from {start} of {octets:02x?}"
    );
}
