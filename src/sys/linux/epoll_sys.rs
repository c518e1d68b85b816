//! The calls of `epoll(7)` and `eventfd(2)`, one wrapper each.

use std::ffi::{c_int, c_void};
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

pub const EPOLL_CTL_ADD: c_int = 1;
pub const EPOLL_CTL_DEL: c_int = 2;
pub const EPOLL_CTL_MOD: c_int = 3;
pub const EPOLLIN: u32 = 0x1;
pub const EPOLLOUT: u32 = 0x4;
pub const EPOLLRDHUP: u32 = 0x2000;
pub const EPOLLONESHOT: u32 = 1 << 30;

const EPOLL_CLOEXEC: c_int = 0o2_000_000;
const EFD_CLOEXEC: c_int = 0o2_000_000;
const EFD_NONBLOCK: c_int = 0o4_000;

/// `struct epoll_event`, which x86-64 packs so that 32-bit programs have the same layout.
#[derive(Clone, Copy)]
#[cfg_attr(target_arch = "x86_64", repr(C, packed))]
#[cfg_attr(not(target_arch = "x86_64"), repr(C))]
pub struct Event {
    events: u32,
    token: u64,
}

impl Event {
    /// The events to wait for, and the token to report.
    pub fn new(events: u32, token: u64) -> Event {
        Event { events, token }
    }

    pub fn token(&self) -> u64 {
        self.token
    }
}

unsafe extern "C" {
    fn epoll_create1(flags: c_int) -> c_int;
    fn epoll_ctl(epoll: c_int, operation: c_int, fd: c_int, event: *mut Event) -> c_int;
    fn epoll_wait(epoll: c_int, events: *mut Event, count: c_int, timeout_ms: c_int) -> c_int;
    fn eventfd(count: u32, flags: c_int) -> c_int;
    fn write(fd: c_int, bytes: *const c_void, length: usize) -> isize;
}

pub fn create() -> io::Result<OwnedFd> {
    // SAFETY: the call takes an integer and touches no memory of ours.
    let fd = check(unsafe { epoll_create1(EPOLL_CLOEXEC) })?;
    // SAFETY: the call made this descriptor, and nobody else knows its number.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

pub fn control(
    epoll: BorrowedFd<'_>,
    operation: c_int,
    descriptor: BorrowedFd<'_>,
    mut event: Event,
) -> io::Result<()> {
    let (epoll, descriptor) = (epoll.as_raw_fd(), descriptor.as_raw_fd());
    // SAFETY: `event` is live and ours alone; the other arguments are integers.
    check(unsafe { epoll_ctl(epoll, operation, descriptor, &mut event) }).map(drop)
}

/// `epoll_wait(2)`: returns how many of `events` were filled in.
pub fn wait(epoll: BorrowedFd<'_>, events: &mut [Event], timeout_ms: c_int) -> io::Result<usize> {
    let count = c_int::try_from(events.len()).unwrap_or(c_int::MAX);
    let first = events.as_mut_ptr();
    // SAFETY: `first` points to at least `count` events that are ours alone to be written.
    let ready = check(unsafe { epoll_wait(epoll.as_raw_fd(), first, count, timeout_ms) })?;
    Ok(ready.unsigned_abs() as usize)
}

/// `eventfd(2)`: a counter that is readable when it is not 0.
pub fn event(count: u32) -> io::Result<OwnedFd> {
    // SAFETY: the call takes two integers and touches no memory of ours.
    let fd = check(unsafe { eventfd(count, EFD_CLOEXEC | EFD_NONBLOCK) })?;
    // SAFETY: the call made this descriptor, and nobody else knows its number.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Adds 1 to an eventfd's counter.
pub fn signal(event: BorrowedFd<'_>) -> io::Result<()> {
    let one = 1u64.to_ne_bytes();
    let bytes = one.as_ptr().cast::<c_void>();
    // SAFETY: `bytes` points to 8 live bytes, only read.
    let written = unsafe { write(event.as_raw_fd(), bytes, one.len()) };
    if written < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

fn check(result: c_int) -> io::Result<c_int> {
    if result == -1 {
        return Err(io::Error::last_os_error());
    }
    Ok(result)
}
