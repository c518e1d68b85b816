//! A connection as the server keeps it between two turns.

use super::output::Tail;
use super::standing::{Kind, Standing};
use crate::conn::{Connection, Moment, Phase, Rules};
use crate::handler::Payload;
use crate::semantics::{Method, Status, Version};
use crate::sys::{Interest, Stream};
use core::net::SocketAddr;
use std::time::Duration;

/// A connection: its socket, its state, and what did not fit through the socket yet. It owns no buffer while it is idle.
#[derive(Debug)]
pub struct Guest {
    /// The socket.
    pub stream: Stream,
    /// The other end.
    pub peer: Option<SocketAddr>,
    /// The state.
    pub conn: Connection,
    /// Octets that were read and belong to a message that is not complete.
    pub leftover: Vec<u8>,
    /// Octets of answers that the socket did not take.
    pub parked: Vec<u8>,
    /// Content that follows them.
    pub tail: Option<Tail>,
    /// The request that the tail answers, for the observer.
    pub record: Option<Box<Record>>,
    /// Whether the answer in progress is, or was, more than what shares the write of its head.
    pub is_long: bool,
    /// Octets that are counted as kept for it.
    pub counted: usize,
    /// What it waits for when nobody owns it.
    pub standing: Standing,
    /// Octets that the socket has taken so far, heads included.
    pub sent: u64,
    /// Whether the poller knows the socket.
    pub registered: bool,
    /// Whether it waits for the socket to take octets, rather than to give some.
    pub waits_to_write: bool,
    /// Whether the write side has been closed.
    pub write_closed: bool,
    /// When the present wait ends.
    pub deadline: Moment,
}

impl Guest {
    /// A connection that was accepted now.
    pub fn new(stream: Stream, peer: Option<SocketAddr>, now: Moment, rules: &Rules) -> Guest {
        Guest {
            stream,
            peer,
            conn: Connection::new(now, rules),
            leftover: Vec::new(),
            parked: Vec::new(),
            tail: None,
            record: None,
            is_long: false,
            counted: 0,
            standing: Standing::new(Kind::Idle, now),
            sent: 0,
            registered: false,
            waits_to_write: false,
            write_closed: false,
            deadline: Moment::NEVER,
        }
    }

    /// What its registration at the poller waits for.
    pub fn interest(&self) -> Interest {
        if self.waits_to_write {
            Interest::Write
        } else {
            Interest::Read
        }
    }

    /// Octets of memory that are kept for it between two turns, and that are its alone.
    pub fn octets_kept(&self) -> usize {
        let content = match &self.tail {
            Some(Tail::Memory {
                payload: Payload::Bytes(octets),
                ..
            }) => octets.capacity(),
            _ => 0,
        };
        self.leftover.capacity() + self.parked.capacity() + content
    }

    /// A turn has ended, and it waits for this. An idle connection that was served in the turn is so from now on.
    pub fn waits(&mut self, interest: Interest, was_served: bool, now: Moment) {
        let kind = match (self.counted, self.conn.phase(), interest) {
            (1.., _, _) => Kind::Parked,
            (0, Phase::Idle, Interest::Read) => Kind::Idle,
            _ => Kind::Busy,
        };
        if kind != self.standing.kind() || kind == Kind::Idle && was_served {
            self.standing = Standing::new(kind, now);
        }
    }

    /// Whether it waits for a request of which not an octet has arrived.
    pub fn is_silent(&mut self) -> bool {
        self.is_between_requests()
            && matches!(self.stream.wait(Interest::Read, Duration::ZERO), Ok(false))
    }

    /// Whether everything that was read of it has been answered, and taken by the system.
    pub fn is_between_requests(&self) -> bool {
        self.conn.phase() == Phase::Idle && !self.waits_to_write && self.leftover.is_empty()
    }

    /// Whether a request has arrived on it, in part at least, that has not been answered to its last octet.
    pub fn is_unfinished(&mut self) -> bool {
        match self.conn.phase() {
            Phase::Idle => !self.is_silent(),
            Phase::Drain | Phase::Linger | Phase::Closed => !self.parked.is_empty(),
            Phase::Head | Phase::Gather | Phase::Handle | Phase::Send => true,
        }
    }
}

/// A request whose answer is still on its way.
#[derive(Debug)]
pub struct Record {
    /// The method.
    pub method: Method,
    /// The target.
    pub target: String,
    /// The version.
    pub version: Version,
    /// The answer's status.
    pub status: Status,
    /// When its head was complete, on the monotonic clock.
    pub begun: Duration,
    /// Why the handler answered so.
    pub reason: Option<&'static str>,
    /// The connection's count of sent octets at which the content begins.
    pub content_from: u64,
}
