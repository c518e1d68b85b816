//! Each status that the file service can send, its headers, and its page.

use crate::tree::{Answer, Tree};
use doorstep::Method;
use doorstep::internals::files::error::FileError;
use doorstep::internals::files::respond::error_page;
use doorstep::internals::sys::beneath::OpenError;
use std::io;

const ALLOW: &str = "GET, HEAD, OPTIONS";

fn method(token: &str) -> Method {
    Method::from_token(token.as_bytes()).expect("a token")
}

/// (method, target, status, reason, Allow)
#[rustfmt::skip]
const ROWS: &[(&str, &str, u16, &str, &str)] = &[
    ("GET", "/a.txt", 200, "", ""),
    ("HEAD", "/a.txt", 200, "", ""),
    // RFC 9110 §9.3.7
    ("OPTIONS", "/a.txt", 200, "", ALLOW),
    ("OPTIONS", "/missing", 200, "", ALLOW),
    ("OPTIONS", "*", 200, "", ALLOW),
    ("GET", "/folder", 308, "", ""),
    ("HEAD", "/folder", 308, "", ""),
    ("GET", "/%", 400, "% without two hexadecimal digits in the path", ""),
    ("GET", "/a.txt%0", 400, "% without two hexadecimal digits in the path", ""),
    ("GET", "/%zz/x", 400, "% without two hexadecimal digits in the path", ""),
    ("GET", "/%00", 400, "NUL in the path", ""),
    ("GET", "/a.txt%00.html", 400, "NUL in the path", ""),
    ("GET", "/missing", 404, "no such file", ""),
    ("GET", "/folder/", 200, "", ""),
    ("GET", "/a.txt/", 404, "a file was asked with a slash behind its name", ""),
    ("GET", "/.env", 404, "hidden file", ""),
    ("GET", "/..", 404, "segment .. in the path", ""),
    ("GET", "/./a.txt", 308, "", ""),
    ("GET", "/%2e/a.txt", 404, "segment . in the path", ""),
    ("GET", "/.", 404, "segment . in the path", ""),
    ("GET", "//a.txt", 404, "double slash in the path", ""),
    ("GET", "/a%0a", 404, if cfg!(windows) { "control character in the path" } else { "no such file" }, ""),
    ("GET", "/folder%2fa", 404, "encoded slash in the path", ""),
    ("GET", "/folder\\a", 404, "backslash in the path", ""),
    // RFC 9110 §15.5.6
    ("POST", "/a.txt", 405, "files are only read", ALLOW),
    ("PUT", "/missing", 405, "files are only read", ALLOW),
    ("DELETE", "/a.txt", 405, "files are only read", ALLOW),
    ("PATCH", "/a.txt", 405, "files are only read", ALLOW),
    ("TRACE", "/a.txt", 405, "files are only read", ALLOW),
    ("CONNECT", "localhost:80", 405, "files are only read", ALLOW),
    // RFC 9110 §15.6.2
    ("BREW", "/a.txt", 501, "unknown method", ""),
    ("get", "/a.txt", 501, "unknown method", ""),
];

#[test]
fn each_status_has_its_cause() {
    let tree = Tree::new();
    tree.file("a.txt", "a").folder("folder");
    for (token, target, status, reason, allow) in ROWS {
        let answer = tree.send(method(token), target);
        let got = (
            answer.status,
            answer.reason.as_str(),
            answer.header_value("Allow"),
        );
        assert_eq!(got, (*status, *reason, *allow), "{token} {target}");
        let page = answer.text().contains(&format!("<h1>{status} "));
        assert_eq!(page, *status >= 400, "{token} {target}: {answer:?}");
        let stored = answer.header_value("Cache-Control") != "no-store";
        assert_eq!(stored, *status < 400, "{token} {target}: {answer:?}");
    }
    assert_eq!(tree.send(Method::Options, "*").length, 0);
}

#[test]
fn a_missing_page_has_three_forms() {
    let tree = Tree::new();
    let missing = |expected: &str| {
        for target in ["/missing", "/deep/er/missing/", "/.hidden", "/..%2f"] {
            let answer = tree.get(target);
            assert_eq!(answer.status, 404, "{target}");
            assert!(answer.text().contains(expected), "{target}: {answer:?}");
            assert_eq!(
                answer.header_value("Content-Type"),
                "text/html; charset=utf-8"
            );
            assert_eq!(answer.header_value("Cache-Control"), "no-store");
            let validators = (
                answer.header_value("ETag"),
                answer.header_value("Last-Modified"),
            );
            assert_eq!(validators, ("", ""), "{target}");
        }
    };
    missing("<h1>404 Not Found</h1>");
    tree.file("error.html", "the second page");
    missing("the second page");
    tree.file("404.html", "the first page");
    missing("the first page");
    // Asked for by its name it is a page like any other.
    assert_eq!(tree.get("/404.html").status, 200);
    // Only the root's page, not a folder's.
    tree.file("folder/404.html", "the folder's page");
    assert_eq!(tree.get("/folder/missing").text(), "the first page");
    // A 400 is not a 404.
    assert!(tree.get("/%00").text().contains("<h1>400 "));
}

#[test]
fn an_error_page_that_is_not_a_file_is_skipped() {
    let tree = Tree::new();
    tree.folder("404.html")
        .file("error.html", "the second page");
    assert_eq!(tree.get("/missing").text(), "the second page");
}

#[cfg(unix)]
#[test]
fn an_error_page_outside_the_root_is_not_shown() {
    let tree = Tree::new();
    tree.outside("secret", "SECRET")
        .link("404.html", "../secret");
    let answer = tree.get("/missing");
    assert!(answer.text().contains("<h1>404 "), "{answer:?}");
    assert_eq!(answer.reason, "no such file");
}

/// An error of the system, and its response.
#[test]
fn each_system_error_has_its_response() {
    let io = |code| OpenError::Io(io::Error::from_raw_os_error(code));
    let (no_descriptors, failed) = ("no file descriptor left", "the file could not be opened");
    let unknown_name = "a name that the system does not take";
    let mut rows = vec![
        (OpenError::NotFound, 404, "no such file"),
        (OpenError::Escapes, 404, "symlink leaves the folder"),
        (OpenError::Loop, 404, "too many symlinks"),
        (OpenError::Symlink, 404, "symlinks are not followed"),
        (OpenError::InvalidPath, 404, unknown_name),
        (OpenError::Denied, 403, "permission denied"),
        (OpenError::Io(io::Error::other("made up")), 500, failed),
    ];
    if cfg!(unix) {
        rows.push((io(24), 503, no_descriptors)); // EMFILE
        rows.push((io(23), 503, no_descriptors)); // ENFILE
        rows.push((io(5), 500, failed)); // EIO
        rows.push((io(12), 500, failed)); // ENOMEM
    }
    for (error, status, reason) in rows {
        let answer = Answer::of(error_page(FileError::of_open(&error)));
        let got = (answer.status, answer.reason.as_str());
        assert_eq!(got, (status, reason), "{error:?}");
        // RFC 9110 §10.2.3
        let retry_after = if status == 503 { "1" } else { "" };
        assert_eq!(answer.header_value("Retry-After"), retry_after, "{error:?}");
        assert!(!answer.text().contains("made up"), "{error:?}");
    }
}

#[cfg(unix)]
#[test]
fn an_unreadable_file_is_403() {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;
    let tree = Tree::new();
    tree.file("locked.txt", "SECRET")
        .file("locked/index.html", "SECRET");
    let allow = |name: &str, mode| {
        let mode = fs::Permissions::from_mode(mode);
        fs::set_permissions(tree.path(name), mode).expect("it is one's own");
    };
    allow("locked.txt", 0o000);
    allow("locked", 0o000);
    if fs::File::open(tree.path("locked.txt")).is_ok() {
        crate::support::skipped("an_unreadable_file_is_403", "this user may read everything");
    } else {
        for target in ["/locked.txt", "/locked", "/locked/", "/locked/index.html"] {
            let answer = tree.get(target);
            let got = (answer.status, answer.reason.as_str());
            assert_eq!(got, (403, "permission denied"), "{target}");
            assert!(answer.text().contains("<h1>403 "), "{target}");
        }
    }
    // So that the tree can be removed.
    allow("locked", 0o700);
}

/// In a process of its own, because other tests would run out of descriptors, too.
#[cfg(unix)]
#[test]
fn without_descriptors_it_is_503() {
    in_a_process_of_its_own("statuses::without_descriptors_it_is_503", || {
        let tree = Tree::new();
        tree.file("a.txt", "a");
        let mut held = all_descriptors(&tree);
        let answer = tree.get("/a.txt");
        assert_eq!(
            (answer.status, answer.header_value("Retry-After")),
            (503, "1")
        );
        held.clear();
        assert_eq!(tree.get("/a.txt").status, 200, "as soon as there is one");
    });
}

/// Files that are open for later requests are closed for this one.
#[cfg(unix)]
#[test]
fn idle_files_are_closed_when_descriptors_run_out() {
    let name = "statuses::idle_files_are_closed_when_descriptors_run_out";
    in_a_process_of_its_own(name, || {
        let tree = Tree::new();
        let large = vec![0; 100_000];
        tree.file("a.txt", "a")
            .file("folder/within", "")
            .file("one", &large)
            .file("other", &large);
        assert_eq!(tree.get_at(0, "/one").status, 200);
        assert_eq!(tree.get_at(0, "/other").status, 200);
        let held = all_descriptors(&tree);
        assert_eq!(tree.stats().evictions, 0);
        assert_eq!(tree.get_at(0, "/a.txt").status, 200);
        assert_eq!(tree.stats().evictions, 2);
        drop(held);
        // The last one is for the folder, and its entries need two more.
        assert_eq!(tree.get_at(0, "/one").status, 200);
        assert_eq!(tree.get_at(0, "/other").status, 200);
        let mut held = all_descriptors(&tree);
        held.pop();
        let listing = tree.get_at(0, "/folder/");
        assert!(
            listing.status == 200 && listing.text().contains("within"),
            "{listing:?}"
        );
        assert_eq!(tree.stats().evictions, 4);
    });
}

/// A deleted file takes space on the disk for as long as it is open.
#[cfg(target_os = "linux")]
#[test]
fn idle_descriptors_are_closed() {
    let name = "statuses::idle_descriptors_are_closed";
    in_a_process_of_its_own(name, || {
        let open = || std::fs::read_dir("/proc/self/fd").map_or(0, |entries| entries.count());
        let tree = Tree::new();
        tree.file("a.txt", "a").file("large", vec![0; 100_000]);
        let before = open();
        if before == 0 {
            return crate::support::skipped(name, "/proc is not mounted");
        }
        // target, time, number of open descriptors after it
        for (target, ms, kept) in [
            ("/large", 20_000, 1),
            ("/a.txt", 29_999, 1),
            ("/large", 29_999, 1),
            ("/a.txt", 39_998, 1),
            ("/a.txt", 49_997, 1),
            ("/a.txt", 49_998, 0),
            ("/large", 49_999, 1),
        ] {
            assert_eq!(tree.get_at(ms, target).status, 200);
            assert_eq!(open() - before, kept, "{target} at {ms}");
        }
    });
}

/// An eviction frees an eighth more than needed, and no more; the count of descriptors follows it.
#[cfg(target_os = "linux")]
#[test]
fn an_eviction_closes_few_descriptors() {
    let name = "statuses::an_eviction_closes_few_descriptors";
    in_a_process_of_its_own(name, || {
        let open = || std::fs::read_dir("/proc/self/fd").map_or(0, |entries| entries.count());
        let tree = Tree::new();
        let before = open();
        if before == 0 {
            return crate::support::skipped(name, "/proc is not mounted");
        }
        let files: u32 = 300;
        for number in 0..files {
            tree.file(&format!("{number}.bin"), vec![0; 100_000]);
            assert_eq!(tree.get_at(0, &format!("/{number}.bin")).status, 200);
        }
        // 256, or 32 where the process may open few.
        let kept = open() - before;
        assert!((28..=256).contains(&kept), "{kept}");
        let evictions = usize::try_from(tree.stats().evictions).expect("few");
        assert_eq!(evictions + kept, files as usize);
    });
}

/// The mounts of a site share one bound, and no cache closes a file for the sake of another, whose
/// disk may hang: one that finds nothing of its own to close opens its files anew. Nor does a
/// request for one site close the idle files of another.
#[cfg(target_os = "linux")]
#[test]
fn the_caches_of_all_mounts_keep_few_descriptors() {
    let name = "statuses::the_caches_of_all_mounts_keep_few_descriptors";
    in_a_process_with(256, name, || {
        let open = || std::fs::read_dir("/proc/self/fd").map_or(0, |entries| entries.count());
        let base = Tree::new();
        for mount in 0..8 {
            for number in 0..20 {
                base.file(&format!("{mount}/{number}"), vec![0; 100_000]);
            }
        }
        let tree = Tree::with(|mut files| {
            for mount in 0..8 {
                let folder = base.path(&mount.to_string());
                let mounted = doorstep::Files::new(folder).expect("it is there");
                // The bound holds for mounts of mounts, too.
                let within = doorstep::Files::new(base.path("0")).expect("it is there");
                files = files.mount(&mount.to_string(), mounted.mount("within", within));
            }
            files
        });
        let before = open();
        if before == 0 {
            return crate::support::skipped(name, "/proc is not mounted");
        }
        for round in ["", "within/", ""] {
            for number in 0..20 {
                for mount in 0..8 {
                    let target = format!("/{mount}/{round}{number}");
                    assert_eq!(tree.get_at(20_000, &target).status, 200, "{target}");
                    let kept = open() - before;
                    assert!(kept <= 32, "{kept} after {target}");
                }
            }
        }
        let kept = open() - before;
        assert!((28..=32).contains(&kept), "{kept}");
        assert_eq!(tree.get_at(40_000, "/").status, 200);
        assert_eq!(
            open() - before,
            kept,
            "all are idle, and none is the root's"
        );
        for mount in 0..8 {
            for target in [format!("/{mount}/x"), format!("/{mount}/within/x")] {
                assert_eq!(tree.get_at(40_000, &target).status, 404);
            }
        }
        assert_eq!(open() - before, 0, "each site closes its own");
        assert_eq!(tree.get_at(40_000, "/7/0").status, 200);
        assert_eq!(open() - before, 1, "and the next has room");
    });
}

/// A deleted sidecar is closed, although others ask for its file all the time.
#[cfg(target_os = "linux")]
#[test]
fn idle_sidecars_are_closed() {
    let name = "statuses::idle_sidecars_are_closed";
    in_a_process_of_its_own(name, || {
        let open = || std::fs::read_dir("/proc/self/fd").map_or(0, |entries| entries.count());
        let tree = Tree::new();
        tree.file("a.txt", "a").file("a.txt.gz", vec![0; 100_000]);
        let before = open();
        if before == 0 {
            return crate::support::skipped(name, "/proc is not mounted");
        }
        // coding asked for, time, number of open descriptors after it
        for (coding, ms, kept) in [
            ("gzip", 0, 1),
            ("identity", 100, 1),
            ("gzip", 150, 1),
            ("identity", 250, 1),
            ("identity", 349, 1),
            ("identity", 350, 0),
            ("gzip", 350, 1),
        ] {
            let lines = [("Accept-Encoding", coding)];
            let answer = tree.send_at(ms, Method::Get, "/a.txt", &lines);
            assert_eq!(
                answer.header_value("Content-Encoding") == "gzip",
                coding == "gzip"
            );
            assert_eq!(open() - before, kept, "{coding} at {ms}");
        }
    });
}

/// Opens files until that fails.
#[cfg(unix)]
fn all_descriptors(tree: &Tree) -> Vec<std::fs::File> {
    let open = || std::fs::File::open(tree.path("a.txt")).ok();
    std::iter::from_fn(open).collect()
}

/// Runs a test of this name in a process with a limit of 64 descriptors.
#[cfg(unix)]
fn in_a_process_of_its_own(name: &str, test: impl FnOnce()) {
    in_a_process_with(64, name, test);
}

/// The same with this limit of descriptors.
#[cfg(unix)]
fn in_a_process_with(descriptors: usize, name: &str, test: impl FnOnce()) {
    const CHILD: &str = "DOORSTEP_TEST_WITHOUT_DESCRIPTORS";
    if std::env::var_os(CHILD).is_some() {
        return test();
    }
    let output = std::process::Command::new("sh")
        .args(["-c", "ulimit -n \"$2\" && exec \"$0\" --exact \"$1\""])
        .arg(std::env::current_exe().expect("a test knows itself"))
        .args([name, &descriptors.to_string()])
        .env(CHILD, "1")
        .output();
    match output {
        Err(error) => crate::support::skipped(name, &format!("no sh: {error}")),
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stdout);
            let passed = output.status.success() && said.contains("1 passed");
            assert!(passed, "{said}");
        }
    }
}
