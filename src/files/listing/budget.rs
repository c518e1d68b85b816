//! How much memory the listings take that are being sent.
//!
//! In: what one takes. Out: whether there is room for it. Never: a listing that waits for room.

use crate::limits::LISTING_BYTES;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Room for listings. A listing stays in memory until its client has read it, so many clients that read slowly would take as much
/// as there are connections.
#[derive(Debug)]
pub struct Room {
    most: usize,
    taken: Arc<AtomicUsize>,
}

/// The room of one listing, which is given back when this is dropped.
#[derive(Debug)]
pub struct Taken {
    bytes: usize,
    taken: Arc<AtomicUsize>,
}

impl Default for Room {
    fn default() -> Room {
        Room::of(LISTING_BYTES)
    }
}

impl Room {
    /// Room for so many octets in all.
    pub fn of(most: usize) -> Room {
        Room {
            most,
            taken: Arc::new(AtomicUsize::new(0)),
        }
    }

    /// Room for a listing of so many octets; `None` when there is none left. A listing that is alone always has room.
    pub fn take(&self, bytes: usize) -> Option<Taken> {
        // Given back at once if it is too much, by the drop.
        let taken = Taken {
            bytes,
            taken: self.taken.clone(),
        };
        let before = self.taken.fetch_add(bytes, Ordering::Relaxed);
        (before == 0 || before.saturating_add(bytes) <= self.most).then_some(taken)
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        self.taken.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}
