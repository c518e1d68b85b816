//! One connection's turn, step by step: what its state asks for next, until it has to wait or ends.
//!
//! In: the phases of [`Connection`](crate::conn::Connection), each with the step that serves it. Out: who owns the
//! connection, what becomes of its socket (`worker`); what an answer says (`exchange`). Never: a wait.

use super::guest::Guest;
use super::output::{Broken, Progress, Tail, is_programs, transmit};
use super::station::Waits;
use super::worker::Worker;
use super::writer::write_content;
use crate::conn::{CloseReason, Expiry, Gathered, Moment, Phase, Received};
use crate::handler::Now;
use crate::limits::{BYTES_PER_TURN, REQUESTS_PER_TURN};
use crate::sys::Interest;
use std::io;
use std::time::Duration;

/// What is next for a connection in its turn.
#[derive(Debug)]
pub(super) enum Flow {
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
pub(super) enum Fate {
    Wait(Interest),
    Detach,
    Close(CloseReason),
}

/// Why a worker looks at a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    /// It is ready, or new.
    Event,
    /// Its deadline may be over.
    Deadline,
}

impl Worker {
    /// One connection's turn, from restoring its octets to saving them.
    pub(super) fn converse(&mut self, guest: &mut Guest, cause: Cause) -> Fate {
        let mut now = self.shared.now();
        guest.restore(&mut self.input, &mut self.output);
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
                Flow::Go => {
                    let may_take_long =
                        guest.conn.phase() == Phase::Gather || is_programs(guest.tail());
                    let flow = self.step(guest, &now);
                    if may_take_long {
                        // The program may have taken long, and the waits that begin behind it are the client's.
                        now = self.shared.now();
                    }
                    flow
                }
                Flow::Read => self.read(guest, Moment::at(now.monotonic)),
                Flow::Wait(Interest::Read) if cause == Cause::Event => {
                    match self.overdue(guest, &now) {
                        Some(flow) => flow,
                        None => break Fate::Wait(Interest::Read),
                    }
                }
                Flow::Wait(interest) => break Fate::Wait(interest),
                Flow::Detach => break Fate::Detach,
                Flow::Close(reason) => break Fate::Close(reason),
            };
        };
        guest.save(&mut self.input, &mut self.output);
        self.grew |= self.shared.count_parked(guest);
        if let Fate::Wait(interest) = fate {
            let (was_served, took) = (self.requests > 0, self.moved > 0);
            guest.waits(interest, was_served, took, Moment::at(now.monotonic));
            guest.deadline = match interest {
                Interest::Read => guest.conn.read_deadline(),
                Interest::Write => {
                    let moment = Moment::at(now.monotonic);
                    guest.conn.write_deadline(moment, &self.shared.rules)
                }
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
            Expiry::NotYet => Flow::Wait(guest.interest()),
            // The peer is not to blame for octets that are here and that no worker has come to read.
            _ if self.is_behind(guest) => Flow::Wait(Interest::Read),
            Expiry::Close(CloseReason::WriteTimeout) if guest.waits_to_write => {
                self.write_once_more(guest, moment)
            }
            Expiry::Close(reason) => Flow::Close(reason),
            Expiry::Refuse(reject) => self.refuse(guest, reject, now),
        }
    }

    /// Refuses a message of which everything that came has been read, and which is not whole although its time is over: the sweep
    /// leaves it to the worker while there is something to read, which could go on for ever.
    fn overdue(&mut self, guest: &mut Guest, now: &Now) -> Option<Flow> {
        let moment = Moment::at(now.monotonic);
        match guest.conn.expire(moment, false, guest.conn.read_deadline()) {
            Expiry::Refuse(reject) => Some(self.refuse(guest, reject, now)),
            Expiry::NotYet | Expiry::Close(_) => None,
        }
    }

    /// Whether octets of the peer's lie unread while every worker is at work.
    fn is_behind(&self, guest: &mut Guest) -> bool {
        matches!(
            guest.conn.phase(),
            Phase::Idle | Phase::Head | Phase::Gather | Phase::Drain
        ) && !guest.waits_to_write
            && self.shared.poller.waiting() == 0
            && matches!(guest.stream.wait(Interest::Read, Duration::ZERO), Ok(true))
    }

    /// Tries to write before a connection is closed for not being writable: a socket is reported so only when a third of its
    /// buffer is free (tcp(7), epoll(7) on EPOLLOUT), which can be more than a steady reader takes in the whole wait. No reader
    /// of the program's runs here.
    fn write_once_more(&mut self, guest: &mut Guest, now: Moment) -> Flow {
        let is_reader = |tail: &mut Tail| matches!(tail, Tail::Stream { .. });
        let kept = guest.kept.as_mut();
        let reader = kept.and_then(|kept| kept.tail.take_if(is_reader));
        let before = self.moved;
        let sent = self.hand_over(guest, now);
        if reader.is_some() {
            guest.kept().tail = reader;
        }
        let keeps_up = match sent {
            // Nothing was owed: with room in its socket, the connection waits for a worker and not for its client.
            Ok(Progress::Done) if self.moved == before => {
                matches!(guest.stream.wait(Interest::Write, Duration::ZERO), Ok(true))
            }
            Ok(Progress::Done) => true,
            // What was taken may have earned less than the time that is used up.
            Ok(Progress::Blocked | Progress::Yield) => {
                self.moved > before && guest.conn.write_deadline(now, &self.shared.rules) > now
            }
            Err(_) => false,
        };
        match keeps_up {
            true => Flow::Wait(Interest::Write),
            false => Flow::Close(CloseReason::WriteTimeout),
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
                self.exchange(guest, now)
            }
            Err(reject) => self.refuse(guest, reject, now),
        }
    }

    /// Sends content that is not in the output yet, and finishes the exchange.
    fn send(&mut self, guest: &mut Guest, now: &Now) -> Flow {
        let moment = Moment::at(now.monotonic);
        let mut is_long = false;
        if let Some(kept) = &mut guest.kept {
            kept.is_long |= kept.tail.is_some();
            is_long = kept.is_long;
            let is_unsent = kept.tail.is_some() || kept.record.is_some();
            // A tail that is gone may have left its last octets in the output.
            if is_unsent {
                match self.flush(guest, moment) {
                    Flow::Go => {}
                    flow => return flow,
                }
                if matches!(guest.tail(), Some(Tail::Writer { .. })) {
                    return self.run_writer(guest);
                }
                let record = guest.kept().record.take();
                if let (Some(record), Some(observer)) = (record, &self.shared.observer) {
                    observer.request(&self.shared.event(&record, guest, true));
                }
                if guest.tail().is_some() {
                    return Flow::Detach;
                }
            }
            guest.kept().is_long = false;
        }
        let in_doubt = is_long || !self.input.unread().is_empty();
        // Whatever follows, the phase says it, and the next step does it.
        guest.conn.finish(in_doubt, moment, &self.shared.rules);
        Flow::Go
    }

    /// The head of an answer has been sent, whose content a program writes: here, or on a thread of its own.
    fn run_writer(&mut self, guest: &mut Guest) -> Flow {
        match guest.take_tail() {
            Some(Tail::Writer {
                write,
                is_chunked,
                seat: None,
            }) => {
                let before = guest.sent;
                let (shared, output) = (&*self.shared, &mut self.output);
                let waits = Waits::new(shared, &self.station);
                let written = write_content(shared, guest, output, waits, write, is_chunked);
                self.station.progress();
                self.moved += guest.sent - before;
                // What is left of it lies in the output now.
                written.map_or_else(Flow::Close, |()| Flow::Go)
            }
            other => {
                guest.kept().tail = other;
                Flow::Detach
            }
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
        match self.hand_over(guest, now) {
            Ok(Progress::Done) => Flow::Go,
            Ok(Progress::Blocked | Progress::Yield) => Flow::Wait(Interest::Write),
            Err(Broken::Socket) => Flow::Close(CloseReason::Failed),
            Err(Broken::Content) => Flow::Close(CloseReason::ContentFailed),
        }
    }

    /// Gives the socket what it takes of the output and the tail, within the turn's share, and counts it.
    fn hand_over(&mut self, guest: &mut Guest, now: Moment) -> Result<Progress, Broken> {
        let before = self.moved;
        let mut none = None;
        let tail = guest.kept.as_mut().map_or(&mut none, |kept| &mut kept.tail);
        let progress = transmit(
            &mut self.output,
            tail,
            &mut guest.stream,
            BYTES_PER_TURN,
            &mut self.moved,
        );
        let sent = self.moved - before;
        guest.sent += sent;
        // With nothing left to send the client keeps nobody waiting, also if nothing had to be sent.
        if sent > 0 || matches!(progress, Ok(Progress::Done)) {
            guest.conn.wrote(now, sent, &self.shared.rules);
        }
        progress
    }

    /// Reads once, when there may be something to read.
    fn read(&mut self, guest: &mut Guest, now: Moment) -> Flow {
        match self.flush(guest, now) {
            Flow::Go => {}
            flow => return flow,
        }
        let last_look = guest.conn.phase() == Phase::Idle && self.shared.is_stopping();
        // Dry or not: a request that has arrived since the last read was sent to a server that had not begun to stop.
        if !self.input.is_dry() || last_look {
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
        if last_look {
            return Flow::Close(CloseReason::Shutdown);
        }
        Flow::Wait(Interest::Read)
    }
}
