//! A request, as a handler sees it.

use super::{Body, BodySource};
use crate::semantics::{Headers, Method, Target, Version};
use core::net::SocketAddr;
use std::fmt;
use std::time::{Duration, SystemTime};

/// The time at which a request's worker woke up, the only clock that a handler needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// Time since an origin that all servers of the process share; it never goes back.
    pub monotonic: Duration,
    /// The wall clock, which may be set forward and back.
    pub wall: SystemTime,
}

/// Whole milliseconds.
#[cfg(feature = "files")]
pub(crate) fn millis(time: Duration) -> u64 {
    time.as_millis() as u64
}

/// The parts of a request, which the server fills in.
#[derive(Debug)]
pub struct RequestParts<'a> {
    /// The method.
    pub method: Method,
    /// The target as received: visible ASCII bytes.
    pub target: &'a str,
    /// The target taken apart.
    pub parts: Target,
    /// The effective host, with its port if one was sent.
    pub host: Option<&'a str>,
    /// The version as which the request is served.
    pub version: Version,
    /// The field lines.
    pub headers: Headers<'a>,
    /// The other end of the connection; `None` for a Unix-domain socket.
    pub peer: Option<SocketAddr>,
    /// When the worker woke up.
    pub now: Now,
    /// See [`Request::blocking_share`].
    pub blocking_share: usize,
}

/// A request. Every `&'a str` that it returns lives as long as the request's bytes, so that
/// `path()` can be held while `body()` is read.
pub struct Request<'a> {
    parts: RequestParts<'a>,
    body: Body<'a>,
}

impl<'a> Request<'a> {
    pub(crate) fn new(parts: RequestParts<'a>, source: &'a mut dyn BodySource) -> Request<'a> {
        Request {
            parts,
            body: Body { source },
        }
    }

    /// The method (RFC 9110 §9).
    pub fn method(&self) -> Method {
        self.parts.method
    }

    /// The request target as received (RFC 9112 §3.2).
    pub fn target(&self) -> &'a str {
        self.parts.target
    }

    /// The path as received, not percent-decoded; `/` when an absolute target has none, `*` for
    /// `OPTIONS *`, and empty for CONNECT.
    pub fn path(&self) -> &'a str {
        self.parts.parts.path_of(self.parts.target)
    }

    /// The query as received, without its `?`; `None` when there is no `?`.
    pub fn query(&self) -> Option<&'a str> {
        self.parts.parts.query_of(self.parts.target)
    }

    /// The version as which the request is served.
    pub fn version(&self) -> Version {
        self.parts.version
    }

    /// The headers.
    pub fn headers(&self) -> Headers<'a> {
        self.parts.headers
    }

    /// The value of the first header with this name, in any case. `None` when there is none, or
    /// when it is not UTF-8: [`Headers::get`] returns the bytes.
    pub fn header(&self, name: &str) -> Option<&'a str> {
        std::str::from_utf8(self.parts.headers.get(name)?).ok()
    }

    /// The effective host, with its port if one was sent (RFC 9110 §7.2). `None` in an HTTP/1.0
    /// request without Host.
    pub fn host(&self) -> Option<&'a str> {
        self.parts.host
    }

    /// The address of the other end of the connection, such as a proxy's. `None` for a Unix-domain
    /// socket.
    pub fn peer_addr(&self) -> Option<SocketAddr> {
        self.parts.peer
    }

    /// The time at which the worker woke up for this request.
    pub fn now(&self) -> Now {
        self.parts.now
    }

    /// Whether the client has reset the connection, so that no response can reach it. A system
    /// call: for a handler that works for long, now and then.
    pub fn is_disconnected(&mut self) -> bool {
        self.body.source.is_disconnected()
    }

    /// The body (RFC 9110 §6.4). Its first read sends `100 Continue` to a client that waits for it.
    pub fn body(&mut self) -> &mut Body<'a> {
        &mut self.body
    }
}

// For a handler whose work grows with what it serves, or that waits for disks.
#[cfg_attr(not(feature = "files"), allow(dead_code))]
impl Request<'_> {
    /// The time on the clock of [`Now::monotonic`], read anew.
    pub(crate) fn monotonic(&self) -> Duration {
        self.body.source.monotonic()
    }

    /// How many workers may wait for one disk at a time.
    pub(crate) fn blocking_share(&self) -> usize {
        self.parts.blocking_share
    }
}

impl fmt::Debug for Request<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("method", &self.parts.method)
            .field("target", &self.parts.target)
            .field("headers", &self.parts.headers)
            .finish_non_exhaustive()
    }
}
