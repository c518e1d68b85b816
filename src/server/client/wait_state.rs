//! The wait of a connection that nobody owns: its kind, its beginning and what the connection holds
//! in one word, which a scan reads without owning the connection.

use crate::conn::Moment;
use core::cmp::Reverse;

/// What a connection that nobody owns waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WaitKind {
    /// In the middle of a message, with nothing held for it.
    Busy,
    /// For a request of which not a byte has arrived: the first one, or the next.
    Idle,
    /// With memory that the server holds for it; since its client last took bytes, or since that
    /// memory is held.
    Holds,
    /// For the rest of a request, since its first byte came: no handler knows of it.
    HalfRequest,
}

/// The kind of a wait, its beginning, and the memory that is held, in one word. The older
/// of two waits is the lesser.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct WaitState(pub u64);

const KIND_BITS: u32 = 3;
/// In KiB, rounded up: 4 GiB, and no more is shown.
const SIZE_BITS: u32 = 22;
const SIZE_MAX: usize = (1 << SIZE_BITS) - 1;

impl WaitState {
    /// A wait of this kind, with `held` bytes.
    pub const fn new(kind: WaitKind, since: Moment, held: usize) -> WaitState {
        let kib = held.div_ceil(1024);
        let kib = if kib > SIZE_MAX { SIZE_MAX } else { kib };
        // Drops the highest bits of the time, which matter after 17 years.
        WaitState((since.0 << SIZE_BITS | kib as u64) << KIND_BITS | kind as u64)
    }

    /// What it waits for.
    pub const fn kind(self) -> WaitKind {
        match self.0 & 7 {
            1 => WaitKind::Idle,
            2 => WaitKind::Holds,
            3 => WaitKind::HalfRequest,
            _ => WaitKind::Busy,
        }
    }

    /// When it began.
    pub const fn since(self) -> Moment {
        Moment(self.0 >> (KIND_BITS + SIZE_BITS))
    }

    const fn held_kib(self) -> u64 {
        self.0 >> KIND_BITS & SIZE_MAX as u64
    }

    /// The order in which memory is given up: by the second in which the client last took bytes,
    /// the earliest first; within one second by the memory in KiB, the most first; then by age.
    /// `None` where nothing is held.
    pub fn shed_order(self) -> Option<(u64, Reverse<u64>, WaitState)> {
        let second = self.since().0 / 1000;
        let order = (second, Reverse(self.held_kib()), self);
        (self.held_kib() > 0).then_some(order)
    }
}
