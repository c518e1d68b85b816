//! The worker threads: started when others are blocked, and ended when they are not needed.
//!
//! No worker is ended from outside: each ends itself, between two events.

pub mod counts;
pub mod heartbeat;

use crate::conn::Moment;
use crate::server::base::lock::lock;
use crate::server::base::signal::Signal;
use crate::server::pool::counts::{Fill, WorkerCounts};
use crate::server::pool::heartbeat::{Heartbeat, Liveness};
use crate::sys::Poller;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

/// The highest number of workers, whatever [`Limits::workers_max`](crate::Limits::workers_max)
/// says.
const WORKERS_MAX: usize = 4096;

/// How long a worker that is not needed rests before its thread ends: long enough that handlers
/// which block now and then do not start a thread each time.
pub const SPARE_WORKER_ENDS_AFTER: Duration = Duration::from_secs(2);

/// How long a peer can keep a worker waiting, in all waits of one request, before that wait may be
/// cancelled for the sake of others. It is cancelled only when there are as many workers as
/// allowed, none of them runs, and events wait.
pub const CANCEL_AFTER: Duration = Duration::from_secs(1);

/// How long the end of a server waits for its workers, which have nothing left to do unless a
/// handler does not return.
const WORKERS_END_WITHIN: Duration = Duration::from_secs(1);

/// The workers of a server.
#[derive(Debug)]
pub struct Pool {
    state: Mutex<PoolState>,
    changed: Condvar,
    /// The housekeeper sleeps until its next sweep, because a worker waited for events at its last
    /// check.
    dozes: AtomicBool,
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
}

/// The result of one check of the workers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WatchOutcome {
    /// Enough workers run, or no event waits for the missing ones.
    Nothing,
    /// This many took the place of blocked ones.
    Replaced(usize),
    /// There are as many workers as allowed, and no wait may be cancelled.
    AtCap,
    /// There are as many workers as allowed, and the longest wait for a peer was cancelled.
    Cancelled,
}

impl Pool {
    /// No worker yet; `base` are to run, with up to `max` in all while some are blocked.
    pub fn new(base: usize, max: usize) -> Pool {
        let base = base.clamp(1, WORKERS_MAX);
        Pool {
            state: Mutex::new(PoolState {
                counts: WorkerCounts::new(base, max.min(WORKERS_MAX)),
                heartbeats: Vec::new(),
                threads: 0,
                started: 0,
                failure: None,
                has_ended: false,
            }),
            changed: Condvar::new(),
            dozes: AtomicBool::new(false),
            blocking_share: (max.clamp(base, WORKERS_MAX) / 4).max(1),
        }
    }

    /// How many workers may wait for one disk at a time: a quarter of the most that there may be.
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

    /// Starts the workers that are to run, each by a call of `start_worker`.
    ///
    /// # Errors
    /// Those of starting a thread; the others run and end with the poller.
    pub fn start(&self, mut start_worker: impl FnMut() -> io::Result<()>) -> io::Result<()> {
        // Each round starts one of a bounded number.
        while self.replace_blocked() == Fill::Start {
            self.start_one(&mut start_worker)?;
        }
        Ok(())
    }

    fn replace_blocked(&self) -> Fill {
        lock(&self.state).counts.replace_blocked()
    }

    /// Starts a worker that is counted already.
    fn start_one(&self, start_worker: &mut impl FnMut() -> io::Result<()>) -> io::Result<()> {
        let started = start_worker();
        if started.is_err() {
            lock(&self.state).counts.end_running();
        }
        started
    }

    /// Checks the workers: those without progress count as blocked, and others take their place
    /// while events wait. When there are as many workers as allowed, none runs and events wait, the
    /// longest wait for a peer is cancelled.
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
        let (missing, back) = self.check_workers();
        if missing <= back || !poller.pending()? {
            return Ok(WatchOutcome::Nothing);
        }
        // The recovered ones run when their turn ends.
        let missing = missing - back;
        let may_cancel = back == 0;
        for filled in 0..missing {
            match self.replace_blocked() {
                Fill::Enough => return Ok(WatchOutcome::Replaced(filled)),
                // Until the end, only resting workers wait for this.
                Fill::Wake => self.changed.notify_one(),
                Fill::Start => {
                    // Without another thread, the pool is at its cap as well.
                    self.start_one(&mut start_worker).inspect_err(|_| {
                        self.cancel_longest(may_cancel, now);
                    })?;
                }
                Fill::AtCap if filled > 0 => return Ok(WatchOutcome::Replaced(filled)),
                Fill::AtCap => return Ok(self.cancel_longest(may_cancel, now)),
            }
        }
        Ok(WatchOutcome::Replaced(missing))
    }

    /// Checks each worker: how many are missing now, and how many of those are about to return.
    fn check_workers(&self) -> (usize, usize) {
        let mut state = lock(&self.state);
        let PoolState {
            counts, heartbeats, ..
        } = &mut *state;
        let mut back = 0;
        for heartbeat in heartbeats {
            match heartbeat.check() {
                Liveness::NewlyBlocked => counts.mark_blocked(),
                Liveness::Recovered => back += 1,
                Liveness::Alive | Liveness::Blocked => {}
            }
        }
        (counts.missing(), back)
    }

    fn cancel_longest(&self, may_cancel: bool, now: Moment) -> WatchOutcome {
        let state = lock(&self.state);
        if !may_cancel || state.counts.running() > 0 {
            return WatchOutcome::AtCap;
        }
        let waiting = state
            .heartbeats
            .iter()
            .filter_map(|heartbeat| Some((heartbeat, heartbeat.waits()?)));
        // A cancelled worker notices only when its present slice of time is over.
        let (cancelled, others): (Vec<_>, Vec<_>) =
            waiting.partition(|(heartbeat, (wait, _))| heartbeat.is_cancelled(*wait));
        match others.into_iter().min_by_key(|(_, (_, since))| *since) {
            Some((heartbeat, (wait, since)))
                if since.after(CANCEL_AFTER) <= now
                    && cancelled.len() < state.counts.cancelled_max() =>
            {
                heartbeat.cancel(wait);
                WatchOutcome::Cancelled
            }
            _ => WatchOutcome::AtCap,
        }
    }

    /// Takes back a blocked worker. Returns true when it is to run: at once, or when it is woken.
    /// False: it was not needed for long, and ends.
    pub fn rejoin(&self, heartbeat: &Heartbeat) -> bool {
        let mut state = lock(&self.state);
        heartbeat.reinstate();
        if state.counts.unblock() {
            return true;
        }
        let is_idle = |state: &mut PoolState| !state.has_ended && !state.counts.take_wakeup();
        let waited = self
            .changed
            .wait_timeout_while(state, SPARE_WORKER_ENDS_AFTER, is_idle);
        let (mut state, result) = waited.unwrap_or_else(PoisonError::into_inner);
        if result.timed_out() {
            state.counts.end_resting();
        }
        !result.timed_out()
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

/// Counts one thread, from before it starts until it ends, in whatever way.
#[derive(Debug)]
pub struct ThreadGuard {
    pool: Arc<Pool>,
    heartbeat: Option<Arc<Heartbeat>>,
    /// Its number among the threads started so far.
    pub number: usize,
}

impl ThreadGuard {
    /// A thread that is about to start, with its heartbeat if it is a worker's.
    pub fn of(pool: &Arc<Pool>, heartbeat: Option<Arc<Heartbeat>>) -> ThreadGuard {
        let mut state = lock(&pool.state);
        state.threads += 1;
        state.started += 1;
        state.heartbeats.extend(heartbeat.clone());
        ThreadGuard {
            pool: pool.clone(),
            heartbeat,
            number: state.started,
        }
    }

    pub fn fail(&self, error: io::Error) {
        lock(&self.pool.state).failure.get_or_insert(error);
    }
}

impl Drop for ThreadGuard {
    fn drop(&mut self) {
        let mut state = lock(&self.pool.state);
        state.threads -= 1;
        if let Some(mine) = &self.heartbeat {
            state.heartbeats.retain(|one| !Arc::ptr_eq(one, mine));
        }
        // `Pool::end` waits for the last thread.
        if state.has_ended {
            self.pool.changed.notify_all();
        }
    }
}
