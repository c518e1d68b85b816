//! Small files in memory, so that a hot file costs no call of the file system.
//!
//! In: what was answered with a whole file, and what the system said about that file. Out: which file answers a path, what the
//! answer says. Never: a file that may have changed while it was read, content that is older than [`FRESH_MS`] without a look.
//!
//! An entry answers on its own for [`FRESH_MS`]; after that the file is opened again, and the entry goes on only when the system says
//! that it is the same file, unchanged: its length, its times and its place. A file whose modification time is so recent that
//! a second change could leave no trace in it is not kept at all.

use super::resolve::Resolved;
use crate::handler::{Now, Response};
use crate::limits::{CACHE_BYTES, CACHE_FILE_BYTES};
use crate::semantics::{FieldLines, Status};
use crate::sys::beneath::Root;
use crate::sys::file::Identity;
use crate::sys::stream::read_exact_at;
use std::collections::HashMap;
use std::fs::{File, Metadata};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, Weak};
use std::time::{Duration, SystemTime};

/// How long an entry answers without a look at its file, in milliseconds.
const FRESH_MS: u64 = 100;
/// How old a file's last change has to be. File systems stamp a change with the time of the last timer tick, some with
/// whole seconds, FAT with every second one: within that, a change of the same length would not show.
const SETTLED: Duration = Duration::from_secs(2);
/// What an entry costs besides its octets: the map's slot, two allocations, the entry itself.
const ENTRY_OVERHEAD: usize = 512;

/// The answers to recent requests for small files.
#[derive(Debug, Default)]
pub(super) struct Cache {
    kept: RwLock<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    /// By path: those that were asked without a slash behind it, and folders, which were asked with one.
    entries: [HashMap<Box<[u8]>, Arc<Entry>>; 2],
    bytes: usize,
}

/// One small file.
#[derive(Debug)]
pub(super) struct Entry {
    /// The folder that it was opened below: another one may have another file by that name. Weak, so that a folder that was
    /// replaced is closed although entries of it are still here; its place in memory is not given to another while they are.
    root: Weak<Root>,
    identity: Identity,
    /// From when on the wall clock says that the file's last change is over. The clock may be set back behind that.
    settles: SystemTime,
    lines: FieldLines,
    content: Arc<[u8]>,
    /// When the file was last looked at, in milliseconds of the requests' monotonic time.
    looked_ms: AtomicU64,
    /// Whether it was asked for since the last eviction passed by.
    used: AtomicBool,
}

impl Cache {
    /// What is kept for a path below this root, fresh or not.
    pub(super) fn find(&self, root: &Arc<Root>, asked: &Resolved<'_>) -> Option<Arc<Entry>> {
        let kept = self.kept.read().unwrap_or_else(PoisonError::into_inner);
        let entry = kept.entries[usize::from(asked.slash)].get(&*asked.path)?;
        std::ptr::eq(entry.root.as_ptr(), Arc::as_ptr(root)).then(|| entry.clone())
    }

    /// Keeps the answer to a path, if the file is small, settled, and the same after it was read as before. Gives the entry
    /// that answers now, or `None` when the file has to be sent as it is.
    pub(super) fn keep(
        &self,
        root: &Arc<Root>,
        asked: &Resolved<'_>,
        file: &File,
        metadata: &Metadata,
        answer: impl FnOnce() -> Response,
        now: Now,
    ) -> Option<Arc<Entry>> {
        let length = usize::try_from(metadata.len()).ok()?;
        let settles = metadata.modified().ok()?.checked_add(SETTLED)?;
        if length == 0 || length > CACHE_FILE_BYTES || now.wall < settles {
            return None;
        }
        let identity = Identity::of(file, metadata)?;
        let mut content = vec![0; length];
        read_exact_at(file, &mut content, 0).ok()?;
        if Identity::of(file, &file.metadata().ok()?)? != identity {
            return None;
        }
        let entry = Arc::new(Entry {
            root: Arc::downgrade(root),
            identity,
            settles,
            lines: answer().lines().clone(),
            content: content.into(),
            looked_ms: AtomicU64::new(milliseconds(now.monotonic)),
            used: AtomicBool::new(false),
        });
        let mut kept = self.kept.write().unwrap_or_else(PoisonError::into_inner);
        kept.insert(asked, entry.clone());
        Some(entry)
    }
}

impl Entry {
    /// Whether it answers without a look at its file.
    pub(super) fn is_fresh(&self, now: Now) -> bool {
        // The distance in either direction: two servers may share this folder, and each counts from an origin of its own.
        let looked_ms = self.looked_ms.load(Ordering::Relaxed);
        now.wall >= self.settles && milliseconds(now.monotonic).abs_diff(looked_ms) < FRESH_MS
    }

    /// Whether this is still its file; if so it is fresh again.
    pub(super) fn renew(&self, file: &File, metadata: &Metadata, now: Now) -> bool {
        let same = Identity::of(file, metadata).is_some_and(|identity| identity == self.identity);
        if same && now.wall >= self.settles {
            self.looked_ms
                .store(milliseconds(now.monotonic), Ordering::Relaxed);
            return true;
        }
        false
    }

    /// The answer.
    pub(super) fn response(&self) -> Response {
        // A store on every request would make the processors fight for the line.
        if !self.used.load(Ordering::Relaxed) {
            self.used.store(true, Ordering::Relaxed);
        }
        Response::with_lines(Status::OK, &self.lines).body(self.content.clone())
    }

    fn bytes(&self, path: &[u8]) -> usize {
        ENTRY_OVERHEAD + path.len() + self.lines.as_bytes().len() + self.content.len()
    }
}

impl Kept {
    fn insert(&mut self, asked: &Resolved<'_>, entry: Arc<Entry>) {
        let which = usize::from(asked.slash);
        let bytes = entry.bytes(&asked.path);
        if let Some(before) = self.entries[which].remove(&*asked.path) {
            self.bytes -= before.bytes(&asked.path);
        }
        if self.bytes + bytes > CACHE_BYTES {
            self.evict(CACHE_BYTES / 8 + bytes);
        }
        self.bytes += bytes;
        self.entries[which].insert(asked.path.as_ref().into(), entry);
    }

    /// Makes room for `wanted` octets: what was not asked for since the last eviction goes first, then whatever comes.
    fn evict(&mut self, wanted: usize) {
        let goal = CACHE_BYTES.saturating_sub(wanted);
        for spare_used in [true, false] {
            let bytes = &mut self.bytes;
            for entries in &mut self.entries {
                entries.retain(|path, entry| {
                    let stays =
                        *bytes <= goal || (spare_used && entry.used.swap(false, Ordering::Relaxed));
                    if !stays {
                        *bytes -= entry.bytes(path);
                    }
                    stays
                });
            }
        }
    }
}

fn milliseconds(monotonic: Duration) -> u64 {
    // Wraps after 584 million years.
    monotonic.as_millis() as u64
}
