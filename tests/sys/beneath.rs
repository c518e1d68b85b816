//! Opening beneath a root: one table of trees and questions for every strategy.

use crate::harness::Tree;
use doorstep::internals::sys::beneath::{OpenError, Root, Strategy};
use std::io::Read;
use std::path::Path;

/// Every strategy that this system has.
pub fn strategies(root: &Path) -> Vec<Strategy> {
    #[cfg(target_os = "linux")]
    {
        let best = Root::open(root).expect("a root").strategy();
        if best == Strategy::Kernel {
            return vec![Strategy::Kernel, Strategy::Walk];
        }
        println!("SKIPPED openat2: this kernel or its filter does not offer it");
    }
    let _ = root;
    vec![Strategy::Walk]
}

/// The outcome, as one word, or the text of the file.
pub fn answer(root: &Root, path: &[u8]) -> String {
    match root.open_beneath(path) {
        Ok(mut file) => {
            let kind = file.metadata().expect("metadata");
            if kind.is_dir() {
                return "<folder>".to_owned();
            }
            if !kind.is_file() {
                return "<other>".to_owned();
            }
            let mut text = String::new();
            file.read_to_string(&mut text).expect("a text");
            text
        }
        Err(OpenError::Io(error)) => format!("<{error}>"),
        Err(error) => format!("<{error:?}>"),
    }
}

fn ask(tree: &Tree, root: &str, rows: &[(&str, &str, &str)]) {
    let path = tree.at(root);
    for strategy in strategies(&path) {
        let root = Root::open_with(&path, strategy).expect("a root");
        for (question, name, expected) in rows {
            assert_eq!(
                &answer(&root, name.as_bytes()),
                expected,
                "{strategy:?}: {question}"
            );
        }
    }
}

#[test]
fn files_and_folders() {
    let tree = Tree::plant();
    // Where paths are limited to 260 characters by custom, no name gets near 255.
    let long = "n".repeat(if cfg!(windows) { 100 } else { 255 });
    tree.file("root/file", "text")
        .file("root/a/b/c/deep", "deep text")
        .file("root/ü ñ", "utf-8")
        .file(&format!("root/{long}"), "long")
        .file("beside", "outside")
        .folder("root/empty");
    let longer = "n".repeat(256);
    ask(
        &tree,
        "root",
        &[
            ("a plain file", "file", "text"),
            ("a nested file", "a/b/c/deep", "deep text"),
            ("the root itself", "", "<folder>"),
            ("a folder", "a/b", "<folder>"),
            ("an empty folder", "empty", "<folder>"),
            ("octets past ASCII", "ü ñ", "utf-8"),
            ("missing", "nothing", "<NotFound>"),
            ("missing on the way", "nothing/file", "<NotFound>"),
            ("a file on the way", "file/a", "<NotFound>"),
            ("a long name", &long, "long"),
            ("a name of 256 octets", &longer, "<NotFound>"),
        ],
    );
}

#[test]
fn unclean_paths_are_invalid() {
    let tree = Tree::plant();
    tree.file("root/a/file", "text").file("beside", "outside");
    let names = [
        "/",
        "/a",
        "a/",
        "a//file",
        ".",
        "..",
        "a/.",
        "a/..",
        "./a",
        "../beside",
        "a/../a/file",
        "a/./file",
        "\0",
        "a\0",
        "a/\0/file",
        "a/file/",
        "//",
    ];
    let rows: Vec<_> = names
        .iter()
        .map(|&name| (name, name, "<InvalidPath>"))
        .collect();
    ask(&tree, "root", &rows);
    ask(
        &tree,
        "root",
        &[
            #[cfg(unix)]
            ("three dots are a name", "...", "<NotFound>"),
            ("so is this", "..a", "<NotFound>"),
        ],
    );
}

#[cfg(unix)]
#[test]
fn names_that_are_special_elsewhere_are_plain_here() {
    let tree = Tree::plant();
    for name in ["C:", "a\\b", "CON", "x.", "x ", "~", "a\nb", "\u{7f}"] {
        tree.file(&format!("root/{name}"), name);
        ask(&tree, "root", &[("a plain name", name, name)]);
    }
}

#[cfg(windows)]
#[test]
fn names_that_windows_reads_in_its_own_way() {
    let tree = Tree::plant();
    tree.file("root/x", "text");
    for name in [
        "C:",
        "C:x",
        "x:stream",
        "x::$DATA",
        "a\\b",
        "..\\x",
        "CON",
        "con",
        "Con.txt",
        "PRN",
        "AUX",
        "NUL",
        "nul.tar.gz",
        "COM1",
        "com9.x",
        "LPT1",
        "lpt9",
        "x.",
        "x ",
        "x. .",
        "CON ",
        "a/NUL/b",
        "COM\u{b9}",
        "CONIN$",
        "conout$",
        "NUL .txt",
    ] {
        ask(&tree, "root", &[(name, name, "<InvalidPath>")]);
    }
    for name in ["COM0x", "CONS", "NULL", "x.y"] {
        ask(&tree, "root", &[(name, name, "<NotFound>")]);
    }
}

#[cfg(unix)]
mod unix {
    use super::*;
    use std::fs;
    use std::sync::atomic::{AtomicBool, Ordering};

    #[test]
    fn links() {
        let tree = Tree::plant();
        let root = tree.at("root");
        tree.file("root/file", "text")
            .file("root/a/b/file", "deep text")
            .file("outside/secret", "SECRET")
            .file("rootlike", "SECRET")
            .link("root/inside", "a/b/file")
            .link("root/chain", "chain2")
            .link("root/chain2", "./a/../chain3")
            .link("root/chain3", "inside")
            .link("root/a/b/up", "../../file")
            .link("root/a/b/up-and-back", "../../../root/file")
            .link("root/folder", "a")
            .link("root/folder-slash", "a/")
            .link("root/file-slash", "file/")
            .link("root/file-dot", "file/.")
            .link("root/file-up", "file/../file")
            .link("root/dot", ".")
            .link("root/dot-dot", "..")
            .link("root/a/to-root", "..")
            .link("root/a/to-root-slash", "../")
            .link("root/out", "../outside/secret")
            .link("root/out-folder", "../outside")
            .link("root/out-later", "a/b/../../../outside/secret")
            .link("root/out-nowhere", "../nothing")
            .link("root/absolute-in", root.join("file"))
            .link("root/absolute-out", tree.at("outside/secret"))
            .link("root/absolute-folder", tree.at("outside"))
            .link("root/absolute-root", "/")
            .link("root/to-absolute", "absolute-in")
            .link("root/to-nothing", "nothing")
            .link("root/through-file", "file/x")
            .link("root/slashes", "a//b///file")
            .link("root/loop", "loop")
            .link("root/loop-a", "loop-b")
            .link("root/loop-b", "loop-a")
            .link("root/loop-folder", "loop-folder/x");
        ask(
            &tree,
            "root",
            &[
                ("a link", "inside", "deep text"),
                ("a chain of links", "chain", "deep text"),
                ("up but inside", "a/b/up", "text"),
                ("up, out and back", "a/b/up-and-back", "<Escapes>"),
                ("a link to a folder", "folder", "<folder>"),
                ("a link on the way", "folder/b/file", "deep text"),
                ("a link with a slash", "folder-slash", "<folder>"),
                (
                    "on the way, with a slash",
                    "folder-slash/b/file",
                    "deep text",
                ),
                ("a file with a slash", "file-slash", "<NotFound>"),
                ("a file with a dot", "file-dot", "<NotFound>"),
                ("up from a file", "file-up", "<NotFound>"),
                ("to here", "dot", "<folder>"),
                ("through here", "dot/dot/dot/file", "text"),
                ("above the root", "dot-dot", "<Escapes>"),
                ("through above the root", "dot-dot/root/file", "<Escapes>"),
                ("to the root", "a/to-root", "<folder>"),
                ("to the root with a slash", "a/to-root-slash", "<folder>"),
                ("through the root", "a/to-root/file", "text"),
                (
                    "round and round",
                    "a/to-root/a/to-root/a/b/file",
                    "deep text",
                ),
                ("out", "out", "<Escapes>"),
                ("a folder outside", "out-folder", "<Escapes>"),
                ("through a folder outside", "out-folder/secret", "<Escapes>"),
                ("out after some steps", "out-later", "<Escapes>"),
                ("out to nothing", "out-nowhere", "<Escapes>"),
                ("absolute, though inside", "absolute-in", "<Escapes>"),
                ("absolute, outside", "absolute-out", "<Escapes>"),
                (
                    "through an absolute folder",
                    "absolute-folder/secret",
                    "<Escapes>",
                ),
                ("the root of all", "absolute-root", "<Escapes>"),
                ("a link to an absolute one", "to-absolute", "<Escapes>"),
                ("dangling", "to-nothing", "<NotFound>"),
                ("through a file", "through-file", "<NotFound>"),
                ("a link to a file, on the way", "inside/x", "<NotFound>"),
                ("several slashes", "slashes", "deep text"),
                ("a loop of one", "loop", "<Loop>"),
                ("a loop of two", "loop-a", "<Loop>"),
                ("through a loop", "loop-a/x", "<Loop>"),
                ("a loop that grows", "loop-folder", "<Loop>"),
            ],
        );
    }

    #[test]
    fn forty_links_and_no_more() {
        let tree = Tree::plant();
        tree.file("root/link0", "text");
        for link in 1..=41 {
            tree.link(&format!("root/link{link}"), format!("link{}", link - 1));
        }
        ask(
            &tree,
            "root",
            &[
                ("39 links", "link39", "text"),
                ("40 links", "link40", "text"),
                ("41 links", "link41", "<Loop>"),
            ],
        );
    }

    #[test]
    fn a_tree_deeper_than_a_path() {
        let tree = Tree::plant();
        tree.file(&format!("root/{}file", "d/".repeat(300)), "deep");
        let name = format!("{}file", "d/".repeat(300));
        ask(&tree, "root", &[("300 folders down", &name, "deep")]);
    }

    /// A path as long as the kernel takes is opened; a longer one is not, even if a file has it.
    #[cfg(target_os = "linux")]
    #[test]
    fn the_longest_path() {
        use std::os::fd::AsRawFd;
        let tree = Tree::plant();
        tree.folder("root");
        let name = "n".repeat(255);
        let mut folder = fs::File::open(tree.at("root")).expect("a folder");
        let at =
            |folder: &fs::File, name: &str| format!("/proc/self/fd/{}/{name}", folder.as_raw_fd());
        for _ in 0..15 {
            fs::create_dir(at(&folder, &name)).expect("a folder");
            folder = fs::File::open(at(&folder, &name)).expect("a folder");
        }
        let (last, past) = (&name[..], format!("x/{}", &name[..254]));
        fs::write(at(&folder, last), "text").expect("a file");
        fs::create_dir(at(&folder, "x")).expect("a folder");
        fs::write(at(&folder, &past), "too far").expect("a file");
        let start = format!("{name}/").repeat(15);
        let (last, past) = (start.clone() + last, start + &past);
        assert_eq!((last.len(), past.len()), (4095, 4096));
        let rows = [
            ("4095 octets", last.as_str(), "text"),
            ("4096", past.as_str(), "<NotFound>"),
        ];
        ask(&tree, "root", &rows);
    }

    #[test]
    fn special_files() {
        let tree = Tree::plant();
        tree.folder("root");
        let made = std::process::Command::new("mkfifo")
            .arg(tree.at("root/fifo"))
            .status();
        if made.is_ok_and(|status| status.success()) {
            // Would block until somebody writes, without O_NONBLOCK.
            ask(&tree, "root", &[("a FIFO", "fifo", "<other>")]);
        } else {
            println!("SKIPPED a FIFO: no mkfifo(1)");
        }
        let _socket = std::os::unix::net::UnixListener::bind(tree.at("root/socket"))
            .expect("a socket in the temporary folder");
        ask(
            &tree,
            "root",
            &[
                ("a socket", "socket", "<NotFound>"),
                ("through it", "socket/x", "<NotFound>"),
            ],
        );
    }

    #[test]
    fn unreadable_files() {
        use std::os::unix::fs::PermissionsExt;
        let tree = Tree::plant();
        tree.file("root/closed", "text")
            .file("root/blind/file", "text");
        tree.file("root/dark/file", "text")
            .link("root/through", "dark/../closed2");
        tree.file("root/closed2", "text");
        let set = |name: &str, mode| {
            fs::set_permissions(tree.at(name), fs::Permissions::from_mode(mode)).expect("a mode");
        };
        set("root/closed", 0);
        set("root/blind", 0o311); // names in it may be used, but not listed
        set("root/dark", 0o644);
        if fs::File::open(tree.at("root/closed")).is_ok() {
            println!("SKIPPED unreadable_files: root may open everything");
        } else {
            let rows = [
                ("an unreadable file", "closed", "<Denied>"),
                ("an unreadable folder", "blind", "<Denied>"),
                #[cfg(not(target_vendor = "apple"))]
                ("a file in an unreadable folder", "blind/file", "text"),
                (
                    "a file in a folder without search permission",
                    "dark/file",
                    "<Denied>",
                ),
                (
                    "up from a folder without search permission",
                    "through",
                    "<Denied>",
                ),
            ];
            ask(&tree, "root", &rows);
        }
        set("root/blind", 0o755);
        set("root/dark", 0o755);
    }

    #[test]
    fn the_root_itself_may_be_a_link() {
        let tree = Tree::plant();
        tree.file("real/file", "text")
            .file("beside", "SECRET")
            .link("root", "real");
        tree.link("real/out", "../beside")
            .link("absolute", tree.at("real"));
        for root in ["root", "absolute", "root/.", "real/../root"] {
            let rows = [("a file", "file", "text"), ("out", "out", "<Escapes>")];
            ask(&tree, root, &rows);
        }
    }

    #[test]
    fn a_root_must_be_a_folder() {
        let tree = Tree::plant();
        tree.file("file", "text");
        for name in ["file", "nothing", "file/x"] {
            Root::open(&tree.at(name)).expect_err(name);
        }
    }

    /// A folder on the way is swapped with a link to the outside, over and over, while files are
    /// opened through it: nothing outside is ever read.
    #[test]
    fn a_swap_never_opens_the_outside() {
        const OPENS: usize = 3000;
        let tree = Tree::plant();
        tree.file("root/a/b/file", "inside")
            .file("outside/b/file", "OUTSIDE");
        tree.file("root/plain", "inside")
            .file("outside-file", "OUTSIDE");
        tree.link("link-to-folder", "../outside")
            .link("link-to-file", "../outside-file");
        for strategy in strategies(tree.path()) {
            let root = Root::open_with(&tree.at("root"), strategy).expect("a root");
            let is_over = AtomicBool::new(false);
            let (mut opened, mut refused) = (0, 0);
            std::thread::scope(|scope| {
                scope.spawn(|| {
                    while !is_over.load(Ordering::SeqCst) {
                        // Each name is now the real thing, now nothing, now a link that leads out.
                        for (name, link) in [("a", "link-to-folder"), ("plain", "link-to-file")] {
                            let name = tree.at("root").join(name);
                            let (link, aside) = (tree.at(link), tree.at("aside"));
                            fs::rename(&name, &aside).expect("a rename");
                            fs::rename(&link, &name).expect("a rename");
                            std::thread::yield_now();
                            fs::rename(&name, &link).expect("a rename");
                            fs::rename(&aside, &name).expect("a rename");
                        }
                    }
                });
                for _ in 0..OPENS {
                    for name in ["a/b/file", "plain"] {
                        match answer(&root, name.as_bytes()).as_str() {
                            "inside" => opened += 1,
                            "<Escapes>" | "<NotFound>" => refused += 1,
                            other => {
                                is_over.store(true, Ordering::SeqCst);
                                panic!("{strategy:?} {name}: {other}");
                            }
                        }
                    }
                }
                is_over.store(true, Ordering::SeqCst);
            });
            println!("{strategy:?}: opened {opened}, refused {refused}");
            assert!(opened > 0, "nothing was ever there");
        }
    }
}

#[test]
fn a_root_knows_whether_it_is_current() {
    let tree = Tree::plant();
    tree.file("root/file", "old");
    for strategy in strategies(tree.path()) {
        let root = Root::open_with(&tree.at("root"), strategy).expect("a root");
        assert!(root.is_current());
        std::fs::rename(tree.at("root"), tree.at("moved")).expect("a rename");
        assert!(!root.is_current(), "moved away");
        tree.file("root/file", "new");
        assert!(!root.is_current(), "another folder of that name");
        assert!(Root::open(&tree.at("root")).expect("a root").is_current());
        std::fs::remove_dir_all(tree.at("root")).expect("removed");
        std::fs::rename(tree.at("moved"), tree.at("root")).expect("a rename");
        assert!(root.is_current(), "moved back");
    }
}

#[cfg(unix)]
#[test]
fn a_root_that_was_deleted_and_made_again_is_not_current() {
    let tree = Tree::plant();
    for strategy in strategies(tree.path()) {
        tree.file("root/file", "old");
        let root = Root::open_with(&tree.at("root"), strategy).expect("a root");
        std::fs::remove_dir_all(tree.at("root")).expect("removed");
        assert!(!root.is_current(), "deleted");
        tree.file("root/file", "new");
        assert!(!root.is_current(), "made again");
        assert_eq!(answer(&root, b"file"), "<NotFound>");
        let root = Root::open_with(&tree.at("root"), strategy).expect("a root");
        assert_eq!(answer(&root, b"file"), "new");
    }
}
