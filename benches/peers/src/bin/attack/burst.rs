//! Clients that send many requests at once, again and again, whatever has been answered.

use crate::load::{Load, connect_small, ready, reset, write_some};
use crate::responses::{Counter, Tally};
use std::io;
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

const TICK: Duration = Duration::from_millis(10);

struct Client {
    requests: Vec<u8>,
    stream: Option<TcpStream>,
    counter: Counter,
    /// Bytes of the burst that are not yet written.
    left: usize,
    next: Instant,
    reset: Option<Instant>,
}

pub fn run(load: &Load, address: SocketAddr) -> io::Result<String> {
    let now = Instant::now();
    let mut clients = Vec::new();
    for number in 0..load.clients {
        clients.push(Client {
            requests: load.requests(number),
            stream: Some(connect_small(address, load.unread)?),
            counter: Counter::default(),
            left: 0,
            next: now,
            reset: None,
        });
    }
    let (mut tally, mut bursts, mut again) = (Tally::default(), 0u64, 0u64);
    let mut is_ready = false;
    let started = Instant::now();
    while started.elapsed() < load.time {
        for client in &mut clients {
            let now = Instant::now();
            client.reset_if_due(now);
            if client.stream.is_none() {
                let opened = connect_small(address, load.unread);
                again += u64::from(opened.is_ok());
                client.stream = opened.ok();
                client.counter = Counter::default();
                client.left = 0;
            }
            bursts += u64::from(client.begin_if_due(load, now));
            client.exchange(load, &mut tally);
        }
        if !is_ready {
            ready(clients.len());
            is_ready = true;
        }
        thread::sleep(TICK);
    }
    clients
        .into_iter()
        .filter_map(|client| client.stream)
        .for_each(reset);
    let took = started.elapsed().as_secs_f64();
    Ok(format!(
        "bursts {bursts}, opened again {again}, responses {:.0} a second{tally}",
        tally.all() as f64 / took
    ))
}

impl Client {
    fn reset_if_due(&mut self, now: Instant) {
        if self.reset.is_some_and(|due| due <= now) {
            self.reset = None;
            self.stream.take().into_iter().for_each(reset);
        }
    }

    fn begin_if_due(&mut self, load: &Load, now: Instant) -> bool {
        let is_due = self.next <= now && self.left == 0;
        if is_due {
            self.left = self.requests.len();
            self.next = now + load.every;
            self.reset = load.reset_after.map(|after| now + after);
        }
        is_due
    }

    /// Writes what is left of the burst, and reads. A connection that the server has ended is
    /// opened again at the next tick.
    fn exchange(&mut self, load: &Load, tally: &mut Tally) {
        let Some(stream) = &mut self.stream else {
            return;
        };
        let at = self.requests.len() - self.left;
        let written = write_some(stream, &self.requests[at..]);
        let is_open = load.unread || self.counter.read(stream, tally);
        match written {
            Ok(count) if is_open => self.left -= count,
            _ => {
                tally.add("ended");
                self.stream = None;
            }
        }
    }
}
