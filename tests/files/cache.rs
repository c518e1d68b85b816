//! Small files in memory: how long they answer without a look, and when they are not kept.
//!
//! Times are arguments. Every row changes a file behind the server's back in a way that keeps its length, and asks again.

use crate::tree::Tree;
use std::fs::{self, File};
use std::time::{Duration, SystemTime};

const KIB: usize = 1024;

/// Serves `before` at 1,000 ms, rewrites the file with `after`, and answers what is served at `ms`.
fn rewritten(tree: &Tree, before: &[u8], after: &[u8], ms: u64) -> Vec<u8> {
    tree.file("a.txt", before);
    assert_eq!(tree.get_at(1_000, "/a.txt").content, before);
    tree.file("a.txt", after);
    tree.get_at(ms, "/a.txt").content
}

#[test]
fn a_change_is_served_within_a_tenth_of_a_second() {
    // name, milliseconds after the first answer, what is served
    let rows: [(&str, u64, &[u8]); 5] = [
        ("at once: from memory", 0, b"old"),
        ("one below", 99, b"old"),
        ("at a tenth of a second: looked at", 100, b"new"),
        ("one above", 101, b"new"),
        ("much later", 1_000_000, b"new"),
    ];
    for (name, ms, expected) in rows {
        let tree = Tree::new();
        assert_eq!(
            rewritten(&tree, b"old", b"new", 1_000 + ms),
            expected,
            "{name}"
        );
    }
}

#[test]
fn the_size_that_is_kept() {
    // name, length, whether a rewritten file is still answered from memory 50 ms later
    let rows = [
        ("empty", 0, false),
        ("one octet", 1, true),
        ("one below the limit", 64 * KIB - 1, true),
        ("the limit", 64 * KIB, true),
        ("one above the limit", 64 * KIB + 1, false),
    ];
    for (name, length, kept) in rows {
        let tree = Tree::new();
        let (old, new) = (vec![b'o'; length], vec![b'n'; length]);
        let served = rewritten(&tree, &old, &new, 1_050);
        assert_eq!(served, if kept { old } else { new }, "{name}");
    }
}

#[test]
fn a_file_that_was_changed_just_now_is_not_kept() {
    let changed = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
    // name, the wall clock since the change, whether it is kept
    let rows = [
        ("at the change", Duration::ZERO, false),
        (
            "one below two seconds",
            Duration::from_nanos(1_999_999_999),
            false,
        ),
        ("two seconds", Duration::from_secs(2), true),
    ];
    for (name, since, kept) in rows {
        let mut tree = Tree::new();
        tree.set_wall(changed + since);
        tree.file("a.txt", "old");
        set_modified(&tree, changed);
        assert_eq!(tree.get_at(0, "/a.txt").content, b"old");
        tree.file("a.txt", "new");
        let expected: &[u8] = if kept { b"old" } else { b"new" };
        assert_eq!(tree.get_at(50, "/a.txt").content, expected, "{name}");
    }
}

#[test]
fn a_file_in_the_future_is_not_kept() {
    let mut tree = Tree::new();
    tree.set_wall(SystemTime::UNIX_EPOCH + Duration::from_secs(1));
    assert_eq!(rewritten(&tree, b"old", b"new", 1_000), b"new");
}

#[cfg(unix)]
#[test]
fn a_modification_time_that_was_set_back_does_not_hide_a_change() {
    let tree = Tree::new();
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
    tree.file("a.txt", "old");
    set_modified(&tree, time);
    assert_eq!(tree.get_at(0, "/a.txt").content, b"old");
    tree.file("a.txt", "new");
    set_modified(&tree, time);
    assert_eq!(tree.get_at(100, "/a.txt").content, b"new");
}

#[test]
fn what_is_deleted_is_gone_within_a_tenth_of_a_second() {
    let tree = Tree::new();
    tree.file("a.txt", "here");
    assert_eq!(tree.get_at(0, "/a.txt").status, 200);
    fs::remove_file(tree.path("a.txt")).expect("it can be removed");
    assert_eq!(tree.get_at(99, "/a.txt").status, 200);
    assert_eq!(tree.get_at(100, "/a.txt").status, 404);
}

#[test]
fn a_folder_and_a_file_asked_alike_are_not_mixed_up() {
    let tree = Tree::new();
    tree.file("d/index.html", "index");
    assert_eq!(tree.get_at(0, "/d/").content, b"index");
    assert_eq!(tree.get_at(0, "/d").status, 308);
    tree.file("f", "file");
    assert_eq!(tree.get_at(0, "/f").content, b"file");
    assert_eq!(tree.get_at(0, "/f/").status, 404);
}

#[test]
fn an_answer_from_memory_says_what_the_first_one_said() {
    let tree = Tree::new();
    tree.file("a.css", "body{}");
    let first = tree.get_at(0, "/a.css");
    for ms in [1, 100, 200] {
        let again = tree.get_at(ms, "/a.css");
        assert_eq!(
            (again.status, &again.fields, &again.content),
            (200, &first.fields, &first.content),
            "{ms}"
        );
    }
}

#[test]
fn more_files_than_are_kept_are_all_served() {
    let tree = Tree::new();
    // 1,100 files of 64 KiB are a little more than the 64 MiB that are kept.
    let content = |number: u32| {
        let mut content = vec![b'.'; 64 * KIB];
        content[..4].copy_from_slice(&number.to_le_bytes());
        content
    };
    for number in 0..1_100 {
        tree.file(&format!("{number}.bin"), content(number));
    }
    for number in (0..1_100).chain((0..1_100).step_by(50)) {
        let answer = tree.get_at(0, &format!("/{number}.bin"));
        assert!(answer.content == content(number), "{number}");
    }
}

fn set_modified(tree: &Tree, time: SystemTime) {
    let file = File::options()
        .write(true)
        .open(tree.path("a.txt"))
        .expect("it can be opened");
    file.set_modified(time).expect("its time can be set");
}
