//! Calling again after a signal.

use std::io;

/// How often one call is begun anew because a signal interrupted it (EINTR). A signal interrupts a
/// call once, so the number is a guess that no sane sender of signals reaches; past it the
/// interruption is reported instead of looping for ever.
pub(super) const INTERRUPTIONS_MAX: u32 = 10_000;

/// Calls until the answer is something else than "interrupted by a signal".
pub(super) fn uninterrupted<T>(mut call: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    for _ in 0..INTERRUPTIONS_MAX {
        match call() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            answer => return answer,
        }
    }
    Err(io::ErrorKind::Interrupted.into())
}
