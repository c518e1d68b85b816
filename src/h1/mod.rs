//! HTTP/1.1 messages as bytes (RFC 9112): the incremental parser and the writer. Strict, one mode.
//!
//! All parsers have one shape: they take bytes and a resume point, and return a value and the
//! number of bytes it took, or a new resume point, or a [`Reject`]. The caller keeps the bytes and
//! passes them again with more after them; what was validated is not read again until the head is
//! complete. Parsing does no IO and allocates nothing.
//!
//! In the API this is for programs that have bytes and want the message in them: [`parse_head`],
//! and [`chunked`] for content. [`conn::Connection`](crate::conn::Connection) is made of both, and
//! also knows how to respond and when to close. The heads of responses are written there
//! ([`respond`](crate::conn::Connection::respond)), where they agree with the request.
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

/// The result of parsing the bytes so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parsed<T, R> {
    /// Complete: the value, and how many bytes it took.
    Done {
        /// The parsed value.
        value: T,
        /// Bytes from the start of the input that belong to it.
        used: usize,
    },
    /// Not complete: call again with the same bytes and more after them.
    More {
        /// Where to go on.
        resume: R,
    },
}
