//! How many workers the requests of one kind hold, which are those of one method and path.
//!
//! While at least half of the most workers are there, each call is counted, and the calls of one
//! kind hold at most their share of the workers. Further requests of that kind wait without a
//! worker. So there is a worker for a request of another kind, also if all of the one kind wait for
//! it, as long polls do.

use crate::conn::Moment;
use crate::handler::gate::{Gate, Pass};
use crate::server::base::lock::lock;
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// See the [module](self).
#[derive(Debug, Default)]
pub struct Shares {
    /// The kinds of which a call runs, or a request waits.
    kinds: Mutex<HashMap<u64, Kind>>,
    /// How many workers one kind may hold.
    most: AtomicUsize,
}

#[derive(Debug, Default)]
struct Kind {
    /// The calls that run are inside, and the requests that wait in front of it.
    gate: Arc<Gate>,
    inside: usize,
    /// When the last call began.
    entered: Duration,
    /// Since when requests wait.
    full: Option<Moment>,
}

/// A call that is counted, until this is dropped.
#[derive(Debug)]
#[must_use = "the call is counted until this is dropped"]
pub struct Share<'a> {
    shares: &'a Shares,
    kind: u64,
    pass: Option<Pass>,
}

impl Shares {
    /// How many workers one kind may hold from now on: at least one.
    pub fn set_most(&self, most: usize) {
        let most = most.max(1);
        if self.most.swap(most, Ordering::Relaxed) < most {
            let kinds = lock(&self.kinds);
            kinds.values().for_each(|kind| kind.gate.widen(most));
        }
    }

    /// Begins a call of a request of this kind.
    ///
    /// # Errors
    /// Where the request has to wait, and when the last call of this kind began.
    pub fn enter(&self, kind: u64, now: Duration) -> Result<Share<'_>, (Arc<Gate>, Duration)> {
        let mut kinds = lock(&self.kinds);
        let found = kinds.entry(kind).or_default();
        let pass = found.gate.enter(self.most.load(Ordering::Relaxed));
        if pass.is_none() {
            found.full.get_or_insert(Moment::at(now));
            return Err((found.gate.clone(), found.entered));
        }
        found.inside += 1;
        found.entered = now;
        if found.gate.waiting() == 0 {
            found.full = None;
        }
        let shares = self;
        Ok(Share { shares, kind, pass })
    }

    /// Whether requests of one kind have waited for this long. Drops the kinds whose last waiting
    /// requests have gone.
    pub fn is_full_for(&self, time: Duration, now: Moment) -> bool {
        let mut kinds = lock(&self.kinds);
        kinds.retain(|_, kind| kind.is_used());
        let is_full = |kind: &Kind| {
            let has_lasted = kind.full.is_some_and(|since| since.after(time) <= now);
            has_lasted && kind.gate.waiting() > 0
        };
        kinds.values().any(is_full)
    }

    /// The number of requests that wait.
    pub fn waiting(&self) -> usize {
        let kinds = lock(&self.kinds);
        kinds.values().map(|kind| kind.gate.waiting()).sum()
    }

    /// The number of kinds of which a call runs, or a request waits.
    pub fn kinds(&self) -> usize {
        lock(&self.kinds).len()
    }
}

impl Kind {
    fn is_used(&self) -> bool {
        self.inside > 0 || self.gate.waiting() > 0
    }
}

impl Drop for Share<'_> {
    fn drop(&mut self) {
        // First, so that the next of this kind finds the same gate.
        drop(self.pass.take());
        let mut kinds = lock(&self.shares.kinds);
        if let Some(kind) = kinds.get_mut(&self.kind) {
            kind.inside -= 1;
            if !kind.is_used() {
                kinds.remove(&self.kind);
            }
        }
    }
}
