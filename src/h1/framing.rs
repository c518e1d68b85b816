//! Where a request's content ends (RFC 9112 §6).

use super::Reject;
use crate::semantics::{Headers, Version};

/// How a request's content is delimited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /** No content. */
    None,
    /** Content-Length, at least 1... or 0 too */
    Length(u64),
    /** Chunked transfer coding. */
    Chunked,
}

/// The ladder of RFC 9112 §6.3 for a request.
pub fn request_framing(version: Version, headers: Headers<'_>) -> Result<Framing, Reject> {
    todo!()
}
