//! Counts responses: those read one by one, and those that come in a stream.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, ErrorKind, Read};
use std::net::TcpStream;

const START: &[u8] = b"HTTP/1.1 ";
/// A status line up to its status.
const SHOWN: usize = START.len() + 3;

/// How often each thing happened.
#[derive(Default)]
pub struct Tally(BTreeMap<String, u64>);

impl Tally {
    pub fn add(&mut self, what: impl ToString) {
        *self.0.entry(what.to_string()).or_default() += 1;
    }

    pub fn merge(&mut self, other: Tally) {
        for (what, count) in other.0 {
            *self.0.entry(what).or_default() += count;
        }
    }

    pub fn of(&self, what: &str) -> u64 {
        self.0.get(what).copied().unwrap_or(0)
    }

    pub fn all(&self) -> u64 {
        self.0.values().sum()
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (what, count) in &self.0 {
            write!(formatter, ", {what} {count}")?;
        }
        Ok(())
    }
}

/// The name of a failure in a tally.
pub fn name(error: &io::Error) -> String {
    match error.kind() {
        ErrorKind::WouldBlock | ErrorKind::TimedOut => "timed-out".to_string(),
        ErrorKind::UnexpectedEof => "closed".to_string(),
        ErrorKind::ConnectionReset | ErrorKind::BrokenPipe => "reset".to_string(),
        ErrorKind::Other => error.to_string(),
        kind => kind.to_string().replace(' ', "-"),
    }
}

/// Counts the status lines in what a connection sends.
#[derive(Default)]
pub struct Counter {
    /// The end of what was read before, shorter than a status line.
    end: Vec<u8>,
}

impl Counter {
    /// Reads all that is there. False when the server has closed.
    pub fn read(&mut self, stream: &mut TcpStream, tally: &mut Tally) -> bool {
        let mut buffer = [0; 64 * 1024];
        loop {
            match stream.read(&mut buffer) {
                Ok(0) => return false,
                Ok(count) => self.count(&buffer[..count], tally),
                Err(error) => return error.kind() == ErrorKind::WouldBlock,
            }
        }
    }

    fn count(&mut self, bytes: &[u8], tally: &mut Tally) {
        self.end.extend_from_slice(bytes);
        for line in self.end.windows(SHOWN) {
            if line.starts_with(START) {
                tally.add(String::from_utf8_lossy(&line[START.len()..]));
            }
        }
        let kept = self.end.len().min(SHOWN - 1);
        self.end.drain(..self.end.len() - kept);
    }
}
