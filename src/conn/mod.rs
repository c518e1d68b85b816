//! One connection's life, without a socket and without a clock.
//!
//! In: which octets are a head, content, or surplus; what may be written now; how long to wait for it; why it ends.
//! Out: buffers, files, threads. Never: IO; a clock (the time is an argument); a byte parsed after a refusal.
//!
//! ```text
//!   accept ──▶ Idle ──octet──▶ Head ──complete──▶ Gather ──here──▶ Handle ──answer──▶ Send
//!               ▲ │             │                   │                │                  │
//!               │ │             └─────refused───────┴────────────────┘                  │
//!               │ │                        │                                            │
//!               │ └──deadline, FIN──▶ Closed ◀──deadline, FIN── Linger ◀──last answer───┤
//!               │                                                                       │
//!               └──────────────── Drain ◀────────── content left unread ────────────────┤
//!               └────────────────────────────────── all read ───────────────────────────┘
//! ```
//!
//! The rules, which no other file changes:
//! - A request is begun only when the answer before it has been framed to its end; answers so go out in order.
//! - Content belongs to its request: what a handler leaves unread is dropped in Drain or ends the connection.
//! - After a 101 nothing is parsed: the octets behind it are another protocol's.
//! - After a refusal nothing is parsed: the answer, then Linger (so that the peer reads it instead of a reset), then Closed.
//! - Every phase in which the peer is waited for has a deadline; Handle alone has none: it is the program's.
#![forbid(unsafe_code)]

mod close_reason;
mod deadline;
mod receive;
mod send;

pub use close_reason::CloseReason;
pub use deadline::{Expiry, Moment};
pub use receive::{Gathered, Received};
pub use send::{Answer, Delivery, Finished};

use crate::h1;
use crate::limits::{Limits, Timeouts};
use crate::semantics::Version;
use deadline::Patience;

/// Limits and timeouts: the same for all connections of a server, so that no connection carries a copy.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    /// How much.
    pub limits: Limits,
    /// How long.
    pub timeouts: Timeouts,
}

/// Where a connection is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Between requests; no octet of the next one is here.
    Idle,
    /// Some octets of a head are here.
    Head,
    /// The head is complete; content, or the beginning of it, is awaited before the handler is called.
    Gather,
    /// The handler runs.
    Handle,
    /// An answer is framed; its octets are on their way.
    Send,
    /// The answer is out; content that nobody read is dropped.
    Drain,
    /// The last answer is out and the write side closed; whatever still comes is dropped.
    Linger,
    /// Over.
    Closed,
}

/// The phase, and what is known in it and in no other.
#[derive(Clone, Copy, Debug)]
enum Stage {
    Idle,
    /// Where the head goes on.
    Head(h1::Resume),
    Gather(receive::Gather),
    Handle,
    Send,
    /// Octets of unread content dropped so far.
    Drain(u32),
    Linger,
    Closed,
}

/// How the content of the present request goes on.
#[derive(Clone, Copy, Debug)]
enum Content {
    /// All of it has been read.
    Done,
    /// So many octets are left.
    Length(u64),
    /// Chunked.
    Chunked(h1::chunked::Decoder),
}

/// The state of one connection. Small: it holds no octets of the peer's, and what one phase alone knows shares its place with
/// what the others know.
#[derive(Clone, Debug)]
pub struct Connection {
    stage: Stage,
    content: Content,
    /// The deadline of the present phase's reading side.
    deadline: Moment,
    reading: Patience,
    writing: Patience,
    /// Requests whose head was complete.
    requests: u32,
    version: Version,
    is_head: bool,
    is_connect: bool,
    /// The present exchange lets the connection live on, as far as is known.
    keep_alive: bool,
    /// The client waits for `100 Continue`, which has not been sent.
    continue_due: bool,
    /// No answer follows the present one, for this reason.
    last: Option<CloseReason>,
}

impl Connection {
    /// A connection that was accepted now.
    pub fn new(now: Moment, rules: &Rules) -> Connection {
        Connection {
            stage: Stage::Idle,
            content: Content::Done,
            deadline: now.after(rules.timeouts.head),
            reading: Patience::NEW,
            writing: Patience::NEW,
            requests: 0,
            version: Version::Http11,
            is_head: false,
            is_connect: false,
            keep_alive: true,
            continue_due: false,
            last: None,
        }
    }

    /// Where it is in its life.
    pub fn phase(&self) -> Phase {
        match self.stage {
            Stage::Idle => Phase::Idle,
            Stage::Head(_) => Phase::Head,
            Stage::Gather(_) => Phase::Gather,
            Stage::Handle => Phase::Handle,
            Stage::Send => Phase::Send,
            Stage::Drain(_) => Phase::Drain,
            Stage::Linger => Phase::Linger,
            Stage::Closed => Phase::Closed,
        }
    }

    /// Requests begun on it so far.
    pub fn requests(&self) -> u32 {
        self.requests
    }

    /// The peer has closed its side and all it sent has been read: what that means here. `None` when the
    /// answer in progress still goes out (a half-close is no abort).
    pub fn peer_closed(&mut self) -> Option<CloseReason> {
        match self.phase() {
            Phase::Idle => Some(self.last.unwrap_or(CloseReason::PeerClosed)),
            Phase::Head | Phase::Gather | Phase::Drain => Some(CloseReason::PeerClosedEarly),
            Phase::Linger | Phase::Closed => Some(self.last.unwrap_or(CloseReason::Answered)),
            Phase::Handle | Phase::Send => None,
        }
    }
}
