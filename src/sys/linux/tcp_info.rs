//! `TCP_INFO` of tcp(7): when a connection last received data.

use crate::sys::unix::ffi;
use std::ffi::c_int;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::time::Duration;

const TCP_INFO: c_int = 11;

/// `struct tcp_info` up to `tcpi_last_data_recv`: eight bytes, and numbers of four.
#[repr(C)]
struct Start {
    bytes: [u8; 8],
    numbers: [u32; 12],
}

/// The time since the connection last received data, in steps of the system's timer (1 to 10 ms).
pub fn since_last_data(socket: BorrowedFd<'_>) -> Option<Duration> {
    let mut info = Start {
        bytes: [0; 8],
        numbers: [0; 12],
    };
    let mut length = size_of::<Start>() as u32;
    let (fd, place) = (socket.as_raw_fd(), (&raw mut info).cast());
    // SAFETY: the system writes at most `length` bytes, which are the structure's.
    let result = unsafe { ffi::getsockopt(fd, ffi::IPPROTO_TCP, TCP_INFO, place, &raw mut length) };
    let [.., last_data_received] = info.numbers;
    let is_whole = result == 0 && length as usize == size_of::<Start>();
    is_whole.then(|| Duration::from_millis(last_data_received.into()))
}
