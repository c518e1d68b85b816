//! What others see of a thread that serves: whether it gets on, and how long a peer has kept it waiting.
//!
//! In: marks that the thread sets on its way, each one store to memory that is mostly its own. Out: what the housekeeper makes of them.
//! Never: a lock; a mark that costs a request more than it has to.

use super::shared::Shared;
use crate::conn::{CloseReason, Moment};
use crate::limits::{DETACHED_WAIT, PEER_WAIT};
use crate::sys::{Interest, Stream};
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

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
    cut: AtomicU64,
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

    /// The wait for a peer that goes on now, and since when.
    pub fn waits(&self) -> Option<(u64, Moment)> {
        let wait = self.wait.load(Ordering::SeqCst);
        (wait != 0).then(|| (wait, Moment(self.since.load(Ordering::SeqCst))))
    }

    /// Whether this wait is to end, and the thread has not heard of it.
    pub fn is_cut(&self, wait: u64) -> bool {
        self.cut.load(Ordering::SeqCst) == wait
    }

    /// Ends this wait, if it still goes on.
    pub fn cut(&self, wait: u64) {
        self.cut.store(wait, Ordering::SeqCst);
    }
}

/// How a wait for a peer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WaitOutcome {
    /// The socket is ready.
    Ready,
    /// The time is over.
    TimedOut,
    /// It was cut: the server needs the thread for others, or has ended.
    Cut(CloseReason),
}

/// The waits of one request for its peer, and how long they have been in all.
pub struct PeerWait<'a> {
    shared: &'a Shared,
    heartbeat: &'a Heartbeat,
    waited: Duration,
    /// How soon a cut is heard of.
    slice: Duration,
    /// Whether the thread may not be lent to a peer's content when too many are: until the first such wait.
    is_new: bool,
}

impl<'a> PeerWait<'a> {
    /// Nobody has been waited for yet.
    pub fn new(shared: &'a Shared, heartbeat: &'a Heartbeat) -> PeerWait<'a> {
        PeerWait {
            shared,
            heartbeat,
            waited: Duration::ZERO,
            slice: PEER_WAIT,
            is_new: true,
        }
    }

    /// The same on a thread of which there may be many, and that nobody cuts before the server's end.
    pub fn detached(shared: &'a Shared, heartbeat: &'a Heartbeat) -> PeerWait<'a> {
        PeerWait {
            slice: DETACHED_WAIT,
            is_new: false,
            ..PeerWait::new(shared, heartbeat)
        }
    }

    /// The time.
    pub fn now(&self) -> Moment {
        Moment::at(self.shared.clock.now().0)
    }

    /// Blocks until the socket is ready, the deadline is over, or somebody cuts it.
    ///
    /// # Errors
    /// Those of poll(2).
    pub fn wait(
        &mut self,
        stream: &mut Stream,
        interest: Interest,
        deadline: Moment,
    ) -> io::Result<WaitOutcome> {
        // Whoever has begun goes on; content that is asked for now, and is not here, finds no worker to spare.
        let is_new = std::mem::take(&mut self.is_new);
        if is_new && interest == Interest::Read && self.shared.pool.has_none_to_spare() {
            return Ok(WaitOutcome::Cut(CloseReason::Overload));
        }
        let heartbeat = self.heartbeat;
        let begun = self.now();
        let number = heartbeat.count.load(Ordering::Relaxed) + 1;
        heartbeat.count.store(number, Ordering::Relaxed);
        let since = begun.0.saturating_sub(Moment::at(self.waited).0);
        heartbeat.since.store(since, Ordering::SeqCst);
        heartbeat.wait.store(number, Ordering::SeqCst);
        let waited = self.wait_in_slices(stream, interest, deadline, number);
        heartbeat.wait.store(0, Ordering::SeqCst);
        self.waited += self.now().since(begun);
        waited
    }

    /// A blocked poll(2) hears of nothing but its socket, on any system; so it is begun anew often enough to hear of a cut.
    fn wait_in_slices(
        &self,
        stream: &mut Stream,
        interest: Interest,
        deadline: Moment,
        number: u64,
    ) -> io::Result<WaitOutcome> {
        let mut is_ready = false;
        // Ends with the deadline, which every wait has.
        loop {
            if self.shared.has_ended() {
                return Ok(WaitOutcome::Cut(CloseReason::Shutdown));
            }
            // Also when the socket is ready: a peer that sends an octet within each slice would never be cut, and as the one that
            // waits longest would keep all others from it.
            if self.heartbeat.cut.load(Ordering::SeqCst) == number {
                return Ok(WaitOutcome::Cut(CloseReason::Overload));
            }
            if is_ready {
                return Ok(WaitOutcome::Ready);
            }
            let now = self.now();
            if deadline <= now {
                return Ok(WaitOutcome::TimedOut);
            }
            is_ready = stream.wait(interest, self.slice.min(deadline.since(now)))?;
        }
    }
}
