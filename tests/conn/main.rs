//! One connection's life on a fake clock: rows of what comes, what is answered, and what must
//! follow.
//!
//! A row is a script for a `conn::Connection`; the files have the names of the phases in conn's
//! diagram. How a head or a chunk is written is in `tests/rfc`.

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
