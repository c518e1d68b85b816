//! The poller's tokens: each is a listener, or a slot and its generation.

use crate::sys::Token;

/// Set in the tokens of listeners; no slot has such an index.
const LISTENER_BIT: u64 = 1 << 31;

/// The highest number of slots: their indices leave the listener bit clear.
pub const SLOTS_MAX: usize = LISTENER_BIT as usize - 1;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventSource {
    Listener(usize),
    /// A slot and the generation of the connection in it.
    Slot {
        index: u32,
        /// Which of the slot's connections.
        generation: u32,
    },
}

impl EventSource {
    /// The token that the poller returns with the event.
    pub const fn token(self) -> Token {
        match self {
            EventSource::Listener(number) => Token(LISTENER_BIT | number as u64),
            EventSource::Slot { index, generation } => {
                Token(((generation as u64) << 32) | index as u64)
            }
        }
    }

    pub const fn of(token: Token) -> EventSource {
        let low = token.0 & 0xFFFF_FFFF;
        if low & LISTENER_BIT != 0 {
            return EventSource::Listener((low & !LISTENER_BIT) as usize);
        }
        let (index, generation) = (low as u32, (token.0 >> 32) as u32);
        EventSource::Slot { index, generation }
    }
}
