//! What is kept of recent requests, so that a hot file costs no call of the file system, and a large one no search for its name.
//!
//! In: what a look at the file system gave. Out: whether it may be kept, which the representations know. Never: more octets,
//! descriptors or names than their bounds; anything that was not looked at for a tenth of a second as the truth.

use super::{Resource, is_fresh, is_same_root, milliseconds};
use crate::files::resolve::Resolved;
use crate::files::respond::error::FileError;
use crate::handler::Now;
use crate::limits::{
    CACHE_DESCRIPTOR_IDLE_MS, CACHE_DESCRIPTORS, CACHE_DESCRIPTORS_FEW, CACHE_MISSING,
    CACHE_NAME_BYTES, DESCRIPTORS_RESERVED, Limits,
};
use crate::sys::beneath::Root;
use crate::sys::limits::open_files;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, Weak};

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
    kept: RwLock<Entries>,
    /// When descriptors that nobody asks for were last closed, in milliseconds of the requests' monotonic time.
    swept_ms: AtomicU64,
    missing: RwLock<Missing>,
    hits: AtomicU64,
    misses: AtomicU64,
    evictions: AtomicU64,
}

/// By path: those that were asked without a slash behind it, and folders, which were asked with one.
type ByPath<T> = [HashMap<Box<[u8]>, T>; 2];

#[derive(Debug, Default)]
struct Entries {
    resources: ByPath<Arc<Resource>>,
    bytes: usize,
    descriptors: usize,
}

#[derive(Debug, Default)]
struct Missing {
    paths: ByPath<Absence>,
}

/// That a path leads to nothing.
#[derive(Debug)]
struct Absence {
    root: Weak<Root>,
    looked_ms: u64,
    why: FileError,
}

impl Cache {
    /// One that keeps at most so many octets, or nothing at all.
    pub fn of(bytes_max: usize) -> Cache {
        Cache {
            bytes_max,
            kept: RwLock::default(),
            swept_ms: AtomicU64::new(0),
            missing: RwLock::default(),
            hits: AtomicU64::new(0),
            misses: AtomicU64::new(0),
            evictions: AtomicU64::new(0),
        }
    }

    /// What is kept for a path below this root, fresh or not.
    pub fn find(&self, root: &Arc<Root>, asked: &Resolved<'_>) -> Option<Arc<Resource>> {
        let kept = self.kept.read().unwrap_or_else(PoisonError::into_inner);
        let resource = kept.resources[usize::from(asked.slash)].get(&*asked.path)?;
        resource.is_below(root).then(|| resource.clone())
    }

    /// Keeps what answers a path, if it may be kept.
    pub fn keep(&self, asked: &Resolved<'_>, resource: &Arc<Resource>, now: Now) {
        let bytes = resource.bytes() + asked.path.len();
        if !resource.may_be_kept(now)
            || bytes > self.bytes_max
            || asked.path.len() > CACHE_NAME_BYTES
        {
            return;
        }
        let mut kept = self.kept.write().unwrap_or_else(PoisonError::into_inner);
        let which = usize::from(asked.slash);
        kept.remove(which, &asked.path);
        let descriptors = resource.descriptors();
        if kept.bytes + bytes > self.bytes_max {
            // An eighth more than is needed, so that not every new file looks through all of them.
            let goal = self.bytes_max - self.bytes_max / 8;
            self.note_evictions(kept.evict(goal.saturating_sub(bytes), usize::MAX));
        }
        if kept.descriptors + descriptors > CACHE_DESCRIPTORS_FEW {
            // Asked now, because a program may raise it behind the making of this.
            let most = descriptors_max(open_files());
            if kept.descriptors + descriptors > most {
                let goal = most - most / 8;
                self.note_evictions(kept.evict(usize::MAX, goal.saturating_sub(descriptors)));
            }
        }
        kept.bytes += bytes;
        kept.descriptors += descriptors;
        kept.resources[which].insert(asked.path.as_ref().into(), resource.clone());
    }

    /// Why there is nothing at a path, if that was found a moment ago.
    pub fn find_absence(
        &self,
        root: &Arc<Root>,
        asked: &Resolved<'_>,
        now: Now,
    ) -> Option<FileError> {
        let missing = self.missing.read().unwrap_or_else(PoisonError::into_inner);
        let absence = missing.paths[usize::from(asked.slash)].get(&*asked.path)?;
        let is_true = is_same_root(&absence.root, root) && is_fresh(absence.looked_ms, now);
        is_true.then_some(absence.why)
    }

    /// Keeps that there is nothing at a path.
    pub fn keep_absence(&self, root: &Arc<Root>, asked: &Resolved<'_>, why: FileError, now: Now) {
        if self.bytes_max == 0 || asked.path.len() > CACHE_NAME_BYTES {
            return;
        }
        let mut missing = self.missing.write().unwrap_or_else(PoisonError::into_inner);
        let count: usize = missing.paths.iter().map(HashMap::len).sum();
        if count >= CACHE_MISSING {
            // What is true for a tenth of a second only is not worth an order.
            missing.paths.iter_mut().for_each(HashMap::clear);
        }
        let absence = Absence {
            root: Arc::downgrade(root),
            looked_ms: milliseconds(now.monotonic),
            why,
        };
        missing.paths[usize::from(asked.slash)].insert(asked.path.as_ref().into(), absence);
    }

    /// Gives up the descriptors that nobody has asked for, now and then: a file that was deleted takes its room on the disk for as
    /// long as it is open. Without requests nothing is given up.
    pub fn sweep(&self, now: Now) {
        let now_ms = milliseconds(now.monotonic);
        let swept_ms = self.swept_ms.load(Ordering::Relaxed);
        if now_ms.abs_diff(swept_ms) < CACHE_DESCRIPTOR_IDLE_MS {
            return;
        }
        let order = Ordering::Relaxed;
        if self
            .swept_ms
            .compare_exchange(swept_ms, now_ms, order, order)
            .is_ok()
        {
            let mut kept = self.kept.write().unwrap_or_else(PoisonError::into_inner);
            kept.close_idle(now_ms);
        }
    }

    /// Gives up all descriptors, for the process has none left.
    pub fn close_files(&self) {
        let mut kept = self.kept.write().unwrap_or_else(PoisonError::into_inner);
        self.note_evictions(kept.evict(usize::MAX, 0));
    }

    /// Counts a request.
    pub fn note(&self, hit: bool) {
        let count = if hit { &self.hits } else { &self.misses };
        count.fetch_add(1, Ordering::Relaxed);
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

    /// Goes down to so many octets and descriptors: what was not asked for since the last eviction goes first, then whatever comes.
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
