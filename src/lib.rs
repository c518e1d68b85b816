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
pub use server::{Observer, RequestEvent, Server, ServerHandle, Shutdown, ShutdownReport};

#[doc(hidden)]
pub mod internals {
    //! What `tests/`, `benches/` and `fuzz/` may see. Outside semver.

    pub mod bytes {
        pub mod class {
            pub use crate::bytes::class::{
                is_etag_octet, is_field_octet, is_sub_delim, is_tchar, is_unreserved, token_end,
                token_len, trim_ows,
            };
        }
        pub mod number {
            pub use crate::bytes::number::{
                are_digits, decimal, decimal_or_max, hexadecimal, push_decimal, push_hexadecimal,
                push_hexadecimal_wide,
            };
        }
        pub mod percent {
            pub use crate::bytes::percent::{InvalidEscape, decode, encode_segment};
        }
    }
    #[cfg(feature = "files")]
    pub mod files {
        pub mod error {
            pub use crate::files::respond::error::FileError;
        }
        pub mod hashed_name {
            pub use crate::files::resource::hashed_name::carries_hash;
        }
        pub mod listing {
            pub use crate::files::listing::respond;
            pub mod budget {
                pub use crate::files::listing::budget::MemoryBudget;
            }
            pub mod entries {
                pub use crate::files::listing::entries::{Entries, Entry, LISTING_ENTRIES};
            }
            pub mod escape {
                pub use crate::files::listing::escape::{
                    push_html, push_json, push_size, timestamp,
                };
            }
            pub mod order {
                pub use crate::files::listing::order::{Key, Order, natural};
            }
            pub mod reader {
                pub use crate::files::listing::reader::{Form, ListingReader};
            }
            pub mod style {
                pub use crate::files::listing::style::{POLICY, SCRIPT, STYLE};
            }
        }
        pub mod media_types {
            pub use crate::files::media_types::{all, of};
        }
        pub mod resolve {
            pub use crate::files::resolve::{
                Names, PathError, PathRules, Resolved, check_segment, resolve, without_dots,
            };
        }
        pub mod respond {
            pub use crate::files::respond::error_page;
        }
    }
    pub mod scan {
        pub use crate::scan::{field_value_end, host_name_end, letters_end, path_end, target_end};
        pub mod plain {
            pub use crate::scan::plain::{
                field_value_end, host_name_end, letters_end, path_end, target_end,
            };
        }
        pub mod swar {
            pub use crate::scan::swar::{
                field_value_end, host_name_end, letters_end, path_end, target_end,
            };
        }
    }
    pub mod semantics {
        pub use crate::semantics::{
            FieldName, FieldTable, Headers, Method, Span, Status, Target, TargetForm, Version,
        };
        pub mod accept {
            pub use crate::semantics::accept::{Weight, weight};
        }
        pub mod accept_encoding {
            pub use crate::semantics::accept_encoding::{Coding, ranking};
        }
        pub mod date {
            pub use crate::semantics::date::{HttpDate, parse};
        }
        pub mod etag {
            pub use crate::semantics::etag::{EntityTag, push_file_tag, tags};
        }
        pub mod fields {
            pub use crate::semantics::fields::{FieldLine, valid_name, valid_value};
        }
        pub mod host {
            pub use crate::semantics::host::{Authority, is_valid, parse};
        }
        pub mod list {
            pub use crate::semantics::list::{contains_token, elements};
        }
        pub mod precondition {
            pub use crate::semantics::precondition::{Validators, Verdict, evaluate};
        }
        pub mod range {
            pub use crate::semantics::range::{ByteRange, Selection, select};
        }
        pub mod target {
            pub use crate::semantics::target::TargetForm;
        }
        pub mod upgrade {
            pub use crate::semantics::upgrade::{is_protocol, offers};
        }
    }
    pub mod handler {
        pub use crate::handler::{ContentSink, run_writer};
    }
    pub mod h1 {
        pub use crate::h1::{Expect, Framing, Head, Parsed, Reject, Resume, parse_head};
        pub mod chunked {
            pub use crate::h1::chunked::{Decoder, push_chunk, push_last_chunk};
        }
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
        pub use crate::limits::{CLOSED_AT_ONCE, PREFETCH_BYTES, SENDFILE_FROM, STREAM_BLOCK};
        pub use crate::semantics::method::METHOD_BYTES;
        pub use crate::semantics::range::{RANGE_GAP, RANGE_SPECS_MAX, RANGES_MAX};
        pub use crate::server::exchange::respond::COPY_BYTES;
        pub use crate::server::worker::turn::{BYTES_PER_TURN, REQUESTS_PER_TURN};
    }
    pub mod conn {
        pub use crate::conn::{
            BodyFraming, CloseReason, Config, Connection, Event, Moment, Phase, ResponsePlan,
        };
        pub mod proxy {
            pub use crate::conn::proxy::{Header, Refusal, Resume, parse};
        }
    }
    pub mod server {
        pub use crate::server::client::output::READS_PER_TURN;
        pub use crate::server::client::ownership;
        pub use crate::server::evict::STALLED_AFTER;
        pub use crate::server::exchange::peer_wait::WAIT_SLICE;
        pub use crate::server::pool::counts;
        pub use crate::server::pool::{CANCEL_AFTER, SPARE_WORKER_ENDS_AFTER};
        pub use crate::server::shared::listeners::ACCEPT_REST;
        pub use crate::server::shared::per_ip;
        pub use crate::server::{Housekeeper, Listeners, Pool, Shared, WatchOutcome, Worker};
    }
    pub mod sys {
        pub use crate::sys::{
            Accept, Backend, Clock, Interest, Listener, Poller, Socket, Source, Stream,
            SystemClock, SystemThreads, Threads, Token, Wake, Work,
        };
        pub mod beneath {
            pub use crate::sys::beneath::{OpenError, Root, Strategy, Symlinks};
        }
        #[cfg(feature = "files")]
        pub mod file_identity {
            pub use crate::sys::file_identity::Identity;
        }
        pub mod limits {
            pub use crate::sys::limits::open_files;
        }
        pub mod read_dir {
            pub use crate::sys::read_dir::{Kind, for_each};
        }
        pub mod shortage {
            pub use crate::sys::shortage::{Shortage, shortage};
        }
    }
}

/// The code of README.md, compiled by `cargo test`.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}
