//! Why a connection ended.

use crate::h1::Reject;
use std::fmt;

/// Why a connection ended. Each connection has one reason, which the observer sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CloseReason {
    /// The client closed between two requests, or without sending a byte.
    PeerClosed,
    /// The client closed, or stopped sending, within a head or a body.
    PeerClosedEarly,
    /// The connection was reset, or failed in another way.
    Failed,
    /// The last response said `Connection: close`, because the client, the handler or a limit asked
    /// for it.
    Answered,
    /// The connection went on in another protocol after a 101, and that has ended.
    Upgraded,
    /// The message was refused.
    Rejected(Reject),
    /// No request came within [`Timeouts::keep_alive`](crate::Timeouts::keep_alive), or no byte
    /// within [`Timeouts::head`](crate::Timeouts::head) after the accept.
    IdleTimeout,
    /// The client took too long to read a response.
    WriteTimeout,
    /// The handler left more of the body unread than
    /// [`Limits::discard_bytes`](crate::Limits::discard_bytes).
    UnreadContent,
    /// The response body ended before its declared length: a file shrank, or a stream ended or
    /// failed. Or a [`writer`](crate::Response::writer) returned an error.
    ContentFailed,
    /// The handler panicked.
    Panicked,
    /// The server is at capacity: the slot, descriptor, memory or worker of this connection was
    /// needed for others.
    Overload,
    /// The server is shutting down.
    Shutdown,
}

impl fmt::Display for CloseReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            CloseReason::PeerClosed => "closed by the client",
            CloseReason::PeerClosedEarly => "closed by the client within a message",
            CloseReason::Failed => "connection lost",
            CloseReason::Answered => "closed behind the last answer",
            CloseReason::Upgraded => "the other protocol has ended",
            CloseReason::Rejected(reject) => {
                return write!(f, "message refused: {}", reject.sentence());
            }
            CloseReason::IdleTimeout => "idle for too long",
            CloseReason::WriteTimeout => "the client read too slowly",
            CloseReason::UnreadContent => "too much content left unread",
            CloseReason::ContentFailed => "the content ended early",
            CloseReason::Panicked => "the handler panicked",
            CloseReason::Overload => "the server is full",
            CloseReason::Shutdown => "the server is shutting down",
        })
    }
}
