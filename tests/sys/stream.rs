//! Streams: what one call does, and never does.

use crate::harness::{LOST, Tree, pair, source};
use crate::support::bytes::pattern;
use doorstep::internals::sys::{Interest, Socket, Source, Stream};
use std::fs::File;
use std::io::{self, IoSlice, Read, Seek, Write};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

/// A stream of the program's own, which is a TCP stream all the same.
struct Own(TcpStream);

impl Read for Own {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl Write for Own {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Socket for Own {
    fn source(&self) -> Source<'_> {
        source(&self.0)
    }
    fn shutdown_write(&mut self) -> io::Result<()> {
        self.0.shutdown(Shutdown::Write)
    }
    fn wait(&mut self, _: Interest, timeout: Duration) -> io::Result<bool> {
        std::thread::sleep(timeout.min(Duration::from_millis(1)));
        Ok(true)
    }
}

/// Both ends of a connection of each kind, non-blocking.
fn kinds() -> Vec<(&'static str, Stream, Stream)> {
    let tcp = pair();
    let own = pair();
    vec![
        ("tcp", Stream::Tcp(tcp.0), Stream::Tcp(tcp.1)),
        (
            "own",
            Stream::Other(Box::new(Own(own.0))),
            Stream::Other(Box::new(Own(own.1))),
        ),
        #[cfg(unix)]
        {
            let (one, other) = std::os::unix::net::UnixStream::pair().expect("a pair");
            one.set_nonblocking(true).expect("an option");
            other.set_nonblocking(true).expect("an option");
            ("unix", Stream::Unix(one), Stream::Unix(other))
        },
    ]
}

fn would_block(answer: io::Result<usize>) -> bool {
    answer.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
}

/// Reads until the end of the stream, or until `limit` bytes came.
fn receive(stream: &mut Stream, limit: usize) -> Vec<u8> {
    let mut received = Vec::new();
    let mut buffer = vec![0; 100_000];
    while received.len() < limit {
        match stream.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => received.extend_from_slice(&buffer[..count]),
            Err(error) => {
                assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
                assert!(
                    stream.wait(Interest::Read, LOST).expect("a wait"),
                    "nothing comes"
                );
            }
        }
    }
    received
}

#[test]
fn bytes_go_through_and_nothing_blocks() {
    for (kind, mut one, mut other) in kinds() {
        let mut buffer = [0; 64];
        assert!(would_block(one.read(&mut buffer)), "{kind}");
        assert_eq!(other.write(b"some octets").expect("a write"), 11, "{kind}");
        assert_eq!(receive(&mut one, 11), b"some octets", "{kind}");
        let pieces = [
            IoSlice::new(b"two "),
            IoSlice::new(b""),
            IoSlice::new(b"pieces"),
        ];
        let sent = one.write_vectored(&pieces).expect("a write");
        assert!(sent > 0, "{kind}");
        assert_eq!(receive(&mut other, sent), b"two pieces"[..sent], "{kind}");
        assert_eq!(
            one.write_vectored(&[]).expect("a write of nothing"),
            0,
            "{kind}"
        );
        one.shutdown_write().expect("a shutdown");
        assert_eq!(receive(&mut other, usize::MAX), b"", "{kind}: the end");
        assert_eq!(
            other.write(b"x").expect("the other direction lives"),
            1,
            "{kind}"
        );
        assert_eq!(receive(&mut one, 1), b"x", "{kind}");
    }
}

#[test]
fn more_pieces_than_one_call_takes() {
    for (kind, mut one, mut other) in kinds() {
        let pieces = vec![IoSlice::new(b"x"); 3000];
        let sent = one.write_vectored(&pieces).expect("a write");
        assert!(sent > 0, "{kind}");
        assert_eq!(receive(&mut other, sent).len(), sent, "{kind}");
    }
}

#[test]
fn a_wait_ends_when_it_should() {
    let (one, mut other) = pair();
    let mut stream = Stream::Tcp(one);
    let time = Duration::from_millis(30);
    let begin = Instant::now();
    assert!(
        !stream.wait(Interest::Read, time).expect("a wait"),
        "nothing to read"
    );
    assert!(begin.elapsed() >= time);
    assert!(!stream.wait(Interest::Read, Duration::ZERO).expect("a wait"));
    assert!(
        stream.wait(Interest::Write, LOST).expect("a wait"),
        "there is room"
    );
    other.write_all(b"x").expect("a write");
    assert!(
        stream.wait(Interest::Read, LOST).expect("a wait"),
        "an octet"
    );
    drop(other);
    assert!(
        stream.wait(Interest::Read, LOST).expect("a wait"),
        "the end"
    );
}

#[test]
fn a_reset_is_told_from_a_half_close() {
    for (kind, mut one, mut other) in kinds() {
        assert!(!one.is_reset(), "{kind}");
        one.write(b"unread").expect("room");
        other.write(b"unread").expect("room");
        other.shutdown_write().expect("an end");
        assert_eq!(receive(&mut one, 7), b"unread", "{kind}");
        assert!(!one.is_reset(), "{kind}: half closed");
        // Unread bytes: a reset or, between two ends on this machine, the end all the same.
        drop(other);
        // A stream of the program's own knows nothing of it unless it says so.
        let known = kind != "own";
        let seen = (0..2_000).any(|_| {
            std::thread::sleep(Duration::from_millis(u64::from(known)));
            one.is_reset()
        });
        assert_eq!(seen, known, "{kind}");
    }
}

#[test]
fn the_end_is_seen_without_a_read() {
    for (name, mut one, mut other) in kinds() {
        let can_look = name == "tcp";
        assert!(one.end().is_none(), "{name}: nothing is there");
        assert_eq!(other.write(b"x").expect("a write"), 1);
        other.shutdown_write().expect("the write side closes");
        assert!(one.wait(Interest::Read, LOST).expect("a wait"));
        assert!(one.end().is_none(), "{name}: an octet comes first");
        assert_eq!(receive(&mut one, 1), b"x", "{name}");
        assert!(one.wait(Interest::Read, LOST).expect("a wait"));
        // The end may come a moment after the byte.
        let until = Instant::now() + LOST;
        while can_look && one.end().is_none() && Instant::now() < until {
            std::thread::yield_now();
        }
        assert_eq!(matches!(one.end(), Some(Ok(()))), can_look, "{name}");
        assert_eq!(matches!(one.end(), Some(Ok(()))), can_look, "{name}: again");
    }
    // Closing a socket with an unread byte resets its connection.
    let (one, other) = pair();
    let (mut one, mut other) = (Stream::Tcp(one), Stream::Tcp(other));
    assert_eq!(one.write(b"x").expect("a write"), 1);
    assert!(other.wait(Interest::Read, LOST).expect("a wait"));
    drop(other);
    let until = Instant::now() + LOST;
    let end = loop {
        match one.end() {
            None if Instant::now() < until => std::thread::yield_now(),
            end => break end,
        }
    };
    assert!(matches!(end, Some(Err(_))), "{end:?}");
}

#[test]
fn a_file_is_sent_from_any_offset_to_its_end() {
    let text = pattern(5 << 20);
    let tree = Tree::plant();
    tree.file("file", &text);
    for (kind, mut one, mut other) in kinds() {
        let mut file = File::open(tree.at("file")).expect("a file");
        file.seek(io::SeekFrom::Start(17)).expect("a seek");
        let mut scratch = Vec::new();
        for start in [0, 1, 4095, (5 << 20) - 3] {
            let expected = &text[start..];
            let received = std::thread::scope(|scope| {
                let reader = scope.spawn(|| receive(&mut other, expected.len()));
                let mut offset = start as u64;
                let end = Instant::now() + LOST;
                loop {
                    assert!(Instant::now() < end, "{kind}: {offset} octets and no end");
                    match one.send_file(&file, offset, u64::MAX, &mut scratch) {
                        Ok(0) => break,
                        Ok(sent) => {
                            assert!(sent <= 2 << 20, "{kind}: {sent} octets in one call");
                            offset += sent as u64;
                        }
                        Err(error) => {
                            assert_eq!(error.kind(), io::ErrorKind::WouldBlock, "{kind}");
                            // A stream of the program's own may wake for nothing.
                            one.wait(Interest::Write, LOST).expect("a wait");
                        }
                    }
                }
                assert_eq!(offset, text.len() as u64, "{kind}");
                reader.join().expect("a thread")
            });
            assert!(received == expected, "{kind} from {start}");
        }
        assert!(
            scratch.len() <= 64 << 10,
            "{kind}: {} octets of memory",
            scratch.len()
        );
        #[cfg(target_os = "linux")]
        assert_eq!(
            scratch.is_empty(),
            kind != "own",
            "{kind}: sendfile where there is one"
        );
        #[cfg(not(windows))]
        assert_eq!(file.stream_position().expect("a position"), 17, "{kind}");
    }
}

#[test]
fn no_more_of_a_file_is_sent_than_asked_for() {
    let text = pattern(1000);
    let tree = Tree::plant();
    tree.file("file", &text).file("empty", "");
    for (kind, mut one, mut other) in kinds() {
        let file = File::open(tree.at("file")).expect("a file");
        let empty = File::open(tree.at("empty")).expect("a file");
        let mut scratch = Vec::new();
        for (offset, length, expected) in [
            (0, 10, 10),
            (990, 10, 10),
            (990, 11, 10),
            (1000, 1, 0),
            (5000, 9, 0),
            (3, 0, 0),
        ] {
            let row = format!("{kind}: {length} from {offset}");
            let sent = one
                .send_file(&file, offset, length, &mut scratch)
                .expect("a write");
            assert_eq!(sent, expected, "{row}");
            let start = offset.min(1000) as usize;
            assert_eq!(
                receive(&mut other, sent),
                text[start..start + sent],
                "{row}"
            );
        }
        assert_eq!(
            one.send_file(&empty, 0, 1, &mut scratch).expect("a write"),
            0,
            "{kind}"
        );
    }
}

#[test]
fn a_full_socket_takes_no_file() {
    let tree = Tree::plant();
    tree.file("file", pattern(1 << 20));
    let file = File::open(tree.at("file")).expect("a file");
    for (kind, mut one, _other) in kinds() {
        let mut scratch = Vec::new();
        let end = Instant::now() + LOST;
        while !would_block(one.send_file(&file, 0, 1 << 20, &mut scratch)) {
            assert!(Instant::now() < end, "{kind}: never full");
        }
    }
}

/// Some files that the kernel makes up have no sendfile; they are copied.
#[cfg(target_os = "linux")]
#[test]
fn a_file_without_sendfile_is_copied() {
    let expected = std::fs::read("/proc/self/cmdline").expect("a text");
    for (kind, mut one, mut other) in kinds() {
        let file = File::open("/proc/self/cmdline").expect("a file");
        let mut scratch = Vec::new();
        let sent = one
            .send_file(&file, 0, 1 << 20, &mut scratch)
            .expect("a write");
        assert_eq!(receive(&mut other, sent), expected, "{kind}");
        assert!(!scratch.is_empty(), "{kind}: copied");
        // An open descriptor that is not a file: the kernel refuses it, and so does the copying.
        let (socket, _) = std::os::unix::net::UnixStream::pair().expect("a pair");
        let socket = File::from(std::os::fd::OwnedFd::from(socket));
        one.send_file(&socket, 0, 1, &mut scratch)
            .expect_err("no file");
    }
}

#[cfg(unix)]
mod peer_gone {
    use super::*;
    use crate::harness::{child, is_child};

    const SIGPIPE: i32 = 13;

    #[allow(unsafe_code, reason = "a declaration of what libc has")]
    unsafe extern "C" {
        safe fn signal(number: i32, handler: usize) -> usize;
    }

    #[test]
    fn is_an_error_and_no_signal() {
        let output = child("stream::peer_gone::in_a_process_that_dies_of_sigpipe").output();
        let output = output.expect("a child process");
        assert!(output.status.success(), "{:?}", output);
        assert!(
            String::from_utf8_lossy(&output.stdout).contains("survived all"),
            "{output:?}"
        );
    }

    #[test]
    // Run by is_an_error_and_no_signal in a process of its own; nothing otherwise.
    fn in_a_process_that_dies_of_sigpipe() {
        if !is_child() {
            return;
        }
        signal(SIGPIPE, 0); // SIG_DFL
        let tree = Tree::plant();
        tree.file("file", "text");
        let file = File::open(tree.at("file")).expect("a file");
        type Write = fn(&mut Stream, &File) -> io::Result<usize>;
        let ways: [(&str, Write); 3] = [
            ("write", |stream, _| stream.write(b"x")),
            ("write_vectored", |stream, _| {
                stream.write_vectored(&[IoSlice::new(b"x")])
            }),
            ("send_file", |stream, file| {
                stream.send_file(file, 0, 4, &mut Vec::new())
            }),
        ];
        for (way, write) in ways {
            for (kind, mut one, other) in kinds() {
                drop(other);
                let end = Instant::now() + LOST;
                // The first bytes may still go out; then the peer's reset comes.
                while write(&mut one, &file).is_ok() {
                    assert!(Instant::now() < end, "{kind} {way}: no error");
                }
                // After the error is known, the next write is the one that raises the signal.
                write(&mut one, &file).expect_err("the peer has gone");
            }
        }
        println!("survived all");
    }
}
