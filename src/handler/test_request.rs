//! Requests for tests of handlers, without a socket or a thread.

use super::{BodySource, Handler, Now, Request, RequestParts, Response};
use crate::limits::Limits;
use crate::semantics::fields::{FieldLine, FieldName, FieldTable, Span};
use crate::semantics::{Method, Target, Version};
use core::net::{Ipv4Addr, SocketAddr};
use std::cell::Cell;
use std::io;
use std::time::{Duration, SystemTime};

/// A request for a test.
///
/// ```
/// use doorstep::{Method, Request, Status};
///
/// let response = Request::test(Method::Post, "/tea?milk=no")
///     .header("Content-Type", "text/plain")
///     .body("hot")
///     .send(&|request: &mut Request<'_>| match request.query() {
///         Some("milk=no") => Status::NO_CONTENT,
///         _ => Status::BAD_REQUEST,
///     });
/// assert_eq!(response.status(), Status::NO_CONTENT);
/// ```
#[derive(Debug)]
#[must_use = "a request does nothing until it is sent"]
pub struct TestRequest {
    method: Method,
    target: String,
    bytes: Vec<u8>,
    table: FieldTable,
    body: Vec<u8>,
    now: Now,
    peer: Option<SocketAddr>,
    server: TestServer,
}

/// What a handler finds out about its server, in a test of the file service.
#[derive(Clone, Debug)]
pub struct TestServer {
    /// How many workers may wait for one disk at a time.
    pub blocking_share: usize,
    /// How much later each look at the clock is than the one before.
    pub clock_step: Duration,
    /// The number of looks at the client before it is found to have gone.
    pub gone_after: Option<usize>,
}

impl Default for TestServer {
    /// As with as many workers as by default, a clock that stands, and a client that stays.
    fn default() -> TestServer {
        TestServer {
            blocking_share: 64,
            clock_step: Duration::ZERO,
            gone_after: None,
        }
    }
}

impl Request<'_> {
    /// A request for a test.
    pub fn test(method: Method, target: &str) -> TestRequest {
        TestRequest::new(method, target)
    }
}

impl TestRequest {
    pub(super) fn new(method: Method, target: &str) -> TestRequest {
        TestRequest {
            method,
            target: target.to_string(),
            bytes: Vec::new(),
            table: FieldTable::default(),
            body: Vec::new(),
            now: Now {
                monotonic: Duration::ZERO,
                wall: SystemTime::UNIX_EPOCH,
            },
            peer: Some(SocketAddr::from((Ipv4Addr::LOCALHOST, 50_000))),
            server: TestServer::default(),
        }
        .header("Host", "localhost")
    }

    /// Adds a header. A `Host: localhost` is there already; the first header of a name is the one
    /// that [`Request::header`] returns.
    pub fn header(mut self, name: &str, value: &str) -> TestRequest {
        let span = |bytes: &mut Vec<u8>, text: &str| {
            let start = bytes.len() as u32;
            bytes.extend_from_slice(text.as_bytes());
            Span {
                start,
                end: bytes.len() as u32,
            }
        };
        let field = FieldName::of(name.as_bytes());
        let name = span(&mut self.bytes, name);
        let value = span(&mut self.bytes, value);
        self.table.push(FieldLine { field, name, value });
        self
    }

    /// Sets the body.
    pub fn body(mut self, content: impl Into<Vec<u8>>) -> TestRequest {
        self.body = content.into();
        self
    }

    /// Sets the time at which the request is handled; 1970 and zero otherwise.
    pub fn at(mut self, now: Now) -> TestRequest {
        self.now = now;
        self
    }

    /// Sets the other end's address; a loopback address otherwise.
    pub fn peer(mut self, peer: Option<SocketAddr>) -> TestRequest {
        self.peer = peer;
        self
    }

    pub(crate) fn server(mut self, server: TestServer) -> TestRequest {
        self.server = server;
        self
    }

    /// Calls the handler.
    ///
    /// # Panics
    /// When the target is invalid for the method (RFC 9112 §3.2): such a request would never reach
    /// a handler.
    pub fn send(&self, handler: &impl Handler) -> Response {
        let parts = match Target::parse(self.target.as_bytes(), self.method) {
            Ok(parts) => parts,
            Err(_) => panic!(
                "not a request target for {}: {:?}",
                self.method, self.target
            ),
        };
        let headers = self.table.headers(&self.bytes);
        let host = headers
            .known(FieldName::Host)
            .and_then(|host| std::str::from_utf8(host).ok());
        let mut source = SliceSource {
            bytes: &self.body,
            monotonic: Cell::new(self.now.monotonic),
            looks: 0,
            server: &self.server,
        };
        let parts = RequestParts {
            method: self.method,
            target: &self.target,
            parts,
            host,
            version: Version::Http11,
            headers,
            peer: self.peer,
            now: self.now,
            blocking_share: self.server.blocking_share,
        };
        handler.handle(&mut Request::new(parts, &mut source))
    }
}

/// A body in memory.
struct SliceSource<'a> {
    bytes: &'a [u8],
    monotonic: Cell<Duration>,
    /// How often the client was looked at.
    looks: usize,
    server: &'a TestServer,
}

impl BodySource for SliceSource<'_> {
    fn content_length(&self) -> Option<u64> {
        Some(self.bytes.len() as u64)
    }
    fn collect_limit(&self) -> usize {
        Limits::default().body_bytes
    }
    fn fill(&mut self) -> io::Result<&[u8]> {
        Ok(self.bytes)
    }
    fn consume(&mut self, count: usize) {
        self.bytes = self.bytes.get(count..).unwrap_or_default();
    }
    fn is_disconnected(&mut self) -> bool {
        self.looks += 1;
        self.server
            .gone_after
            .is_some_and(|looks| looks < self.looks)
    }
    fn monotonic(&self) -> Duration {
        let now = self.monotonic.get() + self.server.clock_step;
        self.monotonic.set(now);
        now
    }
    fn hold(&mut self, _bytes: usize) -> io::Result<()> {
        Ok(())
    }
}
