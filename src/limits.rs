//! Limits, timeouts, and the constants that several files share, each with its reason.
//!
//! A constant that only one file uses stands in that file.

use std::time::Duration;

/// How much of everything one connection, or all connections together, may take.
///
/// The defaults suit a server that faces the open internet. Start from [`Limits::default`] and
/// change single fields. Counts of bytes in heads, in chunk framing and in unread bodies saturate
/// at 4 GiB: a higher limit counts as 4 GiB.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Bytes of a request's head: request line and headers. Beyond: 431, or 414 when the request
    /// line alone is longer. 16 KiB holds the largest cookies that browsers send (4 KiB each, a few
    /// of them).
    pub head_bytes: usize,
    /// Headers of a request. Beyond: 431. Browsers send about 20.
    pub headers: usize,
    /// Bytes of the request target. Beyond: 414. RFC 9112 §3 recommends at least 8,000.
    pub target_bytes: usize,
    /// Bytes of a request body that [`Body::collect`](crate::Body::collect) takes. Beyond: 413.
    pub body_bytes: usize,
    /// Bytes of one chunk-size line with its extensions. Beyond: 400. Nobody uses extensions;
    /// attackers do.
    pub chunk_line_bytes: usize,
    /// Bytes of a chunked body's trailer section. Beyond: 431.
    pub trailer_bytes: usize,
    /// Open connections. The server takes fewer where the limit of open files is lower: connections
    /// and the files on their way to them are that limit less 64 at most. Beyond: 503.
    pub connections: usize,
    /// Requests served on one connection before it is closed. `None`: no limit.
    pub requests_per_connection: Option<u32>,
    /// Bytes of an unread request body that are read and discarded to keep the connection. Beyond:
    /// it closes.
    pub discard_bytes: usize,
    /// Bytes of unsent output at which the next pipelined request of that connection has to wait.
    pub write_buffer_bytes: usize,
    /// Bytes held for all connections together: unsent output, input that is not yet a whole
    /// message, request bodies while they are collected, response bodies in memory until their last
    /// byte is sent, and whatever else a response needs until then. A body that several responses
    /// share counts once. A file does not count. A detached response and an upgraded connection
    /// count as 16 KiB.
    ///
    /// Beyond: connections are closed, by the second in which their clients last took bytes, the
    /// earliest first, and within one second those first that hold the most KiB. One body of more
    /// than half of the limit may be sent at a time without being counted. Collected request bodies
    /// take at most half of the limit. Beyond: 503.
    pub parked_bytes: usize,
    /// Open connections of one address. An IPv6 address counts with its whole /64, which one client
    /// may have. Beyond: 503. `None`: no limit.
    pub connections_per_ip: Option<usize>,
    /// Worker threads while handlers block. One per CPU runs, and others stand in for those that
    /// are blocked, up to this number in all; then requests wait, and get 503 once no handler has
    /// returned for 5 s. A worker costs its stack and 112 KiB of buffers. A number below that
    /// of the CPUs counts as that: [`Server::workers`](crate::Server::workers) sets a lower one.
    ///
    /// From eight on, handlers of one method and path hold seven in eight of these workers at most:
    /// if they wait for a request of another path, as long polls do, that gets a worker at once.
    /// More such requests wait, and get 503 once none of theirs has begun for 5 s. Polls of two
    /// paths may hold all workers, and so may bodies that a writer or a reader makes on them.
    pub workers_max: usize,
    /// Threads of [detached](crate::Response::detached) responses and
    /// [upgraded](crate::Response::upgrade) connections. Beyond: 503. Each costs the used part of
    /// its stack and 16 KiB of buffers.
    pub detached_threads: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            head_bytes: 16 * 1024,
            headers: 100,
            target_bytes: 8 * 1024,
            body_bytes: 1024 * 1024,
            chunk_line_bytes: 256,
            trailer_bytes: 4 * 1024,
            connections: 10_000,
            requests_per_connection: None,
            discard_bytes: 64 * 1024,
            write_buffer_bytes: 64 * 1024,
            parked_bytes: 64 * 1024 * 1024,
            connections_per_ip: None,
            workers_max: 256,
            detached_threads: 1024,
        }
    }
}

/// How long the server waits for a peer in each phase of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Timeouts {
    /// From accept, or from the first byte of a request, to the end of its head: in all, not per
    /// byte.
    pub head: Duration,
    /// Between two reads of a request body.
    pub body: Duration,
    /// Between two writes of a response that make progress.
    pub write: Duration,
    /// The lowest rate, in bytes per second of waiting, at which a body or a response must move,
    /// after a credit of 30 s: a peer that moves one byte every 29 s would otherwise hold a
    /// connection forever. The balance of credit earned and time waited saturates at ±24 days.
    pub min_rate: u32,
    /// Idle between two requests. The default is longer than the 60 s of common proxies, whose
    /// reuse would race a shorter one.
    pub keep_alive: Duration,
    /// After a response that ends the connection early: how long input is still read and discarded,
    /// so that the peer reads the response instead of a reset.
    pub linger: Duration,
    /// How long a graceful shutdown lets running requests finish. The server does not apply it by
    /// itself: it is the default for programs to pass to
    /// [`Shutdown::begin`](crate::Shutdown::begin).
    pub shutdown: Duration,
}

impl Default for Timeouts {
    fn default() -> Timeouts {
        Timeouts {
            head: Duration::from_secs(10),
            body: Duration::from_secs(30),
            write: Duration::from_secs(30),
            min_rate: 256,
            keep_alive: Duration::from_secs(75),
            linger: Duration::from_secs(2),
            shutdown: Duration::from_secs(10),
        }
    }
}

/// Bytes of a request body, framing included, that are awaited before the handler is called: all of
/// the body, or its beginning. So a client that drips costs no worker until it has sent this much.
/// Nothing is awaited from a client that waits for `100 Continue`.
pub const PREFETCH_BYTES: usize = 16 * 1024;
/// File bodies shorter than this are copied after their head and sent with one write; longer ones
/// go by `sendfile(2)`.
pub const SENDFILE_FROM: u64 = 64 * 1024;
/// Connections that the kernel completes before the server accepts them. Linux caps it at
/// `net.core.somaxconn` (4096 by default).
pub const BACKLOG: u32 = 4096;
/// Descriptors kept free for files, the log and the poller when connections are counted against the
/// open-file limit.
pub const DESCRIPTORS_RESERVED: u64 = 64;
/// Bytes of a worker's buffers, with the default limits.
pub const WORKER_BYTES: usize = 112 * 1024;
/// Bytes that one read asks of a body's reader.
pub const STREAM_BLOCK: usize = 16 * 1024;
/// Connections closed at once for the sake of others: the oldest idle ones for a new connection, or
/// the first in the order of [`Limits::parked_bytes`]. One scan over all slots finds this many.
pub const CLOSED_AT_ONCE: usize = 32;
