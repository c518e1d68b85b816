//! Makes a fixed number of requests, so that what they cost a server can be compared.
//!
//! - `keep-alive`: each of `--connections` connections has one request under way; each round writes to all of them, then reads;
//! - `pipelined`: the same with 16 requests in each write;
//! - `close`: each request has a connection of its own, and `Connection: close`.
//!
//! With `--idle-of PID` each connect and each write waits until all threads of that process sleep: then the server makes the same
//! system calls for every request, whatever else the machine does. Fails when a response is not 200 or comes short.
#![forbid(unsafe_code)]

use peers::{Arguments, PATIENCE, status};
use std::fs;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::ExitCode;
use std::time::{Duration, Instant};

const USAGE: &str = "fetch [--requests N] [--connections N] [--path PATH] [--idle-of PID] keep-alive|pipelined|close ADDRESS:PORT";
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
    let idle_of = arguments.value("--idle-of")?;
    let [way, address] = arguments.rest()?;
    let server = Server {
        address: peers::address(&address)?,
        path,
        idle_of,
    };
    match way.as_str() {
        "keep-alive" => server.held(requests, connections, 1),
        "pipelined" => server.held(requests, connections, DEPTH),
        "close" => server.closed(requests),
        _ => return Err(format!("'{way}' is no way to make requests: {USAGE}")),
    }
    .map_err(|error| format!("{way} of {address}: {error}"))
}

struct Server {
    address: SocketAddr,
    path: String,
    idle_of: Option<String>,
}

impl Server {
    fn connect(&self) -> io::Result<TcpStream> {
        let stream = TcpStream::connect_timeout(&self.address, PATIENCE)?;
        stream.set_read_timeout(Some(ASLEEP_WITHIN))?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }

    fn request(&self, fields: &str) -> String {
        format!(
            "GET {} HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n",
            self.path
        )
    }

    fn closed(&self, requests: u64) -> io::Result<()> {
        let request = self.request("Connection: close\r\n");
        let mut response = Vec::new();
        for _ in 0..requests {
            self.sleeps()?;
            let mut stream = self.connect()?;
            self.sleeps()?;
            stream.write_all(request.as_bytes())?;
            response.clear();
            stream.read_to_end(&mut response)?;
            check(&response)?;
        }
        Ok(())
    }

    fn held(&self, requests: u64, connections: u64, depth: u64) -> io::Result<()> {
        let mut streams = Vec::new();
        for _ in 0..connections {
            streams.push(self.connect()?);
        }
        let request = self.request("");
        let together = request.repeat(depth as usize);
        let mut response = vec![0; self.length(&request)?];
        let mut left = requests;
        while left > 0 {
            self.sleeps()?;
            let mut asked = Vec::new();
            for stream in &mut streams {
                let now = left.min(depth);
                left -= now;
                stream.write_all(&together.as_bytes()[..request.len() * now as usize])?;
                asked.push(now);
            }
            for (stream, count) in streams.iter_mut().zip(asked) {
                for _ in 0..count {
                    stream.read_exact(&mut response)?;
                    check(&response)?;
                }
            }
        }
        Ok(())
    }

    /// How long each response is, from one that the server ends because this side has ended.
    fn length(&self, request: &str) -> io::Result<usize> {
        self.sleeps()?;
        let mut stream = self.connect()?;
        stream.write_all(request.as_bytes())?;
        stream.shutdown(std::net::Shutdown::Write)?;
        let mut response = Vec::new();
        stream.read_to_end(&mut response)?;
        check(&response)?;
        Ok(response.len())
    }

    /// Waits until all threads of the process sleep, if one was named.
    fn sleeps(&self) -> io::Result<()> {
        let Some(process) = &self.idle_of else {
            return Ok(());
        };
        let started = Instant::now();
        while !all_sleep(process)? {
            if started.elapsed() > ASLEEP_WITHIN {
                return Err(io::Error::other("the server does not fall asleep"));
            }
        }
        Ok(())
    }
}

fn all_sleep(process: &str) -> io::Result<bool> {
    for thread in fs::read_dir(format!("/proc/{process}/task"))? {
        let stat = fs::read_to_string(thread?.path().join("stat"))?;
        // The name may hold spaces and parentheses; after its last one comes the state.
        let state = stat.rsplit(") ").next().and_then(|rest| rest.chars().next());
        if state != Some('S') {
            return Ok(false);
        }
    }
    Ok(true)
}

fn check(response: &[u8]) -> io::Result<()> {
    match status(response) {
        Some(200) => Ok(()),
        other => Err(io::Error::other(format!("status {other:?}"))),
    }
}
