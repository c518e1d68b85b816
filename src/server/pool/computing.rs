//! The requests that compute, known by method and path, and how many of them run at a time.
//!
//! All requests wait in one queue. If those that compute took turns in it with the others, the
//! others would get only as many answers as they do; so they wait apart, and few enough run to keep
//! the processors busy. Which they are is learned from calls that took long: the next calls are
//! measured, and the first long one of a request decides. A call that had to wait for something
//! counts against it much more than one that computed counts for it, because only few of those that
//! are known to compute run at a time.

use crate::handler::gate::Gate;
use crate::sys::Usage;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

/// Requests that can be known. Beyond: the oldest entry is overwritten.
pub const COMPUTING_MAX: usize = 32;

/// A call that took less says nothing, and costs nobody much.
pub const LONG_CALL: Duration = Duration::from_millis(2);

/// After a long call of a request that nobody has looked up, the next requests are looked up: this
/// many, so that the same request is likely among them.
pub const LOOKUPS: usize = 256;

/// The lowest bits of an entry are its score, and the others the key. An empty entry is 0.
const SCORE: u64 = 15;
/// The score before the first call.
const NEW: u64 = 8;
/// The lowest score of a request that takes long.
const SLOW: u64 = 1;
const WAIT_COSTS: u64 = 4;

/// What a measured call was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// It did not take long.
    Quick,
    /// It took long because it computed.
    Computed,
    /// It took long because it waited for something.
    Waited,
}

impl Call {
    /// A call that took `took` while its thread used this.
    pub fn of(took: Duration, used: Usage) -> Call {
        // On a busy machine `took` says little; but a thread that had to wait says so.
        let computed = used.waits == 0 || 3 * used.time >= 2 * took;
        match (took >= LONG_CALL, used.time >= LONG_CALL && computed) {
            (false, _) => Call::Quick,
            (true, true) => Call::Computed,
            (true, false) => Call::Waited,
        }
    }

    /// The score after this call; 0 removes the entry.
    const fn rate(self, score: u64) -> u64 {
        match self {
            Call::Quick => score - 1,
            Call::Computed if score < SCORE => score + 1,
            Call::Computed => SCORE,
            Call::Waited if score > WAIT_COSTS => score - WAIT_COSTS,
            Call::Waited => SLOW,
        }
    }
}

/// A request, and its entry if there is one.
#[derive(Clone, Copy, Debug)]
pub struct Lookup {
    /// The hash of method and path.
    pub key: u64,
    found: Option<(usize, u64)>,
    /// It was to be looked up although there may be no entry.
    sought: bool,
}

impl Lookup {
    /// Whether the request has an entry.
    pub fn is_known(&self) -> bool {
        self.found.is_some()
    }

    /// Whether its calls are to be measured.
    pub fn is_measured(&self) -> bool {
        self.is_known() || self.sought
    }

    /// Whether the request computes; otherwise that is not known yet.
    pub fn computes(&self) -> bool {
        self.found.is_some_and(|(_, entry)| entry & SCORE > NEW)
    }
}

/// See the [module](self).
#[derive(Debug)]
pub struct Computing {
    /// Those that run are inside, and the others wait in front of it.
    pub gate: Arc<Gate>,
    /// How many run at a time.
    pub most: usize,
    entries: [AtomicU64; COMPUTING_MAX],
    /// Entries that are not empty.
    used: AtomicUsize,
    /// Requests that are to be looked up although there is no entry.
    lookups: AtomicUsize,
    next: AtomicUsize,
    keys: RandomState,
}

impl Computing {
    /// Nothing is known yet; `most` are to run at a time.
    pub fn new(most: usize) -> Computing {
        Computing {
            gate: Arc::default(),
            most,
            entries: [const { AtomicU64::new(0) }; COMPUTING_MAX],
            used: AtomicUsize::new(0),
            lookups: AtomicUsize::new(0),
            next: AtomicUsize::new(0),
            keys: RandomState::new(),
        }
    }

    /// Whether no request is to be looked up, because none has taken long of late.
    pub fn is_idle(&self) -> bool {
        self.used.load(Ordering::Relaxed) == 0 && self.lookups.load(Ordering::Relaxed) == 0
    }

    /// Looks up a request.
    pub fn lookup(&self, method: &str, path: &str) -> Lookup {
        // Of two threads that do this at once, one counts.
        let order = Ordering::Relaxed;
        let left = self.lookups.load(order);
        self.lookups.store(left.saturating_sub(1), order);
        let key = self.keys.hash_one((method, path)) & !SCORE;
        let (found, sought) = (self.find(key), left > 0);
        Lookup { key, found, sought }
    }

    fn find(&self, key: u64) -> Option<(usize, u64)> {
        let mut entries = self.entries.iter().enumerate();
        entries.find_map(|(place, entry)| {
            let entry = entry.load(Ordering::Relaxed);
            (entry != 0 && entry & !SCORE == key).then_some((place, entry))
        })
    }

    /// A request took long that nobody has looked up.
    pub fn look_up_more(&self) {
        self.lookups.store(LOOKUPS, Ordering::Relaxed);
    }

    /// A request has been called, and gets an entry if it has none. Of two calls at once, one may
    /// be lost.
    pub fn learn(&self, request: Lookup, call: Call) {
        let order = Ordering::Relaxed;
        let Some((place, entry)) = request.found else {
            // Of many calls at once, the first has entered it.
            if self.find(request.key).is_none() {
                let place = self.next.fetch_add(1, order) % COMPUTING_MAX;
                // Two may enter it twice all the same: then the first entry is the one that counts.
                let before = self.entries[place].swap(request.key | call.rate(NEW), order);
                self.used.fetch_add(usize::from(before == 0), order);
            }
            return;
        };
        let score = call.rate(entry & SCORE);
        let next = if score == 0 {
            0
        } else {
            entry & !SCORE | score
        };
        let changed = self.entries[place].compare_exchange(entry, next, order, order);
        if changed.is_ok() && next == 0 {
            self.used.fetch_sub(1, order);
        }
    }
}
