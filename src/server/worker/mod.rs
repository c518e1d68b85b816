//! One worker: takes the next event, and serves its connection until the connection has to wait or
//! ends.
//!
//! A turn is a plain function of an event. The thread around it is ten lines: [`Worker::run`].

pub mod accept;
mod call;
pub mod detached;
pub mod housekeeper;
mod overdue;
pub mod turn;

use crate::conn::{CloseReason, Moment, Phase};
use crate::handler::Now;
use crate::limits::PREFETCH_BYTES;
use crate::semantics::FieldTable;
use crate::server::base::catch_panic::catch_panic;
use crate::server::base::token::EventSource;
use crate::server::client::Client;
use crate::server::client::input::Input;
use crate::server::client::output::Output;
use crate::server::client::slots::Owned;
use crate::server::exchange::gate_wait::GateQueue;
use crate::server::exchange::respond::DateCache;
use crate::server::exchange::{Buffers, Exchange};
use crate::server::pool::Next;
use crate::server::pool::heartbeat::Heartbeat;
use crate::server::pool::thread_guard::ThreadGuard;
use crate::server::shared::Shared;
use crate::server::worker::detached::{close_on_thread, detach};
use crate::server::worker::turn::{Trigger, Turn, TurnEnd};
use crate::sys::shortage::{Shortage, shortage};
use crate::sys::{Token, Wake};
use std::io;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

/// Bytes of a worker's input buffer beyond a whole head and a prefetched body: room for pipelined
/// requests.
const INPUT_SLACK_BYTES: usize = 16 * 1024;

/// How long a worker rests after a wait for events that failed for lack of memory.
const POLL_REST: Duration = Duration::from_millis(10);

/// How soon the thread that rejects requests notices that a worker has returned, when no event
/// comes.
const REJECTER_LOOKS_EVERY: Duration = Duration::from_millis(100);

/// A worker's buffers, and the state that it shares with the other workers.
pub struct Worker {
    shared: Arc<Shared>,
    heartbeat: Arc<Heartbeat>,
    buffers: Buffers,
    /// The time, for the first turn after it was read.
    now: Option<Now>,
    /// When this worker last had an event of a listener, and the turns of connections since.
    last_accept: Moment,
    turns: u32,
}

impl Worker {
    /// A worker of this server.
    pub fn new(shared: Arc<Shared>) -> Worker {
        let limits = &shared.config.limits;
        let buffers = Buffers {
            input: Input::with_capacity(limits.head_bytes + PREFETCH_BYTES + INPUT_SLACK_BYTES),
            output: Output::default(),
            table: FieldTable::with_capacity(limits.headers),
            date: DateCache::default(),
        };
        Worker {
            shared,
            heartbeat: Arc::default(),
            buffers,
            now: None,
            last_accept: Moment(0),
            turns: 0,
        }
    }

    /// Starts a worker on a thread of its own.
    ///
    /// # Errors
    /// Those of starting a thread.
    pub fn start(shared: &Arc<Shared>) -> io::Result<()> {
        let worker = Worker::new(shared.clone());
        let guard = ThreadGuard::of(&shared.pool, Some(worker.heartbeat.clone()));
        worker.start_on(guard, Worker::run)
    }

    /// Starts a thread beside the workers that rejects requests until one of these returns.
    ///
    /// # Errors
    /// Those of starting a thread.
    pub fn start_rejecter(shared: &Arc<Shared>) -> io::Result<()> {
        if !shared.pool.take_rejecter() {
            return Ok(());
        }
        let worker = Worker {
            heartbeat: Arc::new(Heartbeat::rejecting()),
            ..Worker::new(shared.clone())
        };
        // In no list: it is not one of the workers.
        let guard = ThreadGuard::of(&shared.pool, None);
        let started = worker.start_on(guard, Worker::run_rejecter);
        started.inspect_err(|_| shared.pool.end_rejecter())
    }

    fn start_on(
        mut self,
        guard: ThreadGuard,
        run: fn(&mut Worker) -> io::Result<()>,
    ) -> io::Result<()> {
        let shared = self.shared.clone();
        let signal = shared.signal.clone();
        let name = format!("doorstep-{}", guard.number);
        let work = move || {
            // When the last thread has been counted off, every descriptor is closed: the worker is
            // dropped before the guard.
            let guard = guard;
            let probe = self.shared.threads.probe();
            let now = Moment::at(self.shared.clock.monotonic());
            self.heartbeat.start(probe, now);
            let failure = run(&mut self).err();
            drop(self);
            if let Some(error) = failure {
                // Without its poller a server is deaf: it ends, and `join` returns the error.
                guard.fail(error);
                signal.request_shutdown(Moment(0));
            }
        };
        shared.threads.start(&name, Box::new(work))
    }

    /// Serves until the poller is woken for good, or the pool no longer needs this worker.
    ///
    /// # Errors
    /// Those of the poller, without which no worker can go on.
    pub fn run(&mut self) -> io::Result<()> {
        let shared = self.shared.clone();
        loop {
            let Next::Wait(timeout) = shared.pool.next() else {
                return Ok(());
            };
            match self.wait(timeout)? {
                Wake::Ready(token) => {
                    self.heartbeat.begin();
                    shared.pool.rouse(&*shared.poller, &shared.signal);
                    self.turn(token);
                    self.heartbeat.end();
                }
                Wake::TimedOut if shared.pool.end_spare() => return Ok(()),
                Wake::TimedOut => {}
                Wake::Woken => return Ok(()),
            }
        }
    }

    /// Waits for an event, also while memory is short.
    fn wait(&self, timeout: Option<Duration>) -> io::Result<Wake> {
        // Each round is due to a lack of memory, and rests.
        loop {
            match self.shared.poller.wait(timeout) {
                // poll(2): "Unable to allocate memory for kernel data structures." There may be
                // some a moment later.
                Err(error) if shortage(&error) == Some(Shortage::Memory) => {
                    thread::sleep(POLL_REST);
                }
                wake => return wake,
            }
        }
    }

    /// Rejects requests until a worker has returned, which then goes on with the responses that
    /// may block.
    fn run_rejecter(&mut self) -> io::Result<()> {
        let shared = self.shared.clone();
        let mut left = Vec::new();
        let ended = loop {
            match self.wait(Some(REJECTER_LOOKS_EVERY)) {
                // A worker has returned meanwhile, and goes on.
                Ok(wake) if !shared.pool.is_exhausted() => {
                    if let Wake::Ready(token) = wake {
                        shared.poller.post(token);
                    }
                    break Ok(());
                }
                Ok(Wake::Ready(token)) => match self.take(token) {
                    Some(owned) if owned.client.may_block() => left.push(owned),
                    Some(owned) => self.serve(owned),
                    None => {}
                },
                Ok(Wake::TimedOut) => {}
                Ok(Wake::Woken) => break Ok(()),
                Err(error) => break Err(error),
            }
        };
        shared.pool.end_rejecter();
        if shared.has_ended() {
            close_on_thread(&shared, left);
        } else {
            left.into_iter().for_each(|owned| shared.hand_over(owned));
        }
        ended
    }

    /// Serves the source of an event, as far as that goes without waiting.
    pub fn turn(&mut self, token: Token) {
        if let Some(owned) = self.take(token) {
            self.serve(owned);
        }
    }

    /// Takes the connection that an event is for, or accepts what a listener's event is for.
    fn take(&mut self, token: Token) -> Option<Owned> {
        match EventSource::of(token) {
            EventSource::Listener(number) => {
                self.accept(number);
                None
            }
            EventSource::Slot { index, generation } => {
                let owned = self.shared.slots.on_event(index, generation)?;
                self.turns = self.turns.saturating_add(1);
                Some(owned)
            }
        }
    }

    /// Checks a connection whose deadline may be over. No handler runs, as no request is begun. The
    /// caller owns the connection, and releases it if it lives on.
    pub fn expire(&mut self, owned: Owned) -> Option<Owned> {
        self.finish_turn(owned, Trigger::Deadline)
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
        self.shared.enforce_memory_limit();
    }

    /// One turn of a connection, and the arming of the poller after it. `None` when the connection
    /// has ended, or has a thread of its own.
    fn finish_turn(&mut self, mut owned: Owned, trigger: Trigger) -> Option<Owned> {
        let token = owned.source.token();
        let end = match catch_panic(|| self.drive(&mut owned.client, trigger, token)) {
            Some(end) => end,
            None => self.after_panic(&mut owned.client, token),
        };
        let reason = match end {
            // No thread is left to serve it, to see it end, or to wait for its thread.
            TurnEnd::Wait(_) | TurnEnd::Queue(_) | TurnEnd::Detach if self.shared.has_ended() => {
                CloseReason::Shutdown
            }
            // The gate has its token, and calls it.
            TurnEnd::Queue(None) => return Some(owned),
            // While it is still owned: see `slots`.
            TurnEnd::Queue(Some(interest)) | TurnEnd::Wait(interest) => {
                match self.shared.arm(&mut owned, interest) {
                    Ok(()) => return Some(owned),
                    // ENOMEM, or ENOSPC for the user's limit of watched descriptors (epoll_ctl(2)).
                    Err(_) => CloseReason::Failed,
                }
            }
            TurnEnd::Detach => {
                detach(&self.shared, owned);
                return None;
            }
            TurnEnd::Close(reason) => reason,
        };
        self.shared.close(owned, reason);
        None
    }

    fn drive(&mut self, client: &mut Client, trigger: Trigger, token: Token) -> TurnEnd {
        let queue = GateQueue::leave(&self.shared, token, client);
        let (shared, buffers) = (&self.shared, &mut self.buffers);
        let now = self.now.take().unwrap_or_else(|| shared.now());
        Turn::new(shared, &self.heartbeat, buffers, client, queue, now).drive(trigger)
    }

    /// The program has panicked in this connection's turn: 500 if no response was begun, then the
    /// end.
    fn after_panic(&mut self, client: &mut Client, token: Token) -> TurnEnd {
        // A body or a takeover is the program's, and so is its Drop.
        let pending = client.pending();
        catch_panic(|| pending.drop_body());
        let takeover = pending.takeover.take();
        catch_panic(|| drop(takeover));
        let has_no_response = client.conn.phase() == Phase::Handle;
        // The observer may panic in this as well.
        let is_written = has_no_response && catch_panic(|| self.respond_500(client)).is_some();
        self.buffers.input.clear();
        if !is_written {
            self.buffers.output.clear();
            return TurnEnd::Close(CloseReason::Panicked);
        }
        self.buffers.output.save(&mut client.pending().unsent);
        // The response and the closing of the write side take one more turn, in which no handler
        // runs.
        catch_panic(|| self.drive(client, Trigger::Event, token))
            .unwrap_or(TurnEnd::Close(CloseReason::Panicked))
    }

    fn respond_500(&mut self, client: &mut Client) {
        let now = self.shared.now();
        let mut exchange = Exchange {
            shared: &self.shared,
            heartbeat: &self.heartbeat,
            buffers: &mut self.buffers,
            client,
            now: &now,
        };
        exchange.respond_500();
    }
}
