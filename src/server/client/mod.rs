//! One connection at rest: its socket, its protocol state, and the bytes that wait with it.
//!
//! Neither policy nor threads: `slots` decides who may touch a connection, the layers above what
//! happens to it.

pub mod access_record;
pub mod input;
pub mod output;
pub mod ownership;
pub mod pending;
pub mod slots;
pub mod wait_state;

use crate::conn::{Config, Connection, Moment, Phase};
use crate::server::client::input::Input;
use crate::server::client::output::Output;
use crate::server::client::pending::{GateWait, HeldBytes, Pending};
use crate::server::client::wait_state::{WaitKind, WaitState};
use crate::sys::{Interest, Stream};
use core::net::SocketAddr;
use std::io;
use std::mem;
use std::time::Duration;

/// How long a shutdown waits for a request that may be on its way: the first one of a connection
/// from its accept on, the next one of a connection in use from the beginning of the shutdown on.
/// The client may have sent it before it could know of the shutdown, and a proxy takes a connection
/// that ends then for a failure.
pub const REQUEST_WITHIN: Duration = Duration::from_millis(500);

/// A connection is in use when its last response is younger than this as a shutdown begins.
pub const IN_USE_FOR: Duration = Duration::from_secs(1);

/// A connection. It owns no buffer while it is idle.
#[derive(Debug)]
pub struct Client {
    pub stream: Stream,
    pub peer: Option<SocketAddr>,
    pub conn: Connection,
    /// `None` while nothing waits with it.
    pub pending: Option<Box<Pending>>,
    /// What it waits for when nobody owns it.
    pub wait_state: WaitState,
    /// Bytes that the socket has taken so far, heads included.
    pub sent: u64,
    /// Whether the poller knows the socket.
    pub registered: bool,
    /// Whether it waits for the socket to take bytes, rather than to give some.
    pub waits_to_write: bool,
    pub write_closed: bool,
    pub deadline: Moment,
}

impl Client {
    pub fn new(stream: Stream, peer: Option<SocketAddr>, now: Moment, config: &Config) -> Client {
        Client {
            stream,
            peer,
            conn: Connection::new(now, config),
            pending: None,
            wait_state: WaitState::new(WaitKind::Idle, now, 0),
            sent: 0,
            registered: false,
            waits_to_write: false,
            write_closed: false,
            deadline: Moment::NEVER,
        }
    }

    pub fn interest(&self) -> Interest {
        match self.waits_to_write {
            true => Interest::Write,
            false => Interest::Read,
        }
    }

    /// Its [`Pending`], created if need be.
    pub fn pending(&mut self) -> &mut Pending {
        self.pending.get_or_insert_default()
    }

    /// Whether the program takes over the connection once the framed bytes are sent.
    pub fn has_takeover(&self) -> bool {
        matches!(&self.pending, Some(pending) if pending.takeover.is_some())
    }

    /// The request whose head has just come waits for room in a gate.
    pub fn queue(&mut self, wait: Box<GateWait>) {
        self.conn.postpone();
        self.pending().queue = Some(wait);
    }

    /// Whether it waits for room in a gate.
    pub fn is_queued(&self) -> bool {
        matches!(&self.pending, Some(pending) if pending.queue.is_some())
    }

    /// Whether going on with it may block: see [`Pending::may_block`].
    pub fn may_block(&self) -> bool {
        matches!(&self.pending, Some(pending) if pending.may_block())
    }

    /// Whether only a worker may go on with it: see [`Pending::needs_worker`].
    pub fn needs_worker(&self) -> bool {
        matches!(&self.pending, Some(pending) if pending.needs_worker())
    }

    /// Keeps for the observer why the body of the response in progress failed.
    pub fn body_failed(&mut self, error: io::Error) {
        if let Some(record) = self.pending.as_mut().and_then(|one| one.access.as_mut()) {
            record.error = Some(error);
        }
    }

    /// Starts a turn with the bytes that waited.
    pub fn restore(&mut self, input: &mut Input, output: &mut Output) {
        // Most have none, and an empty vector costs nothing.
        let (mut unread, mut unsent) = (Vec::new(), Vec::new());
        if let Some(pending) = &mut self.pending {
            unread = mem::take(&mut pending.unread);
            unsent = mem::take(&mut pending.unsent);
        }
        input.restore(&mut unread);
        output.restore(&mut unsent);
    }

    /// Ends a turn: the unread and unsent bytes go back to the connection.
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

    /// The memory that it held when it was last counted, and the memory that it holds now.
    pub fn count(&mut self) -> (HeldBytes, HeldBytes) {
        let Some(pending) = &mut self.pending else {
            return Default::default();
        };
        if pending.is_empty() {
            // The box goes as well: what a connection needed once it seldom needs in its next turn.
            let before = pending.counted;
            self.pending = None;
            return (before, HeldBytes::default());
        }
        let held = pending.held();
        (mem::replace(&mut pending.counted, held), held)
    }

    /// The memory that it held when it was last counted.
    pub fn counted(&self) -> HeldBytes {
        let counted = self.pending.as_ref().map(|pending| pending.counted);
        counted.unwrap_or_default()
    }

    fn has_unread(&self) -> bool {
        matches!(&self.pending, Some(pending) if !pending.unread.is_empty())
    }

    fn has_unsent(&self) -> bool {
        matches!(&self.pending, Some(pending) if !pending.unsent.is_empty())
    }

    /// Ends a turn that waits for `interest`, with `held` bytes of memory. An idle connection that
    /// was served in the turn is idle from now on; one whose client took bytes in it waits anew
    /// with the rest of them.
    pub fn waits(
        &mut self,
        interest: Interest,
        held: usize,
        was_served: bool,
        took: bool,
        now: Moment,
    ) {
        let kind = match (held, self.conn.phase(), interest) {
            (1.., Phase::Head | Phase::Prefetch, Interest::Read) => WaitKind::HalfRequest,
            (1.., _, _) => WaitKind::Holds,
            (0, Phase::Idle, Interest::Read) => WaitKind::Idle,
            _ => WaitKind::Busy,
        };
        let anew = match kind {
            WaitKind::Idle | WaitKind::HalfRequest => was_served,
            WaitKind::Holds => took,
            WaitKind::Busy => false,
        };
        let is_same = kind == self.wait_state.kind() && !anew;
        let since = if is_same {
            self.wait_state.since()
        } else {
            now
        };
        self.wait_state = WaitState::new(kind, since, held);
    }

    /// Whether it waits for a request of which not a byte has arrived.
    pub fn is_silent(&mut self) -> bool {
        self.is_between_requests() && !self.has_arrived()
    }

    /// Whether a shutdown that began at `stopped` still waits for its next request.
    pub fn is_awaited(&self, stopped: Moment, now: Moment) -> bool {
        let since = self.wait_state.since();
        let from = match self.conn.requests() {
            0 => since,
            _ if stopped < since.after(IN_USE_FOR) => stopped,
            _ => return false,
        };
        now < from.after(REQUEST_WITHIN)
    }

    /// Whether there is something to read: bytes, the end, or a failure.
    pub fn has_arrived(&mut self) -> bool {
        !matches!(self.stream.wait(Interest::Read, Duration::ZERO), Ok(false))
    }

    /// Whether every request that was read has its response, and all responses are with the system.
    pub fn is_between_requests(&self) -> bool {
        self.conn.phase() == Phase::Idle && !self.waits_to_write && !self.has_unread()
    }

    /// Whether a request has arrived, in part at least, whose response is not sent to its last
    /// byte.
    pub fn is_unfinished(&mut self) -> bool {
        match self.conn.phase() {
            Phase::Idle => !self.is_silent(),
            Phase::Discard | Phase::Linger | Phase::Closed => self.has_unsent(),
            Phase::Head | Phase::Prefetch | Phase::Handle | Phase::Send => true,
        }
    }
}

/// One idle connection of ten thousand must cost little: beside its state it has its socket, its
/// peer's address, and what the sweep and the scans read. Everything that only a busy one needs
/// lies in [`Pending`].
#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
const _: () = assert!(size_of::<Client>() <= size_of::<Connection>() + 96);
