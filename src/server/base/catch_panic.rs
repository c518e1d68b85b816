//! What calls into the program, and what its panic costs: one connection, never a thread.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs what may call into the program. `None` when it panicked; the worker lives on.
///
/// What is behind the reference may be half changed after a panic. Each caller then closes the connection and clears the
/// buffers, and nothing else is shared but what has its own lock.
pub fn catch_panic<T>(work: impl FnOnce() -> T) -> Option<T> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(value) => Some(value),
        Err(payload) => {
            // A payload is a value of the program's, and its Drop may panic as well. The second payload is leaked.
            if let Err(second) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
                std::mem::forget(second);
            }
            None
        }
    }
}
