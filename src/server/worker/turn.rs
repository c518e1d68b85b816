//! One connection's turn, step by step: what its state asks for next, until it has to wait or ends.
//!
//! In: the phases of [`Connection`](crate::conn::Connection), each with the step that serves it. Out: who owns the
//! connection, what becomes of its socket (`worker`); what an answer says (`exchange`). Never: a wait.

use crate::conn::{CloseReason, Expiry, Moment, Phase, Prefetched, Received};
use crate::handler::Now;
use crate::limits::{BYTES_PER_TURN, REQUESTS_PER_TURN};
use crate::server::client::Client;
use crate::server::client::output::{Broken, PendingBody, Progress, is_programs, transmit};
use crate::server::exchange::body_writer::write_content;
use crate::server::exchange::peer_wait::PeerWait;
use crate::server::worker::Worker;
use crate::sys::Interest;
use std::io;
use std::time::Duration;

/// What is next for a connection in its turn.
#[derive(Debug)]
pub(crate) enum Step {
    /// Another step.
    Go,
    /// More octets are needed.
    Read,
    /// It is to wait.
    Wait(Interest),
    /// A thread of its own goes on with it.
    Detach,
    /// It is to end.
    Close(CloseReason),
}

/// How a turn ended.
pub(crate) enum TurnEnd {
    Wait(Interest),
    Detach,
    Close(CloseReason),
}

/// Why a worker looks at a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trigger {
    /// It is ready, or new.
    Event,
    /// Its deadline may be over.
    Deadline,
}

impl Worker {
    /// One connection's turn, from restoring its octets to saving them.
    pub(crate) fn drive(&mut self, client: &mut Client, trigger: Trigger) -> TurnEnd {
        let mut now = self.shared.now();
        client.restore(&mut self.input, &mut self.output);
        self.head = None;
        self.requests = 0;
        self.moved = 0;
        let mut step = match trigger {
            Trigger::Event => Step::Go,
            Trigger::Deadline => self.on_deadline(client, &now),
        };
        // Each step consumes input, moves output, changes the phase, or ends the turn.
        let end = loop {
            step = match step {
                Step::Go => {
                    let may_take_long =
                        client.conn.phase() == Phase::Prefetch || is_programs(client.body());
                    let step = self.step(client, &now);
                    if may_take_long {
                        // The program may have taken long, and the waits that begin behind it are the client's.
                        now = self.shared.now();
                    }
                    step
                }
                Step::Read => self.read(client, Moment::at(now.monotonic)),
                Step::Wait(Interest::Read) if trigger == Trigger::Event => {
                    match self.head_deadline_passed(client, &now) {
                        Some(step) => step,
                        None => break TurnEnd::Wait(Interest::Read),
                    }
                }
                Step::Wait(interest) => break TurnEnd::Wait(interest),
                Step::Detach => break TurnEnd::Detach,
                Step::Close(reason) => break TurnEnd::Close(reason),
            };
        };
        client.save(&mut self.input, &mut self.output);
        self.grew |= self.shared.budget.count(client);
        if let TurnEnd::Wait(interest) = end {
            let (was_served, took) = (self.requests > 0, self.moved > 0);
            client.waits(interest, was_served, took, Moment::at(now.monotonic));
            client.deadline = match interest {
                Interest::Read => client.conn.read_deadline(),
                Interest::Write => {
                    let moment = Moment::at(now.monotonic);
                    client.conn.write_deadline(moment, &self.shared.config)
                }
            };
        }
        end
    }

    /// What the time means for a connection.
    fn on_deadline(&mut self, client: &mut Client, now: &Now) -> Step {
        let moment = Moment::at(now.monotonic);
        match client
            .conn
            .expire(moment, client.waits_to_write, client.deadline)
        {
            Expiry::NotYet => Step::Wait(client.interest()),
            // The peer is not to blame for octets that are here and that no worker has come to read.
            _ if self.server_is_behind(client) => Step::Wait(Interest::Read),
            Expiry::Close(CloseReason::WriteTimeout) if client.waits_to_write => {
                self.write_once_more(client, moment)
            }
            Expiry::Close(reason) => Step::Close(reason),
            Expiry::Refuse(reject) => self.refuse(client, reject, now),
        }
    }

    /// Refuses a message of which everything that came has been read, and which is not whole although its time is over: the sweep
    /// leaves it to the worker while there is something to read, which could go on for ever.
    fn head_deadline_passed(&mut self, client: &mut Client, now: &Now) -> Option<Step> {
        let moment = Moment::at(now.monotonic);
        match client
            .conn
            .expire(moment, false, client.conn.read_deadline())
        {
            Expiry::Refuse(reject) => Some(self.refuse(client, reject, now)),
            Expiry::NotYet | Expiry::Close(_) => None,
        }
    }

    /// Whether octets of the peer's lie unread while every worker is at work.
    fn server_is_behind(&self, client: &mut Client) -> bool {
        matches!(
            client.conn.phase(),
            Phase::Idle | Phase::Head | Phase::Prefetch | Phase::Discard
        ) && !client.waits_to_write
            && self.shared.poller.waiting() == 0
            && matches!(client.stream.wait(Interest::Read, Duration::ZERO), Ok(true))
    }

    /// Tries to write before a connection is closed for not being writable: a socket is reported so only when a third of its
    /// buffer is free (tcp(7), epoll(7) on EPOLLOUT), which can be more than a steady reader takes in the whole wait. No reader
    /// of the program's runs here.
    fn write_once_more(&mut self, client: &mut Client, now: Moment) -> Step {
        let is_reader = |body: &mut PendingBody| matches!(body, PendingBody::Stream { .. });
        let pending = client.pending.as_mut();
        let reader = pending.and_then(|pending| pending.body.take_if(is_reader));
        let before = self.moved;
        let sent = self.send_pending(client, now);
        if reader.is_some() {
            client.pending().body = reader;
        }
        let keeps_up = match sent {
            // Nothing was owed: with room in its socket, the connection waits for a worker and not for its client.
            Ok(Progress::Done) if self.moved == before => {
                matches!(
                    client.stream.wait(Interest::Write, Duration::ZERO),
                    Ok(true)
                )
            }
            Ok(Progress::Done) => true,
            // What was taken may have earned less than the time that is used up.
            Ok(Progress::Blocked | Progress::Yield) => {
                self.moved > before && client.conn.write_deadline(now, &self.shared.config) > now
            }
            Err(_) => false,
        };
        match keeps_up {
            true => Step::Wait(Interest::Write),
            false => Step::Close(CloseReason::WriteTimeout),
        }
    }

    /// The next step of a conversation, by its phase.
    fn step(&mut self, client: &mut Client, now: &Now) -> Step {
        let moment = Moment::at(now.monotonic);
        match client.conn.phase() {
            Phase::Idle | Phase::Head => self.receive(client, now),
            Phase::Prefetch => self.prefetch(client, now),
            // A handler's turn never ends in this phase; a panic in it is dealt with outside.
            Phase::Handle => Step::Close(CloseReason::Panicked),
            Phase::Send => self.send(client, now),
            Phase::Discard => {
                let used = client
                    .conn
                    .discard(self.input.unread(), moment, &self.shared.config);
                self.input.consume(used);
                if client.conn.phase() == Phase::Discard {
                    Step::Read
                } else {
                    Step::Go
                }
            }
            Phase::Linger => self.linger(client, moment),
            Phase::Closed => match self.flush(client, moment) {
                Step::Go => {
                    Step::Close(client.conn.close_reason().unwrap_or(CloseReason::Answered))
                }
                step => step,
            },
        }
    }

    /// Looks for the next request.
    fn receive(&mut self, client: &mut Client, now: &Now) -> Step {
        let moment = Moment::at(now.monotonic);
        let waiting = !self.input.unread().is_empty();
        let share_is_used = self.requests >= REQUESTS_PER_TURN || self.moved >= BYTES_PER_TURN;
        if waiting
            && (share_is_used
                || self.output.unsent().len() >= self.shared.config.limits.write_buffer_bytes)
        {
            match self.flush(client, moment) {
                // The kernel knows nothing of the octets that are here already: an event for writing, which follows at
                // once, brings this connection back behind the others that are ready.
                Step::Go if share_is_used => return Step::Wait(Interest::Write),
                Step::Go => {}
                step => return step,
            }
        }
        let received = client.conn.receive(
            self.input.unread(),
            &mut self.table,
            moment,
            &self.shared.config,
        );
        match received {
            Ok(Received::More) => Step::Read,
            Ok(Received::Head { head, used }) => {
                self.head = Some((head, used));
                Step::Go
            }
            Err(reject) => self.refuse(client, reject, now),
        }
    }

    /// PeerWait for content that is short enough, then has the request answered.
    fn prefetch(&mut self, client: &mut Client, now: &Now) -> Step {
        let moment = Moment::at(now.monotonic);
        match client
            .conn
            .prefetch(self.input.unread(), moment, &self.shared.config)
        {
            Ok(Prefetched::More) => Step::Read,
            Ok(Prefetched::Ready) => {
                self.requests += 1;
                self.exchange(client, now)
            }
            Err(reject) => self.refuse(client, reject, now),
        }
    }

    /// Sends content that is not in the output yet, and finishes the exchange.
    fn send(&mut self, client: &mut Client, now: &Now) -> Step {
        let moment = Moment::at(now.monotonic);
        let mut is_long = false;
        if let Some(pending) = &mut client.pending {
            pending.is_long |= pending.body.is_some();
            is_long = pending.is_long;
            let is_unsent = pending.body.is_some() || pending.record.is_some();
            // A tail that is gone may have left its last octets in the output.
            if is_unsent {
                match self.flush(client, moment) {
                    Step::Go => {}
                    step => return step,
                }
                if matches!(client.body(), Some(PendingBody::Writer { .. })) {
                    return self.run_writer(client);
                }
                let record = client.pending().record.take();
                if let (Some(record), Some(observer)) = (record, &self.shared.observer) {
                    observer.request(&self.shared.event(&record, client, true));
                }
                if client.body().is_some() {
                    return Step::Detach;
                }
            }
            client.pending().is_long = false;
        }
        let in_doubt = is_long || !self.input.unread().is_empty();
        // Whatever follows, the phase says it, and the next step does it.
        client.conn.finish(in_doubt, moment, &self.shared.config);
        Step::Go
    }

    /// The head of an answer has been sent, whose content a program writes: here, or on a thread of its own.
    fn run_writer(&mut self, client: &mut Client) -> Step {
        match client.take_body() {
            Some(PendingBody::Writer {
                write,
                is_chunked,
                permit: None,
            }) => {
                let before = client.sent;
                let (shared, output) = (&*self.shared, &mut self.output);
                let waits = PeerWait::new(shared, &self.heartbeat);
                let written = write_content(shared, client, output, waits, write, is_chunked);
                self.heartbeat.progress();
                self.moved += client.sent - before;
                // What is left of it lies in the output now.
                written.map_or_else(Step::Close, |()| Step::Go)
            }
            other => {
                client.pending().body = other;
                Step::Detach
            }
        }
    }

    /// The last answer is framed: sends what is left of it, closes the write side, and drops what still comes.
    fn linger(&mut self, client: &mut Client, now: Moment) -> Step {
        match self.flush(client, now) {
            Step::Go => {}
            step => return step,
        }
        self.moved += self.input.unread().len() as u64;
        self.input.clear();
        if !client.write_closed {
            client.write_closed = true;
            client.conn.last_octet_sent(now, &self.shared.config);
            // ENOTCONN: the peer has reset the connection already; the read that follows finds that out.
            let _ = client.stream.shutdown_write();
        }
        // A peer that sends as fast as this drops would keep the turn going for ever, and the sweep would seldom find its
        // connection idle: so a turn drops only its share, and looks at the deadline itself.
        match client.conn.expire(now, false, client.conn.read_deadline()) {
            Expiry::Close(reason) => Step::Close(reason),
            _ if self.moved < BYTES_PER_TURN => Step::Read,
            _ => Step::Wait(Interest::Read),
        }
    }

    /// Sends what there is. `Go` when everything is with the system.
    fn flush(&mut self, client: &mut Client, now: Moment) -> Step {
        match self.send_pending(client, now) {
            Ok(Progress::Done) => Step::Go,
            Ok(Progress::Blocked | Progress::Yield) => Step::Wait(Interest::Write),
            Err(Broken::Socket) => Step::Close(CloseReason::Failed),
            Err(Broken::Content) => Step::Close(CloseReason::ContentFailed),
        }
    }

    /// Gives the socket what it takes of the output and the tail, within the turn's share, and counts it.
    fn send_pending(&mut self, client: &mut Client, now: Moment) -> Result<Progress, Broken> {
        let before = self.moved;
        let mut none = None;
        let body = client
            .pending
            .as_mut()
            .map_or(&mut none, |pending| &mut pending.body);
        let progress = transmit(
            &mut self.output,
            body,
            &mut client.stream,
            BYTES_PER_TURN,
            &mut self.moved,
        );
        let sent = self.moved - before;
        client.sent += sent;
        // With nothing left to send the client keeps nobody waiting, also if nothing had to be sent.
        if sent > 0 || matches!(progress, Ok(Progress::Done)) {
            client.conn.wrote(now, sent, &self.shared.config);
        }
        progress
    }

    /// Reads once, when there may be something to read.
    fn read(&mut self, client: &mut Client, now: Moment) -> Step {
        match self.flush(client, now) {
            Step::Go => {}
            step => return step,
        }
        let last_look = client.conn.phase() == Phase::Idle && self.shared.is_stopping();
        // Dry or not: a request that has arrived since the last read was sent to a server that had not begun to stop.
        if !self.input.is_dry() || last_look {
            match self.input.fill(&mut client.stream) {
                Ok(0) => {
                    let reason = client.conn.peer_closed().unwrap_or(CloseReason::PeerClosed);
                    return Step::Close(reason);
                }
                Ok(_) => return Step::Go,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(_) => return Step::Close(CloseReason::Failed),
            }
        }
        if last_look {
            return Step::Close(CloseReason::Shutdown);
        }
        Step::Wait(Interest::Read)
    }
}
