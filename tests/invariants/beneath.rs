//! Both ways of opening below a root give the same result, whatever symlinks there are and
//! whichever are followed: the same file or the same refusal, and never a file outside, unless all
//! are followed. When none is followed, a symlink is refused and nothing else; when those inside
//! are, a path is opened exactly when the system's own walk opens it and never leaves the root on
//! its way.
//!
//! The input is lines. `f PATH` makes a file below the root, `d PATH` a folder, `l PATH`, a tab and
//! a target a symlink; missing folders on the way are made, too. An absolute target starts at the
//! folder that holds the root, and `outside/secret` beside it. Any other line is a path that is
//! asked for when the tree stands. What cannot be made is left out.

use crate::support::temporary::Temporary;
use doorstep::internals::sys::beneath::{OpenError, Root, Strategy, Symlinks};
use std::ffi::OsStr;
use std::fs::{self, File, Metadata};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::{Path, PathBuf};

/// Bytes of an input that are read: enough for more symlinks than are followed on one way.
const INPUT_MAX: usize = 1024;
/// Bytes of a symlink's target. Forty such targets have fewer components than the walk takes in
/// all, where it gives up and the kernel does not.
const TARGET_MAX: usize = 160;

/// Device and inode.
type Place = (u64, u64);
/// Which file was opened or seen, or the error's name.
type Answer = Result<Place, String>;

/// Panics when the sentence above does not hold for this tree and these paths.
pub fn check(bytes: &[u8]) {
    let tree = Tree::plant();
    let mut paths = Vec::new();
    for line in bytes[..bytes.len().min(INPUT_MAX)].split(|&byte| byte == b'\n') {
        match line {
            [b'f', b' ', path @ ..] => tree.make(path, |path| File::create_new(path).map(drop)),
            [b'd', b' ', path @ ..] => tree.make(path, |path| fs::create_dir(path)),
            [b'l', b' ', link @ ..] => tree.link(link),
            path => paths.push(path),
        }
    }
    let root = tree.base.join("root");
    let mut below = Vec::new();
    collect(&root, &mut below);
    let policies = [Symlinks::Inside, Symlinks::None, Symlinks::All];
    let roots = policies.map(|symlinks| open(&root, symlinks));
    for path in paths {
        let shown = path.escape_ascii();
        let [inside, none, all] = [0, 1, 2].map(|at| one_answer(&roots[at], policies[at], path));
        if !is_clean(path) {
            for answer in [inside, none, all] {
                assert_eq!(answer, Err("InvalidPath".into()), "{shown}");
            }
            continue;
        }
        assert_eq!(none, plain(&root, path), "{shown}: no symlink is followed");
        let system = fs::metadata(root.join(OsStr::from_bytes(path)));
        assert_eq!(
            all.clone().ok(),
            system.ok().map(|file| place(&file)),
            "{shown}: all are"
        );
        if let Ok(place) = &inside {
            assert!(below.contains(place), "{shown}: outside the root");
        }
        // As long as it does not leave the root, a path is the system's.
        if inside != Err("Escapes".into()) {
            assert_eq!(inside, all, "{shown}: those inside are followed");
        }
        if none != Err("Symlink".into()) {
            assert_eq!(none, inside, "{shown}: there is no symlink");
        }
    }
}

/// The root, opened each way that this system has.
fn open(path: &Path, symlinks: Symlinks) -> Vec<Root> {
    let best = Root::open(path).expect("a root");
    let mut roots = vec![Root::open_with(path, Strategy::Walk).expect("a root")];
    if best.strategy() != Strategy::Walk {
        roots.push(best);
    }
    roots
        .into_iter()
        .map(|root| root.symlinks(symlinks))
        .collect()
}

/// The one result of opening and of asking for metadata, on every root.
fn one_answer(roots: &[Root], symlinks: Symlinks, path: &[u8]) -> Answer {
    let mut answers = Vec::new();
    for root in roots {
        answers.push(named(root.metadata_beneath(path)));
        // Anywhere in the system there may be a device, so only its metadata is asked for.
        if symlinks != Symlinks::All {
            let opened = root.open_beneath(path);
            answers.push(named(opened.map(|file| file.metadata().expect("metadata"))));
        }
    }
    let first = answers[0].clone();
    let is_one = answers.iter().all(|answer| *answer == first);
    assert!(is_one, "{symlinks:?} {}: {answers:?}", path.escape_ascii());
    first
}

fn named(answer: Result<Metadata, OpenError>) -> Answer {
    answer
        .map(|file| place(&file))
        .map_err(|error| format!("{error:?}"))
}

/// The result for a path when each name of it is looked at by itself, and a symlink is an error.
fn plain(root: &Path, path: &[u8]) -> Answer {
    let mut at = root.to_owned();
    let mut found = fs::symlink_metadata(&at).expect("a root");
    for name in path
        .split(|&byte| byte == b'/')
        .filter(|name| !name.is_empty())
    {
        at.push(OsStr::from_bytes(name));
        found = fs::symlink_metadata(&at).map_err(|_| "NotFound")?;
        if found.is_symlink() {
            return Err("Symlink".into());
        }
    }
    Ok(place(&found))
}

/// Components that are names, joined by `/`.
fn is_clean(path: &[u8]) -> bool {
    let mut names = path.split(|&byte| byte == b'/');
    path.is_empty() || names.all(|name| !matches!(name, b"" | b"." | b"..") && !name.contains(&0))
}

fn place(file: &Metadata) -> Place {
    (file.dev(), file.ino())
}

/// The folder and everything below it.
fn collect(path: &Path, places: &mut Vec<Place>) {
    let file = fs::symlink_metadata(path).expect("it was listed");
    places.push(place(&file));
    if file.is_dir() {
        for entry in fs::read_dir(path).expect("a folder") {
            collect(&entry.expect("an entry").path(), places);
        }
    }
}

/// A folder with an empty `root` and `outside/secret`, removed when it is dropped.
struct Tree {
    base: Temporary,
}

impl Tree {
    fn plant() -> Tree {
        let base = Temporary::folder();
        let tree = Tree { base };
        fs::create_dir(tree.base.join("root")).expect("a folder");
        fs::create_dir(tree.base.join("outside")).expect("a folder");
        fs::write(tree.base.join("outside/secret"), "SECRET").expect("a file");
        tree
    }

    /// Makes something below the root, if its path is clean and no symlink is on the way, which may
    /// lead anywhere.
    fn make(&self, path: &[u8], make: impl Fn(&Path) -> io::Result<()>) {
        if path.is_empty() || !is_clean(path) {
            return;
        }
        let mut at = self.base.join("root");
        let mut names = path.split(|&byte| byte == b'/').peekable();
        while let Some(name) = names.next() {
            at.push(OsStr::from_bytes(name));
            if names.peek().is_none() {
                // It may exist already, or have too long a name.
                let _ = make(&at);
            } else if !fs::symlink_metadata(&at).is_ok_and(|file| file.is_dir())
                && fs::create_dir(&at).is_err()
            {
                return;
            }
        }
    }

    /// Makes a symlink, from its path, a tab and its target.
    fn link(&self, link: &[u8]) {
        let mut parts = link.splitn(2, |&byte| byte == b'\t');
        let (Some(path), Some(target)) = (parts.next(), parts.next()) else {
            return;
        };
        if target.len() > TARGET_MAX {
            return;
        }
        let target = match target {
            [b'/', rest @ ..] => self.base.join(Path::new(OsStr::from_bytes(rest))),
            _ => PathBuf::from(OsStr::from_bytes(target)),
        };
        self.make(path, |path| symlink(&target, path));
    }
}
