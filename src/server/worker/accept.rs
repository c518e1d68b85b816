//! Accepting: a slot for each new connection, freed by an eviction if need be, or a 503.

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
    /// Accepts one connection. The worker that accepts it serves its first request at once; the
    /// listener is armed before that, so that another worker takes the next connection.
    pub fn accept(&mut self, number: usize) {
        let now = self.shared.now();
        let moment = Moment::at(now.monotonic);
        let mut accepted = self.shared.listeners.accept(number);
        if let Accepted::Exhausted(error) = &accepted {
            if self.evict_for_accept(error, moment) {
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
                    format!("{}: new connections wait", cause(&error))
                });
                // The rest begins with the failure: this worker may have waited since it woke.
                let failed = Moment::at(self.shared.now().monotonic);
                let shared = &*self.shared;
                shared.listeners.rest(number, failed, &shared.signal);
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

    /// Closes idle connections so that an accept that failed for lack of descriptors or memory may
    /// succeed. False when there were none to close.
    fn evict_for_accept(&self, error: &io::Error, now: Moment) -> bool {
        let has_evicted = shortage(error).is_some() && self.shared.evict(CLOSED_AT_ONCE) > 0;
        if has_evicted {
            self.shared.report(OverloadKind::Evicts, now, || {
                format!("{}: idle connections are closed", cause(error))
            });
        }
        has_evicted
    }

    /// Admits a new connection, and serves it.
    pub fn serve_new(&mut self, stream: Stream, peer: Option<SocketAddr>, now: &Now) {
        if let Some(owned) = self.admit(stream, peer, now) {
            self.serve(owned);
        }
    }

    /// Gives a new connection a slot. `None` when there is none: the client has got a 503.
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
                if let Some(observer) = &shared.observer {
                    catch_panic(|| observer.accepted(peer));
                }
                return Some(owned);
            }
            Err(client) => client,
        };
        shared.listeners.admitted();
        self.reject_503(*refused, now);
        None
    }

    /// Claims a slot, if need be by closing idle connections.
    fn claim_slot(&self, mut client: Box<Client>, now: Moment) -> Result<Owned, Box<Client>> {
        let shared = &self.shared;
        // Another worker may take the slot that becomes free here.
        for _ in 0..EVICTION_TRIES {
            client = match shared.slots.occupy(client) {
                Ok(owned) => return Ok(owned),
                Err(client) => client,
            };
            if shared.evict(shared.evicted_when_full()) == 0 {
                break;
            }
            shared.report(OverloadKind::Evicts, now, || {
                let limit = limit_text(shared.slots.capacity(), open_files());
                format!("too many connections ({limit}): idle ones are closed")
            });
        }
        shared.slots.occupy(client).inspect_err(|client| {
            shared.per_ip.remove(client.peer);
            shared.report(OverloadKind::Full, now, || {
                let limit = limit_text(shared.slots.capacity(), open_files());
                format!("too many connections ({limit}): new ones are turned away")
            });
        })
    }

    /// Rejects a connection with a 503, in one write that does not wait.
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

/// The limit of connections, with the limit of open files where that is the cause: a user who reads
/// 960 has configured 10,000.
fn limit_text(max: usize, open_files: Option<u64>) -> String {
    match open_files.filter(|files| connections_within(*files) == max) {
        Some(files) => format!("limit {max}, with {files} open files"),
        None => format!("limit {max}"),
    }
}

fn cause(error: &io::Error) -> String {
    match (shortage(error), open_files()) {
        (Some(Shortage::Process), Some(limit)) => format!("too many open files (limit {limit})"),
        (Some(Shortage::Process), None) => "too many open files".to_string(),
        (Some(Shortage::System), _) => "too many open files on this system".to_string(),
        (Some(Shortage::Memory), _) => "too little memory for connections".to_string(),
        (None, _) => format!("cannot accept ({error})"),
    }
}
