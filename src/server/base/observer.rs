//! The observer: logging and metrics of a program.

use crate::conn::CloseReason;
use crate::h1::Reject;
use crate::semantics::{Method, Status, Version};
use crate::server::base::overload::Overload;
use core::net::SocketAddr;
use std::io;
use std::time::{Duration, SystemTime};

/// Receives a server's events. Workers call it, so it must not block for long; a panic in it closes
/// the connection.
pub trait Observer: Send + Sync + 'static {
    /// A connection was accepted. `peer` is `None` for a Unix-domain socket.
    fn accepted(&self, peer: Option<SocketAddr>) {
        let _ = peer;
    }
    /// A connection ended.
    fn closed(&self, peer: Option<SocketAddr>, reason: CloseReason) {
        let _ = (peer, reason);
    }
    /// A response has ended: all of it is with the system or in the connection's output, or it was
    /// cut short.
    fn request(&self, event: &RequestEvent<'_>) {
        let _ = event;
    }
    /// A message was refused.
    fn rejected(&self, peer: Option<SocketAddr>, reject: Reject, status: Status) {
        let _ = (peer, reject, status);
    }
    /// The server is overloaded. Each kind of overload is reported at most once a minute.
    fn overload(&self, why: &Overload) {
        let _ = why;
    }
}

/// Ignores all events.
impl Observer for () {}

/// A request and its response, for a log.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct RequestEvent<'a> {
    /// The method.
    pub method: Method,
    /// The request target as received.
    pub target: &'a str,
    /// The version.
    pub version: Version,
    /// The response's status.
    pub status: Status,
    /// Bytes sent after the head: the body, and the framing of its chunks.
    pub bytes: u64,
    /// Whether the whole response was sent: false when the connection was lost or closed on the
    /// way.
    pub complete: bool,
    /// From the arrival of the request to the last byte of the response.
    pub duration: Duration,
    /// The part of it in which the request waited for a worker, because handlers held all of them,
    /// or for its turn. Zero if there was no such wait, or if nobody was there to see it begin: the
    /// server looks for events that wait every five milliseconds.
    pub waited: Duration,
    /// When the response was complete.
    pub time: SystemTime,
    /// The client's address.
    pub peer: Option<SocketAddr>,
    /// The reason that the handler gave with
    /// [`Response::with_log_reason`](crate::Response::with_log_reason).
    pub reason: Option<&'static str>,
    /// Why the body was cut short, if that was not the client's doing: the error of its reader or
    /// [`writer`](crate::Response::writer), or
    /// [`UnexpectedEof`](std::io::ErrorKind::UnexpectedEof) when it ended before its length.
    pub error: Option<&'a io::Error>,
}
