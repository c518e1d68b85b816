//! Content, length, coding and tag belong to one state of a file, while its states follow each
//! other.
//!
//! Each state is filled with its own byte and has its own time, two seconds from the next one's and
//! long past, so that its tag is strong and identifies it. Whatever is sent under such a tag is of
//! that state, from its first byte to its last.

use crate::tree::Tree;
use doorstep::{Files, Method, Now, Request};
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// (name, bytes, whether it is written to in place: otherwise it is replaced)
const FILES: [(&str, usize, bool); 3] = [
    ("a.txt", 60_000, false),
    ("b.txt", 60_000, true),
    ("large", 100_000, false),
];
/// Requests, each a tenth of a second after the one before, as far as the server knows.
const LOOKS: u64 = 600;
/// Sidecars have bytes from here on.
const CODED: u8 = 100;
/// The time of the first state, in seconds since 1970.
const SECONDS: u64 = 1_000_000_000;

fn write(path: &Path, state: u64, byte: u8, length: usize, in_place: bool) {
    let beside = path.with_extension("next");
    let written = if in_place { path } else { &beside };
    // Not truncated: a file that is written over has its length at any time.
    let mut options = fs::File::options();
    let file = options.write(true).create(true).truncate(false);
    let mut file = file.open(written).expect("it can be opened");
    file.write_all(&vec![byte; length])
        .expect("it can be written");
    let time = UNIX_EPOCH + Duration::from_secs(SECONDS + 2 * state);
    file.set_modified(time).expect("its time can be set");
    if !in_place {
        fs::rename(written, path).expect("it can be replaced");
    }
}

/// The byte that fills a file in this state, or its sidecar.
fn byte(state: u64, is_coded: bool) -> u8 {
    (state % 100) as u8 + if is_coded { CODED } else { 0 }
}

/// The state whose time is in the tag, in nanoseconds after the first hyphen.
fn state_of(tag: &str) -> u64 {
    let time = tag.split(['-', '"']).nth(2).unwrap_or_default();
    let time = u64::from_str_radix(time, 16).expect("a time");
    (time / 1_000_000_000 - SECONDS) / 2
}

fn write_state(tree: &Tree, state: u64) {
    for (name, length, in_place) in FILES {
        let sidecar = tree.path(&format!("{name}.br"));
        write(
            &tree.path(name),
            state,
            byte(state, false),
            length,
            in_place,
        );
        write(&sidecar, state, byte(state, true), length, in_place);
    }
}

/// Asks for each file in turn; returns what is wrong.
fn read_states(files: &Files, of: u64) -> Vec<String> {
    let mut wrong = Vec::new();
    for look in 0..LOOKS {
        let (name, ..) = FILES[look as usize % FILES.len()];
        let now = Now {
            monotonic: Duration::from_millis(100 * look + of),
            wall: SystemTime::now(),
        };
        let mut request = Request::test(Method::Get, &format!("/{name}")).at(now);
        if look % 2 == 0 {
            request = request.header("Accept-Encoding", "br");
        }
        let answer = request.send(files);
        let tag = answer.header_value("ETag").unwrap_or_default().to_string();
        let is_coded = answer.header_value("Content-Encoding").is_some();
        let length = answer.payload().length().unwrap_or_default();
        let is_strong = answer.status().code() == 200 && !tag.starts_with("W/");
        let content = match answer.into_content() {
            Ok(content) if is_strong => content,
            _ => continue,
        };
        let byte = byte(state_of(&tag), is_coded);
        let is_right = content.iter().all(|this| *this == byte);
        if !is_right || content.len() as u64 != length {
            let first = content.first();
            wrong.push(format!("{name} {tag}: {} of {first:?}", content.len()));
        }
    }
    wrong
}

#[test]
fn a_strong_tag_has_one_content() {
    let tree = Tree::new();
    write_state(&tree, 0);
    let files = Files::new(tree.path("")).expect("the site can be opened");
    let is_over = AtomicBool::new(false);
    let wrong: Vec<String> = std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut state = 1;
            while !is_over.load(Ordering::Relaxed) {
                write_state(&tree, state);
                state += 1;
            }
        });
        let readers = [0, 50].map(|of| {
            scope.spawn({
                let files = &files;
                move || read_states(files, of)
            })
        });
        let wrong = readers.map(|reader| {
            reader
                .join()
                .unwrap_or_else(|_| vec!["it panicked".to_string()])
        });
        is_over.store(true, Ordering::Relaxed);
        wrong.concat()
    });
    assert!(wrong.is_empty(), "{wrong:#?}");
}
