//! What is kept of recent requests, so that a hot file costs no call of the file system, and a large one no search for its name.
//!
//! In: what a look at the file system gave. Out: whether it may be kept, which the representations know. Never: more bytes,
//! descriptors or names than their bounds; anything that was not looked at for a tenth of a second as the truth.

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
use std::time::Duration;

/// How often the cache of a [`Files`](crate::Files) could answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Requests whose path was known, be it to lead to nothing: somebody had asked for it less than a tenth of a second before.
    pub hits: u64,
    /// Requests whose path was looked for in the file system.
    pub misses: u64,
    /// Files that were given up to make room for others.
    pub evictions: u64,
}

/// The answers to recent requests.
#[derive(Debug)]
pub struct Cache {
    bytes_max: usize,
    entries: RwLock<Entries>,
    /// When descriptors that nobody asks for were last closed, in milliseconds of the requests' monotonic time.
    swept_ms: AtomicU64,
    absences: RwLock<ByPath<Absence>>,
    hits: AtomicU64,
    misses: AtomicU64,
    evictions: AtomicU64,
}

/// What the cache knows of a path.
#[derive(Debug)]
pub enum Cached {
    /// What answers it.
    Resource(Arc<Resource>),
    /// That nothing does, and why.
    Absence(FileError),
    /// Nothing certain: only what answered it some time ago, if that is still here.
    Unknown(Option<Arc<Resource>>),
}

/// Who asks for a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AskedBy {
    /// A request.
    Client,
    /// The site, for a page of its own in place of what a request asked for.
    Site,
}

/// By path: those that were asked without a slash behind it, and folders, which were asked with one.
type ByPath<T> = [HashMap<Box<[u8]>, T>; 2];

#[derive(Debug, Default)]
struct Entries {
    resources: ByPath<Arc<Resource>>,
    bytes: usize,
    descriptors: usize,
}

/// That a path leads to nothing.
#[derive(Debug)]
struct Absence {
    root: Weak<Root>,
    looked: Duration,
    error: FileError,
}

impl Cache {
    /// One that keeps at most so many bytes, or nothing at all.
    pub fn of(bytes_max: usize) -> Cache {
        Cache {
            bytes_max,
            entries: RwLock::default(),
            swept_ms: AtomicU64::new(0),
            absences: RwLock::default(),
            hits: AtomicU64::new(0),
            misses: AtomicU64::new(0),
            evictions: AtomicU64::new(0),
        }
    }

    /// What is known of a path below this root. Counts the request in [`Stats`], if it is one.
    pub fn find(&self, root: &Arc<Root>, path: &Resolved<'_>, by: AskedBy, now: Now) -> Cached {
        let now_ms = now.monotonic.as_millis() as u64;
        let swept_ms = self.swept_ms.load(Ordering::Relaxed);
        if now_ms.abs_diff(swept_ms) >= CACHE_DESCRIPTOR_IDLE.as_millis() as u64 {
            self.sweep(swept_ms, now_ms, now);
        }
        let entries = self.entries.read().unwrap_or_else(PoisonError::into_inner);
        let before = entries.resources[usize::from(path.slash)].get(path.below_root());
        let before = before.filter(|resource| resource.is_below(root)).cloned();
        drop(entries);
        let cached = match before {
            Some(resource) if resource.is_fresh(now) && resource.plain().is_intact() => {
                resource.touch();
                Cached::Resource(resource)
            }
            before => match self.find_absence(root, path, now) {
                Some(error) => Cached::Absence(error),
                None => Cached::Unknown(before),
            },
        };
        let counter = match (by, &cached) {
            (AskedBy::Site, _) => return cached,
            (AskedBy::Client, Cached::Unknown(_)) => &self.misses,
            (AskedBy::Client, _) => &self.hits,
        };
        counter.fetch_add(1, Ordering::Relaxed);
        cached
    }

    /// Why there is nothing at a path, if that was found a moment ago.
    fn find_absence(&self, root: &Arc<Root>, path: &Resolved<'_>, now: Now) -> Option<FileError> {
        let absences = self.absences.read().unwrap_or_else(PoisonError::into_inner);
        let absence = absences[usize::from(path.slash)].get(path.below_root())?;
        let is_true = is_same_root(&absence.root, root) && is_fresh(absence.looked, now);
        is_true.then_some(absence.error)
    }

    /// Keeps what answers a path, if it may be kept.
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
            // An eighth more than is needed, so that not every new file looks through all of them.
            let goal = self.bytes_max - self.bytes_max / 8;
            self.note_evictions(entries.evict(goal.saturating_sub(bytes), usize::MAX));
        }
        if entries.descriptors + descriptors > CACHE_DESCRIPTORS_FEW {
            // Asked now, because a program may raise it behind the making of this.
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

    /// Keeps that there is nothing at a path.
    pub fn keep_absence(&self, root: &Arc<Root>, path: &Resolved<'_>, error: FileError, now: Now) {
        let key = path.below_root();
        if self.bytes_max == 0 || key.len() > CACHE_NAME_BYTES {
            return;
        }
        let mut absences = self
            .absences
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        let count: usize = absences.iter().map(HashMap::len).sum();
        if count >= CACHE_MISSING {
            // What is true for a tenth of a second only is not worth an order.
            absences.iter_mut().for_each(HashMap::clear);
        }
        let absence = Absence {
            root: Arc::downgrade(root),
            looked: now.monotonic,
            error,
        };
        absences[usize::from(path.slash)].insert(key.into(), absence);
    }

    /// Gives up the descriptors that nobody has asked for, now and then: a file that was deleted
    /// takes its room on the disk for as long as it is open. Without requests nothing is given up.
    /// One of the threads that find it due does it.
    fn sweep(&self, swept_ms: u64, now_ms: u64, now: Now) {
        let order = Ordering::Relaxed;
        let mine = self
            .swept_ms
            .compare_exchange(swept_ms, now_ms, order, order);
        if mine.is_ok() {
            let mut entries = self.entries.write().unwrap_or_else(PoisonError::into_inner);
            entries.close_idle(now);
        }
    }

    /// Tries once more when there was no descriptor left: what is open for later requests must not
    /// be in the way of this one.
    pub fn with_descriptors<T>(
        &self,
        attempt: impl Fn() -> Result<T, FileError>,
    ) -> Result<T, FileError> {
        match attempt() {
            Err(FileError::NoDescriptors) => {
                self.close_files();
                attempt()
            }
            outcome => outcome,
        }
    }

    /// Gives up all descriptors, for the process has none left.
    fn close_files(&self) {
        let mut entries = self.entries.write().unwrap_or_else(PoisonError::into_inner);
        self.note_evictions(entries.evict(usize::MAX, 0));
    }

    fn note_evictions(&self, count: u64) {
        self.evictions.fetch_add(count, Ordering::Relaxed);
    }

    /// What was counted.
    pub fn stats(&self) -> Stats {
        Stats {
            hits: self.hits.load(Ordering::Relaxed),
            misses: self.misses.load(Ordering::Relaxed),
            evictions: self.evictions.load(Ordering::Relaxed),
        }
    }
}

impl Entries {
    fn remove(&mut self, which: usize, path: &[u8]) {
        if let Some(resource) = self.resources[which].remove(path) {
            self.bytes -= resource.bytes() + path.len();
            self.descriptors -= resource.descriptors();
        }
    }

    fn close_idle(&mut self, now: Now) {
        if self.descriptors == 0 {
            return;
        }
        for resources in &mut self.resources {
            resources.retain(|path, resource| {
                let is_idle = resource.looked().abs_diff(now.monotonic) >= CACHE_DESCRIPTOR_IDLE;
                let stays = !is_idle || resource.descriptors() == 0;
                if !stays {
                    self.bytes -= resource.bytes() + path.len();
                    self.descriptors -= resource.descriptors();
                }
                stays
            });
        }
    }

    /// Goes down to so many bytes and descriptors: what was not asked for since the last eviction goes first, then whatever comes.
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

/// How many descriptors may be held, when the process may have so many. Connections come first: where they and the descriptors that
/// are reserved leave no room, only some of the reserved ones are taken.
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
/// The same where the limit of open files has no room for that many beside all connections: half of
/// those that are reserved.
const CACHE_DESCRIPTORS_FEW: usize = (DESCRIPTORS_RESERVED / 2) as usize;
/// How long a descriptor is kept that nobody asks for, and how often such descriptors are looked for. A
/// file that is asked for less often is opened anew; one that was deleted gives its room on the disk
/// back with the first request after twice that time.
const CACHE_DESCRIPTOR_IDLE: Duration = Duration::from_secs(10);
/// Paths that are known to lead to nothing. They count for a tenth of a second, so more would seldom be
/// asked for again.
const CACHE_MISSING: usize = 1024;
/// Bytes of the longest path that anything is kept for. Real ones are far shorter, and whoever asks for
/// long ones could make the map large.
const CACHE_NAME_BYTES: usize = 1024;
