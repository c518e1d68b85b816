//! Who has to go when there is no room: for a new connection, or for the bytes that connections hold.
//!
//! What each slot shows of its connection can be read without owning it, so a scan is cheap. A
//! connection in the middle of a message is never closed for the sake of a new one.

use crate::conn::{CloseReason, Moment};
use crate::limits::CLOSED_AT_ONCE;
use crate::server::client::Client;
use crate::server::client::wait_state::WaitKind;
use crate::server::shared::Shared;
use crate::server::shared::budget::OverloadKind;
use std::time::Duration;

/// How long a client may read nothing of a response body that a handler built in memory, before
/// that connection may be closed because all such bodies together exceed
/// [`Limits::parked_bytes`](crate::Limits::parked_bytes).
pub const STALLED_AFTER: Duration = Duration::from_secs(1);

/// When all slots are taken, one idle connection in this many slots is closed. So each new
/// connection pays for a look at this many slots, however many there are, and a server for few
/// connections closes one of them and not all.
const SLOTS_PER_EVICTION: usize = 256;

impl Shared {
    /// How many idle connections are closed when all slots are taken. A scan looks at every slot, so what it frees grows with their
    /// number; a server for few connections loses one.
    pub(crate) fn evicted_when_full(&self) -> usize {
        (self.slots.most() / SLOTS_PER_EVICTION).clamp(1, CLOSED_AT_ONCE)
    }

    /// Closes up to `most` of the connections that have been idle longest, and answers how many that were.
    pub(crate) fn evict(&self, most: usize) -> usize {
        let mut evicted = 0;
        for (index, wait_state) in self.slots.oldest(WaitKind::Idle, CLOSED_AT_ONCE) {
            if evicted == most {
                break;
            }
            let Some(mut owned) = self.slots.claim(index, |_| true) else {
                continue;
            };
            // Since the scan, the slot may have been given to another.
            let reason = match owned.client.wait_state == wait_state {
                true => evictable(&mut owned.client),
                false => None,
            };
            match reason {
                Some(reason) => {
                    self.close(owned, reason);
                    evicted += 1;
                }
                None => self.release(owned),
            }
        }
        evicted
    }

    /// Closes the connections for which octets have been kept longest, until what is kept for all is within the limit.
    pub(crate) fn enforce_memory_limit(&self) {
        let limit = self.config.limits.parked_bytes;
        if self.budget.parked() > limit {
            self.report_parked(limit);
            self.close_oldest(WaitKind::Buffered, |_| self.budget.parked() > limit);
            // Input is kept for some of these as well.
            self.close_oldest(WaitKind::OwnsBody, |_| self.budget.parked() > limit);
        }
    }

    /// Gives up content that the program made and that is more than the limit for all. What a program makes it may need, however
    /// much: so only those lose it that have taken nothing of it for a while, and the last one never does.
    pub(crate) fn enforce_body_limit(&self) {
        let limit = self.config.limits.parked_bytes;
        if self.budget.made() <= limit {
            return;
        }
        let now = Moment::at(self.clock.now().0);
        let stalls = |client: &Client| {
            self.budget.made() > limit
                && client.counted().made < self.budget.made()
                && client.wait_state.since().after(STALLED_AFTER) <= now
        };
        // Each round closes one at least; as many as one scan finds may have come since the last sweep several times over.
        while self.close_oldest(WaitKind::OwnsBody, stalls) > 0 {
            self.report_parked(limit);
        }
    }

    fn report_parked(&self, limit: usize) {
        self.report(OverloadKind::Parked, Moment::at(self.clock.now().0), || {
            format!(
                "too much is kept for connections that wait (limit {limit} octets): those that wait longest are closed"
            )
        });
    }

    /// Closes those that have waited so longest while `must_go` says so, and answers how many that were.
    fn close_oldest(&self, kind: WaitKind, must_go: impl Fn(&Client) -> bool) -> usize {
        let mut closed = 0;
        for (index, wait_state) in self.slots.oldest(kind, CLOSED_AT_ONCE) {
            match self.slots.claim(index, |_| true) {
                Some(owned) if owned.client.wait_state == wait_state && must_go(&owned.client) => {
                    self.close(owned, CloseReason::Overload);
                    closed += 1;
                }
                Some(owned) => self.release(owned),
                None => {}
            }
        }
        closed
    }
}

/// Why an idle connection may be closed for the sake of another. `None`: a request has arrived, and nobody has come to read it yet.
fn evictable(client: &mut Client) -> Option<CloseReason> {
    if client.is_silent() {
        return Some(CloseReason::Overload);
    }
    if !client.is_between_requests() {
        return None;
    }
    // The client has gone, and nobody has come to see that yet.
    client.stream.end().map(|end| match end {
        Ok(()) => CloseReason::PeerClosed,
        Err(_) => CloseReason::Failed,
    })
}
