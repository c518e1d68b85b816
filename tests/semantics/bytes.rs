//! Character classes, strict numbers, percent-encoding.

use doorstep::internals::bytes::percent::InvalidEscape;
use doorstep::internals::bytes::{class, number, percent};
use proptest::collection::vec;
use proptest::prelude::*;

const ALPHA_DIGIT: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const VCHAR: &[u8] = b"!\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~";

#[test]
fn each_class_has_its_bytes_and_no_other() {
    type Row = (&'static str, fn(u8) -> bool, Vec<u8>);
    let obs_text: Vec<u8> = (0x80..=0xFF).collect();
    let etag_octets: Vec<u8> = VCHAR
        .iter()
        .copied()
        .filter(|&octet| octet != b'"')
        .collect();
    let rows: [Row; 5] = [
        (
            "tchar, RFC 9110 §5.6.2",
            class::is_tchar,
            [ALPHA_DIGIT, b"!#$%&'*+-.^_`|~"].concat(),
        ),
        (
            "field byte, RFC 9110 §5.5",
            class::is_field_octet,
            [VCHAR, b" \t", &obs_text].concat(),
        ),
        (
            "unreserved, RFC 3986 §2.3",
            class::is_unreserved,
            [ALPHA_DIGIT, b"-._~"].concat(),
        ),
        (
            "sub-delims, RFC 3986 §2.2",
            class::is_sub_delim,
            b"!$&'()*+,;=".to_vec(),
        ),
        (
            "etagc, RFC 9110 §8.8.3",
            class::is_etag_octet,
            [&etag_octets[..], &obs_text].concat(),
        ),
    ];
    for (name, is_member, members) in rows {
        for octet in 0..=u8::MAX {
            assert_eq!(
                is_member(octet),
                members.contains(&octet),
                "{octet:#04x} as {name}"
            );
        }
    }
}

// RFC 9110 §5.6, RFC 3986 §2: a token ends at the first delimiter.
#[test]
fn tokens_are_as_long_as_they_are() {
    let rows: &[(&str, &[u8], usize)] = &[
        ("nothing", b"", 0),
        ("all of it", b"Content-Length", 14),
        ("up to the colon", b"Host: a", 4),
        ("up to white space", b"Host : a", 4),
        ("a delimiter first", b":a", 0),
        ("NUL inside", b"a\0b", 1),
        ("non-ASCII is no letter", b"caf\xC3\xA9", 3),
    ];
    for &(name, octets, expected) in rows {
        assert_eq!(class::token_len(octets), expected, "{name}");
    }
}

// RFC 9110 §5.6.3
#[test]
fn white_space_is_trimmed_at_both_ends_only() {
    let rows: &[(&str, &[u8], &[u8])] = &[
        ("nothing", b"", b""),
        ("only white space", b" \t \t", b""),
        ("none", b"a", b"a"),
        ("both ends", b"\t a b \t", b"a b"),
        (
            "CR, LF, VT, FF and NUL are none",
            b"\r\n\x0B\x0C\0",
            b"\r\n\x0B\x0C\0",
        ),
        (
            "no-break space and NEL in Latin-1 are none",
            b"\xA0\x85a\x85\xA0",
            b"\xA0\x85a\x85\xA0",
        ),
        (
            "no-break space in UTF-8 is none",
            b" \xC2\xA0 ",
            b"\xC2\xA0",
        ),
    ];
    for &(name, octets, expected) in rows {
        assert_eq!(class::trim_ows(octets), expected, "{name}");
    }
}

// RFC 9110 §8.6: Content-Length = 1*DIGIT
#[test]
fn decimal_numbers_are_digits_and_nothing_else() {
    let rows: &[(&str, &[u8], Option<u64>)] = &[
        ("zero", b"0", Some(0)),
        ("a number", b"1024", Some(1024)),
        ("zeros in front are digits", b"007", Some(7)),
        (
            "twenty digits, mostly zeros",
            b"00000000000000000042",
            Some(42),
        ),
        ("10^15", b"1000000000000000", Some(1_000_000_000_000_000)),
        ("2^64 - 1", b"18446744073709551615", Some(u64::MAX)),
        ("2^64", b"18446744073709551616", None),
        ("twenty nines", b"99999999999999999999", None),
        (
            "ten times 2^64 - 6, which wraps",
            b"184467440737095516100",
            None,
        ),
        ("twenty-one zeros", b"000000000000000000000", None),
        ("empty", b"", None),
        ("RUSTSEC-2021-0078: a plus", b"+1", None),
        ("RUSTSEC-2021-0078: a minus", b"-1", None),
        ("minus zero", b"-0", None),
        ("spaces around and inside", b" 1 1", None),
        ("a space in front", b" 1", None),
        ("a space after", b"1 ", None),
        ("a letter", b"1Z", None),
        ("hexadecimal", b"0x1", None),
        ("an underscore", b"1_0", None),
        ("a list", b"1,1", None),
        ("a list with a space", b"1, 1", None),
        ("a fraction", b"1.0", None),
        ("an exponent", b"1e3", None),
        ("NUL inside", b"1\x001", None),
        ("the bytes beside the digits", b"/", None),
        ("the byte after 9", b":", None),
        ("Arabic-Indic digits", "٣".as_bytes(), None),
        ("full-width digits", "５".as_bytes(), None),
    ];
    for &(name, octets, expected) in rows {
        assert_eq!(number::decimal(octets), expected, "{name}");
    }
}

// RFC 9110 §14.1.2: "recipients MUST anticipate potentially large decimal numerals"
#[test]
fn positions_beyond_64_bits_are_one_place() {
    let long = [b'0'; 8 * 1024];
    let great = [b'9'; 8 * 1024];
    let rows: &[(&str, &[u8], Option<u64>)] = &[
        ("zero", b"0", Some(0)),
        ("a number", b"1024", Some(1024)),
        ("zeros in front", b"000000000000000000000000042", Some(42)),
        ("2^64 - 2", b"18446744073709551614", Some(u64::MAX - 1)),
        ("2^64 - 1", b"18446744073709551615", Some(u64::MAX)),
        ("2^64", b"18446744073709551616", Some(u64::MAX)),
        ("ten times 2^64", b"184467440737095516160", Some(u64::MAX)),
        (
            "zero after what is too great",
            b"999999999999999999990",
            Some(u64::MAX),
        ),
        ("8 KiB of zeros", &long, Some(0)),
        ("8 KiB of nines", &great, Some(u64::MAX)),
        ("empty", b"", None),
        ("a plus", b"+1", None),
        ("a minus", b"-1", None),
        ("a space", b"1 ", None),
        (
            "a letter after what is too great",
            b"99999999999999999999a",
            None,
        ),
        ("the byte before 0", b"/", None),
        ("the byte after 9", b":", None),
    ];
    for &(name, octets, expected) in rows {
        assert_eq!(number::decimal_or_max(octets), expected, "{name}");
    }
}

// RFC 3986 §3.2.3: port = *DIGIT
#[test]
fn digits_are_told_at_every_place_of_every_length() {
    for len in 0..=8 {
        assert!(number::are_digits(&vec![b'7'; len]), "{len}");
        for place in 0..len {
            for octet in 0..=u8::MAX {
                let mut octets = vec![b'7'; len];
                octets[place] = octet;
                let is_digit = octet.is_ascii_digit();
                assert_eq!(number::are_digits(&octets), is_digit, "{octets:?}");
            }
        }
    }
}

// RFC 9112 §7.1: chunk-size = 1*HEXDIG
#[test]
fn hexadecimal_numbers_are_digits_and_nothing_else() {
    let rows: &[(&str, &[u8], Option<u64>)] = &[
        ("zero", b"0", Some(0)),
        ("zeros", b"000", Some(0)),
        ("upper case", b"1A4", Some(0x1A4)),
        ("lower case", b"1a4", Some(0x1A4)),
        ("sixteen digits", b"FFFFFFFFFFFFFFFF", Some(u64::MAX)),
        (
            "RUSTSEC-2021-0079: seventeen digits",
            b"10000000000000000",
            None,
        ),
        ("seventeen zeros", b"00000000000000000", None),
        ("empty", b"", None),
        ("RUSTSEC-2021-0079: a plus", b"+5", None),
        ("a minus", b"-1", None),
        ("a prefix", b"0x5", None),
        ("a space after", b"5 ", None),
        ("a space in front", b" 5", None),
        ("an underscore", b"5_0", None),
        ("picohttpparser#78: a letter after F", b"123x", None),
        ("the letter after F", b"G", None),
        ("the byte before A", b"@", None),
        ("the byte before a", b"`", None),
        ("the byte after 9", b":", None),
    ];
    for &(name, octets, expected) in rows {
        assert_eq!(number::hexadecimal(octets), expected, "{name}");
    }
}

#[test]
fn written_numbers() {
    let rows: &[(u64, &str, &str)] = &[
        (0, "0", "0"),
        (9, "9", "9"),
        (10, "10", "A"),
        (16, "16", "10"),
        (4095, "4095", "FFF"),
        (u64::MAX, "18446744073709551615", "FFFFFFFFFFFFFFFF"),
    ];
    for &(value, decimal, hexadecimal) in rows {
        assert_eq!(written(number::push_decimal, value), decimal);
        assert_eq!(number::decimal_len(value), decimal.len());
        assert_eq!(written(number::push_hexadecimal, value), hexadecimal);
    }
    assert_eq!(
        written(number::push_hexadecimal_wide, 1 << 64),
        "10000000000000000"
    );
    assert_eq!(
        written(number::push_hexadecimal_wide, u128::MAX),
        "F".repeat(32)
    );
}

// RFC 3986 §2.1
#[test]
fn escapes_are_decoded_once() {
    type Row = (&'static str, &'static [u8], Result<&'static [u8], usize>);
    let rows: &[Row] = &[
        ("nothing", b"", Ok(b"")),
        ("no escape", b"/a/b.html", Ok(b"/a/b.html")),
        ("upper and lower case", b"%C3%a9", Ok(b"\xC3\xA9")),
        ("first, middle and last", b"%41b%43d%45", Ok(b"AbCdE")),
        ("a plus is a plus", b"a+b%2B", Ok(b"a+b+")),
        ("CVE-2006-5050: dots", b"%2e%2e%2f", Ok(b"../")),
        (
            "CVE-2006-5050: once, not twice",
            b"%252e%252e",
            Ok(b"%2e%2e"),
        ),
        (
            "overlong UTF-8 stays what it is",
            b"%c0%ae%c0%ae",
            Ok(b"\xC0\xAE\xC0\xAE"),
        ),
        (
            "CVE-2016-10703: NUL is a byte here",
            b"a%00.png",
            Ok(b"a\0.png"),
        ),
        ("the end of the input", b"a%", Err(1)),
        ("one digit", b"a%4", Err(1)),
        ("not a digit", b"ab%4g", Err(2)),
        ("a sign", b"%+5", Err(0)),
        ("a percent sign before an escape", b"%41%%41", Err(3)),
        ("IIS form", b"%u002e", Err(0)),
    ];
    for &(name, octets, expected) in rows {
        let mut out = b"before ".to_vec();
        let result = percent::decode(octets, &mut out);
        match expected {
            Ok(decoded) => {
                assert_eq!(result, Ok(()), "{name}");
                assert_eq!(out, [b"before ", decoded].concat(), "{name}");
            }
            Err(offset) => {
                assert_eq!(result, Err(InvalidEscape(offset)), "{name}");
                assert_eq!(out, b"before ", "{name}: nothing is left after");
            }
        }
    }
}

// RFC 3986 §2.1, RFC 3986 §2.3
#[test]
fn segments_keep_only_unreserved_bytes() {
    let rows: &[(&str, &[u8], &str)] = &[
        ("nothing", b"", ""),
        ("unreserved", b"Az09-._~", "Az09-._~"),
        ("a slash does not end a segment", b"a/b", "a%2Fb"),
        ("what begins a query or a fragment", b"a?b#c", "a%3Fb%23c"),
        ("a percent sign", b"100%", "100%25"),
        ("markup", b"<img src=\"x\">", "%3Cimg%20src%3D%22x%22%3E"),
        ("a scheme cannot be made", b"javascript:", "javascript%3A"),
        ("CR, LF and NUL", b"\r\n\0", "%0D%0A%00"),
        ("not UTF-8", b"\xFF\x80", "%FF%80"),
    ];
    for &(name, segment, expected) in rows {
        let mut out = b"/".to_vec();
        percent::encode_segment(segment, &mut out);
        assert_eq!(
            String::from_utf8_lossy(&out),
            format!("/{expected}"),
            "{name}"
        );
    }
}

proptest! {
    #[test]
    fn decimal_round_trips(value: u64) {
        let text = written(number::push_decimal, value);
        prop_assert_eq!(&text, &value.to_string());
        prop_assert_eq!(number::decimal_len(value), text.len());
        prop_assert_eq!(number::decimal(text.as_bytes()), Some(value));
    }

    #[test]
    fn hexadecimal_round_trips(value: u64) {
        let text = written(number::push_hexadecimal, value);
        prop_assert_eq!(&text, &format!("{value:X}"));
        prop_assert_eq!(number::hexadecimal(text.as_bytes()), Some(value));
        prop_assert_eq!(number::hexadecimal(text.to_lowercase().as_bytes()), Some(value));
    }

    #[test]
    fn wide_hexadecimal_is_as_std_writes_it(value: u128) {
        prop_assert_eq!(written(number::push_hexadecimal_wide, value), format!("{value:X}"));
    }

    #[test]
    fn numbers_agree_with_std_but_for_signs_and_length(text in "[0-9a-gA-G+_ x/:@`-]{0,22}") {
        let decimal = text.parse::<u64>().ok().filter(|_| !text.contains('+') && text.len() <= 20);
        prop_assert_eq!(number::decimal(text.as_bytes()), decimal);
        let hexadecimal =
            u64::from_str_radix(&text, 16).ok().filter(|_| !text.contains('+') && text.len() <= 16);
        prop_assert_eq!(number::hexadecimal(text.as_bytes()), hexadecimal);
    }

    #[test]
    fn encode_then_decode_is_the_identity(segment in vec(any::<u8>(), 0..60)) {
        let mut encoded = Vec::new();
        percent::encode_segment(&segment, &mut encoded);
        prop_assert!(encoded.iter().all(|&octet| class::is_unreserved(octet) || octet == b'%'));
        let mut decoded = Vec::new();
        prop_assert_eq!(percent::decode(&encoded, &mut decoded), Ok(()));
        prop_assert_eq!(decoded, segment);
    }

    #[test]
    fn decoding_agrees_with_a_naive_reader(text in "[%0-9a-gA-G/.]{0,24}") {
        let mut out = Vec::new();
        let result = percent::decode(text.as_bytes(), &mut out);
        match decoded_naively(&text) {
            Some(expected) => {
                prop_assert_eq!(result, Ok(()));
                prop_assert_eq!(out, expected);
            }
            None => prop_assert!(result.is_err() && out.is_empty()),
        }
    }
}

/// Splits at the percent signs; each piece but the first begins with two digits.
fn decoded_naively(text: &str) -> Option<Vec<u8>> {
    let mut pieces = text.split('%');
    let mut out = pieces.next()?.as_bytes().to_vec();
    for piece in pieces {
        let digits = piece
            .get(..2)
            .filter(|digits| digits.chars().all(|c| c.is_ascii_hexdigit()))?;
        out.push(u8::from_str_radix(digits, 16).ok()?);
        out.extend_from_slice(&piece.as_bytes()[2..]);
    }
    Some(out)
}

fn written<T>(push: fn(&mut Vec<u8>, T), value: T) -> String {
    let mut out = Vec::new();
    push(&mut out, value);
    String::from_utf8(out).expect("digits are ASCII")
}
