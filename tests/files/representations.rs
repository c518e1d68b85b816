//! A file and its sidecars `.br`, `.zst`, `.gz` (RFC 9110 §12.5.3, §8.8.3.3): which one is sent,
//! and its headers.

use crate::tree::{Answer, Tree};
use doorstep::Method;
use std::fs;
use std::time::{Duration, SystemTime};

fn time(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000 + seconds)
}

/// `a.js` with all three, `b.js` with the last one, `c.js` with none; all of one time, as
/// compressing tools leave it.
fn site() -> Tree {
    let tree = Tree::new();
    for (path, content) in [
        ("a.js", "plain"),
        ("a.js.br", "brotli"),
        ("a.js.zst", "zstandard"),
        ("a.js.gz", "gzipped"),
        ("b.js", "plain"),
        ("b.js.gz", "gzipped"),
        ("c.js", "plain"),
        ("d/index.html", "plain"),
        ("d/index.html.br", "brotli"),
        ("about.html", "plain"),
        ("about.html.gz", "gzipped"),
    ] {
        tree.file(path, content).modified(path, time(0));
    }
    tree
}

/// (case, target, Accept-Encoding, file that is sent)
#[rustfmt::skip]
const ROWS: &[(&str, &str, Option<&str>, &str)] = &[
    ("§12.5.3: no field", "/a.js", None, "plain"),
    ("§12.5.3: an empty field", "/a.js", Some(""), "plain"),
    ("a browser", "/a.js", Some("gzip, deflate, br, zstd"), "brotli"),
    ("a browser, one sidecar", "/b.js", Some("gzip, deflate, br, zstd"), "gzipped"),
    ("a browser, no sidecar", "/c.js", Some("gzip, deflate, br, zstd"), "plain"),
    ("only gzip", "/a.js", Some("gzip"), "gzipped"),
    ("only zstd", "/a.js", Some("zstd"), "zstandard"),
    ("only br, which is not there", "/b.js", Some("br"), "plain"),
    ("§8.4.1.3: x-gzip is gzip", "/a.js", Some("x-gzip"), "gzipped"),
    ("§8.4.1: in capitals", "/a.js", Some("GZIP"), "gzipped"),
    ("unknown codings", "/a.js", Some("compress, deflate, dcb"), "plain"),
    ("§12.4.2: weights decide", "/a.js", Some("br;q=0.1, zstd;q=0.2, gzip;q=0.3"), "gzipped"),
    ("§12.4.2: 0 excludes", "/a.js", Some("br;q=0, zstd;q=0, gzip"), "gzipped"),
    ("§12.5.3: * is every other one", "/a.js", Some("*"), "brotli"),
    ("§12.5.3: * but not br", "/a.js", Some("br;q=0, *"), "zstandard"),
    ("§12.5.3: the file as it is comes first", "/a.js", Some("identity, gzip;q=0.5"), "plain"),
    ("§12.5.3: identity;q=0 with a sidecar", "/b.js", Some("gzip, identity;q=0"), "gzipped"),
    ("§12.5.3: *;q=0 with a sidecar", "/b.js", Some("gzip, *;q=0"), "gzipped"),
    ("an index", "/d/", Some("br"), "brotli"),
    ("a clean URL", "/about", Some("gzip"), "gzipped"),
    ("a sidecar by its name is a file", "/a.js.gz", Some("gzip"), "gzipped"),
];

#[test]
fn the_coding_that_the_client_likes_best_is_sent() {
    let tree = site();
    for (name, target, accepted, expected) in ROWS {
        let lines: Vec<(&str, &str)> = accepted
            .map(|value| ("Accept-Encoding", value))
            .into_iter()
            .collect();
        for ms in [1_000, 1_001] {
            let answer = tree.send_at(ms, Method::Get, target, &lines);
            assert_eq!(
                (answer.status, answer.text().as_str()),
                (200, *expected),
                "{name}"
            );
            let coding = match *expected {
                "brotli" => "br",
                "zstandard" => "zstd",
                "gzipped" if !target.ends_with(".gz") => "gzip",
                _ => "",
            };
            assert_eq!(answer.header_value("Content-Encoding"), coding, "{name}");
            assert_eq!(answer.length, expected.len() as u64, "{name}");
            // RFC 9110 §12.5.5: on every response that was, or might have been, chosen by it.
            assert_eq!(answer.header_value("Vary"), "Accept-Encoding", "{name}");
            assert_eq!(
                answer.header_value("X-Content-Type-Options"),
                "nosniff",
                "{name}"
            );
            let media_type = match *target {
                "/a.js.gz" => "application/gzip",
                _ if target.ends_with(".js") => "text/javascript; charset=utf-8",
                _ => "text/html; charset=utf-8",
            };
            assert_eq!(answer.header_value("Content-Type"), media_type, "{name}");
            let head = tree.send_at(ms, Method::Head, target, &lines);
            assert_eq!(
                (&head.fields, head.length),
                (&answer.fields, answer.length),
                "{name}"
            );
        }
    }
}

/// RFC 9110 §12.5.3: "the origin server SHOULD send a response without any content coding unless
/// the identity coding is indicated as unacceptable".
#[test]
fn an_unacceptable_coding_is_406() {
    let tree = site();
    for (target, accepted) in [
        ("/c.js", "identity;q=0"),
        ("/c.js", "*;q=0"),
        ("/c.js", "gzip, *;q=0"),
        ("/b.js", "br, identity;q=0"),
    ] {
        let answer = tree.get_with(target, &[("Accept-Encoding", accepted)]);
        assert_eq!(
            (answer.status, answer.header_value("Vary")),
            (406, "Accept-Encoding"),
            "{accepted}"
        );
    }
}

/// static-web-server v2.44: a sidecar is never older than its file.
#[test]
fn a_stale_sidecar_is_not_sent() {
    let gzip = [("Accept-Encoding", "gzip")];
    // name, time of the sidecar with the file's at 0, whether it is sent
    for (name, offset, sent) in [
        ("newer", 1, true),
        ("as old", 0, true),
        ("older", -1, false),
    ] {
        let tree = site();
        let when = time(100)
            .checked_add(Duration::from_secs(1))
            .expect("in range");
        tree.modified("b.js", when);
        let sidecar = match offset {
            -1 => when - Duration::from_nanos(100),
            offset => when + Duration::from_nanos(100 * offset as u64),
        };
        tree.modified("b.js.gz", sidecar);
        let expected = if sent { "gzipped" } else { "plain" };
        assert_eq!(tree.get_with("/b.js", &gzip).text(), expected, "{name}");
    }
}

#[test]
fn a_sidecar_is_dropped_as_soon_as_its_file_changes() {
    let tree = site();
    let gzip = [("Accept-Encoding", "gzip")];
    let get = |ms| tree.send_at(ms, Method::Get, "/b.js", &gzip).text();
    assert_eq!(get(0), "gzipped");
    tree.file("b.js", "newer").modified("b.js", time(1));
    assert_eq!(get(99), "gzipped", "for a tenth of a second");
    assert_eq!(get(100), "newer");
    tree.file("b.js.gz", "packed again")
        .modified("b.js.gz", time(2));
    assert_eq!(get(200), "packed again");
    fs::remove_file(tree.path("b.js.gz")).expect("it can be removed");
    assert_eq!(get(300), "newer");
    fs::remove_file(tree.path("b.js")).expect("it can be removed");
    tree.file("b.js.gz", "alone").modified("b.js.gz", time(3));
    let answer = tree.send_at(400, Method::Get, "/b.js", &gzip);
    assert_eq!(answer.status, 404, "a sidecar alone is no file: {answer:?}");
}

/// It is looked for once in a tenth of a second, and is not missed before the next look.
#[test]
fn a_sidecar_is_cached_like_its_file() {
    let tree = site();
    let get = |ms| {
        tree.send_at(ms, Method::Get, "/b.js", &[("Accept-Encoding", "br, gzip")])
            .text()
    };
    assert_eq!(get(0), "gzipped");
    fs::remove_file(tree.path("b.js.gz")).expect("it can be removed");
    tree.file("b.js.br", "brotli").modified("b.js.br", time(0));
    assert_eq!(get(99), "gzipped");
    assert_eq!(get(100), "brotli");
}

/// A large one is sent from its descriptor, so its metadata is checked before each response.
#[test]
fn a_large_sidecar_that_is_written_to_is_served_new_at_once() {
    let tree = site();
    let get = |ms| tree.send_at(ms, Method::Get, "/b.js", &[("Accept-Encoding", "gzip")]);
    tree.file("b.js.gz", vec![b'o'; 70_000])
        .modified("b.js.gz", time(1));
    let first = get(0);
    assert_eq!(first.content[0], b'o');
    tree.file("b.js.gz", vec![b'n'; 70_000])
        .modified("b.js.gz", time(2));
    let second = get(1);
    assert_eq!(second.content[0], b'n');
    assert_ne!(second.header_value("ETag"), first.header_value("ETag"));
}

/// A sidecar whose last change is less than two seconds old may change again without a trace.
#[test]
fn a_sidecar_that_has_just_changed_is_not_cached() {
    let mut tree = site();
    tree.set_wall(time(101));
    tree.modified("b.js.gz", time(100));
    let get = |ms| tree.send_at(ms, Method::Get, "/b.js", &[("Accept-Encoding", "gzip")]);
    let first = get(0);
    assert_eq!(first.text(), "gzipped");
    assert!(first.header_value("ETag").starts_with("W/"), "{first:?}");
    tree.file("b.js.gz", "GZIPPED")
        .modified("b.js.gz", time(100));
    assert_eq!(get(1).text(), "GZIPPED");
    assert_ne!(get(2).header_value("ETag"), first.header_value("ETag"));
}

/// RFC 9110 §8.8.3.3: each has its own tag, even of the same length and time.
#[test]
fn no_two_representations_share_a_tag() {
    let tree = Tree::new();
    for path in ["a.js", "a.js.br", "a.js.zst", "a.js.gz"] {
        tree.file(path, "same length").modified(path, time(0));
    }
    let answer = |coding| tree.get_with("/a.js", &[("Accept-Encoding", coding)]);
    let answers = ["identity", "br", "zstd", "gzip"].map(|coding| (coding, answer(coding)));
    let mut tags: Vec<&str> = answers
        .iter()
        .map(|(_, answer)| answer.header_value("ETag"))
        .collect();
    tags.sort_unstable();
    tags.dedup();
    assert_eq!(tags.len(), 4, "{tags:?}");
    for (coding, first) in &answers {
        for (other, answer) in &answers {
            let tag = answer.header_value("ETag");
            let lines = [("Accept-Encoding", *coding), ("If-None-Match", tag)];
            let status = if coding == other { 304 } else { 200 };
            let got = tree.get_with("/a.js", &lines);
            assert_eq!(got.status, status, "{coding}, but it has {other}");
            assert_eq!(got.header_value("Vary"), "Accept-Encoding");
            // A part of one is not put after a part of another.
            let lines = [
                ("Accept-Encoding", *coding),
                ("Range", "bytes=5-"),
                ("If-Range", tag),
            ];
            let got = tree.get_with("/a.js", &lines);
            assert_eq!(
                got.status,
                if coding == other { 206 } else { 200 },
                "{coding} and {other}"
            );
        }
        assert_ne!(first.header_value("ETag"), "");
    }
}

#[test]
fn a_range_is_one_of_the_coding_that_was_chosen() {
    let tree = site();
    let lines = [("Accept-Encoding", "br"), ("Range", "bytes=2-3")];
    let answer = tree.get_with("/a.js", &lines);
    let fields =
        ["Content-Range", "Content-Encoding", "Vary"].map(|name| answer.header_value(name));
    assert_eq!((answer.status, answer.text().as_str()), (206, "ot"));
    assert_eq!(fields, ["bytes 2-3/6", "br", "Accept-Encoding"]);
    let past = tree.get_with("/a.js", &[("Accept-Encoding", "br"), ("Range", "bytes=6-")]);
    assert_eq!(
        (past.status, past.header_value("Content-Range")),
        (416, "bytes */6")
    );
}

/// A client would decode the whole response, its delimiters included.
#[test]
fn several_ranges_of_a_sidecar_are_the_whole_of_it() {
    let tree = site();
    tree.file("a.js.br", vec![b'.'; 9_000]);
    let several = ("Range", "bytes=0-0,8000-");
    let coded = tree.get_with("/a.js", &[("Accept-Encoding", "br"), several]);
    assert_eq!((coded.status, coded.length), (200, 9_000));
    tree.file("a.js", vec![b'.'; 9_000]);
    let plain = tree.get_with("/a.js", &[several]);
    assert_eq!(plain.status, 206);
}

#[cfg(unix)]
#[test]
fn a_sidecar_that_is_not_a_file_of_the_root_is_not_sent() {
    let tree = site();
    let gzip = [("Accept-Encoding", "gzip")];
    tree.outside("secret", "SECRET")
        .link("c.js.gz", "../secret");
    assert_eq!(
        tree.get_with("/c.js", &gzip).text(),
        "plain",
        "a link out of the root"
    );
    tree.folder("about.html.br");
    let answer = tree.get_with("/about.html", &[("Accept-Encoding", "br")]);
    assert_eq!(answer.text(), "plain", "a folder");
}

/// Large ones are sent from their descriptors.
#[test]
fn large_representations_are_told_apart_too() {
    let tree = Tree::new();
    for (path, byte) in [("big.js", b'p'), ("big.js.br", b'b'), ("big.js.gz", b'g')] {
        tree.file(path, vec![byte; 70_000]).modified(path, time(0));
    }
    let first = |ms, coding| {
        let answer: Answer =
            tree.send_at(ms, Method::Get, "/big.js", &[("Accept-Encoding", coding)]);
        assert_eq!(answer.length, 70_000);
        answer.content[0]
    };
    for ms in [0, 1, 99, 100, 1_000] {
        for (coding, byte) in [
            ("br", b'b'),
            ("identity", b'p'),
            ("gzip", b'g'),
            ("zstd", b'p'),
        ] {
            assert_eq!(first(ms, coding), byte, "{coding} at {ms}");
        }
    }
}
