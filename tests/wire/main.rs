//! The server over real sockets, on every poller that this system has: what a client sees, and what
//! an observer hears.
//!
//! A test that counts descriptors, threads or memory runs in a process of its own, so that no other
//! test is counted with it. Waits end with an event; the bounds on them are there so that a fault
//! fails instead of hanging, and say nothing of speed.

mod accepting;
mod at_capacity;
mod deadlines;
mod engine;
mod fairness;
mod fields;
mod files;
mod gated_bodies;
mod half_close;
mod harness;
mod housekeeping;
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
mod queued;
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
