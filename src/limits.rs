//! Every limit and timeout, with its reason. Numbers only: any room may read them.
//!
//! What bounds one algorithm alone, such as the events of one system call or the tries of another, stands beside that.

use std::time::Duration;

/// How much of everything one connection, or all of them together, may take.
///
/// The defaults suit a server that faces the open internet. Start from [`Limits::default`] and change single fields.
/// Octets of heads, of the framing of chunks and of unread content are counted up to 4 GiB: a limit above that counts as that.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Octets of a request's head: request line and field lines. Beyond: 431, or 414 when the request line alone is longer.
    /// 16 KiB holds the largest cookies that browsers send (4 KiB each, a few of them).
    pub head_bytes: usize,
    /// Field lines in a head. Beyond: 431. Browsers send about 20.
    pub headers: usize,
    /// Octets of the request target. Beyond: 414. RFC 9112 §3 recommends at least 8,000.
    pub target_bytes: usize,
    /// Octets of a request's content that [`Body::collect`](crate::Body::collect) takes. Beyond: 413.
    pub body_bytes: usize,
    /// Octets of one chunk-size line with its extensions. Beyond: 400. Nobody uses extensions; attackers do.
    pub chunk_line_bytes: usize,
    /// Octets of a chunked body's trailer section. Beyond: 431.
    pub trailer_bytes: usize,
    /// Open connections. The server takes fewer where the limit of open files is lower (that limit less 64).
    pub connections: usize,
    /// Requests answered on one connection before it is closed. `None`: no limit.
    pub requests_per_connection: Option<u32>,
    /// Octets of an unread request body that are read and dropped to keep the connection. Beyond: it closes.
    pub discard_bytes: usize,
    /// Octets of unsent output at which no further pipelined request of that connection is begun.
    pub write_buffer_bytes: usize,
    /// Octets that are kept for all connections that wait: unsent output, and input that is not yet a whole message. Beyond: the
    /// connection that has been kept longest is closed.
    ///
    /// An answer that the program made in memory for one client stays there as a whole until its last octet is sent. Beyond so
    /// many octets of such answers, those are given up whose client has taken nothing for a second, the oldest first, but never
    /// the only one. Files, streams, and octets that several answers share do not count.
    pub parked_bytes: usize,
    /// Open connections of one address, where an IPv6 address counts with its whole /64, which one client may have.
    /// Beyond: 503. `None`: no limit.
    pub connections_per_ip: Option<usize>,
    /// Worker threads, when handlers block. As many as CPUs run; each that is blocked may be stood in for. A blocked worker costs its
    /// stack and 48 KiB of buffers. No fewer than there are CPUs: [`Server::workers`](crate::Server::workers) sets a lower number.
    pub workers_max: usize,
    /// Threads of [detached](crate::Response::detached) answers and [upgraded](crate::Response::upgrade) connections.
    /// Beyond: 503. Each
    /// costs its stack, of which the system hands out what is used, and 16 KiB of buffers.
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
    /// From accept, or from the first octet of a request, to the end of its head: in all, not per octet.
    pub head: Duration,
    /// Between two reads of a request's content.
    pub body: Duration,
    /// Between two writes of an answer that make progress.
    pub write: Duration,
    /// The least rate, in octets per second of time spent waiting, that a body or an answer must keep on top of 30 s:
    /// a peer that moves one octet every 29 s would otherwise hold a connection for ever. What was earned, less what was
    /// waited, is counted up to 24 days.
    pub min_rate: u32,
    /// Idle between two requests. Longer than the 60 s of common proxies, whose reuse would race a shorter one.
    pub keep_alive: Duration,
    /// After an answer that ends the connection early: how long input is still read and dropped, so that the peer
    /// reads the answer instead of a reset.
    pub linger: Duration,
    /// How long a graceful shutdown lets running requests finish, by default: the program passes it to
    /// [`Shutdown::begin`](crate::Shutdown::begin), and so may others.
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

/// Empty lines (CRLF) skipped before a request line. RFC 9112 §2.2 asks for "at least one".
pub const LEADING_EMPTY_LINES: usize = 1;
/// Octets of a method. Registered names have at most 17 (UPDATEREDIRECTREF); a longer token gets 501.
pub const METHOD_BYTES: usize = 23;
/// Octets of a request's content, framing included, that are awaited before the handler is called: all of it, or the beginning
/// of longer content. A client that drips costs no worker until it has sent as much. None are awaited from a client that waits
/// for `100 Continue`.
pub const PREFETCH_BYTES: usize = 16 * 1024;
/// Octets of a binary PROXY header. Addresses take 216 at most; the extensions behind them are names, and perhaps the client's
/// certificate of 1 or 2 KiB. The format allows for 64 KiB, which no buffer here is kept for.
pub const PROXY_HEADER_BYTES: usize = 4 * 1024;
/// Requests that one turn on a connection may answer before other connections get theirs.
pub const REQUESTS_PER_TURN: usize = 64;
/// Octets that one turn on a connection may send before other connections get theirs.
pub const BYTES_PER_TURN: u64 = 1024 * 1024;
/// File bodies shorter than this are copied behind their head and sent with one write; longer ones go by `sendfile(2)`.
pub const SENDFILE_FROM: u64 = 64 * 1024;
/// Connections that the kernel completes before the server accepts them. Linux caps it at `net.core.somaxconn` (4096 by default).
pub const BACKLOG: u32 = 4096;
/// Descriptors kept free for files, the log and the poller when connections are counted against the open-file limit.
pub const DESCRIPTORS_RESERVED: u64 = 64;
/// Framing octets that a chunked body may be ahead of its content, those that each chunk has for free left out. Beyond: 400.
/// A signed upload has about 85 octets of extension to 64 KiB of content, which is never ahead; a million chunks of one octet,
/// each with a long extension, would cost 250 times what they bring.
pub const CHUNK_OVERHEAD: u32 = 16 * 1024;
/// Octets of a chunk's size line, CRLF not counted, that are not held against it: with both CRLF they make 16 octets, which is
/// what the smallest chunks of honest writers need.
pub const CHUNK_OVERHEAD_FREE: u32 = 12;
/// Content in memory up to this size is copied behind its head and shares its write; longer content is handed to the system
/// where it lies. A second piece costs more than the copy of 8 KiB saves.
pub const COPY_BYTES: usize = 16 * 1024;
/// Octets asked of a content reader at a time.
pub const STREAM_BLOCK: usize = 16 * 1024;
/// Connections that are closed at once for the sake of others: the oldest idle ones for a new one, or those for which octets have
/// been kept longest. One scan over all slots finds so many.
pub const CLOSED_AT_ONCE: usize = 32;
/// Parts that an answer to a Range field has, when those that overlap or nearly touch are one. Beyond: the whole. A player that
/// seeks asks for one, a reader of an archive's index for a few.
pub const RANGES_MAX: usize = 64;
/// Ranges that a Range field may ask for, coalesced or not. Beyond: the whole. Each takes 24 octets until they are sorted.
pub const RANGE_SPECS_MAX: usize = 1024;
/// Two ranges with fewer octets between them are sent as one. RFC 9110 §15.3.7.2: "the typical overhead between each part of a
/// "multipart/byteranges" is around 80 bytes".
pub const RANGE_GAP: u64 = 80;
