//! Modification times, honest or not.

use crate::tree::Tree;
use std::fs::File;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Whether the disk keeps that time.
fn set_modified(tree: &Tree, path: &str, time: SystemTime) -> bool {
    let file = File::options().write(true).open(tree.path(path));
    let file = file.expect("it is there");
    let kept = || file.metadata().and_then(|metadata| metadata.modified());
    file.set_modified(time).is_ok() && kept().is_ok_and(|kept| kept == time)
}

/// (name, seconds since 1970, Last-Modified); CVE-2015-9242, CVE-2020-25691
#[rustfmt::skip]
const ROWS: &[(&str, i64, &str)] = &[
    ("the RFC's example", 784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"),
    ("the first second", 0, "Thu, 01 Jan 1970 00:00:00 GMT"),
    ("before 1970", -1, ""),
    ("long before 1970", -2_000_000_000, ""),
    ("the last second", 253_402_300_799, "Fri, 31 Dec 9999 23:59:59 GMT"),
    ("after 9999", 253_402_300_800, ""),
    ("long after 9999", 4_000_000_000_000, ""),
];

#[test]
fn a_time_without_an_honest_date_is_left_out() {
    let mut tree = Tree::new();
    // So late that no time is in the future.
    tree.set_wall(UNIX_EPOCH + Duration::from_secs(5_000_000_000_000));
    tree.file("a.txt", "a");
    for (name, seconds, expected) in ROWS {
        let distance = Duration::from_secs(seconds.unsigned_abs());
        let time = match seconds {
            0.. => UNIX_EPOCH.checked_add(distance),
            _ => UNIX_EPOCH.checked_sub(distance),
        };
        if !time.is_some_and(|time| set_modified(&tree, "a.txt", time)) {
            let why = format!("{name}: the disk does not keep it");
            crate::support::skipped("a_time_without_an_honest_date_is_left_out", &why);
            continue;
        }
        let answer = tree.get("/a.txt");
        let got = (answer.status, answer.header_value("Last-Modified"));
        assert_eq!(got, (200, *expected), "{name}");
        assert!(answer.header_value("ETag").len() > 4, "{name}: {answer:?}");
    }
}

/// RFC 9110 §8.8.2.1: never later than the response itself.
#[test]
fn a_time_in_the_future_becomes_now() {
    let mut tree = Tree::new();
    tree.file("a.txt", "a");
    let tag = tree.get("/a.txt").header_value("ETag").to_string();
    tree.set_wall(UNIX_EPOCH + Duration::from_secs(784_111_777));
    let answer = tree.get("/a.txt");
    let date = answer.header_value("Last-Modified");
    assert_eq!(date, "Sun, 06 Nov 1994 08:49:37 GMT");
    // It may change again and get the same time.
    let opaque = tag.trim_matches('"');
    let weak = answer
        .header_value("ETag")
        .starts_with(&format!("W/\"{opaque}-"));
    assert!(weak, "the tag is that of the file, and weak: {answer:?}");
}
