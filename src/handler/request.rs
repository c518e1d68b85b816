//! A request, as a handler sees it.

use super::{Body, BodySource};
use crate::semantics::{Headers, Method, Target, Version};
use core::net::SocketAddr;
use std::fmt;
use std::time::{Duration, SystemTime};

/// The time at which a request's worker woke up, the only clock that a handler needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// Since an origin that all servers of the process share; never goes back.
    pub monotonic: Duration,
    /// The wall clock, which may be set forth and back.
    pub wall: SystemTime,
}

/// What a request is made of. The server fills it in; see [`Request::test`] for tests.
#[derive(Debug)]
pub struct RequestParts<'a> {
    /// The method.
    pub method: Method,
    /// The target as it came: visible ASCII bytes.
    pub target: &'a str,
    /// The target taken apart.
    pub parts: Target,
    /// The effective host, with its port if one was sent.
    pub host: Option<&'a str>,
    /// The version that the request is served as.
    pub version: Version,
    /// Its field lines.
    pub headers: Headers<'a>,
    /// The other end of the connection; `None` for a Unix-domain socket.
    pub peer: Option<SocketAddr>,
    /// When the worker woke up.
    pub now: Now,
}

/// A request. Everything it hands out as `&'a str` lives as long as the request's bytes, so that
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

    /// The request target as it came (RFC 9112 §3.2).
    pub fn target(&self) -> &'a str {
        self.parts.target
    }

    /// The path as it came, not percent-decoded; `/` when an absolute target has none, `*` for
    /// `OPTIONS *`, and empty for CONNECT.
    pub fn path(&self) -> &'a str {
        self.parts.parts.path_of(self.parts.target)
    }

    /// The query as it came, without its `?`; `None` when there is no `?`.
    pub fn query(&self) -> Option<&'a str> {
        self.parts.parts.query_of(self.parts.target)
    }

    /// The version that the request is served as.
    pub fn version(&self) -> Version {
        self.parts.version
    }

    /// The field lines.
    pub fn headers(&self) -> Headers<'a> {
        self.parts.headers
    }

    /// The value of the first field line with this name, without regard to case. `None` when there
    /// is none, or when it is not UTF-8: [`Headers::get`] has the bytes.
    pub fn header(&self, name: &str) -> Option<&'a str> {
        std::str::from_utf8(self.parts.headers.get(name)?).ok()
    }

    /// The effective host, with its port if one was sent (RFC 9110 §7.2). `None` in an HTTP/1.0
    /// request without Host.
    pub fn host(&self) -> Option<&'a str> {
        self.parts.host
    }

    /// The address of the other end of the connection: a proxy's, if there is one between. `None`
    /// for a Unix-domain socket.
    pub fn peer_addr(&self) -> Option<SocketAddr> {
        self.parts.peer
    }

    /// The time at which the worker woke up for this request.
    pub fn now(&self) -> Now {
        self.parts.now
    }

    /// The content (RFC 9110 §6.4). Its first read sends `100 Continue` to a client that waits for
    /// it.
    pub fn body(&mut self) -> &mut Body<'a> {
        &mut self.body
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
