//! Parts of files (RFC 9110 §14, §15.3.7, §15.5.17): the response to a selection, and its bytes.
//!
//! Which bytes a range means is tested in `tests/semantics/range.rs`.

use crate::tree::{Answer, Tree};
use doorstep::Method;
use proptest::prelude::*;
use std::fs;

const KIB: usize = 1024;

/// Bytes that depend on their position.
fn content(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at * 31 + at / 256) as u8).collect()
}

/// Small files are sent from memory, larger ones from their descriptor, and the largest is longer
/// than one block of a reader.
fn site() -> Tree {
    let tree = Tree::new();
    tree.file("ten", "0123456789")
        .file("empty", "")
        .file("small", content(64 * KIB))
        .file("large", content(200 * KIB));
    tree
}

/// (case, target, Range, status, Content-Range, first byte and length)
type Row = (
    &'static str,
    &'static str,
    &'static str,
    u16,
    &'static str,
    (usize, usize),
);

#[rustfmt::skip]
const ROWS: &[Row] = &[
    ("§14.1.2: the first octet", "/ten", "bytes=0-0", 206, "bytes 0-0/10", (0, 1)),
    ("§14.1.2: the last octet", "/ten", "bytes=9-9", 206, "bytes 9-9/10", (9, 1)),
    ("§14.1.2: from the middle", "/ten", "bytes=2-5", 206, "bytes 2-5/10", (2, 4)),
    ("§14.1.2: open", "/ten", "bytes=7-", 206, "bytes 7-9/10", (7, 3)),
    ("§14.1.2: suffix", "/ten", "bytes=-3", 206, "bytes 7-9/10", (7, 3)),
    ("§14.1.2: a suffix longer than the file", "/ten", "bytes=-11", 206, "bytes 0-9/10", (0, 10)),
    ("§14.1.2: an end past the end", "/ten", "bytes=5-99", 206, "bytes 5-9/10", (5, 5)),
    ("§14.1.2: all of it", "/ten", "bytes=0-", 206, "bytes 0-9/10", (0, 10)),
    ("§15.5.17: past the end", "/ten", "bytes=10-", 416, "bytes */10", (0, 0)),
    ("§15.5.17: far past the end", "/ten", "bytes=100-200", 416, "bytes */10", (0, 0)),
    ("§15.5.17: of an empty file", "/empty", "bytes=0-", 416, "bytes */0", (0, 0)),
    ("dufs#690: bytes=-0", "/ten", "bytes=-0", 416, "bytes */10", (0, 0)),
    ("dufs#690: a suffix of 20 digits", "/ten", "bytes=-99999999999999999999", 206, "bytes 0-9/10", (0, 10)),
    ("dufs#690: from 2^64 - 1", "/ten", "bytes=18446744073709551615-", 416, "bytes */10", (0, 0)),
    ("cpp-httplib#1766: bad syntax", "/ten", "bytes=a-b", 200, "", (0, 10)),
    ("§14.2: another unit", "/ten", "lines=1-2", 200, "", (0, 10)),
    ("§14.2: no unit", "/ten", "0-1", 200, "", (0, 10)),
    ("§14.1.1: the last before the first", "/ten", "bytes=5-2", 200, "", (0, 10)),
    ("§15.3.7: of two, one is past the end", "/ten", "bytes=20-30, 1-2", 206, "bytes 1-2/10", (1, 2)),
    ("§14.2: two that overlap are one", "/ten", "bytes=1-4,3-6", 206, "bytes 1-6/10", (1, 6)),
    ("small, at the end", "/small", "bytes=65535-", 206, "bytes 65535-65535/65536", (65_535, 1)),
    ("large, in the middle", "/large", "bytes=70000-140000", 206, "bytes 70000-140000/204800", (70_000, 70_001)),
];

#[test]
fn each_range_has_its_response() {
    let tree = site();
    for (name, target, range, status, content_range, (first, length)) in ROWS {
        for ms in [1_000, 1_001] {
            let answer = tree.send_at(ms, Method::Get, target, &[("Range", range)]);
            let got = (answer.status, answer.header_value("Content-Range"));
            assert_eq!(got, (*status, *content_range), "{name}: {answer:?}");
            if *status != 416 {
                let whole = fs::read(tree.path(&target[1..])).expect("it can be read");
                assert!(answer.content == whole[*first..][..*length], "{name}");
                assert_eq!(answer.length, *length as u64, "{name}");
                // RFC 9110 §14.3.
                assert_eq!(answer.header_value("Accept-Ranges"), "bytes", "{name}");
                assert_eq!(answer.header_value("Vary"), "Accept-Encoding", "{name}");
                assert_ne!(answer.header_value("ETag"), "", "{name}");
            }
            // RFC 9110 §14.2: "A server MUST ignore a Range header field received with a request
            // method that is unrecognized or for which range handling is not defined."
            let head = tree.send_at(ms, Method::Head, target, &[("Range", range)]);
            assert_eq!(
                (head.status, head.header_value("Content-Range")),
                (200, ""),
                "{name}: HEAD"
            );
        }
    }
}

/// One part of a `multipart/byteranges`.
#[derive(Debug, PartialEq)]
struct Part {
    content_type: String,
    content_range: String,
    content: Vec<u8>,
}

/// Takes a multipart response apart by RFC 2046 §5.1.1.
fn parts(answer: &Answer) -> Vec<Part> {
    let media_type = answer.header_value("Content-Type");
    let boundary = media_type
        .strip_prefix("multipart/byteranges; boundary=")
        .unwrap_or_else(|| panic!("{answer:?}"));
    assert!((1..=70).contains(&boundary.len()), "{boundary}");
    assert_eq!(answer.length, answer.content.len() as u64);
    assert_eq!(
        answer.header_value("Content-Range"),
        "",
        "RFC 9110 §15.3.7.2"
    );
    let mut rest = answer.content.as_slice();
    let mut parts = Vec::new();
    let next = format!("\r\n--{boundary}\r\n");
    let close = format!("\r\n--{boundary}--\r\n");
    // zsync takes the line before each delimiter for an empty one, even before the first.
    rest = rest
        .strip_prefix(next.as_bytes())
        .expect("an empty line and a delimiter");
    loop {
        let head_end = find(rest, b"\r\n\r\n").expect("an empty line");
        let head = String::from_utf8(rest[..head_end].to_vec()).expect("ASCII");
        rest = &rest[head_end + 4..];
        let lines: Vec<&str> = head.split("\r\n").collect();
        let [media, range] = lines[..] else {
            panic!("{head}");
        };
        let value = |line: &str, name: &str| line.strip_prefix(name).expect(name).to_string();
        let delimiter = find(rest, next.as_bytes());
        let end = delimiter.or_else(|| find(rest, close.as_bytes()));
        let end = end.expect("a delimiter behind the part");
        parts.push(Part {
            content_type: value(media, "Content-Type: "),
            content_range: value(range, "Content-Range: "),
            content: rest[..end].to_vec(),
        });
        if delimiter.is_none() {
            assert_eq!(
                &rest[end..],
                close.as_bytes(),
                "nothing behind the last part"
            );
            return parts;
        }
        rest = &rest[end + next.len()..];
    }
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}

/// RFC 9110 §14.4, RFC 9110 §14.6, RFC 9110 §15.3.7.2.
#[test]
fn several_ranges_are_parts_of_one_response() {
    let tree = site();
    for target in ["/small", "/large"] {
        let whole = fs::read(tree.path(&target[1..])).expect("it can be read");
        let length = whole.len();
        let lines = [("Range", "bytes=0-9, 30000-49999, -1")];
        let answer = tree.get_with(target, &lines);
        assert_eq!(answer.status, 206);
        let expected: Vec<Part> = [(0, 9), (30_000, 49_999), (length - 1, length - 1)]
            .map(|(first, last)| Part {
                content_type: "application/octet-stream".to_string(),
                content_range: format!("bytes {first}-{last}/{length}"),
                content: whole[first..=last].to_vec(),
            })
            .into();
        assert!(parts(&answer) == expected, "{target}");
        let again = tree.get_with(target, &lines);
        assert_ne!(
            again.header_value("Content-Type"),
            answer.header_value("Content-Type"),
            "a new boundary"
        );
        assert_eq!(again.header_value("ETag"), answer.header_value("ETag"));
        assert_ne!(answer.header_value("ETag"), "");
    }
}

/// "A client that is requesting multiple ranges SHOULD list those ranges in ascending order", and
/// need not.
#[test]
fn parts_come_in_the_requested_order() {
    let tree = site();
    let answer = tree.get_with("/small", &[("Range", "bytes=60000-60001,0-1")]);
    let ranges: Vec<String> = parts(&answer)
        .into_iter()
        .map(|part| part.content_range)
        .collect();
    assert_eq!(ranges, ["bytes 60000-60001/65536", "bytes 0-1/65536"]);
}

/// dufs#690: however many ranges are asked for, the response is hardly longer than the file.
#[test]
fn a_thousand_ranges_cost_no_more_than_the_file() {
    let tree = site();
    let overlapping = vec!["0-"; 1_000].join(",");
    let apart: Vec<String> = (0..1_000)
        .map(|index| format!("{0}-{0}", index * 200))
        .collect();
    let unsorted: Vec<String> = apart.iter().rev().cloned().collect();
    let suffixes: Vec<String> = (1..1_000).map(|index| format!("-{index}")).collect();
    for (name, ranges) in [
        ("overlapping", overlapping),
        ("apart", apart.join(",")),
        ("unsorted", unsorted.join(",")),
        ("suffixes", suffixes.join(", ")),
    ] {
        let lines = [("Range", format!("bytes={ranges}"))];
        let answer = tree.get_with("/large", &[("Range", &lines[0].1)]);
        assert!(matches!(answer.status, 200 | 206), "{name}");
        assert!(answer.length < 220 * 1024, "{name}: {}", answer.length);
    }
}

/// sirv#145: missing bytes are never passed off as sent.
#[test]
fn a_file_that_shrinks_while_it_is_sent_fails() {
    let tree = site();
    for lines in [
        &[][..],
        &[("Range", "bytes=100000-")],
        &[("Range", "bytes=0-0,100000-")],
    ] {
        tree.file("large", content(200 * KIB));
        let response = tree.response("/large", lines);
        let file = fs::File::options().write(true).open(tree.path("large"));
        file.and_then(|file| file.set_len(90 * KIB as u64))
            .expect("it can be cut");
        // A server closes the connection here: `tests/wire/files.rs`.
        let error = response.into_content().expect_err("a part is gone");
        assert_eq!(error.kind(), std::io::ErrorKind::UnexpectedEof, "{lines:?}");
    }
}

#[test]
fn a_file_that_grows_is_sent_as_it_was() {
    let tree = site();
    let response = tree.response("/large", &[]);
    tree.file("large", content(300 * KIB));
    assert_eq!(
        response.into_content().expect("it can be read").len(),
        200 * KIB
    );
}

/// A file that is replaced by renaming, as tools do, is sent to its end as it was.
#[cfg(unix)]
#[test]
fn a_file_that_is_replaced_is_sent_as_it_was() {
    let tree = site();
    let response = tree.response("/large", &[("Range", "bytes=1-")]);
    tree.file("new", vec![b'n'; 200 * KIB]);
    fs::rename(tree.path("new"), tree.path("large")).expect("it can be renamed");
    let sent = response.into_content().expect("it can be read");
    assert!(sent == content(200 * KIB)[1..]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever is asked for, each part has the file's bytes of that range.
    #[test]
    fn every_part_is_a_part_of_the_file(
        ranges in prop::collection::vec((0..70_000_usize, 0..70_000_usize, 0..3), 1..6),
        large in any::<bool>(),
    ) {
        let tree = site();
        let target = if large { "/large" } else { "/small" };
        let whole = fs::read(tree.path(&target[1..])).expect("it can be read");
        let specs: Vec<String> = ranges.iter().map(|(first, more, kind)| match kind {
            0 => format!("{first}-{}", first + more),
            1 => format!("{first}-"),
            _ => format!("-{first}"),
        }).collect();
        let value = format!("bytes={}", specs.join(","));
        let answer = tree.get_with(target, &[("Range", &value)]);
        let is_part = |content_range: &str, content: &[u8]| {
            let numbers = content_range.strip_prefix("bytes ").expect("a unit");
            let (range, length) = numbers.split_once('/').expect("a length");
            let (first, last) = range.split_once('-').expect("two ends");
            let number = |text: &str| text.parse::<usize>().expect("a number");
            number(length) == whole.len() && &whole[number(first)..=number(last)] == content
        };
        match answer.status {
            200 => prop_assert!(answer.content == whole),
            206 if answer.header_value("Content-Range").is_empty() => {
                for part in parts(&answer) {
                    prop_assert!(is_part(&part.content_range, &part.content), "{}", value);
                }
            }
            206 => prop_assert!(is_part(answer.header_value("Content-Range"), &answer.content), "{}", value),
            other => prop_assert_eq!(other, 416, "{}", value),
        }
    }
}
