//! Calls again after a signal.

use std::io;

/// How often a call is repeated because a signal interrupted it (EINTR). A signal interrupts a call
/// once, so the number is a guess that no sane sender of signals reaches; after that the
/// interruption is reported, in place of looping forever.
const INTERRUPTIONS_MAX: u32 = 10_000;

/// Calls until the result is anything but "interrupted by a signal".
pub(super) fn uninterrupted<T>(mut call: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    for _ in 0..INTERRUPTIONS_MAX {
        match call() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
    Err(io::ErrorKind::Interrupted.into())
}
