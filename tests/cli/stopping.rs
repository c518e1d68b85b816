//! Signals: the first stops the program gracefully, the second at once.
#![cfg(unix)]

use crate::folder::Folder;
use crate::program::{Program, TIMEOUT, connect, doorstep};
use crate::support::skipped;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

#[test]
fn first_signal_ends_it_with_status_0() {
    let folder = Folder::with_page();
    for signal in ["TERM", "INT", "HUP"] {
        let program = doorstep(folder.path(), ["-p0"]).serve();
        let line = program.line().to_string();
        assert_eq!(program.get("/page").content, b"tea");
        // An idle connection does not delay the stop.
        let _idle = connect(program.address());
        let begin = Instant::now();
        program.signal(signal);
        let outcome = program.wait();
        assert_eq!(
            (outcome.status, outcome.out),
            (Some(0), line),
            "{signal}: {}",
            outcome.err
        );
        assert!(
            begin.elapsed() < Duration::from_secs(8),
            "it waited for the idle connection"
        );
    }
}

#[test]
fn running_request_is_finished_first() {
    let folder = Folder::with_page();
    let length = 32 << 20;
    let program = doorstep(folder.path(), ["-p0"]).serve();
    let (program, mut download) = stuck_download(program, &folder, length);
    let address = program.address();
    program.signal("TERM");
    wait_until_closed(address);
    let mut rest = Vec::new();
    download.read_to_end(&mut rest).unwrap();
    let head = rest
        .windows(4)
        .position(|four| four == b"\r\n\r\n")
        .unwrap()
        + 4;
    assert_eq!((rest.len() - head) as u64, length);
    let outcome = program.wait();
    assert_eq!(outcome.status, Some(0), "{}", outcome.err);
    assert!(!outcome.err.contains("cut"), "{}", outcome.err);
}

#[test]
fn request_longer_than_the_grace_is_aborted_and_counted() {
    let folder = Folder::with_page();
    let program = doorstep(folder.path(), ["-p0", "--grace", "1"]).serve();
    let (program, _download) = stuck_download(program, &folder, 1 << 30);
    program.signal("TERM");
    let outcome = program.wait();
    assert_eq!(outcome.status, Some(0), "{}", outcome.err);
    assert!(
        outcome
            .err
            .ends_with("doorstep: 1 connection was cut after 1 s\n"),
        "{}",
        outcome.err
    );
}

#[test]
fn drain_keeps_serving_with_connection_close() {
    let folder = Folder::with_page();
    let program = doorstep(folder.path(), ["-p0", "--drain", "3600"]).serve();
    let address = program.address();
    program.signal("TERM");
    let mut text = String::new();
    let end = Instant::now() + TIMEOUT;
    // Until the signal arrives.
    while !text.contains("Connection: close") {
        assert!(Instant::now() < end, "{text}");
        text.clear();
        let mut stream = connect(address);
        stream
            .write_all(b"HEAD / HTTP/1.1\r\nHost: x\r\n\r\n")
            .unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        stream.read_to_string(&mut text).unwrap();
        assert!(text.starts_with("HTTP/1.1 200 OK\r\n"), "{text}");
    }
    program.signal("TERM");
    assert_eq!(program.wait().status, Some(143));
}

#[test]
fn drain_ends_by_itself() {
    let folder = Folder::with_page();
    let program = doorstep(folder.path(), ["-p0", "--drain", "1"]).serve();
    program.signal("TERM");
    assert_eq!(program.wait().status, Some(0));
}

#[test]
fn second_signal_ends_it_at_once() {
    let folder = Folder::with_page();
    for (signal, status) in [("TERM", 143), ("INT", 130)] {
        let program = doorstep(folder.path(), ["-p0", "--grace", "3600"]).serve();
        let (program, _download) = stuck_download(program, &folder, 1 << 30);
        let address = program.address();
        program.signal(signal);
        // Two signals at once could merge; the closed listener shows that the first has arrived.
        wait_until_closed(address);
        program.signal(signal);
        assert_eq!(program.wait().status, Some(status), "{signal}");
    }
}

/// The shell and the kernel may each send one when a terminal is closed.
#[test]
fn a_second_hangup_does_not_end_it_at_once() {
    let folder = Folder::with_page();
    let program = doorstep(folder.path(), ["-p0", "--grace", "3600"]).serve();
    let (program, mut download) = stuck_download(program, &folder, 32 << 20);
    program.signal("HUP");
    wait_until_closed(program.address());
    for _ in 0..3 {
        program.signal("HUP");
    }
    let mut rest = Vec::new();
    download.read_to_end(&mut rest).unwrap();
    assert!(rest.len() > 32 << 20, "the download is finished");
    assert_eq!(program.wait().status, Some(0));
    // A signal of another kind ends it.
    let program = doorstep(folder.path(), ["-p0", "--grace", "3600"]).serve();
    let (program, _download) = stuck_download(program, &folder, 1 << 30);
    program.signal("HUP");
    wait_until_closed(program.address());
    program.signal("TERM");
    assert_eq!(program.wait().status, Some(143));
}

/// A mask survives exec: what the parent has left blocked would never arrive.
#[test]
fn signals_that_the_parent_has_blocked_arrive() {
    const NAME: &str = "stopping::signals_that_the_parent_has_blocked_arrive";
    let blocks = "--block-signal=TERM,INT,HUP";
    let env = std::process::Command::new("env")
        .args([blocks, "true"])
        .output();
    if !env.is_ok_and(|output| output.status.success()) {
        return skipped(NAME, "this env(1) cannot block signals");
    }
    let folder = Folder::with_page();
    for signal in ["TERM", "INT", "HUP"] {
        let program = doorstep(folder.path(), ["-p0"]).started_by("env", &[blocks]);
        let program = program.serve();
        program.signal(signal);
        assert_eq!(program.wait().status, Some(0), "{signal}");
    }
}

/// `nohup` ignores SIGHUP, and a shell without job control SIGINT for what runs in the background.
#[test]
fn signals_that_the_parent_ignores_stay_ignored() {
    let folder = Folder::with_page();
    for signal in ["INT", "HUP"] {
        let ignores = format!("trap '' {signal}; exec \"$0\" \"$@\"");
        let program = doorstep(folder.path(), ["-p0"]).started_by("sh", &["-c", &ignores]);
        let program = program.serve();
        program.signal(signal);
        assert_eq!(program.get("/page").content, b"tea", "{signal}");
        assert_eq!(program.get("/page").content, b"tea", "{signal}");
        program.signal("TERM");
        let outcome = program.wait();
        assert_eq!(outcome.status, Some(0), "{signal}");
    }
    // Not SIGTERM, by which programs end a program.
    let program = doorstep(folder.path(), ["-p0"]);
    let program = program.started_by("sh", &["-c", "trap '' TERM; exec \"$0\" \"$@\""]);
    let program = program.serve();
    program.signal("TERM");
    assert_eq!(program.wait().status, Some(0));
}

/// A client that requests a file larger than any socket buffer and stops reading once the response
/// has begun.
fn stuck_download(program: Program, folder: &Folder, length: u64) -> (Program, TcpStream) {
    let file = File::create(folder.path().join("long.bin")).unwrap();
    file.set_len(length).unwrap();
    let mut stream = connect(program.address());
    stream
        .write_all(b"GET /long.bin HTTP/1.1\r\nHost: x\r\n\r\n")
        .unwrap();
    let mut begin = [0; 12];
    // Peeked at, so that it stays in the buffer.
    while stream.peek(&mut begin).unwrap() < begin.len() {}
    assert_eq!(&begin, b"HTTP/1.1 200");
    (program, stream)
}

fn wait_until_closed(address: SocketAddr) {
    let begin = Instant::now();
    while TcpStream::connect(address).is_ok() {
        assert!(begin.elapsed() < TIMEOUT, "it still listens");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// With a pipe that nobody reads, or a terminal paused with Ctrl-S, neither requests nor shutdown
/// wait for the log.
#[test]
fn an_unread_log_blocks_nothing() {
    let folder = Folder::with_page();
    let program = std::process::Command::new(env!("CARGO_BIN_EXE_doorstep"))
        .args(["-p0"])
        .current_dir(folder.path())
        .env_remove("PORT")
        .stdin(std::process::Stdio::null())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut program = Killed(program);
    let mut line = String::new();
    let out = program.0.stdout.take().expect("a pipe");
    BufReader::new(out)
        .read_line(&mut line)
        .expect("the one line");
    let port = line
        .split(':')
        .nth(3)
        .and_then(|rest| rest.split('/').next());
    let port: u16 = port.and_then(|port| port.parse().ok()).expect("a port");
    // A megabyte of log, sixteen times the size of a pipe.
    let mut client = connect(SocketAddr::from(([127, 0, 0, 1], port)));
    let request = format!("HEAD /{} HTTP/1.1\r\nHost: a\r\n\r\n", "x".repeat(4_000));
    for number in 0..256 {
        client
            .write_all(request.as_bytes())
            .expect("the server reads");
        let mut response = Vec::new();
        while !response.ends_with(b"\r\n\r\n") {
            let mut bytes = [0; 1_024];
            let count = client.read(&mut bytes).expect("the server responds");
            assert_ne!(count, 0, "request {number}");
            response.extend_from_slice(&bytes[..count]);
        }
        assert!(response.starts_with(b"HTTP/1.1 404 "), "request {number}");
    }
    let pid = program.0.id().to_string();
    let killed = std::process::Command::new("kill")
        .args(["-TERM", &pid])
        .status();
    assert!(killed.expect("kill runs").success());
    let begin = Instant::now();
    let status = loop {
        match program.0.try_wait().expect("it is our child") {
            Some(status) => break status,
            None if begin.elapsed() > TIMEOUT => panic!("it waits for its log to be read"),
            None => std::thread::sleep(Duration::from_millis(10)),
        }
    };
    assert_eq!(status.code(), Some(0));
}

/// Kills its child even if the test fails.
struct Killed(std::process::Child);

impl Drop for Killed {
    fn drop(&mut self) {
        // It has already ended unless the test failed.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
