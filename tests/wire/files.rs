//! The file service after real sockets: parts, 304, and a file that changes under way, over
//! connections that live on.
#![cfg(feature = "files")]

use crate::harness::on_each_backend;
use crate::simulated::Scene;
use crate::support::bytes::pattern;
use crate::support::client::{Broken, Client};
use crate::support::recorder::Recorder;
use crate::support::temporary::Temporary;
use doorstep::{CloseReason, Files};
use std::fs;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// A folder of files of these lengths, by their names.
fn folder(files: &[(&str, usize)]) -> Temporary {
    let folder = Temporary::folder();
    for (name, length) in files {
        let path = folder.join(name);
        fs::write(&path, pattern(*length)).expect("a file can be written");
        // So long ago that its tag is strong.
        let long_ago = SystemTime::now() - Duration::from_secs(3600);
        let file = fs::File::options().write(true).open(path);
        let file = file.expect("it is there");
        file.set_modified(long_ago).expect("it is one's own");
    }
    folder
}

fn asked(target: &str, lines: &[(&str, &str)]) -> String {
    let lines: String = lines
        .iter()
        .map(|(name, value)| format!("{name}: {value}\r\n"))
        .collect();
    format!("GET {target} HTTP/1.1\r\nHost: localhost\r\n{lines}\r\n")
}

#[test]
fn parts_conditions_and_wholes_share_a_connection() {
    let lengths = [
        ("small", 1_000),
        ("copied", 65_535),
        ("sent", 65_537),
        ("large", 3_000_000),
    ];
    let folder = folder(&lengths);
    on_each_backend(|stage| {
        let files = Arc::new(Files::new(&*folder).expect("it can be opened"));
        let server = stage.server().spawn(files.clone()).unwrap();
        let mut client = Client::connect(server.addr());
        // From the file system first, and then from what is kept.
        for _ in 0..2 {
            for (name, length) in lengths {
                let whole = pattern(length);
                let target = format!("/{name}");
                let last = format!("bytes */{length}");
                let middle = length / 2;
                client.send(asked(&target, &[]));
                let answer = client.answer();
                assert!(answer.status == 200 && answer.content == whole, "{name}");
                let tag = answer.header_value("ETag").expect("a tag").to_string();
                // All at once: none of these may take a byte of the next one's.
                let range = format!("bytes={middle}-{}", middle + 99);
                let several = format!("bytes=0-9,{middle}-");
                client.send(
                    [
                        asked(&target, &[("If-None-Match", &tag)]),
                        asked(&target, &[("Range", &range), ("If-Range", &tag)]),
                        asked(&target, &[("Range", &several)]),
                        asked(&target, &[("Range", &format!("bytes={length}-"))]),
                        asked(&target, &[("If-Match", "\"other\"")]),
                        asked(&target, &[]),
                    ]
                    .concat(),
                );
                let same = client.answer();
                assert_eq!((same.status, same.content.len()), (304, 0), "{name}");
                assert_eq!(same.header_value("ETag"), Some(tag.as_str()));
                let part = client.answer();
                assert_eq!(part.status, 206, "{name}");
                assert!(part.content == whole[middle..middle + 100], "{name}");
                let parts = client.answer();
                assert_eq!(parts.status, 206, "{name}");
                let holds = |what: &[u8]| {
                    parts
                        .content
                        .windows(what.len())
                        .any(|window| window == what)
                };
                assert!(
                    holds(&whole[..10]) && holds(&whole[length - 500..]),
                    "{name}"
                );
                assert_eq!(parts.head.length, Some(parts.content.len() as u64));
                let past = client.answer();
                assert_eq!(
                    (past.status, past.header_value("Content-Range")),
                    (416, Some(last.as_str()))
                );
                assert_eq!(client.answer().status, 412, "{name}");
                assert!(client.answer().content == whole, "{name}");
            }
        }
        assert!(files.stats().hits > 0, "{:?}", files.stats());
    });
}

/// RFC 9110 §12.5.5: a page in place of a missing path was chosen by Accept too, so a cache in
/// between must not give it to all.
#[test]
fn the_page_of_an_application_says_what_it_was_chosen_by() {
    let folder = folder(&[("index.html", 100)]);
    on_each_backend(|stage| {
        let files = Files::new(&*folder)
            .expect("it can be opened")
            .spa("index.html");
        let server = stage.server().spawn(files).unwrap();
        let mut client = Client::connect(server.addr());
        for (target, expected) in [
            ("/users/7", &["Accept-Encoding", "Accept"][..]),
            ("/", &["Accept-Encoding"]),
        ] {
            let answer = client.ask(target);
            let is_vary = |(name, _): &&(String, String)| name.eq_ignore_ascii_case("Vary");
            let said: Vec<&str> = answer
                .head
                .fields
                .iter()
                .filter(is_vary)
                .map(|(_, value)| value.as_str())
                .collect();
            assert_eq!((answer.status, &said[..]), (200, expected), "{target}");
        }
    });
}

/// sirv#145: what is missing is never passed off as sent, be it one part of several.
#[test]
fn a_file_that_shrinks_under_way_closes_the_connection() {
    const LENGTH: usize = 32 << 20;
    for lines in [
        &[][..],
        &[("Range", "bytes=1-")],
        &[("Range", "bytes=0-0,1000-")],
    ] {
        on_each_backend(|stage| {
            let folder = folder(&[("file", 0)]);
            let file = fs::File::options()
                .write(true)
                .open(folder.join("file"))
                .unwrap();
            file.set_len(LENGTH as u64).unwrap();
            let recorder = Recorder::default();
            let files = Files::new(&*folder).expect("it can be opened");
            let server = stage
                .server()
                .observer(recorder.clone())
                .spawn(files)
                .unwrap();
            let mut client = Client::connect(server.addr());
            client.send(asked("/file", lines));
            // More than the sockets hold is still to come, because nobody has read but the head.
            let promised = client.head().length.expect("a length");
            file.set_len(LENGTH as u64 - 1).unwrap();
            let (seen, end) = client.rest();
            assert!(seen < promised, "{end}: {seen} bytes of {promised}");
            assert_ne!(end, Broken::TimedOut);
            recorder.hears_closed(CloseReason::ContentFailed);
        });
    }
}

/// As many parts as one response may have, from memory and from a descriptor.
#[test]
fn short_parts_are_sent_together() {
    let folder = folder(&[("small", 10_000), ("large", 100_000)]);
    let ranges: Vec<String> = (0..64).map(|part| format!("{0}-{0}", part * 150)).collect();
    let range = format!("bytes={}", ranges.join(","));
    for name in ["/small", "/large"] {
        let scene = Scene::new(Files::new(&*folder).expect("it can be opened"));
        let wire = scene.wire();
        wire.sends(asked(name, &[("Range", &range)]));
        scene.admits(&wire);
        let got = wire.got();
        assert_eq!(got.matches("Content-Range: bytes ").count(), 64, "{name}");
        let writes = wire.link(|link| link.writes.clone());
        assert!(
            writes.len() <= 2,
            "{name}: the head and the parts: {writes:?}"
        );
    }
}
