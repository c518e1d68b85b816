//! What it serves, logs and warns of.

use crate::folder::Folder;
use crate::program::{PATIENCE, Program, connect, doorstep};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Instant;

#[test]
fn pages_equal_their_files() {
    let folder = Folder::new();
    // Longer than any buffer, so that it goes out in several writes; every octet value.
    let long: Vec<u8> = (0..1_000_003_u32)
        .map(|n| (n * 31 + n / 256) as u8)
        .collect();
    folder.file("index.html", "<!doctype html><title>door</title>");
    folder.file("a b.txt", "space");
    folder.file("long.bin", &long);
    folder.file("empty", "");
    folder.folder("sub");
    folder.file("sub/index.html", "inner");
    let program = doorstep(folder.path(), ["-p0"]).serve();
    for (path, file) in [
        ("/", "index.html"),
        ("/index.html", "index.html"),
        ("/a%20b.txt", "a b.txt"),
        ("/long.bin", "long.bin"),
        ("/empty", "empty"),
        ("/sub/", "sub/index.html"),
    ] {
        let answer = program.get(path);
        assert!(
            answer.head.starts_with("HTTP/1.1 200 OK\r\n"),
            "{path}: {}",
            answer.head
        );
        let expected = std::fs::read(folder.path().join(file)).unwrap();
        assert!(
            answer.content == expected,
            "{path}: {} octets",
            answer.content.len()
        );
    }
    assert!(
        program
            .get("/missing")
            .head
            .starts_with("HTTP/1.1 404 Not Found\r\n")
    );
}

#[test]
fn folder_by_argument_relative_and_with_a_space() {
    let folder = Folder::new();
    folder.folder("my site");
    folder.file("my site/page", "tea");
    for argument in ["my site", "./my site/", "my site/../my site"] {
        let program = doorstep(folder.path(), [argument, "0"]).serve();
        assert_eq!(program.get("/page").content, b"tea", "{argument}");
        let root = format!(" root={} pid=", folder.path().join("my site").display());
        assert!(program.line().contains(&root), "{}", program.line());
    }
}

#[cfg(unix)]
#[test]
fn folder_whose_name_is_not_utf8() {
    use crate::program::skipped;
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    let folder = Folder::new();
    let name = OsStr::from_bytes(b"caf\xe9\x1b");
    let path = folder.path().join(name);
    if std::fs::create_dir(&path).is_err() {
        return skipped(
            "folder_whose_name_is_not_utf8",
            "this file system takes UTF-8 alone",
        );
    }
    std::fs::write(path.join("page"), "tea").unwrap();
    let program = doorstep(folder.path(), [name, OsStr::new("0")]).serve();
    assert_eq!(program.get("/page").content, b"tea");
    assert!(
        program.line().contains("/caf\u{fffd}\\u{1b} pid="),
        "{}",
        program.line()
    );
}

#[test]
fn log_has_one_line_for_each_request() {
    let folder = Folder::with_page();
    let program = doorstep(folder.path(), ["-p0"]).serve();
    program.get("/page");
    program.get("/missing?x=%1b");
    let outcome = stop(program);
    // 12:01:44 200 GET /page 3 B 0.2 ms 127.0.0.1
    let words: Vec<Vec<&str>> = outcome
        .lines()
        .map(|line| line.split(' ').collect())
        .collect();
    assert_eq!(words.len(), 2, "{outcome}");
    for (line, (status, target)) in words
        .iter()
        .zip([("200", "/page"), ("404", "/missing?x=%1b")])
    {
        let [time, code, method, asked, size, unit, took, took_unit, peer] = line[..] else {
            panic!("{outcome}");
        };
        let clock: Vec<&str> = time.split(':').collect();
        assert!(
            clock.len() == 3 && clock.iter().all(|part| part.len() == 2),
            "{time}"
        );
        assert_eq!(
            (code, method, asked, peer),
            (status, "GET", target, "127.0.0.1"),
            "{outcome}"
        );
        assert!(unit == "B" || unit == "kB", "{outcome}");
        assert!(
            took.parse::<f64>().is_ok() && took_unit.ends_with('s'),
            "{outcome}"
        );
        if status == "200" {
            assert_eq!((size, unit), ("3", "B"));
        }
    }
}

#[test]
fn log_names_what_was_refused() {
    use std::io::{Read, Write};
    let folder = Folder::with_page();
    let program = doorstep(folder.path(), ["-p0"]).serve();
    let mut stream = crate::program::connect(program.address());
    stream
        .write_all(b"GET / HTTP/1.1\r\nHost : x\r\n\r\n")
        .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    let log = stop(program);
    let (_, rest) = log.split_once(' ').unwrap_or_default();
    assert!(
        rest.starts_with("400 - 127.0.0.1 white space before the colon"),
        "{log}"
    );
    assert_eq!(log.lines().count(), 1, "{log}");
}

#[test]
fn warns_of_secrets_in_the_folder() {
    let folder = Folder::with_page();
    folder.folder(".git");
    folder.file("server.key", "");
    let program = doorstep(folder.path(), ["-p0"]).serve();
    assert_eq!(
        program.kill().err,
        "doorstep: warning: the folder holds .git, server.key: is it the one to share?\n"
    );
}

/// Ends the program so that all it had to log is out: what it wrote on standard error.
fn stop(program: crate::program::Program) -> String {
    #[cfg(unix)]
    {
        program.signal("TERM");
        program.wait().err
    }
    #[cfg(not(unix))]
    program.kill().err
}

/// A connection that is in the middle of its second request.
fn busy(program: &Program) -> TcpStream {
    let mut stream = connect(program.address());
    let request = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\nGET / HT";
    stream.write_all(request.as_bytes()).expect("it is taken");
    let mut answer = [0; 15];
    stream.read_exact(&mut answer).expect("an answer");
    assert_eq!(&answer, b"HTTP/1.1 200 OK");
    stream
}

#[test]
fn connections_are_bounded() {
    let folder = Folder::new();
    folder.file("index.html", "tea");
    // Arguments, and what is said when one more comes.
    let rows = [
        (
            ["-p0", "--max-conns=2"],
            "doorstep: too many connections (limit 2): new ones are turned away\n",
        ),
        (
            ["-p0", "--max-conns-per-ip=2"],
            "doorstep: too many connections from 127.0.0.1 (limit 2): more are turned away\n",
        ),
    ];
    for (arguments, expected) in rows {
        let program = doorstep(folder.path(), arguments).serve();
        let both = [busy(&program), busy(&program)];
        for _ in 0..2 {
            let answer = program.get("/");
            assert!(answer.head.starts_with("HTTP/1.1 503 "), "{}", answer.head);
            assert!(answer.head.contains("\r\nRetry-After: "));
        }
        drop(both);
        let end = Instant::now() + PATIENCE;
        while !program.get("/").head.starts_with("HTTP/1.1 200 ") {
            assert!(Instant::now() < end, "there is room again");
        }
        // A stop writes what is left of the log; a kill does not.
        program.signal("TERM");
        let said = program.wait().err;
        assert_eq!(said.matches(expected).count(), 1, "{said}");
    }
}
