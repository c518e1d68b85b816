//! One connection's life, without a socket and without a clock.
//!
//! The connection says which bytes are a head, a body or another request, what may be written now,
//! how long to wait and why it ends. The loop around it owns buffers, streams and threads; time is
//! an argument.
//!
//! ```text
//!   accept ──▶ Idle ──byte──▶ Head ──complete──▶ Prefetch ──here──▶ Handle ──response──▶ Send
//!               ▲ │             │                   │                │                    │
//!               │ │             └──────refused──────┴────────────────┘                    │
//!               │ └──deadline, FIN──▶ Closed ◀──deadline, FIN── Linger ◀──last response───┤
//!               ├──────────────── Discard ◀────────── body left unread ───────────────────┤
//!               └───────────────────────────────── all read ──────────────────────────────┘
//! ```
//!
//! The rules, which no other file changes:
//! - A request begins only when the response before it has been framed to its end. So responses go
//!   out in order.
//! - A body belongs to its request: the part that a handler leaves unread is discarded, or ends the
//!   connection.
//! - After a 101 nothing is parsed: the bytes after it belong to the other protocol.
//! - After a refusal nothing is parsed: the response, then Linger (so that the peer reads it
//!   instead of a reset), then Closed.
//! - Every phase that waits for the peer has a deadline; Handle has one only while the body is
//!   waited for.
//!
//! # The loop
//!
//! The owner of a stream asks [`Connection::next_event`] what is next, does it, and asks again. The
//! loop keeps the bytes received (`input`) and the bytes to send (`out`).
//!
//! | event | what the loop does |
//! |---|---|
//! | [`Read`](Event::Read) | sends `out`; reads more into `input`, or waits until [`read_deadline`](Connection::read_deadline); at the stream's end, [`input_ended`](Connection::input_ended) |
//! | [`Head`](Event::Head) | reads what it needs of the head, takes it off `input` |
//! | [`Content`](Event::Content) | uses the data, takes the bytes off `input` |
//! | [`Respond`](Event::Respond), [`Refuse`](Event::Refuse) | [`respond`](Connection::respond) or [`respond_full`](Connection::respond_full), for which the head is enough |
//! | [`Send`](Event::Send) | appends the rest of the body, as its [`BodyFraming`] says; then [`finish`](Connection::finish) |
//! | [`Close`](Event::Close) | sends `out` and closes |
//!
//! A program that pulls the body while it holds the head calls [`Connection::next_content`]. When
//! the loop itself has to end a connection, [`abandon`](Connection::abandon) makes the next
//! response the last one, and [`linger`](Connection::linger) begins the end.
//!
//! Time: the loop reports each write that moved bytes ([`wrote`](Connection::wrote)), and while the
//! stream takes none, waits until [`write_deadline`](Connection::write_deadline) at most. A loop
//! that serves many streams may ask about one before it has read what lies in it: it turns
//! [`Config::checks_deadlines`] off, and calls [`on_deadline`](Connection::on_deadline) when a read
//! has found nothing. doorstep's engine is such a loop. Memory: a loop that sends at `Read` holds
//! the responses to everything that one read brought; where responses are long, it sends earlier.
//!
//! The peer's bytes never cause a panic. `respond` and `finish` out of turn are mistakes of the
//! program: they panic with debug assertions, and otherwise change nothing. Everything else may be
//! called at any time.
//!
//! `examples/any_stream.rs` is a loop for one stream.
#![forbid(unsafe_code)]

mod close_reason;
mod config;
mod content;
mod deadline;
mod event;
mod min_rate;
mod moment;
mod next_event;
pub mod proxy;
mod response_plan;
mod send;
mod state;

pub use crate::semantics::upgrade::offers as offers_upgrade;
pub use close_reason::CloseReason;
pub use config::Config;
pub use event::Event;
pub use moment::Moment;
pub use response_plan::{BodyFraming, PlanError, ResponsePlan};
pub use state::{Connection, Phase};
