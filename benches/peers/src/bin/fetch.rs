//! Makes a fixed number of requests, so that what they cost a server can be compared.
//!
//! - `keep-alive`: each of `--connections` connections has one request under way; each round writes
//!   to all of them, then reads;
//! - `pipelined`: the same with 16 requests in each write;
//! - `close`: each request has a connection of its own, and `Connection: close`.
//!
//! With one server and `--idle-of PID`, each connect and each write waits until all threads of that
//! process sleep: then the server makes the same system calls for every request, whatever else the
//! machine does. With two servers (address and process each), they take turns, `--turns` each, and
//! what their threads ran is compared turn by turn: it prints the microseconds per request of both
//! (medians) and the median of the ratios. Fails when a response is not 200 or comes short.
#![forbid(unsafe_code)]

use peers::{Arguments, PATIENCE, status};
use std::fs;
use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

const USAGE: &str = "fetch [--requests N] [--connections N] [--path PATH] [--idle-of PID] WAY ADDRESS:PORT
       fetch --turns N [--requests N] [--connections N] [--path PATH] WAY ADDRESS:PORT PID ADDRESS:PORT PID
WAY is keep-alive, pipelined or close";
/// Requests in one write of a pipelined round.
const DEPTH: u64 = 16;
/// How long a process may take to fall asleep: valgrind makes it fifty times slower.
const ASLEEP_WITHIN: Duration = Duration::from_secs(20);

fn main() -> ExitCode {
    peers::report("fetch", run())
}

fn run() -> Result<(), String> {
    let mut arguments = Arguments::new(USAGE);
    let requests = arguments.number("--requests", 1000)?;
    let connections = arguments.number("--connections", 1)?.max(1);
    let path = arguments.value("--path")?.unwrap_or("/".to_string());
    let turns = arguments.number("--turns", 0)?;
    let idle_of = arguments.value("--idle-of")?;
    let client = |way: &str, address: &str, idle_of| -> Result<Client, String> {
        let address = peers::address(address)?;
        let way = Way::named(way).ok_or_else(|| format!("unknown way '{way}'\n{USAGE}"))?;
        Client::new(way, address, &path, connections, idle_of)
            .map_err(|error| format!("{address}: {error}"))
    };
    if turns == 0 {
        let [way, address] = arguments.rest()?;
        let mut client = client(&way, &address, idle_of)?;
        return client
            .make(requests)
            .map_err(|error| format!("{way} of {address}: {error}"));
    }
    let [way, old, old_process, new, new_process] = arguments.rest()?;
    let old = Measured::new(client(&way, &old, None)?, old_process);
    let new = Measured::new(client(&way, &new, None)?, new_process);
    compare(old, new, turns, requests).map_err(|error| format!("{way}: {error}"))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Held { depth: u64 },
    Close,
}

impl Way {
    fn named(name: &str) -> Option<Way> {
        match name {
            "keep-alive" => Some(Way::Held { depth: 1 }),
            "pipelined" => Some(Way::Held { depth: DEPTH }),
            "close" => Some(Way::Close),
            _ => None,
        }
    }
}

struct Client {
    way: Way,
    address: SocketAddr,
    request: String,
    idle_of: Option<String>,
    /// Those that are held.
    streams: Vec<TcpStream>,
    /// Space for one response.
    response: Vec<u8>,
}

impl Client {
    fn new(
        way: Way,
        address: SocketAddr,
        path: &str,
        connections: u64,
        idle_of: Option<String>,
    ) -> io::Result<Client> {
        let fields = match way {
            Way::Held { .. } => "",
            Way::Close => "Connection: close\r\n",
        };
        let mut client = Client {
            way,
            address,
            request: format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n"),
            idle_of,
            streams: Vec::new(),
            response: Vec::new(),
        };
        if way != Way::Close {
            // All responses are as long as this one.
            client.one(Shutdown::Write)?;
            for _ in 0..connections {
                client.streams.push(client.connect()?);
            }
        }
        Ok(client)
    }

    fn connect(&self) -> io::Result<TcpStream> {
        let stream = TcpStream::connect_timeout(&self.address, PATIENCE)?;
        stream.set_read_timeout(Some(ASLEEP_WITHIN))?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }

    fn make(&mut self, requests: u64) -> io::Result<()> {
        match self.way {
            Way::Held { depth } => self.held(requests, depth),
            Way::Close => (0..requests).try_for_each(|_| self.one(Shutdown::Both)),
        }
    }

    /// One request on a connection of its own, which the server closes: because it was asked to, or
    /// because this side has ended.
    fn one(&mut self, how: Shutdown) -> io::Result<()> {
        self.sleeps()?;
        let mut stream = self.connect()?;
        self.sleeps()?;
        stream.write_all(self.request.as_bytes())?;
        if how == Shutdown::Write {
            stream.shutdown(how)?;
        }
        self.response.clear();
        stream.read_to_end(&mut self.response)?;
        check(&self.response)
    }

    fn held(&mut self, requests: u64, depth: u64) -> io::Result<()> {
        let together = self.request.repeat(depth as usize);
        let mut left = requests;
        let mut asked = Vec::new();
        while left > 0 {
            self.sleeps()?;
            asked.clear();
            for stream in &mut self.streams {
                let now = left.min(depth);
                left -= now;
                stream.write_all(&together.as_bytes()[..self.request.len() * now as usize])?;
                asked.push(now);
            }
            for (stream, count) in self.streams.iter_mut().zip(&asked) {
                for _ in 0..*count {
                    stream.read_exact(&mut self.response)?;
                    check(&self.response)?;
                }
            }
        }
        Ok(())
    }

    fn sleeps(&self) -> io::Result<()> {
        self.idle_of.as_deref().map_or(Ok(()), sleeps)
    }
}

fn check(response: &[u8]) -> io::Result<()> {
    match status(response) {
        Some(200) => Ok(()),
        other => Err(io::Error::other(format!("status {other:?}"))),
    }
}

/// Waits until all threads of a process sleep.
fn sleeps(process: &str) -> io::Result<()> {
    let started = Instant::now();
    while !all_sleep(process)? {
        if started.elapsed() > ASLEEP_WITHIN {
            return Err(io::Error::other("the server does not fall asleep"));
        }
    }
    Ok(())
}

fn all_sleep(process: &str) -> io::Result<bool> {
    for thread in threads(process)? {
        let stat = fs::read_to_string(thread.join("stat"))?;
        // The name may hold spaces and parentheses; after its last one comes the state.
        let state = stat
            .rsplit(") ")
            .next()
            .and_then(|rest| rest.chars().next());
        if state != Some('S') {
            return Ok(false);
        }
    }
    Ok(true)
}

fn threads(process: &str) -> io::Result<Vec<PathBuf>> {
    let folder = fs::read_dir(format!("/proc/{process}/task"))?;
    folder.map(|thread| Ok(thread?.path())).collect()
}

/// A server whose processor time is read.
struct Measured {
    client: Client,
    process: String,
    /// Nanoseconds of each turn.
    turns: Vec<u64>,
}

impl Measured {
    fn new(client: Client, process: String) -> Measured {
        Measured {
            client,
            process,
            turns: Vec::new(),
        }
    }

    fn turn(&mut self, requests: u64) -> io::Result<()> {
        let before = self.ran()?;
        self.client.make(requests)?;
        let after = self.ran()?;
        self.turns.push(after - before);
        Ok(())
    }

    /// Nanoseconds that the threads of the process have run, once all of them sleep: the kernel
    /// counts a thread that runs late.
    fn ran(&self) -> io::Result<u64> {
        sleeps(&self.process)?;
        let mut sum = 0;
        for thread in threads(&self.process)? {
            let figures = fs::read_to_string(thread.join("schedstat"))?;
            let ran = figures.split(' ').next().and_then(|ran| ran.parse().ok());
            sum += ran.unwrap_or(0);
        }
        Ok(sum)
    }

    fn microseconds(&self, requests: u64) -> f64 {
        let turns = self.turns.iter().map(|turn| *turn as f64).collect();
        median(turns) / requests as f64 / 1000.0
    }
}

/// Who begins changes with each turn; the first turn of both is not counted.
fn compare(mut old: Measured, mut new: Measured, turns: u64, requests: u64) -> io::Result<()> {
    for turn in 0..=turns {
        if turn % 2 == 0 {
            old.turn(requests)?;
            new.turn(requests)?;
        } else {
            new.turn(requests)?;
            old.turn(requests)?;
        }
    }
    old.turns.remove(0);
    new.turns.remove(0);
    let pairs = old.turns.iter().zip(&new.turns);
    let ratios = pairs.map(|(old, new)| *new as f64 / *old as f64).collect();
    let (was, is) = (old.microseconds(requests), new.microseconds(requests));
    println!("{was:.3} {is:.3} {:.4}", median(ratios));
    Ok(())
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}
