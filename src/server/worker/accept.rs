//! Accepting: a slot for each new connection, freed by an eviction if need be, or a 503.

use crate::conn::{CloseReason, Moment};
use crate::handler::{Now, Response};
use crate::limits::CLOSED_AT_ONCE;
use crate::server::base::catch_panic::catch_panic;
use crate::server::base::overload::{AcceptRemedy, Overload};
use crate::server::client::Client;
use crate::server::client::slots::Owned;
use crate::server::exchange::respond::ResponseWriter;
use crate::server::shared::budget::OverloadKind;
use crate::server::shared::listeners::Accepted;
use crate::server::shared::per_ip::shown;
use crate::server::shared::{Shared, connections_within};
use crate::server::worker::Worker;
use crate::sys::limits::open_files;
use crate::sys::shortage::{Shortage, shortage};
use crate::sys::{Interest, Stream};
use core::net::SocketAddr;
use std::io;
use std::mem;
use std::time::Duration;

/// Rounds of evictions for one new connection, when others take the slots that become free.
const EVICTION_TRIES: usize = 3;

/// Connections that one event of a listener accepts while the server is behind.
pub const ACCEPTS_PER_EVENT: usize = 32;

/// Turns of connections after which a worker takes new ones to have queued up since its last
/// accept. An armed listener goes to the end of the poller's list, so its events are as far apart
/// as a round of all connections that are ready. An accept in vain costs a system call: after so
/// many turns that is one in a hundred.
pub const QUEUED_AFTER_TURNS: u32 = 32;

/// The same for fewer turns that took long, while no other worker is free.
pub const QUEUED_AFTER: Duration = Duration::from_millis(2);

/// The connections that were closed for the sake of a new one.
enum Evicted {
    Idle,
    Slow,
}

impl Worker {
    /// Accepts one connection, or several when the server is behind. The worker that accepts serves
    /// the first one at once, and leaves the others to the poller. The listener is armed before
    /// that, so that another worker takes the next connection.
    pub fn accept(&mut self, number: usize) {
        let now = self.shared.now();
        let moment = Moment::at(now.monotonic);
        let is_behind = self.is_behind(moment);
        let mut accepted = self.shared.listeners.accept(number);
        if let Accepted::Exhausted(error) = &accepted {
            if self.evict_for_accept(error, &now) {
                accepted = self.shared.listeners.accept(number);
            }
        }
        match accepted {
            Accepted::Connection(stream, peer) => {
                let first = self.admit(stream, peer, &now);
                if is_behind {
                    self.accept_more(number, &now);
                }
                self.arm_listener(number, moment);
                if let Some(owned) = first {
                    self.now = Some(now);
                    self.serve(owned);
                }
            }
            Accepted::Empty | Accepted::Lost => self.arm_listener(number, moment),
            Accepted::Exhausted(error) if self.reject_by_spare(number, &error, &now) => {
                self.arm_listener(number, moment);
            }
            Accepted::Exhausted(error) => {
                self.shared
                    .report(OverloadKind::Accept, moment, || Overload::Accept {
                        error,
                        open_files: open_files(),
                        remedy: AcceptRemedy::Wait,
                    });
                // The rest begins with the failure: this worker may have waited since it woke.
                let failed = Moment::at(self.shared.now().monotonic);
                let shared = &*self.shared;
                shared.listeners.rest(number, failed, &shared.signal);
            }
            Accepted::Closed => {}
        }
    }

    /// Whether connections may have queued up while this worker served others.
    fn is_behind(&mut self, now: Moment) -> bool {
        let last_accept = mem::replace(&mut self.last_accept, now);
        let turns = mem::take(&mut self.turns);
        turns >= QUEUED_AFTER_TURNS
            || turns > 0
                && last_accept.after(QUEUED_AFTER) <= now
                && self.shared.poller.waiting() == 0
    }

    /// Accepts the connections after the first of an event. What else an accept may find is left to
    /// the listener's next event.
    fn accept_more(&mut self, number: usize, now: &Now) {
        for _ in 1..ACCEPTS_PER_EVENT {
            match self.shared.listeners.accept(number) {
                Accepted::Connection(stream, peer) => self.admit_waiting(stream, peer, now),
                _ => return,
            }
        }
    }

    /// Gives a new connection a slot, and leaves its first request to the poller.
    pub(crate) fn admit_waiting(&mut self, stream: Stream, peer: Option<SocketAddr>, now: &Now) {
        let Some(mut owned) = self.admit(stream, peer, now) else {
            return;
        };
        owned.client.deadline = owned.client.conn.read_deadline();
        match self.shared.arm(&mut owned, Interest::Read) {
            Ok(()) => self.shared.release(owned),
            Err(_) => self.shared.close(owned, CloseReason::Failed),
        }
    }

    fn arm_listener(&self, number: usize, now: Moment) {
        let shared = &*self.shared;
        shared
            .listeners
            .arm(number, now, &*shared.poller, &shared.signal);
    }

    /// Closes connections so that an accept that failed for lack of descriptors or memory may
    /// succeed. False when there were none to close.
    fn evict_for_accept(&mut self, error: &io::Error, now: &Now) -> bool {
        shortage(error).is_some()
            && self.evict(CLOSED_AT_ONCE, now, |_| Overload::Accept {
                error: again(error),
                open_files: open_files(),
                remedy: AcceptRemedy::CloseOthers,
            })
    }

    /// Accepts a connection for which there is no descriptor with the spare one, and rejects it.
    /// False when it still waits.
    fn reject_by_spare(&mut self, number: usize, error: &io::Error, now: &Now) -> bool {
        let lacks = matches!(shortage(error), Some(Shortage::Process | Shortage::System));
        if !lacks {
            return false;
        }
        let accepted = self.shared.listeners.accept_with_spare(number);
        let is_done = !matches!(accepted, Accepted::Exhausted(_));
        if let Accepted::Connection(stream, peer) = accepted {
            self.shared.listeners.admitted();
            let moment = Moment::at(now.monotonic);
            let mut client = Client::new(stream, peer, moment, &self.shared.config);
            self.reject_503(&mut client, now);
            self.shared
                .report(OverloadKind::Accept, moment, || Overload::Accept {
                    error: again(error),
                    open_files: open_files(),
                    remedy: AcceptRemedy::TurnAway,
                });
        }
        self.shared.listeners.keep_spare();
        is_done
    }

    /// Closes up to `max` connections for the sake of a new one: idle ones, or else those that take
    /// long to send a request. False when there were none. The report is told which.
    fn evict(&mut self, max: usize, now: &Now, report: impl FnOnce(Evicted) -> Overload) -> bool {
        let moment = Moment::at(now.monotonic);
        let idle = self.shared.evict(max, moment);
        let slow = match idle {
            0 => self.shared.claim_slow(max, moment),
            _ => Vec::new(),
        };
        let evicted = match (idle, slow.len()) {
            (0, 0) => return false,
            (0, _) => Evicted::Slow,
            _ => Evicted::Idle,
        };
        for mut owned in slow {
            self.reject_503(&mut owned.client, now);
            self.shared.close(owned, CloseReason::Overload);
        }
        self.shared
            .report(OverloadKind::Evicts, moment, || report(evicted));
        true
    }

    /// Admits a new connection, and serves it.
    pub fn serve_new(&mut self, stream: Stream, peer: Option<SocketAddr>, now: &Now) {
        if let Some(owned) = self.admit(stream, peer, now) {
            self.serve(owned);
        }
    }

    /// Gives a new connection a slot. `None` when there is none: the client has got a 503.
    fn admit(&mut self, stream: Stream, peer: Option<SocketAddr>, now: &Now) -> Option<Owned> {
        let moment = Moment::at(now.monotonic);
        let client = Box::new(Client::new(stream, peer, moment, &self.shared.config));
        let occupied = match self.shared.per_ip.add(peer) {
            Ok(()) => self.claim_slot(client, now),
            Err((address, limit)) => {
                self.shared
                    .report(OverloadKind::Address, moment, || Overload::AddressRefused {
                        address: shown(address),
                        limit,
                    });
                Err(client)
            }
        };
        self.shared.listeners.admitted();
        match occupied {
            Ok(owned) => {
                if let Some(observer) = &self.shared.observer {
                    catch_panic(|| observer.accepted(peer));
                }
                Some(owned)
            }
            Err(mut refused) => {
                self.reject_503(&mut refused, now);
                None
            }
        }
    }

    /// Claims a slot, if need be by closing other connections.
    fn claim_slot(&mut self, mut client: Box<Client>, now: &Now) -> Result<Owned, Box<Client>> {
        let limit = self.shared.slots.capacity();
        // Another worker may take the slot that becomes free here.
        for _ in 0..EVICTION_TRIES {
            client = match self.occupy(client) {
                Ok(owned) => return Ok(owned),
                Err(client) => client,
            };
            let has_evicted = self.evict(self.shared.evicted_when_full(), now, |evicted| {
                let open_files = deciding_limit(limit);
                match evicted {
                    Evicted::Idle => Overload::IdleClosed { limit, open_files },
                    Evicted::Slow => Overload::SlowClosed { limit, open_files },
                }
            });
            if !has_evicted {
                break;
            }
        }
        let shared = &*self.shared;
        self.occupy(client).inspect_err(|client| {
            shared.per_ip.remove(client.peer);
            shared.report(OverloadKind::Full, Moment::at(now.monotonic), || {
                let open_files = deciding_limit(limit);
                Overload::ConnectionsRefused { limit, open_files }
            });
        })
    }

    /// Moves a connection into a slot, unless it would hold one descriptor too many.
    fn occupy(&self, client: Box<Client>) -> Result<Owned, Box<Client>> {
        let Shared {
            slots, descriptors, ..
        } = &*self.shared;
        match descriptors.has_room(slots.occupied()) {
            true => slots.occupy(client),
            false => Err(client),
        }
    }

    /// Rejects a connection with a 503, in one write that does not wait. That is due as well to a
    /// client whose request is not complete: its time is not over, so it has done nothing wrong
    /// that a 408 could tell it.
    fn reject_503(&mut self, client: &mut Client, now: &Now) {
        let output = &mut self.buffers.output;
        output.clear();
        client.conn.abandon(CloseReason::Overload);
        let mut writer = ResponseWriter {
            shared: &self.shared,
            output,
            date: &mut self.buffers.date,
            client,
            now,
        };
        writer.write_response(Response::unavailable(), None, None);
        send_and_close(&mut client.stream, self.buffers.output.unsent());
        self.buffers.output.clear();
    }
}

/// The same error: it can be told more than once, and not copied.
fn again(error: &io::Error) -> io::Error {
    let code = error.raw_os_error();
    code.map_or_else(|| error.kind().into(), io::Error::from_raw_os_error)
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

/// The limit of open files, if it is why there are no more connections than `limit`.
fn deciding_limit(limit: usize) -> Option<u64> {
    open_files().filter(|files| connections_within(*files) == limit)
}
