//! One worker: takes what is ready, and serves it until it has to wait.
//!
//! A turn is a plain function of an event. The thread around it is ten lines: [`Worker::run`].

use super::exchange::DateLine;
use super::guest::Guest;
use super::input::Input;
use super::listen::Accepted;
use super::output::{Broken, Output, Progress, transmit};
use super::shared::Shared;
use super::slots::{Owned, Subject};
use crate::conn::{CloseReason, Expiry, Finished, Gathered, Moment, Phase, Received};
use crate::h1::Head;
use crate::handler::Now;
use crate::limits::{BYTES_PER_TURN, GATHER_BYTES, INPUT_SLACK, REQUESTS_PER_TURN};
use crate::semantics::FieldTable;
use crate::sys::{Interest, Stream, Token, Wake};
use core::net::SocketAddr;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// One worker: its buffers, and the state of the server that it shares with the others.
pub struct Worker {
    pub(super) shared: Arc<Shared>,
    pub(super) input: Input,
    pub(super) output: Output,
    pub(super) table: FieldTable,
    pub(super) date: DateLine,
    /// The head that `table` belongs to and its length, while its request is in progress.
    head: Option<(Head, usize)>,
    /// Requests that this turn has answered.
    requests: usize,
    /// Octets that this turn has sent, or dropped behind a last answer.
    moved: u64,
}

/// What is next for a connection in its turn.
#[derive(Debug)]
pub(super) enum Flow {
    /// Another step.
    Go,
    /// More octets are needed.
    Read,
    /// It is to wait.
    Wait(Interest),
    /// It is to end.
    Close(CloseReason),
}

/// How a turn ended.
enum Fate {
    Wait(Interest),
    Close(CloseReason),
}

/// Why a worker looks at a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cause {
    /// It is ready, or new.
    Event,
    /// Its deadline may be over.
    Deadline,
}

impl Worker {
    /// A worker of this server.
    pub fn new(shared: Arc<Shared>) -> Worker {
        let limits = &shared.rules.limits;
        let input = Input::with_capacity(limits.head_bytes + GATHER_BYTES + INPUT_SLACK);
        let table = FieldTable::with_capacity(limits.headers);
        Worker {
            shared,
            input,
            output: Output::default(),
            table,
            date: DateLine::default(),
            head: None,
            requests: 0,
            moved: 0,
        }
    }

    /// Serves until the poller is woken for good.
    ///
    /// # Errors
    /// Those of the poller, which no worker can go on without.
    pub fn run(&mut self) -> io::Result<()> {
        loop {
            match self.shared.poller.wait(None)? {
                Wake::Ready(token) => self.turn(token),
                Wake::TimedOut => {}
                Wake::Woken => return Ok(()),
            }
        }
    }

    /// Serves what an event is about, as far as it goes without waiting.
    pub fn turn(&mut self, token: Token) {
        match Subject::of(token) {
            Subject::Listener(number) => self.accept(number),
            Subject::Slot { index, generation } => {
                if let Some(owned) = self.shared.slots.on_event(index, generation) {
                    self.serve(owned, Cause::Event);
                }
            }
        }
    }

    /// Looks at a connection whose deadline may be over. The caller owns it.
    pub fn expire(&mut self, owned: Owned) {
        self.serve(owned, Cause::Deadline);
    }

    /// Ends a connection because the server ends. The caller owns it.
    pub fn cut(&mut self, owned: Owned) {
        self.close(owned, CloseReason::Shutdown);
    }

    /// The accept loop's body: the pool's workers are its threads. The worker that accepts a connection serves its first
    /// request at once; the listener is armed before that, so that another worker takes the next one.
    pub fn accept(&mut self, number: usize) {
        let now = self.now();
        match self.shared.listeners.accept(number) {
            Accepted::Connection(stream, peer) => {
                self.shared.listeners.arm(number, &self.shared);
                self.admit(stream, peer, &now);
            }
            Accepted::Empty | Accepted::Lost => self.shared.listeners.arm(number, &self.shared),
            Accepted::Exhausted(error) => {
                let moment = Moment::at(now.monotonic);
                self.shared.listeners.rest(
                    number,
                    &format!("cannot accept: {error}"),
                    moment,
                    &self.shared,
                );
            }
            Accepted::Closed => {}
        }
    }

    /// Takes a new connection in, and serves it.
    pub fn admit(&mut self, stream: Stream, peer: Option<SocketAddr>, now: &Now) {
        if let Some(owned) = self.enroll(stream, peer, now) {
            self.serve(owned, Cause::Event);
        }
    }

    /// Gives a new connection a slot. `None` when there is none: then it has been told so.
    pub(super) fn enroll(
        &mut self,
        stream: Stream,
        peer: Option<SocketAddr>,
        now: &Now,
    ) -> Option<Owned> {
        let moment = Moment::at(now.monotonic);
        let guest = Box::new(Guest::new(stream, peer, moment, &self.shared.rules));
        match self.shared.slots.occupy(guest) {
            Ok(owned) => {
                protected(|| {
                    self.shared
                        .observer
                        .iter()
                        .for_each(|observer| observer.accepted(peer))
                });
                Some(owned)
            }
            Err(guest) => {
                self.turn_away(*guest, now);
                None
            }
        }
    }

    /// Serves a connection until it waits or ends.
    fn serve(&mut self, mut owned: Owned, mut cause: Cause) {
        loop {
            let fate = match protected(|| self.converse(&mut owned.guest, cause)) {
                Some(fate) => fate,
                None => self.after_panic(&mut owned.guest),
            };
            let interest = match fate {
                Fate::Wait(interest) => interest,
                Fate::Close(reason) => return self.close(owned, reason),
            };
            if self.arm(&mut owned, interest).is_err() {
                return self.close(owned, CloseReason::Failed);
            }
            let deadline = owned.guest.deadline;
            // From here on another thread may own it; an event that came in between is ours to serve.
            match self.shared.slots.release(owned, deadline) {
                Some(again) => owned = again,
                None => return,
            }
            cause = Cause::Event;
        }
    }

    /// Arms the poller for a connection that is still owned.
    pub(super) fn arm(&self, owned: &mut Owned, interest: Interest) -> io::Result<()> {
        let token = owned.subject.token();
        let guest = &mut owned.guest;
        guest.waits_to_write = interest == Interest::Write;
        if guest.registered {
            return self
                .shared
                .poller
                .arm(guest.stream.source(), token, interest);
        }
        self.shared
            .poller
            .add(guest.stream.source(), token, interest)?;
        guest.registered = true;
        Ok(())
    }

    /// Ends a connection.
    pub(super) fn close(&mut self, owned: Owned, reason: CloseReason) {
        let token = owned.subject.token();
        let guest = self.shared.slots.vacate(owned);
        if guest.registered {
            // The descriptor is closed right after, which ends the registration in any case.
            let _ = self.shared.poller.remove(guest.stream.source(), token);
        }
        protected(|| {
            if let (Some(record), Some(observer)) = (&guest.record, &self.shared.observer) {
                observer.request(&self.event(record, &guest, self.now()));
            }
        });
        protected(|| {
            self.shared
                .observer
                .iter()
                .for_each(|observer| observer.closed(guest.peer, reason));
        });
        // The content may be a program's reader, whose Drop is the program's as well.
        protected(|| drop(guest));
    }

    /// One connection's turn, from restoring its octets to saving them.
    fn converse(&mut self, guest: &mut Guest, cause: Cause) -> Fate {
        let now = self.now();
        let moment = Moment::at(now.monotonic);
        self.input.restore(&mut guest.leftover);
        self.output.restore(&mut guest.parked);
        self.head = None;
        self.requests = 0;
        self.moved = 0;
        let mut flow = match cause {
            Cause::Event => Flow::Go,
            Cause::Deadline => self.judge(guest, &now),
        };
        // Each step consumes input, moves output, changes the phase, or ends the turn.
        let fate = loop {
            flow = match flow {
                Flow::Go => self.step(guest, &now),
                Flow::Read => self.read(guest, moment),
                Flow::Wait(interest) => break Fate::Wait(interest),
                Flow::Close(reason) => break Fate::Close(reason),
            };
        };
        self.input.save(&mut guest.leftover);
        self.output.save(&mut guest.parked);
        if let Fate::Wait(interest) = fate {
            guest.deadline = match interest {
                Interest::Read => guest.conn.read_deadline(),
                Interest::Write => guest.conn.write_deadline(moment, &self.shared.rules),
            };
        }
        fate
    }

    /// What the time means for a connection.
    fn judge(&mut self, guest: &mut Guest, now: &Now) -> Flow {
        let moment = Moment::at(now.monotonic);
        match guest
            .conn
            .expire(moment, guest.waits_to_write, guest.deadline)
        {
            Expiry::NotYet => Flow::Go,
            Expiry::Close(reason) => Flow::Close(reason),
            Expiry::Refuse(reject) => self.refuse(guest, reject, now),
        }
    }

    /// The next step of a conversation, by its phase.
    fn step(&mut self, guest: &mut Guest, now: &Now) -> Flow {
        let moment = Moment::at(now.monotonic);
        match guest.conn.phase() {
            Phase::Idle | Phase::Head => self.receive(guest, now),
            Phase::Gather => self.gather(guest, now),
            // A handler's turn never ends in this phase; a panic in it is dealt with outside.
            Phase::Handle => Flow::Close(CloseReason::Panicked),
            Phase::Send => self.send(guest, now),
            Phase::Drain => {
                let used = guest
                    .conn
                    .drain(self.input.unread(), moment, &self.shared.rules);
                self.input.consume(used);
                if guest.conn.phase() == Phase::Drain {
                    Flow::Read
                } else {
                    Flow::Go
                }
            }
            Phase::Linger => self.linger(guest, moment),
            Phase::Closed => match self.flush(guest, moment) {
                Flow::Go => Flow::Close(guest.conn.last().unwrap_or(CloseReason::Answered)),
                flow => flow,
            },
        }
    }

    /// Looks for the next request.
    fn receive(&mut self, guest: &mut Guest, now: &Now) -> Flow {
        let moment = Moment::at(now.monotonic);
        let waiting = !self.input.unread().is_empty();
        let share_is_used = self.requests >= REQUESTS_PER_TURN || self.moved >= BYTES_PER_TURN;
        if waiting
            && (share_is_used
                || self.output.unsent().len() >= self.shared.rules.limits.write_buffer)
        {
            match self.flush(guest, moment) {
                // The kernel knows nothing of the octets that are here already: an event for writing, which follows at
                // once, brings this connection back behind the others that are ready.
                Flow::Go if share_is_used => return Flow::Wait(Interest::Write),
                Flow::Go => {}
                flow => return flow,
            }
        }
        let received = guest.conn.receive(
            self.input.unread(),
            &mut self.table,
            moment,
            &self.shared.rules,
        );
        match received {
            Ok(Received::More) => Flow::Read,
            Ok(Received::Head { head, used }) => {
                self.head = Some((head, used));
                Flow::Go
            }
            Err(reject) => self.refuse(guest, reject, now),
        }
    }

    /// Waits for content that is short enough, then has the request answered.
    fn gather(&mut self, guest: &mut Guest, now: &Now) -> Flow {
        let moment = Moment::at(now.monotonic);
        match guest
            .conn
            .gather(self.input.unread(), moment, &self.shared.rules)
        {
            Ok(Gathered::More) => Flow::Read,
            Ok(Gathered::Ready) => {
                self.requests += 1;
                let head = self.head.take();
                self.exchange(guest, head, now)
            }
            Err(reject) => self.refuse(guest, reject, now),
        }
    }

    /// Sends content that is not in the output yet, and finishes the exchange.
    fn send(&mut self, guest: &mut Guest, now: &Now) -> Flow {
        let moment = Moment::at(now.monotonic);
        if guest.tail.is_some() {
            match self.flush(guest, moment) {
                Flow::Go => {}
                flow => return flow,
            }
            if let (Some(record), Some(observer)) = (guest.record.take(), &self.shared.observer) {
                observer.request(&self.event(&record, guest, self.now()));
            }
        }
        match guest.conn.finish(moment, &self.shared.rules) {
            Finished::Continue | Finished::Linger => Flow::Go,
            // What is in the output still has to go out: the next step does that and closes.
            Finished::Close(_) => Flow::Go,
        }
    }

    /// The last answer is framed: sends what is left of it, closes the write side, and drops what still comes.
    fn linger(&mut self, guest: &mut Guest, now: Moment) -> Flow {
        match self.flush(guest, now) {
            Flow::Go => {}
            flow => return flow,
        }
        self.moved += self.input.unread().len() as u64;
        self.input.clear();
        if !guest.write_closed {
            guest.write_closed = true;
            guest.conn.last_octet_sent(now, &self.shared.rules);
            // ENOTCONN: the peer has reset the connection already; the read that follows finds that out.
            let _ = guest.stream.shutdown_write();
        }
        // A peer that sends as fast as this drops would keep the turn going for ever, and the sweep would seldom find its
        // connection idle: so a turn drops only its share, and looks at the deadline itself.
        match guest.conn.expire(now, false, guest.conn.read_deadline()) {
            Expiry::Close(reason) => Flow::Close(reason),
            _ if self.moved < BYTES_PER_TURN => Flow::Read,
            _ => Flow::Wait(Interest::Read),
        }
    }

    /// Sends what there is. `Go` when everything is with the system.
    fn flush(&mut self, guest: &mut Guest, now: Moment) -> Flow {
        let before = self.moved;
        let share = BYTES_PER_TURN;
        let progress = transmit(
            &mut self.output,
            &mut guest.tail,
            &mut guest.stream,
            share,
            &mut self.moved,
        );
        if self.moved > before {
            guest.sent += self.moved - before;
            guest.conn.wrote(now, self.moved - before);
        }
        match progress {
            Ok(Progress::Done) => Flow::Go,
            Ok(Progress::Blocked | Progress::Yield) => Flow::Wait(Interest::Write),
            Err(Broken::Socket) => Flow::Close(CloseReason::Failed),
            Err(Broken::Content) => Flow::Close(CloseReason::ContentFailed),
        }
    }

    /// Reads once, when there may be something to read.
    fn read(&mut self, guest: &mut Guest, now: Moment) -> Flow {
        match self.flush(guest, now) {
            Flow::Go => {}
            flow => return flow,
        }
        if !self.input.is_dry() {
            match self.input.fill(&mut guest.stream) {
                Ok(0) => {
                    let reason = guest.conn.peer_closed().unwrap_or(CloseReason::PeerClosed);
                    return Flow::Close(reason);
                }
                Ok(_) => return Flow::Go,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(_) => return Flow::Close(CloseReason::Failed),
            }
        }
        if guest.conn.phase() == Phase::Idle && self.shared.is_stopping() {
            return Flow::Close(CloseReason::Shutdown);
        }
        Flow::Wait(Interest::Read)
    }

    /// Something of the program's panicked in this connection's turn: 500 if its answer was not begun, then the end.
    fn after_panic(&mut self, guest: &mut Guest) -> Fate {
        self.input.clear();
        protected(|| drop(guest.tail.take()));
        let now = self.now();
        if guest.conn.phase() != Phase::Handle {
            self.output.clear();
            return Fate::Close(CloseReason::Panicked);
        }
        self.answer_panic(guest, &now);
        self.output.save(&mut guest.parked);
        // The answer and the closing of the write side take one more turn, in which no handler runs.
        protected(|| self.converse(guest, Cause::Event))
            .unwrap_or(Fate::Close(CloseReason::Panicked))
    }

    /// The time, as a handler sees it.
    pub(super) fn now(&self) -> Now {
        let (monotonic, wall) = self.shared.clock.now();
        Now { monotonic, wall }
    }
}

/// Runs what may call into the program. `None` when it panicked; the worker lives on.
///
/// What is behind the reference may be half changed after a panic. Each caller then closes the connection and clears the
/// buffers, and nothing else is shared but what has its own lock.
fn protected<T>(work: impl FnOnce() -> T) -> Option<T> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(value) => Some(value),
        Err(payload) => {
            // A payload is a value of the program's, and its Drop may panic as well. The second payload is leaked.
            if let Err(second) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
                std::mem::forget(second);
            }
            None
        }
    }
}
