//! doorstep: an HTTP/1.1 server with nothing but the standard library.
#![deny(unsafe_code)]
#![warn(missing_docs)]

mod sys;

#[doc(hidden)]
pub mod internals {
    //! What `tests/`, `benches/` and `fuzz/` may see. Outside semver.
    pub mod sys {
        pub use crate::sys::{
            Accept, Backend, Clock, Interest, Listener, Poller, Socket, Source, Stream,
            SystemClock, Token, Wake, addresses, beneath, limits, listener, signals,
        };
    }
}
