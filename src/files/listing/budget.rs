//! How much memory listings may take, while they are made, kept and sent.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The memory of all listings of a [`Files`](crate::Files) and its mounts. A listing stays in
/// memory until its clients have read it, so without a bound many slow clients would take as much
/// as there are connections.
#[derive(Clone, Debug)]
pub struct MemoryBudget {
    most: usize,
    reserved: Arc<AtomicUsize>,
    /// The most of it since the last call of [`fallen`](MemoryBudget::fallen).
    peak: Arc<AtomicUsize>,
}

/// Memory of one listing, given back on drop.
#[derive(Debug)]
pub struct Reservation {
    budget: MemoryBudget,
    bytes: usize,
}

impl Default for MemoryBudget {
    fn default() -> MemoryBudget {
        MemoryBudget::of(LISTING_BYTES)
    }
}

impl MemoryBudget {
    /// A budget of `most` bytes in all.
    pub fn of(most: usize) -> MemoryBudget {
        let (reserved, peak) = (Arc::default(), Arc::default());
        MemoryBudget {
            most,
            reserved,
            peak,
        }
    }

    /// How much less is reserved than at some time since the last call.
    pub fn fallen(&self) -> usize {
        let now = self.reserved();
        self.peak.swap(now, Ordering::Relaxed).saturating_sub(now)
    }

    /// Reserves memory; `None` when there is not enough left.
    pub fn reserve(&self, bytes: usize) -> Option<Reservation> {
        let mut reservation = Reservation {
            budget: self.clone(),
            bytes: 0,
        };
        reservation.grow(bytes).then_some(reservation)
    }

    /// The bytes that are reserved.
    pub fn reserved(&self) -> usize {
        self.reserved.load(Ordering::Relaxed)
    }
}

impl Reservation {
    /// Reserves more; false, and nothing changes, when there is not enough left.
    pub fn grow(&mut self, bytes: usize) -> bool {
        let most = self.budget.most;
        let more = |reserved: usize| reserved.checked_add(bytes).filter(|sum| *sum <= most);
        let order = Ordering::Relaxed;
        let grown = self.budget.reserved.fetch_update(order, order, more);
        if let Ok(before) = grown {
            self.bytes += bytes;
            self.budget.peak.fetch_max(before + bytes, order);
        }
        grown.is_ok()
    }

    /// Gives back what is not needed.
    pub fn shrink_to(&mut self, bytes: usize) {
        let surplus = self.bytes.saturating_sub(bytes);
        self.bytes -= surplus;
        self.budget.reserved.fetch_sub(surplus, Ordering::Relaxed);
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.shrink_to(0);
    }
}

/// The largest listing takes 13 MiB, with all six orders, and 4 MiB with names of common lengths.
pub const LISTING_BYTES: usize = 16 * 1024 * 1024;
