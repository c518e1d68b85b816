//! Which symlinks are followed: one table, each row asked under each policy of every strategy.

use crate::beneath::{answer, strategies};
use crate::harness::Tree;
use doorstep::internals::sys::beneath::{Root, Symlinks};

#[test]
fn other_files_are_the_same_under_each_policy() {
    let tree = Tree::plant();
    tree.file("root/file", "text")
        .file("root/a/b/file", "deep text");
    for strategy in strategies(tree.path()) {
        for symlinks in [Symlinks::Inside, Symlinks::None, Symlinks::All] {
            let root = Root::open_with(&tree.at("root"), strategy).expect("a root");
            let root = root.symlinks(symlinks);
            for (name, expected) in [
                ("file", "text"),
                ("a/b/file", "deep text"),
                ("a/b", "<folder>"),
                ("", "<folder>"),
                ("nothing", "<NotFound>"),
                ("file/x", "<NotFound>"),
                ("../root/file", "<InvalidPath>"),
                ("a/../file", "<InvalidPath>"),
                ("/file", "<InvalidPath>"),
            ] {
                let answer = answer(&root, name.as_bytes());
                assert_eq!(answer, expected, "{strategy:?} {symlinks:?} {name}");
            }
        }
    }
}

#[cfg(unix)]
mod unix {
    use super::*;
    use crate::metadata::seen;

    /// (request, outcome under Inside, None, All)
    type Row<'a> = (&'a str, [&'a str; 3]);

    fn ask(tree: &Tree, root: &str, rows: &[Row<'_>]) {
        let policies = [Symlinks::Inside, Symlinks::None, Symlinks::All];
        for strategy in strategies(tree.path()) {
            for (at, symlinks) in policies.into_iter().enumerate() {
                let root = Root::open_with(&tree.at(root), strategy).expect("a root");
                let root = root.symlinks(symlinks);
                for (name, expected) in rows {
                    let row = format!("{strategy:?} {symlinks:?} {name}");
                    let answer = answer(&root, name.as_bytes());
                    assert_eq!(answer, expected[at], "{row}");
                    let seen = seen(&root, name.as_bytes());
                    match answer.starts_with('<') {
                        true => assert_eq!(seen, answer, "{row}"),
                        false => assert_eq!(seen, format!("{} octets", answer.len()), "{row}"),
                    }
                }
            }
        }
    }

    const REFUSED: &str = "<Symlink>";
    const OUT: &str = "<Escapes>";
    const NOTHING: &str = "<NotFound>";
    const LOOP: &str = "<Loop>";

    #[test]
    fn inside_none_or_all() {
        let tree = Tree::plant();
        tree.file("root/file", "text")
            .file("root/a/b/file", "deep text")
            .file("outside/secret", "SECRET")
            .link("root/inside", "a/b/file")
            .link("root/chain", "inside")
            .link("root/folder", "a")
            .link("root/folder-slash", "a/")
            .link("root/dot", ".")
            .link("root/a/up", "../file")
            .link("root/up-and-back", "../root/file")
            .link("root/absolute", tree.at("root/file"))
            .link("root/out", "../outside/secret")
            .link("root/out-folder", "../outside")
            .link("root/out-absolute", tree.at("outside/secret"))
            .link("root/dangling", "nothing")
            .link("root/out-dangling", "../nothing")
            .link("root/loop", "loop")
            .link("root/through-file", "file/x");
        ask(
            &tree,
            "root",
            &[
                ("file", ["text"; 3]),
                ("inside", ["deep text", REFUSED, "deep text"]),
                ("chain", ["deep text", REFUSED, "deep text"]),
                ("folder", ["<folder>", REFUSED, "<folder>"]),
                ("folder/b/file", ["deep text", REFUSED, "deep text"]),
                ("folder/nothing", [NOTHING, REFUSED, NOTHING]),
                ("folder-slash", ["<folder>", REFUSED, "<folder>"]),
                ("dot", ["<folder>", REFUSED, "<folder>"]),
                ("dot/file", ["text", REFUSED, "text"]),
                ("a/up", ["text", REFUSED, "text"]),
                ("up-and-back", [OUT, REFUSED, "text"]),
                ("absolute", [OUT, REFUSED, "text"]),
                ("out", [OUT, REFUSED, "SECRET"]),
                ("out-folder", [OUT, REFUSED, "<folder>"]),
                ("out-folder/secret", [OUT, REFUSED, "SECRET"]),
                ("out-absolute", [OUT, REFUSED, "SECRET"]),
                ("dangling", [NOTHING, REFUSED, NOTHING]),
                ("dangling/x", [NOTHING, REFUSED, NOTHING]),
                ("out-dangling", [OUT, REFUSED, NOTHING]),
                ("loop", [LOOP, REFUSED, LOOP]),
                ("loop/x", [LOOP, REFUSED, LOOP]),
                ("through-file", [NOTHING, REFUSED, NOTHING]),
                ("inside/x", [NOTHING, REFUSED, NOTHING]),
                ("a/file", [NOTHING; 3]),
            ],
        );
    }

    /// Whoever chose the path of the root chose its symlinks, too.
    #[test]
    fn the_way_to_the_root_may_have_symlinks() {
        let tree = Tree::plant();
        tree.file("real/below/file", "text")
            .link("root", "real/below")
            .link("folder", "real");
        for root in ["root", "folder/below"] {
            ask(&tree, root, &[("file", ["text"; 3]), ("", ["<folder>"; 3])]);
        }
    }

    /// `/proc/self/root` and the like name nothing, and lead somewhere all the same.
    #[cfg(target_os = "linux")]
    #[test]
    fn magic_links_lead_out() {
        use std::os::fd::AsRawFd;
        let tree = Tree::plant();
        tree.file("file", "text");
        let file = std::fs::File::open(tree.at("file")).expect("a file");
        let name = file.as_raw_fd().to_string();
        let root = std::path::Path::new("/proc/self/fd");
        for strategy in strategies(tree.path()) {
            let ask = |symlinks| {
                let root = Root::open_with(root, strategy).expect("a root");
                answer(&root.symlinks(symlinks), name.as_bytes())
            };
            assert_eq!(ask(Symlinks::None), REFUSED, "{strategy:?}");
            assert_eq!(ask(Symlinks::All), "text", "{strategy:?}");
            let inside = ask(Symlinks::Inside);
            assert!([LOOP, OUT].contains(&&*inside), "{strategy:?}: {inside}");
        }
    }
}
