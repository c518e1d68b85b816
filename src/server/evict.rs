//! Eviction: which connections are closed when a new one needs a slot or a descriptor.
//!
//! Each slot shows the wait of its connection without being owned, so a scan is cheap. Idle
//! connections are closed for the sake of a new one, and if there are none, those that take long to
//! send a request; never one whose request a handler knows.

use crate::conn::{CloseReason, Moment};
use crate::limits::CLOSED_AT_ONCE;
use crate::server::client::Client;
use crate::server::client::slots::Owned;
use crate::server::client::wait_state::{WaitKind, WaitState};
use crate::server::shared::Shared;
use std::time::Duration;

/// How long a connection has been idle, or in the middle of sending its request, before it may be
/// closed for the sake of a new one. Clients that ask again sooner are not idle: with more of them
/// than slots, each would only take the connection of another.
pub const EVICTED_AFTER: Duration = Duration::from_secs(1);

/// When all slots are taken, one idle connection in this many slots is closed. So each new
/// connection pays for a look at this many slots, however many there are, and a server for few
/// connections closes one of them and not all.
const SLOTS_PER_EVICTION: usize = 256;

impl Shared {
    /// The number of idle connections to close when all slots are taken. A scan looks at every
    /// slot, so the number grows with that of the slots; a server for few connections closes one.
    pub(crate) fn evicted_when_full(&self) -> usize {
        (self.slots.capacity() / SLOTS_PER_EVICTION).clamp(1, CLOSED_AT_ONCE)
    }

    /// Closes up to `max` of the connections that have been idle longest, and returns how many.
    /// Looks at as many that have not been idle for long, as their clients may have gone.
    pub(crate) fn evict(&self, max: usize, now: Moment) -> usize {
        let (mut evicted, mut recent) = (0, 0);
        for (index, wait_state) in self.oldest(WaitKind::Idle) {
            if evicted == max || recent == max {
                break;
            }
            recent += usize::from(!has_lasted(wait_state, now));
            let Some(mut owned) = self.claim_again(index, wait_state) else {
                continue;
            };
            match evictable(&mut owned.client, now) {
                Some(reason) => {
                    self.close(owned, reason);
                    evicted += 1;
                }
                None => self.release(owned),
            }
        }
        evicted
    }

    /// Takes up to `max` of the connections that have been sending a request longest: the caller
    /// closes them.
    pub(crate) fn claim_slow(&self, max: usize, now: Moment) -> Vec<Owned> {
        let mut slow = Vec::new();
        for (index, wait_state) in self.oldest(WaitKind::HalfRequest) {
            if slow.len() == max || !has_lasted(wait_state, now) {
                break;
            }
            let Some(mut owned) = self.claim_again(index, wait_state) else {
                continue;
            };
            // More of it, or the end, has arrived, and no worker has read that yet.
            match owned.client.has_arrived() {
                true => self.release(owned),
                false => slow.push(owned),
            }
        }
        slow
    }

    /// Takes a connection that a scan has found, unless it waits for something else by now, or its
    /// slot has been given to another.
    fn claim_again(&self, index: usize, wait_state: WaitState) -> Option<Owned> {
        let owned = self.slots.claim(index, |_| true)?;
        if owned.client.wait_state == wait_state {
            return Some(owned);
        }
        self.release(owned);
        None
    }

    /// The first connections with this kind of wait, those first that have waited longest.
    fn oldest(&self, kind: WaitKind) -> Vec<(usize, WaitState)> {
        let is_one = |wait: WaitState| (wait.kind() == kind).then_some(wait);
        self.slots.first_by(CLOSED_AT_ONCE, is_one)
    }
}

/// Whether this wait is so long that its connection may be closed for the sake of a new one.
fn has_lasted(wait_state: WaitState, now: Moment) -> bool {
    wait_state.since().after(EVICTED_AFTER) <= now
}

/// The reason to close an idle connection for the sake of another. `None`: it has not been idle for
/// long, or a request has arrived that no worker has read yet.
fn evictable(client: &mut Client, now: Moment) -> Option<CloseReason> {
    if client.is_silent() {
        return has_lasted(client.wait_state, now).then_some(CloseReason::Overload);
    }
    if !client.is_between_requests() {
        return None;
    }
    // The client has gone, and no worker has noticed yet.
    client.stream.end().map(|end| match end {
        Ok(()) => CloseReason::PeerClosed,
        Err(_) => CloseReason::Failed,
    })
}
