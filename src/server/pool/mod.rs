//! The pool: the threads around the workers, started when others are blocked, and ended when they are not needed.
//!
//! In: the crew's counts and each worker's marks, and who looks at them when. Out: what a worker does with an event. Never: a worker
//! that is ended from outside: each ends itself, between two events.

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
    /// The housekeeper sleeps until its next sweep, because a worker waited when it looked.
    dozes: AtomicBool,
}

#[derive(Debug)]
struct PoolState {
    counts: WorkerCounts,
    heartbeats: Vec<Arc<Heartbeat>>,
    /// Threads that have not ended yet.
    threads: usize,
    started: usize,
    failure: Option<io::Error>,
    has_ended: bool,
}

/// What one look at the workers led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WatchOutcome {
    /// Nothing: enough run, or no event waits for those that are missing.
    Nothing,
    /// So many took the place of blocked ones.
    Replaced(usize),
    /// There are as many as there may be, and nobody can be cut.
    AtCap,
    /// There are as many as there may be, and the longest wait for a peer was cut.
    Cancelled,
}

impl Pool {
    /// No worker yet; `base` are to run, and up to `most` may be there while some are blocked.
    pub fn new(base: usize, most: usize) -> Pool {
        let base = base.clamp(1, WORKERS_MAX);
        Pool {
            state: Mutex::new(PoolState {
                counts: WorkerCounts::new(base, most.min(WORKERS_MAX)),
                heartbeats: Vec::new(),
                threads: 0,
                started: 0,
                failure: None,
                has_ended: false,
            }),
            changed: Condvar::new(),
            dozes: AtomicBool::new(false),
        }
    }

    /// The workers, counted.
    pub fn counts(&self) -> WorkerCounts {
        lock(&self.state).counts
    }

    /// Workers that wait for a peer now.
    pub fn waits(&self) -> usize {
        let state = lock(&self.state);
        let waits = state
            .heartbeats
            .iter()
            .filter_map(|heartbeat| heartbeat.waits());
        waits.count()
    }

    /// Whether so many workers wait for peers that the others are kept for requests that keep nobody waiting. Without it, clients
    /// that send a part of their content and stop could hold all workers, and come again as fast as they are cut.
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

    /// Starts a worker whose place is counted already.
    fn start_one(&self, start_worker: &mut impl FnMut() -> io::Result<()>) -> io::Result<()> {
        let started = start_worker();
        if started.is_err() {
            lock(&self.state).counts.end_running();
        }
        started
    }

    /// One look at the workers: those that make no progress are written off, and others take their place while events wait. When
    /// there may be no more, none runs and events wait, the peer that has kept its worker waiting longest is cut.
    ///
    /// # Errors
    /// Those of the poller, and of starting a thread, which counts as the cap; those that run go on.
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
        // Those that are back run when their turn ends.
        let missing = missing - back;
        let may_cancel = back == 0;
        for filled in 0..missing {
            match self.replace_blocked() {
                Fill::Enough => return Ok(WatchOutcome::Replaced(filled)),
                // Until the end, only those that rest wait for this.
                Fill::Wake => self.changed.notify_one(),
                Fill::Start => {
                    // Who cannot have another thread has as many as there may be.
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

    /// Looks at each worker: how many are missing now among those that are to run, and how many of the missing are on their way back.
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
        // Who has been told hears of it only when its present slice of time is over.
        let (told, mut others): (Vec<_>, Vec<_>) =
            waiting.partition(|(heartbeat, (wait, _))| heartbeat.is_cancelled(*wait));
        others.sort_by_key(|(_, (_, since))| *since);
        match others.first() {
            Some((heartbeat, (wait, since)))
                if since.after(CANCEL_AFTER) <= now
                    && told.len() < state.counts.cancelled_max() =>
            {
                heartbeat.cancel(*wait);
                WatchOutcome::Cancelled
            }
            _ => WatchOutcome::AtCap,
        }
    }

    /// A worker that was written off is back. It returns when it is to run: at once, or when it is called. False: it was not
    /// needed for long, and ends.
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

    /// Whether the housekeeper may sleep until its next sweep: a worker waits, so none is missed.
    pub fn doze(&self, poller: &dyn Poller) -> bool {
        self.dozes.store(true, Ordering::SeqCst);
        // After the line above, never before it: a worker has stopped waiting when it looks at the mark, so one of the two
        // sees the other.
        let may = poller.waiting() > 0;
        if !may {
            self.dozes.store(false, Ordering::SeqCst);
        }
        may
    }

    /// A worker has stopped waiting: if no other waits, the housekeeper is to look after them.
    pub fn rouse(&self, poller: &dyn Poller, signal: &Signal) {
        if self.dozes.load(Ordering::SeqCst)
            && poller.waiting() == 0
            && self.dozes.swap(false, Ordering::SeqCst)
        {
            signal.alarm();
        }
    }

    /// PeerWait for the threads, now that the poller has been woken. One that is inside a handler that does not return is left behind.
    ///
    /// # Errors
    /// What ended a worker before its time.
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
}

/// One thread's place in the count, from before it starts until it ends, in whatever way.
#[derive(Debug)]
pub struct ThreadGuard {
    pool: Arc<Pool>,
    heartbeat: Option<Arc<Heartbeat>>,
    /// Which of the threads started so far it is.
    pub number: usize,
}

impl ThreadGuard {
    /// A thread that is about to be started, with the marks to look at if it is a worker's.
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

    /// What ended a worker before its time.
    pub fn fail(&self, error: io::Error) {
        lock(&self.pool.state).failure.get_or_insert(error);
    }
}

impl Drop for ThreadGuard {
    fn drop(&mut self) {
        let mut state = lock(&self.pool.state);
        state.threads -= 1;
        if let Some(mine) = &self.heartbeat {
            state
                .heartbeats
                .retain(|heartbeat| !Arc::ptr_eq(heartbeat, mine));
        }
        // Who waits for the end counts the threads.
        if state.has_ended {
            self.pool.changed.notify_all();
        }
    }
}
