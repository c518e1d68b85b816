//! The state of one connection, and its phase.

use super::close_reason::CloseReason;
use super::config::Config;
use super::min_rate::MinRate;
use super::moment::Moment;
use crate::h1;
use crate::semantics::Version;

/// Where a connection is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Between requests; no byte of the next one is here.
    Idle,
    /// Some bytes of a head are here.
    Head,
    /// The head is complete; the body, or the beginning of it, is awaited before
    /// [`Event::Head`](super::Event::Head) (see
    /// [`Config::prefetch_bytes`](super::Config::prefetch_bytes)).
    Prefetch,
    /// The request body is being taken, and a response is due.
    Handle,
    /// A response is framed; its bytes are on their way.
    Send,
    /// The response is out; the unread body is being discarded.
    Discard,
    /// The last response is out and the write side closed; input is discarded.
    Linger,
    /// Over.
    Closed,
}

/// The phase, with the data that only this phase needs.
#[derive(Clone, Copy, Debug)]
pub(super) enum Stage {
    Idle,
    /// Where parsing the head goes on.
    Head(h1::Resume),
    Prefetch(Prefetch),
    Handle,
    Send,
    Discard(u32),
    Linger,
    Closed,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Prefetch {
    /// Bytes of the head, before the content.
    pub(super) head: u32,
    /// Bytes after the head that have counted as progress: fewer than are awaited.
    pub(super) here: u16,
    /// Bytes of chunked content in which the decoder has looked for the end.
    pub(super) seen: u16,
}

/// The unread part of the current request body.
#[derive(Clone, Copy, Debug)]
pub(super) enum Content {
    Done,
    Length(u64),
    Chunked(h1::chunked::Decoder),
}

/// The state of one connection. Small (80 bytes): it holds none of the peer's bytes, and the data
/// of all phases shares one place.
///
/// ```
/// use doorstep::conn::{Config, Connection, Event, Moment};
/// use doorstep::h1::FieldTable;
/// use doorstep::{CloseReason, Status};
///
/// let (config, now, mut table) = (Config::default(), Moment(0), FieldTable::default());
/// let mut conn = Connection::new(now, &config);
/// let mut input = b"GET /tea HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".to_vec();
/// let (mut out, mut status) = (Vec::new(), Status::NOT_FOUND);
/// let reason = loop {
///     match conn.next_event(&input, &mut table, now, &config, &mut out) {
///         Event::Head { head, used } => {
///             if head.path(&input) == "/tea" {
///                 status = Status::OK;
///             }
///             input.drain(..used);
///         }
///         Event::Content { used, .. } => drop(input.drain(..used)),
///         Event::Respond => {
///             conn.respond_full(status, b"Earl Grey", &config, &mut out);
///         }
///         Event::Refuse(reject) => {
///             conn.respond_full(reject.status(), b"", &config, &mut out);
///         }
///         Event::Send => {
///             conn.finish(!input.is_empty(), now, &config);
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
    pub(super) stage: Stage,
    pub(super) content: Content,
    /// The deadline for the peer's next bytes, or of the current phase.
    pub(super) deadline: Moment,
    pub(super) reading: MinRate,
    pub(super) writing: MinRate,
    pub(super) requests: u32,
    pub(super) version: Version,
    pub(super) is_head: bool,
    pub(super) is_connect: bool,
    /// Whether the connection is kept after the current exchange, as far as is known.
    pub(super) keep_alive: bool,
    /// The client waits for `100 Continue`, which has not been sent.
    pub(super) continue_due: bool,
    /// The loop has said that no more bytes come.
    pub(super) input_ended: bool,
    /// Why no response follows the current one.
    pub(super) close_reason: Option<CloseReason>,
}

impl Connection {
    /// A connection that was accepted now: the time for the first head
    /// ([`Timeouts::head`](crate::Timeouts::head)) begins.
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

    /// The current phase.
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

    /// The request whose head has just come is handled later: its head comes again from the same
    /// bytes, and so does the part of its body that has come with it.
    pub(crate) fn postpone(&mut self) {
        self.stage = Stage::Head(h1::Resume::START);
        self.requests = self.requests.saturating_sub(1);
    }

    /// Requests begun so far: those with a complete and valid head.
    pub fn requests(&self) -> u32 {
        self.requests
    }

    /// Why the connection ends, once that is known: with the last response, or with
    /// [`Event::Close`](super::Event::Close).
    pub fn close_reason(&self) -> Option<CloseReason> {
        self.close_reason
    }

    /// The same for a connection whose last response has been framed.
    pub(super) fn last_reason(&self) -> CloseReason {
        self.close_reason.unwrap_or(CloseReason::Answered)
    }

    /// The length of the unread part of the current request body: 0 at its end; `None` for a
    /// chunked body before its end.
    pub fn content_left(&self) -> Option<u64> {
        match &self.content {
            Content::Done => Some(0),
            Content::Length(left) => Some(*left),
            Content::Chunked(decoder) => decoder.is_done().then_some(0),
        }
    }
}
