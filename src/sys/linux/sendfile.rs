//! `sendfile(2)`: a file's bytes go to a socket without passing through the program.

use crate::sys::retry::uninterrupted;
use crate::sys::unix::errno;
use std::cell::Cell;
use std::ffi::{c_int, c_void};
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr;

/// Bytes of one call. The kernel would send up to 2 GiB while the peer keeps up, and the thread
/// would serve nobody else meanwhile; at 2 MiB the cost of the call is nothing beside the copying.
const CALL_MAX: u64 = 2 << 20;

const SIGPIPE: c_int = 13;
const SIG_BLOCK: c_int = 0;

/// `sigset_t` is 128 bytes in every C library of Linux.
#[repr(C)]
struct SignalSet([u64; 16]);

unsafe extern "C" {
    // glibc's plain `sendfile` has a 32-bit offset on 32-bit systems; musl's never has.
    #[cfg_attr(target_env = "gnu", link_name = "sendfile64")]
    fn sendfile(to: c_int, from: c_int, offset: *mut i64, length: usize) -> isize;
    fn sigemptyset(set: *mut SignalSet) -> c_int;
    fn sigaddset(set: *mut SignalSet, number: c_int) -> c_int;
    fn pthread_sigmask(how: c_int, set: *const SignalSet, before: *mut SignalSet) -> c_int;
}

/// Sends up to `length` bytes of a file from `offset`; `None` if these two have no sendfile.
///
/// The calling thread has SIGPIPE blocked from then on: unlike `send(2)`, the call has no flag
/// against that signal, which would end a program that has set it back to its default.
pub fn send_file(
    socket: BorrowedFd<'_>,
    file: BorrowedFd<'_>,
    offset: u64,
    length: u64,
) -> io::Result<Option<usize>> {
    block_sigpipe();
    let start = i64::try_from(offset).map_err(|_| io::ErrorKind::InvalidInput)?;
    let length = length.min(CALL_MAX) as usize;
    let sent = uninterrupted(|| {
        let mut offset = start;
        // SAFETY: `offset` is ours alone to be written; the other arguments are integers.
        let sent = unsafe { sendfile(socket.as_raw_fd(), file.as_raw_fd(), &mut offset, length) };
        usize::try_from(sent).map_err(|_| io::Error::last_os_error())
    });
    match sent {
        Ok(sent) => Ok(Some(sent)),
        // EINVAL: the file system cannot send from this file. ENOSYS: the kernel cannot.
        Err(error) if matches!(error.raw_os_error(), Some(errno::EINVAL | errno::ENOSYS)) => {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// Blocks SIGPIPE in this thread, on the first call.
fn block_sigpipe() {
    thread_local!(static IS_BLOCKED: Cell<bool> = const { Cell::new(false) });
    if IS_BLOCKED.replace(true) {
        return;
    }
    let mut set = SignalSet([0; 16]);
    let to = (&raw mut set).cast::<c_void>().cast::<SignalSet>();
    // SAFETY: `to` points to a live set that is ours alone to be written.
    unsafe { sigemptyset(to) };
    // SAFETY: as above; the set was emptied, so it is initialised. Valid signal: it cannot fail.
    unsafe { sigaddset(to, SIGPIPE) };
    // SAFETY: the set is live and only read; the mask before is not asked for.
    unsafe { pthread_sigmask(SIG_BLOCK, to, ptr::null_mut()) };
}
