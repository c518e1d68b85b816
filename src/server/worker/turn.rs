//! One connection's turn: the steps of its state, in the order of a request, until it has to wait
//! or ends.
//!
//! Nothing here waits. Who owns the connection and what becomes of its socket is decided after the
//! turn, in `worker`; what a response says, in `exchange`.

use crate::conn::{CloseReason, Event, Moment, Phase};
use crate::h1::Head;
use crate::handler::{Now, Takeover};
use crate::server::client::Client;
use crate::server::client::output::{Broken, Progress, transmit};
use crate::server::client::pending::PendingTakeover;
use crate::server::exchange::body_writer::write_content;
use crate::server::exchange::gate_wait::GateQueue;
use crate::server::exchange::peer_wait::PeerWait;
use crate::server::exchange::{Buffers, Exchange, Handled};
use crate::server::pool::heartbeat::Heartbeat;
use crate::server::shared::Shared;
use crate::sys::Interest;
use std::io;
use std::mem::ManuallyDrop;
use std::time::Duration;

/// Requests that one turn of a connection may serve before other connections get their turn.
pub const REQUESTS_PER_TURN: usize = 64;
/// Bytes that one turn of a connection may send before other connections get their turn.
pub const BYTES_PER_TURN: u64 = 1024 * 1024;
/// Time that the program may take in one turn of a connection before other connections get their
/// turn, once it has responded.
pub const WORK_PER_TURN: Duration = Duration::from_millis(1);
/// Shorter calls of the program do not count as [`WORK_PER_TURN`]: ordinary pipelined requests take
/// a few microseconds each, and their number is bounded.
const LONG_WORK: Duration = Duration::from_micros(250);

/// What is next for a connection in its turn.
#[derive(Debug)]
pub(super) enum Step {
    Go,
    Read,
    End(TurnEnd),
}

#[derive(Debug)]
pub enum TurnEnd {
    Wait(Interest),
    /// It waits for room in a gate, and meanwhile for this: its client has not taken all of the
    /// responses before.
    Queue(Option<Interest>),
    /// A thread of its own goes on with the connection.
    Detach,
    Close(CloseReason),
}

/// Why a worker looks at a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trigger {
    /// It is ready, or new.
    Event,
    /// Its deadline may be over.
    Deadline,
}

/// A connection, the buffers that it has been lent, and the time.
pub struct Turn<'a> {
    pub(super) shared: &'a Shared,
    pub(super) heartbeat: &'a Heartbeat,
    pub(super) buffers: &'a mut Buffers,
    pub(super) client: &'a mut Client,
    pub(super) queue: GateQueue<'a>,
    pub(super) now: Now,
    /// The same time, as the connection counts it.
    pub(super) moment: Moment,
    /// Requests that this turn has served.
    requests: usize,
    /// Bytes that this turn has sent, or discarded after a last response.
    pub(super) moved: u64,
    /// The time that the program has taken in this turn, where it took long.
    worked: Duration,
}

impl<'a> Turn<'a> {
    /// The turn of `client`, which the caller owns.
    pub fn new(
        shared: &'a Shared,
        heartbeat: &'a Heartbeat,
        buffers: &'a mut Buffers,
        client: &'a mut Client,
        queue: GateQueue<'a>,
        now: Now,
    ) -> Turn<'a> {
        Turn {
            shared,
            heartbeat,
            buffers,
            client,
            queue,
            now,
            moment: Moment::at(now.monotonic),
            requests: 0,
            moved: 0,
            worked: Duration::ZERO,
        }
    }

    /// Serves the connection as far as that goes without waiting.
    pub fn drive(&mut self, trigger: Trigger) -> TurnEnd {
        let Buffers { input, output, .. } = self.buffers;
        self.client.restore(input, output);
        let mut step = match trigger {
            // An event that the housekeeper has posted.
            Trigger::Event if self.is_overdue() => match self.on_deadline() {
                Step::End(TurnEnd::Wait(_)) => Step::Go,
                step => step,
            },
            Trigger::Event => Step::Go,
            Trigger::Deadline => self.on_deadline(),
        };
        // Each step consumes input, moves output, changes the phase, or ends the turn.
        let end = loop {
            step = match step {
                Step::Go => self.step(),
                Step::Read => match self.flush() {
                    Step::Go => self.read(),
                    step => step,
                },
                Step::End(TurnEnd::Wait(Interest::Read)) if trigger == Trigger::Event => {
                    match self.reject_late() {
                        Some(step) => step,
                        None => break TurnEnd::Wait(Interest::Read),
                    }
                }
                Step::End(end) => break end,
            };
        };
        let Buffers { input, output, .. } = self.buffers;
        match end {
            TurnEnd::Wait(_) | TurnEnd::Queue(_) | TurnEnd::Detach => {
                self.client.save(input, output);
            }
            // Nobody will read or send the rest.
            TurnEnd::Close(_) => {
                input.clear();
                output.clear();
            }
        }
        let held = self.shared.budget.count(self.client);
        match end {
            TurnEnd::Wait(interest) => self.wait(interest, held),
            TurnEnd::Queue(_) => self.wait_for_gate(held),
            TurnEnd::Detach | TurnEnd::Close(_) => {}
        }
        end
    }

    /// Does what the connection asks for next: the events in the order of a request.
    fn step(&mut self) -> Step {
        let is_fresh =
            self.requests == 0 && self.moved == 0 && self.buffers.output.bytes.is_empty();
        if !is_fresh && matches!(self.client.conn.phase(), Phase::Idle | Phase::Head) {
            if let Some(step) = self.waits_its_turn() {
                return step;
            }
        }
        let moment = self.moment;
        let Buffers {
            input,
            output,
            table,
            ..
        } = &mut *self.buffers;
        let (config, out) = (&self.shared.config, &mut output.bytes);
        let conn = &mut self.client.conn;
        match conn.next_event(input.unread(), table, moment, config, out) {
            Event::Read if conn.phase() == Phase::Linger => self.linger(),
            Event::Read => Step::Read,
            Event::Head { head, used } => self.handle(&head, used),
            Event::Refuse(reject) => {
                self.exchange().refuse(reject);
                Step::Go
            }
            Event::Send => self.send(),
            Event::Content { used, .. } => self.discard(used),
            Event::Close(reason) => match self.flush() {
                Step::Go => Step::End(TurnEnd::Close(reason)),
                step => step,
            },
            // The handler has responded when its exchange is over; a panic in it is dealt with
            // outside.
            Event::Respond => Step::End(TurnEnd::Close(CloseReason::Panicked)),
        }
    }

    /// Has a request handled, unless its client has gone.
    fn handle(&mut self, head: &Head, used: usize) -> Step {
        // Only after long work, or a wait for it: this is a system call.
        let was_long = !self.worked.is_zero() || self.queue.has_waited();
        if was_long && self.client.stream.is_reset() {
            return Step::End(TurnEnd::Close(CloseReason::Failed));
        }
        let call = match self.begin_call(head, used) {
            Ok(call) => call,
            Err(step) => return step,
        };
        self.requests += 1;
        let mut exchange = Exchange {
            shared: self.shared,
            heartbeat: self.heartbeat,
            buffers: self.buffers,
            client: self.client,
            now: &self.now,
        };
        let is_refused =
            self.heartbeat.rejects || call.as_ref().is_some_and(|call| call.is_refused);
        let handled = exchange.call_handler(head, used, &mut self.queue, is_refused);
        let took = self.program_ran();
        match handled {
            Ok(Handled::Responded) => {
                self.queue.forget_wait();
                self.end_call(call, took);
                Step::Go
            }
            Ok(Handled::Queued) => self.end_queued(),
            Err(reason) => Step::End(TurnEnd::Close(reason)),
        }
    }

    /// The request waits for room in a gate. The responses before it need not wait for it.
    pub(super) fn end_queued(&mut self) -> Step {
        match self.flush() {
            Step::End(TurnEnd::Close(reason)) => Step::End(TurnEnd::Close(reason)),
            Step::End(TurnEnd::Wait(interest)) => Step::End(TurnEnd::Queue(Some(interest))),
            _ => Step::End(TurnEnd::Queue(None)),
        }
    }

    /// Flushes before another request, when the output is full or others have waited long enough.
    /// `None` when the next request may be begun.
    fn waits_its_turn(&mut self) -> Option<Step> {
        let share_is_used = self.requests >= REQUESTS_PER_TURN
            || self.moved >= BYTES_PER_TURN
            || self.worked >= WORK_PER_TURN;
        let write_buffer = self.shared.config.limits.write_buffer_bytes;
        let is_full = self.buffers.output.unsent().len() >= write_buffer;
        if !(share_is_used || is_full) || self.buffers.input.unread().is_empty() {
            return None;
        }
        match self.flush() {
            // The kernel knows nothing of the bytes that are here already: an event for writing,
            // which follows at once, brings this connection back after the others that are ready.
            Step::Go if share_is_used => Some(Step::End(TurnEnd::Wait(Interest::Write))),
            Step::Go => None,
            step => Some(step),
        }
    }

    /// Sends the rest of a response that is not in the output, and finishes the exchange.
    fn send(&mut self) -> Step {
        let mut is_long = false;
        if let Some(pending) = &mut self.client.pending {
            pending.is_long |= pending.has_content();
            is_long = pending.is_long;
            // A body that is gone may have left its last bytes in the output.
            if pending.is_unfinished() {
                match self.flush() {
                    Step::Go => {}
                    step => return step,
                }
                self.queue.forget_wait();
                if let Some(step) = self.run_writer() {
                    return step;
                }
                let sent = self.client.sent;
                let access = self.client.pending().access.take();
                if let (Some(record), Some(observer)) = (access, &self.shared.observer) {
                    let time = self.shared.clock.now();
                    observer.request(&record.event(self.client.peer, sent, true, time));
                }
                if self.client.has_takeover() {
                    return Step::End(TurnEnd::Detach);
                }
            }
            self.client.pending().is_long = false;
        }
        if is_long {
            // It may have been a file's.
            self.shared.descriptor_closed();
        }
        let in_doubt = is_long || !self.buffers.input.unread().is_empty();
        // The phase says what follows, and the next step does it.
        let config = &self.shared.config;
        self.client.conn.finish(in_doubt, self.moment, config);
        Step::Go
    }

    /// The head of a response has been sent whose body a program writes: here, or on a thread of
    /// its own. `None` when no program writes one.
    fn run_writer(&mut self) -> Option<Step> {
        match self.client.pending().takeover.take()? {
            PendingTakeover {
                takeover: Takeover::Writer { write, .. },
                is_chunked,
                permit: None,
            } => {
                let before = self.client.sent;
                let waits = PeerWait::new(self.shared, self.heartbeat);
                let output = &mut self.buffers.output;
                self.heartbeat.enter_program();
                let written =
                    write_content(self.shared, self.client, output, waits, write, is_chunked);
                self.heartbeat.leave_program();
                self.program_ran();
                self.moved += self.client.sent - before;
                // The rest of it lies in the output now.
                Some(match written {
                    Ok(()) => Step::Go,
                    Err(reason) => Step::End(TurnEnd::Close(reason)),
                })
            }
            other => {
                let is_writer = matches!(other.takeover, Takeover::Writer { .. });
                self.client.pending().takeover = Some(other);
                is_writer.then_some(Step::End(TurnEnd::Detach))
            }
        }
    }

    /// Discards an unread body, or, after the last response, all further input.
    fn discard(&mut self, used: usize) -> Step {
        if self.client.conn.phase() == Phase::Linger {
            match self.flush() {
                Step::Go => self.moved += used as u64,
                step => return step,
            }
        }
        self.buffers.input.consume(used);
        Step::Go
    }

    /// The last response is framed: sends the rest of it, closes the write side, and reads on to
    /// discard all further input.
    fn linger(&mut self) -> Step {
        match self.flush() {
            Step::Go => {}
            step => return step,
        }
        let conn = &mut self.client.conn;
        if !self.client.write_closed {
            self.client.write_closed = true;
            // The peer has this long to read the bytes that are now with the system, however long
            // they took to get there.
            let reason = conn.close_reason().unwrap_or(CloseReason::Answered);
            conn.linger(reason, self.moment, &self.shared.config);
            // ENOTCONN: the peer has reset the connection already; the read that follows finds that
            // out.
            let _ = self.client.stream.shutdown_write();
        }
        // A peer that sends as fast as this discards would keep the turn going forever, and the
        // sweep would seldom find its connection idle: so a turn discards only its share, and looks
        // at the deadline itself.
        match conn.on_deadline(self.moment) {
            Some(_) => Step::Go,
            None if self.moved < BYTES_PER_TURN => Step::Read,
            None => Step::End(TurnEnd::Wait(Interest::Read)),
        }
    }

    /// Sends the pending bytes. `Go` when everything is with the system.
    fn flush(&mut self) -> Step {
        let progress = self.send_pending();
        self.queue.pass_on();
        Step::End(match progress {
            Ok(Progress::Done) => return Step::Go,
            Ok(Progress::Blocked | Progress::Yield) => TurnEnd::Wait(Interest::Write),
            Ok(Progress::Full(gate)) => {
                // A body that has moved waits anew.
                if self.moved > 0 {
                    self.queue.forget_wait();
                }
                let time = self.shared.config.timeouts.write;
                let wait = self.queue.wait(&gate, self.now.monotonic, time);
                self.client.pending().queue = wait;
                match self.client.is_queued() {
                    true => TurnEnd::Queue(None),
                    false => TurnEnd::Close(CloseReason::Overload),
                }
            }
            Err(Broken::Socket) => TurnEnd::Close(CloseReason::Failed),
            Err(Broken::Body(error)) => {
                self.client.body_failed(error);
                TurnEnd::Close(CloseReason::ContentFailed)
            }
        })
    }

    /// Gives the socket as much of the output and the body as it takes, within the turn's share,
    /// and counts it.
    pub(super) fn send_pending(&mut self) -> Result<Progress, Broken> {
        let before = self.moved;
        let client = &mut *self.client;
        // It stays empty, and nothing is dropped.
        let mut none = ManuallyDrop::new(None);
        let body = match &mut client.pending {
            Some(pending) => &mut pending.body,
            None => &mut *none,
        };
        let progress = transmit(
            &mut self.buffers.output,
            body,
            &mut client.stream,
            BYTES_PER_TURN,
            &mut self.moved,
        );
        let sent = self.moved - before;
        client.sent += sent;
        // With nothing left to send the client keeps nobody waiting, also if nothing had to be
        // sent.
        if sent > 0 || matches!(progress, Ok(Progress::Done)) {
            client.conn.wrote(self.moment, sent, &self.shared.config);
        }
        progress
    }

    /// Reads once, when there may be something to read.
    fn read(&mut self) -> Step {
        let input = &mut self.buffers.input;
        if !input.is_dry() {
            match input.fill(&mut self.client.stream) {
                Ok(0) => {
                    self.client.conn.input_ended();
                    return Step::Go;
                }
                Ok(_) => return Step::Go,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(_) => return Step::End(TurnEnd::Close(CloseReason::Failed)),
            }
        }
        Step::End(TurnEnd::Wait(Interest::Read))
    }

    /// Records the connection's wait, and its deadline.
    fn wait(&mut self, interest: Interest, held: usize) {
        let (was_served, took) = (self.requests > 0, self.moved > 0);
        let client = &mut *self.client;
        client.waits(interest, held, was_served, took, self.moment);
        client.deadline = match interest {
            Interest::Read => client.conn.read_deadline(),
            Interest::Write => client.conn.write_deadline(self.moment, &self.shared.config),
        };
    }

    /// Records the connection's wait for a gate, and its deadline.
    fn wait_for_gate(&mut self, held: usize) {
        let client = &mut *self.client;
        client.waits(Interest::Write, held, false, self.moved > 0, self.moment);
        let queue = client
            .pending
            .as_ref()
            .and_then(|pending| pending.queue.as_ref());
        client.deadline = queue.map_or(self.moment, |queue| queue.until);
        client.waits_to_write = client.conn.phase() == Phase::Send;
    }

    fn exchange(&mut self) -> Exchange<'_> {
        Exchange {
            shared: self.shared,
            heartbeat: self.heartbeat,
            buffers: self.buffers,
            client: self.client,
            now: &self.now,
        }
    }

    /// The program may have taken long, and the waits after it are the client's. Returns the time
    /// that it has taken.
    fn program_ran(&mut self) -> Duration {
        let before = self.now.monotonic;
        self.now.monotonic = self.shared.clock.monotonic();
        let took = self.now.monotonic.saturating_sub(before);
        // After less, the wall clock of before is good enough for the next request.
        if took >= LONG_WORK {
            self.worked += took;
            self.now = self.shared.now();
        }
        self.moment = Moment::at(self.now.monotonic);
        took
    }
}
