//! The head of a request: request line, field lines, the empty line.

use super::{Framing, Parsed, Reject};
use crate::limits::Limits;
use crate::semantics::{FieldTable, Headers, Method, Span, Target, Version};

/// A request's head, taken apart. Spans are relative to the first octet of the input (skipped empty line included).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// The method.
    pub method: Method,
    /// The version it is served as: HTTP/1.2 and later minor versions count as 1.1.
    pub version: Version,
    /// The target as it came.
    pub target: Span,
    /// The target taken apart; its spans are relative to `target`.
    pub parts: Target,
    /// The effective host (RFC 9110 §7.2): of an absolute target, else of the Host field; `None` in an HTTP/1.0 request without Host.
    pub host: Option<Span>,
    /// How the content is delimited.
    pub framing: Framing,
    /// Whether the client lets the connection live on after this exchange.
    pub keep_alive: bool,
    /// What the client expects before it sends content.
    pub expect: Expect,
}

/// The Expect field (RFC 9110 §10.1.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expect {
    /// Nothing, or HTTP/1.0.
    Nothing,
    /// `100-continue`.
    Continue,
}

/// Where parsing goes on when more octets have come. `Resume::default()` is the start of a head.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Resume {
    // offset of the first octet not yet validated, start of its line, what is expected there
}

/// Parses the head at the start of `input`; field lines go into `table`, which is cleared first.
///
/// The outcome does not depend on how the octets were split into calls. Each octet is validated once, and read once more
/// when a head that came in pieces is complete: at most twice in all.
pub fn parse_head(
    input: &[u8],
    resume: Resume,
    limits: &Limits,
    table: &mut FieldTable,
) -> Result<Parsed<Head, Resume>, Reject> {
    todo!()
}
