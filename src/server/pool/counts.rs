//! The number of workers. Counts alone: `pool` has the threads, and looks at them.
//!
//! There are `base` workers, one per CPU. While fewer than that many get on, because handlers hold
//! the others, and events wait, stand-ins are started: with each such look twice as many as with
//! the last, up to `max` workers in all. All workers are alike, and any of them may end when there
//! are more than needed.
//!
//! ```text
//!                      grow: 2, 4, 8, ...
//!   base workers ──────────────────────────────▶ up to max workers
//!        ▲       end_spare: one had no event for long
//!        └──────────────────────────────────────────┘
//!                trim, end_surplus: half of those that no load has needed of late
//! ```

/// Stand-ins that the first look starts that finds too few workers.
const FIRST_STEP: usize = 2;

/// One worker in this many may have its wait cancelled at a time: with 256 workers, and 100 ms
/// until each notices, 80 a second.
const WORKERS_PER_CANCEL: usize = 32;

/// One worker in this many is never lent to a client whose body is not here yet: its request gets
/// 503 instead, unless the handler has begun to read before. So clients that send slowly hold three
/// workers in four at most.
const WORKERS_PER_RESERVED: usize = 4;

/// One worker in this many is kept from requests of one method and path, so that there is one for
/// the request of another path that theirs may wait for. A server of fewer workers keeps none.
const WORKERS_PER_KEPT: usize = 8;

/// The number of workers, and how it is about to change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct WorkerCounts {
    base: usize,
    max: usize,
    all: usize,
    /// Stand-ins that the next look starts if it finds too few workers.
    step: usize,
    /// Workers that are to end with their turn.
    surplus: usize,
}

impl WorkerCounts {
    /// No worker yet. `base` are to be there at least, and there are never more than `max`.
    pub fn new(base: usize, max: usize) -> WorkerCounts {
        WorkerCounts {
            base,
            max: max.max(base),
            all: 0,
            step: FIRST_STEP,
            surplus: 0,
        }
    }

    /// Workers that have a thread, or are about to have one.
    pub fn all(&self) -> usize {
        self.all
    }

    /// The most workers.
    pub fn max(&self) -> usize {
        self.max
    }

    /// Whether there may be stand-ins.
    pub fn can_grow(&self) -> bool {
        self.max > self.base
    }

    /// Whether there are stand-ins.
    pub fn is_grown(&self) -> bool {
        self.all > self.base
    }

    /// Workers that are to end with their turn.
    pub fn surplus(&self) -> usize {
        self.surplus
    }

    /// Workers that may wait for peers at a time. A server of fewer than four lends them all.
    pub fn waiting_max(&self) -> usize {
        self.max - self.max / WORKERS_PER_RESERVED
    }

    /// Whether at least half of the workers are there, apart from those that wait for peers: then
    /// the calls of each kind are to be counted. Those begun before are few enough that the share
    /// of each kind can be kept, or one worker at the least.
    pub fn is_crowded(&self, waits: usize) -> bool {
        let others = |count: usize| count.saturating_sub(waits);
        self.is_grown()
            && self.max >= WORKERS_PER_KEPT
            && 2 * others(self.all) >= others(self.max).max(1)
    }

    /// Workers that the calls of one kind may hold, while this many calls run that are not counted
    /// and may be of the same kind. With these alone at their share, other kinds still have one.
    pub fn share(&self, uncounted: usize) -> usize {
        let kept = self.max / WORKERS_PER_KEPT;
        (self.max - kept).saturating_sub(uncounted).max(kept).max(1)
    }

    /// How many workers may wait for one disk at a time: a quarter of them. Where that would be
    /// few, a disk that is merely slow would hold up its own requests: all but a quarter then, or
    /// twelve.
    pub fn blocking_share(&self) -> usize {
        (self.max / 4).max((self.max - self.max / 4).min(12)).max(1)
    }

    /// Waits for peers that may be cancelled before the first of them has noticed: a share of all,
    /// so that a small server does not lose all of its uploads for one request, and a large one
    /// need not lose them one after the other.
    pub fn cancelled_max(&self) -> usize {
        (self.max / WORKERS_PER_CANCEL).max(1)
    }

    /// Counts one of the first workers. False when all of them are there.
    pub fn start_first(&mut self) -> bool {
        let is_missing = self.all < self.base;
        self.all += usize::from(is_missing);
        is_missing
    }

    /// Whether too few workers get on with events while handlers hold this many.
    pub fn lacks(&self, held: usize) -> bool {
        self.all.saturating_sub(held) < self.base
    }

    /// A look has found too few workers, and events wait: this many are held, of which `waits` wait
    /// for peers. Returns the number of stand-ins to start, which are counted from now on; 0 at the
    /// cap. Those beyond the most that may wait for peers would have nothing to do but take events
    /// from each other.
    pub fn grow(&mut self, waits: usize, held: usize) -> usize {
        let others = held.saturating_sub(waits);
        let useful = self.waiting_max().saturating_sub(waits) + (2 * others).max(FIRST_STEP);
        let more = self.step.min(self.max.saturating_sub(self.all)).min(useful);
        self.all += more;
        self.step = (2 * self.step).min(self.max);
        self.surplus = 0;
        more
    }

    /// A look has found enough workers.
    pub fn rest(&mut self) {
        self.step = (self.step / 2).max(FIRST_STEP);
    }

    /// Lets half of the workers end that are neither among the first nor among the `needed`: the
    /// most that handlers have held of late.
    pub fn trim(&mut self, needed: usize) {
        let spare = self.all.saturating_sub(self.base + needed);
        self.surplus = spare.div_ceil(2);
    }

    /// A worker has finished a turn. True: it is one too many, and ends.
    pub fn end_surplus(&mut self) -> bool {
        self.surplus > 0 && self.end_spare()
    }

    /// A worker has had no event for long. True: it ends.
    pub fn end_spare(&mut self) -> bool {
        let is_spare = self.is_grown();
        self.all -= usize::from(is_spare);
        self.surplus = self.surplus.saturating_sub(1);
        is_spare
    }

    /// A worker that is counted could not be started.
    pub fn start_failed(&mut self) {
        self.all -= 1;
    }
}
