//! The log on standard error: one line per request, in one write.
//!
//! `12:01:44 200 GET /app.js 14.2 kB 0.8 ms 192.168.1.7`, times in UTC. Control characters are
//! escaped, and no request waits for its line to be read.

use crate::text::escaped;
use doorstep::{Observer, Overload, Reject, RequestEvent, Status};
use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

#[derive(Clone, Copy, Debug)]
pub struct Log {
    pub colour: bool,
}

impl Observer for Log {
    fn request(&self, event: &RequestEvent<'_>) {
        let mut line = Line::begin(event.time, event.status, self.colour);
        let method = event.method.as_str();
        line.request(method, event.target, event.bytes, event.duration);
        line.end(event.peer, if event.complete { "" } else { "(cut short)" });
    }

    fn rejected(&self, peer: Option<SocketAddr>, reject: Reject, status: Status) {
        let mut line = Line::begin(SystemTime::now(), status, self.colour);
        line.0.push_str(" -");
        line.end(peer, reject.sentence());
    }

    fn overload(&self, why: &Overload) {
        write(&format!("doorstep: {}\n", escaped(&why.to_string())));
    }
}

/// Logs a message of the program itself.
pub fn say(text: &str) {
    write(&format!("doorstep: {text}\n"));
}

/// The most lines waiting to be written; more are dropped and counted. A second's worth on a busy
/// server.
const LINES_WAITING: usize = 8_192;
/// The most bytes of these lines: a request's target alone may have 8 KiB, and common lines have
/// 80 bytes.
const BYTES_WAITING: usize = 1024 * 1024;

/// The channel to the writing thread; until it starts, lines are written directly.
static WRITER: OnceLock<SyncSender<Message>> = OnceLock::new();
/// The bytes of the lines in the channel.
static WAITING: WaitingBytes = WaitingBytes(AtomicUsize::new(0));
/// Lines dropped because the queue was full.
static LOST: AtomicU64 = AtomicU64::new(0);

struct WaitingBytes(AtomicUsize);

impl WaitingBytes {
    /// Counts a line, unless there would be too many bytes.
    fn add(&self, line: usize) -> bool {
        let before = self.0.fetch_add(line, Ordering::Relaxed);
        let fits = before.saturating_add(line) <= BYTES_WAITING;
        if !fits {
            self.remove(line);
        }
        fits
    }

    fn remove(&self, line: usize) {
        self.0.fetch_sub(line, Ordering::Relaxed);
    }
}

enum Message {
    Line(String),
    /// Asks for a reply once everything before it is written.
    Done(SyncSender<()>),
}

/// Starts the thread that writes the log. Standard error may be a pipe that nobody reads, or a
/// terminal paused with Ctrl-S; requests, deadlines and shutdown must not wait for that.
///
/// # Errors
/// When the thread cannot be started.
pub fn start() -> io::Result<()> {
    let (sender, receiver) = sync_channel(LINES_WAITING);
    let write_all = move || {
        for message in receiver {
            match message {
                Message::Line(line) => {
                    write_now(&line);
                    WAITING.remove(line.len());
                }
                // The asker may have given up.
                Message::Done(done) => drop(done.try_send(())),
            }
            match LOST.swap(0, Ordering::Relaxed) {
                0 => {}
                lost => write_now(&format!(
                    "doorstep: {lost} lines of the log were lost: nobody read them in time\n"
                )),
            }
        }
    };
    let builder = thread::Builder::new().name("log".to_string());
    builder.spawn(write_all)?;
    // The cell is empty: `start` is called once.
    let _ = WRITER.set(sender);
    Ok(())
}

/// Waits until the log is written, but no longer than `within`.
pub fn finish(within: Duration) {
    let Some(writer) = WRITER.get() else { return };
    let (sender, receiver) = sync_channel(1);
    if writer.try_send(Message::Done(sender)).is_ok() {
        let _ = receiver.recv_timeout(within);
    }
}

fn write(line: &str) {
    let Some(writer) = WRITER.get() else {
        return write_now(line);
    };
    if WAITING.add(line.len()) {
        if writer.try_send(Message::Line(line.to_string())).is_ok() {
            return;
        }
        WAITING.remove(line.len());
    }
    LOST.fetch_add(1, Ordering::Relaxed);
}

/// One write call, so that lines of several programs on one terminal stay whole.
fn write_now(line: &str) {
    // Keep serving even if the log cannot be written.
    let _ = io::stderr().lock().write_all(line.as_bytes());
}

struct Line(String);

impl Line {
    fn begin(time: SystemTime, status: Status, colour: bool) -> Line {
        let mut line = Line(String::with_capacity(128));
        line.start(time, status.code(), colour);
        line
    }

    fn start(&mut self, time: SystemTime, status: u16, colour: bool) {
        // A clock set before 1970 shows as midnight.
        let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
        let seconds = since.as_secs() % 86_400;
        let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        // Writing to a String cannot fail.
        let _ = write!(self.0, "{hour:02}:{minute:02}:{second:02} ");
        let code = match status {
            200..=299 => "32",
            300..=399 => "36",
            400..=499 => "33",
            500..=599 => "31",
            _ => "0",
        };
        let _ = match colour {
            true => write!(self.0, "\x1b[{code}m{status}\x1b[0m"),
            false => write!(self.0, "{status}"),
        };
    }

    fn request(&mut self, method: &str, target: &str, bytes: u64, duration: Duration) {
        let (method, target) = (escaped(method), escaped(target));
        let (size, time) = (size(bytes), time(duration));
        let _ = write!(self.0, " {method} {target} {size} {time}");
    }

    fn finish(&mut self, peer: Option<SocketAddr>, remark: &str) {
        match peer {
            Some(peer) => {
                let _ = write!(self.0, " {}", peer.ip().to_canonical());
            }
            // The peer of a Unix-domain socket has no address.
            None => self.0.push_str(" local"),
        }
        if !remark.is_empty() {
            let _ = write!(self.0, " {}", escaped(remark));
        }
        self.0.push('\n');
    }

    fn end(mut self, peer: Option<SocketAddr>, remark: &str) {
        self.finish(peer, remark);
        write(&self.0);
    }
}

/// `512 B`, `14.2 kB`: decimal units, one digit after the point, truncated so that no size shows as
/// `1000.0 kB`.
fn size(bytes: u64) -> String {
    const UNITS: [(u64, &str); 4] = [
        (1_000_000_000_000, "TB"),
        (1_000_000_000, "GB"),
        (1_000_000, "MB"),
        (1_000, "kB"),
    ];
    match UNITS.iter().find(|(unit, _)| bytes >= *unit) {
        Some((unit, name)) => format!("{}.{} {name}", bytes / unit, bytes % unit / (unit / 10)),
        None => format!("{bytes} B"),
    }
}

/// `0.03 ms`, `0.8 ms`, `120 ms`, `4.1 s`.
fn time(duration: Duration) -> String {
    let micros = duration.as_micros();
    match micros {
        0..100 => format!("0.{:02} ms", micros / 10),
        100..100_000 => format!("{}.{} ms", micros / 1000, micros % 1000 / 100),
        100_000..1_000_000 => format!("{} ms", micros / 1000),
        _ => format!("{}.{} s", micros / 1_000_000, micros % 1_000_000 / 100_000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::IpAddr;

    const NOON: u64 = 951_782_400 + 12 * 3600 + 104;

    fn line(status: u16, colour: bool, target: &str, peer: &str) -> String {
        let mut line = Line(String::new());
        line.start(UNIX_EPOCH + Duration::from_secs(NOON), status, colour);
        line.request("GET", target, 14_270, Duration::from_micros(870));
        let peer = peer.parse::<IpAddr>().ok();
        line.finish(peer.map(|ip| SocketAddr::new(ip, 50_000)), "");
        line.0
    }

    #[test]
    fn one_line_per_request() {
        for (line, expected) in [
            (
                line(200, false, "/app.js", "192.168.1.7"),
                "12:01:44 200 GET /app.js 14.2 kB 0.8 ms 192.168.1.7\n",
            ),
            (
                line(200, true, "/app.js", "::1"),
                "12:01:44 \x1b[32m200\x1b[0m GET /app.js 14.2 kB 0.8 ms ::1\n",
            ),
            (
                line(404, true, "/x", "::ffff:10.0.0.1"),
                "12:01:44 \x1b[33m404\x1b[0m GET /x 14.2 kB 0.8 ms 10.0.0.1\n",
            ),
            (
                line(304, true, "/x", "::1"),
                "12:01:44 \x1b[36m304\x1b[0m GET /x 14.2 kB 0.8 ms ::1\n",
            ),
            (
                line(500, true, "/x", "-"),
                "12:01:44 \x1b[31m500\x1b[0m GET /x 14.2 kB 0.8 ms local\n",
            ),
            (
                line(200, false, "/\x1b[2J\n1", "::1"),
                "12:01:44 200 GET /\\u{1b}[2J\\n1 14.2 kB 0.8 ms ::1\n",
            ),
        ] {
            assert_eq!(line, expected);
        }
    }

    #[test]
    fn rejected_requests_give_the_reason() {
        let mut line = Line(String::new());
        line.start(UNIX_EPOCH, 400, false);
        line.0.push_str(" -");
        line.finish("192.168.1.7:1".parse().ok(), "white space before the colon");
        let expected = "00:00:00 400 - 192.168.1.7 white space before the colon\n";
        assert_eq!(line.0, expected);
    }

    #[test]
    fn waiting_lines_are_bounded_in_bytes() {
        let waiting = WaitingBytes(AtomicUsize::new(0));
        assert!(waiting.add(BYTES_WAITING - 8));
        for (line, fits) in [(9, false), (8, true), (1, false), (0, true)] {
            assert_eq!(waiting.add(line), fits, "{line}");
        }
        waiting.remove(8);
        assert!(!waiting.add(usize::MAX));
        assert!(waiting.add(8));
        assert!(!waiting.add(1));
    }

    #[test]
    fn units_stay_short() {
        for (bytes, expected) in [
            (0, "0 B"),
            (999, "999 B"),
            (1000, "1.0 kB"),
            (999_999, "999.9 kB"),
            (1_000_000, "1.0 MB"),
            (2_147_483_648, "2.1 GB"),
            (u64::MAX, "18446744.0 TB"),
        ] {
            assert_eq!(size(bytes), expected);
        }
        for (micros, expected) in [
            (0, "0.00 ms"),
            (99, "0.09 ms"),
            (100, "0.1 ms"),
            (99_999, "99.9 ms"),
            (100_000, "100 ms"),
            (999_999, "999 ms"),
            (1_000_000, "1.0 s"),
            (75_500_000, "75.5 s"),
        ] {
            assert_eq!(time(Duration::from_micros(micros)), expected);
        }
    }
}
