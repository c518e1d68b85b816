//! The worker threads: started while handlers hold too many of them, and ended when they are not
//! needed.
//!
//! No worker is ended from outside: each ends itself, between two events.

pub mod computing;
pub mod counts;
pub mod heartbeat;
pub mod shares;
pub mod thread_guard;

use crate::conn::Moment;
use crate::server::base::lock::lock;
use crate::server::base::signal::Signal;
use crate::server::pool::computing::Computing;
use crate::server::pool::counts::WorkerCounts;
use crate::server::pool::heartbeat::{Activity, Heartbeat, cancel_longest};
use crate::server::pool::shares::Shares;
use crate::sys::Poller;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

/// The highest number of workers, whatever [`Limits::workers_max`](crate::Limits::workers_max)
/// says.
const WORKERS_MAX: usize = 4096;

/// How long a stand-in waits for an event before its thread ends: long enough that handlers which
/// block now and then do not start a thread each time.
pub const SPARE_WORKER_ENDS_AFTER: Duration = Duration::from_secs(2);

/// How often half of the workers that no load has needed since the last time are let go. Events are
/// shared among all workers, so that a busy server gives each of them one in time, and pays for the
/// switches between them.
pub const TRIM_EVERY: Duration = Duration::from_secs(1);

/// The most workers that one look asks whether they only wait for a processor. It takes about 5 µs
/// each. A sample that is too small misses the few that compute among many that are blocked.
const ASKED_MAX: usize = 64;

/// The same at the cap, where one look may follow the other for as long as a load lasts.
const ASKED_AT_CAP: usize = 16;

/// How long no worker may return from its handler, while there are as many as allowed, before
/// requests are rejected.
pub const EXHAUSTED_AFTER: Duration = Duration::from_secs(5);

/// A server of fewer workers never rejects requests for want of one: they wait.
const REJECTS_FROM: usize = 4;

/// How long the end of a server waits for its workers, which have nothing left to do unless a
/// handler does not return.
const WORKERS_END_WITHIN: Duration = Duration::from_secs(1);

/// In place of the moment since which events have waited: none waits any more.
const CAUGHT_UP: u64 = Moment::NEVER.0 - 1;

/// There are stand-ins.
const GROWN: u8 = 1;
/// Some workers are to end with their turn.
const TRIMS: u8 = 2;
/// No worker has returned for long.
const EXHAUSTED: u8 = 4;
/// Calls are counted in the share of their kind.
const CROWDED: u8 = 8;

/// The workers of a server.
#[derive(Debug)]
pub struct Pool {
    state: Mutex<PoolState>,
    changed: Condvar,
    /// The housekeeper sleeps until its next sweep, because a worker waited for events at its last
    /// check.
    dozes: AtomicBool,
    /// What a worker has to know between two turns.
    mood: AtomicU8,
    /// Since when events wait for workers that handlers hold, in milliseconds.
    behind: AtomicU64,
    /// The requests that compute.
    pub computing: Computing,
    /// The workers that requests of one kind hold.
    pub shares: Shares,
    blocking_share: usize,
}

#[derive(Debug)]
struct PoolState {
    counts: WorkerCounts,
    heartbeats: Vec<Arc<Heartbeat>>,
    threads: usize,
    started: usize,
    failure: Option<io::Error>,
    has_ended: bool,
    /// The most workers that handlers have held at once since the last trim, and when that was.
    peak: usize,
    trimmed: Moment,
    /// Workers that handlers held at the last look, and those of them that waited for peers.
    held: usize,
    waits: usize,
    /// Since when no worker has made progress.
    stuck: Option<Moment>,
    is_exhausted: bool,
    /// A thread rejects requests, or is about to.
    has_rejecter: bool,
}

/// The result of one look at the workers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WatchOutcome {
    /// Enough workers get on, or no event waits for the others.
    Nothing,
    /// This many stand-ins were started.
    Grown(usize),
    /// There are as many workers as allowed, and no wait may be cancelled.
    AtCap,
    /// There are as many workers as allowed, and the longest wait for a peer was cancelled.
    Cancelled,
    /// No worker has returned for long: requests are to be rejected.
    Exhausted,
}

/// What a worker does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// It waits for an event, for as long as this.
    Wait(Option<Duration>),
    End,
}

/// What one look has found.
#[derive(Default)]
struct Found {
    all: usize,
    /// Workers inside the program's code, and others that get no further.
    held: usize,
    /// Of these, those that compute as few of many.
    computing: usize,
    /// Workers inside the program's code whose calls are counted in no share.
    uncounted: usize,
    blocked: Vec<usize>,
    has_moved: bool,
    /// Workers that wait for a peer.
    waits: usize,
}

impl Pool {
    /// No worker yet; there are to be `base`, and up to `max` while handlers block.
    pub fn new(base: usize, max: usize) -> Pool {
        let base = base.clamp(1, WORKERS_MAX);
        let counts = WorkerCounts::new(base, max.min(WORKERS_MAX));
        Pool {
            state: Mutex::new(PoolState {
                counts,
                heartbeats: Vec::new(),
                threads: 0,
                started: 0,
                failure: None,
                has_ended: false,
                peak: 0,
                trimmed: Moment(0),
                held: 0,
                waits: 0,
                stuck: None,
                is_exhausted: false,
                has_rejecter: false,
            }),
            changed: Condvar::new(),
            dozes: AtomicBool::new(false),
            mood: AtomicU8::new(0),
            behind: AtomicU64::new(Moment::NEVER.0),
            computing: Computing::new(base + 1),
            shares: Shares::default(),
            blocking_share: counts.blocking_share(),
        }
    }

    /// How many workers may wait for one disk at a time.
    pub fn blocking_share(&self) -> usize {
        self.blocking_share
    }

    /// The workers' counts.
    pub fn counts(&self) -> WorkerCounts {
        lock(&self.state).counts
    }

    /// The number of workers that wait for a peer now.
    pub fn waits(&self) -> usize {
        let heartbeats = &lock(&self.state).heartbeats;
        let waits = heartbeats.iter().filter_map(|one| one.waits());
        waits.count()
    }

    /// True when workers blocked on slow clients have used up their quota (three in four). The rest
    /// stay free for requests whose body is already here; otherwise clients that stall in the
    /// middle of an upload could occupy every worker, and reconnect as fast as they are dropped.
    pub fn has_none_to_spare(&self) -> bool {
        self.waits() >= self.counts().waiting_max()
    }

    /// The number of workers that handlers held at the last look.
    pub fn held(&self) -> usize {
        lock(&self.state).held
    }

    /// Whether stand-ins may be started at all.
    pub fn can_grow(&self) -> bool {
        lock(&self.state).counts.can_grow()
    }

    /// Whether there are stand-ins.
    pub fn is_grown(&self) -> bool {
        self.mood.load(Ordering::Relaxed) & GROWN != 0
    }

    /// Whether calls are to be counted in the share of their kind.
    pub fn is_crowded(&self) -> bool {
        self.mood.load(Ordering::Relaxed) & CROWDED != 0
    }

    /// Whether requests are to be rejected.
    pub fn is_exhausted(&self) -> bool {
        self.mood.load(Ordering::Relaxed) & EXHAUSTED != 0
    }

    /// Since when events have waited for workers that handlers hold.
    pub fn behind(&self) -> Option<Moment> {
        let since = self.behind.load(Ordering::Relaxed);
        (since < CAUGHT_UP).then_some(Moment(since))
    }

    /// Whether events wait for workers that handlers hold, or did at the last look: the request
    /// that a worker has just taken may be one of them.
    pub fn was_behind(&self) -> bool {
        self.behind.load(Ordering::Relaxed) != Moment::NEVER.0
    }

    /// A look has found no event that waits.
    fn catch_up(&self) {
        let next = match self.behind() {
            Some(_) => CAUGHT_UP,
            None => Moment::NEVER.0,
        };
        self.behind.store(next, Ordering::Relaxed);
    }

    /// Whether events have waited for this long.
    pub fn is_behind_for(&self, time: Duration, now: Moment) -> bool {
        self.behind().is_some_and(|since| since.after(time) <= now)
    }

    /// Starts the first workers, each by a call of `start_worker`.
    ///
    /// # Errors
    /// Those of starting a thread; the others run and end with the poller.
    pub fn start(&self, mut start_worker: impl FnMut() -> io::Result<()>) -> io::Result<()> {
        // Each round starts one of a bounded number.
        while lock(&self.state).counts.start_first() {
            self.start_one(&mut start_worker)?;
        }
        Ok(())
    }

    /// Starts a worker that is counted already.
    fn start_one(&self, start_worker: &mut impl FnMut() -> io::Result<()>) -> io::Result<()> {
        let started = start_worker();
        if started.is_err() {
            lock(&self.state).counts.start_failed();
        }
        started
    }

    /// Looks at the workers. While events wait and handlers hold too many workers, stand-ins are
    /// started. When there are as many workers as allowed, and all are blocked, the longest wait
    /// for a peer is cancelled.
    ///
    /// # Errors
    /// Those of the poller, and of starting a thread, which counts as the cap; the workers that run
    /// go on.
    pub fn watch(
        &self,
        poller: &dyn Poller,
        now: Moment,
        mut start_worker: impl FnMut() -> io::Result<()>,
    ) -> io::Result<WatchOutcome> {
        let none_waits = poller.waiting() == 0;
        let found = self.look(now, none_waits);
        let held = found.blocked.len() + found.computing;
        let counts = self.counts();
        self.shares.set_most(counts.share(found.uncounted));
        let lacks = none_waits && counts.lacks(held);
        let waits = (lacks || self.behind().is_some()) && none_waits && poller.pending()?;
        // The thread that rejects requests waits for the next one in place of a worker.
        if !waits && !self.is_exhausted() {
            self.catch_up();
        }
        if !(lacks && waits && self.lacks(&found)) {
            let mut state = lock(&self.state);
            state.counts.rest();
            state.stuck = None;
            return Ok(WatchOutcome::Nothing);
        }
        if self.behind().is_none() {
            self.behind.store(now.0, Ordering::Relaxed);
        }
        let more = self.grow(found.waits, held);
        if more == 0 {
            return Ok(self.at_cap(&found, now));
        }
        // Some of the requests that wait may compute.
        self.computing.look_up_more();
        for started in 0..more {
            // Without another thread, the pool is at its cap as well.
            if let Err(error) = self.start_one(&mut start_worker) {
                let mut state = lock(&self.state);
                for _ in started + 1..more {
                    state.counts.start_failed();
                }
                self.publish(&state);
                drop(state);
                self.at_cap(&found, now);
                return Err(error);
            }
        }
        Ok(WatchOutcome::Grown(more))
    }

    /// Counts the stand-ins that are to be started. They hear of it before their first call.
    fn grow(&self, waits: usize, held: usize) -> usize {
        let mut state = lock(&self.state);
        let more = state.counts.grow(waits, held);
        self.publish(&state);
        more
    }

    /// Looks at each worker, and lets go of those that have not been needed for long. With `judges`
    /// it tells the blocked workers from those that compute.
    fn look(&self, now: Moment, judges: bool) -> Found {
        let mut state = lock(&self.state);
        let mut found = Found {
            all: state.counts.all(),
            ..Found::default()
        };
        for (place, heartbeat) in state.heartbeats.iter().enumerate() {
            let look = heartbeat.look(now, judges);
            found.has_moved |= look.moved;
            found.waits += usize::from(look.waits);
            found.held += usize::from(look.activity != Activity::Alive);
            found.computing += usize::from(look.activity == Activity::Computes);
            found.uncounted += usize::from(look.is_uncounted);
            if look.activity == Activity::Blocked {
                found.blocked.push(place);
            }
        }
        state.held = found.held;
        state.waits = found.waits;
        state.peak = state.peak.max(found.held);
        if state.trimmed.after(TRIM_EVERY) <= now {
            let needed = std::mem::replace(&mut state.peak, found.held);
            state.counts.trim(needed);
            state.trimmed = now;
            self.publish(&state);
        }
        found
    }

    /// Whether too few workers get on. A worker that is short of a processor looks as if it were
    /// blocked: some of those that do are asked, and stand for the others.
    fn lacks(&self, found: &Found) -> bool {
        let state = lock(&self.state);
        let asked_max = match state.counts.all() < state.counts.max() {
            true => ASKED_MAX,
            false => ASKED_AT_CAP,
        };
        let every = found.blocked.len().div_ceil(asked_max).max(1);
        let asked = found.blocked.iter().step_by(every);
        // Since the look, a worker may have come or gone: then another one is asked.
        let asked = asked.filter_map(|place| state.heartbeats.get(*place));
        let runnable = asked.filter(|heartbeat| heartbeat.is_runnable());
        let blocked = found.blocked.len().saturating_sub(every * runnable.count());
        state.counts.lacks(blocked + found.computing)
    }

    /// There are as many workers as allowed, too few of them get on, and events wait.
    fn at_cap(&self, found: &Found, now: Moment) -> WatchOutcome {
        let mut state = lock(&self.state);
        let all_blocked = found.blocked.len() == found.all;
        if !all_blocked || found.has_moved {
            state.stuck = None;
        }
        if !all_blocked {
            return WatchOutcome::AtCap;
        }
        if cancel_longest(&state.heartbeats, state.counts.cancelled_max(), now) {
            return WatchOutcome::Cancelled;
        }
        let since = *state.stuck.get_or_insert(now);
        let is_exhausted = since.after(EXHAUSTED_AFTER) <= now && found.waits == 0;
        if !is_exhausted || state.counts.max() < REJECTS_FROM {
            return WatchOutcome::AtCap;
        }
        state.is_exhausted = true;
        self.publish(&state);
        WatchOutcome::Exhausted
    }

    /// Publishes what workers have to know between two turns.
    fn publish(&self, state: &PoolState) {
        let grown = u8::from(state.counts.is_grown()) * GROWN;
        let trims = u8::from(state.counts.surplus() > 0) * TRIMS;
        let exhausted = u8::from(state.is_exhausted) * EXHAUSTED;
        let crowded = u8::from(state.counts.is_crowded(state.waits)) * CROWDED;
        let mood = grown | trims | exhausted | crowded;
        self.mood.store(mood, Ordering::Relaxed);
    }

    /// Takes back a worker after a turn, or before its first.
    pub fn next(&self) -> Next {
        let mood = self.mood.load(Ordering::Relaxed);
        if mood & (TRIMS | EXHAUSTED) != 0 {
            let mut state = lock(&self.state);
            state.is_exhausted = false;
            state.stuck = None;
            let ends = state.counts.end_surplus();
            self.publish(&state);
            if ends {
                return Next::End;
            }
        }
        Next::Wait((mood & GROWN != 0).then_some(SPARE_WORKER_ENDS_AFTER))
    }

    /// A worker has had no event for [`SPARE_WORKER_ENDS_AFTER`]. True: it ends.
    pub fn end_spare(&self) -> bool {
        let mut state = lock(&self.state);
        let ends = state.counts.end_spare();
        self.publish(&state);
        ends
    }

    /// Whether a thread that rejects requests is to be started: there is never more than one.
    pub fn take_rejecter(&self) -> bool {
        !std::mem::replace(&mut lock(&self.state).has_rejecter, true)
    }

    /// The thread that rejects requests ends, or could not be started.
    pub fn end_rejecter(&self) {
        lock(&self.state).has_rejecter = false;
    }

    /// Whether the housekeeper may sleep until its next sweep: a worker waits for events, so none
    /// is missing.
    pub fn doze(&self, poller: &dyn Poller) -> bool {
        self.dozes.store(true, Ordering::SeqCst);
        // After the line above, never before it: a worker has stopped waiting when it reads the
        // mark, so one of the two sees the other.
        let may = poller.waiting() > 0;
        if !may {
            self.dozes.store(false, Ordering::SeqCst);
        }
        may
    }

    /// Wakes the housekeeper, when a worker has stopped waiting for events and no other waits.
    pub fn rouse(&self, poller: &dyn Poller, signal: &Signal) {
        if self.dozes.load(Ordering::SeqCst)
            && poller.waiting() == 0
            && self.dozes.swap(false, Ordering::SeqCst)
        {
            signal.alarm();
        }
    }

    /// Waits for the threads, now that the poller has been woken. A thread inside a handler that
    /// does not return is left alone.
    ///
    /// # Errors
    /// The error that ended a worker.
    pub fn end(&self) -> io::Result<()> {
        let mut state = lock(&self.state);
        state.has_ended = true;
        self.changed.notify_all();
        let waited = self
            .changed
            .wait_timeout_while(state, WORKERS_END_WITHIN, |state| state.threads > 0);
        let mut state = waited.unwrap_or_else(PoisonError::into_inner).0;
        state.failure.take().map_or(Ok(()), Err)
    }

    /// Whether threads run.
    pub fn has_threads(&self) -> bool {
        lock(&self.state).threads > 0
    }
}
