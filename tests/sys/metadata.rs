//! The metadata of a name below a root, with every strategy.

#[cfg(target_os = "linux")]
use crate::beneath::answer;
use crate::beneath::strategies;
use crate::harness::Tree;
use doorstep::internals::sys::beneath::{OpenError, Root};

/// The outcome, as one word.
pub fn seen(root: &Root, path: &[u8]) -> String {
    match root.metadata_beneath(path) {
        Ok(metadata) if metadata.is_dir() => "<folder>".to_owned(),
        Ok(metadata) if metadata.is_file() => format!("{} octets", metadata.len()),
        Ok(metadata) if metadata.is_symlink() => "<symlink>".to_owned(),
        Ok(_) => "<other>".to_owned(),
        Err(OpenError::Io(error)) => format!("<{error}>"),
        Err(error) => format!("<{error:?}>"),
    }
}

fn ask(tree: &Tree, rows: &[(&str, &str, &str)]) {
    for strategy in strategies(tree.path()) {
        let root = Root::open_with(&tree.at("root"), strategy).expect("a root");
        for (question, name, expected) in rows {
            let seen = seen(&root, name.as_bytes());
            assert_eq!(&seen, expected, "{strategy:?}: {question}");
        }
    }
}

#[test]
fn files_and_folders() {
    let tree = Tree::plant();
    tree.file("root/file", "text")
        .file("root/a/b/empty", "")
        .file("beside", "outside");
    ask(
        &tree,
        &[
            ("a file", "file", "4 octets"),
            ("an empty file, further down", "a/b/empty", "0 octets"),
            ("a folder", "a/b", "<folder>"),
            ("the root itself", "", "<folder>"),
            ("missing", "nothing", "<NotFound>"),
            ("a file on the way", "file/x", "<NotFound>"),
            ("no clean path", "../beside", "<InvalidPath>"),
        ],
    );
}

#[cfg(unix)]
#[test]
fn a_symlink_has_the_metadata_of_its_target() {
    let tree = Tree::plant();
    tree.file("root/file", "text")
        .file("root/a/file", "longer text")
        .file("secret", "SECRET")
        .link("root/link", "file")
        .link("root/chain", "link")
        .link("root/folder", "a")
        .link("root/folder-slash", "a/")
        .link("root/dot", ".")
        .link("root/a/up", "..")
        .link("root/out", "../secret")
        .link("root/absolute", tree.at("root/file"))
        .link("root/nothing", "missing")
        .link("root/loop", "loop");
    ask(
        &tree,
        &[
            ("to a file", "link", "4 octets"),
            ("a chain", "chain", "4 octets"),
            ("to a folder", "folder", "<folder>"),
            ("to a folder, with a slash", "folder-slash", "<folder>"),
            ("through a folder", "folder/file", "11 octets"),
            ("to here", "dot", "<folder>"),
            ("up", "a/up", "<folder>"),
            ("out", "out", "<Escapes>"),
            ("absolute", "absolute", "<Escapes>"),
            ("dangling", "nothing", "<NotFound>"),
            ("a loop", "loop", "<Loop>"),
        ],
    );
}

/// Linux sees a file that it may not read; Windows sees one that another program has for itself,
/// but a test cannot take permissions away.
#[cfg(target_os = "linux")]
#[test]
fn an_unreadable_file_has_metadata() {
    use std::os::unix::fs::PermissionsExt;
    let tree = Tree::plant();
    tree.file("root/file", "text")
        .file("root/folder/file", "text");
    for name in ["file", "folder"] {
        let nobody = std::fs::Permissions::from_mode(0o0);
        std::fs::set_permissions(tree.at("root").join(name), nobody).expect("permissions");
    }
    ask(
        &tree,
        &[
            ("a file", "file", "4 octets"),
            ("a folder", "folder", "<folder>"),
        ],
    );
    let is_root = doorstep::os::is_root();
    for strategy in strategies(tree.path()) {
        let root = Root::open_with(&tree.at("root"), strategy).expect("a root");
        let (open, below) = (answer(&root, b"file"), seen(&root, b"folder/file"));
        if is_root {
            println!("SKIPPED an_unreadable_file_has_metadata: root reads everything");
            continue;
        }
        // A file below needs permission to search the folder.
        assert_eq!((&*open, &*below), ("<Denied>", "<Denied>"), "{strategy:?}");
    }
    // So that the tree can be removed.
    let all = std::fs::Permissions::from_mode(0o700);
    std::fs::set_permissions(tree.at("root/folder"), all).expect("permissions");
}

/// A socket cannot be opened at all, even by root; asking for its metadata does not open it.
#[cfg(target_os = "linux")]
#[test]
fn a_file_that_cannot_be_opened_has_metadata() {
    let tree = Tree::plant();
    tree.folder("root");
    let _socket = match std::os::unix::net::UnixListener::bind(tree.at("root/socket")) {
        Ok(socket) => socket,
        Err(error) => {
            println!("SKIPPED a_file_that_cannot_be_opened_has_metadata: {error}");
            return;
        }
    };
    tree.link("root/link", "socket");
    ask(
        &tree,
        &[
            ("a socket", "socket", "<other>"),
            ("by a link", "link", "<other>"),
        ],
    );
    for strategy in strategies(tree.path()) {
        let root = Root::open_with(&tree.at("root"), strategy).expect("a root");
        assert_eq!(answer(&root, b"socket"), "<NotFound>", "{strategy:?}");
    }
}
