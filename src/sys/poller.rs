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

/// Names a registration in its events: chosen by the caller, opaque to the poller.
///
/// The two highest numbers are reserved: registering under them fails with
/// [`io::ErrorKind::InvalidInput`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Token(pub u64);

/// Which readiness a registration waits for. Errors and hang-ups are reported with either.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Interest {
    /// The source has bytes to read, or a connection to accept, or its peer has closed.
    Read,
    /// The source accepts bytes again.
    Write,
}

/// A source that can be registered.
#[derive(Clone, Copy, Debug)]
pub enum Source<'a> {
    /// A descriptor of the operating system.
    #[cfg(unix)]
    Descriptor(std::os::fd::BorrowedFd<'a>),
    /// A socket of the operating system.
    #[cfg(windows)]
    Descriptor(std::os::windows::io::BorrowedSocket<'a>),
    /// A source that only its own poller knows, as in a simulation. The pollers of this crate fail
    /// with [`io::ErrorKind::Unsupported`].
    Named(u64, std::marker::PhantomData<&'a ()>),
}

/// How a wait ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wake {
    /// The source registered under this token is ready (or failed), and is now disarmed.
    Ready(Token),
    /// The time is over.
    TimedOut,
    /// [`Poller::wake`] was called; every later wait ends like this at once.
    Woken,
}

/// The contract that each backend fulfils.
pub trait Poller: Send + Sync + fmt::Debug {
    /// Registers a source and arms it.
    fn add(&self, source: Source<'_>, token: Token, interest: Interest) -> io::Result<()>;

    /// Arms a registered source again. If it is ready already, an event follows at once.
    fn arm(&self, source: Source<'_>, token: Token, interest: Interest) -> io::Result<()>;

    /// Ends a registration. To be called before the source is closed: epoll forgets a closed source
    /// by itself, but `poll(2)` may take another source that got its number for it. An event that
    /// was already taken from the kernel may still be returned under its token afterwards, so
    /// tokens carry a generation.
    fn remove(&self, source: Source<'_>, token: Token) -> io::Result<()>;

    /// Waits for one event. `None` waits forever. A wait that a signal handler interrupts goes on.
    fn wait(&self, timeout: Option<Duration>) -> io::Result<Wake>;

    /// The number of threads in [`wait`](Poller::wait). A thread with an event is no longer counted
    /// when `wait` returns, so of several that return one after another, the last one finds 0.
    fn waiting(&self) -> usize;

    /// Whether an event is ready that no thread has taken. Does not wait and takes nothing.
    fn pending(&self) -> io::Result<bool>;

    /// Hands out this token once, as if its source had become ready; nothing is disarmed.
    fn post(&self, token: Token);

    /// Ends all present and future waits. Cannot be undone.
    fn wake(&self);
}

/// Tokens from here on are reserved.
pub(super) const RESERVED: u64 = u64::MAX - 1;

/// When a wait ends.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deadline(Option<Instant>);

impl Deadline {
    /// No end for `None`, and for more than the clock can count.
    pub(super) fn after(timeout: Option<Duration>) -> Deadline {
        Deadline(timeout.and_then(|timeout| Instant::now().checked_add(timeout)))
    }

    /// The time left; zero when it is over.
    pub(super) fn left(self) -> Option<Duration> {
        self.0
            .map(|end| end.saturating_duration_since(Instant::now()))
    }

    pub(super) fn is_over(self) -> bool {
        self.left() == Some(Duration::ZERO)
    }
}

/// A timeout in milliseconds, as the calls take it: -1 is forever. Rounded up, because a wait that
/// ends a moment early would be repeated until the time is really over; at most 24 days.
pub(super) fn whole_milliseconds(timeout: Option<Duration>) -> i32 {
    let Some(timeout) = timeout else { return -1 };
    let whole = timeout.as_nanos().div_ceil(1_000_000);
    i32::try_from(whole).unwrap_or(i32::MAX)
}
