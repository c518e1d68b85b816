//! What others see of a thread that serves: whether it gets on, and how long a peer has kept it waiting.
//!
//! In: marks that the thread sets on its way, each one store to memory that is mostly its own. Out: what the housekeeper makes of them.
//! Never: a lock; a mark that costs a request more than it has to.

use crate::conn::Moment;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// What a look at a thread finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Liveness {
    /// It gets on, or waits for an event.
    Alive,
    /// It serves an event and has shown no progress since the last look: from now on it is written off.
    NewlyBlocked,
    /// It was written off before, and there is still no progress.
    Blocked,
    /// It was written off, gets on again, and will say so when its turn ends.
    Recovered,
}

/// The marks of one thread.
#[derive(Debug, Default)]
pub struct Heartbeat {
    /// Odd while the thread serves an event, even while it waits for one. Rises with each sign of progress.
    epoch: AtomicU64,
    /// What the housekeeper saw of `beat` the last time.
    seen: AtomicU64,
    blocked: AtomicBool,
    /// PeerWait for peers so far.
    count: AtomicU64,
    /// Which of them goes on; 0 is none.
    wait: AtomicU64,
    /// When that wait would have begun if all waits of this request had been one.
    since: AtomicU64,
    /// The wait that is to end.
    cancelled: AtomicU64,
}

impl Heartbeat {
    /// An event is going to be served.
    pub fn begin(&self) {
        self.step(1);
    }

    /// A sign of progress within it.
    pub fn progress(&self) {
        self.step(2);
    }

    /// It has been served.
    pub fn end(&self) {
        self.step(1);
    }

    /// One writer only, so this need not be an atomic addition.
    fn step(&self, by: u64) {
        let epoch = self.epoch.load(Ordering::Relaxed);
        self.epoch.store(epoch.wrapping_add(by), Ordering::Release);
    }

    /// What has become of the thread since the last look. For the housekeeper alone.
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

    /// Whether it was written off.
    pub fn is_blocked(&self) -> bool {
        self.blocked.load(Ordering::Relaxed)
    }

    /// Takes it back.
    pub fn reinstate(&self) {
        self.blocked.store(false, Ordering::SeqCst);
    }

    /// A wait for the peer begins, as if at `since`: its number.
    pub fn begin_wait(&self, since: Moment) -> u64 {
        let number = self.count.load(Ordering::Relaxed) + 1;
        self.count.store(number, Ordering::Relaxed);
        self.since.store(since.0, Ordering::SeqCst);
        self.wait.store(number, Ordering::SeqCst);
        number
    }

    /// The wait has ended.
    pub fn end_wait(&self) {
        self.wait.store(0, Ordering::SeqCst);
    }

    /// The wait for a peer that goes on now, and since when.
    pub fn waits(&self) -> Option<(u64, Moment)> {
        let wait = self.wait.load(Ordering::SeqCst);
        (wait != 0).then(|| (wait, Moment(self.since.load(Ordering::SeqCst))))
    }

    /// Whether this wait is to end, and the thread has not heard of it.
    pub fn is_cancelled(&self, wait: u64) -> bool {
        self.cancelled.load(Ordering::SeqCst) == wait
    }

    /// Ends this wait, if it still goes on.
    pub fn cancel(&self, wait: u64) {
        self.cancelled.store(wait, Ordering::SeqCst);
    }
}
