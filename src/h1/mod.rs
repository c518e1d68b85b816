//! How a message is written in bytes (RFC 9112): the incremental parser and the writer.
//!
//! In: request line, field lines, framing, chunked coding, persistence, response heads. Strict, one mode.
//! Out: what a message means, when bytes come, where they go. Never: IO, clocks, allocation while parsing.
//!
//! Parsers are one shape: bytes and a resume point in; a value and the bytes it used, or a new resume point, or a
//! [`Reject`]. The caller keeps the bytes and hands them in again, longer; what was validated once is not looked at
//! again until the head is complete.
//!
//! As a part of the API it is for those who have bytes and want the message in them: [`parse_head`], and [`chunked`] for content.
//! [`conn::Connection`](crate::conn::Connection) is made of both, and also knows what to answer and when to close: the heads of
//! answers are written there ([`respond`](crate::conn::Connection::respond)), where they agree with the request.
#![forbid(unsafe_code)]

pub mod chunked;
mod field_line;
pub(crate) mod framing;
mod head;
mod persistence;
mod reject;
mod request_line;
pub(crate) mod write;

pub use crate::semantics::{FieldTable, Span, Target, TargetForm};
pub use framing::Framing;
pub use head::{Expect, Head, Resume, parse_head};
pub use reject::Reject;

/// What a parser makes of the bytes so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parsed<T, R> {
    /// Complete: the value, and how many bytes it took.
    Done {
        /// What was parsed.
        value: T,
        /// Bytes from the start of the input that belong to it.
        used: usize,
    },
    /// Not complete: call again with the same bytes and more behind them.
    More {
        /// Where to go on.
        resume: R,
    },
}
