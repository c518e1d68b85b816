//! A serving thread's progress, as others see it, and its waits for peers.
//!
//! Each thread publishes its progress with plain stores to its own memory; the housekeeper reads
//! them. No locks: a mark must cost a request next to nothing.

use crate::conn::Moment;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Liveness {
    /// It makes progress, or waits for an event.
    Alive,
    /// It serves an event and has made no progress since the last check: from now on it counts as
    /// blocked.
    NewlyBlocked,
    /// It was blocked before, and there is still no progress.
    Blocked,
    /// It was blocked, makes progress again, and will rejoin the pool when its turn ends.
    Recovered,
}

#[derive(Debug, Default)]
pub struct Heartbeat {
    /// Odd while the thread serves an event, even while it waits for one. Rises with each sign of
    /// progress.
    epoch: AtomicU64,
    /// The `epoch` that the housekeeper saw last.
    seen: AtomicU64,
    blocked: AtomicBool,
    /// Waits for peers so far.
    count: AtomicU64,
    /// The number of the present wait; 0 is none.
    wait: AtomicU64,
    /// When that wait would have begun if all waits of this request had been one.
    since: AtomicU64,
    /// The number of the wait that is to end.
    cancelled: AtomicU64,
}

impl Heartbeat {
    pub fn begin(&self) {
        self.step(1);
    }

    /// The thread makes progress with its event.
    pub fn progress(&self) {
        self.step(2);
    }

    pub fn end(&self) {
        self.step(1);
    }

    /// There is one writer only, so this need not be an atomic addition.
    fn step(&self, by: u64) {
        let epoch = self.epoch.load(Ordering::Relaxed);
        self.epoch.store(epoch.wrapping_add(by), Ordering::Release);
    }

    /// The thread's progress since the last check. For the housekeeper alone.
    pub fn check(&self) -> Liveness {
        let epoch = self.epoch.load(Ordering::Acquire);
        let stuck = epoch % 2 == 1 && epoch == self.seen.swap(epoch, Ordering::Relaxed);
        match (stuck, self.is_blocked()) {
            (true, true) => Liveness::Blocked,
            (true, false) => {
                self.blocked.store(true, Ordering::SeqCst);
                Liveness::NewlyBlocked
            }
            (false, true) => Liveness::Recovered,
            (false, false) => Liveness::Alive,
        }
    }

    pub fn is_blocked(&self) -> bool {
        self.blocked.load(Ordering::Relaxed)
    }

    pub fn reinstate(&self) {
        self.blocked.store(false, Ordering::SeqCst);
    }

    /// Begins a wait for the peer, as if at `since`, and returns its number.
    pub fn begin_wait(&self, since: Moment) -> u64 {
        let number = self.count.load(Ordering::Relaxed) + 1;
        self.count.store(number, Ordering::Relaxed);
        self.since.store(since.0, Ordering::SeqCst);
        self.wait.store(number, Ordering::SeqCst);
        number
    }

    pub fn end_wait(&self) {
        self.wait.store(0, Ordering::SeqCst);
    }

    /// The present wait for a peer: its number and its beginning.
    pub fn waits(&self) -> Option<(u64, Moment)> {
        let wait = self.wait.load(Ordering::SeqCst);
        (wait != 0).then(|| (wait, Moment(self.since.load(Ordering::SeqCst))))
    }

    pub fn is_cancelled(&self, wait: u64) -> bool {
        self.cancelled.load(Ordering::SeqCst) == wait
    }

    /// Ends this wait, if it still goes on.
    pub fn cancel(&self, wait: u64) {
        self.cancelled.store(wait, Ordering::SeqCst);
    }
}
