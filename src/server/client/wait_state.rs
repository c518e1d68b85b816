//! The wait of a connection that nobody owns: its kind and its beginning in one word, which a scan
//! reads without owning the connection.

use crate::conn::Moment;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WaitKind {
    /// In the middle of a message, with nothing buffered.
    Busy,
    /// For a request of which not a byte has arrived: the first one, or the next.
    Idle,
    /// With buffered bytes: mostly output that its client has not taken.
    Buffered,
    /// With a body that the program built for it in memory; since its client last took bytes.
    OwnsBody,
    /// For the rest of a request, since its first byte came: no handler knows of it.
    HalfRequest,
}

/// The kind of a wait and its beginning, in one word. The older of two waits is the lesser.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct WaitState(pub u64);

const KIND_BITS: u32 = 3;

impl WaitState {
    pub const fn new(kind: WaitKind, since: Moment) -> WaitState {
        // Drops the three highest bits of the time, which matter in half a million centuries.
        WaitState(since.0 << KIND_BITS | kind as u64)
    }

    pub const fn kind(self) -> WaitKind {
        match self.0 & 7 {
            1 => WaitKind::Idle,
            2 => WaitKind::Buffered,
            3 => WaitKind::OwnsBody,
            4 => WaitKind::HalfRequest,
            _ => WaitKind::Busy,
        }
    }

    pub const fn since(self) -> Moment {
        Moment(self.0 >> KIND_BITS)
    }
}
