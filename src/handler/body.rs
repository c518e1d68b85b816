//! A request's body, read by the handler.

use super::{IntoResponse, Response};
use crate::limits::PREFETCH_BYTES;
use crate::semantics::Status;
use std::fmt;
use std::io::{self, BufRead, Read};
use std::time::Duration;

/// Where a body comes from: the connection in a server, a slice in a test.
pub trait BodySource {
    /// The length that the client declared; `None` for chunked content.
    fn content_length(&self) -> Option<u64>;

    /// The most that [`Body::collect`] takes.
    fn collect_limit(&self) -> usize;

    /// The next bytes, at least one; none at the end of the body. May wait for the client.
    fn fill(&mut self) -> io::Result<&[u8]>;

    /// Marks the first `count` bytes of the last [`fill`](BodySource::fill) as read.
    fn consume(&mut self, count: usize);

    /// Whether it is known that no response can reach the client.
    fn is_disconnected(&mut self) -> bool;

    /// The time since the origin of [`Now::monotonic`](super::Now::monotonic), read anew.
    fn monotonic(&self) -> Duration;

    /// Counts the memory that the collected part of the body takes. Fails when there is not enough
    /// for all requests.
    fn hold(&mut self, bytes: usize) -> io::Result<()>;
}

/// A request body: `Read` and `BufRead`.
///
/// A read may block its worker until the client sends more, within
/// [`Timeouts::body`](crate::Timeouts::body). When the body is malformed, the read fails with
/// [`io::ErrorKind::InvalidData`] and the client gets the status for that error, whatever the
/// handler returns.
pub struct Body<'a> {
    pub(super) source: &'a mut dyn BodySource,
}

impl Body<'_> {
    /// The length that the client declared; `None` for a chunked body.
    pub fn content_length(&self) -> Option<u64> {
        self.source.content_length()
    }

    /// Reads the rest of the body, up to [`Limits::body_bytes`](crate::Limits::body_bytes).
    ///
    /// # Errors
    /// [`BodyError::TooLarge`] when there is more, [`BodyError::Io`] when the client stops, resets
    /// or sends a malformed body, or when the collected bodies of all requests take too much memory
    /// (see [`Limits::parked_bytes`](crate::Limits::parked_bytes)).
    pub fn collect(&mut self) -> Result<Vec<u8>, BodyError> {
        self.collect_up_to(self.source.collect_limit())
    }

    /// Reads the rest of the body, up to `limit` bytes. Memory grows with what arrives, not with
    /// what the client declares.
    ///
    /// # Errors
    /// As [`collect`](Body::collect).
    pub fn collect_up_to(&mut self, limit: usize) -> Result<Vec<u8>, BodyError> {
        let declared = self.content_length();
        if declared.is_some_and(|length| length > limit as u64) {
            return Err(BodyError::TooLarge);
        }
        // It is at most the limit, and fits.
        let most = declared.map_or(limit, |length| length as usize);
        let mut all = Vec::new();
        // As much is awaited before a handler is called, in the buffer of a worker.
        let mut counted = PREFETCH_BYTES;
        loop {
            let bytes = self.source.fill().map_err(BodyError::Io)?;
            if bytes.is_empty() {
                return Ok(all);
            }
            if bytes.len() > limit - all.len() {
                return Err(BodyError::TooLarge);
            }
            let count = bytes.len();
            if count > all.capacity() - all.len() {
                let room = (2 * all.capacity()).clamp(all.len() + count, most);
                all.reserve_exact(room - all.len());
            }
            all.extend_from_slice(bytes);
            self.source.consume(count);
            if all.capacity() > counted {
                counted = all.capacity();
                self.source.hold(counted).map_err(BodyError::Io)?;
            }
        }
    }
}

impl Read for Body<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        let bytes = self.source.fill()?;
        let count = bytes.len().min(buffer.len());
        buffer[..count].copy_from_slice(&bytes[..count]);
        self.source.consume(count);
        Ok(count)
    }
}

impl BufRead for Body<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.source.fill()
    }
    fn consume(&mut self, count: usize) {
        self.source.consume(count);
    }
}

impl fmt::Debug for Body<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Body")
            .field("content_length", &self.content_length())
            .finish_non_exhaustive()
    }
}

/// Why a body was not collected.
#[derive(Debug)]
#[non_exhaustive]
pub enum BodyError {
    /// The body is larger than the limit.
    TooLarge,
    /// The client stopped sending, went away, or sent a malformed body.
    Io(io::Error),
}

impl fmt::Display for BodyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BodyError::TooLarge => f.write_str("the content is larger than the limit"),
            BodyError::Io(error) => write!(f, "the content could not be read: {error}"),
        }
    }
}

impl std::error::Error for BodyError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            BodyError::TooLarge => None,
            BodyError::Io(error) => Some(error),
        }
    }
}

impl From<BodyError> for io::Error {
    fn from(error: BodyError) -> io::Error {
        match error {
            BodyError::TooLarge => io::Error::other(error),
            BodyError::Io(error) => error,
        }
    }
}

/// 413 for a body that is too large (RFC 9110 §15.5.14), which is the last response, else 400.
impl IntoResponse for BodyError {
    fn into_response(self) -> Response {
        match self {
            // RFC 9110 §15.5.14: "the server MAY close the connection". The rest of a chunked body
            // may have any length: a client that may go on could find the connection closed after
            // its next request.
            BodyError::TooLarge => Response::status_page(Status::CONTENT_TOO_LARGE).close(),
            BodyError::Io(_) => Response::status_page(Status::BAD_REQUEST),
        }
    }
}
