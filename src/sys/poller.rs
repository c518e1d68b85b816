//! Readiness of many sockets, shared by a pool of threads.
//!
//! Every registration is one-shot: once [`Poller::wait`] has handed out a token, that source is
//! silent until it is armed again. So one event wakes one thread, and a thread that serves a
//! connection is never disturbed by a second event it did not ask for.
//!
//! All methods may be called from any thread at any time, also while others wait.

use std::fmt;
use std::io;
use std::time::{Duration, Instant};

/// What an event is about: chosen by the caller, opaque to the poller.
///
/// The two highest numbers are reserved: registering under them answers
/// [`io::ErrorKind::InvalidInput`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Token(pub u64);

/// Which readiness a registration waits for. Errors and hang-ups are reported with either.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Interest {
    /// The source has bytes to read, or a connection to accept, or its peer has closed.
    Read,
    /// The source takes bytes again.
    Write,
}

/// What can be registered.
#[derive(Clone, Copy, Debug)]
pub enum Source<'a> {
    /// A descriptor of the operating system.
    #[cfg(unix)]
    Descriptor(std::os::fd::BorrowedFd<'a>),
    /// A socket of the operating system.
    #[cfg(windows)]
    Descriptor(std::os::windows::io::BorrowedSocket<'a>),
    /// A source that only its own poller knows, as in a simulation. The pollers of this crate answer
    /// [`io::ErrorKind::Unsupported`].
    Named(u64, std::marker::PhantomData<&'a ()>),
}

/// How a wait ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wake {
    /// The source registered under this token is ready (or failed), and is now disarmed.
    Ready(Token),
    /// The time is over.
    TimedOut,
    /// [`Poller::wake`] was called; every later wait ends so at once.
    Woken,
}

/// The contract that each backend fulfils.
pub trait Poller: Send + Sync + fmt::Debug {
    /// Registers a source and arms it.
    fn add(&self, source: Source<'_>, token: Token, interest: Interest) -> io::Result<()>;

    /// Arms a registered source again. If it is ready already, an event follows at once.
    fn arm(&self, source: Source<'_>, token: Token, interest: Interest) -> io::Result<()>;

    /// Ends a registration; to be called before the source is closed. (epoll forgets a closed source by
    /// itself; `poll(2)` may take a stranger that got its number for it.) An event that was already taken from the kernel may still be handed out
    /// under its token afterwards, so tokens carry a generation.
    fn remove(&self, source: Source<'_>, token: Token) -> io::Result<()>;

    /// Waits for one event. `None` waits without end. A wait that a signal handler interrupts goes on.
    fn wait(&self, timeout: Option<Duration>) -> io::Result<Wake>;

    /// Threads that are in [`wait`](Poller::wait) now. One that has an event is counted no more when `wait` returns, so of several
    /// that return one after the other, the last one finds 0.
    fn waiting(&self) -> usize;

    /// Whether an event is ready that no thread has taken. Does not wait and takes nothing.
    fn pending(&self) -> io::Result<bool>;

    /// Ends all present and future waits. Cannot be undone.
    fn wake(&self);
}

/// Tokens from here on are reserved.
pub(super) const RESERVED: u64 = u64::MAX - 1;

/// When a wait ends.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deadline(Option<Instant>);

impl Deadline {
    /// `None`, or more than the clock can count, is no end.
    pub(super) fn after(timeout: Option<Duration>) -> Deadline {
        Deadline(timeout.and_then(|timeout| Instant::now().checked_add(timeout)))
    }

    /// What is left of the time; zero when it is over.
    pub(super) fn left(self) -> Option<Duration> {
        self.0
            .map(|end| end.saturating_duration_since(Instant::now()))
    }

    /// Whether the time is over.
    pub(super) fn is_over(self) -> bool {
        self.left() == Some(Duration::ZERO)
    }
}

/// A time as the calls take it, in milliseconds: -1 is for ever. Rounded up, because a wait that ends
/// a moment early would be begun again and again until the time is really over; at most 24 days.
pub(super) fn whole_milliseconds(timeout: Option<Duration>) -> i32 {
    let Some(timeout) = timeout else { return -1 };
    let whole = timeout.as_nanos().div_ceil(1_000_000);
    i32::try_from(whole).unwrap_or(i32::MAX)
}
