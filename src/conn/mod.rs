//! One connection's life, without a socket and without a clock.
//!
//! In: which bytes are a head, content, or surplus; what may be written now; how long to wait for
//! it; why it ends. Out: buffers, files, threads. Never: IO; a clock (the time is an argument); a
//! byte parsed after a refusal.
//!
//! ```text
//!   accept ──▶ Idle ──byte──▶ Head ──complete──▶ Prefetch ──here──▶ Handle ──answer──▶ Send
//!               ▲ │             │                   │                │                  │
//!               │ │             └─────refused───────┴────────────────┘                  │
//!               │ │                        │                                            │
//!               │ └──deadline, FIN──▶ Closed ◀──deadline, FIN── Linger ◀──last answer───┤
//!               │                                                                       │
//!               └──────────────── Discard ◀────────── content left unread ────────────────┤
//!               └────────────────────────────────── all read ───────────────────────────┘
//! ```
//!
//! The rules, which no other file changes:
//! - A request is begun only when the answer before it has been framed to its end; answers so go
//!   out in order.
//! - Content belongs to its request: what a handler leaves unread is dropped in Discard or ends the
//!   connection.
//! - After a 101 nothing is parsed: the bytes behind it are another protocol's.
//! - After a refusal nothing is parsed: the answer, then Linger (so that the peer reads it instead
//!   of a reset), then Closed.
//! - Every phase in which the peer is waited for has a deadline; Handle has one only while content
//!   is waited for.
//!
//! # The loop
//!
//! Whoever owns a stream asks [`Connection::next_event`] what is next, does it, and asks again. The
//! loop keeps the bytes: those that have come (`input`) and those that are to go (`out`).
//!
//! | event | what the loop does |
//! |---|---|
//! | [`Read`](Event::Read) | sends `out`; reads behind `input`, or waits until [`read_deadline`](Connection::read_deadline); at the stream's end, [`input_ended`](Connection::input_ended) |
//! | [`Head`](Event::Head) | reads what it needs of the head, takes it off `input` |
//! | [`Content`](Event::Content) | uses the data, takes the bytes off `input` |
//! | [`Respond`](Event::Respond), [`Refuse`](Event::Refuse) | [`respond`](Connection::respond) or [`respond_full`](Connection::respond_full), for which the head is enough |
//! | [`Send`](Event::Send) | appends what is left of the content, as its [`BodyFraming`] says; then [`finish`](Connection::finish) |
//! | [`Close`](Event::Close) | sends `out` and closes |
//!
//! A program that pulls the body while it holds the head asks [`Connection::next_content`] for it.
//! When the loop itself has to end a connection, [`abandon`](Connection::abandon) makes the next
//! response the last one, and [`linger`](Connection::linger) is the end after whatever was the
//! last.
//!
//! Time: the loop tells of each write that moved bytes ([`wrote`](Connection::wrote)), and while
//! the stream takes none, waits until [`write_deadline`](Connection::write_deadline) at most. A
//! loop that serves many streams may ask about one before it has read what lies in it: it says so
//! ([`Config::checks_deadlines`]), and asks [`on_deadline`](Connection::on_deadline) what the time
//! means when a read has found nothing. doorstep's engine is such a loop. Memory: a loop that sends
//! at `Read` holds the answers to what one read brought; where answers are long, it sends earlier.
//!
//! Bytes of the peer's never cause a panic. An answer and `finish` out of their turn are a mistake
//! of the program: with debug assertions they panic, and without them they change nothing.
//! Everything else may be called at any time.
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
