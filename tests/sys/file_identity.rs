//! A file's identity changes when the file does, and only then.
#![cfg(feature = "files")]

use crate::harness::{LOST, Tree};
use doorstep::internals::sys::file_identity::Identity;
use std::fs::{self, File};
use std::path::Path;
use std::time::Instant;

fn identity(path: &Path) -> Identity {
    let file = File::open(path).expect("a file");
    let metadata = file.metadata().expect("metadata");
    Identity::of(&file, &metadata).expect("an identity")
}

fn set_modified(path: &Path, to: &Path) {
    let modified = fs::metadata(to)
        .expect("metadata")
        .modified()
        .expect("a time");
    let file = File::options().write(true).open(path).expect("a file");
    file.set_modified(modified).expect("a time");
}

#[test]
fn a_file_is_itself() {
    let tree = Tree::plant();
    tree.file("a", "text")
        .file("b", "text")
        .file("longer", "longer text");
    set_modified(&tree.at("b"), &tree.at("a"));
    set_modified(&tree.at("longer"), &tree.at("a"));
    let a = identity(&tree.at("a"));
    assert_eq!(a, identity(&tree.at("a")), "opened twice");
    fs::read(tree.at("a")).expect("a text");
    assert_eq!(a, identity(&tree.at("a")), "read");
    assert_ne!(
        a,
        identity(&tree.at("b")),
        "another file of that length and time"
    );
    assert_ne!(a, identity(&tree.at("longer")));
    // The change time is not compared here: a rename may set it.
    fs::rename(tree.at("b"), tree.at("a")).expect("a rename");
    assert_ne!(a, identity(&tree.at("a")), "another file of that name");
}

#[test]
fn a_file_that_grew_or_was_touched_is_another() {
    let tree = Tree::plant();
    tree.file("a", "text").file("kept", "");
    set_modified(&tree.at("kept"), &tree.at("a"));
    let before = identity(&tree.at("a"));
    tree.file("a", "texts");
    set_modified(&tree.at("a"), &tree.at("kept"));
    assert_ne!(before, identity(&tree.at("a")), "its length");
    let before = identity(&tree.at("a"));
    let file = File::options()
        .write(true)
        .open(tree.at("a"))
        .expect("a file");
    file.set_modified(std::time::UNIX_EPOCH).expect("a time");
    assert_ne!(before, identity(&tree.at("a")), "its time");
}

/// The change time cannot be set back, so a change of the same length and modification time shows.
#[test]
fn a_file_whose_time_was_set_back_is_another() {
    let tree = Tree::plant();
    tree.file("a", "text").file("kept", "");
    set_modified(&tree.at("kept"), &tree.at("a"));
    let before = identity(&tree.at("a"));
    let start = Instant::now();
    // The system's clock may tick some milliseconds from now.
    loop {
        tree.file("a", "TEXT");
        set_modified(&tree.at("a"), &tree.at("kept"));
        if before != identity(&tree.at("a")) {
            return;
        }
        if cfg!(windows) {
            println!("SKIPPED a_file_whose_time_was_set_back_is_another: no change time here");
            return;
        }
        assert!(start.elapsed() < LOST, "the change never shows");
        std::thread::yield_now();
    }
}
