//! What a server does when it has no room for more: who has to go, and who hears of it.
//!
//! In: what each slot shows of its connection without being owned, and the count of octets that are kept for those that wait.
//! Out: how a connection is claimed (`slots`), how it ends (`ending`); who is turned away (`worker`). Never: a connection that is in
//! the middle of a message closed for the sake of a new one; work without a bound.

use super::catch_panic::catch_panic;
use super::client::Client;
use super::shared::Shared;
use super::wait_state::WaitKind;
use crate::conn::{CloseReason, Moment};
use crate::limits::{CLOSED_AT_ONCE, EVICTED_SHARE, OVERLOAD_SAID_EVERY, STALLS_FROM};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// What there is to say about an overload: each of these once a minute, so that none hides another.
#[derive(Clone, Copy, Debug)]
pub enum OverloadKind {
    /// A new connection was turned away.
    Full,
    /// Idle connections were closed for the sake of a new one.
    Evicts,
    /// An address has as many connections as it may.
    Address,
    /// A listener rests.
    Accept,
    /// Too much is kept for connections that wait.
    Parked,
    /// A thread could not be started.
    Threads,
}

/// How many of [`OverloadKind`] there are.
const OVERLOAD_KINDS: usize = OverloadKind::Threads as usize + 1;

/// What is counted of it.
#[derive(Debug)]
pub struct Overload {
    /// When each trouble was told of the last time.
    reported: [AtomicU64; OVERLOAD_KINDS],
    /// Octets that are kept for all connections that wait,
    parked: AtomicUsize,
    /// and of content that the program made for them in memory.
    made: AtomicUsize,
}

impl Overload {
    /// Nothing yet.
    pub fn new() -> Overload {
        Overload {
            reported: [const { AtomicU64::new(Moment::NEVER.0) }; OVERLOAD_KINDS],
            parked: AtomicUsize::new(0),
            made: AtomicUsize::new(0),
        }
    }

    /// Whether it is time to tell of this trouble. True for one of several that ask at once.
    fn is_due(&self, kind: OverloadKind, now: Moment) -> bool {
        let clock = &self.reported[kind as usize];
        let reported = clock.load(Ordering::Relaxed);
        let again = Moment(reported).after(OVERLOAD_SAID_EVERY);
        if reported != Moment::NEVER.0 && now < again {
            return false;
        }
        clock
            .compare_exchange(reported, now.0, Ordering::Relaxed, Ordering::Relaxed)
            .is_ok()
    }
}

impl Shared {
    /// Tells the observer of a trouble, once a minute.
    pub(super) fn report(&self, kind: OverloadKind, now: Moment, why: impl FnOnce() -> String) {
        let Some(observer) = &self.observer else {
            return;
        };
        if self.overload.is_due(kind, now) {
            // Whoever comes here has no connection that a panic could end: the thread goes on.
            catch_panic(|| observer.overload(&why()));
        }
    }

    /// How many idle connections are closed when all slots are taken. A scan looks at every slot, so what it frees grows with their
    /// number; a server for few connections loses one.
    pub(super) fn evicted_when_full(&self) -> usize {
        (self.slots.most() / EVICTED_SHARE).clamp(1, CLOSED_AT_ONCE)
    }

    /// Closes up to `most` of the connections that have been idle longest, and answers how many that were.
    pub(super) fn evict(&self, most: usize) -> usize {
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
                None => self.leave(owned),
            }
        }
        evicted
    }

    /// Counts what is kept for a connection behind a turn. True when that has become more.
    pub(super) fn count_parked(&self, client: &mut Client) -> bool {
        let (before, now) = client.count();
        // Nothing is kept for most connections, and then there is nothing to count.
        recount(&self.overload.parked, before.parked, now.parked);
        recount(&self.overload.made, before.made, now.made);
        now.parked > before.parked || now.made > before.made
    }

    /// A connection has ended: what was counted for it counts no more.
    pub(super) fn give_back(&self, client: &Client) {
        self.per_address.leave(client.peer);
        let counted = client.counted();
        recount(&self.overload.parked, counted.parked, 0);
        recount(&self.overload.made, counted.made, 0);
    }

    /// Octets that are kept for all connections that wait.
    pub fn parked(&self) -> usize {
        self.overload.parked.load(Ordering::SeqCst)
    }

    /// Octets of content that the program made in memory for connections that wait.
    pub fn made(&self) -> usize {
        self.overload.made.load(Ordering::SeqCst)
    }

    /// Closes the connections for which octets have been kept longest, until what is kept for all is within the limit.
    pub(super) fn enforce_memory_limit(&self) {
        let limit = self.config.limits.parked_bytes;
        if self.parked() > limit {
            self.report_parked(limit);
            self.close_oldest(WaitKind::Buffered, |_| self.parked() > limit);
            // Input is kept for some of these as well.
            self.close_oldest(WaitKind::OwnsBody, |_| self.parked() > limit);
        }
    }

    /// Gives up content that the program made and that is more than the limit for all. What a program makes it may need, however
    /// much: so only those lose it that have taken nothing of it for a while, and the last one never does.
    pub(super) fn enforce_body_limit(&self) {
        let limit = self.config.limits.parked_bytes;
        if self.made() <= limit {
            return;
        }
        let now = Moment::at(self.clock.now().0);
        let stalls = |client: &Client| {
            self.made() > limit
                && client.counted().made < self.made()
                && client.wait_state.since().after(STALLS_FROM) <= now
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
                Some(owned) => self.leave(owned),
                None => {}
            }
        }
        closed
    }
}

fn recount(count: &AtomicUsize, before: usize, now: usize) {
    match now.checked_sub(before) {
        Some(0) => {}
        Some(more) => drop(count.fetch_add(more, Ordering::SeqCst)),
        None => drop(count.fetch_sub(before - now, Ordering::SeqCst)),
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
