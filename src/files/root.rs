//! The served folder, held open and compared with its path now and then.
//!
//! The folder is held as a descriptor, so that a rename cannot lead elsewhere. But a build tool
//! deletes its output folder and creates it again, and the descriptor would name the deleted one,
//! empty forever: so at most every [`COMPARE_MS`] the path is asked whether it still names the
//! folder that is held. One thread asks at a time: while its disk keeps it waiting, the others go
//! on with the folder that is held.

use super::disk::Disk;
use super::respond::error::FileError;
use crate::handler::gate::{Gate, Pass};
use crate::handler::millis;
use crate::sys::beneath::{Root, Symlinks};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

/// The least time between two comparisons, in milliseconds: short for a person who has just built a
/// site, and long compared with the cost of one `stat(2)`.
const COMPARE_MS: u64 = 100;
/// No comparison yet.
const NEVER: u64 = u64::MAX;

#[derive(Debug)]
pub struct ServedRoot {
    path: PathBuf,
    symlinks: Symlinks,
    /// The folder, or why the path names none at the moment.
    folder: RwLock<Result<Arc<Root>, FileError>>,
    /// The time of the last comparison, in milliseconds of the requests' monotonic time.
    compared_ms: AtomicU64,
    is_comparing: AtomicBool,
    /// For the threads that its disk may hold up.
    pub gate: Arc<Gate>,
}

impl ServedRoot {
    /// Opens the folder. A relative path is taken from the current folder of the process.
    pub fn open(path: &Path) -> io::Result<ServedRoot> {
        let path = std::path::absolute(path)?;
        let root = Root::open(&path)?;
        Ok(ServedRoot {
            path,
            symlinks: Symlinks::default(),
            folder: RwLock::new(Ok(Arc::new(root))),
            compared_ms: AtomicU64::new(NEVER),
            is_comparing: AtomicBool::new(false),
            gate: Arc::default(),
        })
    }

    /// Chooses which symlinks are followed. The folder is opened again.
    pub fn set_symlinks(&mut self, policy: Symlinks) {
        self.symlinks = policy;
        self.folder = RwLock::new(self.open_again());
    }

    /// The folder at this time, or why there is none.
    pub fn current(&self, disk: &Disk<'_>, now: Duration) -> Result<Arc<Root>, FileError> {
        // A panic cannot leave the value half written, so poisoning is ignored.
        let held = self.folder.read();
        let held = held.unwrap_or_else(PoisonError::into_inner).clone();
        let now_ms = millis(now);
        let then_ms = self.compared_ms.load(Ordering::Relaxed);
        // In either direction: a request that began before another may be answered after it.
        if now_ms.abs_diff(then_ms) < COMPARE_MS || self.is_comparing.swap(true, Ordering::Acquire)
        {
            return held;
        }
        // Where too many threads wait for the disk already, the next request tries again.
        let order = Ordering::Relaxed;
        let is_first = |_: &&Pass| {
            let compared_ms = &self.compared_ms;
            compared_ms
                .compare_exchange(then_ms, now_ms, order, order)
                .is_ok()
        };
        let current = match disk.enter().ok().filter(is_first) {
            Some(pass) => self.compared(pass, held),
            None => held,
        };
        self.is_comparing.store(false, Ordering::Release);
        current
    }

    /// The folder that the path names: the one that is held, or another one, which is held then.
    fn compared(
        &self,
        _: &Pass,
        held: Result<Arc<Root>, FileError>,
    ) -> Result<Arc<Root>, FileError> {
        if matches!(&held, Ok(root) if root.is_current()) {
            return held;
        }
        // Opened before the lock is taken: no request waits for a slow disk.
        let opened = self.open_again();
        let mut folder = self.folder.write().unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::replace(&mut *folder, opened.clone());
        // And closed after it is released.
        drop(folder);
        drop(before);
        opened
    }

    fn open_again(&self) -> Result<Arc<Root>, FileError> {
        match Root::open(&self.path) {
            Ok(root) => Ok(Arc::new(root.symlinks(self.symlinks))),
            Err(error) => Err(FileError::of_root(error)),
        }
    }
}
