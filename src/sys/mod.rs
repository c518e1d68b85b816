//! System calls behind one contract.
//!
//! Each type here is safe, and its methods are one system call or a short, explained sequence of
//! them. Every system provides the same list:
//!
//! - [`Poller`]: readiness of many sockets for a pool of threads (epoll, `poll(2)`, `WSAPoll`);
//! - [`Stream`] and [`Listener`]: connected and listening sockets, never blocking;
//! - [`Clock`]: monotonic and wall time; [`Threads`]: starting them, and the
//!   processor time that they use;
//! - [`beneath`]: opening a file that provably lies below a folder; [`read_dir`]: the names in one;
//! - [`signals`], [`limits`], [`addresses`]: what a program asks of its process and machine;
//! - [`memory`]: giving freed memory back;
//! - [`shortage`]: which errors mean that descriptors or memory have run out.
//!
//! Nothing here decides about a request or imports another room. `unsafe` code is here and in
//! `scan`, and nowhere else.
#![allow(unsafe_code)]
#![deny(clippy::multiple_unsafe_ops_per_block)]

pub mod addresses;
mod backend;
pub mod beneath;
pub mod clock;
#[cfg(feature = "files")]
pub mod file_identity;
pub mod limits;
pub mod listener;
pub mod memory;
mod platform;
mod poll;
pub mod poller;
pub mod read_dir;
mod retry;
pub mod shortage;
pub mod signals;
pub mod stream;
pub mod threads;

#[cfg(target_os = "linux")]
mod linux;
#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

pub use backend::Backend;
pub use clock::{Clock, SystemClock};
pub use listener::{Accept, Listener};
pub use poller::{Interest, Poller, Source, Token, Wake};
pub use stream::{Socket, Stream};
pub use threads::{SystemThreads, ThreadProbe, Threads, Usage, Work};
