//! What the program serves, its log and its warnings.

use crate::folder::Folder;
use crate::program::{Program, TIMEOUT, connect, doorstep};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Instant;

#[test]
fn pages_equal_their_files() {
    let folder = Folder::new();
    // Every byte value, and longer than any buffer, so that it takes several writes.
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
        let response = program.get(path);
        assert!(
            response.head.text.starts_with("HTTP/1.1 200 OK\r\n"),
            "{path}: {}",
            response.head.text
        );
        let expected = std::fs::read(folder.path().join(file)).unwrap();
        assert!(
            response.content == expected,
            "{path}: {} bytes",
            response.content.len()
        );
    }
    assert!(
        program
            .get("/missing")
            .head
            .text
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
    use crate::support::skipped;
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
fn log_has_one_line_per_request() {
    let folder = Folder::with_page();
    let program = doorstep(folder.path(), ["-p0"]).serve();
    program.get("/page");
    // dufs#691: control characters stay escaped.
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

/// The program's response to these bytes, up to the end of the connection.
fn response_to(program: &Program, bytes: &[u8]) -> String {
    let mut stream = connect(program.address());
    stream.write_all(bytes).unwrap();
    let mut response = Vec::new();
    stream.read_to_end(&mut response).unwrap();
    String::from_utf8_lossy(&response).into_owned()
}

#[test]
fn log_gives_the_reason_of_a_rejection() {
    let rows: [(&str, &[u8], u16, &str); 5] = [
        (
            "RUSTSEC-2020-0031",
            b"GET / HTTP/1.1\r\nHost : x\r\n\r\n",
            400,
            "white space before the colon",
        ),
        (
            "RFC 8446 §5.1: a TLS hello",
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
            400,
            "a TLS handshake on a plain HTTP port",
        ),
        (
            "RFC 9113 §3.4: the preface of HTTP/2",
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
            505,
            "HTTP/2 on a plain HTTP/1.1 port",
        ),
        (
            "an SSH banner",
            b"SSH-2.0-OpenSSH_9.6\r\n",
            400,
            "a request line that is not method, target and version",
        ),
        ("noise", &[0xff; 64], 400, "a method that is no token"),
    ];
    let folder = Folder::with_page();
    let program = doorstep(folder.path(), ["-p0"]).serve();
    for (name, bytes, status, _) in rows {
        let response = response_to(&program, bytes);
        let line = format!("HTTP/1.1 {status} ");
        assert!(response.starts_with(&line), "{name}: {response}");
        assert!(response.contains("\r\nConnection: close\r\n"), "{name}");
    }
    let log = stop(program);
    assert_eq!(log.lines().count(), rows.len(), "{log}");
    for ((name, _, status, why), line) in rows.iter().zip(log.lines()) {
        let (_, rest) = line.split_once(' ').unwrap_or_default();
        let expected = format!("{status} - 127.0.0.1 {why}");
        assert!(rest.starts_with(&expected), "{name}: {line}");
    }
}

/// RFC 9110 §9: the methods that files support.
#[test]
fn methods_have_their_statuses() {
    const ALLOW: &str = "\r\nAllow: GET, HEAD, OPTIONS\r\n";
    let folder = Folder::with_page();
    let program = doorstep(folder.path(), ["-p0"]).serve();
    for (line, status, allows) in [
        ("GET /page", 200, false),
        ("HEAD /page", 200, false),
        ("OPTIONS /page", 200, true),
        ("OPTIONS *", 200, true),
        ("CONNECT localhost:80", 405, true),
        ("TRACE /page", 405, true),
        ("POST /page", 405, true),
        ("get /page", 501, false),
        ("BREW /page", 501, false),
        ("G(T /page", 400, false),
        ("GET *", 400, false),
    ] {
        let request = format!("{line} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        let response = response_to(&program, request.as_bytes());
        let expected = format!("HTTP/1.1 {status} ");
        assert!(response.starts_with(&expected), "{line}: {response}");
        assert_eq!(response.contains(ALLOW), allows, "{line}: {response}");
        let content = response.split_once("\r\n\r\n").map(|(_, content)| content);
        assert_eq!(
            content == Some(""),
            line.starts_with("HEAD ") || line.starts_with("OPTIONS "),
            "{line}"
        );
    }
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

/// The owner of a new file is the user who runs the test.
#[cfg(unix)]
#[test]
fn warns_root() {
    use std::os::unix::fs::MetadataExt;
    let folder = Folder::with_page();
    let owner = folder.path().join("page").metadata().unwrap().uid();
    let program = doorstep(folder.path(), ["-p0"]).serve();
    assert_eq!(program.kill().warned_of_root, owner == 0, "run by {owner}");
}

/// Ends the program gracefully, so that the whole log is written, and returns it.
fn stop(program: crate::program::Program) -> String {
    #[cfg(unix)]
    {
        program.signal("TERM");
        program.wait().err
    }
    #[cfg(not(unix))]
    program.kill().err
}

/// A connection in the middle of its second request.
fn busy(program: &Program) -> TcpStream {
    let mut stream = connect(program.address());
    let request = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\nGET / HT";
    stream
        .write_all(request.as_bytes())
        .expect("the request is sent");
    let mut response = [0; 15];
    stream.read_exact(&mut response).expect("a response");
    assert_eq!(&response, b"HTTP/1.1 200 OK");
    stream
}

#[test]
fn connections_are_bounded() {
    let folder = Folder::new();
    folder.file("index.html", "tea");
    // Arguments, and the notice when one more connection arrives.
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
            let response = program.get("/");
            assert!(
                response.head.text.starts_with("HTTP/1.1 503 "),
                "{}",
                response.head.text
            );
            assert!(response.head.text.contains("\r\nRetry-After: "));
        }
        drop(both);
        let end = Instant::now() + TIMEOUT;
        while !program.get("/").head.text.starts_with("HTTP/1.1 200 ") {
            assert!(Instant::now() < end, "a slot is free again");
        }
        let said = stop(program);
        assert_eq!(said.matches(expected).count(), 1, "{said}");
    }
}
