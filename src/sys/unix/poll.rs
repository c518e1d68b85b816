//! `poll(2)`.

use super::{check, ffi};
use crate::sys::poller::{Interest, whole_milliseconds};
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, RawFd};
use std::time::Duration;

pub type Key = RawFd;

/// One descriptor that a poll watches.
///
/// It remembers the descriptor's number beyond the borrow. Asking `poll(2)` about a number that was
/// closed or reused meanwhile is harmless: the result is about nothing or about another file, and
/// the caller's own bookkeeping finds that out.
#[derive(Clone, Copy, Debug)]
#[repr(transparent)]
pub struct PollEntry(ffi::PollDescriptor);

impl PollEntry {
    pub fn new(descriptor: BorrowedFd<'_>, interest: Interest) -> PollEntry {
        let events = match interest {
            Interest::Read => ffi::POLLIN,
            Interest::Write => ffi::POLLOUT,
        };
        PollEntry(ffi::PollDescriptor {
            fd: descriptor.as_raw_fd(),
            events,
            revents: 0,
        })
    }

    pub fn key(&self) -> Key {
        self.0.fd
    }

    /// Whether the last poll found it ready, failed or hung up.
    pub fn is_ready(&self) -> bool {
        self.0.revents != 0
    }

    /// Whether the last poll found that nothing more can be sent: the connection failed, or both of
    /// its directions are closed, not only the peer's.
    pub fn is_hung_up(&self) -> bool {
        self.0.revents & (ffi::POLLERR | ffi::POLLHUP) != 0
    }

    /// Whether the last poll found that no such descriptor is open.
    pub fn is_closed(&self) -> bool {
        self.0.revents & ffi::POLLNVAL != 0
    }
}

pub fn key(descriptor: BorrowedFd<'_>) -> Key {
    descriptor.as_raw_fd()
}

/// Waits until an entry is ready or the time is over; returns how many are ready.
///
/// # Errors
///
/// EINTR is passed on: only the caller knows how much of its time is left.
pub fn poll(entries: &mut [PollEntry], timeout: Option<Duration>) -> io::Result<usize> {
    let count = entries.len() as ffi::PollCount;
    let timeout_ms = whole_milliseconds(timeout);
    let first = entries.as_mut_ptr().cast::<ffi::PollDescriptor>();
    // SAFETY: `first` points to `count` entries, each laid out as `struct pollfd` (transparent over
    // a repr(C) struct), which this call alone may write to while it runs.
    let result = unsafe { ffi::poll(first, count, timeout_ms) };
    check(result).map(|ready| ready.unsigned_abs() as usize)
}
