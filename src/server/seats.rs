//! How many threads programs may have for their own connections: detached answers and upgraded ones.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The seats that are taken.
#[derive(Debug, Default)]
pub struct Seats(AtomicUsize);

/// A seat, until it is dropped.
#[derive(Debug)]
pub struct Seat(Arc<Seats>);

impl Seats {
    /// A seat, if fewer than `most` are taken.
    pub fn take(seats: &Arc<Seats>, most: usize) -> Option<Seat> {
        let more = |taken| (taken < most).then_some(taken + 1);
        let taken = seats
            .0
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, more);
        taken.ok().map(|_| Seat(seats.clone()))
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::SeqCst);
    }
}
