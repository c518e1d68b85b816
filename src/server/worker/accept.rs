//! Accepting: a slot for each new connection, made free if need be, or a 503.

use crate::conn::{CloseReason, Moment};
use crate::handler::Now;
use crate::limits::CLOSED_AT_ONCE;
use crate::server::base::catch_panic::catch_panic;
use crate::server::client::Client;
use crate::server::client::slots::Owned;
use crate::server::exchange::respond::{ResponseWriter, unavailable};
use crate::server::shared::budget::OverloadKind;
use crate::server::shared::connections_within;
use crate::server::shared::listeners::Accepted;
use crate::server::shared::per_ip::shown;
use crate::server::worker::Worker;
use crate::sys::Stream;
use crate::sys::limits::open_files;
use crate::sys::shortage::{Shortage, shortage};
use core::net::SocketAddr;
use std::io;

/// Rounds of evictions for one new connection, when others take the slots that become free.
const EVICTION_TRIES: usize = 3;

impl Worker {
    /// The accept loop's body: the pool's workers are its threads. The worker that accepts a connection serves its first
    /// request at once; the listener is armed before that, so that another worker takes the next one.
    pub fn accept(&mut self, number: usize) {
        let now = self.shared.now();
        let moment = Moment::at(now.monotonic);
        let mut accepted = self.shared.listeners.accept(number);
        if let Accepted::Exhausted(error) = &accepted {
            if self.makes_room(error, moment) {
                accepted = self.shared.listeners.accept(number);
            }
        }
        match accepted {
            Accepted::Connection(stream, peer) => {
                self.arm_listener(number, moment);
                self.serve_new(stream, peer, &now);
            }
            Accepted::Empty | Accepted::Lost => self.arm_listener(number, moment),
            Accepted::Exhausted(error) => {
                self.shared.report(OverloadKind::Accept, moment, || {
                    format!("{}: new connections wait", trigger(&error))
                });
                self.shared
                    .listeners
                    .rest(number, moment, &self.shared.signal);
            }
            Accepted::Closed => {}
        }
    }

    fn arm_listener(&self, number: usize, now: Moment) {
        let shared = &*self.shared;
        shared
            .listeners
            .arm(number, now, &*shared.poller, &shared.signal);
    }

    /// Closes idle connections so that an accept, which failed for lack of what they hold, may succeed. False when none was.
    fn makes_room(&self, error: &io::Error, now: Moment) -> bool {
        let makes_room = shortage(error).is_some() && self.shared.evict(CLOSED_AT_ONCE) > 0;
        if makes_room {
            self.shared.report(OverloadKind::Evicts, now, || {
                format!("{}: idle connections are closed", trigger(error))
            });
        }
        makes_room
    }

    /// Takes a new connection in, and serves it.
    pub fn serve_new(&mut self, stream: Stream, peer: Option<SocketAddr>, now: &Now) {
        if let Some(owned) = self.admit(stream, peer, now) {
            self.serve(owned);
        }
    }

    /// Gives a new connection a slot. `None` when there is none: then it has been told so.
    pub(crate) fn admit(
        &mut self,
        stream: Stream,
        peer: Option<SocketAddr>,
        now: &Now,
    ) -> Option<Owned> {
        let moment = Moment::at(now.monotonic);
        let shared = &*self.shared;
        let client = Box::new(Client::new(stream, peer, moment, &shared.config));
        let occupied = match shared.per_ip.add(peer) {
            Ok(()) => self.claim_slot(client, moment),
            Err((address, limit)) => {
                shared.report(OverloadKind::Address, moment, || {
                    let address = shown(address);
                    format!(
                        "too many connections from {address} (limit {limit}): more are turned away"
                    )
                });
                Err(client)
            }
        };
        let refused = match occupied {
            Ok(owned) => {
                shared.listeners.admitted();
                catch_panic(|| {
                    shared
                        .observer
                        .iter()
                        .for_each(|observer| observer.accepted(peer))
                });
                return Some(owned);
            }
            Err(client) => client,
        };
        shared.listeners.admitted();
        self.reject_503(*refused, now);
        None
    }

    /// Finds a slot, if need be by closing idle connections.
    fn claim_slot(&self, mut client: Box<Client>, now: Moment) -> Result<Owned, Box<Client>> {
        let shared = &self.shared;
        // Another worker may take what becomes free here.
        for _ in 0..EVICTION_TRIES {
            client = match shared.slots.occupy(client) {
                Ok(owned) => return Ok(owned),
                Err(client) => client,
            };
            if shared.evict(shared.evicted_when_full()) == 0 {
                break;
            }
            shared.report(OverloadKind::Evicts, now, || {
                let limit = limit_in_words(shared.slots.most(), open_files());
                format!("too many connections ({limit}): idle ones are closed")
            });
        }
        shared.slots.occupy(client).inspect_err(|client| {
            shared.per_ip.remove(client.peer);
            shared.report(OverloadKind::Full, now, || {
                let limit = limit_in_words(shared.slots.most(), open_files());
                format!("too many connections ({limit}): new ones are turned away")
            });
        })
    }

    /// Tells a client that there is no room, in one write that does not wait, and closes.
    fn reject_503(&mut self, mut client: Client, now: &Now) {
        let output = &mut self.buffers.output;
        output.clear();
        client.conn.abandon(CloseReason::Overload);
        let mut writer = ResponseWriter {
            shared: &self.shared,
            output,
            date: &mut self.buffers.date,
            client: &mut client,
            now,
        };
        writer.write_response(unavailable(), None, None);
        send_and_close(&mut client.stream, self.buffers.output.unsent());
        self.buffers.output.clear();
    }
}

/// One read, one write, and the end of a connection that no slot holds.
fn send_and_close(stream: &mut Stream, response: &[u8]) {
    // Bytes that lie unread when a socket is closed make it send a reset, which would overtake the
    // response.
    let mut request = [0; 4096];
    let _ = stream.read(&mut request);
    // Nothing is owed to a client that does not take a few hundred bytes at once.
    let _ = stream.write(response);
    let _ = stream.shutdown_write();
}

/// How many connections there may be, and that the limit of open files says so where it does: who reads of 960 has asked for 10,000.
fn limit_in_words(most: usize, open_files: Option<u64>) -> String {
    match open_files.filter(|files| connections_within(*files) == most) {
        Some(files) => format!("limit {most}, with {files} open files"),
        None => format!("limit {most}"),
    }
}

/// Why an accept failed, in words.
fn trigger(error: &io::Error) -> String {
    match (shortage(error), open_files()) {
        (Some(Shortage::Process), Some(limit)) => format!("too many open files (limit {limit})"),
        (Some(Shortage::Process), None) => "too many open files".to_string(),
        (Some(Shortage::System), _) => "too many open files on this system".to_string(),
        (Some(Shortage::Memory), _) => "too little memory for connections".to_string(),
        (None, _) => format!("cannot accept ({error})"),
    }
}
