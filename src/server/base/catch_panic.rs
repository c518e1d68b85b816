//! Calls into the program: a panic there costs one connection, never a thread.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs `work`, which may call into the program. `None` when it panicked; the worker lives on.
///
/// Data that `work` borrows may be half changed after a panic. Each caller then closes the
/// connection and clears the buffers, and everything else shared has its own lock.
pub fn catch_panic<T>(work: impl FnOnce() -> T) -> Option<T> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(value) => Some(value),
        Err(payload) => {
            // The panic's payload is the program's value, and its Drop may panic as well. The
            // second payload is leaked.
            if let Err(second) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
                std::mem::forget(second);
            }
            None
        }
    }
}
