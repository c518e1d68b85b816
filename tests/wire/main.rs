//! The server over real sockets, on every poller that this system has.
//!
//! In: what a client sees, and what an observer hears. Every test runs on each of `Backend::ALL`. A test that counts
//! descriptors, threads or memory runs in a process of its own, so that no other test is counted with it.
//! Out: which octets are a valid message (`tests/rfc`), the state machine (`tests/conn`), files below a folder (`tests/files`).
//! Never: a bound on speed. Waits end with an event; the bounds on them are there so that a fault fails instead of hanging.

mod accepting;
mod at_capacity;
mod client;
mod deadlines;
mod engine;
mod fairness;
mod fields;
mod files;
mod half_close;
mod harness;
mod idle_cost;
mod ladder;
mod life;
mod many_clients;
mod memory;
mod messages;
mod observer;
mod overload;
mod ownership;
mod pool;
mod scripted;
mod shutdown;
mod simulated;
mod slow_socket;
mod small_answers;
mod stops;
mod streaming;
#[path = "../support/mod.rs"]
mod support;
mod turn;
mod upgrade;
mod uploads;
