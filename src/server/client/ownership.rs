//! The ownership word of a slot: its transitions as pure functions.
//!
//! `tests/model/` explores every interleaving of these very functions; `slots` only adds the
//! compare-and-swap around them.

/// Who may touch a connection now. Sixty-four bits: a generation, and a state in the lowest two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ownership(pub u64);

/// The states of a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SlotState {
    /// No connection.
    Vacant,
    /// A connection that waits for an event; whoever takes it first owns it.
    Idle,
    /// One thread owns it.
    Owned,
    /// One thread owns it, and an event came meanwhile: the owner serves once more before it lets
    /// go.
    OwnedDirty,
}

/// The effect of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnEvent {
    /// The connection was idle: the thread that writes this word owns it.
    Take(Ownership),
    /// The connection is owned: write this word and go on; the owner will see the mark.
    Mark(Ownership),
    /// It is marked already: nothing to write.
    Marked,
    /// The event belongs to a connection that is gone.
    Stale,
}

/// The effect of an owner's release.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnRelease {
    /// Nothing happened meanwhile: write this word, and anybody may take the connection.
    Idle(Ownership),
    /// An event came meanwhile: write this word, stay the owner, and serve again.
    Again(Ownership),
}

const STATE_BITS: u32 = 2;

impl Ownership {
    /// A slot that has never held a connection.
    pub const NEW: Ownership = Ownership::of(0, SlotState::Vacant);

    const fn of(generation: u32, state: SlotState) -> Ownership {
        Ownership(((generation as u64) << STATE_BITS) | state as u64)
    }

    /// Which connection of this slot it belongs to; wraps after 2^32 of them.
    pub const fn generation(self) -> u32 {
        (self.0 >> STATE_BITS) as u32
    }

    /// The slot's state.
    pub const fn state(self) -> SlotState {
        match self.0 & 3 {
            0 => SlotState::Vacant,
            1 => SlotState::Idle,
            2 => SlotState::Owned,
            _ => SlotState::OwnedDirty,
        }
    }

    /// A connection moves in, owned by the thread that accepted it.
    pub const fn occupied(self) -> Ownership {
        Ownership::of(self.generation(), SlotState::Owned)
    }

    /// An event for `generation` arrives.
    pub const fn on_event(self, generation: u32) -> OnEvent {
        if self.generation() != generation {
            return OnEvent::Stale;
        }
        match self.state() {
            SlotState::Vacant => OnEvent::Stale,
            SlotState::Idle => OnEvent::Take(Ownership::of(generation, SlotState::Owned)),
            SlotState::Owned => OnEvent::Mark(Ownership::of(generation, SlotState::OwnedDirty)),
            SlotState::OwnedDirty => OnEvent::Marked,
        }
    }

    /// The sweep, an eviction or the shutdown wants the connection: only an idle one can be had.
    pub const fn claimed(self) -> Option<Ownership> {
        match self.state() {
            SlotState::Idle => Some(Ownership::of(self.generation(), SlotState::Owned)),
            SlotState::Vacant | SlotState::Owned | SlotState::OwnedDirty => None,
        }
    }

    /// The owner, which has armed the poller, releases the connection. The order matters: see
    /// `slots`.
    pub const fn on_release(self) -> OnRelease {
        match self.state() {
            SlotState::OwnedDirty => {
                OnRelease::Again(Ownership::of(self.generation(), SlotState::Owned))
            }
            SlotState::Vacant | SlotState::Idle | SlotState::Owned => {
                OnRelease::Idle(Ownership::of(self.generation(), SlotState::Idle))
            }
        }
    }

    /// The owner has ended the connection: every event that still comes for it is stale from now
    /// on.
    pub const fn vacated(self) -> Ownership {
        Ownership::of(self.generation().wrapping_add(1), SlotState::Vacant)
    }
}
