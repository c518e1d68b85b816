//! One worker: takes what is ready, and serves it until it has to wait.
//!
//! A turn is a plain function of an event. The thread around it is ten lines: [`Worker::run`].

pub mod detached;
pub mod housekeeper;
pub mod turn;

use crate::conn::{CloseReason, Moment, Phase};
use crate::h1::Head;
use crate::handler::Now;
use crate::limits::{CLOSED_AT_ONCE, EVICTIONS, INPUT_SLACK, PREFETCH_BYTES};
use crate::semantics::FieldTable;
use crate::server::base::catch_panic::catch_panic;
use crate::server::base::token::EventSource;
use crate::server::client::Client;
use crate::server::client::input::Input;
use crate::server::client::output::Output;
use crate::server::client::slots::Owned;
use crate::server::exchange::DateCache;
use crate::server::pool::ThreadGuard;
use crate::server::pool::heartbeat::Heartbeat;
use crate::server::shared::Shared;
use crate::server::shared::budget::OverloadKind;
use crate::server::shared::connections_within;
use crate::server::shared::listeners::Accepted;
use crate::server::shared::per_ip::shown;
use crate::server::worker::detached::detach;
use crate::server::worker::turn::{Trigger, TurnEnd};
use crate::sys::limits::open_files;
use crate::sys::shortage::{Shortage, shortage};
use crate::sys::{Stream, Token, Wake};
use core::net::SocketAddr;
use std::io;
use std::sync::Arc;

/// One worker: its buffers, and the state of the server that it shares with the others.
pub struct Worker {
    pub(crate) shared: Arc<Shared>,
    pub(crate) input: Input,
    pub(crate) output: Output,
    pub(crate) table: FieldTable,
    pub(crate) date: DateCache,
    /// The head that `table` belongs to and its length, while its request is in progress.
    pub(crate) head: Option<(Head, usize)>,
    /// Requests that this turn has answered.
    pub(crate) requests: usize,
    /// Octets that this turn has sent, or dropped behind a last answer.
    pub(crate) moved: u64,
    pub(crate) heartbeat: Arc<Heartbeat>,
    /// More is kept for a connection than before its turn.
    pub(crate) grew: bool,
}

impl Worker {
    /// A worker of this server.
    pub fn new(shared: Arc<Shared>) -> Worker {
        let limits = &shared.config.limits;
        let input = Input::with_capacity(limits.head_bytes + PREFETCH_BYTES + INPUT_SLACK);
        let table = FieldTable::with_capacity(limits.headers);
        Worker {
            shared,
            input,
            output: Output::default(),
            table,
            date: DateCache::default(),
            head: None,
            requests: 0,
            moved: 0,
            heartbeat: Arc::default(),
            grew: false,
        }
    }

    /// What others see of it.
    pub(crate) fn heartbeat(&self) -> Arc<Heartbeat> {
        self.heartbeat.clone()
    }

    /// Starts a worker on a thread of its own.
    ///
    /// # Errors
    /// Those of starting a thread.
    pub fn start(shared: &Arc<Shared>) -> io::Result<()> {
        let mut worker = Worker::new(shared.clone());
        let signal = shared.signal.clone();
        let guard = ThreadGuard::of(&shared.pool, Some(worker.heartbeat()));
        let name = format!("doorstep-{}", guard.number);
        let work = move || {
            // Who waits for the threads finds every descriptor closed: what this one shares is let go of first.
            let guard = guard;
            let failure = worker.run().err();
            drop(worker);
            if let Some(error) = failure {
                // Without its poller a server is deaf: it ends, and `join` tells why.
                guard.fail(error);
                signal.ask(Moment(0));
            }
        };
        shared.threads.start(&name, Box::new(work))
    }

    /// Serves until the poller is woken for good, or the pool needs this worker no more.
    ///
    /// # Errors
    /// Those of the poller, which no worker can go on without.
    pub fn run(&mut self) -> io::Result<()> {
        let shared = self.shared.clone();
        loop {
            if self.heartbeat.is_blocked() && !shared.pool.rejoin(&self.heartbeat) {
                return Ok(());
            }
            match shared.poller.wait(None)? {
                Wake::Ready(token) => {
                    self.heartbeat.begin();
                    shared.pool.rouse(&*shared.poller, &shared.signal);
                    self.turn(token);
                    self.heartbeat.end();
                }
                Wake::TimedOut => {}
                Wake::Woken => return Ok(()),
            }
        }
    }

    /// Serves what an event is about, as far as it goes without waiting.
    pub fn turn(&mut self, token: Token) {
        match EventSource::of(token) {
            EventSource::Listener(number) => self.accept(number),
            EventSource::Slot { index, generation } => {
                if let Some(owned) = self.shared.slots.on_event(index, generation) {
                    self.serve(owned);
                }
            }
        }
    }

    /// Looks at a connection whose deadline may be over: no handler runs, as no request is begun. The caller owns it, and
    /// gives it back if it lives on.
    pub fn expire(&mut self, owned: Owned) -> Option<Owned> {
        self.finish_turn(owned, Trigger::Deadline)
    }

    /// Ends a connection because the server ends. The caller owns it.
    pub fn close_at_shutdown(&self, owned: Owned) {
        self.shared.close(owned, CloseReason::Shutdown);
    }

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
        let occupied = match shared.per_ip.enter(peer) {
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
        for _ in 0..EVICTIONS {
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
            shared.per_ip.leave(client.peer);
            shared.report(OverloadKind::Full, now, || {
                let limit = limit_in_words(shared.slots.most(), open_files());
                format!("too many connections ({limit}): new ones are turned away")
            });
        })
    }

    /// Serves a connection until it waits or ends.
    fn serve(&mut self, mut owned: Owned) {
        // Each round is due to an event that came while the connection was owned here.
        while let Some(waiting) = self.finish_turn(owned, Trigger::Event) {
            let deadline = waiting.client.deadline;
            match self.shared.slots.release(waiting, deadline) {
                Some(again) => owned = again,
                None => break,
            }
        }
        self.enforce_memory_limit();
    }

    /// Closes other connections, if more is kept for all of them than may be, and the turns since the last look have added to it.
    pub(crate) fn enforce_memory_limit(&mut self) {
        if std::mem::take(&mut self.grew) {
            self.shared.enforce_memory_limit();
        }
    }

    /// One turn of a connection, and the arming of the poller behind it. `None` when it has ended, or has
    /// a thread of its own.
    fn finish_turn(&mut self, mut owned: Owned, trigger: Trigger) -> Option<Owned> {
        let end = match catch_panic(|| self.drive(&mut owned.client, trigger)) {
            Some(end) => end,
            None => self.after_panic(&mut owned.client),
        };
        let reason = match end {
            // Nobody would serve it any more, see it end, or wait for its thread.
            TurnEnd::Wait(_) | TurnEnd::Detach if self.shared.has_ended() => CloseReason::Shutdown,
            // While it is still owned: see `slots`.
            TurnEnd::Wait(interest) => match self.shared.arm(&mut owned, interest) {
                Ok(()) => return Some(owned),
                // ENOMEM, or ENOSPC for the user's limit of watched descriptors (epoll_ctl(2)).
                Err(_) => CloseReason::Failed,
            },
            TurnEnd::Detach => {
                detach(&self.shared, owned);
                return None;
            }
            TurnEnd::Close(reason) => reason,
        };
        self.shared.close(owned, reason);
        None
    }

    /// Something of the program's panicked in this connection's turn: 500 if its answer was not begun, then the end.
    fn after_panic(&mut self, client: &mut Client) -> TurnEnd {
        catch_panic(|| drop(client.take_body()));
        let now = self.shared.now();
        let unanswered = client.conn.phase() == Phase::Handle;
        // The observer may panic in this as well.
        let told = unanswered && catch_panic(|| self.answer_panic(client, &now)).is_some();
        self.input.clear();
        if !told {
            self.output.clear();
            return TurnEnd::Close(CloseReason::Panicked);
        }
        self.output.save(&mut client.pending().unsent);
        // The answer and the closing of the write side take one more turn, in which no handler runs.
        catch_panic(|| self.drive(client, Trigger::Event))
            .unwrap_or(TurnEnd::Close(CloseReason::Panicked))
    }
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
