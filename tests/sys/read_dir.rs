//! The names in a folder, read from its own descriptor.

use crate::beneath::strategies;
use crate::harness::Tree;
use doorstep::internals::sys::beneath::Root;
use doorstep::internals::sys::read_dir::{Kind, for_each};
use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::ops::ControlFlow;

/// Every name with its kind; a repeated name fails the test.
fn names(folder: &File) -> io::Result<BTreeMap<Vec<u8>, Kind>> {
    let mut names = BTreeMap::new();
    for_each(folder, &mut |name, kind| {
        let before = names.insert(name.to_vec(), kind);
        assert_eq!(before, None, "twice: {}", name.escape_ascii());
        ControlFlow::Continue(())
    })?;
    Ok(names)
}

fn folder(tree: &Tree, path: &str) -> File {
    let root = Root::open(tree.path()).expect("a root");
    root.open_beneath(path.as_bytes()).expect("a folder")
}

#[track_caller]
fn assert_names(folder: &File, expected: &[(&str, Kind)]) {
    let names = names(folder).expect("names");
    let found: Vec<_> = names
        .keys()
        .map(|name| name.escape_ascii().to_string())
        .collect();
    let mut wanted: Vec<_> = expected.iter().map(|(name, _)| name.to_string()).collect();
    wanted.sort();
    assert_eq!(found, wanted);
    for (name, kind) in expected {
        let found = names[name.as_bytes()];
        // A file system need not say.
        assert!(
            found == *kind || found == Kind::Unknown,
            "{name}: {found:?}"
        );
    }
}

#[test]
fn every_name_once_with_its_kind() {
    let tree = Tree::plant();
    tree.file("root/file", "text")
        .file("root/folder/below", "")
        .file("root/.hidden", "")
        .file("beside", "");
    // Windows ignores dots at the end of a name.
    if cfg!(unix) {
        tree.file("root/...", "");
    }
    for strategy in strategies(tree.path()) {
        let root = Root::open_with(&tree.at("root"), strategy).expect("a root");
        let folder = root.open_beneath(b"").expect("a folder");
        let mut expected = vec![
            ("file", Kind::File),
            ("folder", Kind::Folder),
            (".hidden", Kind::File),
        ];
        if cfg!(unix) {
            expected.push(("...", Kind::File));
        }
        assert_names(&folder, &expected);
        // The same once more: each call begins at the start.
        assert_names(&folder, &expected);
    }
}

#[test]
fn an_empty_folder_has_no_name() {
    let tree = Tree::plant();
    tree.folder("empty");
    assert_names(&folder(&tree, "empty"), &[]);
}

/// More than one call of the system returns.
#[test]
fn many_names_come_each_once() {
    let tree = Tree::plant();
    let expected: Vec<String> = (0..1500)
        .map(|at| format!("{at}-{}", "n".repeat(60)))
        .collect();
    for name in &expected {
        tree.file(&format!("root/{name}"), "");
    }
    let expected: Vec<_> = expected
        .iter()
        .map(|name| (name.as_str(), Kind::File))
        .collect();
    assert_names(&folder(&tree, "root"), &expected);
}

#[test]
fn a_callback_that_breaks_gets_no_more_names() {
    let tree = Tree::plant();
    for name in ["a", "b", "c", "d"] {
        tree.file(name, "");
    }
    let folder = folder(&tree, "");
    for enough in 1..=4 {
        let mut given = 0;
        for_each(&folder, &mut |_, _| {
            given += 1;
            if given == enough {
                return ControlFlow::Break(());
            }
            ControlFlow::Continue(())
        })
        .expect("names");
        assert_eq!(given, enough);
    }
}

#[test]
fn a_file_has_no_names() {
    let tree = Tree::plant();
    tree.file("file", "text");
    names(&folder(&tree, "file")).expect_err("a file");
}

/// A name in letters past ASCII, past 16 bits too.
#[test]
fn names_are_bytes() {
    let tree = Tree::plant();
    let name = "ü \u{1f600} 中";
    tree.file(&format!("root/{name}"), "");
    let names = names(&folder(&tree, "root")).expect("names");
    // A file system may take letters apart (macOS' older one did).
    if !cfg!(target_vendor = "apple") {
        assert_eq!(
            names.keys().next().map(Vec::as_slice),
            Some(name.as_bytes())
        );
    }
    assert_eq!(names.len(), 1);
}

#[cfg(unix)]
mod unix {
    use super::*;
    use std::ffi::OsStr;
    use std::fs;
    use std::os::unix::ffi::OsStrExt;

    #[test]
    fn names_of_any_bytes() {
        let tree = Tree::plant();
        tree.folder("root");
        let mut expected = Vec::new();
        for byte in (1..=255_u8).filter(|byte| *byte != b'/') {
            let name = [b'n', byte, b'n'];
            if fs::write(tree.at("root").join(OsStr::from_bytes(&name)), "").is_err() {
                // Some file systems accept only UTF-8.
                println!("SKIPPED names_of_any_bytes: no name with octet {byte}");
                continue;
            }
            expected.push(name.to_vec());
        }
        let longest = vec![b'n'; 255];
        fs::write(tree.at("root").join(OsStr::from_bytes(&longest)), "").expect("a file");
        expected.push(longest);
        expected.sort();
        let names = names(&folder(&tree, "root")).expect("names");
        assert_eq!(names.into_keys().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn a_symlink_is_one_wherever_it_leads() {
        let tree = Tree::plant();
        tree.file("root/file", "")
            .folder("root/folder")
            .link("root/to-file", "file")
            .link("root/to-folder", "folder")
            .link("root/to-nothing", "nothing")
            .link("root/loop", "loop")
            .link("root/out", "../..");
        assert_names(
            &folder(&tree, "root"),
            &[
                ("file", Kind::File),
                ("folder", Kind::Folder),
                ("to-file", Kind::Symlink),
                ("to-folder", Kind::Symlink),
                ("to-nothing", Kind::Symlink),
                ("loop", Kind::Symlink),
                ("out", Kind::Symlink),
            ],
        );
    }

    /// `/proc` and `/dev` always say what a name is.
    #[cfg(target_os = "linux")]
    #[test]
    fn kinds_as_the_kernel_says_them() {
        for (folder, name, expected) in [
            ("/proc/self", "status", Kind::File),
            ("/proc/self", "fd", Kind::Folder),
            ("/proc/self", "exe", Kind::Symlink),
            ("/dev", "null", Kind::Other),
        ] {
            let names = names(&File::open(folder).expect("a folder")).expect("names");
            assert_eq!(names[name.as_bytes()], expected, "{folder}/{name}");
        }
    }

    /// The opened folder is read, not the one that its path leads to by now.
    #[test]
    fn a_folder_that_was_moved_is_still_read() {
        let tree = Tree::plant();
        tree.file("root/a", "").file("outside/secret", "");
        let folder = folder(&tree, "root");
        fs::rename(tree.at("root"), tree.at("moved")).expect("a rename");
        assert_names(&folder, &[("a", Kind::File)]);
        tree.link("root", tree.at("outside"));
        assert_names(&folder, &[("a", Kind::File)]);
        fs::remove_dir_all(tree.at("moved")).expect("removed");
        // Nothing is left of it: some systems fail, others give no name.
        if let Ok(names) = names(&folder) {
            assert!(names.is_empty(), "{names:?}");
        }
    }

    /// Two readers of one descriptor do not take names from each other.
    #[test]
    fn two_readers_of_one_descriptor_do_not_interfere() {
        let tree = Tree::plant();
        for name in ["a", "b", "c"] {
            tree.file(name, "");
        }
        let folder = folder(&tree, "");
        let mut outer = 0;
        for_each(&folder, &mut |_, _| {
            outer += 1;
            assert_eq!(names(&folder).expect("names").len(), 3);
            ControlFlow::Continue(())
        })
        .expect("names");
        assert_eq!(outer, 3);
    }

    /// The reader's descriptor is closed, even when the callback breaks or panics.
    #[cfg(target_os = "linux")]
    #[test]
    fn no_descriptor_is_leaked() {
        use crate::harness::{child, is_child};
        if !is_child() {
            let output = child("entries::unix::no_descriptor_is_leaked").output();
            let output = output.expect("a process");
            assert!(output.status.success(), "{output:?}");
            return;
        }
        let tree = Tree::plant();
        tree.file("a", "");
        let folder = folder(&tree, "");
        let open = || fs::read_dir("/proc/self/fd").expect("a list").count();
        let before = open();
        for _ in 0..3 {
            names(&folder).expect("names");
            for_each(&folder, &mut |_, _| ControlFlow::Break(())).expect("names");
            let panicking = || for_each(&folder, &mut |_, _| panic!("planned"));
            std::panic::catch_unwind(panicking).expect_err("a panic");
            names(&File::open(tree.at("a")).expect("a file")).expect_err("a file");
        }
        assert_eq!(open(), before);
    }
}
