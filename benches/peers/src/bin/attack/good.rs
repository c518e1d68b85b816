//! The good client.

use crate::load::{Load, connect};
use crate::responses::{Tally, name};
use peers::{percentile, read_answer_of};
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

pub fn run(load: &Load, address: SocketAddr) -> io::Result<String> {
    let (mut times, mut losses) = (Vec::new(), Tally::default());
    let mut held = None;
    let mut good = 0u64;
    let started = Instant::now();
    while started.elapsed() < load.time {
        let begun = Instant::now();
        let outcome = match load.keep_alive {
            true => next(load, address, &mut held),
            false => fresh(load, address),
        };
        times.push(begun.elapsed());
        match outcome {
            Ok(()) => good += 1,
            Err(error) => losses.add(name(&error)),
        }
        thread::sleep(load.pause);
    }
    let rate = good as f64 / started.elapsed().as_secs_f64();
    let microseconds = |share| percentile(times.clone(), share).as_micros();
    Ok(format!(
        "good {rate:.1} p50 {} p99 {} losses {} of {}{losses}",
        microseconds(0.5),
        microseconds(0.99),
        losses.all(),
        times.len()
    ))
}

fn fresh(load: &Load, address: SocketAddr) -> io::Result<()> {
    let mut stream = connect(address)?;
    stream.write_all(&load.last_request(0))?;
    good_answer(load, &mut stream)?;
    // The server closes, so that its ports wait and not those of the client.
    match stream.read(&mut [0]) {
        Ok(0) => Ok(()),
        Ok(_) => Err(io::Error::other("too-long")),
        Err(error) => Err(error),
    }
}

/// One request on the connection that is held, which a failure ends.
fn next(load: &Load, address: SocketAddr, held: &mut Option<TcpStream>) -> io::Result<()> {
    let mut stream = match held.take() {
        Some(stream) => stream,
        None => connect(address)?,
    };
    stream.write_all(&load.requests(0))?;
    good_answer(load, &mut stream)?;
    *held = Some(stream);
    Ok(())
}

fn good_answer(load: &Load, stream: &mut TcpStream) -> io::Result<()> {
    match read_answer_of(stream, &load.method)? {
        (200, length) if length == load.length => Ok(()),
        (200, _) => Err(io::Error::other("too-short")),
        (status, _) => Err(io::Error::other(status.to_string())),
    }
}

/// The time of one fresh request; a failure is its name.
pub fn timed(load: &Load, address: SocketAddr) -> Result<Duration, String> {
    let begun = Instant::now();
    match fresh(load, address) {
        Ok(()) => Ok(begun.elapsed()),
        Err(error) => Err(name(&error)),
    }
}
