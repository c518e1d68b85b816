//! What the measuring programs share: arguments, the end of a response, a process's memory, ranks.
//!
//! Responses are not checked strictly: that is the work of the measured server's tests.
#![forbid(unsafe_code)]

pub mod work;

use std::fs;
use std::io::{self, Read};
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

/// How long one connect, read or write may take before it counts as failed.
pub const PATIENCE: Duration = Duration::from_secs(5);
/// Descriptors that a program needs besides its connections.
const DESCRIPTORS_BESIDES: u64 = 16;

/// Runs a measurement; a failure is one line on standard error and status 1.
pub fn report(name: &str, outcome: Result<(), String>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{name}: {why}");
            ExitCode::FAILURE
        }
    }
}

/// The command line, from which options are taken one after the other.
pub struct Arguments {
    words: Vec<String>,
    usage: &'static str,
}

impl Arguments {
    /// Takes the words after the program's name.
    pub fn new(usage: &'static str) -> Arguments {
        Arguments {
            words: std::env::args().skip(1).collect(),
            usage,
        }
    }

    fn wrong(&self, what: &str) -> String {
        format!("{what}\nusage: {}", self.usage)
    }

    /// Whether this option was given.
    pub fn flag(&mut self, name: &str) -> bool {
        let before = self.words.len();
        self.words.retain(|word| word != name);
        self.words.len() < before
    }

    /// The word after this option.
    pub fn value(&mut self, name: &str) -> Result<Option<String>, String> {
        let Some(at) = self.words.iter().position(|word| word == name) else {
            return Ok(None);
        };
        if at + 1 == self.words.len() {
            return Err(self.wrong(&format!("{name} needs a value")));
        }
        self.words.remove(at);
        Ok(Some(self.words.remove(at)))
    }

    /// The number after this option.
    pub fn number(&mut self, name: &str, otherwise: u64) -> Result<u64, String> {
        match self.value(name)? {
            None => Ok(otherwise),
            Some(text) => text
                .parse()
                .map_err(|_| self.wrong(&format!("{name} needs a number, not '{text}'"))),
        }
    }

    /// What is left, which must be so many words.
    pub fn rest<const COUNT: usize>(self) -> Result<[String; COUNT], String> {
        if let Some(option) = self.words.iter().find(|word| word.starts_with("--")) {
            return Err(self.wrong(&format!("unknown option '{option}'")));
        }
        let wrong = self.wrong(&format!(
            "{} arguments, and {COUNT} are needed",
            self.words.len()
        ));
        self.words.try_into().map_err(|_| wrong)
    }
}

/// An address and port in figures.
pub fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse()
        .map_err(|_| format!("'{text}' is no address with a port, such as 127.0.0.1:8000"))
}

/// Says what to do when this process may not open so many connections.
pub fn check_open_files(connections: u64) -> Result<(), String> {
    let needed = connections + DESCRIPTORS_BESIDES;
    let limits = read("/proc/self/limits")?;
    let soft = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"))
        .and_then(|figures| figures.split_whitespace().next())
        .ok_or("/proc/self/limits says nothing of open files")?;
    match soft.parse::<u64>() {
        Ok(limit) if limit < needed => Err(format!(
            "{connections} connections need {needed} open files, and the limit is {limit}: start it after `ulimit -n {needed}`"
        )),
        _ => Ok(()), // enough, or "unlimited"
    }
}

/// The resident memory of a process, in bytes.
pub fn resident(process: u32) -> Result<u64, String> {
    let path = format!("/proc/{process}/status");
    read(&path)?
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .and_then(|figure| figure.trim().strip_suffix(" kB"))
        .and_then(|figure| figure.parse::<u64>().ok())
        .map(|kibibytes| kibibytes * 1024)
        .ok_or_else(|| format!("{path} says no VmRSS"))
}

fn read(path: &str) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))
}

/// Reads one answer that declares its length, to its end, and gives its status. The connection has
/// no other answer under way.
pub fn read_answer(stream: &mut impl Read) -> io::Result<u16> {
    read_answer_of(stream, "GET").map(|(status, _)| status)
}

/// The same for a request with this method, with the length of the body that came.
pub fn read_answer_of(stream: &mut impl Read, method: &str) -> io::Result<(u16, u64)> {
    let mut buffer = [0; 16 * 1024];
    let mut got = 0;
    let head = loop {
        if let Some(at) = buffer[..got].windows(4).position(|end| end == b"\r\n\r\n") {
            break at + 4;
        }
        match stream.read(&mut buffer[got..])? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            count => got += count,
        }
    };
    let text = String::from_utf8_lossy(&buffer[..head]).to_ascii_lowercase();
    let declared = text
        .lines()
        .find_map(|line| line.strip_prefix("content-length:"))
        .and_then(|value| value.trim().parse::<u64>().ok())
        .ok_or_else(|| io::Error::other("an answer without Content-Length"))?;
    let length = if method == "HEAD" { 0 } else { declared };
    let missing = (head as u64 + length).saturating_sub(got as u64);
    if io::copy(&mut stream.take(missing), &mut io::sink())? < missing {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    let status = status(text.as_bytes()).ok_or_else(|| io::Error::other("no status line"))?;
    Ok((status, length))
}

/// The status of a response, when the bytes hold that much of it.
pub fn status(answer: &[u8]) -> Option<u16> {
    let digits = answer.get(9..12)?;
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// The value below which this share of the others lies.
pub fn percentile(mut values: Vec<Duration>, share: f64) -> Duration {
    values.sort_unstable();
    let rank = (values.len() as f64 * share).ceil() as usize;
    values[rank.clamp(1, values.len()) - 1]
}
