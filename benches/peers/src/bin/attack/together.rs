//! Clients that read their responses, each on a thread of its own: fresh ones that come together,
//! and those that send one request after the other.

use crate::good::timed;
use crate::load::{Load, connect, ready};
use crate::responses::{Tally, name};
use peers::{PATIENCE, percentile, read_answer_of};
use rustix::process::{Pid, Signal, kill_process};
use std::io::{self, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

/// A client's stack holds the buffer of one response and little else.
const STACK: usize = 128 * 1024;
/// Between two turns of fresh connections, and after a connection that could not be opened.
const REST: Duration = Duration::from_millis(100);

const STOPPED: Duration = Duration::from_micros(7500);

/// How long the last of them waited, and the middle one: the medians over the turns.
pub fn fresh(load: &Load, address: SocketAddr) -> io::Result<String> {
    let until = Instant::now() + load.time;
    thread::scope(|scope| {
        if let Some(process) = load.quarter_of {
            scope.spawn(move || throttle(process, until));
            thread::sleep(load.time / 4); // all of its clients are waiting
        }
        fresh_turns(load, address, until)
    })
}

/// Stops a process three quarters of the time.
fn throttle(process: Pid, until: Instant) {
    while Instant::now() < until {
        let stopped = kill_process(process, Signal::STOP);
        thread::sleep(STOPPED);
        if stopped.and(kill_process(process, Signal::CONT)).is_err() {
            return; // it has ended
        }
        thread::sleep(STOPPED / 3);
    }
}

fn fresh_turns(load: &Load, address: SocketAddr, until: Instant) -> io::Result<String> {
    let (mut lasts, mut middles, mut losses) = (Vec::new(), Vec::new(), Tally::default());
    for turn in 0..load.turns {
        if turn > 0 && load.quarter_of.is_some() && Instant::now() > until {
            break; // the one before took all of the time
        }
        let times = each(load, |_| timed(load, address))?;
        // One that was lost has waited longest.
        let waited = |outcome: &Result<Duration, _>| *outcome.as_ref().unwrap_or(&PATIENCE);
        let waits: Vec<_> = times.iter().map(waited).collect();
        lasts.push(percentile(waits.clone(), 1.0));
        middles.push(percentile(waits, 0.5));
        times
            .into_iter()
            .filter_map(Result::err)
            .for_each(|why| losses.add(why));
        thread::sleep(REST);
    }
    let milliseconds = |times| percentile(times, 0.6).as_secs_f64() * 1e3; // of two the longer
    Ok(format!(
        "fresh {} last {:.2} ms middle {:.2} ms losses {}{losses}",
        load.clients,
        milliseconds(lasts),
        milliseconds(middles),
        losses.all()
    ))
}

/// Responses per second of clients that each wait for the response to their last request; a
/// connection that the server ends is opened again.
pub fn closed_loop(load: &Load, address: SocketAddr) -> io::Result<String> {
    ready(load.clients);
    let until = Instant::now() + load.time;
    let tallies = each(load, |client| one_loop(load, client, address, until))?;
    let mut tally = Tally::default();
    tallies.into_iter().for_each(|other| tally.merge(other));
    let rate = tally.of("200") + tally.of("206");
    let rate = rate as f64 / load.time.as_secs_f64();
    Ok(format!("answers {rate:.0} a second{tally}"))
}

fn one_loop(load: &Load, client: usize, address: SocketAddr, until: Instant) -> Tally {
    let request = load.requests(client);
    let mut tally = Tally::default();
    let mut held: Option<TcpStream> = None;
    while Instant::now() < until {
        let stream = held.take().map_or_else(|| connect(address), Ok);
        let answered = stream.and_then(|mut stream| {
            stream.write_all(&request)?;
            let (status, _) = read_answer_of(&mut stream, &load.method)?;
            Ok((status, stream))
        });
        match answered {
            Ok((status, stream)) => {
                tally.add(status);
                held = (status < 400).then_some(stream);
            }
            Err(error) => tally.add(name(&error)),
        }
        thread::sleep(if held.is_some() { load.pause } else { REST });
    }
    tally
}

/// Runs all clients at the same time, and gives what each returned.
fn each<T: Send>(load: &Load, client: impl Fn(usize) -> T + Sync) -> io::Result<Vec<T>> {
    let start = Barrier::new(load.clients);
    thread::scope(|scope| {
        let mut threads = Vec::new();
        for number in 0..load.clients {
            let (start, client) = (&start, &client);
            let body = move || {
                start.wait();
                client(number)
            };
            let thread = thread::Builder::new().stack_size(STACK);
            threads.push(thread.spawn_scoped(scope, body)?);
        }
        let join = |thread: thread::ScopedJoinHandle<'_, T>| {
            thread
                .join()
                .map_err(|_| io::Error::other("a client panicked"))
        };
        threads.into_iter().map(join).collect()
    })
}
