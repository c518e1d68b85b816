//! doorstep: an HTTP/1.1 server with nothing but the standard library.
#![deny(unsafe_code)]
#![warn(missing_docs)]

mod bytes;
mod conn;
#[cfg(feature = "files")]
mod files;
mod h1;
mod handler;
mod limits;
pub mod os;
mod scan;
mod semantics;
mod server;
mod sys;

pub use conn::CloseReason;
#[cfg(feature = "files")]
pub use files::Files;
pub use h1::Reject;
pub use handler::{
    Body, BodyError, BodySource, FieldError, Handler, IntoResponse, Now, Payload, Request,
    Response, TestRequest,
};
pub use limits::{Limits, Timeouts};
pub use semantics::{Headers, Method, Status, Version};
pub use server::{Ended, Observer, RequestEvent, Running, Server, Shutdown};

#[doc(hidden)]
pub mod internals {
    //! What `tests/`, `benches/` and `fuzz/` may see. Outside semver.

    pub mod bytes {
        pub use crate::bytes::{class, number, percent};
    }
    #[cfg(feature = "files")]
    pub mod files {
        pub use crate::files::{failure, media_types, resolve, respond};
    }
    pub mod scan {
        pub use crate::scan::{
            field_value_len, field_value_len_plain, target_len, target_len_plain,
        };
    }
    pub mod semantics {
        pub use crate::semantics::*;
    }
    pub mod h1 {
        pub use crate::h1::*;
    }
    pub mod limits {
        pub use crate::limits::*;
    }
    pub mod conn {
        pub use crate::conn::*;
    }
    pub mod server {
        pub use crate::server::{Housekeeper, Listeners, Shared, Worker, word};
    }
    pub mod sys {
        pub use crate::sys::{
            Accept, Backend, Clock, Interest, Listener, Poller, Socket, Source, Stream,
            SystemClock, Token, Wake, addresses, beneath, limits, listener, signals,
        };
    }
}
