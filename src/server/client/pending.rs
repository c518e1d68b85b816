//! What waits with a connection between two turns. An idle connection has none of it.

use crate::handler::{Payload, Takeover};
use crate::server::base::permits::Permit;
use crate::server::client::access_record::AccessRecord;

/// The bytes and the body that wait with a connection.
#[derive(Debug, Default)]
pub struct Pending {
    /// Bytes that were read and belong to a message that is not complete.
    pub unread: Vec<u8>,
    /// Bytes of responses that the socket did not take.
    pub unsent: Vec<u8>,
    /// The body that follows them.
    pub body: Option<PendingBody>,
    /// The program's part that follows them, instead of a body.
    pub takeover: Option<PendingTakeover>,
    /// The request that is being answered, for the observer.
    pub access: Option<AccessRecord<'static>>,
    /// Whether the response in progress is, or was, more than what shares the write of its head.
    pub is_long: bool,
    /// What the memory budget has counted.
    pub counted: HeldBytes,
}

/// A body that does not share the write of its head: how much of it is left stands in the payload.
#[derive(Debug)]
pub struct PendingBody {
    pub payload: Payload,
    /// Bytes of a payload in memory that have been sent.
    pub sent: usize,
    pub is_chunked: bool,
}

/// What the program does with the connection once everything before it has been sent.
#[derive(Debug)]
pub struct PendingTakeover {
    pub takeover: Takeover,
    /// Whether what a writer writes is framed as chunks.
    pub is_chunked: bool,
    /// The permit for a thread of its own. A writer without one runs on its worker.
    pub permit: Option<Permit>,
}

/// Memory that a connection holds between two turns and shares with no other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HeldBytes {
    /// By the server: input that is not a whole message, and output that the client has not taken.
    pub parked: usize,
    /// By the program: a body that it made for one response, held as a whole until its last byte is
    /// sent.
    pub made: usize,
}

impl Pending {
    /// The memory that it holds now.
    pub fn held(&self) -> HeldBytes {
        let made = match &self.body {
            Some(PendingBody {
                payload: Payload::Bytes(bytes),
                ..
            }) => bytes.capacity(),
            _ => 0,
        };
        let parked = self.unread.capacity() + self.unsent.capacity();
        HeldBytes { parked, made }
    }

    /// Whether a response is not sent to its end: its body, its takeover or its record is here.
    pub fn is_unfinished(&self) -> bool {
        self.has_content() || self.access.is_some()
    }

    /// Whether something follows the framed bytes.
    pub fn has_content(&self) -> bool {
        self.body.is_some() || self.takeover.is_some()
    }

    /// Whether there is nothing to hold.
    pub fn is_empty(&self) -> bool {
        self.counted == HeldBytes::default() && !self.is_long && !self.is_unfinished()
    }
}
