//! The number of workers, and how many of them run. Counts alone: `pool` has the threads.
//!
//! As many workers as CPUs (`base`) are to run. A worker that makes no progress from one check of
//! the housekeeper to the next is inside a handler that blocks: it is marked as blocked, and while
//! events wait another one runs in its place, up to `max` in all. When it returns and enough
//! others run, it rests, so that no more than `base` ever compete for events; a worker that has
//! rested for long ends.
//!
//! ```text
//!            mark_blocked            unblock, too few run
//!   running ──────────────▶ blocked ────────────────────▶ running
//!      ▲                       │ unblock, enough run
//!      │ replace_blocked: Wake ▼
//!      └──────────────────── resting ──long──▶ ended
//!      ▲
//!      └──── replace_blocked: Start
//! ```

/// One worker in this many may have its wait cancelled at a time: with 256 workers, and 100 ms
/// until each notices, 80 a second.
const WORKERS_PER_CANCEL: usize = 32;

/// One worker in this many is never lent to a client whose body is not here yet: its request gets
/// 503 instead, unless the handler has begun to read before. So clients that send slowly hold three
/// workers in four at most.
const WORKERS_PER_RESERVED: usize = 4;

/// The number of workers in each state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WorkerCounts {
    base: usize,
    max: usize,
    running: usize,
    blocked: usize,
    resting: usize,
    /// Resting workers that have been woken and do not know it yet; they count as running.
    woken: usize,
}

/// How a missing worker is replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fill {
    /// Not at all: enough run.
    Enough,
    /// By one that rests: wake one.
    Wake,
    /// By a new one: start it.
    Start,
    /// Not at all: there are as many workers as allowed.
    AtCap,
}

impl WorkerCounts {
    /// No worker yet. `base` of them are to run, and there are never more than `max`.
    pub fn new(base: usize, max: usize) -> WorkerCounts {
        WorkerCounts {
            base,
            max: max.max(base),
            running: 0,
            blocked: 0,
            resting: 0,
            woken: 0,
        }
    }

    /// Workers that run: they wait for events, or make progress with one.
    pub fn running(&self) -> usize {
        self.running
    }

    /// Workers that are blocked and have not returned.
    pub fn blocked(&self) -> usize {
        self.blocked
    }

    /// How many workers fewer run than should.
    pub fn missing(&self) -> usize {
        self.base.saturating_sub(self.running)
    }

    /// Workers that may wait for peers at a time. A server of fewer than four lends them all.
    pub fn waiting_max(&self) -> usize {
        self.max - self.max / WORKERS_PER_RESERVED
    }

    /// Waits for peers that may be cancelled before the first of them has noticed: a share of all,
    /// so that a small server does not lose all of its uploads for one request, and a large one
    /// need not lose them one after the other.
    pub fn cancelled_max(&self) -> usize {
        (self.max / WORKERS_PER_CANCEL).max(1)
    }

    /// All workers that have a thread.
    pub fn all(&self) -> usize {
        self.running + self.blocked + self.resting
    }

    /// A running worker makes no progress.
    pub fn mark_blocked(&mut self) {
        self.running -= 1;
        self.blocked += 1;
    }

    /// A blocked worker has returned. True: it runs. False: enough others do, and it is to rest.
    pub fn unblock(&mut self) -> bool {
        self.blocked -= 1;
        let runs = self.running < self.base;
        match runs {
            true => self.running += 1,
            false => self.resting += 1,
        }
        runs
    }

    /// Replaces one missing worker, if one is missing.
    pub fn replace_blocked(&mut self) -> Fill {
        if self.running >= self.base {
            return Fill::Enough;
        }
        if self.resting > 0 {
            self.resting -= 1;
            self.woken += 1;
            self.running += 1;
            return Fill::Wake;
        }
        if self.all() >= self.max {
            return Fill::AtCap;
        }
        self.running += 1;
        Fill::Start
    }

    /// A resting worker checks whether it has been woken. True: it runs from now on.
    pub fn take_wakeup(&mut self) -> bool {
        let woken = self.woken > 0;
        self.woken -= usize::from(woken);
        woken
    }

    /// A resting worker that has not been woken ends.
    pub fn end_resting(&mut self) {
        self.resting -= 1;
    }

    /// A worker that was to run could not be started.
    pub fn end_running(&mut self) {
        self.running -= 1;
    }
}
