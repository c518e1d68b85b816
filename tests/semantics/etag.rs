//! Entity tags.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use doorstep::internals::semantics::etag::{EntityTag, push_file_tag, tags};

// RFC 9110 §8.8.3
#[test]
fn exactly_one_tag_is_parsed() {
    type Row = (&'static str, &'static [u8], Option<(bool, &'static [u8])>);
    let rows: &[Row] = &[
        ("strong", b"\"xyzzy\"", Some((false, b"xyzzy"))),
        ("weak", b"W/\"xyzzy\"", Some((true, b"xyzzy"))),
        ("empty", b"\"\"", Some((false, b""))),
        ("weak and empty", b"W/\"\"", Some((true, b""))),
        ("a comma inside", b"\"a,b\"", Some((false, b"a,b"))),
        ("a backslash is a byte", b"\"a\\\"", Some((false, b"a\\"))),
        ("obs-text", b"\"\x80\xFF\"", Some((false, b"\x80\xFF"))),
        (
            "the first and the last byte",
            b"\"!~\"",
            Some((false, b"!~")),
        ),
        ("weak is case-sensitive", b"w/\"a\"", None),
        ("no quotes", b"a", None),
        ("one quote", b"\"", None),
        ("weak and one quote", b"W/\"", None),
        ("no quote at the end", b"\"a", None),
        ("no quote at the start", b"a\"", None),
        ("weak without a tag", b"W/", None),
        ("weak twice", b"W/W/\"a\"", None),
        ("a quote inside", b"\"a\"b\"", None),
        ("two tags", b"\"a\", \"b\"", None),
        ("white space after", b"\"a\" ", None),
        ("white space after W/", b"W/ \"a\"", None),
        ("a space inside", b"\"a b\"", None),
        ("a control inside", b"\"a\x01\"", None),
        ("DEL inside", b"\"a\x7F\"", None),
        ("any", b"*", None),
        ("nothing", b"", None),
    ];
    for &(name, octets, expected) in rows {
        let parsed = EntityTag::parse(octets).map(|tag| (tag.weak, tag.opaque));
        assert_eq!(parsed, expected, "{name}");
    }
}

// RFC 9110 §8.8.3.2: the table of that section.
#[test]
fn strong_and_weak_comparison() {
    let rows: &[(&str, &str, bool, bool)] = &[
        ("W/\"1\"", "W/\"1\"", false, true),
        ("W/\"1\"", "W/\"2\"", false, false),
        ("W/\"1\"", "\"1\"", false, true),
        ("\"1\"", "\"1\"", true, true),
        ("\"1\"", "\"2\"", false, false),
        ("\"a\"", "\"A\"", false, false),
    ];
    let tag = |octets: &'static str| EntityTag::parse(octets.as_bytes()).expect("a tag");
    for &(left, right, strong, weak) in rows {
        for (left, right) in [(tag(left), tag(right)), (tag(right), tag(left))] {
            assert_eq!(left.strong_eq(&right), strong, "{left:?} {right:?} strong");
            assert_eq!(left.weak_eq(&right), weak, "{left:?} {right:?} weak");
        }
    }
}

// RFC 9110 §5.6.1, RFC 9110 §8.8.3
#[test]
fn lists_are_split_at_commas_outside_tags() {
    /// Each member: whether it is weak, and its bytes; `None` for one that is no tag.
    type Members = &'static [Option<(bool, &'static str)>];
    let rows: &[(&str, &str, Members)] = &[
        ("nothing", "", &[]),
        ("one", r#""a""#, &[Some((false, "a"))]),
        (
            "three of both kinds",
            r#""a", W/"b","c""#,
            &[Some((false, "a")), Some((true, "b")), Some((false, "c"))],
        ),
        (
            "RFC 9110 §5.6.1.2: empty members",
            ", ,\t\"a\",, \"b\" ,",
            &[Some((false, "a")), Some((false, "b"))],
        ),
        (
            "commas inside a tag",
            r#""a,b", W/",","c,""#,
            &[Some((false, "a,b")), Some((true, ",")), Some((false, "c,"))],
        ),
        (
            "a backslash hides no quote",
            r#""a\", "b""#,
            &[Some((false, "a\\")), Some((false, "b"))],
        ),
        ("no comma between two", r#""a" "b""#, &[None]),
        ("no quotes", r#"a, "b""#, &[None, Some((false, "b"))]),
        ("any is no tag", r#"*, "b""#, &[None, Some((false, "b"))]),
        (
            "quotes that do not end",
            r#""a", "b, "c"#,
            &[Some((false, "a")), None],
        ),
        (
            "weak is case-sensitive",
            r#"w/"a", "b""#,
            &[None, Some((false, "b"))],
        ),
    ];
    for &(name, value, expected) in rows {
        let found: Vec<_> = tags(value.as_bytes())
            .map(|tag| {
                tag.map(|tag| {
                    (
                        tag.weak,
                        std::str::from_utf8(tag.opaque).expect("as in the row"),
                    )
                })
            })
            .collect();
        assert_eq!(found, expected, "{name}");
    }
}

// RFC 9110 §8.8.3
#[test]
fn every_file_has_a_strong_tag() {
    let year_9999 = Duration::new(253_402_300_799, 999_999_999);
    let rows: &[(&str, u64, SystemTime, &str)] = &[
        ("the epoch", 0, UNIX_EPOCH, "\"0-0\""),
        ("a length", 420, UNIX_EPOCH, "\"1A4-0\""),
        (
            "a nanosecond later",
            420,
            UNIX_EPOCH + Duration::from_nanos(1),
            "\"1A4-1\"",
        ),
        (
            "a second later",
            1,
            UNIX_EPOCH + Duration::from_secs(1),
            "\"1-3B9ACA00\"",
        ),
        (
            "before 1970",
            1,
            UNIX_EPOCH - Duration::from_nanos(255),
            "\"1-nFF\"",
        ),
        (
            "more than 64 bits",
            u64::MAX,
            UNIX_EPOCH + year_9999,
            "\"FFFFFFFFFFFFFFFF-DBCA9D1FEA2AEFFFF\"",
        ),
    ];
    for &(name, length, modified, expected) in rows {
        let mut out = b"ETag: ".to_vec();
        push_file_tag(&mut out, length, modified);
        assert_eq!(
            String::from_utf8_lossy(&out),
            format!("ETag: {expected}"),
            "{name}"
        );
        let parsed = EntityTag::parse(&out[6..]).expect(name);
        assert!(!parsed.weak, "{name}");
    }
}
