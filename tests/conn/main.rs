//! One connection's life on a fake clock: rows of what comes, what is answered, and what must follow.
//!
//! In: `conn::Connection`, driven by octets and times as `server::worker` drives it. A row is a script; the files have the names of
//! the phases in conn's diagram. Out: how a head or a chunk is written (tests/rfc). Never: a socket, a thread, a real clock.

mod discard;
mod handle;
mod head;
mod idle;
mod interleaving;
mod life;
mod linger;
mod min_rate;
mod prefetch;
mod proxy;
mod send;
mod size;
#[path = "../support/mod.rs"]
mod support;
mod upgrade;
