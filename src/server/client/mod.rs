//! A connection as the server keeps it between two turns.

pub mod input;
pub mod output;
pub mod ownership;
pub mod slots;
pub mod wait_state;

use crate::conn::{Config, Connection, Moment, Phase};
use crate::handler::Payload;
use crate::semantics::{Method, Status, Version};
use crate::server::client::input::Input;
use crate::server::client::output::{Output, PendingBody};
use crate::server::client::wait_state::{WaitKind, WaitState};
use crate::sys::{Interest, Stream};
use core::net::SocketAddr;
use std::mem;
use std::time::Duration;

/// A connection: its socket, its state, and what is kept for it. It owns no buffer while it is idle.
#[derive(Debug)]
pub struct Client {
    /// The socket.
    pub stream: Stream,
    /// The other end.
    pub peer: Option<SocketAddr>,
    /// The state.
    pub conn: Connection,
    /// What is kept for it, if there is anything.
    pub pending: Option<Box<Pending>>,
    /// What it waits for when nobody owns it.
    pub wait_state: WaitState,
    /// HeldBytes that the socket has taken so far, heads included.
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

impl Client {
    /// A connection that was accepted now.
    pub fn new(stream: Stream, peer: Option<SocketAddr>, now: Moment, config: &Config) -> Client {
        Client {
            stream,
            peer,
            conn: Connection::new(now, config),
            pending: None,
            wait_state: WaitState::new(WaitKind::Idle, now),
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

    /// What is kept for it, to add to that.
    pub fn pending(&mut self) -> &mut Pending {
        self.pending.get_or_insert_default()
    }

    /// Content that follows the framed octets.
    pub fn body(&self) -> Option<&PendingBody> {
        self.pending.as_ref()?.body.as_ref()
    }

    /// The same, taken away.
    pub fn take_body(&mut self) -> Option<PendingBody> {
        self.pending.as_mut()?.body.take()
    }

    /// Starts a turn with what was kept.
    pub fn restore(&mut self, input: &mut Input, output: &mut Output) {
        // Most have nothing, and an empty vector costs nothing.
        let (mut unread, mut unsent) = (Vec::new(), Vec::new());
        if let Some(pending) = &mut self.pending {
            (unread, unsent) = (
                mem::take(&mut pending.unread),
                mem::take(&mut pending.unsent),
            );
        }
        input.restore(&mut unread);
        output.restore(&mut unsent);
    }

    /// Ends a turn: what is unread or unsent is kept.
    pub fn save(&mut self, input: &mut Input, output: &mut Output) {
        if !input.unread().is_empty() {
            input.save(&mut self.pending().unread);
        }
        if !output.is_empty() {
            output.save(&mut self.pending().unsent);
        }
        input.clear();
        output.clear();
    }

    /// HeldBytes of memory that are kept for it between two turns, and that are its alone: those that were counted before, and those
    /// that are counted from now on.
    pub fn count(&mut self) -> (HeldBytes, HeldBytes) {
        let Some(pending) = &mut self.pending else {
            return Default::default();
        };
        let octets = pending.octets();
        let before = mem::replace(&mut pending.counted, octets);
        // The memory goes as well: what a connection needed once it seldom needs in its next turn.
        self.pending.take_if(|pending| pending.is_empty());
        (before, octets)
    }

    /// HeldBytes that are counted as kept for it.
    pub fn counted(&self) -> HeldBytes {
        self.pending
            .as_ref()
            .map_or(HeldBytes::default(), |pending| pending.counted)
    }

    fn has_unread(&self) -> bool {
        let unread = self.pending.as_ref().map(|pending| &pending.unread);
        unread.is_some_and(|unread| !unread.is_empty())
    }

    fn has_unsent(&self) -> bool {
        let unsent = self.pending.as_ref().map(|pending| &pending.unsent);
        unsent.is_some_and(|unsent| !unsent.is_empty())
    }

    /// A turn has ended, and it waits for this. An idle connection that was served in the turn is so from now on, and one whose
    /// client took octets in it waits anew with the rest of them.
    pub fn waits(&mut self, interest: Interest, was_served: bool, took: bool, now: Moment) {
        let kind = match (self.counted(), self.conn.phase(), interest) {
            (HeldBytes { made: 1.., .. }, _, _) => WaitKind::OwnsBody,
            (HeldBytes { parked: 1.., .. }, _, _) => WaitKind::Buffered,
            (_, Phase::Idle, Interest::Read) => WaitKind::Idle,
            _ => WaitKind::Busy,
        };
        let anew = match kind {
            WaitKind::Idle => was_served,
            WaitKind::OwnsBody => took,
            WaitKind::Buffered | WaitKind::Busy => false,
        };
        if anew || kind != self.wait_state.kind() {
            self.wait_state = WaitState::new(kind, now);
        }
    }

    /// Whether it waits for a request of which not an octet has arrived.
    pub fn is_silent(&mut self) -> bool {
        self.is_between_requests()
            && matches!(self.stream.wait(Interest::Read, Duration::ZERO), Ok(false))
    }

    /// Whether everything that was read of it has been answered, and taken by the system.
    pub fn is_between_requests(&self) -> bool {
        self.conn.phase() == Phase::Idle && !self.waits_to_write && !self.has_unread()
    }

    /// Whether a request has arrived on it, in part at least, that has not been answered to its last octet.
    pub fn is_unfinished(&mut self) -> bool {
        match self.conn.phase() {
            Phase::Idle => !self.is_silent(),
            Phase::Discard | Phase::Linger | Phase::Closed => self.has_unsent(),
            Phase::Head | Phase::Prefetch | Phase::Handle | Phase::Send => true,
        }
    }
}

/// An idle connection of ten thousand is to cost little. Beside its state it has its socket, its peer's address, and what the sweep
/// and the scans read; all that only a busy one has, or one that waits with something, lies in [`Pending`].
#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
const _: () = assert!(size_of::<Client>() <= size_of::<Connection>() + 96);

/// What is kept for a connection that is busy, or that waits with something. An idle one has none of it.
#[derive(Debug, Default)]
pub struct Pending {
    /// HeldBytes that were read and belong to a message that is not complete.
    pub unread: Vec<u8>,
    /// HeldBytes of answers that the socket did not take.
    pub unsent: Vec<u8>,
    /// Content that follows them.
    pub body: Option<PendingBody>,
    /// The request that the tail answers, for the observer.
    pub record: Option<Record>,
    /// Whether the answer in progress is, or was, more than what shares the write of its head.
    pub is_long: bool,
    /// HeldBytes of memory that are counted as kept.
    counted: HeldBytes,
}

/// HeldBytes of memory that are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HeldBytes {
    /// By the server: input that is not a whole message, and output that the client has not taken.
    pub parked: usize,
    /// By the program: content that it made for one answer, which stays as a whole until its last octet is sent.
    pub made: usize,
}

impl Pending {
    fn octets(&self) -> HeldBytes {
        let made = match &self.body {
            Some(PendingBody::Memory {
                payload: Payload::Bytes(octets),
                ..
            }) => octets.capacity(),
            _ => 0,
        };
        let parked = self.unread.capacity() + self.unsent.capacity();
        HeldBytes { parked, made }
    }

    fn is_empty(&self) -> bool {
        self.counted == HeldBytes::default()
            && !self.is_long
            && self.body.is_none()
            && self.record.is_none()
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
