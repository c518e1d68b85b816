//! Bytes and bodies that wait with a connection between two turns. An idle connection has none.

use crate::conn::{CloseReason, Moment};
use crate::handler::gate::{Gate, GateRule, Ticket};
use crate::handler::{Payload, Takeover};
use crate::server::base::permits::Permit;
use crate::server::client::access_record::AccessRecord;
use std::sync::Arc;
use std::time::Duration;

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
    /// The gate at which the connection waits, or has waited.
    pub queue: Option<GateWait>,
    /// The reason to close it, when that is left to a worker.
    pub doom: Option<CloseReason>,
    /// The request in progress, for the observer.
    pub access: Option<AccessRecord<'static>>,
    /// Whether the response in progress has, or had, a body that did not share the write of its
    /// head.
    pub is_long: bool,
    /// The bytes that the memory budget has counted.
    pub counted: HeldBytes,
}

/// A connection's wait for room in a gate, without a thread.
#[derive(Debug)]
pub struct GateWait {
    pub gate: Arc<Gate>,
    pub ticket: Ticket,
    pub since: Duration,
    /// When it has waited in vain.
    pub until: Moment,
}

/// A body that does not share the write of its head. The payload holds the unsent rest of it.
#[derive(Debug)]
pub struct PendingBody {
    pub payload: Payload,
    /// Bytes of a payload in memory that have been sent.
    pub sent: usize,
    pub is_chunked: bool,
    /// The payload is read, and dropped, only inside of this gate.
    pub gate: Option<GateRule>,
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
        self.counted == HeldBytes::default()
            && !self.is_long
            && !self.is_unfinished()
            && self.queue.is_none()
            && self.doom.is_none()
    }

    /// Drops the body, inside of its gate.
    pub fn drop_body(&mut self) {
        if let Some(body) = self.body.take() {
            if let Some(GateRule { gate, most }) = body.gate {
                gate.discard(most, body.payload);
            }
        }
    }

    /// Whether only a worker may go on with it or end it: what it holds is a file, or the
    /// program's, whose reads and Drop may block.
    pub fn needs_worker(&self) -> bool {
        let may_block = |body: &PendingBody| {
            matches!(body.payload, Payload::File { .. } | Payload::Stream { .. })
        };
        self.body.as_ref().is_some_and(may_block) || self.takeover.is_some() || self.queue.is_some()
    }
}
