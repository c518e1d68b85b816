//! Bytes and bodies that wait with a connection between two turns. An idle connection has none.

use crate::conn::Moment;
use crate::handler::gate::{Gate, GateRule, Ticket};
use crate::handler::{Payload, Takeover};
use crate::server::base::descriptors::HeldFile;
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
    pub queue: Option<Box<GateWait>>,
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
    pub gate: Option<Box<GateRule>>,
    /// The count of the descriptor of a file.
    pub held_file: Option<HeldFile>,
}

/// The program's use of a connection once everything before it has been sent.
#[derive(Debug)]
pub struct PendingTakeover {
    pub takeover: Takeover,
    pub is_chunked: bool,
    /// The permit for a thread of its own. A writer without one runs on its worker.
    pub permit: Option<Permit>,
}

/// Memory that the server holds for a connection between two turns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HeldBytes {
    /// Held for this connection alone: input that is not a whole message, output that the client
    /// has not taken, and what a response needs until it is sent.
    pub own: usize,
    /// The body, kept as a whole until its last byte is sent.
    pub body: Option<BodyMemory>,
}

/// What a connection with anything pending takes for that alone.
pub const PENDING_BYTES: usize = size_of::<Pending>();

/// A body in memory, which other connections may hold as well. Its address distinguishes it from
/// others for as long as it is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BodyMemory {
    address: usize,
    pub bytes: usize,
}

impl BodyMemory {
    fn of(bytes: &[u8], capacity: usize) -> Option<BodyMemory> {
        let address = bytes.as_ptr() as usize;
        Some(BodyMemory {
            address,
            bytes: capacity,
        })
    }
}

impl Pending {
    pub fn held(&self) -> HeldBytes {
        let (body, of_reader) = match self.body.as_ref().map(|body| &body.payload) {
            Some(Payload::Bytes(bytes)) => (BodyMemory::of(bytes, bytes.capacity()), 0),
            Some(Payload::Shared(bytes)) => (BodyMemory::of(bytes, bytes.len()), 0),
            Some(Payload::Stream { held_bytes, .. }) => (None, *held_bytes),
            _ => (None, 0),
        };
        let takeover = self.takeover.as_ref();
        let of_takeover = takeover.map_or(0, |pending| pending.takeover.bytes());
        let target = self.access.as_ref().map_or(0, |record| record.target.len());
        let own = PENDING_BYTES
            + self.unread.capacity()
            + self.unsent.capacity()
            + of_reader
            + of_takeover
            + target;
        HeldBytes { own, body }
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
        self.unread.is_empty()
            && self.unsent.is_empty()
            && !self.is_long
            && !self.is_unfinished()
            && self.queue.is_none()
    }

    /// Drops the body, inside of its gate. Its descriptor counts until then.
    pub fn drop_body(&mut self) {
        if let Some(body) = self.body.take() {
            if let Some(rule) = body.gate {
                rule.discard((body.payload, body.held_file));
            }
        }
    }

    /// Whether what it holds is a file, or the program's, whose reads and Drop may block.
    pub fn may_block(&self) -> bool {
        let may_block = |body: &PendingBody| {
            matches!(body.payload, Payload::File { .. } | Payload::Stream { .. })
        };
        self.body.as_ref().is_some_and(may_block) || self.takeover.is_some()
    }

    /// Whether only a worker may go on with it or end it: that may block, or it waits for a gate.
    pub fn needs_worker(&self) -> bool {
        self.may_block() || self.queue.is_some()
    }
}
