//! Connections that are held open: of clients that do not read, that are idle, or that wait.

use crate::load::{Load, connect, connect_small, ready, write_some};
use crate::responses::{Tally, name};
use peers::{PATIENCE, read_answer_of, status};
use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// How long the connections may take to open: those that are open then have to do.
const OPENED_WITHIN: Duration = Duration::from_secs(20);
/// How long the POST that ends the polls may take.
const WOKEN_WITHIN: Duration = Duration::from_secs(8);

/// What the clients that do not read would find: the status of the first response, if any.
pub fn unread(load: &Load, address: SocketAddr) -> io::Result<String> {
    let streams = open(load, |number| {
        let mut stream = connect_small(address, true)?;
        let requests = load.requests(number);
        match write_some(&mut stream, &requests)? {
            count if count == requests.len() => Ok(stream),
            _ => Err(io::Error::other("not all requests could be sent")),
        }
    });
    ready(streams.len());
    load.rest();
    let mut tally = Tally::default();
    for stream in &streams {
        let mut seen = [0; 12];
        match stream.peek(&mut seen) {
            Ok(0) => tally.add("closed"),
            Ok(count) => match status(&seen[..count]) {
                Some(status) => tally.add(status),
                None => tally.add("partial"),
            },
            Err(error) if error.kind() == ErrorKind::WouldBlock => tally.add("no-response"),
            Err(error) => tally.add(name(&error)),
        }
    }
    Ok(format!("unread {}{tally}", streams.len()))
}

pub fn held(load: &Load, address: SocketAddr) -> io::Result<String> {
    let streams = open(load, |number| {
        let mut stream = connect(address)?;
        stream.write_all(&load.requests(number))?;
        match read_answer_of(&mut stream, &load.method)? {
            (200, _) => Ok(stream),
            (status, _) => Err(io::Error::other(status.to_string())),
        }
    });
    ready(streams.len());
    load.rest();
    let is_open = |stream: &&TcpStream| {
        let peeked = stream
            .set_nonblocking(true)
            .and_then(|()| stream.peek(&mut [0]));
        matches!(peeked, Err(error) if error.kind() == ErrorKind::WouldBlock)
    };
    let open = streams.iter().filter(is_open).count();
    Ok(format!("open {open} of {}", load.clients))
}

pub fn polls(load: &Load, address: SocketAddr) -> io::Result<String> {
    let mut streams = open(load, |number| {
        let mut stream = connect(address)?;
        stream.write_all(&load.requests(number))?;
        Ok(stream)
    });
    ready(streams.len());
    load.rest();
    let woken = wake(address);
    let (mut tally, until) = (Tally::default(), Instant::now() + PATIENCE);
    for stream in &mut streams {
        let left = until.saturating_duration_since(Instant::now());
        stream.set_read_timeout(Some(left.max(Duration::from_millis(1))))?;
        match read_answer_of(stream, &load.method) {
            Ok((status, _)) => tally.add(status),
            Err(error) => tally.add(name(&error)),
        }
    }
    Ok(format!("wake {woken}; polls {}{tally}", streams.len()))
}

/// The POST that lets the server answer all polls.
fn wake(address: SocketAddr) -> String {
    let begun = Instant::now();
    let request = b"POST /wake HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n";
    let outcome = connect(address).and_then(|mut stream| {
        stream.set_read_timeout(Some(WOKEN_WITHIN))?;
        stream.write_all(request)?;
        let mut response = [0; 1024];
        let count = stream.read(&mut response)?;
        Ok(status(&response[..count]).unwrap_or(0))
    });
    match outcome {
        Ok(status) => format!("{status} {:.1} ms", begun.elapsed().as_secs_f64() * 1e3),
        Err(error) => format!(
            "0 {:.1} ms {}",
            WOKEN_WITHIN.as_secs_f64() * 1e3,
            name(&error)
        ),
    }
}

/// Opens the clients one after the other, without those that fail.
fn open(load: &Load, client: impl Fn(usize) -> io::Result<TcpStream>) -> Vec<TcpStream> {
    let started = Instant::now();
    (0..load.clients)
        .take_while(|_| started.elapsed() < OPENED_WITHIN)
        .filter_map(|number| client(number).ok())
        .collect()
}
