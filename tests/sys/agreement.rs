//! The two ways of opening beneath a root agree, on trees and paths that nobody thought of.
#![cfg(target_os = "linux")]

use crate::beneath::{answer, strategies};
use crate::harness::Tree;
use crate::metadata::seen;
use doorstep::internals::sys::beneath::{Root, Strategy as Way, Symlinks};
use proptest::prelude::*;
use std::io::Write;

/// So few names that links and paths often meet.
const NAME: &str = "[abc]";

#[derive(Clone, Debug)]
enum Entry {
    File(String),
    Folder(String),
    Link(String, String),
}

fn place() -> impl Strategy<Value = String> {
    proptest::collection::vec(NAME, 1..4).prop_map(|names| names.join("/"))
}

fn target() -> impl Strategy<Value = String> {
    let name = prop_oneof![
        6 => NAME.prop_map(String::from),
        3 => Just("..".to_owned()),
        1 => Just(".".to_owned()),
        1 => Just(String::new()),
    ];
    let names = proptest::collection::vec(name, 1..5).prop_map(|names| names.join("/"));
    names.prop_filter("a link needs a target", |target| !target.is_empty())
}

fn entry() -> impl Strategy<Value = Entry> {
    prop_oneof![
        place().prop_map(Entry::File),
        place().prop_map(Entry::Folder),
        (place(), target()).prop_map(|(place, target)| Entry::Link(place, target)),
        (place(), target()).prop_map(|(place, target)| Entry::Link(place, target)),
    ]
}

/// Makes what can be made; an earlier entry in the way of a later one stays.
fn grow(root: &std::path::Path, entries: &[Entry]) {
    for entry in entries {
        let (Entry::File(place) | Entry::Folder(place) | Entry::Link(place, _)) = entry;
        let path = root.join(place);
        // A parent may be a link to the outside; nothing is made there.
        let Some(parent) = path.parent() else {
            continue;
        };
        let is_inside = std::fs::create_dir_all(parent).is_ok()
            && parent
                .canonicalize()
                .is_ok_and(|parent| parent.starts_with(root));
        if !is_inside {
            continue;
        }
        let _ = match entry {
            // Never through an existing link.
            Entry::File(place) => std::fs::File::create_new(&path)
                .and_then(|mut file| file.write_all(place.as_bytes())),
            Entry::Folder(_) => std::fs::create_dir_all(&path),
            Entry::Link(_, target) => std::os::unix::fs::symlink(target, &path),
        };
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..Default::default() })]

    #[test]
    fn both_strategies_agree(
        entries in proptest::collection::vec(entry(), 1..12),
        paths in proptest::collection::vec(place(), 1..12),
    ) {
        let tree = Tree::plant();
        tree.folder("root").file("a", "OUTSIDE").file("b/a", "OUTSIDE");
        let path = tree.at("root").canonicalize().expect("a path");
        grow(&path, &entries);
        for symlinks in [Symlinks::Inside, Symlinks::None, Symlinks::All] {
            let roots: Vec<_> = strategies(&path)
                .into_iter()
                .map(|way| Root::open_with(&path, way).expect("a root").symlinks(symlinks))
                .collect();
            for path in &paths {
                let answers: Vec<_> = roots
                    .iter()
                    .map(|root| (answer(root, path.as_bytes()), seen(root, path.as_bytes())))
                    .collect();
                let is_inside = symlinks == Symlinks::All || answers.iter().all(|(answer, _)| answer != "OUTSIDE");
                prop_assert!(is_inside, "{symlinks:?} {path}: {answers:?}");
                prop_assert!(answers.windows(2).all(|two| two[0] == two[1]), "{symlinks:?} {path}: {answers:?}");
                for (answer, seen) in &answers {
                    // What can be opened has metadata, and a refusal is the same for both.
                    let is_refused = answer.starts_with('<');
                    prop_assert!(is_refused == seen.starts_with('<'), "{symlinks:?} {path}: {answers:?}");
                    prop_assert!(!is_refused || answer == seen, "{symlinks:?} {path}: {answers:?}");
                }
            }
            prop_assert!(roots.iter().any(|root| root.strategy() == Way::Walk));
        }
    }
}
