//! How many threads programs may have for their own connections: detached answers and upgraded ones.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The seats that are taken.
#[derive(Debug, Default)]
pub struct Semaphore(AtomicUsize);

/// A seat, until it is dropped.
#[derive(Debug)]
pub struct Permit(Arc<Semaphore>);

impl Semaphore {
    /// A seat, if fewer than `most` are taken.
    pub fn take(permits: &Arc<Semaphore>, most: usize) -> Option<Permit> {
        let more = |taken| (taken < most).then_some(taken + 1);
        let taken = permits
            .0
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, more);
        taken.ok().map(|_| Permit(permits.clone()))
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::SeqCst);
    }
}
