//! What has gone wrong in other file servers, asked of this one on a real disk.

use crate::tree::{Answer, Tree};
use proptest::prelude::*;

fn site() -> Tree {
    let tree = Tree::new();
    tree.file("index.html", "home")
        .file("sub/a.txt", "a")
        .file("a.txt", "a")
        .file("docs/index.html", "docs")
        .file(".git/config", "SECRET")
        .file("sub/.env", "SECRET")
        .outside("secret", "SECRET")
        .outside("site-secret/secret", "SECRET")
        .outside("evil.example/secret", "SECRET");
    tree
}

#[track_caller]
fn assert_closed(answer: &Answer, target: &str) {
    assert!(matches!(answer.status, 400 | 404), "{target}: {answer:?}");
    assert!(!answer.text().contains("SECRET"), "{target}: {answer:?}");
}

const CLOSED: &[(&str, &str)] = &[
    ("CVE-2006-5050", "/../secret"),
    ("CVE-2006-5050", "/%2e%2e/secret"),
    ("CVE-2006-5050", "/.%2e/secret"),
    ("CVE-2006-5050", "/%252e%252e/secret"),
    ("CVE-2006-5050", "/..%2fsecret"),
    ("CVE-2006-5050", "/..%5csecret"),
    ("CVE-2006-5050", "/..\\secret"),
    ("CVE-2006-5050", "/%c0%ae%c0%ae/secret"),
    ("CVE-2006-5050", "/....//secret"),
    ("CVE-2006-5050", "/..;/secret"),
    ("CVE-2006-5050", "/sub/../../secret"),
    ("CVE-2006-5050", "/sub/..%2f..%2fsecret"),
    ("CVE-2006-5050", "http://localhost/../secret"),
    ("CVE-2016-10703", "/%00"),
    ("CVE-2016-10703", "/a.txt%00"),
    ("CVE-2016-10703", "/a.txt%00.html"),
    ("CVE-2016-10703", "/../secret%00.html"),
    ("GHSA-v588-qcp3-jv46", "/.git/config"),
    ("GHSA-v588-qcp3-jv46", "/./.git/config"),
    ("GHSA-v588-qcp3-jv46", "//.git/config"),
    ("GHSA-v588-qcp3-jv46", "/%2e/.git/config"),
    ("GHSA-v588-qcp3-jv46", "/.GIT/config"),
    ("GHSA-v588-qcp3-jv46", "/%2egit/config"),
    ("GHSA-j8px-rmrx-76h9", "/sub/.env"),
    ("GHSA-j8px-rmrx-76h9", "/sub//.env"),
    ("CVE-2025-58751", "/-secret/secret"),
    ("CVE-2025-58751", "/site-secret/secret"),
    ("CVE-2025-58751", "/../site-secret/secret"),
    ("CVE-2025-58751", "/..%2fsite-secret/secret"),
    ("CVE-2018-19052", "/docs../secret"),
    ("CVE-2018-19052", "/docsX"),
    ("RUSTSEC-2022-0069", "/c:/windows/win.ini"),
    ("RUSTSEC-2022-0069", "/a/c:/x"),
    ("RUSTSEC-2022-0069", "/a%5c..%5cx"),
    ("GO-2026-5595", "/a.txt::$DATA"),
    ("GO-2026-5595", "/a.txt."),
    ("GO-2026-5595", "/a.txt%20"),
    ("GO-2026-5595", "/CON"),
];

#[test]
fn nothing_beside_the_root_and_nothing_hidden_is_served() {
    let tree = site();
    for (record, target) in CLOSED {
        assert_closed(&tree.get(target), &format!("{record} {target}"));
    }
}

/// CVE-2016-10703: 86 KB of it. The server's limit is 8 KiB; the handler does not depend on that.
#[test]
fn eighty_six_kilobytes_lead_to_nothing() {
    let tree = site();
    for piece in ["%00", "/%2e%2e", "/.", "/a", "%61", "/"] {
        let target = format!("/{}", piece.repeat(86_000 / piece.len()));
        assert_closed(&tree.get(&target), piece);
    }
}

/// CVE-2021-28861, RUSTSEC-2022-0072: a Location that a browser takes for another host
/// (RFC 3986 §4.2).
#[test]
fn no_redirect_leads_to_another_host() {
    let tree = site();
    tree.folder("evil.example")
        .folder("sub/evil.example")
        .folder("@evil.example");
    for target in [
        "//evil.example/%2e%2e",
        "//evil.example",
        "///evil.example",
        "///evil.example/..%2fsub",
        "/%5c%5cevil.example/..",
        "/\\evil.example/..",
        "/\\evil.example",
        "/%5cevil.example",
        "/%2fevil.example",
        "/%2f%2fevil.example",
        "//sub",
        "/.//evil.example",
        "/././/evil.example",
        "/./\\evil.example",
        "/%09/evil.example",
        "/%0d%0aLocation:%20//evil.example",
        "/sub//evil.example",
    ] {
        let answer = tree.get(target);
        assert_closed(&answer, target);
        assert_eq!(answer.header_value("Location"), "", "{target}");
    }
    for (target, location) in [
        ("/evil.example", "/evil.example/"),
        ("/./evil.example", "/evil.example"),
        ("/./sub/././?a=/./", "/sub/?a=/./"),
        ("/sub/evil.example", "/sub/evil.example/"),
        ("/@evil.example", "/@evil.example/"),
        ("/sub?//evil.example", "/sub/?//evil.example"),
        ("http://evil.example/sub", "/sub/"),
        ("/sub?next=%0d%0aX:%20y", "/sub/?next=%0d%0aX:%20y"),
    ] {
        let answer = tree.get(target);
        let got = (answer.status, answer.header_value("Location"));
        assert_eq!(got, (308, location), "{target}");
    }
}

/// The outcome of following a link.
#[cfg(unix)]
#[derive(Clone, Copy, PartialEq)]
enum Link {
    Followed,
    Refused(&'static str),
}
#[cfg(unix)]
use Link::{Followed, Refused};
#[cfg(unix)]
const LEAVES: Link = Refused("symlink leaves the folder");
#[cfg(unix)]
const LOOPS: Link = Refused("too many symlinks");

/// (the link's place, its target, the request, the outcome)
#[cfg(unix)]
/// static-web-server v2.40.1.
const LINKS: &[(&str, &str, &str, Link)] = &[
    ("inside", "a.txt", "/inside", Followed),
    ("self", ".", "/self/a.txt", Followed),
    ("sub/up", "../a.txt", "/sub/up", Followed),
    ("chain", "inside", "/chain", Followed),
    ("linked", "sub", "/linked/a.txt", Followed),
    ("indexed/index.html", "../a.txt", "/indexed/", Followed),
    ("file", "../secret", "/file", LEAVES),
    ("folder", "../site-secret", "/folder/secret", LEAVES),
    ("folder2", "../site-secret", "/folder2", LEAVES),
    ("folder3", "../site-secret", "/folder3/", LEAVES),
    ("parent", "..", "/parent/secret", LEAVES),
    ("sub/upup", "../../secret", "/sub/upup", LEAVES),
    // Out and in again: a path that leaves for a moment may meet another folder of that name.
    ("sub/around", "../../site/a.txt", "/sub/around", LEAVES),
    ("first", "second", "/first", LEAVES),
    ("second", "../secret", "/second", LEAVES),
    ("bad/index.html", "../../secret", "/bad/", LEAVES),
    ("null", "/dev/null", "/null", LEAVES),
    ("proc", "/proc/self/environ", "/proc", LEAVES),
    ("slash", "/", "/slash/etc/passwd", LEAVES),
    ("loop", "loop", "/loop", LOOPS),
    ("ping", "pong", "/ping", LOOPS),
    ("pong", "ping", "/pong/x", LOOPS),
    ("dangling", "missing", "/dangling", Refused("no such file")),
];

#[cfg(unix)]
#[test]
fn a_link_is_followed_only_when_it_stays_inside() {
    let tree = site();
    tree.folder("indexed").folder("bad");
    for (path, says, ..) in LINKS {
        tree.link(path, says);
    }
    // An absolute symlink is not followed, wherever it leads.
    tree.link("absolute", tree.path("a.txt"));
    let absolute = ("absolute", "", "/absolute", LEAVES);
    for (_, says, target, outcome) in LINKS.iter().chain([&absolute]) {
        let answer = tree.get(target);
        match outcome {
            Followed => {
                let got = (answer.status, answer.text());
                assert_eq!(got, (200, "a".into()), "{target} -> {says}");
            }
            Refused(reason) => {
                assert_closed(&answer, target);
                assert_eq!(answer.reason, *reason, "{target} -> {says}");
            }
        }
    }
}

/// A component swapped for a symlink, again and again, while it is asked for.
#[cfg(unix)]
#[test]
fn a_link_swapped_in_is_never_followed_out() {
    use std::sync::atomic::{AtomicBool, Ordering};
    let tree = site();
    tree.file("swapped/secret", "public")
        .link("link", "../site-secret")
        .folder("spare");
    let done = AtomicBool::new(false);
    let swap_until_done = || {
        let (place, link) = (tree.path("swapped"), tree.path("link"));
        let spare = tree.path("spare/x");
        let swap = || {
            std::fs::rename(&place, &spare)?;
            std::fs::rename(&link, &place)?;
            std::fs::rename(&place, &link)?;
            std::fs::rename(&spare, &place)
        };
        while !done.load(Ordering::Relaxed) {
            swap().expect("one may rename what is one's own");
        }
    };
    let (mut served, mut refused) = (0, 0);
    std::thread::scope(|scope| {
        let swapper = scope.spawn(swap_until_done);
        // Both must have been seen; a slow machine gets more tries.
        let mut tries = 0;
        while tries < 5_000 || (served == 0 || refused == 0) && tries < 1_000_000 {
            let answer = tree.get("/swapped/secret");
            if answer.text().contains("SECRET") || swapper.is_finished() {
                done.store(true, Ordering::Relaxed);
                panic!("{answer:?}");
            }
            served += u32::from(answer.status == 200);
            refused += u32::from(answer.reason == "symlink leaves the folder");
            tries += 1;
        }
        done.store(true, Ordering::Relaxed);
    });
    assert!(served > 0 && refused > 0, "{served} and {refused}: no race");
}

#[cfg(unix)]
#[test]
fn special_files_are_404_at_once() {
    use std::process::Command;
    use std::sync::mpsc::{RecvTimeoutError, channel};
    use std::time::Duration;
    const NAME: &str = "special_files_are_404_at_once";
    let tree = site();
    let made = |program: &str, path: &str, kind: &[&str]| {
        let path = tree.path(path);
        let output = Command::new(program).arg(path).args(kind).output();
        let made = output.is_ok_and(|output| output.status.success());
        if !made {
            crate::support::skipped(NAME, &format!("{program} does not work here"));
        }
        made
    };
    let mut targets = Vec::new();
    tree.folder("pipes").folder("piped");
    if made("mkfifo", "pipes/fifo", &[]) && made("mkfifo", "piped/index.html", &[]) {
        targets.extend(["/pipes/fifo", "/pipes/fifo/", "/piped/index.html"]);
    }
    if made("mknod", "device", &["c", "1", "5"]) {
        targets.push("/device");
    }
    // Its path is longer than a socket's may be on some systems.
    let socket = std::os::unix::net::UnixListener::bind(tree.path("socket"));
    match &socket {
        Ok(_) => targets.push("/socket"),
        Err(error) => crate::support::skipped(NAME, &format!("no socket: {error}")),
    }
    let (answers, answered) = channel();
    let asking = std::thread::spawn(move || {
        for target in targets {
            answers
                .send((target, tree.get(target)))
                .expect("it is listened to");
        }
    });
    loop {
        match answered.recv_timeout(Duration::from_secs(20)) {
            Ok((target, answer)) => assert_eq!(answer.status, 404, "{target}: {answer:?}"),
            // The sender ends after the last response.
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) => panic!("a request blocks"),
        }
    }
    asking.join().expect("every request was answered");
}

/// Together these would reach a secret, if one of them were misread.
#[rustfmt::skip]
const PIECES: &[&str] = &[
    "/", "/", "../", "..%2f", "..%5c", "..\\", "%2e%2e/", ".%2e/", "%252e%252e/", "%c0%ae%c0%ae/", "./", "%2e/", "..;/",
    "....//", "sub/", "sub", "docs", "secret", "site-secret/", "-secret/", "site/", ".git/", "config", ".env", "%00", "a.txt",
    "evil.example", "?", ":",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_path_leads_to_a_secret(
        paths in prop::collection::vec(prop::collection::vec(prop::sample::select(PIECES), 1..8), 1..16)
    ) {
        let tree = site();
        for pieces in paths {
            let target = format!("/{}", pieces.concat());
            let answer = tree.get(&target);
            prop_assert!(!answer.text().contains("SECRET"), "{}", target);
            let location = answer.header_value("Location");
            let elsewhere = location.starts_with("//") || location.starts_with("/\\");
            prop_assert!(!elsewhere, "{}", target);
        }
    }
}
