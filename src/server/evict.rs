//! Eviction: which connections are closed when a new one needs a slot or a descriptor, or when all
//! of them hold too many bytes.
//!
//! Each slot shows the wait of its connection without being owned, so a scan is cheap. Idle
//! connections are closed for the sake of a new one, and if there are none, those that take long to
//! send a request; never one whose request a handler knows.

use crate::conn::{CloseReason, Moment};
use crate::limits::CLOSED_AT_ONCE;
use crate::server::base::overload::Overload;
use crate::server::client::Client;
use crate::server::client::slots::Owned;
use crate::server::client::wait_state::{WaitKind, WaitState};
use crate::server::shared::Shared;
use crate::server::shared::budget::OverloadKind;
use std::time::Duration;

/// How long a client may read nothing of a response body that a handler built in memory, before
/// that connection may be closed because all such bodies together exceed
/// [`Limits::parked_bytes`](crate::Limits::parked_bytes).
pub const STALLED_AFTER: Duration = Duration::from_secs(1);

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
        for (index, wait_state) in self.slots.oldest(&[WaitKind::Idle], CLOSED_AT_ONCE) {
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
        for (index, wait_state) in self.slots.oldest(&[WaitKind::HalfRequest], CLOSED_AT_ONCE) {
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

    /// Closes the connections that have held buffered bytes longest, until all of them are within
    /// the limit.
    pub(crate) fn enforce_memory_limit(&self) {
        let limit = self.config.limits.parked_bytes;
        if self.budget.parked() > limit {
            self.report_parked(limit);
            let kinds = [WaitKind::Buffered, WaitKind::HalfRequest];
            self.close_oldest(&kinds, |_| self.budget.parked() > limit);
            // Some of these hold buffered input as well.
            self.close_oldest(&[WaitKind::OwnsBody], |_| self.budget.parked() > limit);
        }
    }

    /// Closes connections whose bodies, built by handlers in memory, exceed the limit for all. A
    /// handler may need whatever it builds, however large: so only connections whose client has
    /// read nothing for a while are closed, and never the last one.
    pub(crate) fn enforce_body_limit(&self) {
        let limit = self.config.limits.parked_bytes;
        if self.budget.made() <= limit {
            return;
        }
        let now = Moment::at(self.clock.now().0);
        let must_go = |client: &Client| {
            self.budget.made() > limit
                && client.counted().made < self.budget.made()
                && client.wait_state.since().after(STALLED_AFTER) <= now
        };
        // Each round closes at least one. One scan finds a bounded number, and several times as
        // many may have come since the last sweep.
        while self.close_oldest(&[WaitKind::OwnsBody], must_go) > 0 {
            self.report_parked(limit);
        }
    }

    fn report_parked(&self, limit: usize) {
        self.report(OverloadKind::Parked, Moment::at(self.clock.now().0), || {
            Overload::Parked { limit }
        });
    }

    /// Closes the connections with these kinds of waits, the longest first, while `must_go` agrees,
    /// and returns how many.
    fn close_oldest(&self, kinds: &[WaitKind], must_go: impl Fn(&Client) -> bool) -> usize {
        let mut closed = 0;
        for (index, wait_state) in self.slots.oldest(kinds, CLOSED_AT_ONCE) {
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
