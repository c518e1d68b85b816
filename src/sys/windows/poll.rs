//! `WSAPoll`.

use crate::sys::poller::{Interest, whole_milliseconds};
use std::ffi::c_int;
use std::io;
use std::os::windows::io::{AsRawSocket, BorrowedSocket, RawSocket};
use std::time::Duration;

pub type Key = RawSocket;

const POLLRDNORM: i16 = 0x0100;
const POLLWRNORM: i16 = 0x0010;
const POLLERR: i16 = 0x0001;
const POLLNVAL: i16 = 0x0004;

/// `WSAPOLLFD`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
struct PollDescriptor {
    socket: RawSocket,
    events: i16,
    revents: i16,
}

/// One socket that a poll watches.
///
/// It remembers the socket's number beyond the borrow. Asking about a number that was closed or
/// reused meanwhile is harmless: the result is about nothing or about another socket, and the
/// caller's own bookkeeping finds that out.
#[derive(Clone, Copy, Debug)]
#[repr(transparent)]
pub struct PollEntry(PollDescriptor);

#[link(name = "ws2_32")]
unsafe extern "system" {
    fn WSAPoll(entries: *mut PollDescriptor, count: u32, timeout_ms: c_int) -> c_int;
}

impl PollEntry {
    pub fn new(socket: BorrowedSocket<'_>, interest: Interest) -> PollEntry {
        let events = match interest {
            Interest::Read => POLLRDNORM,
            Interest::Write => POLLWRNORM,
        };
        PollEntry(PollDescriptor {
            socket: socket.as_raw_socket(),
            events,
            revents: 0,
        })
    }

    pub fn key(&self) -> Key {
        self.0.socket
    }

    /// Whether the last poll found it ready, failed or hung up.
    pub fn is_ready(&self) -> bool {
        self.0.revents != 0
    }

    /// Whether the last poll found that nothing more can be sent. POLLHUP does not show that here:
    /// a peer that only closed its own side raises it as well.
    pub fn is_hung_up(&self) -> bool {
        self.0.revents & POLLERR != 0
    }

    /// Whether the last poll found that no such socket is open.
    pub fn is_closed(&self) -> bool {
        self.0.revents & POLLNVAL != 0
    }
}

pub fn key(socket: BorrowedSocket<'_>) -> Key {
    socket.as_raw_socket()
}

/// Waits until an entry is ready or the time is over; returns how many are ready.
pub fn poll(entries: &mut [PollEntry], timeout: Option<Duration>) -> io::Result<usize> {
    let count = u32::try_from(entries.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
    let timeout_ms = whole_milliseconds(timeout);
    let first = entries.as_mut_ptr().cast::<PollDescriptor>();
    // SAFETY: `first` points to `count` entries, each laid out as `WSAPOLLFD` (transparent over a
    // repr(C) struct), which this call alone may write to while it runs. Winsock was started when
    // std made the sockets.
    let ready = unsafe { WSAPoll(first, count, timeout_ms) };
    usize::try_from(ready).map_err(|_| last_socket_error())
}

/// Winsock's errors are found like all others (`WSAGetLastError` is `GetLastError`).
fn last_socket_error() -> io::Error {
    io::Error::last_os_error()
}
