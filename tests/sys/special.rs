//! Files that are neither regular nor folders, or may not be read: nobody waits for them.
#![cfg(unix)]

use crate::beneath::{answer, strategies};
use crate::harness::{LOST, Tree};
use crate::metadata::seen;
use doorstep::internals::sys::beneath::Root;
use doorstep::internals::sys::read_dir::for_each;
use std::fs::{self, File, Permissions};
use std::ops::ControlFlow;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::process::Command;
use std::sync::mpsc::{TryRecvError, channel};

const LINUX: bool = cfg!(target_os = "linux");

/// Makes a file with a program of the system; false if that failed.
fn make(tree: &Tree, name: &str, program: &str, kind: &[&str]) -> bool {
    let output = Command::new(program).arg(tree.at(name)).args(kind).output();
    let is_made = output.is_ok_and(|output| output.status.success());
    if !is_made {
        println!("SKIPPED special: {program} {kind:?} does not work here");
    }
    is_made
}

/// The outcomes of opening, asking for metadata, and reading the names.
fn outcomes(root: &Root, name: &str) -> [String; 3] {
    let names = match root.open_beneath(name.as_bytes()) {
        Ok(file) => match for_each(&file, &mut |_, _| ControlFlow::Continue(())) {
            Ok(()) => "names".to_owned(),
            Err(error) => error.kind().to_string(),
        },
        Err(error) => format!("<{error:?}>"),
    };
    let name = name.as_bytes();
    [answer(root, name), seen(root, name), names]
}

/// A device is seen, and not opened; where it is opened, no reader has to wait for it.
#[cfg(target_os = "linux")]
#[test]
fn devices() {
    let tree = Tree::plant();
    tree.folder("root");
    // /dev/zero, and the terminal of the process, which waits for a line.
    for (name, kind) in [("zero", ["c", "1", "5"]), ("terminal", ["c", "5", "0"])] {
        if !make(&tree, &format!("root/{name}"), "mknod", &kind) {
            continue;
        }
        for strategy in strategies(tree.path()) {
            let root = Root::open_with(&tree.at("root"), strategy).expect("a root");
            let [opened, seen, names] = outcomes(&root, name);
            assert_eq!(seen, "<other>", "{strategy:?} {name}");
            // Without a terminal, or on a file system that allows no devices, it does not open.
            let expected = [
                ("<other>", "not a directory"),
                ("<NotFound>", "<NotFound>"),
                ("<Denied>", "<Denied>"),
            ];
            let outcome = (&*opened, &*names);
            assert!(
                expected.contains(&outcome),
                "{strategy:?} {name}: {outcome:?}"
            );
        }
    }
}

#[test]
fn nobody_waits() {
    let tree = Tree::plant();
    tree.folder("root/locked")
        .folder("root/listed")
        .file("root/listed/x", "");
    tree.file("root/unreadable", "text");
    let is_root = doorstep::os::is_root();
    // (name, opening, metadata, reading names)
    let mut rows: Vec<(&str, [&str; 3])> = Vec::new();
    if make(&tree, "root/fifo", "mkfifo", &[]) {
        tree.link("root/to-fifo", "fifo");
        let outcome = ["<other>", "<other>", "not a directory"];
        rows.extend([("fifo", outcome), ("to-fifo", outcome)]);
        // There is no name below it.
        rows.push(("fifo/x", ["<NotFound>", "<NotFound>", "<NotFound>"]));
    }
    // Bound by a short path, as a socket's may have 107 bytes at most.
    let _socket = match UnixListener::bind(tree.at("root/socket")) {
        Ok(socket) => {
            let look = if LINUX { "<other>" } else { "<NotFound>" };
            rows.push(("socket", ["<NotFound>", look, "<NotFound>"]));
            Some(socket)
        }
        Err(error) => {
            println!("SKIPPED special: no socket: {error}");
            None
        }
    };
    let set = |name, mode| {
        fs::set_permissions(tree.at(name), Permissions::from_mode(mode)).expect("permissions");
    };
    set("root/locked", 0o0);
    set("root/listed", 0o400);
    set("root/unreadable", 0o0);
    if is_root {
        println!("SKIPPED special: root may read every folder");
    } else {
        let (folder, file) = match LINUX {
            true => ("<folder>", "4 octets"),
            false => ("<Denied>", "<Denied>"),
        };
        rows.extend([
            ("locked", ["<Denied>", folder, "<Denied>"]),
            ("locked/x", ["<Denied>", "<Denied>", "<Denied>"]),
            ("unreadable", ["<Denied>", file, "<Denied>"]),
            // Its names can be read, but nothing of the files.
            ("listed", ["<folder>", "<folder>", "permission denied"]),
            ("listed/x", ["<Denied>", "<Denied>", "<Denied>"]),
        ]);
    }
    let ways = strategies(tree.path());
    let path = tree.at("root");
    let (answers, answered) = channel();
    let asking = std::thread::spawn(move || {
        for way in ways {
            let root = Root::open_with(&path, way).expect("a root");
            for (name, expected) in &rows {
                let outcomes = outcomes(&root, name);
                let row = format!("{way:?} {name}");
                answers
                    .send((row, outcomes, expected.map(str::to_owned)))
                    .expect("heard");
            }
        }
    });
    while let Ok((row, outcomes, expected)) = answered.recv_timeout(LOST) {
        assert_eq!(outcomes, expected, "{row}");
    }
    // The sender ends after the last row, and not while a row waits.
    assert_eq!(
        answered.try_recv(),
        Err(TryRecvError::Disconnected),
        "a call waits"
    );
    asking.join().expect("every row was asked");
    set("root/locked", 0o700);
    set("root/listed", 0o700);
    // Only a folder has names, however it was opened.
    let fifo = File::options()
        .read(true)
        .write(true)
        .open(tree.at("root/fifo"));
    if let Ok(fifo) = fifo {
        for_each(&fifo, &mut |_, _| ControlFlow::Continue(())).expect_err("a FIFO");
    }
}
