//! Writes several pieces to a socket without the danger of SIGPIPE.
//!
//! std writes one buffer with `MSG_NOSIGNAL`, but several with `writev(2)`, which raises SIGPIPE
//! when the peer has gone. A program that has set that signal back to its default would die of it.

use super::ffi;
use std::io::{self, IoSlice};
use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr;

/// `IOV_MAX`: more pieces are an error, so the rest waits for the next call.
const PIECES_MAX: usize = 1024;

/// Writes as much as fits of several pieces: `sendmsg(2)` with `MSG_NOSIGNAL`.
pub fn send_pieces(socket: BorrowedFd<'_>, pieces: &[IoSlice<'_>]) -> io::Result<usize> {
    let count = pieces.len().min(PIECES_MAX);
    let message = ffi::Message {
        name: ptr::null_mut(),
        name_length: 0,
        pieces: pieces.as_ptr().cast_mut().cast(),
        pieces_length: count as _,
        control: ptr::null_mut(),
        control_length: 0,
        flags: 0,
    };
    // SAFETY: `message` points to `count` live `IoSlice`s, which std promises to be laid out as
    // `struct iovec`; the call only reads them and what they point to.
    let sent = unsafe { ffi::sendmsg(socket.as_raw_fd(), &message, ffi::MSG_NOSIGNAL) };
    usize::try_from(sent).map_err(|_| io::Error::last_os_error())
}
