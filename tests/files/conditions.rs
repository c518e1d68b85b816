//! Conditional requests (RFC 9110 §13) for files: the response to each verdict, and its headers.
//!
//! The verdicts themselves, each header alone and in pairs, are tested in
//! `tests/semantics/precondition.rs`.

use crate::tree::{Answer, Tree};
use doorstep::Method;
use std::fs;
use std::time::{Duration, SystemTime};

/// The modification time of `a.txt`: Sun, 09 Sep 2001 01:46:40 GMT, and a quarter of a second.
fn time() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_nanos(1_000_000_000_250_000_000)
}
const DATE: &str = "Sun, 09 Sep 2001 01:46:40 GMT";
const BEFORE: &str = "Sun, 09 Sep 2001 01:46:39 GMT";
const AFTER: &str = "Sun, 09 Sep 2001 01:46:41 GMT";
const TAG: &str = "\"5-DE0B6B3B64AB280\"";
const WEAK_TAG: &str = "W/\"5-DE0B6B3B64AB280\"";

fn site() -> Tree {
    let tree = Tree::new();
    tree.file("a.txt", "hello").modified("a.txt", time());
    tree
}

type Lines = &'static [(&'static str, &'static str)];

/// (case, headers, status)
#[rustfmt::skip]
const ROWS: &[(&str, Lines, u16)] = &[
    ("no condition", &[], 200),
    ("§13.1.1: If-Match of this tag", &[("If-Match", TAG)], 200),
    ("§13.1.1: If-Match of another", &[("If-Match", "\"x\"")], 412),
    ("§13.1.1: If-Match of any", &[("If-Match", "*")], 200),
    ("§13.1.1: If-Match compares strongly", &[("If-Match", WEAK_TAG)], 412),
    ("§13.1.1: If-Match of a list", &[("If-Match", "\"x\", \"5-DE0B6B3B64AB280\"")], 200),
    ("§13.1.2: If-None-Match of this tag", &[("If-None-Match", TAG)], 304),
    ("§13.1.2: If-None-Match compares weakly", &[("If-None-Match", WEAK_TAG)], 304),
    ("§13.1.2: If-None-Match of another", &[("If-None-Match", "\"x\"")], 200),
    ("§13.1.2: If-None-Match of any", &[("If-None-Match", "*")], 304),
    ("§13.1.2: If-None-Match of a list with a comma in a tag", &[("If-None-Match", "\"a,b\", W/\"5-DE0B6B3B64AB280\"")], 304),
    ("§13.1.2: If-None-Match in two lines", &[("If-None-Match", "\"x\""), ("If-None-Match", TAG)], 304),
    ("§13.1.3: If-Modified-Since then", &[("If-Modified-Since", DATE)], 304),
    ("§13.1.3: If-Modified-Since later", &[("If-Modified-Since", AFTER)], 304),
    ("§13.1.3: If-Modified-Since earlier", &[("If-Modified-Since", BEFORE)], 200),
    ("§13.1.3: If-Modified-Since in the form of RFC 850", &[("If-Modified-Since", "Sunday, 09-Sep-01 01:46:40 GMT")], 304),
    ("§13.1.3: If-Modified-Since in the form of asctime", &[("If-Modified-Since", "Sun Sep  9 01:46:40 2001")], 304),
    ("CVE-2015-9242: If-Modified-Since a number", &[("If-Modified-Since", "9999999999")], 200),
    ("CVE-2020-25691: If-Modified-Since empty", &[("If-Modified-Since", "")], 200),
    ("If-Modified-Since in the year 10000", &[("If-Modified-Since", "Sat, 01 Jan 10000 00:00:00 GMT")], 200),
    ("§13.1.4: If-Unmodified-Since then", &[("If-Unmodified-Since", DATE)], 200),
    ("§13.1.4: If-Unmodified-Since earlier", &[("If-Unmodified-Since", BEFORE)], 412),
    ("§13.1.4: If-Unmodified-Since no date", &[("If-Unmodified-Since", "yesterday")], 200),
    ("§13.2.2: If-None-Match decides, and not If-Modified-Since", &[("If-None-Match", "\"x\""), ("If-Modified-Since", DATE)], 200),
    ("§13.2.2: both say that it is the same", &[("If-Modified-Since", BEFORE), ("If-None-Match", TAG)], 304),
    ("§13.2.2: If-Match decides, and not If-Unmodified-Since", &[("If-Match", TAG), ("If-Unmodified-Since", BEFORE)], 200),
    ("§13.2.2: If-Match first, then If-None-Match", &[("If-Match", "\"x\""), ("If-None-Match", TAG)], 412),
    ("§13.2.2: If-Match holds, then If-None-Match", &[("If-Match", TAG), ("If-None-Match", TAG)], 304),
    ("§13.1.5: If-Range of this tag", &[("Range", "bytes=1-2"), ("If-Range", TAG)], 206),
    ("§13.1.5: If-Range of another", &[("Range", "bytes=1-2"), ("If-Range", "\"x\"")], 200),
    ("§13.1.5: If-Range compares strongly", &[("Range", "bytes=1-2"), ("If-Range", WEAK_TAG)], 200),
    ("§13.1.5: If-Range of this date", &[("Range", "bytes=1-2"), ("If-Range", DATE)], 206),
    ("§13.1.5: If-Range of a later date", &[("Range", "bytes=1-2"), ("If-Range", AFTER)], 200),
    ("§13.1.5: If-Range without a Range", &[("If-Range", "\"x\"")], 200),
    ("§13.1.5: If-Range of another, Range past the end", &[("Range", "bytes=9-"), ("If-Range", "\"x\"")], 200),
    ("§14.2: conditions come before Range", &[("Range", "bytes=1-2"), ("If-None-Match", TAG)], 304),
    ("§14.2: conditions come before a Range past the end", &[("Range", "bytes=9-"), ("If-Match", "\"x\"")], 412),
];

#[test]
fn each_condition_has_its_response() {
    let tree = site();
    for (name, lines, status) in ROWS {
        // From the disk, and from memory.
        for ms in [1_000, 1_001] {
            let answer = tree.send_at(ms, Method::Get, "/a.txt", lines);
            assert_eq!(answer.status, *status, "{name}: {answer:?}");
            assert_fields(name, &answer);
            // RFC 9110 §14.2: "GET is the only method for which range handling is defined".
            let head = tree.send_at(ms, Method::Head, "/a.txt", lines);
            let expected = if *status == 206 { 200 } else { *status };
            assert_eq!(head.status, expected, "{name}: HEAD: {head:?}");
        }
    }
}

fn assert_fields(name: &str, answer: &Answer) {
    match answer.status {
        200 => assert_eq!(answer.content, b"hello", "{name}"),
        206 => assert_eq!(answer.content, b"el", "{name}"),
        // RFC 9110 §15.4.5: those of a 200, and no others.
        304 => assert_eq!(
            answer.fields,
            [
                ("Cache-Control", "no-cache".to_string()),
                ("ETag", TAG.to_string()),
                ("Vary", "Accept-Encoding".to_string())
            ],
            "{name}"
        ),
        412 => assert_eq!(answer.reason, "a condition of the request does not hold"),
        _ => {}
    }
    if answer.status == 304 {
        assert_eq!(answer.length, 0, "{name}");
    }
}

/// RFC 9110 §13.2.1: "A server MUST ignore all received preconditions if its response to the same
/// request without those conditions, prior to processing the request content, would have been a
/// status code other than a 2xx (Successful) or 412".
#[test]
fn a_condition_is_ignored_where_there_is_no_file() {
    let tree = site();
    tree.folder("folder").file("404.html", "nothing");
    for (target, status) in [("/missing", 404), ("/folder", 308), ("/%00", 400)] {
        for lines in [
            ("If-Match", "\"x\""),
            ("If-None-Match", "*"),
            ("Range", "bytes=0-0"),
        ] {
            assert_eq!(
                tree.get_with(target, &[lines]).status,
                status,
                "{target} {lines:?}"
            );
        }
    }
    for method in [Method::Post, Method::Delete] {
        let answer = tree.send_with(method, "/a.txt", &[("If-Match", "\"x\"")]);
        assert_eq!(answer.status, 405);
    }
    let options = tree.send_with(Method::Options, "/a.txt", &[("If-Match", "\"x\"")]);
    assert_eq!(options.status, 200);
}

/// A tag is made of length and time alone, so that two machines with the same files agree.
#[test]
fn copies_have_the_same_tag() {
    let (one, other) = (site(), site());
    assert_eq!(one.get("/a.txt").header_value("ETag"), TAG);
    assert_eq!(other.get("/a.txt").header_value("ETag"), TAG);
    other.modified("a.txt", time() + Duration::from_nanos(100));
    assert_ne!(
        other.get("/a.txt").header_value("ETag"),
        TAG,
        "a hundred nanoseconds later"
    );
    other.file("a.txt", "hello!").modified("a.txt", time());
    assert_ne!(
        other.get("/a.txt").header_value("ETag"),
        TAG,
        "an octet longer"
    );
}

#[test]
fn the_tag_of_a_file_that_has_just_changed_is_weak() {
    // name, time since the change by the wall clock, whether the tag is weak
    let rows = [
        ("at the change", Duration::ZERO, true),
        (
            "one below two seconds",
            Duration::from_nanos(1_999_999_999),
            true,
        ),
        ("two seconds", Duration::from_secs(2), false),
    ];
    for (name, since, weak) in rows {
        for length in [5, 65_536, 65_537] {
            let mut tree = Tree::new();
            tree.set_wall(time() + since);
            tree.file("a.txt", vec![b'.'; length])
                .modified("a.txt", time());
            let answer = tree.get("/a.txt");
            let tag = answer.header_value("ETag");
            assert_eq!(tag.starts_with("W/\""), weak, "{name}, {length}: {tag}");
            // Nobody may put parts together under a weak tag.
            let part = tree.get_with("/a.txt", &[("Range", "bytes=0-0"), ("If-Range", tag)]);
            assert_eq!(
                part.status,
                if weak { 200 } else { 206 },
                "{name}, {length}"
            );
        }
    }
}

/// Within one tick of the file system's clock: the same length and time, other content.
#[test]
fn a_file_rewritten_in_place_is_never_taken_for_what_it_was() {
    for length in [1, 65_536, 65_537] {
        let mut tree = Tree::new();
        tree.set_wall(time() + Duration::from_secs(1));
        let (old, new) = (vec![b'o'; length], vec![b'n'; length]);
        tree.file("a.txt", &old).modified("a.txt", time());
        let first = tree.get("/a.txt");
        assert!(first.content == old);
        let tag = first.header_value("ETag").to_string();
        fs::write(tree.path("a.txt"), &new).expect("it can be written");
        tree.modified("a.txt", time());
        let lines = [("If-None-Match", tag.as_str())];
        assert!(
            tree.get_with("/a.txt", &lines).content == new,
            "{length}: a second later"
        );
        let lines = [("Range", "bytes=0-0"), ("If-Range", tag.as_str())];
        assert!(
            tree.get_with("/a.txt", &lines).content == new,
            "{length}: in parts"
        );
        tree.set_wall(time() + Duration::from_secs(2));
        let lines = [("If-None-Match", tag.as_str())];
        assert!(
            tree.get_with("/a.txt", &lines).content == new,
            "{length}: settled"
        );
    }
}

#[test]
fn a_small_file_that_has_just_changed_is_known_again() {
    let mut tree = Tree::new();
    tree.set_wall(time() + Duration::from_secs(1));
    tree.file("a.txt", "hello").modified("a.txt", time());
    let tag = tree.get("/a.txt").header_value("ETag").to_string();
    let lines = [("If-None-Match", tag.as_str())];
    assert_eq!(tree.get_with("/a.txt", &lines).status, 304);
}

/// Only the limit of the head bounds a value of 8 KB.
#[test]
fn a_condition_of_eight_kilobytes_has_a_response() {
    let tree = site();
    let tags = "\"x\", ".repeat(8_000 / 5) + TAG;
    let junk = "9".repeat(8_000);
    for (name, value, status) in [
        ("If-None-Match", tags.as_str(), 304),
        ("If-None-Match", junk.as_str(), 200),
        ("If-Match", junk.as_str(), 412),
        ("If-Modified-Since", junk.as_str(), 200),
        ("If-Unmodified-Since", junk.as_str(), 200),
    ] {
        assert_eq!(
            tree.get_with("/a.txt", &[(name, value)]).status,
            status,
            "{name}"
        );
    }
}
