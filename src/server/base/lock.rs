//! Locking, ignoring poisoning.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks, ignoring poisoning: the data is consistent between any two statements.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
