//! Measures what idle connections cost a server: resident memory for each, and the time of a fresh
//! request beside them.
//!
//! Each connection makes one GET and is held (with `--silent` it makes none). The server's memory
//! is read before and after; what the kernel holds for sockets is not in it. A fresh request opens
//! a connection, gets its answer, and closes; 200 of them are timed before and 200 beside the held
//! ones. Fails when an answer is not 200.
#![forbid(unsafe_code)]

use peers::{Arguments, PATIENCE, percentile, read_answer, resident};
use std::io::{self, ErrorKind, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::ExitCode;
use std::time::{Duration, Instant};

const USAGE: &str = "idle [--connections N] [--silent] [--path PATH] ADDRESS:PORT PID";
/// Fresh requests that are timed: enough for a 99th percentile with two above it.
const FRESH: usize = 200;

fn main() -> ExitCode {
    peers::report("idle", measure())
}

fn measure() -> Result<(), String> {
    let mut arguments = Arguments::new(USAGE);
    let silent = arguments.flag("--silent");
    let count = arguments.number("--connections", 10_000)?.max(1);
    let path = arguments.value("--path")?.unwrap_or("/".to_string());
    let [address, process] = arguments.rest()?;
    let process = process
        .parse()
        .map_err(|_| format!("'{process}' is no process id"))?;
    let server = Target {
        address: peers::address(&address)?,
        request: format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n"),
    };
    peers::check_open_files(count)?;

    let alone = server.fresh_requests()?;
    let before = resident(process)?;
    let started = Instant::now();
    let held = server.hold(count, silent)?;
    if silent {
        // Connections are accepted in their order: with this answer those before it are known to
        // be.
        server.fresh()?;
    }
    let took = started.elapsed();
    let after = resident(process)?;
    let beside = server.fresh_requests()?;
    let open = held.iter().filter(|stream| is_open(stream)).count();

    let kind = if silent { "silent" } else { "keep-alive" };
    println!(
        "connections {count} {kind}, opened in {:.2} s",
        took.as_secs_f64()
    );
    println!(
        "resident {:.2} MiB before, {:.2} MiB after: {:.0} octets per connection",
        mebibytes(before),
        mebibytes(after),
        (after as f64 - before as f64) / count as f64
    );
    print_times("alone", alone);
    print_times("beside them", beside);
    println!("still open at the end: {open} of {count}");
    Ok(())
}

fn mebibytes(octets: u64) -> f64 {
    octets as f64 / (1024.0 * 1024.0)
}

fn print_times(when: &str, times: Vec<Duration>) {
    let microseconds = |share| percentile(times.clone(), share).as_secs_f64() * 1e6;
    println!(
        "fresh request {when}: median {:.0} us, p99 {:.0} us of {}",
        microseconds(0.5),
        microseconds(0.99),
        times.len()
    );
}

struct Target {
    address: SocketAddr,
    request: String,
}

impl Target {
    fn connect(&self) -> io::Result<TcpStream> {
        let stream = TcpStream::connect_timeout(&self.address, PATIENCE)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }

    fn get(&self, stream: &mut TcpStream) -> io::Result<()> {
        stream.write_all(self.request.as_bytes())?;
        match read_answer(stream)? {
            200 => Ok(()),
            status => Err(io::Error::other(format!("answered with {status}"))),
        }
    }

    fn hold(&self, count: u64, silent: bool) -> Result<Vec<TcpStream>, String> {
        let mut held = Vec::with_capacity(count as usize);
        for number in 1..=count {
            let stream = self.connect().and_then(|mut stream| {
                if !silent {
                    self.get(&mut stream)?;
                }
                Ok(stream)
            });
            held.push(stream.map_err(|error| format!("connection {number}: {error}"))?);
        }
        Ok(held)
    }

    /// The time from before the connect to the end of the answer.
    fn fresh(&self) -> Result<Duration, String> {
        let started = Instant::now();
        self.connect()
            .and_then(|mut stream| self.get(&mut stream))
            .map_err(|error| format!("a fresh request: {error}"))?;
        Ok(started.elapsed())
    }

    fn fresh_requests(&self) -> Result<Vec<Duration>, String> {
        (0..FRESH).map(|_| self.fresh()).collect()
    }
}

/// Whether the server has neither closed this connection nor sent what nobody asked for.
fn is_open(stream: &TcpStream) -> bool {
    let peeked = stream
        .set_nonblocking(true)
        .and_then(|()| stream.peek(&mut [0]));
    matches!(peeked, Err(error) if error.kind() == ErrorKind::WouldBlock)
}
