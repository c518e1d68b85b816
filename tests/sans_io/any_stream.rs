//! The example's loop over a stream in memory: whole, byte by byte, with short writes, in time and
//! out of it.

#[allow(dead_code)]
#[path = "../../examples/any_stream.rs"]
mod example;

use doorstep::conn::Moment;
use doorstep::{CloseReason, Limits, Reject};
use std::cell::Cell;
use std::io::{self, ErrorKind, Read, Write};

const GET: &str = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const EMPTY: &str = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
const HELLO: &str = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
const REFUSED: &str = "HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";

/// One end of a stream, with the peer at the other end.
struct Peer<'a> {
    /// What the peer sends.
    sends: &'a [u8],
    /// How much of it one read brings.
    piece: usize,
    /// Whether it closes its side after that; otherwise it is silent.
    closes: bool,
    /// What it has read.
    received: Vec<u8>,
    /// How much one write takes; the peer reads nothing when that is nothing.
    takes: usize,
    /// Each call that times out takes a second.
    clock: &'a Cell<u64>,
}

impl Peer<'_> {
    fn time_out(&self) -> io::Result<usize> {
        self.clock.set(self.clock.get() + 1_000);
        Err(ErrorKind::WouldBlock.into())
    }
}

impl Read for Peer<'_> {
    fn read(&mut self, octets: &mut [u8]) -> io::Result<usize> {
        if self.sends.is_empty() && !self.closes {
            return self.time_out();
        }
        let count = self.piece.min(octets.len()).min(self.sends.len());
        octets[..count].copy_from_slice(&self.sends[..count]);
        self.sends = &self.sends[count..];
        Ok(count)
    }
}

impl Write for Peer<'_> {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        if self.takes == 0 {
            return self.time_out();
        }
        let count = self.takes.min(octets.len());
        self.received.extend_from_slice(&octets[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// How a conversation went: what the peer received, why it ended, and after how many milliseconds.
struct Outcome {
    received: String,
    ended: Result<CloseReason, ErrorKind>,
    at: u64,
}

/// Serves a peer that sends these bytes in pieces of this length, and takes as many at a time.
fn serve(sends: &[u8], closes: bool, piece: usize, takes: usize) -> Outcome {
    let clock = Cell::new(0);
    let mut peer = Peer {
        sends,
        piece,
        closes,
        received: Vec::new(),
        takes,
        clock: &clock,
    };
    // The loop asks for the time at least once in each round.
    let rounds = Cell::new(0);
    let now = || {
        rounds.set(rounds.get() + 1);
        assert!(
            rounds.get() < 100 * (sends.len() + 100),
            "no end is in sight"
        );
        Moment(clock.get())
    };
    let ended = example::serve(&mut peer, now);
    Outcome {
        received: String::from_utf8(peer.received).expect("what was sent is text"),
        ended: ended.map_err(|error| error.kind()),
        at: clock.get(),
    }
}

/// What is asked, what is sent, what comes back, why it ends.
type Row = (&'static str, String, String, CloseReason);

#[rustfmt::skip]
fn rows() -> Vec<Row> {
    let post = |framing: &str, content: &str| format!("POST / HTTP/1.1\r\nHost: a\r\n{framing}\r\n\r\n{content}");
    let closing = format!("{}Connection: close\r\n\r\n", &GET[..GET.len() - 2]);
    let answered = EMPTY.replace("Content", "Connection: close\r\nContent");
    let (closed, refused) = (CloseReason::PeerClosed, CloseReason::Rejected);
    vec![
        ("nothing", String::new(), String::new(), closed),
        ("one request", GET.into(), EMPTY.into(), closed),
        ("HEAD: the length alone", GET.replace("GET", "HEAD"), EMPTY.into(), closed),
        ("a hundred pipelined", GET.repeat(100), EMPTY.repeat(100), closed),
        ("content by its length", post("Content-Length: 5", "hello"), HELLO.into(), closed),
        ("content in chunks", post("Transfer-Encoding: chunked", "2;a=b\r\nhe\r\n3\r\nllo\r\n0\r\nX: y\r\n\r\n"), HELLO.into(), closed),
        ("one after the other", [post("Content-Length: 5", "hello"), GET.into(), post("Transfer-Encoding: chunked", "5\r\nhello\r\n0\r\n\r\n")].concat(), [HELLO, EMPTY, HELLO].concat(), closed),
        ("the client asks for the end, and sends on", closing.clone() + GET, answered.clone(), CloseReason::Answered),
        ("the client asks for the end", closing, answered.clone(), CloseReason::Answered),
        ("HTTP/1.0", "GET / HTTP/1.0\r\n\r\n".into(), answered, CloseReason::Answered),
        ("HTTP/1.0 that is kept", "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n".into(), EMPTY.replace("Content", "Connection: keep-alive\r\nContent"), closed),
        ("refused, and nothing after it answered", format!("{GET}GET / HTTP/1.1\r\nHost : a\r\n\r\n{GET}"), format!("{EMPTY}{REFUSED}"), refused(Reject::SpaceBeforeColon)),
        ("refused within content", post("Transfer-Encoding: chunked", "5\r\nhello!") + GET, REFUSED.into(), refused(Reject::InvalidChunkEnd)),
        ("refused with another status", "GET / HTTP/2.0\r\n\r\n".into(), REFUSED.replace("400 Bad Request", "505 HTTP Version Not Supported"), refused(Reject::UnsupportedVersion)),
        ("half-closed within content", post("Content-Length: 5", "hell"), REFUSED.into(), refused(Reject::TruncatedContent)),
        ("half-closed within a head", format!("{GET}GET / HT"), EMPTY.into(), CloseReason::PeerClosedEarly),
    ]
}

#[test]
fn every_way_of_sending_comes_to_the_same() {
    for (name, sends, expected, reason) in rows() {
        for piece in [usize::MAX, 1, 2, 3, 7, 50] {
            for takes in [usize::MAX, 1, 10] {
                let outcome = serve(sends.as_bytes(), true, piece, takes);
                let name = format!("{name}: {piece} bytes at a time, {takes} taken");
                assert_eq!(outcome.received, expected, "{name}");
                assert_eq!(outcome.ended, Ok(reason), "{name}");
                assert_eq!(outcome.at, 0, "{name}: nothing is waited for");
            }
        }
    }
}

/// RFC 9110 §10.1.1: the interim answer comes when content is waited for, and not when it is here.
#[test]
fn content_is_invited() {
    let head = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n";
    let whole = format!("{head}hello");
    let invited = format!("HTTP/1.1 100 Continue\r\n\r\n{HELLO}");
    for (piece, expected) in [(usize::MAX, HELLO), (head.len(), &invited), (1, &invited)] {
        assert_eq!(serve(whole.as_bytes(), true, piece, 10).received, expected);
    }
}

/// Content beyond the limit is dropped, and the next request answered, or ends the connection when
/// it is far beyond.
#[test]
fn content_has_a_limit() {
    let most = Limits::default().body_bytes;
    let large = "HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\n\r\n";
    let last = large.replace("Content-L", "Connection: close\r\nContent-L");
    let whole = format!("HTTP/1.1 200 OK\r\nContent-Length: {most}\r\n\r\n");
    let rows = [
        (most, whole + &"x".repeat(most) + EMPTY),
        (most + 1, format!("{large}{EMPTY}")),
        (most + 10_000, format!("{large}{EMPTY}")),
        (most + 100_000, last),
    ];
    for (length, expected) in rows {
        let head = format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n");
        let sends = head + &"x".repeat(length) + GET;
        let outcome = serve(sends.as_bytes(), true, usize::MAX, usize::MAX);
        let shown = outcome.received.get(..200).unwrap_or(&outcome.received);
        assert!(outcome.received == expected, "{length} bytes: {shown}");
    }
}

/// In seconds: the peer is silent after what it has sent, or reads nothing.
#[test]
#[rustfmt::skip]
fn a_silent_peer_is_given_up() {
    let timeout = |reject| Ok(CloseReason::Rejected(reject));
    let idle = Ok(CloseReason::IdleTimeout);
    let late = "HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
    let rows = [
        ("accepted, and not a word", "", usize::MAX, 10, "", idle),
        ("a head that goes no further, and the time to read the answer", "GET /", usize::MAX, 10 + 2, late, timeout(Reject::HeadTimeout)),
        ("idle", GET, usize::MAX, 75, EMPTY, idle),
        ("content that does not come", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhell", usize::MAX, 30 + 2, late, timeout(Reject::ContentTimeout)),
        ("a peer that reads nothing: counted from the first write that timed out", GET, 0, 1 + 30, "", Err(ErrorKind::WouldBlock)),
    ];
    for (name, sends, takes, seconds, received, reason) in rows {
        let outcome = serve(sends.as_bytes(), false, usize::MAX, takes);
        assert_eq!(outcome.received, received, "{name}");
        assert_eq!(outcome.ended, reason, "{name}");
        assert_eq!(outcome.at, 1_000 * seconds, "{name}");
    }
}

#[test]
fn a_stream_that_fails_says_so() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(ErrorKind::ConnectionReset.into())
        }
    }
    impl Write for Broken {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Ok(0)
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let ended = example::serve(Broken, || Moment(0));
    assert_eq!(
        ended.map_err(|error| error.kind()),
        Err(ErrorKind::ConnectionReset)
    );
    let asks = Read::chain(GET.as_bytes(), Broken);
    struct Joined<R>(R);
    impl<R: Read> Read for Joined<R> {
        fn read(&mut self, octets: &mut [u8]) -> io::Result<usize> {
            self.0.read(octets)
        }
    }
    impl<R> Write for Joined<R> {
        fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
            Broken.write(octets)
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let ended = example::serve(Joined(asks), || Moment(0));
    assert_eq!(ended.ok(), Some(CloseReason::Failed));
}

#[test]
fn the_example_is_short() {
    let lines = include_str!("../../examples/any_stream.rs").lines().count();
    assert!(lines < 60, "{lines} lines");
}
