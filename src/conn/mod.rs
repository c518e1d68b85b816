//! One connection's life, without a socket and without a clock.
//!
//! In: which octets are a head, content, or surplus; what may be written now; how long to wait for it; why it ends.
//! Out: buffers, files, threads. Never: IO; a clock (the time is an argument); a byte parsed after a refusal.
//!
//! ```text
//!   accept ──▶ Idle ──octet──▶ Head ──complete──▶ Prefetch ──here──▶ Handle ──answer──▶ Send
//!               ▲ │             │                   │                │                  │
//!               │ │             └─────refused───────┴────────────────┘                  │
//!               │ │                        │                                            │
//!               │ └──deadline, FIN──▶ Closed ◀──deadline, FIN── Linger ◀──last answer───┤
//!               │                                                                       │
//!               └──────────────── Discard ◀────────── content left unread ────────────────┤
//!               └────────────────────────────────── all read ───────────────────────────┘
//! ```
//!
//! The rules, which no other file changes:
//! - A request is begun only when the answer before it has been framed to its end; answers so go out in order.
//! - Content belongs to its request: what a handler leaves unread is dropped in Discard or ends the connection.
//! - After a 101 nothing is parsed: the octets behind it are another protocol's.
//! - After a refusal nothing is parsed: the answer, then Linger (so that the peer reads it instead of a reset), then Closed.
//! - Every phase in which the peer is waited for has a deadline; Handle has one only while content is waited for.
//!
//! # The loop
//!
//! Whoever owns a stream asks [`Connection::next_event`] what is next, does it, and asks again. The loop keeps the octets: those
//! that have come (`input`) and those that are to go (`out`).
//!
//! | event | what the loop does |
//! |---|---|
//! | [`Read`](Event::Read) | sends `out`; reads behind `input`, or waits until [`read_deadline`](Connection::read_deadline); at the stream's end, [`input_ended`](Connection::input_ended) |
//! | [`Head`](Event::Head) | reads what it needs of the head, takes it off `input` |
//! | [`Content`](Event::Content) | uses the data, takes the octets off `input` |
//! | [`Respond`](Event::Respond), [`Refuse`](Event::Refuse) | [`respond`](Connection::respond) or [`respond_full`](Connection::respond_full), for which the head is enough |
//! | [`Send`](Event::Send) | appends what is left of the content, as its [`BodyFraming`] says; then [`finish`](Connection::finish) |
//! | [`Close`](Event::Close) | sends `out` and closes |
//!
//! Time: the loop tells of each write that moved octets ([`wrote`](Connection::wrote)), and while the stream takes none, waits
//! until [`write_deadline`](Connection::write_deadline) at most. Memory: a loop that sends at `Read` holds the answers to what
//! one read brought; where answers are long, it sends earlier.
//!
//! Octets of the peer's never cause a panic. An answer and `finish` out of their turn are a mistake of the program: with debug
//! assertions they panic, and without them they change nothing. Everything else may be called at any time.
//!
//! `examples/any_stream.rs` is such a loop. Methods that the documentation does not list are the engine's, and outside semver.
#![forbid(unsafe_code)]

mod close_reason;
mod deadline;
mod event;
pub mod proxy;
mod receive;
mod response_plan;
mod send;

pub use crate::semantics::upgrade::offers as offers_upgrade;
pub use close_reason::CloseReason;
#[doc(hidden)]
pub use deadline::Expiry;
pub use deadline::Moment;
pub use event::Event;
#[doc(hidden)]
pub use receive::{Prefetched, Received};
pub use response_plan::ResponsePlan;
pub use send::{BodyFraming, Finished};

use crate::h1;
use crate::limits::{Limits, Timeouts};
use crate::semantics::Version;
use deadline::MinRate;

/// Limits and timeouts: the same for all connections of a server, so that no connection carries a copy.
///
/// ```
/// use doorstep::conn::Config;
/// use std::time::Duration;
///
/// let mut rules = Config::default();
/// rules.limits.head_bytes = 4 * 1024;
/// rules.timeouts.keep_alive = Duration::from_secs(5);
/// ```
///
/// A connection obeys those of messages and of single connections (`head_bytes`, `headers`, `target_bytes`, `chunk_line_bytes`,
/// `trailer_bytes`, `drain`, `requests_per_connection`; all timeouts but `shutdown`). The others are for whoever owns the
/// connections.
#[derive(Clone, Debug, Default)]
pub struct Config {
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
    /// The head is complete; content, or the beginning of it, is awaited before the handler is called. Only the engine's
    /// connections: [`next_event`](Connection::next_event) gives content as it comes.
    Prefetch,
    /// The handler runs, or, in a loop of one's own, the request's content is taken and an answer is due.
    Handle,
    /// An answer is framed; its octets are on their way.
    Send,
    /// The answer is out; content that nobody read is dropped.
    Discard,
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
    Prefetch(receive::Prefetch),
    Handle,
    Send,
    /// Octets of unread content dropped so far.
    Discard(u32),
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

/// The state of one connection. Small (80 octets): it holds no octets of the peer's, and what one phase alone knows shares its
/// place with what the others know.
///
/// ```
/// use doorstep::conn::{Connection, Event, Moment, Config};
/// use doorstep::h1::FieldTable;
/// use doorstep::{CloseReason, Status};
///
/// let (rules, now, mut table) = (Config::default(), Moment(0), FieldTable::default());
/// let mut conn = Connection::new(now, &rules);
/// let mut input = b"GET /tea HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".to_vec();
/// let (mut out, mut status) = (Vec::new(), Status::NOT_FOUND);
/// let reason = loop {
///     match conn.next_event(&input, &mut table, now, &rules, &mut out) {
///         Event::Head { head, used } => {
///             if head.path(&input) == "/tea" {
///                 status = Status::OK;
///             }
///             input.drain(..used);
///         }
///         Event::Content { used, .. } => drop(input.drain(..used)),
///         Event::Respond => {
///             conn.respond_full(status, b"Earl Grey", &rules, &mut out);
///         }
///         Event::Refuse(reject) => {
///             conn.respond_full(reject.status(), b"", &rules, &mut out);
///         }
///         Event::Send => {
///             conn.finish(!input.is_empty(), now, &rules);
///         }
///         // Here a loop sends `out`, and reads.
///         Event::Read => conn.input_ended(),
///         Event::Close(reason) => break reason,
///     }
/// };
/// assert_eq!(reason, CloseReason::Answered);
/// assert_eq!(out, b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 9\r\n\r\nEarl Grey");
/// ```
#[derive(Clone, Debug)]
pub struct Connection {
    stage: Stage,
    content: Content,
    /// The deadline of the present phase's reading side.
    deadline: Moment,
    reading: MinRate,
    writing: MinRate,
    /// Requests whose head was complete.
    requests: u32,
    version: Version,
    is_head: bool,
    is_connect: bool,
    /// The present exchange lets the connection live on, as far as is known.
    keep_alive: bool,
    /// The client waits for `100 Continue`, which has not been sent.
    continue_due: bool,
    /// Nothing comes behind what is here, as far as the loop has said so.
    input_ended: bool,
    /// No answer follows the present one, for this reason.
    close_reason: Option<CloseReason>,
}

impl Connection {
    /// A connection that was accepted now: the first head has [`Timeouts::head`] from here on.
    pub fn new(now: Moment, config: &Config) -> Connection {
        Connection {
            stage: Stage::Idle,
            content: Content::Done,
            deadline: now.after(config.timeouts.head),
            reading: MinRate::NEW,
            writing: MinRate::NEW,
            requests: 0,
            version: Version::Http11,
            is_head: false,
            is_connect: false,
            keep_alive: true,
            continue_due: false,
            input_ended: false,
            close_reason: None,
        }
    }

    /// Where it is in its life.
    pub fn phase(&self) -> Phase {
        match self.stage {
            Stage::Idle => Phase::Idle,
            Stage::Head(_) => Phase::Head,
            Stage::Prefetch(_) => Phase::Prefetch,
            Stage::Handle => Phase::Handle,
            Stage::Send => Phase::Send,
            Stage::Discard(_) => Phase::Discard,
            Stage::Linger => Phase::Linger,
            Stage::Closed => Phase::Closed,
        }
    }

    /// Requests begun on it so far: those whose head was complete and valid.
    pub fn requests(&self) -> u32 {
        self.requests
    }

    /// The peer has closed its side and all it sent has been read: what that means here. `None` when the
    /// answer in progress still goes out (a half-close is no abort).
    #[doc(hidden)]
    pub fn peer_closed(&mut self) -> Option<CloseReason> {
        match self.phase() {
            Phase::Idle => Some(self.close_reason.unwrap_or(CloseReason::PeerClosed)),
            Phase::Head | Phase::Prefetch | Phase::Discard => Some(CloseReason::PeerClosedEarly),
            Phase::Linger | Phase::Closed => {
                Some(self.close_reason.unwrap_or(CloseReason::Answered))
            }
            Phase::Handle | Phase::Send => None,
        }
    }
}
