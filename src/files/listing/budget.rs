//! How much memory the listings that are being sent may take.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The memory of all listings of one [`Files`](crate::Files). A listing stays in memory until its
/// client has read it, so without a bound many slow clients would take as much as there are
/// connections.
#[derive(Debug)]
pub struct MemoryBudget {
    most: usize,
    reserved: Arc<AtomicUsize>,
}

/// The memory of one listing, given back on drop.
#[derive(Debug)]
pub struct Reservation {
    bytes: usize,
    reserved: Arc<AtomicUsize>,
}

impl Default for MemoryBudget {
    fn default() -> MemoryBudget {
        MemoryBudget::of(LISTING_BYTES)
    }
}

impl MemoryBudget {
    /// A budget of `most` bytes in all.
    pub fn of(most: usize) -> MemoryBudget {
        let reserved = Arc::default();
        MemoryBudget { most, reserved }
    }

    /// Reserves memory for one listing; `None` when there is not enough left. The only listing
    /// always gets it.
    pub fn reserve(&self, bytes: usize) -> Option<Reservation> {
        let reserved = self.reserved.clone();
        // Given back at once if it is too much, by the drop.
        let reservation = Reservation { bytes, reserved };
        let before = self.reserved.fetch_add(bytes, Ordering::Relaxed);
        (before == 0 || before.saturating_add(bytes) <= self.most).then_some(reservation)
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.reserved.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// The largest listing takes 4 MiB with names of common lengths, and stays until its client has
/// read it.
const LISTING_BYTES: usize = 64 * 1024 * 1024;
