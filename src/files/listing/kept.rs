//! The listings of a [`Files`](crate::Files) and its mounts: a share of the processors makes them,
//! one after the other, and what was made is kept for a moment, for all that want it.

use super::budget::{MemoryBudget, Reservation};
use super::order::Order;
use super::snapshot::Snapshot;
use crate::files::respond::error::FileError;
use crate::handler::expiry::expire_at;
use crate::handler::gate::{Gate, Pass};
use crate::handler::millis;
use crate::sys::beneath::Root;
use crate::sys::limits::processors;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

/// See the [module](self).
#[derive(Debug)]
pub struct Listings {
    /// For the work of reading and sorting.
    gate: Arc<Gate>,
    /// How many threads may do it at a time.
    most: usize,
    budget: MemoryBudget,
    /// By the root's address and the path below it.
    folders: Mutex<HashMap<Key, Arc<Folder>>>,
    /// Whether the housekeeper is to call [`tend`](Listings::tend).
    is_tended: AtomicBool,
}

type Key = (usize, Box<[u8]>);

/// A folder that was listed a moment ago, or is being read.
#[derive(Debug)]
pub struct Folder {
    /// So that its address is not used again.
    _root: Weak<Root>,
    /// One thread reads or sorts it.
    gate: Arc<Gate>,
    /// When that thread was last seen to go on, in milliseconds of the requests' monotonic time;
    /// [`NOBODY`] when there is none.
    seen_ms: AtomicU64,
    kept: Mutex<Option<Fresh>>,
}

#[derive(Debug)]
struct Fresh {
    snapshot: Arc<Snapshot>,
    made: Duration,
    /// How long it answers from then on.
    fresh_for: Duration,
}

/// The right to read or to sort a folder.
#[derive(Debug)]
pub struct Work {
    folder: Arc<Folder>,
    _alone: Pass,
    _share: Pass,
}

impl Default for Listings {
    fn default() -> Listings {
        // A quarter: the rest is for others, whatever is listed.
        Listings::of(processors().div_ceil(4), MemoryBudget::default())
    }
}

impl Listings {
    /// Listings that this many threads make at a time.
    pub fn of(most: usize, budget: MemoryBudget) -> Listings {
        Listings {
            gate: Arc::default(),
            most,
            budget,
            folders: Mutex::default(),
            is_tended: AtomicBool::new(false),
        }
    }

    /// The folder at this path below the root.
    pub fn folder(&self, root: &Arc<Root>, path: &[u8], now: Duration) -> Arc<Folder> {
        let key = (Arc::as_ptr(root) as usize, path.into());
        let mut folders = self.lock();
        if let Some(folder) = folders.get(&key) {
            return folder.clone();
        }
        if folders.len() >= FOLDERS {
            folders.retain(|_, folder| folder.is_wanted(now));
        }
        if folders.len() >= FOLDERS {
            folders.retain(|_, folder| folder.is_worked_on());
        }
        let folder = Arc::new(Folder {
            _root: Arc::downgrade(root),
            gate: Arc::default(),
            seen_ms: AtomicU64::new(NOBODY),
            kept: Mutex::default(),
        });
        folders.insert(key, folder.clone());
        folder
    }

    /// Begins to read or to sort a folder, or says which gate is full.
    pub fn begin(
        self: &Arc<Listings>,
        folder: &Arc<Folder>,
        now: Duration,
    ) -> Result<Work, Arc<Gate>> {
        self.have_tended(now);
        let alone = folder.gate.enter(1).ok_or_else(|| folder.gate.clone())?;
        let share = self.gate.enter(self.most).or_else(|| {
            // A thread that waits for its disk takes no processor from others.
            self.gate.enter(self.most + self.held_up(now))
        });
        let share = share.ok_or_else(|| self.gate.clone())?;
        folder.note(now);
        Ok(Work {
            folder: folder.clone(),
            _alone: alone,
            _share: share,
        })
    }

    /// How many threads wait for a disk.
    fn held_up(&self, now: Duration) -> usize {
        let folders = self.lock();
        let held_up = |folder: &&Arc<Folder>| {
            let seen_ms = folder.seen_ms.load(Ordering::Relaxed);
            seen_ms != NOBODY && seen_ms + HELD_UP_MS <= millis(now)
        };
        folders.values().filter(held_up).count()
    }

    /// Reserves memory. What is kept, and nobody sends, is given up for it.
    ///
    /// # Errors
    /// [`FileError::NoMemory`]: the listings that are being sent take too much.
    pub fn reserve(&self, bytes: usize) -> Result<Reservation, FileError> {
        let reserved = self.budget.reserve(bytes).or_else(|| {
            self.give_up_unsent();
            self.budget.reserve(bytes)
        });
        reserved.ok_or(FileError::NoMemory)
    }

    /// Gives up what is kept and not being sent.
    pub fn give_up_unsent(&self) {
        for folder in self.lock().values() {
            let mut kept = folder.lock();
            if matches!(&*kept, Some(kept) if Arc::strong_count(&kept.snapshot) == 1) {
                *kept = None;
            }
        }
    }

    /// Sorts a folder.
    ///
    /// # Errors
    /// [`FileError::Disconnected`]: `goes_on` has said no. [`FileError::NoMemory`].
    pub fn sort(
        &self,
        snapshot: &Snapshot,
        order: Order,
        goes_on: &mut dyn FnMut() -> bool,
    ) -> Result<(), FileError> {
        if snapshot.is_sorted(order) {
            return Ok(());
        }
        let memory = self.reserve(snapshot.bytes_to_sort())?;
        match snapshot.sort(order, memory, goes_on) {
            true => Ok(()),
            false => Err(FileError::Disconnected),
        }
    }

    /// Gives up what is no longer fresh, and lets a request go on that has waited for a thread
    /// which a disk holds up. Returns the bytes that were freed since the last call, also by the
    /// last client of a listing, and whether there is more to do.
    pub fn tend(&self, now: Duration) -> (usize, bool) {
        self.lock().retain(|_, folder| folder.is_wanted(now));
        let freed = self.budget.fallen();
        let is_waited_for = self.gate.waiting() > 0;
        if is_waited_for {
            // Leaving calls the next one.
            drop(self.gate.enter(self.most + self.held_up(now)));
        }
        let is_empty = self.budget.reserved() == 0 && self.lock().is_empty();
        (freed, is_waited_for || !is_empty)
    }

    /// Has the housekeeper tend to the listings for as long as there are any.
    fn have_tended(self: &Arc<Listings>, now: Duration) {
        if self.is_tended.swap(true, Ordering::SeqCst) {
            return;
        }
        let listings = Arc::downgrade(self);
        let tend = move |now| {
            let Some(listings) = listings.upgrade() else {
                return (0, None);
            };
            // Before the look: who adds a listing after it has it tended to.
            listings.is_tended.store(false, Ordering::SeqCst);
            let (freed, is_needed) = listings.tend(now);
            let goes_on = is_needed && !listings.is_tended.swap(true, Ordering::SeqCst);
            (freed, goes_on.then_some(now + TEND_EVERY))
        };
        expire_at(now + TEND_EVERY, Box::new(tend));
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Key, Arc<Folder>>> {
        self.folders.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Folder {
    /// The listing that was made a moment ago.
    pub fn fresh(&self, now: Duration) -> Option<Arc<Snapshot>> {
        let kept = self.lock();
        let kept = kept.as_ref().filter(|kept| kept.is_fresh(now))?;
        Some(kept.snapshot.clone())
    }

    fn is_wanted(&self, now: Duration) -> bool {
        self.is_worked_on() || matches!(&*self.lock(), Some(kept) if kept.is_fresh(now))
    }

    fn is_worked_on(&self) -> bool {
        self.seen_ms.load(Ordering::Relaxed) != NOBODY
    }

    fn note(&self, now: Duration) {
        self.seen_ms.store(millis(now), Ordering::Relaxed);
    }

    fn lock(&self) -> MutexGuard<'_, Option<Fresh>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Fresh {
    fn is_fresh(&self, now: Duration) -> bool {
        // In either direction: a request that began before another may be answered after it.
        now.abs_diff(self.made) < self.fresh_for
    }
}

impl Work {
    /// Notes that the work goes on at this time.
    pub fn note(&self, now: Duration) {
        self.folder.note(now);
    }

    /// Keeps what was made from `begun` to `made`.
    pub fn keep(&self, snapshot: &Arc<Snapshot>, begun: Duration, made: Duration) {
        let took = made.saturating_sub(begun);
        let kept = Fresh {
            snapshot: snapshot.clone(),
            made,
            fresh_for: (took * KEPT_FACTOR).clamp(KEPT_LEAST, KEPT_MOST),
        };
        *self.folder.lock() = Some(kept);
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        self.folder.seen_ms.store(NOBODY, Ordering::Relaxed);
    }
}

/// How long a listing is kept: as long as a file is not looked at again,
const KEPT_LEAST: Duration = Duration::from_millis(100);
/// or longer than it took, so that one that is asked for all the time takes a ninth of a thread,
const KEPT_FACTOR: u32 = 8;
/// but no longer than a person waits who has just put a file there.
const KEPT_MOST: Duration = Duration::from_secs(5);
/// How often the housekeeper tends to the listings, at most: as often as it sweeps.
const TEND_EVERY: Duration = Duration::from_millis(HELD_UP_MS);
/// Folders that are known at a time: more than are read within [`KEPT_LEAST`] by most servers.
const FOLDERS: usize = 256;
/// A thread that reads a folder looks up every millisecond or so; one that has not for this long
/// waits for its disk.
const HELD_UP_MS: u64 = 100;
/// No time is that late.
const NOBODY: u64 = u64::MAX;
