//! A response to be framed, as its parts.
//!
//! Only validated text gets in. `send` decides which framing fields are due; `h1::write` writes the
//! head.

use super::close_reason::CloseReason;
use crate::semantics::date::HttpDate;
use crate::semantics::upgrade::is_protocol;
use crate::semantics::{FieldError, FieldLines, Status};
use std::fmt;

/// A response to be framed: see [`Connection::respond`](super::Connection::respond). Nothing in it
/// can end a line of the head.
///
/// ```
/// use doorstep::conn::ResponsePlan;
/// use doorstep::{FieldLines, Status};
///
/// let mut lines = FieldLines::new();
/// lines.push("Content-Type", "text/plain")?;
/// let plan = ResponsePlan::new(Status::OK).fields(&lines).length(5);
/// # Ok::<(), doorstep::FieldError>(())
/// ```
#[derive(Clone, Copy, Debug)]
#[must_use = "a response does nothing unless a connection frames it"]
pub struct ResponsePlan<'a> {
    pub(crate) status: Status,
    pub(crate) fields: &'a FieldLines,
    pub(crate) date: Option<&'a HttpDate>,
    /// The value of the Server field, valid, unless the lines have one.
    pub(crate) server: Option<&'static str>,
    pub(crate) length: Option<u64>,
    pub(crate) close_after: Option<CloseReason>,
    /// The value of the Upgrade field: a protocol.
    pub(crate) upgrade: Option<&'a str>,
}

static NO_LINES: FieldLines = FieldLines::new();

impl<'a> ResponsePlan<'a> {
    /// A response without field lines and without a length, after which the connection may be kept.
    ///
    /// The status is a final one, or 101 with an [`upgrade`](ResponsePlan::upgrade).
    pub const fn new(status: Status) -> ResponsePlan<'a> {
        ResponsePlan {
            status,
            fields: &NO_LINES,
            date: None,
            server: None,
            length: None,
            close_after: None,
            upgrade: None,
        }
    }

    /// Adds these field lines after those that the connection writes.
    pub const fn fields(mut self, lines: &'a FieldLines) -> ResponsePlan<'a> {
        self.fields = lines;
        self
    }

    /// Adds a Date field, unless the lines have one. RFC 9110 §6.6.1: "An origin server with a
    /// clock … MUST generate a Date header field in all 2xx (Successful), 3xx (Redirection), and
    /// 4xx (Client Error) responses".
    pub const fn date(mut self, date: &'a HttpDate) -> ResponsePlan<'a> {
        self.date = Some(date);
        self
    }

    /// Sets the length of the body; for HEAD, of the body that GET would have had. A response
    /// without a length is sent as chunks, and to an HTTP/1.0 client until the connection closes.
    pub const fn length(mut self, bytes: u64) -> ResponsePlan<'a> {
        self.length = Some(bytes);
        self
    }

    /// Makes this the last response, for this reason, which [`Event::Close`](super::Event::Close)
    /// returns in the end; [`CloseReason::Answered`] when there is no better one.
    pub const fn close_after(mut self, reason: CloseReason) -> ResponsePlan<'a> {
        self.close_after = Some(reason);
        self
    }

    /// Adds the Upgrade field for this protocol, such as `websocket`, and its connection option
    /// (RFC 9110 §7.8). With 101 the protocol takes over after the response; the request must have
    /// [offered](super::offers_upgrade) it and its body must have been read. With any other status
    /// the field asks for the protocol.
    ///
    /// # Errors
    /// [`FieldError::Value`] when it is not `protocol-name ["/" protocol-version]`, both tokens.
    pub fn upgrade(mut self, protocol: &'a str) -> Result<ResponsePlan<'a>, FieldError> {
        if !is_protocol(protocol.as_bytes()) {
            return Err(FieldError::Value);
        }
        self.upgrade = Some(protocol);
        Ok(self)
    }
}

impl From<Status> for ResponsePlan<'_> {
    fn from(status: Status) -> Self {
        ResponsePlan::new(status)
    }
}

/// How the body follows the head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyFraming {
    /// No body: by the status, or because the request was HEAD.
    NoContent,
    /// Exactly n bytes. If there turn out to be fewer, only closing the connection can say so.
    Length(u64),
    /// Chunks, then the last chunk ([`h1::chunked`](crate::h1::chunked)).
    Chunked,
    /// All bytes until the connection closes.
    UntilClose,
}

/// Why a response cannot end a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PlanError {
    /// The status is an interim one, which precedes a final response and cannot replace it
    /// (RFC 9110 §15.2); or it is 101 and names no protocol.
    Interim,
    /// The status is 101, and a part of the request body is unread: it would be taken for the other
    /// protocol's bytes.
    UnreadContent,
    /// The status is 101, and the request was HTTP/1.0 or the connection is about to end.
    NoUpgrade,
}

impl PlanError {
    /// A sentence for the log.
    pub fn as_str(self) -> &'static str {
        match self {
            PlanError::Interim => "an interim status cannot be an answer",
            PlanError::UnreadContent => "an upgrade with content left unread",
            PlanError::NoUpgrade => "no other protocol can take over here",
        }
    }
}

impl fmt::Display for PlanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::error::Error for PlanError {}
