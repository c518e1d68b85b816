//! One connection's turn: the steps of its state, in the order of a request, until it has to wait
//! or ends.
//!
//! Nothing here waits. Who owns the connection and what becomes of its socket is decided after the
//! turn, in `worker`; what a response says, in `exchange`.

use crate::conn::{CloseReason, Expiry, Moment, Phase, Prefetched, Received};
use crate::h1::{Head, Parsed, Reject, Resume, parse_head};
use crate::handler::{Now, Payload, Takeover};
use crate::limits::{BYTES_PER_TURN, REQUESTS_PER_TURN};
use crate::server::client::Client;
use crate::server::client::output::{Broken, Progress, transmit};
use crate::server::client::pending::PendingTakeover;
use crate::server::exchange::body_writer::write_content;
use crate::server::exchange::peer_wait::PeerWait;
use crate::server::exchange::{Buffers, Exchange};
use crate::server::pool::heartbeat::Heartbeat;
use crate::server::shared::Shared;
use crate::sys::Interest;
use std::io;
use std::time::Duration;

/// What is next for a connection in its turn.
#[derive(Debug)]
enum Step {
    /// Another step.
    Go,
    /// More bytes are needed.
    Read,
    End(TurnEnd),
}

/// How a turn ended.
#[derive(Debug)]
pub enum TurnEnd {
    Wait(Interest),
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
    shared: &'a Shared,
    heartbeat: &'a Heartbeat,
    buffers: &'a mut Buffers,
    client: &'a mut Client,
    now: Now,
    /// The head that the field table belongs to and its length, while its request is in progress.
    head: Option<(Head, usize)>,
    /// Requests that this turn has answered.
    requests: usize,
    /// Bytes that this turn has sent, or discarded after a last response.
    moved: u64,
    /// Set when the connection holds more memory than before.
    grew: &'a mut bool,
}

impl<'a> Turn<'a> {
    /// The turn of `client`, which the caller owns.
    pub fn new(
        shared: &'a Shared,
        heartbeat: &'a Heartbeat,
        buffers: &'a mut Buffers,
        client: &'a mut Client,
        grew: &'a mut bool,
    ) -> Turn<'a> {
        Turn {
            shared,
            heartbeat,
            buffers,
            client,
            now: shared.now(),
            head: None,
            requests: 0,
            moved: 0,
            grew,
        }
    }

    /// Serves the connection as far as that goes without waiting.
    pub fn drive(mut self, trigger: Trigger) -> TurnEnd {
        let Buffers { input, output, .. } = self.buffers;
        self.client.restore(input, output);
        let mut step = match trigger {
            Trigger::Event => Step::Go,
            Trigger::Deadline => self.on_deadline(),
        };
        // Each step consumes input, moves output, changes the phase, or ends the turn.
        let end = loop {
            step = match step {
                Step::Go => {
                    let may_take_long =
                        self.client.conn.phase() == Phase::Prefetch || self.client.has_takeover();
                    let step = self.step();
                    if may_take_long {
                        // The program may have taken long, and the waits after it are the client's.
                        self.now = self.shared.now();
                    }
                    step
                }
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
        self.client.save(input, output);
        *self.grew |= self.shared.budget.count(self.client);
        if let TurnEnd::Wait(interest) = end {
            self.wait(interest);
        }
        end
    }

    /// The next step, by the phase of the connection: in the order of a request.
    fn step(&mut self) -> Step {
        match self.client.conn.phase() {
            Phase::Idle | Phase::Head => self.receive(),
            Phase::Prefetch => self.prefetch(),
            // A handler's turn never ends in this phase; a panic in it is dealt with outside.
            Phase::Handle => Step::End(TurnEnd::Close(CloseReason::Panicked)),
            Phase::Send => self.send(),
            Phase::Discard => self.discard(),
            Phase::Linger => self.linger(),
            Phase::Closed => match self.flush() {
                Step::Go => {
                    let reason = self.client.conn.close_reason();
                    Step::End(TurnEnd::Close(reason.unwrap_or(CloseReason::Answered)))
                }
                step => step,
            },
        }
    }

    /// Looks for the next request.
    fn receive(&mut self) -> Step {
        let has_unread = !self.buffers.input.unread().is_empty();
        let share_is_used = self.requests >= REQUESTS_PER_TURN || self.moved >= BYTES_PER_TURN;
        let limits = &self.shared.config.limits;
        if has_unread
            && (share_is_used || self.buffers.output.unsent().len() >= limits.write_buffer_bytes)
        {
            match self.flush() {
                // The kernel knows nothing of the bytes that are here already: an event for writing,
                // which follows at once, brings this connection back after the others that are ready.
                Step::Go if share_is_used => return Step::End(TurnEnd::Wait(Interest::Write)),
                Step::Go => {}
                step => return step,
            }
        }
        let moment = self.moment();
        let received = self.client.conn.receive(
            self.buffers.input.unread(),
            &mut self.buffers.table,
            moment,
            &self.shared.config,
        );
        match received {
            Ok(Received::More) => Step::Read,
            Ok(Received::Head { head, used }) => {
                self.head = Some((head, used));
                Step::Go
            }
            Err(reject) => self.refuse(reject),
        }
    }

    /// Waits for a body that is short enough, then has the request answered.
    fn prefetch(&mut self) -> Step {
        let moment = self.moment();
        let input = self.buffers.input.unread();
        match self
            .client
            .conn
            .prefetch(input, moment, &self.shared.config)
        {
            Ok(Prefetched::More) => Step::Read,
            Ok(Prefetched::Ready) => {
                self.requests += 1;
                // The bytes of the head may have come in an earlier turn.
                let Some((head, used)) = self.head.take().or_else(|| self.head_again()) else {
                    // The same bytes were a whole head before, so this cannot be.
                    return Step::End(TurnEnd::Close(CloseReason::Failed));
                };
                match self.exchange().call_handler(head, used) {
                    Ok(()) => Step::Go,
                    Err(reason) => Step::End(TurnEnd::Close(reason)),
                }
            }
            Err(reject) => self.refuse(reject),
        }
    }

    fn head_again(&mut self) -> Option<(Head, usize)> {
        let limits = &self.shared.config.limits;
        let input = self.buffers.input.unread();
        match parse_head(input, Resume::default(), limits, &mut self.buffers.table) {
            Ok(Parsed::Done { value, used }) => Some((value, used)),
            Ok(Parsed::More { .. }) | Err(_) => None,
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
        let in_doubt = is_long || !self.buffers.input.unread().is_empty();
        let moment = self.moment();
        // The phase says what follows, and the next step does it.
        self.client
            .conn
            .finish(in_doubt, moment, &self.shared.config);
        Step::Go
    }

    /// The head of a response has been sent whose body a program writes: here, or on a thread of its
    /// own. `None` when no program writes one.
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
                let written =
                    write_content(self.shared, self.client, output, waits, write, is_chunked);
                self.heartbeat.progress();
                self.moved += self.client.sent - before;
                // What is left of it lies in the output now.
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

    /// Discards a body that the handler left unread.
    fn discard(&mut self) -> Step {
        let moment = self.moment();
        let input = &mut self.buffers.input;
        let conn = &mut self.client.conn;
        let used = conn.discard(input.unread(), moment, &self.shared.config);
        input.consume(used);
        match conn.phase() {
            Phase::Discard => Step::Read,
            _ => Step::Go,
        }
    }

    /// The last response is framed: sends the rest of it, closes the write side, and discards
    /// whatever still comes.
    fn linger(&mut self) -> Step {
        match self.flush() {
            Step::Go => {}
            step => return step,
        }
        self.moved += self.buffers.input.unread().len() as u64;
        self.buffers.input.clear();
        let moment = self.moment();
        if !self.client.write_closed {
            self.client.write_closed = true;
            self.client
                .conn
                .last_octet_sent(moment, &self.shared.config);
            // ENOTCONN: the peer has reset the connection already; the read that follows finds that out.
            let _ = self.client.stream.shutdown_write();
        }
        // A peer that sends as fast as this discards would keep the turn going forever, and the sweep
        // would seldom find its connection idle: so a turn discards only its share, and looks at the
        // deadline itself.
        let conn = &self.client.conn;
        match conn.expire(moment, false, conn.read_deadline()) {
            Expiry::Close(reason) => Step::End(TurnEnd::Close(reason)),
            _ if self.moved < BYTES_PER_TURN => Step::Read,
            _ => Step::End(TurnEnd::Wait(Interest::Read)),
        }
    }

    /// Sends the pending bytes. `Go` when everything is with the system.
    fn flush(&mut self) -> Step {
        Step::End(match self.send_pending() {
            Ok(Progress::Done) => return Step::Go,
            Ok(Progress::Blocked | Progress::Yield) => TurnEnd::Wait(Interest::Write),
            Err(Broken::Socket) => TurnEnd::Close(CloseReason::Failed),
            Err(Broken::Body) => TurnEnd::Close(CloseReason::ContentFailed),
        })
    }

    /// Gives the socket what it takes of the output and the body, within the turn's share, and
    /// counts it.
    fn send_pending(&mut self) -> Result<Progress, Broken> {
        let before = self.moved;
        let client = &mut *self.client;
        let mut none = None;
        let body = match &mut client.pending {
            Some(pending) => &mut pending.body,
            None => &mut none,
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
        // With nothing left to send the client keeps nobody waiting, also if nothing had to be sent.
        if sent > 0 || matches!(progress, Ok(Progress::Done)) {
            let moment = Moment::at(self.now.monotonic);
            client.conn.wrote(moment, sent, &self.shared.config);
        }
        progress
    }

    /// Reads once, when there may be something to read.
    fn read(&mut self) -> Step {
        let conn = &mut self.client.conn;
        let last_look = conn.phase() == Phase::Idle && self.shared.is_stopping();
        let input = &mut self.buffers.input;
        // Dry or not: a request that has arrived since the last read was sent to a server that had
        // not begun to stop.
        if !input.is_dry() || last_look {
            match input.fill(&mut self.client.stream) {
                Ok(0) => {
                    let reason = conn.peer_closed().unwrap_or(CloseReason::PeerClosed);
                    return Step::End(TurnEnd::Close(reason));
                }
                Ok(_) => return Step::Go,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(_) => return Step::End(TurnEnd::Close(CloseReason::Failed)),
            }
        }
        if last_look {
            return Step::End(TurnEnd::Close(CloseReason::Shutdown));
        }
        Step::End(TurnEnd::Wait(Interest::Read))
    }

    /// Records what the connection waits for from now on, and until when.
    fn wait(&mut self, interest: Interest) {
        let moment = self.moment();
        let (was_served, took) = (self.requests > 0, self.moved > 0);
        let client = &mut *self.client;
        client.waits(interest, was_served, took, moment);
        client.deadline = match interest {
            Interest::Read => client.conn.read_deadline(),
            Interest::Write => client.conn.write_deadline(moment, &self.shared.config),
        };
    }

    /// What the time means for the connection.
    fn on_deadline(&mut self) -> Step {
        let moment = self.moment();
        let client = &*self.client;
        match client
            .conn
            .expire(moment, client.waits_to_write, client.deadline)
        {
            Expiry::NotYet => Step::End(TurnEnd::Wait(client.interest())),
            // The peer is not to blame for bytes that are here and that no worker has come to read.
            _ if self.server_is_behind() => Step::End(TurnEnd::Wait(Interest::Read)),
            Expiry::Close(CloseReason::WriteTimeout) if self.client.waits_to_write => {
                self.write_once_more()
            }
            Expiry::Close(reason) => Step::End(TurnEnd::Close(reason)),
            Expiry::Refuse(reject) => self.refuse(reject),
        }
    }

    /// Refuses a message of which everything that came has been read, and which is not whole although
    /// its time is over: the sweep leaves it to the worker while there is something to read, which
    /// could go on forever.
    fn reject_late(&mut self) -> Option<Step> {
        let moment = self.moment();
        let conn = &self.client.conn;
        match conn.expire(moment, false, conn.read_deadline()) {
            Expiry::Refuse(reject) => Some(self.refuse(reject)),
            Expiry::NotYet | Expiry::Close(_) => None,
        }
    }

    /// Whether bytes of the peer's lie unread while every worker is at work.
    fn server_is_behind(&mut self) -> bool {
        let client = &mut *self.client;
        matches!(
            client.conn.phase(),
            Phase::Idle | Phase::Head | Phase::Prefetch | Phase::Discard
        ) && !client.waits_to_write
            && self.shared.poller.waiting() == 0
            && matches!(client.stream.wait(Interest::Read, Duration::ZERO), Ok(true))
    }

    /// Tries to write before a connection is closed for not being writable: a socket is reported so
    /// only when a third of its buffer is free (tcp(7), epoll(7) on EPOLLOUT), which can be more than
    /// a steady reader takes in the whole wait. No reader of the program's runs here.
    fn write_once_more(&mut self) -> Step {
        let pending = self.client.pending();
        let reader = pending
            .body
            .take_if(|body| matches!(body.payload, Payload::Stream { .. }));
        let before = self.moved;
        let sent = self.send_pending();
        if reader.is_some() {
            self.client.pending().body = reader;
        }
        let moment = self.moment();
        let client = &mut *self.client;
        let keeps_up = match sent {
            // Nothing was owed: with room in its socket, the connection waits for a worker and not
            // for its client.
            Ok(Progress::Done) if self.moved == before => {
                matches!(
                    client.stream.wait(Interest::Write, Duration::ZERO),
                    Ok(true)
                )
            }
            Ok(Progress::Done) => true,
            // What was taken may have earned less than the time that is used up.
            Ok(Progress::Blocked | Progress::Yield) => {
                let deadline = client.conn.write_deadline(moment, &self.shared.config);
                self.moved > before && deadline > moment
            }
            Err(_) => false,
        };
        Step::End(match keeps_up {
            true => TurnEnd::Wait(Interest::Write),
            false => TurnEnd::Close(CloseReason::WriteTimeout),
        })
    }

    fn refuse(&mut self, reject: Reject) -> Step {
        self.exchange().refuse(reject);
        Step::Go
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

    fn moment(&self) -> Moment {
        Moment::at(self.now.monotonic)
    }
}
