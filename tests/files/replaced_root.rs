//! The served folder deleted, created again, moved away: the path decides what is served, within
//! 100 ms.

use crate::tree::Tree;
use doorstep::Files;
#[cfg(unix)]
use doorstep::{Method, Now, Request};
use std::fs;
use std::io::ErrorKind;
#[cfg(unix)]
use std::time::{Duration, UNIX_EPOCH};

const GONE: &str = "the served folder is gone";

fn make_anew(tree: &Tree, content: &str) {
    fs::remove_dir_all(tree.path("")).expect("the site can be deleted");
    tree.file("index.html", content);
}

#[test]
fn a_folder_that_was_created_again_is_served() {
    let tree = Tree::new();
    tree.file("index.html", "first");
    assert_eq!(tree.get_at(0, "/").text(), "first");
    make_anew(&tree, "second");
    tree.file("new.txt", "new");
    let early = tree.get_at(99, "/new.txt").status;
    assert_eq!(early, 404, "the old folder, now empty, is still held");
    assert_eq!(tree.get_at(99, "/").text(), "first", "from memory");
    assert_eq!(tree.get_at(100, "/").text(), "second");
}

/// Files found a moment ago in the old folder say nothing of the new one.
#[cfg(unix)]
#[test]
fn nothing_is_known_of_a_new_folder() {
    let tree = Tree::new();
    tree.file("a.txt", "first");
    assert_eq!(tree.get_at(0, "/").status, 200);
    make_anew(&tree, "second");
    // Held as before: the old folder is gone, the new one is not there yet.
    tree.file("b.txt", "new");
    assert_eq!(tree.get_at(99, "/b.txt").status, 404);
    assert_eq!(tree.get_at(100, "/b.txt").text(), "new");

    let tree = Tree::new();
    tree.file("a.txt", "first");
    assert_eq!(tree.get_at(0, "/").status, 200);
    assert_eq!(tree.get_at(99, "/a.txt").text(), "first");
    make_anew(&tree, "second");
    tree.file("a.txt", "new");
    assert_eq!(tree.get_at(100, "/a.txt").text(), "new");
}

#[test]
fn a_folder_that_is_away_is_404_until_it_is_back() {
    let tree = Tree::new();
    tree.file("index.html", "first")
        .file("404.html", "not this page");
    assert_eq!(tree.get_at(0, "/").text(), "first");
    fs::rename(tree.path(""), tree.path("../moved")).expect("it can be moved");
    for ms in [100, 150, 200] {
        let answer = tree.get_at(ms, "/");
        assert_eq!((answer.status, answer.reason.as_str()), (404, GONE), "{ms}");
        assert!(answer.text().contains("<h1>404 "), "{ms}");
    }
    let base = tree.path("").parent().expect("it has one").to_path_buf();
    fs::write(base.join("site"), "a file in its place").expect("it can be written");
    assert_eq!(tree.get_at(300, "/").reason, GONE);
    fs::remove_file(base.join("site")).expect("it is there");
    fs::rename(base.join("moved"), base.join("site")).expect("it can be moved");
    assert_eq!(tree.get_at(399, "/").status, 404);
    assert_eq!(tree.get_at(400, "/").text(), "first");
}

/// Each request says what time it is, and a request that was made for a test may be earlier than
/// the last one.
#[test]
fn a_clock_of_another_origin_does_not_stop_the_comparison() {
    let tree = Tree::new();
    tree.file("index.html", "first");
    assert_eq!(tree.get_at(1_000_000, "/").text(), "first");
    make_anew(&tree, "second");
    assert_eq!(tree.get_at(0, "/").text(), "second");
}

/// How sites are released: `current` is a symlink that is set to another folder.
#[cfg(unix)]
#[test]
fn a_root_that_is_a_link_is_followed_when_it_changes() {
    let tree = Tree::new();
    tree.file("one/a.txt", "one")
        .file("two/a.txt", "two")
        .link("current", "one");
    let files = Files::new(tree.path("current")).expect("a link to a folder");
    let get = |ms| {
        let now = Now {
            monotonic: Duration::from_millis(ms),
            wall: UNIX_EPOCH,
        };
        let answer = Request::test(Method::Get, "/a.txt").at(now).send(&files);
        answer.into_content().expect("it can be read")
    };
    assert_eq!(get(0), b"one");
    tree.link("next", "two");
    fs::rename(tree.path("next"), tree.path("current")).expect("it can be replaced");
    assert_eq!(get(100), b"two");
}

#[cfg(unix)]
#[test]
fn a_root_that_has_become_a_loop_of_links_is_404_until_it_is_mended() {
    let tree = Tree::new();
    tree.file("index.html", "first");
    assert_eq!(tree.get_at(0, "/").text(), "first");
    let site = tree.path("").components().collect::<std::path::PathBuf>();
    let moved = site.with_file_name("moved");
    fs::rename(&site, &moved).expect("it can be moved");
    std::os::unix::fs::symlink("site", &site).expect("a symlink can be made");
    let answer = tree.get_at(100, "/");
    let reason = "the served folder is a loop of symlinks";
    assert_eq!((answer.status, answer.reason.as_str()), (404, reason));
    fs::remove_file(&site).expect("it is there");
    fs::rename(&moved, &site).expect("it can be moved");
    assert_eq!(tree.get_at(200, "/").text(), "first");
}

#[test]
fn only_a_folder_can_be_served() {
    let tree = Tree::new();
    tree.file("a.txt", "a");
    let kind = |path: &str| {
        let opened = Files::new(tree.path(path));
        opened.map(|_| ()).map_err(|error| error.kind())
    };
    assert_eq!(kind(""), Ok(()));
    assert_eq!(kind("missing"), Err(ErrorKind::NotFound));
    assert_eq!(kind("a.txt"), Err(ErrorKind::NotADirectory));
}
