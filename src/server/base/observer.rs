//! What a program may watch: logging and metrics are observers.

use crate::conn::CloseReason;
use crate::h1::Reject;
use crate::semantics::{Method, Status, Version};
use core::net::SocketAddr;
use std::time::{Duration, SystemTime};

/// Watches the server. Called on the workers, so it must not block for long; a panic in it closes the connection.
pub trait Observer: Send + Sync + 'static {
    /// A connection was accepted. `None` as the peer is a Unix-domain socket.
    fn accepted(&self, peer: Option<SocketAddr>) {
        let _ = peer;
    }
    /// A connection ended.
    fn closed(&self, peer: Option<SocketAddr>, reason: CloseReason) {
        let _ = (peer, reason);
    }
    /// A request was answered: its answer is in the connection's output as a whole, or was handed to the system, or was cut
    /// on the way.
    fn request(&self, event: &RequestEvent<'_>) {
        let _ = event;
    }
    /// A message was refused.
    fn rejected(&self, peer: Option<SocketAddr>, reject: Reject, status: Status) {
        let _ = (peer, reject, status);
    }
    /// The server has no room: a connection was closed for another's sake, or turned away, or waits for a descriptor, or a thread
    /// could not be started. Each of these at most once a minute.
    fn overload(&self, why: &str) {
        let _ = why;
    }
}

/// No observer.
impl Observer for () {}

/// One answered request.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct RequestEvent<'a> {
    /// The method.
    pub method: Method,
    /// The request target as it came.
    pub target: &'a str,
    /// The version.
    pub version: Version,
    /// The status of the answer.
    pub status: Status,
    /// Octets sent behind the head: the content, and the framing of its chunks.
    pub bytes: u64,
    /// Whether that was all of it: false when the connection was lost, or cut, on the way.
    pub complete: bool,
    /// From the head's last octet to the answer's.
    pub duration: Duration,
    /// When the answer was complete.
    pub time: SystemTime,
    /// The other end.
    pub peer: Option<SocketAddr>,
    /// Why the handler answered so, if it said.
    pub reason: Option<&'static str>,
}
