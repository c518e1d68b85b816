//! A response to be framed, as its parts.
//!
//! Only validated text gets in. Which of the fields that frame the response are due is decided in
//! `send`; the head is written by `h1::write`.

use super::close_reason::CloseReason;
use crate::semantics::date::HttpDate;
use crate::semantics::upgrade::is_protocol;
use crate::semantics::{FieldError, FieldLines, Status};
use std::fmt;

/// An answer to be framed: see [`Connection::respond`](super::Connection::respond). Nothing in it
/// can end a line of the head.
///
/// ```
/// use doorstep::conn::ResponsePlan;
/// use doorstep::{FieldLines, Status};
///
/// let mut lines = FieldLines::new();
/// lines.push("Content-Type", "text/plain")?;
/// let answer = ResponsePlan::new(Status::OK).fields(&lines).length(5);
/// # Ok::<(), doorstep::FieldError>(())
/// ```
#[derive(Clone, Copy, Debug)]
#[must_use = "an answer does nothing unless a connection frames it"]
pub struct ResponsePlan<'a> {
    pub(crate) status: Status,
    pub(crate) fields: &'a FieldLines,
    pub(crate) date: Option<&'a HttpDate>,
    /// The Server field's value, valid, unless the lines have one.
    pub(crate) server: Option<&'static str>,
    pub(crate) length: Option<u64>,
    pub(crate) close_after: Option<CloseReason>,
    /// The Upgrade field's value: a protocol.
    pub(crate) upgrade: Option<&'a str>,
}

static NO_LINES: FieldLines = FieldLines::new();

impl<'a> ResponsePlan<'a> {
    /// An answer without field lines and without a length, behind which the connection may live on.
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

    /// With these field lines, behind those that the connection writes.
    pub const fn fields(mut self, lines: &'a FieldLines) -> ResponsePlan<'a> {
        self.fields = lines;
        self
    }

    /// With a Date field, unless the lines have one. RFC 9110 §6.6.1: "An origin server with a
    /// clock … MUST generate a Date header field in all 2xx (Successful), 3xx (Redirection), and
    /// 4xx (Client Error) responses".
    pub const fn date(mut self, date: &'a HttpDate) -> ResponsePlan<'a> {
        self.date = Some(date);
        self
    }

    /// With content of so many bytes; of an answer to HEAD, the content that GET would have had. An
    /// answer without a length is sent as chunks, and to an HTTP/1.0 client until the connection
    /// closes.
    pub const fn length(mut self, bytes: u64) -> ResponsePlan<'a> {
        self.length = Some(bytes);
        self
    }

    /// No answer follows this one, for this reason, which [`Event::Close`](super::Event::Close)
    /// tells in the end; [`CloseReason::Answered`] when there is no better one.
    pub const fn close_after(mut self, reason: CloseReason) -> ResponsePlan<'a> {
        self.close_after = Some(reason);
        self
    }

    /// With the Upgrade field for this protocol, such as `websocket`, and its connection option
    /// (RFC 9110 §7.8): with 101 the one that takes over behind the answer, for a request that
    /// [offers](super::offers_upgrade) it and whose content has been read to its end; with any
    /// other status, one that is asked for.
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
    /// [`ResponsePlan::new`].
    fn from(status: Status) -> Self {
        ResponsePlan::new(status)
    }
}

/// What content follows the head that was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyFraming {
    /// No content: by the status, or because the request was HEAD.
    NoContent,
    /// Exactly so many bytes. When there turn out to be fewer, nothing but closing the connection
    /// says so.
    Length(u64),
    /// Chunks, then the last chunk ([`h1::chunked`](crate::h1::chunked)).
    Chunked,
    /// Bytes until the connection closes.
    UntilClose,
}

/// Why a response cannot end a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PlanError {
    /// Its status is an interim one, which precedes a final response and cannot take its place
    /// (RFC 9110 §15.2); or it is 101 and names no protocol.
    Interim,
    /// It is 101, and the request's body has not been read to its end: what is left of it would be
    /// taken for the other protocol's.
    UnreadContent,
    /// It is 101, and the request was an HTTP/1.0 one, or the connection is about to end.
    NoUpgrade,
}

impl PlanError {
    /// In words, for a log.
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
