//! The sentences that fuzzing defends, each checked on every seed and on every input that was ever
//! found.
//!
//! One file a target: `head.rs` has the sentence and `check`, and a target under
//! `fuzz/fuzz_targets/` calls the same `check`. The files in `fuzz/seeds/<target>/` and
//! `tests/cases/<target>/` are replayed here. A new target is a module and a line in [`TARGETS`].

mod accept_encoding;
#[cfg(target_os = "linux")]
mod beneath;
mod chunked;
mod conversation;
mod date;
mod fields;
mod head;
#[cfg(feature = "files")]
mod listing;
#[cfg(feature = "files")]
mod path;
mod proxy;
mod range;
mod response;
#[path = "../support/mod.rs"]
mod support;
mod target;

use std::fs;
use std::path::{Path, PathBuf};

type Check = fn(&[u8]);

/// Each target's name and its invariant.
const TARGETS: &[(&str, Check)] = &[
    ("accept_encoding", accept_encoding::check),
    #[cfg(target_os = "linux")]
    ("beneath", beneath::check),
    ("chunked", chunked::check),
    ("conversation", conversation::check),
    ("date", date::check),
    ("fields", fields::check),
    ("head", head::check),
    #[cfg(feature = "files")]
    ("listing", listing::check),
    #[cfg(feature = "files")]
    ("path", path::check),
    ("proxy", proxy::check),
    ("range", range::check),
    ("response", response::check),
    ("target", target::check),
];

/// Where the inputs of a target lie.
const FOLDERS: [&str; 2] = ["fuzz/seeds", "tests/cases"];

#[test]
fn every_input_keeps_its_invariant() {
    for &(target, check) in TARGETS {
        let inputs: Vec<PathBuf> = FOLDERS
            .iter()
            .flat_map(|folder| files(&root().join(folder).join(target)))
            .collect();
        // The folder of fuzzing is not part of the published package.
        if !root().join("fuzz").is_dir() {
            println!("SKIPPED {target}: the seeds are in the repository only");
            continue;
        }
        assert!(!inputs.is_empty(), "{target}: no seed");
        for input in inputs {
            println!("{}", input.display());
            check(&fs::read(&input).expect("a file that was just listed can be read"));
        }
    }
}

/// Even with no file at hand an invariant sees something: bytes that come to mind, and what is left
/// when they are cut.
#[test]
fn a_few_bytes_keep_each_invariant() {
    let octets: &[&[u8]] = &[
        b"",
        b"\r\n",
        b"GET /a%2e?b#c HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\n\r\n",
        b"POST http://u@h:1/ HTTP/1.0\r\nContent-Length: 5\r\n\r\nhello",
        b"\x16\x03\x01\x02\x00",
        &[0xff; 40],
        &[b'/'; 40],
        b"/../a/%2e%2e/..%5c/c:/x\0",
    ];
    for &(target, check) in TARGETS {
        for whole in octets {
            for len in 0..=whole.len() {
                println!("{target}: {}", whole[..len].escape_ascii());
                check(&whole[..len]);
            }
        }
    }
}

/// The conversation's invariant sees what it is there to see: a system that does wrong is found on
/// some seed.
#[test]
fn a_planted_fault_breaks_a_conversation() {
    let seeds = files(&root().join("fuzz/seeds/conversation"));
    if seeds.is_empty() {
        println!(
            "SKIPPED a_planted_fault_breaks_a_conversation: the seeds are in the repository only"
        );
        return;
    }
    for (name, fault) in support::simulated::InjectedFault::ALL {
        let found = seeds.iter().find_map(|seed| {
            let input = fs::read(seed).expect("a file that was just listed can be read");
            let why = conversation::run(&input, Some(fault)).err()?;
            Some((seed, why))
        });
        let (seed, why) = found.unwrap_or_else(|| panic!("{name}: not found"));
        println!("{name}: {}: {why}", seed.display());
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The files in a folder, in an order that is always the same; none when there is no such folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut files: Vec<PathBuf> = entries
        .map(|entry| {
            entry
                .expect("a folder that was opened can be listed")
                .path()
        })
        .filter(|path| path.is_file())
        .collect();
    files.sort();
    files
}
