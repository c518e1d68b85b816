//! A folder and a file are swapped for symlinks that lead out, again and again, while names are
//! opened, looked at and listed.
#![cfg(unix)]

use crate::beneath::{answer, strategies};
use crate::harness::Tree;
use crate::metadata::seen;
use doorstep::internals::sys::beneath::{Root, Symlinks};
use doorstep::internals::sys::read_dir::for_each;
use std::collections::HashMap;
use std::fs;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};

/// Rounds at least; more of them, up to a bound, until each outcome was seen.
const LEAST: usize = 2000;
const MOST: usize = 200_000;

/// The names in a folder, or why it was not opened.
fn names(root: &Root, path: &str) -> String {
    let folder = match root.open_beneath(path.as_bytes()) {
        Ok(folder) => folder,
        Err(error) => return format!("<{error:?}>"),
    };
    let mut names = Vec::new();
    let read = for_each(&folder, &mut |name, _| {
        names.push(String::from_utf8_lossy(name).into_owned());
        ControlFlow::Continue(())
    });
    read.expect("names");
    names.join(" ")
}

/// Sets the flag when it is dropped, in a panic too.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

fn race(root: &Root, tree: &Tree, refused: &str) {
    let is_over = AtomicBool::new(false);
    let mut counts: HashMap<String, usize> = HashMap::new();
    let swap = || {
        for (name, link) in [("a", "link-to-folder"), ("plain", "link-to-file")] {
            let (name, link) = (tree.at("root").join(name), tree.at(link));
            let aside = tree.at("aside");
            for (from, to) in [
                (&name, &aside),
                (&link, &name),
                (&name, &link),
                (&aside, &name),
            ] {
                fs::rename(from, to).expect("a rename");
                std::thread::yield_now();
            }
        }
    };
    std::thread::scope(|scope| {
        let _over = Over(&is_over);
        scope.spawn(|| {
            while !is_over.load(Ordering::SeqCst) {
                swap();
            }
        });
        let wanted = ["inside", "file", "6 octets", refused, "<NotFound>"];
        for round in 0..MOST {
            let is_enough = wanted.iter().all(|wanted| counts.contains_key(*wanted));
            if round >= LEAST && is_enough {
                break;
            }
            for answer in [
                answer(root, b"a/b/file"),
                answer(root, b"plain"),
                seen(root, b"a/b/file"),
                seen(root, b"plain"),
                names(root, "a/b"),
            ] {
                // Whatever is followed, the kernel also refuses a file that is moved out of the
                // root while it is opened.
                let is_moved = answer == "<Escapes>";
                assert!(is_moved || wanted.contains(&&*answer), "{answer}");
                *counts.entry(answer).or_default() += 1;
            }
        }
        println!("{counts:?}");
        for wanted in wanted {
            assert!(counts.contains_key(wanted), "never {wanted}: {counts:?}");
        }
    });
}

#[test]
fn a_swap_never_shows_the_outside() {
    let tree = Tree::plant();
    tree.file("root/a/b/file", "inside")
        .file("root/plain", "inside")
        .file("outside/b/file", "OUTSIDE TEXT")
        .file("outside/b/SECRET", "")
        .file("outside-file", "OUTSIDE TEXT")
        .link("link-to-folder", "../outside")
        .link("link-to-file", "../outside-file");
    for strategy in strategies(tree.path()) {
        let policies = [
            (Symlinks::Inside, "<Escapes>"),
            (Symlinks::None, "<Symlink>"),
        ];
        for (symlinks, refused) in policies {
            println!("{strategy:?} {symlinks:?}");
            let root = Root::open_with(&tree.at("root"), strategy).expect("a root");
            race(&root.symlinks(symlinks), &tree, refused);
        }
    }
}
