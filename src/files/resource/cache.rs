//! The cache of recent requests: a hot file costs no system call, and a large one no search for its
//! name.
//!
//! It is bounded in bytes, descriptors and paths, and nothing in it counts for longer than a tenth
//! of a second without another look at the file. Whether a file may be cached at all, its
//! representation knows.

use super::{Resource, is_fresh, is_same_root};
use crate::files::resolve::Resolved;
use crate::files::respond::error::FileError;
use crate::handler::Now;
use crate::limits::{DESCRIPTORS_RESERVED, Limits};
use crate::sys::beneath::Root;
use crate::sys::limits::open_files;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
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
    /// When idle descriptors were last closed, in milliseconds of the requests' monotonic time.
    swept_ms: AtomicU64,
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
}

#[derive(Debug)]
struct Absence {
    root: Weak<Root>,
    looked_ms: u64,
    error: FileError,
}

impl Cache {
    /// A cache of at most `bytes_max` bytes; with 0 it keeps nothing.
    pub fn of(bytes_max: usize) -> Cache {
        Cache {
            bytes_max,
            ..Cache::default()
        }
    }

    /// What is known of a path below this root. Counts requests of clients in [`Stats`].
    pub fn find(&self, root: &Arc<Root>, path: &Resolved<'_>, by: AskedBy, now: Now) -> Cached {
        let now_ms = now.monotonic.as_millis() as u64;
        let swept_ms = self.swept_ms.load(Ordering::Relaxed);
        if now_ms.abs_diff(swept_ms) >= CACHE_DESCRIPTOR_IDLE_MS {
            self.sweep(swept_ms, now_ms);
        }
        let entries = self.entries.read().unwrap_or_else(PoisonError::into_inner);
        let before = entries.resources[usize::from(path.slash)].get(path.below_root());
        let before = before.filter(|resource| resource.is_below(root)).cloned();
        drop(entries);
        let cached = match before {
            Some(resource) if resource.is_fresh(now_ms, now) && resource.plain().is_intact() => {
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
            (AskedBy::Site, _) => return cached,
            (AskedBy::Client, Cached::Unknown(_)) => &self.misses,
            (AskedBy::Client, _) => &self.hits,
        };
        counter.fetch_add(1, Ordering::Relaxed);
        cached
    }

    /// Caches the file that answers a path, if that is allowed.
    pub fn keep(&self, path: &Resolved<'_>, resource: &Arc<Resource>, now: Now) {
        let key = path.below_root();
        let bytes = resource.bytes() + key.len();
        if !resource.may_be_kept(now) || bytes > self.bytes_max || key.len() > CACHE_NAME_BYTES {
            return;
        }
        let mut entries = self.entries.write().unwrap_or_else(PoisonError::into_inner);
        let which = usize::from(path.slash);
        entries.remove(which, key);
        let descriptors = resource.descriptors();
        if entries.bytes + bytes > self.bytes_max {
            // An eighth more than needed, so that not every new file scans all of them.
            let goal = self.bytes_max - self.bytes_max / 8;
            self.note_evictions(entries.evict(goal.saturating_sub(bytes), usize::MAX));
        }
        if entries.descriptors + descriptors > CACHE_DESCRIPTORS_FEW {
            // Asked for now, because a program may raise the limit after this cache was made.
            let most = descriptors_max(open_files());
            if entries.descriptors + descriptors > most {
                let goal = most - most / 8;
                self.note_evictions(entries.evict(usize::MAX, goal.saturating_sub(descriptors)));
            }
        }
        entries.bytes += bytes;
        entries.descriptors += descriptors;
        entries.resources[which].insert(key.into(), resource.clone());
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
        if count >= CACHE_MISSING {
            // Entries that hold for a tenth of a second are not worth an order of eviction.
            absences.iter_mut().for_each(HashMap::clear);
        }
        let absence = Absence {
            root: Arc::downgrade(root),
            looked_ms: now.monotonic.as_millis() as u64,
            error,
        };
        absences[usize::from(path.slash)].insert(key.into(), absence);
    }

    /// Closes the descriptors that nobody has asked for, now and then: a deleted file takes space
    /// on the disk for as long as it is open. Without requests nothing is closed. One of the
    /// threads that find it due does it.
    fn sweep(&self, swept_ms: u64, now_ms: u64) {
        let order = Ordering::Relaxed;
        let swept = &self.swept_ms;
        let mine = swept.compare_exchange(swept_ms, now_ms, order, order);
        if mine.is_ok() {
            let mut entries = self.entries.write().unwrap_or_else(PoisonError::into_inner);
            entries.close_idle(now_ms);
        }
    }

    /// Closes all descriptors, because the process has none left.
    pub fn close_files(&self) {
        let mut entries = self.entries.write().unwrap_or_else(PoisonError::into_inner);
        self.note_evictions(entries.evict(usize::MAX, 0));
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
    fn remove(&mut self, which: usize, path: &[u8]) {
        if let Some(resource) = self.resources[which].remove(path) {
            self.bytes -= resource.bytes() + path.len();
            self.descriptors -= resource.descriptors();
        }
    }

    fn close_idle(&mut self, now_ms: u64) {
        if self.descriptors == 0 {
            return;
        }
        for resources in &mut self.resources {
            resources.retain(|path, resource| {
                let is_idle = resource.looked_ms().abs_diff(now_ms) >= CACHE_DESCRIPTOR_IDLE_MS;
                let stays = !is_idle || resource.descriptors() == 0;
                if !stays {
                    self.bytes -= resource.bytes() + path.len();
                    self.descriptors -= resource.descriptors();
                }
                stays
            });
        }
    }

    /// Goes down to these numbers of bytes and descriptors. Files that nobody asked for since the
    /// last eviction go first.
    fn evict(&mut self, bytes_goal: usize, descriptors_goal: usize) -> u64 {
        let mut count = 0;
        let Entries {
            resources,
            bytes,
            descriptors,
        } = self;
        for spare_used in [true, false] {
            for resources in resources.iter_mut() {
                resources.retain(|path, resource| {
                    let helps = *bytes > bytes_goal
                        || *descriptors > descriptors_goal && resource.descriptors() > 0;
                    let stays = !helps || spare_used && resource.take_used();
                    if !stays {
                        *bytes -= resource.bytes() + path.len();
                        *descriptors -= resource.descriptors();
                        count += 1;
                    }
                    stays
                });
            }
        }
        count
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

/// Descriptors of larger files that are kept open, so that a hot one costs no search for its name.
const CACHE_DESCRIPTORS: usize = 256;
/// The same where the limit of open files leaves no room for that many beside all connections: half
/// of the reserved ones.
const CACHE_DESCRIPTORS_FEW: usize = (DESCRIPTORS_RESERVED / 2) as usize;
/// How long a descriptor is kept that nobody asks for, and how often such descriptors are looked
/// for. A file that is asked for less often is opened again; a deleted one frees its space on the
/// disk with the first request after twice that time. In milliseconds.
const CACHE_DESCRIPTOR_IDLE_MS: u64 = 10_000;
/// Missing paths. They count for a tenth of a second, so more would seldom be asked for again.
const CACHE_MISSING: usize = 1024;
/// Bytes of the longest cached path. Real ones are far shorter, and long ones could make the map as
/// large as a client likes.
const CACHE_NAME_BYTES: usize = 1024;
