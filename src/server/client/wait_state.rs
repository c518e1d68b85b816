//! What a connection that nobody owns waits for, and since when: what a scan has to know of it without owning it.

use crate::conn::Moment;

/// For what a connection waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WaitKind {
    /// In the middle of a message, with nothing kept for it.
    Busy,
    /// For a request of which not an octet has arrived: the first one, or the next.
    Idle,
    /// With octets that are kept for it: output that its client has not taken, or a part of a message.
    Buffered,
    /// With content that the program made for it in memory, since its client took octets the last time.
    OwnsBody,
}

/// What a connection waits for and since when, in one word. Of two of one kind, the older is the lesser.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct WaitState(pub u64);

const KIND_BITS: u32 = 2;

impl WaitState {
    /// A connection that waits so since `since`.
    pub const fn new(kind: WaitKind, since: Moment) -> WaitState {
        // The two highest bits of the time are lost, which is so in half a million centuries.
        WaitState(since.0 << KIND_BITS | kind as u64)
    }

    /// For what.
    pub const fn kind(self) -> WaitKind {
        match self.0 & 3 {
            1 => WaitKind::Idle,
            2 => WaitKind::Buffered,
            3 => WaitKind::OwnsBody,
            _ => WaitKind::Busy,
        }
    }

    /// Since when.
    pub const fn since(self) -> Moment {
        Moment(self.0 >> KIND_BITS)
    }
}
