//! Signals: the first ends it gracefully, the second at once.
#![cfg(unix)]

use crate::folder::Folder;
use crate::program::{PATIENCE, Program, connect, doorstep};
use std::fs::File;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

#[test]
fn first_signal_ends_it_with_status_0() {
    let folder = Folder::with_page();
    for signal in ["TERM", "INT"] {
        let program = doorstep(folder.path(), ["-p0"]).serve();
        let line = program.line().to_string();
        assert_eq!(program.get("/page").content, b"tea");
        // An idle connection does not hold it up.
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
fn request_that_outlasts_the_grace_is_cut_and_counted() {
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
fn second_signal_ends_it_at_once() {
    let folder = Folder::with_page();
    for (signal, status) in [("TERM", 143), ("INT", 130)] {
        let program = doorstep(folder.path(), ["-p0", "--grace", "3600"]).serve();
        let (program, _download) = stuck_download(program, &folder, 1 << 30);
        let address = program.address();
        program.signal(signal);
        // Two signals at once could arrive as one; the closed door shows that the first has come.
        wait_until_closed(address);
        program.signal(signal);
        assert_eq!(program.wait().status, Some(status), "{signal}");
    }
}

/// A client that asks for a file so long that no socket's buffers hold it, and does not read on once the answer has begun.
fn stuck_download(program: Program, folder: &Folder, length: u64) -> (Program, TcpStream) {
    let file = File::create(folder.path().join("long.bin")).unwrap();
    file.set_len(length).unwrap();
    let mut stream = connect(program.address());
    stream
        .write_all(b"GET /long.bin HTTP/1.1\r\nHost: x\r\n\r\n")
        .unwrap();
    let mut begin = [0; 12];
    // Looked at, and left in the buffer.
    while stream.peek(&mut begin).unwrap() < begin.len() {}
    assert_eq!(&begin, b"HTTP/1.1 200");
    (program, stream)
}

fn wait_until_closed(address: SocketAddr) {
    let begin = Instant::now();
    while TcpStream::connect(address).is_ok() {
        assert!(begin.elapsed() < PATIENCE, "it still listens");
        std::thread::sleep(Duration::from_millis(2));
    }
}
