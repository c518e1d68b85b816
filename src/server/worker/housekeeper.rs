//! The housekeeper: the sweep over deadlines, the check of the workers, and the shutdown. One
//! thread, with a worker's buffers of its own.

use crate::conn::{CloseReason, Moment};
use crate::handler::expiry::expire;
use crate::limits::{BACKLOG, WORKER_BYTES};
use crate::server::base::overload::Overload;
use crate::server::base::signal::Woken;
use crate::server::pool::WatchOutcome;
use crate::server::shared::Shared;
use crate::server::shared::budget::OverloadKind;
use crate::server::shared::listeners::Accepted;
use crate::server::shutdown::ShutdownReport;
use crate::server::worker::Worker;
use crate::server::worker::detached::close_on_thread;
use crate::sys::memory;
use std::io;
use std::sync::Arc;
use std::time::Duration;

/// The shortest time between two sweeps over the deadlines.
const TICK_MIN: Duration = Duration::from_millis(10);

/// The longest time between two sweeps over the deadlines.
const TICK_MAX: Duration = Duration::from_secs(1);

/// How long a graceful shutdown waits between two looks at the connections that are left.
const SHUTDOWN_CHECK_EVERY: Duration = Duration::from_millis(10);

/// Connections that a shutdown still takes from each listener's queue: twice the backlog, for those
/// that arrive meanwhile.
const ACCEPTS_AT_SHUTDOWN: u32 = 2 * BACKLOG;

/// How often the housekeeper checks the workers' progress while none of them waits for an event. A
/// worker without progress from one check to the next is inside a handler that blocks; a shorter
/// time would take a slice of the scheduler for that.
const WATCH_EVERY: Duration = Duration::from_millis(5);

/// How often it counts the workers that handlers hold while others wait for events, if there are
/// stand-ins.
const COUNT_EVERY: Duration = Duration::from_millis(50);

/// How long requests wait for workers that handlers hold before that is reported.
const SHORT_AFTER: Duration = Duration::from_secs(1);

/// Memory that connections, handlers and workers have given up is given back to the system once it
/// is this much.
const TRIM_FROM: usize = 512 * 1024;
/// How often that is done at most: it takes up to a few milliseconds, in which other threads may
/// wait for memory.
const TRIM_EVERY: Duration = Duration::from_secs(10);

/// The housekeeper of a server.
pub struct Housekeeper {
    shared: Arc<Shared>,
    worker: Worker,
    /// When freed memory may be given back again.
    next_trim: Moment,
    /// What handlers and workers have freed since it was given back.
    freed: usize,
    /// The number of workers at the last sweep.
    workers: usize,
    /// When the shutdown began.
    stopped: Moment,
}

impl Housekeeper {
    /// A housekeeper for this server.
    pub fn new(shared: Arc<Shared>) -> Housekeeper {
        let worker = Worker::new(shared.clone());
        Housekeeper {
            shared,
            worker,
            next_trim: Moment(0),
            freed: 0,
            workers: 0,
            stopped: Moment::NEVER,
        }
    }

    /// Sweeps and watches until a shutdown is requested, then carries that out.
    pub fn run(&mut self) -> ShutdownReport {
        let shared = self.shared.clone();
        let tick = self.tick();
        let mut next_sweep = self.now().after(tick);
        let mut is_alarmed = false;
        loop {
            // After an alarm the workers get a moment to make progress; so a server with little to
            // do is checked 200 times a second at most.
            let now = self.now();
            let next = next_sweep.min(shared.listeners.next_rested());
            let next = self.check_drain(now).map_or(next, |end| end.min(next));
            let dozes = !is_alarmed && shared.pool.doze(&*shared.poller);
            let nap = next.since(now).min(match (dozes, shared.pool.is_grown()) {
                (true, false) => Duration::MAX,
                (true, true) => COUNT_EVERY,
                (false, _) => WATCH_EVERY,
            });
            match shared.signal.wait(nap) {
                Woken::Shutdown => return self.shut_down(),
                Woken::Alarm => is_alarmed = true,
                Woken::Time => {
                    is_alarmed = false;
                    let _ = self.watch();
                }
            }
            let now = self.now();
            if now >= next_sweep {
                self.sweep();
                next_sweep = self.now().after(tick);
            } else {
                self.wake_listeners(now);
            }
        }
    }

    /// Begins a requested drain, and its shutdown when the drain is over. Returns when the drain
    /// ends.
    fn check_drain(&self, now: Moment) -> Option<Moment> {
        let (end, grace) = self.shared.signal.requested_drain()?;
        self.shared.begin_drain();
        if end <= now {
            self.shared.signal.request_shutdown(now.after(grace));
        }
        Some(end)
    }

    /// Checks the workers: see [`Pool::watch`](crate::server::pool::Pool::watch).
    pub fn watch(&mut self) -> WatchOutcome {
        let (shared, now) = (&self.shared, self.now());
        let start_worker = || Worker::start(shared);
        let watched = shared.pool.watch(&*shared.poller, now, start_worker);
        let outcome = watched.unwrap_or_else(|error| {
            self.report_thread(error, now);
            WatchOutcome::AtCap
        });
        let limit = shared.pool.counts().max();
        match outcome {
            WatchOutcome::AtCap if shared.pool.is_behind_for(SHORT_AFTER, now) => {
                shared.report(OverloadKind::Workers, now, || Overload::WorkersBlocked {
                    limit,
                });
            }
            WatchOutcome::Exhausted => {
                shared.report(OverloadKind::Exhausted, now, || Overload::Exhausted {
                    limit,
                });
                if let Err(error) = Worker::start_rejecter(shared) {
                    self.report_thread(error, now);
                }
            }
            _ => {}
        }
        if shared.pool.shares.is_full_for(SHORT_AFTER, now) {
            let limit = shared.pool.counts().share(0);
            shared.report(OverloadKind::Workers, now, || Overload::ShareBlocked {
                limit,
            });
        }
        outcome
    }

    fn report_thread(&self, error: io::Error, now: Moment) {
        self.shared
            .report(OverloadKind::Threads, now, || Overload::Thread {
                error,
                is_worker: true,
            });
    }

    /// How long a deadline may be overdue: a quarter of the shortest configured timeout, within
    /// bounds.
    fn tick(&self) -> Duration {
        let timeouts = &self.shared.config.timeouts;
        let all = [
            timeouts.head,
            timeouts.body,
            timeouts.write,
            timeouts.keep_alive,
            timeouts.linger,
        ];
        let shortest = all.into_iter().min().unwrap_or(TICK_MAX);
        (shortest / 4).clamp(TICK_MIN, TICK_MAX)
    }

    /// Ends the waits that are over, and lets rested listeners try again.
    pub fn sweep(&mut self) {
        let now = self.now();
        for index in 0..self.shared.slots.touched() {
            let Some(owned) = self.shared.slots.claim(index, |deadline| deadline <= now) else {
                continue;
            };
            if owned.client.needs_worker() {
                self.shared.hand_over(owned);
            } else if let Some(owned) = self.worker.expire(owned) {
                self.shared.release(owned);
            }
        }
        self.wake_listeners(now);
        self.freed += expire(self.shared.now().monotonic);
        let before = std::mem::replace(&mut self.workers, self.shared.pool.counts().all());
        self.freed += before.saturating_sub(self.workers) * WORKER_BYTES;
        if self.next_trim <= now
            && (self.freed >= TRIM_FROM || self.shared.budget.has_fallen_by(TRIM_FROM))
        {
            self.next_trim = now.after(TRIM_EVERY);
            self.freed = 0;
            memory::give_back();
        }
    }

    fn wake_listeners(&self, now: Moment) {
        let shared = &*self.shared;
        shared
            .listeners
            .wake_rested(false, now, &*shared.poller, &shared.signal);
    }

    fn shut_down(&mut self) -> ShutdownReport {
        let signal = self.shared.signal.clone();
        self.stop();
        // Ends with the grace, which can only become shorter.
        loop {
            let now = self.now();
            let until = signal.deadline(now);
            if let Some(ended) = self.finish(until) {
                return ended;
            }
            signal.pause(SHUTDOWN_CHECK_EVERY.min(until.since(now)));
        }
    }

    /// Begins the shutdown: admits the queued connections, and closes the listeners.
    pub fn stop(&mut self) {
        self.stopped = self.now();
        self.shared.begin_drain();
        self.empty_queues();
        self.shared.listeners.close(&*self.shared.poller);
    }

    /// One step of the shutdown: closes idle connections from which nothing has arrived. The other
    /// connections and the workers have time until this moment; it is over then, or when no
    /// connection is left.
    pub fn finish(&mut self, until: Moment) -> Option<ShutdownReport> {
        self.close_idle();
        let is_empty = !self.shared.listeners.is_admitting() && self.shared.slots.occupied() == 0;
        if is_empty || self.now() >= until {
            // Counted before any thread notices the end and closes a connection that counts.
            let aborted = self.close_all();
            self.shared.end();
            return Some(ShutdownReport { aborted });
        }
        let _ = self.watch();
        self.sweep();
        None
    }

    /// Admits the connections that the kernel completed before the shutdown: their clients may have
    /// sent a request.
    fn empty_queues(&mut self) {
        for number in 0..self.shared.listeners.count() {
            for _ in 0..ACCEPTS_AT_SHUTDOWN {
                match self.shared.listeners.accept(number) {
                    Accepted::Connection(stream, peer) => {
                        let now = self.shared.now();
                        self.worker.admit_waiting(stream, peer, &now);
                    }
                    Accepted::Lost => {}
                    Accepted::Empty | Accepted::Exhausted(_) | Accepted::Closed => break,
                }
            }
        }
    }

    /// Closes the connections that wait for a request of which nothing has arrived and that is not
    /// awaited (see [`REQUEST_WITHIN`](crate::server::client::REQUEST_WITHIN)). The others are left
    /// to the workers: a handler that is called here and does not return would hold up the end of
    /// the server.
    fn close_idle(&mut self) {
        let now = self.now();
        for index in 0..self.shared.slots.touched() {
            if let Some(mut owned) = self.shared.slots.claim(index, |_| true) {
                // The look at the socket comes last: a request that is here is served.
                if !owned.client.is_awaited(self.stopped, now) && owned.client.is_silent() {
                    self.shared.close(owned, CloseReason::Shutdown);
                } else {
                    self.shared.release(owned);
                }
            }
        }
    }

    /// Closes every connection that no thread owns now. Returns the number of requests that were
    /// aborted, never read, or are still with a handler, which ends with its connection.
    pub fn close_all(&mut self) -> usize {
        let (mut aborted, mut left) = (0, Vec::new());
        for index in 0..self.shared.slots.touched() {
            if let Some(mut owned) = self.shared.slots.claim(index, |_| true) {
                aborted += usize::from(owned.client.is_unfinished());
                match owned.client.needs_worker() {
                    true => left.push(owned),
                    false => self.shared.close(owned, CloseReason::Shutdown),
                }
            }
        }
        let with_handlers = self.shared.slots.occupied() - left.len();
        // Their ends may block, and the end of the server does not wait for a disk.
        close_on_thread(&self.shared, left);
        aborted + with_handlers
    }

    fn now(&self) -> Moment {
        Moment::at(self.shared.clock.monotonic())
    }
}
