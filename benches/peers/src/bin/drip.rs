//! Holds slow clients of one kind open for a while, to measure what a server does beside them.
//!
//! - `heads`: one byte of a request's head each second;
//! - `bodies`: a POST of 10,000 bytes, which a server may await whole, one byte each second;
//! - `pulled`: a POST of 1,000,000 bytes, 20 KiB at once and then one byte each second;
//! - `readers`: a GET of `--path`, of whose response one byte is read each second.
//!
//! A client that the server answers or closes is opened again. When all are open for the first
//! time, a line that begins with `ready` is printed; after `--seconds` of this, what became of
//! them: how many were open on average, where a client counts that is found open a second after it
//! was last touched; how many were opened again, and how many could not be; what ended them.
#![forbid(unsafe_code)]

use peers::{Arguments, PATIENCE};
use std::collections::BTreeMap;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

const USAGE: &str =
    "drip [--clients N] [--seconds N] [--path PATH] heads|bodies|pulled|readers ADDRESS:PORT";
/// The clients take turns: each tenth of a second a tenth of them, so that each has one turn a
/// second.
const GROUPS: usize = 10;
const TICK: Duration = Duration::from_millis(100);
/// How long a client that is opened again may keep the others waiting.
const AGAIN_WITHIN: Duration = Duration::from_millis(100);
/// Octets of an answer that show its status.
const STATUS_SHOWN: usize = 12;
/// What a `pulled` client sends at once: more than a server awaits before it calls its handler.
const AT_ONCE: usize = 20 * 1024;

fn main() -> ExitCode {
    peers::report("drip", run())
}

fn run() -> Result<(), String> {
    let mut arguments = Arguments::new(USAGE);
    let count = arguments.number("--clients", 2_000)?.max(1);
    let seconds = arguments.number("--seconds", 10)?.max(1);
    let path = arguments.value("--path")?.unwrap_or("/".to_string());
    let [kind, address] = arguments.rest()?;
    let kind = Kind::named(&kind, &path)
        .ok_or_else(|| format!("'{kind}' is no kind of client: {USAGE}"))?;
    let address = peers::address(&address)?;
    peers::check_open_files(count)?;

    let mut clients: Vec<Client> = (0..count).map(|_| Client::default()).collect();
    for (number, client) in clients.iter_mut().enumerate() {
        client
            .open(&kind, address, PATIENCE)
            .map_err(|error| format!("client {}: {error}", number + 1))?;
    }
    println!("ready {count} {}", kind.name);
    let tally = drip(&kind, address, &mut clients, seconds);
    let average = tally.found_open as f64 / seconds as f64;
    let mut line = format!(
        "open on average {average:.0} of {count}, opened again {}, not opened {}",
        tally.again, tally.refused
    );
    for (end, times) in &tally.ends {
        line += &format!(", {end} {times}");
    }
    println!("{line}");
    Ok(())
}

/// Gives each client its turn in each second.
fn drip(kind: &Kind, address: SocketAddr, clients: &mut [Client], seconds: u64) -> Tally {
    let mut tally = Tally::default();
    let started = Instant::now();
    for tick in 0..seconds as usize * GROUPS {
        // The pace of the clients: the first turn comes a tick after they were opened.
        let due = started + TICK * (tick as u32 + 1);
        thread::sleep(due.saturating_duration_since(Instant::now()));
        for client in clients.iter_mut().skip(tick % GROUPS).step_by(GROUPS) {
            match client.turn(kind) {
                Turn::Open => tally.found_open += 1,
                Turn::Closed(end) => {
                    *tally.ends.entry(end).or_default() += 1;
                    tally.open_again(client, kind, address);
                }
                Turn::Absent => tally.open_again(client, kind, address),
            }
        }
    }
    tally
}

#[derive(Default)]
struct Tally {
    found_open: u64,
    again: u64,
    refused: u64,
    ends: BTreeMap<String, u64>,
}

impl Tally {
    fn open_again(&mut self, client: &mut Client, kind: &Kind, address: SocketAddr) {
        match client.open(kind, address, AGAIN_WITHIN) {
            Ok(()) => self.again += 1,
            Err(_) => self.refused += 1,
        }
    }
}

/// What one kind of client sends, and whether it reads.
struct Kind {
    name: &'static str,
    /// Sent when the connection is opened.
    first: Vec<u8>,
    /// Sent one byte a second, the last one again and again.
    then: &'static [u8],
}

impl Kind {
    fn named(name: &str, path: &str) -> Option<Kind> {
        let get = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n");
        let post = |length: usize| {
            format!("POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\n")
        };
        let (name, first, then): (_, _, &[u8]) = match name {
            "heads" => (
                "heads",
                "G".to_string(),
                b"ET / HTTP/1.1\r\nHost: localhost\r\nDrip: x",
            ),
            "bodies" => ("bodies", post(10_000), b"x"),
            "pulled" => ("pulled", post(1_000_000) + &"x".repeat(AT_ONCE), b"x"),
            "readers" => ("readers", get, b""),
            _ => return None,
        };
        Some(Kind {
            name,
            first: first.into_bytes(),
            then,
        })
    }

    fn octet(&self, number: usize) -> Option<u8> {
        self.then.get(number).or(self.then.last()).copied()
    }
}

#[derive(Default)]
struct Client {
    stream: Option<TcpStream>,
    sent: usize,
    seen: Vec<u8>,
}

/// What a client finds at its turn.
enum Turn {
    Open,
    /// The server ended it: with an answer of this status, or how else.
    Closed(String),
    /// It could not be opened the last time.
    Absent,
}

impl Client {
    fn open(&mut self, kind: &Kind, address: SocketAddr, within: Duration) -> io::Result<()> {
        *self = Client::default();
        let mut stream = TcpStream::connect_timeout(&address, within)?;
        stream.set_nodelay(true)?;
        stream.set_write_timeout(Some(within))?;
        stream.write_all(&kind.first)?;
        stream.set_nonblocking(true)?;
        self.stream = Some(stream);
        Ok(())
    }

    fn turn(&mut self, kind: &Kind) -> Turn {
        let Some(stream) = &mut self.stream else {
            return Turn::Absent;
        };
        let turn = match kind.octet(self.sent) {
            Some(octet) => send(stream, octet),
            None => read(stream, &mut self.seen),
        };
        self.sent += 1;
        if let Turn::Closed(_) = turn {
            self.stream = None;
        }
        turn
    }
}

/// One more byte, unless the server has responded or closed.
fn send(stream: &mut TcpStream, octet: u8) -> Turn {
    let mut answer = [0; 1024];
    match stream.read(&mut answer) {
        Ok(count) => return Turn::Closed(ended_by(&answer[..count])),
        Err(error) if error.kind() != ErrorKind::WouldBlock => {
            return Turn::Closed(error.kind().to_string());
        }
        Err(_) => {}
    }
    match stream.write(&[octet]) {
        Err(error) if error.kind() != ErrorKind::WouldBlock => {
            Turn::Closed(error.kind().to_string())
        }
        _ => Turn::Open,
    }
}

/// One byte of the response, after those that show its status. A response other than 200 is not
/// read slowly.
fn read(stream: &mut TcpStream, seen: &mut Vec<u8>) -> Turn {
    let mut octets = [0; STATUS_SHOWN];
    let wanted = STATUS_SHOWN.saturating_sub(seen.len()).max(1);
    match stream.read(&mut octets[..wanted]) {
        Ok(0) => return Turn::Closed("cut".to_string()),
        Ok(count) if seen.len() < STATUS_SHOWN => seen.extend_from_slice(&octets[..count]),
        Err(error) if error.kind() != ErrorKind::WouldBlock => {
            return Turn::Closed(error.kind().to_string());
        }
        _ => {}
    }
    match peers::status(seen) {
        Some(200) | None => Turn::Open,
        Some(_) => Turn::Closed(ended_by(seen)),
    }
}

fn ended_by(answer: &[u8]) -> String {
    match peers::status(answer) {
        Some(status) => status.to_string(),
        None => "without an answer".to_string(),
    }
}
