//! The cache of recent requests: a hot file costs no system call, and a large one no search for its
//! name.
//!
//! It is bounded in bytes, descriptors and paths, and nothing in it counts for longer than a tenth
//! of a second without another look at the file. Whether a file may be cached at all, its
//! representation knows. Nothing is opened, looked at or closed under its locks: a disk may be
//! slow, and every request needs them.

use super::{Resource, is_fresh, is_same_root};
use crate::files::disk::Disk;
use crate::files::resolve::Resolved;
use crate::files::respond::error::FileError;
use crate::handler::{Now, millis};
use crate::limits::{DESCRIPTORS_RESERVED, Limits};
use crate::sys::beneath::Root;
use crate::sys::limits::open_files;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock, Weak};

/// The counters of the cache of a [`Files`](crate::Files).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Requests for a path that had been asked for less than a tenth of a second before, existing
    /// or not.
    pub hits: u64,
    /// Requests for which the file system was searched.
    pub misses: u64,
    /// Files that were evicted to make room for others.
    pub evictions: u64,
}

/// Files and missing paths of recent requests.
#[derive(Debug, Default)]
pub struct Cache {
    bytes_max: usize,
    entries: RwLock<Entries>,
    absences: RwLock<ByPath<Absence>>,
    hits: AtomicU64,
    misses: AtomicU64,
    evictions: AtomicU64,
}

/// What the cache knows of a path.
#[derive(Debug)]
pub enum Cached {
    Resource(Arc<Resource>),
    /// Nothing is there, and why.
    Absence(FileError),
    /// Not known: only the file that answered it some time ago, if the cache still has it.
    Unknown(Option<Arc<Resource>>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AskedBy {
    Client,
    /// The site, for an error page of its own or the page of a single-page application.
    Site,
}

/// By path: first those that were asked for without a slash at the end, then folders.
type ByPath<T> = [HashMap<Box<[u8]>, T>; 2];

#[derive(Debug, Default)]
struct Entries {
    resources: ByPath<Arc<Resource>>,
    bytes: usize,
    descriptors: usize,
    /// The descriptors of all caches together.
    total: DescriptorCount,
}

/// The descriptors that the caches of a [`Files`](crate::Files) and of its mounts hold.
pub type DescriptorCount = Arc<AtomicUsize>;

/// What a cache no longer holds, until its lock is released.
type GivenUp = Vec<Arc<Resource>>;

#[derive(Debug)]
struct Absence {
    root: Weak<Root>,
    looked_ms: u64,
    error: FileError,
}

impl Cache {
    /// A cache whose descriptors are counted in `total`. It keeps nothing until it may.
    pub fn of(total: &DescriptorCount) -> Cache {
        let entries = Entries {
            total: total.clone(),
            ..Entries::default()
        };
        Cache {
            entries: RwLock::new(entries),
            ..Cache::default()
        }
    }

    /// Keeps at most this many bytes from now on; with 0, nothing.
    pub fn limit(&mut self, bytes_max: usize) {
        self.bytes_max = bytes_max;
        self.change(|entries, given_up| {
            entries.evict(bytes_max, usize::MAX, given_up);
        });
    }

    /// Counts its descriptors with those of other caches.
    pub fn share(&mut self, total: &DescriptorCount) {
        let entries = self.entries.get_mut();
        let entries = entries.unwrap_or_else(PoisonError::into_inner);
        entries
            .total
            .fetch_sub(entries.descriptors, Ordering::Relaxed);
        total.fetch_add(entries.descriptors, Ordering::Relaxed);
        entries.total = total.clone();
    }

    /// What is known of a path below this root. Counts requests of clients in [`Stats`].
    ///
    /// # Errors
    /// [`FileError::Busy`]: an open file cannot be looked at.
    pub fn find(
        &self,
        root: &Arc<Root>,
        disk: &Disk<'_>,
        path: &Resolved<'_>,
        by: AskedBy,
        now: Now,
    ) -> Result<Cached, FileError> {
        let now_ms = millis(now.monotonic);
        let entries = self.entries.read().unwrap_or_else(PoisonError::into_inner);
        let before = entries.resources[usize::from(path.slash)].get(path.below_root());
        let before = before.filter(|resource| resource.is_below(root)).cloned();
        drop(entries);
        let is_valid = match &before {
            Some(before) if before.is_fresh(now_ms, now) => before.plain().is_intact(disk)?,
            _ => false,
        };
        let cached = match before {
            Some(resource) if is_valid => {
                resource.touch();
                Cached::Resource(resource)
            }
            before => {
                let absences = self.absences.read().unwrap_or_else(PoisonError::into_inner);
                match absences[usize::from(path.slash)].get(path.below_root()) {
                    Some(absence) if absence.is_of(root, now_ms) => Cached::Absence(absence.error),
                    _ => Cached::Unknown(before),
                }
            }
        };
        let counter = match (by, &cached) {
            (AskedBy::Site, _) => return Ok(cached),
            (AskedBy::Client, Cached::Unknown(_)) => &self.misses,
            (AskedBy::Client, _) => &self.hits,
        };
        counter.fetch_add(1, Ordering::Relaxed);
        Ok(cached)
    }

    /// Caches the file that answers a path, if that is allowed.
    pub fn keep(&self, path: &Resolved<'_>, resource: &Arc<Resource>, now: Now) {
        let key = path.below_root();
        let bytes = resource.bytes() + key.len();
        if !resource.may_be_kept(now) || bytes > self.bytes_max || key.len() > CACHE_NAME_BYTES {
            return;
        }
        let which = usize::from(path.slash);
        self.change(|entries, given_up| {
            entries.remove(which, key, given_up);
            if entries.bytes + bytes > self.bytes_max {
                // An eighth more than needed, so that not every new file scans all of them.
                let goal = self.bytes_max - self.bytes_max / 8;
                let goal = goal.saturating_sub(bytes);
                self.note_evictions(entries.evict(goal, usize::MAX, given_up));
            }
            let descriptors = resource.descriptors();
            let evictions = entries.reserve(descriptors, given_up);
            self.note_evictions(evictions.unwrap_or_default());
            if evictions.is_some() {
                entries.bytes += bytes;
                entries.descriptors += descriptors;
                entries.resources[which].insert(key.into(), resource.clone());
            }
        });
    }

    /// Caches that there is nothing at a path.
    pub fn keep_absence(&self, root: &Arc<Root>, path: &Resolved<'_>, error: FileError, now: Now) {
        let key = path.below_root();
        if self.bytes_max == 0 || key.len() > CACHE_NAME_BYTES {
            return;
        }
        let absences = self.absences.write();
        let mut absences = absences.unwrap_or_else(PoisonError::into_inner);
        let count: usize = absences.iter().map(HashMap::len).sum();
        if count >= CACHE_MISSING.min(self.bytes_max / MISSING_EACH) {
            // Entries that hold for a tenth of a second are not worth an order of eviction.
            absences.iter_mut().for_each(HashMap::clear);
        }
        let absence = Absence {
            root: Arc::downgrade(root),
            looked_ms: millis(now.monotonic),
            error,
        };
        absences[usize::from(path.slash)].insert(key.into(), absence);
    }

    /// Closes the descriptors that nobody has asked for: a deleted file takes space on the disk for
    /// as long as it is open.
    pub fn close_idle(&self, now_ms: u64) {
        self.change(|entries, given_up| entries.close_idle(now_ms, given_up));
    }

    /// Closes all descriptors, because the process has none left.
    pub fn close_files(&self) {
        self.change(|entries, given_up| {
            self.note_evictions(entries.evict(usize::MAX, 0, given_up));
        });
    }

    fn change(&self, change: impl FnOnce(&mut Entries, &mut GivenUp)) {
        let mut given_up = GivenUp::new();
        let mut entries = self.entries.write().unwrap_or_else(PoisonError::into_inner);
        change(&mut entries, &mut given_up);
        // In this order: a file is closed after the lock is released.
        drop(entries);
        drop(given_up);
    }

    fn note_evictions(&self, count: u64) {
        self.evictions.fetch_add(count, Ordering::Relaxed);
    }

    pub fn stats(&self) -> Stats {
        Stats {
            hits: self.hits.load(Ordering::Relaxed),
            misses: self.misses.load(Ordering::Relaxed),
            evictions: self.evictions.load(Ordering::Relaxed),
        }
    }
}

impl Absence {
    /// Whether it was found below this root, within the last tenth of a second.
    fn is_of(&self, root: &Arc<Root>, now_ms: u64) -> bool {
        is_same_root(&self.root, root) && is_fresh(self.looked_ms, now_ms)
    }
}

impl Entries {
    fn remove(&mut self, which: usize, path: &[u8], given_up: &mut GivenUp) {
        if let Some(resource) = self.resources[which].remove(path) {
            self.count_out(path, &resource);
            given_up.push(resource);
        }
    }

    fn count_out(&mut self, path: &[u8], resource: &Resource) {
        self.bytes -= resource.bytes() + path.len();
        let descriptors = resource.descriptors();
        self.descriptors -= descriptors;
        self.total.fetch_sub(descriptors, Ordering::Relaxed);
    }

    /// Makes room for this many descriptors beside those of all caches, and counts how many files
    /// were evicted for it. `None` when the other caches hold too many.
    fn reserve(&mut self, descriptors: usize, given_up: &mut GivenUp) -> Option<u64> {
        let total = self.total.fetch_add(descriptors, Ordering::Relaxed) + descriptors;
        if descriptors == 0 || total <= CACHE_DESCRIPTORS_FEW {
            return Some(0);
        }
        // Asked for now, because a program may raise the limit after this cache was made.
        let most = descriptors_max(open_files());
        if total <= most {
            return Some(0);
        }
        let goal = (self.descriptors + most - most / 8).saturating_sub(total);
        let evictions = self.evict(usize::MAX, goal, given_up);
        if self.total.load(Ordering::Relaxed) <= most {
            return Some(evictions);
        }
        self.total.fetch_sub(descriptors, Ordering::Relaxed);
        None
    }

    fn close_idle(&mut self, now_ms: u64, given_up: &mut GivenUp) {
        if self.descriptors > 0 {
            self.retain(given_up, |_, resource| {
                let is_idle = resource.looked_ms().abs_diff(now_ms) >= CACHE_DESCRIPTOR_IDLE_MS;
                !is_idle || resource.descriptors() == 0
            });
        }
    }

    /// Goes down to these numbers of bytes and descriptors. Files that nobody asked for since the
    /// last eviction go first.
    fn evict(&mut self, bytes_goal: usize, descriptors_goal: usize, given_up: &mut GivenUp) -> u64 {
        let before = given_up.len();
        for spare_used in [true, false] {
            self.retain(given_up, |entries, resource| {
                let helps = entries.bytes > bytes_goal
                    || entries.descriptors > descriptors_goal && resource.descriptors() > 0;
                !helps || spare_used && resource.take_used()
            });
        }
        (given_up.len() - before) as u64
    }

    fn retain(&mut self, given_up: &mut GivenUp, stays: impl Fn(&Entries, &Resource) -> bool) {
        let mut by_path = std::mem::take(&mut self.resources);
        for resources in &mut by_path {
            resources.retain(|path, resource| {
                let stays = stays(self, resource);
                if !stays {
                    self.count_out(path, resource);
                    given_up.push(resource.clone());
                }
                stays
            });
        }
        self.resources = by_path;
    }
}

/// How many descriptors may be held with this limit of open files. Connections come first: where
/// they and the reserved descriptors leave no room, only some of the reserved ones are taken.
fn descriptors_max(open_files: Option<u64>) -> usize {
    let room_for_all =
        Limits::default().connections as u64 + DESCRIPTORS_RESERVED + CACHE_DESCRIPTORS as u64;
    match open_files {
        Some(limit) if limit < room_for_all => CACHE_DESCRIPTORS_FEW,
        _ => CACHE_DESCRIPTORS,
    }
}

/// Descriptors of larger files that all caches of a [`Files`](crate::Files) keep open, so that a
/// hot one costs no search for its name.
const CACHE_DESCRIPTORS: usize = 256;
/// The same where the limit of open files leaves no room for that many beside all connections: half
/// of the reserved ones.
const CACHE_DESCRIPTORS_FEW: usize = (DESCRIPTORS_RESERVED / 2) as usize;
/// How long a descriptor is kept that nobody asks for, and how often such descriptors are looked
/// for; without requests none is closed. A file that is asked for less often is opened again; a
/// deleted one frees its space on the disk with the first request after twice that time. In
/// milliseconds.
pub const CACHE_DESCRIPTOR_IDLE_MS: u64 = 10_000;
/// Missing paths. They count for a tenth of a second, so more would seldom be asked for again.
const CACHE_MISSING: usize = 1024;
/// The memory for small files that allows one missing path, which takes a sixteenth of that beside
/// it: so mounts add none.
const MISSING_EACH: usize = 16 * CACHE_NAME_BYTES;
/// Bytes of the longest cached path. Real ones are far shorter, and long ones could make the map as
/// large as a client likes.
const CACHE_NAME_BYTES: usize = 1024;
