//! An HTTP/1.1 server with nothing but the standard library: a blocking API, no dependencies,
//! strict parsing, limits on everything from the start.
//!
//! ```no_run
//! use doorstep::Server;
//!
//! fn main() -> std::io::Result<()> {
//!     Server::bind("127.0.0.1:8080")?.serve(|_req| "Hello, world!")
//! }
//! ```
//!
//! # The three types that matter
//!
//! - [`Server`] binds, takes settings, and runs: [`serve`](Server::serve) with a closure,
//!   [`run`](Server::run) with a [`Handler`], [`spawn`](Server::spawn) in the background.
//! - [`Request`] is what a handler gets. It borrows the received bytes and allocates nothing.
//! - [`Response`] is what a handler returns: text, bytes, a file, a stream, or whatever else
//!   [`IntoResponse`] takes.
//!
//! Handlers run concurrently and may block; the pool adds workers so that other connections are not
//! held up. A handler can be tested without a socket:
//!
//! ```
//! use doorstep::{Method, Request, Response, Status};
//!
//! let tea = |request: &mut Request<'_>| match request.path() {
//!     "/tea" => Response::text("Earl Grey"),
//!     _ => Response::new(Status::NOT_FOUND),
//! };
//! assert_eq!(Request::test(Method::Get, "/coffee").send(&tea).status(), Status::NOT_FOUND);
//! assert_eq!(Request::test(Method::Get, "/tea").send(&tea).into_content().unwrap(), b"Earl Grey");
//! ```
//!
//! The handler `Files` serves a folder: whole files and ranges, conditional requests, small files
//! from memory:
//!
//! ```no_run
//! # #[cfg(feature = "files")]
//! fn main() -> std::io::Result<()> {
//!     doorstep::Server::bind("127.0.0.1:8080")?.run(doorstep::Files::new("html")?)
//! }
//! # #[cfg(not(feature = "files"))]
//! # fn main() {}
//! ```
//!
//! # Around them
//!
//! [`Limits`] and [`Timeouts`] hold every bound with its reason. An [`Observer`] sees each request,
//! each refused message ([`Reject`]) and why each connection ended ([`CloseReason`]). A
//! [`Shutdown`] stops a server from any thread. [`os`] has what a program needs besides: signals,
//! the machine's addresses, the limit of open files.
//!
//! A client's mistake never reaches a handler: the message is refused with the matching status and
//! the connection closed. A handler's panic becomes a 500 and closes the connection; the worker
//! lives on. (Not with `panic = "abort"`, which ends the process.)
//!
//! # Without a socket
//!
//! The core of the server does no IO and is public for programs that own their streams: [`h1`]
//! parses heads and bodies, [`conn`] decides what to do with them, when to respond and when to
//! close. `examples/any_stream.rs` serves anything that can be read and written with it.
//!
//! # Features
//!
//! - `files` (default): `Files`, and the program `doorstep`. Without it the crate is the bare
//!   server.
//!
//! # Systems
//!
//! Linux: epoll, `openat2(2)`, `sendfile(2)`; all tests run there. Other Unixes: `poll(2)`, and a
//! walk by descriptors to open files below a folder. Windows: `WSAPoll`. Rust 1.85 or later.

mod bytes;
pub mod conn;
#[cfg(feature = "files")]
mod files;
pub mod h1;
mod handler;
mod limits;
pub mod os;
mod scan;
mod semantics;
mod server;
mod sys;

pub use conn::CloseReason;
#[cfg(feature = "files")]
pub use files::{CacheControl, Files, Stats, Symlinks};
pub use h1::Reject;
pub use handler::{
    Body, BodyError, Handler, IntoResponse, Now, Payload, Request, Response, TestRequest, Upgraded,
    Writer,
};
pub use limits::{Limits, Timeouts};
pub use semantics::date::HttpDate;
pub use semantics::{FieldError, FieldLines, Headers, Method, Status, Version};
pub use server::{
    AcceptRemedy, Observer, Overload, RequestEvent, Server, ServerHandle, ServerStats, Shutdown,
    ShutdownReport,
};

#[doc(hidden)]
pub mod internals {
    //! What `tests/`, `benches/` and `fuzz/` may see. Outside semver.

    pub mod bytes {
        pub use crate::bytes::{class, number, percent};
    }
    #[cfg(feature = "files")]
    pub mod files {
        pub use crate::files::options::CACHE_BYTES;
        pub use crate::files::resource::hashed_name;
        pub use crate::files::respond::{self, error};
        pub use crate::files::{disk, listing, media_types, resolve};
    }
    pub mod scan {
        pub use crate::scan::{field_value_end, host_name_end, letters_end, path_end, target_end};
        pub use crate::scan::{plain, swar};
    }
    pub mod semantics {
        pub use crate::semantics::{
            FieldName, FieldTable, Headers, Method, Span, Status, Target, TargetForm, Version,
        };
        pub use crate::semantics::{
            accept, accept_encoding, date, etag, fields, host, list, precondition, range, target,
            upgrade,
        };
    }
    pub mod handler {
        pub use crate::handler::TestServer;
        pub use crate::handler::{ContentSink, gate, run_writer};
        use crate::handler::{Response, TestRequest};
        use std::sync::Arc;

        /// What a handler returns that finds this gate full.
        pub fn queued(gate: &Arc<gate::Gate>) -> Response {
            Response::queued(gate)
        }

        /// A response whose body is read only inside of this gate.
        pub fn within(response: Response, gate: &Arc<gate::Gate>, most: usize) -> Response {
            response.within(gate, most)
        }

        /// Whether the request is to wait for a gate.
        pub fn is_queued(response: &Response) -> bool {
            response.queued_at().is_some()
        }

        /// A request whose handler finds such a server.
        pub fn by_server(request: TestRequest, server: TestServer) -> TestRequest {
            request.server(server)
        }
    }
    pub mod h1 {
        pub use crate::h1::chunked;
        pub use crate::h1::{Expect, Framing, Head, Parsed, Reject, Resume, parse_head};
        pub mod framing {
            pub use crate::h1::framing::request_framing;
        }
        pub mod write {
            pub use crate::h1::write::{
                CONTINUE, ConnectionField, LengthField, ResponseHead, push_head,
            };
        }
    }
    pub mod limits {
        pub use crate::conn::proxy::PROXY_HEADER_BYTES;
        pub use crate::h1::chunked::{CHUNK_OVERHEAD, CHUNK_OVERHEAD_FREE};
        pub use crate::limits::WORKER_BYTES;
        pub use crate::limits::{CLOSED_AT_ONCE, PREFETCH_BYTES, SENDFILE_FROM, STREAM_BLOCK};
        pub use crate::semantics::method::METHOD_BYTES;
        pub use crate::semantics::range::{RANGE_GAP, RANGE_SPECS_MAX, RANGES_MAX};
        pub use crate::server::exchange::respond::COPY_BYTES;
        pub use crate::server::worker::detached::DETACHED_BYTES;
        pub use crate::server::worker::turn::{BYTES_PER_TURN, REQUESTS_PER_TURN};
    }
    pub mod conn {
        pub use crate::conn::{
            BodyFraming, CloseReason, Config, Connection, Event, Moment, Phase, ResponsePlan, proxy,
        };
    }
    pub mod server {
        pub use crate::server::client::output::READS_PER_TURN;
        pub use crate::server::client::ownership;
        pub use crate::server::client::pending::PENDING_BYTES;
        pub use crate::server::client::wait_state;
        pub use crate::server::client::{IN_USE_FOR, REQUEST_WITHIN};
        pub use crate::server::evict::EVICTED_AFTER;
        pub use crate::server::exchange::gate_wait::QUEUE_FOR;
        pub use crate::server::exchange::peer_wait::WAIT_SLICE;
        pub use crate::server::pool::heartbeat::CANCEL_AFTER;
        pub use crate::server::pool::{EXHAUSTED_AFTER, SPARE_WORKER_ENDS_AFTER};
        pub use crate::server::pool::{computing, counts, shares};
        pub use crate::server::shared::listeners::ACCEPT_REST;
        pub use crate::server::shared::per_ip;
        pub use crate::server::worker::accept::{
            ACCEPTS_PER_EVENT, QUEUED_AFTER, QUEUED_AFTER_TURNS,
        };
        pub use crate::server::{Housekeeper, Listeners, Pool, Shared, WatchOutcome, Worker};
    }
    pub mod sys {
        #[cfg(feature = "files")]
        pub use crate::sys::file_identity;
        pub use crate::sys::{
            Accept, Backend, Clock, Interest, Listener, Poller, Socket, Source, Stream,
            SystemClock, SystemThreads, ThreadProbe, Threads, Token, Usage, Wake, Work,
        };
        pub use crate::sys::{beneath, limits, read_dir, shortage};
    }
}

/// The code of README.md, compiled by `cargo test`.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}
