//! Bytes and bodies that wait with a connection between two turns. An idle connection has none.

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
    /// The body that follows `unsent`.
    pub body: Option<PendingBody>,
    /// The program's part that follows `unsent` instead of a body.
    pub takeover: Option<PendingTakeover>,
    /// The request in progress, for the observer.
    pub access: Option<AccessRecord<'static>>,
    /// Whether the response in progress has, or had, a body that did not share the write of its
    /// head.
    pub is_long: bool,
    /// The bytes that the memory budget has counted.
    pub counted: HeldBytes,
}

/// A body that does not share the write of its head. The payload holds the unsent rest of it.
#[derive(Debug)]
pub struct PendingBody {
    pub payload: Payload,
    /// Bytes of a payload in memory that have been sent.
    pub sent: usize,
    pub is_chunked: bool,
}

/// The program's use of a connection once everything before it has been sent.
#[derive(Debug)]
pub struct PendingTakeover {
    pub takeover: Takeover,
    pub is_chunked: bool,
    /// The permit for a thread of its own. A writer without one runs on its worker.
    pub permit: Option<Permit>,
}

/// Memory that a connection holds between two turns and shares with no other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HeldBytes {
    /// Held by the server: input that is not a whole message, and output that the client has not
    /// taken.
    pub parked: usize,
    /// Held by the program: a body that it built for one response, kept as a whole until its last
    /// byte is sent.
    pub made: usize,
}

impl Pending {
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

    /// Whether a body or a takeover follows the framed bytes.
    pub fn has_content(&self) -> bool {
        self.body.is_some() || self.takeover.is_some()
    }

    pub fn is_empty(&self) -> bool {
        self.counted == HeldBytes::default() && !self.is_long && !self.is_unfinished()
    }
}
