//! What one [`Files`](super::Files) serves: a folder, with its settings, its cache and its mounts.
//!
//! Only data: `lookup` finds files in it, `route` answers requests with them.

use super::listing::budget::MemoryBudget;
use super::mounts::Mount;
use super::options::Options;
use super::resource::cache::{Cache, Stats};
use super::root::ServedRoot;
use std::io;
use std::path::Path;

#[derive(Debug)]
pub struct Site {
    pub root: ServedRoot,
    pub options: Options,
    pub cache: Cache,
    /// For the listings that are being sent.
    pub listings: MemoryBudget,
    pub mounts: Vec<Mount<Site>>,
}

impl Site {
    pub fn open(root: &Path) -> io::Result<Site> {
        let options = Options::default();
        Ok(Site {
            root: ServedRoot::open(root)?,
            cache: Cache::of(options.memory),
            options,
            listings: MemoryBudget::default(),
            mounts: Vec::new(),
        })
    }

    /// The counters of the cache, and of the caches of all mounted sites.
    pub fn stats(&self) -> Stats {
        self.mounts.iter().fold(self.cache.stats(), |sum, mount| {
            let stats = mount.site.stats();
            Stats {
                hits: sum.hits + stats.hits,
                misses: sum.misses + stats.misses,
                evictions: sum.evictions + stats.evictions,
            }
        })
    }
}
