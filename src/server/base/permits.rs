//! A semaphore for the threads of detached responses and upgraded connections.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

#[derive(Debug, Default)]
pub struct Semaphore(AtomicUsize);

/// One permit, returned when it is dropped.
#[derive(Debug)]
pub struct Permit(Arc<Semaphore>);

impl Semaphore {
    /// A permit, if fewer than `max` are taken.
    pub fn take(permits: &Arc<Semaphore>, max: usize) -> Option<Permit> {
        let more = |taken| (taken < max).then_some(taken + 1);
        let order = Ordering::SeqCst;
        let taken = permits.0.fetch_update(order, order, more);
        taken.ok().map(|_| Permit(permits.clone()))
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::SeqCst);
    }
}
