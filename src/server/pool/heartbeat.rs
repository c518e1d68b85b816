//! A serving thread's progress, as others see it, and its waits for peers.
//!
//! Each thread publishes its progress with plain stores to its own memory; the housekeeper reads
//! them. No locks: a mark must cost a request next to nothing.

use crate::conn::Moment;
use crate::sys::ThreadProbe;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// The thread serves an event.
const BUSY: u64 = 1;
/// It is inside the program's code.
const IN_PROGRAM: u64 = 2;
/// The request is known to compute, and such requests run on few threads at a time.
const COMPUTES: u64 = 4;
/// The call is counted in the share of its kind: see `shares`.
const COUNTED: u64 = 8;
const STATE: u64 = BUSY | IN_PROGRAM | COMPUTES | COUNTED;
/// Each sign of progress adds this.
const STEP: u64 = 16;

/// A thread that uses less than one part in this many of a processor's time is blocked.
const BLOCKED_BELOW: u32 = 8;

/// The reading of a thread's processor time that a look compares with must be younger than this, or
/// of the same call: the thread may have done much else since an older one. Looks come every 5 ms.
const READING_LASTS: Duration = Duration::from_millis(50);

/// How long a peer can keep a worker waiting, in all waits of one request, before that wait may be
/// cancelled for the sake of others. It is cancelled only when there are as many workers as
/// allowed, all of them are blocked, and events wait.
pub const CANCEL_AFTER: Duration = Duration::from_secs(1);

/// What a look finds a thread at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activity {
    /// It waits for an event, or gets on with one.
    Alive,
    /// It is inside the program's code, or gets no further, and not known to be blocked.
    Held,
    /// The same, and it uses next to no processor time.
    Blocked,
    /// It computes, as one of few.
    Computes,
}

/// What a look finds.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    pub activity: Activity,
    /// Whether there has been progress since the last look.
    pub moved: bool,
    /// Whether it waits for its peer.
    pub waits: bool,
    /// Whether it is inside the program's code with a call of which nobody knows the kind.
    pub is_uncounted: bool,
}

#[derive(Default)]
pub struct Heartbeat {
    /// What the thread does, in the lowest bits, and above them a number that rises with each sign
    /// of progress.
    epoch: AtomicU64,
    /// The `epoch` that the housekeeper saw last.
    seen: AtomicU64,
    /// Absent where the system cannot tell the processor time of a thread.
    probe: OnceLock<Box<dyn ThreadProbe>>,
    /// The last reading of that time, in nanoseconds, when it was taken, and the `epoch` then.
    reading: AtomicU64,
    read_at: AtomicU64,
    read_in: AtomicU64,
    /// The thread answers for those that are all blocked: it calls no handler.
    pub rejects: bool,
    /// Waits for peers so far.
    count: AtomicU64,
    /// The number of the present wait; 0 is none.
    wait: AtomicU64,
    /// The `wait` that the housekeeper saw last.
    seen_wait: AtomicU64,
    /// When that wait would have begun if all waits of this request had been one.
    since: AtomicU64,
    /// The number of the wait that is to end.
    cancelled: AtomicU64,
}

impl Heartbeat {
    /// For a thread that calls no handler.
    pub fn rejecting() -> Heartbeat {
        Heartbeat {
            rejects: true,
            ..Heartbeat::default()
        }
    }

    /// The thread begins its work. Called on that thread, whose probe this is.
    pub fn start(&self, probe: Option<Box<dyn ThreadProbe>>, now: Moment) {
        if let Some(probe) = probe {
            self.read_time(&*probe, now);
            // The cell is empty: a heartbeat is of one thread.
            let _ = self.probe.set(probe);
        }
    }

    pub fn begin(&self) {
        self.step(BUSY);
    }

    /// Whether the request that the thread is about to handle is known to compute, and whether it
    /// is counted in the share of its kind.
    pub fn set_call(&self, computes: bool, is_counted: bool) {
        let computes = u64::from(computes) * COMPUTES;
        let counted = u64::from(is_counted) * COUNTED;
        self.step(BUSY | computes | counted);
    }

    /// The thread enters the program's code.
    pub fn enter_program(&self) {
        let call = self.epoch.load(Ordering::Relaxed) & (COMPUTES | COUNTED);
        self.step(BUSY | IN_PROGRAM | call);
    }

    /// The thread has left the program's code.
    pub fn leave_program(&self) {
        self.step(BUSY);
    }

    pub fn end(&self) {
        self.step(0);
    }

    /// There is one writer only, so this need not be an atomic addition.
    fn step(&self, state: u64) {
        let epoch = self.epoch.load(Ordering::Relaxed) & !STATE;
        let next = epoch.wrapping_add(STEP) | state;
        self.epoch.store(next, Ordering::Release);
    }

    /// What the thread does now. For the housekeeper alone, and not after the thread's end. With
    /// `judges` it also tells whether a thread that is held is blocked: by its processor time since
    /// the last such look, or else, without a reading of that, by its progress.
    pub fn look(&self, now: Moment, judges: bool) -> Look {
        let epoch = self.epoch.load(Ordering::Acquire);
        let moved = epoch != self.seen.swap(epoch, Ordering::Relaxed);
        // In one wait for its peer since the last look: that needs no reading of its time, which
        // is a system call.
        let wait = self.wait.load(Ordering::SeqCst);
        let still_waits = self.seen_wait.swap(wait, Ordering::Relaxed) == wait && wait != 0;
        let activity = match epoch & STATE {
            0 => Activity::Alive,
            BUSY if moved => Activity::Alive,
            state if state & COMPUTES != 0 => Activity::Computes,
            _ if judges && (still_waits || self.is_blocked(now, epoch, moved)) => Activity::Blocked,
            _ => Activity::Held,
        };
        Look {
            activity,
            moved,
            waits: wait != 0,
            is_uncounted: epoch & (IN_PROGRAM | COMPUTES | COUNTED) == IN_PROGRAM,
        }
    }

    fn is_blocked(&self, now: Moment, epoch: u64, moved: bool) -> bool {
        let Some(probe) = self.probe.get() else {
            return !moved;
        };
        let read_at = Moment(self.read_at.load(Ordering::Relaxed));
        let before = self.reading.load(Ordering::Relaxed);
        let same_call = self.read_in.swap(epoch, Ordering::Relaxed) == epoch;
        let Some(used) = self.read_time(&**probe, now) else {
            return !moved;
        };
        let elapsed = now.since(read_at);
        if elapsed > READING_LASTS && !same_call {
            return false;
        }
        let used = Duration::from_nanos(used.saturating_sub(before));
        BLOCKED_BELOW * used < elapsed
    }

    /// Whether the thread only waits for a processor, where that is known. Asks the system.
    pub fn is_runnable(&self) -> bool {
        let probe = self.probe.get();
        probe.and_then(|probe| probe.is_runnable()) == Some(true)
    }

    fn read_time(&self, probe: &dyn ThreadProbe, now: Moment) -> Option<u64> {
        let used = probe.time()?.as_nanos() as u64;
        self.reading.store(used, Ordering::Relaxed);
        self.read_at.store(now.0, Ordering::Relaxed);
        Some(used)
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

/// Cancels the longest wait for a peer, if one may be cancelled: `most` at a time.
pub fn cancel_longest(heartbeats: &[Arc<Heartbeat>], most: usize, now: Moment) -> bool {
    let waiting = heartbeats
        .iter()
        .filter_map(|heartbeat| Some((heartbeat, heartbeat.waits()?)));
    // A cancelled worker notices only when its present slice of time is over.
    let (cancelled, others): (Vec<_>, Vec<_>) =
        waiting.partition(|(heartbeat, (wait, _))| heartbeat.is_cancelled(*wait));
    let longest = others.into_iter().min_by_key(|(_, (_, since))| *since);
    let longest = longest
        .filter(|(_, (_, since))| since.after(CANCEL_AFTER) <= now && cancelled.len() < most);
    if let Some((heartbeat, (wait, _))) = longest {
        heartbeat.cancel(wait);
    }
    longest.is_some()
}

impl fmt::Debug for Heartbeat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let epoch = self.epoch.load(Ordering::Relaxed);
        f.debug_struct("Heartbeat")
            .field("epoch", &epoch)
            .finish_non_exhaustive()
    }
}
