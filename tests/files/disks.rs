//! What a request needs the disk for, shown by a server that lets no thread wait for one: a request
//! that needs it waits in a queue, any other is answered.

use crate::tree::Tree;
use doorstep::internals::files::disk::Disk;
use doorstep::internals::files::error::FileError;
use doorstep::internals::handler::{TestServer, by_server, is_queued};
use doorstep::internals::sys::beneath::Root;
use doorstep::{Files, Method, Now, Request, Response, TestRequest};
use std::fs;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

const KIB: usize = 1024;

/// The response at this time of a server where so many threads may wait for a disk.
fn send(files: &Files, share: usize, method: Method, ms: u64, target: &str) -> Response {
    by(
        files,
        share,
        asked(method, ms, target).header("Accept-Encoding", "gzip"),
    )
}

fn by(files: &Files, blocking_share: usize, request: TestRequest) -> Response {
    let server = TestServer {
        blocking_share,
        ..TestServer::default()
    };
    by_server(request, server).send(files)
}

fn asked(method: Method, ms: u64, target: &str) -> TestRequest {
    let now = Now {
        monotonic: Duration::from_millis(ms),
        // The year 2500: later than any file that a test writes.
        wall: SystemTime::UNIX_EPOCH + Duration::from_secs(16_725_225_600),
    };
    Request::test(method, target).at(now)
}

fn site(tree: &Tree) -> Files {
    tree.file("small", "s")
        .file("small.gz", "g")
        .file("large", vec![b'l'; 100 * KIB])
        .file("coded", "c")
        .file("coded.gz", vec![b'g'; 100 * KIB])
        .file("new", "n")
        .file("404.html", "not here")
        .folder("folder")
        .folder("mounted");
    let mounted = Files::new(tree.path("mounted")).expect("it is there");
    let files = Files::new(tree.path("")).expect("it is there");
    files.mount("docs", mounted)
}

/// (case, method, target, milliseconds, status; 0 for one that waits)
type Row = (&'static str, Method, &'static str, u64, u16);

/// All but `/new` were asked for at 1,000, when the root was compared with its path.
#[rustfmt::skip]
const ROWS: &[Row] = &[
    ("from memory", Method::Get, "/small", 1_099, 200),
    ("no longer fresh", Method::Get, "/small", 1_100, 0),
    ("a descriptor is looked at", Method::Get, "/large", 1_001, 0),
    ("that of a sidecar as well", Method::Get, "/coded", 1_001, 0),
    ("never read", Method::Get, "/new", 1_001, 0),
    ("nothing there, as is known, and its page", Method::Get, "/missing", 1_001, 404),
    ("nothing there, no longer known", Method::Get, "/missing", 1_100, 0),
    ("nothing known", Method::Get, "/unknown", 1_001, 0),
    ("a folder, by its slash", Method::Get, "/folder/", 1_001, 0),
    ("a folder, without it", Method::Get, "/folder", 1_001, 0),
    ("HEAD", Method::Head, "/large", 1_001, 0),
    ("a refused path, and its page", Method::Get, "/.env", 1_001, 404),
    ("a refused path, when its page is looked at", Method::Get, "/.env", 1_100, 0),
    ("no path at all", Method::Get, "/%00", 1_100, 400),
    ("another spelling", Method::Get, "/./small", 1_100, 308),
    ("a mount without its slash", Method::Get, "/docs", 1_100, 308),
    ("a mount, when its root is not compared", Method::Get, "/docs/", 1_100, 0),
    ("another method", Method::Post, "/large", 1_100, 405),
    ("OPTIONS", Method::Options, "/large", 1_100, 200),
];

#[test]
fn only_what_needs_the_disk_waits_for_it() {
    let tree = Tree::new();
    let files = site(&tree);
    for (name, method, target, ms, status) in ROWS {
        for (_, method, target, ..) in ROWS
            .iter()
            .filter(|row| row.2 != "/new" && row.2 != "/unknown")
        {
            assert!(
                !is_queued(&send(&files, 64, *method, 1_000, target)),
                "{target}"
            );
        }
        let response = send(&files, 0, *method, *ms, target);
        let got = if is_queued(&response) {
            0
        } else {
            response.status().code()
        };
        assert_eq!(got, *status, "{name}");
        // With room it is answered, whatever it has waited for.
        assert!(!is_queued(&send(&files, 1, *method, *ms, target)), "{name}");
    }
}

/// Not that of its file, which is in memory: a sidecar that cannot be looked for may be there.
#[test]
fn a_sidecar_is_waited_for() {
    let tree = Tree::new();
    let files = site(&tree);
    let plain = || asked(Method::Get, 1_000, "/small");
    let coded = || plain().header("Accept-Encoding", "gzip");
    assert_eq!(by(&files, 64, plain()).status().code(), 200);
    assert!(!is_queued(&by(&files, 0, plain())));
    assert!(is_queued(&by(&files, 0, coded())));
    let coded = by(&files, 1, coded()).into_content();
    assert_eq!(coded.expect("it is in memory"), b"g");
}

/// No 404 in its place, although that page is in memory.
#[test]
fn the_page_of_an_application_is_waited_for() {
    let tree = Tree::new();
    site(&tree);
    tree.file("app.html", vec![b'a'; 100 * KIB]);
    let files = Files::new(tree.path("")).expect("it is there");
    let files = files.spa("app.html");
    let get = |share, target| send(&files, share, Method::Get, 1_000, target);
    assert_eq!(get(64, "/missing").status().code(), 200);
    assert_eq!(get(64, "/missing.js").status().code(), 404);
    assert!(!is_queued(&get(0, "/missing.js")));
    assert!(is_queued(&get(0, "/missing")));
    assert_eq!(get(1, "/missing").status().code(), 200);
}

/// While threads wait for its disk, a root is compared with its path by none of the others: they go
/// on with the folder that they have, or with its absence.
#[test]
fn a_root_is_not_compared_while_its_disk_is_busy() {
    let tree = Tree::new();
    site(&tree);
    let site = tree.path("").components().collect::<std::path::PathBuf>();
    let moved = site.with_file_name("moved");
    let files = Files::new(&site).expect("it is there");
    let get = |share, ms| send(&files, share, Method::Get, ms, "/small");
    assert_eq!(
        send(&files, 64, Method::Get, 0, "/large").status().code(),
        200
    );
    assert_eq!(get(64, 60).status().code(), 200);
    fs::rename(&site, &moved).expect("it can be moved");
    assert_eq!(get(0, 120).status().code(), 200, "from memory");
    assert_eq!(get(1, 130).status().code(), 404, "the next one compares it");
    fs::rename(&moved, &site).expect("it can be moved");
    let away = get(0, 240);
    assert!(!is_queued(&away) && away.status().code() == 404, "{away:?}");
    assert_eq!(get(1, 240).status().code(), 200);
}

/// Bodies from descriptors are read inside of the gate, those in memory anywhere.
#[test]
fn bodies_from_descriptors_are_read_inside_of_the_gate() {
    let tree = Tree::new();
    let files = site(&tree);
    for (target, range, gated) in [
        ("/small", "", false),
        ("/large", "", true),
        ("/large", "bytes=1-2", true),
        ("/large", "bytes=0-0,90000-90001", true),
        ("/folder/", "", false),
    ] {
        let request = Request::test(Method::Get, target).header("Range", range);
        let shown = format!("{:?}", by(&files, 37, request));
        assert_eq!(
            shown.contains("most: 37"),
            gated,
            "{target} {range}: {shown}"
        );
    }
}

/// The descriptors of this process that lead to a file.
#[cfg(target_os = "linux")]
fn descriptors_of(path: &std::path::Path) -> Option<usize> {
    let all = fs::read_dir("/proc/self/fd").ok()?.flatten();
    let targets = all.filter_map(|entry| fs::read_link(entry.path()).ok());
    Some(targets.filter(|target| target == path).count())
}

/// One that leaves the gate closes what was given up while it was full.
#[cfg(target_os = "linux")]
#[test]
fn a_file_is_closed_inside_of_the_gate() {
    let tree = Tree::new();
    tree.file("a.txt", "a");
    let path = fs::canonicalize(tree.path("a.txt")).expect("it is there");
    let Some(0) = descriptors_of(&path) else {
        return crate::support::skipped("a_file_is_closed_inside_of_the_gate", "no /proc");
    };
    let root = Root::open(&tree.path("")).expect("it is there");
    let gate = Arc::default();
    let opened = {
        let disk = Disk::of(&gate, 1);
        disk.open(&root, b"a.txt").expect("it can be opened")
    };
    let busy = Disk::of(&gate, 1);
    busy.enter().expect("nobody is inside");
    let error = Disk::of(&gate, 1).open(&root, b"a.txt");
    assert_eq!(error.map(|_| ()), Err(FileError::Busy));
    drop(opened);
    assert_eq!(descriptors_of(&path), Some(1), "it waits for room");
    drop(busy);
    assert_eq!(descriptors_of(&path), Some(0));
    let opened = Disk::of(&gate, 1).open(&root, b"a.txt");
    assert_eq!(descriptors_of(&path), Some(1));
    drop(opened);
    assert_eq!(descriptors_of(&path), Some(0), "there is room");
}
