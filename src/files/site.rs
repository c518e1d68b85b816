//! What one [`Files`](super::Files) serves: a folder, with its settings, its cache and its mounts.
//!
//! Only data: `lookup` finds files in it, `route` answers requests with them.

use super::listing::kept::Listings;
use super::mounts::Mount;
use super::options::Options;
use super::resource::cache::{CACHE_DESCRIPTOR_IDLE_MS, Cache, DescriptorCount, Stats};
use super::root::ServedRoot;
use crate::handler::millis;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

#[derive(Debug)]
pub struct Site {
    pub root: ServedRoot,
    pub options: Options,
    pub cache: Cache,
    /// Those of the caches of all sites of the [`Files`](super::Files).
    pub descriptors: DescriptorCount,
    /// When idle descriptors were last closed, in milliseconds of the requests' monotonic time.
    swept_ms: AtomicU64,
    /// Those of all sites of the [`Files`](super::Files).
    pub listings: Arc<Listings>,
    pub mounts: Vec<Mount<Site>>,
}

impl Site {
    pub fn open(root: &Path) -> io::Result<Site> {
        let (options, descriptors) = (Options::default(), DescriptorCount::default());
        let mut site = Site {
            root: ServedRoot::open(root)?,
            cache: Cache::of(&descriptors),
            descriptors,
            swept_ms: AtomicU64::new(0),
            options,
            listings: Arc::default(),
            mounts: Vec::new(),
        };
        site.divide_memory();
        Ok(site)
    }

    /// Serves another site below a path.
    pub fn mount(&mut self, path: &str, mut site: Site) {
        site.share(&self.descriptors, &self.listings);
        Mount::add(&mut self.mounts, path, site);
        self.divide_memory();
    }

    /// Gives each site an equal part of its memory for small files, so that a mount adds none, and
    /// none takes the part of another.
    pub fn divide_memory(&mut self) {
        self.limit_memory(self.count());
    }

    fn count(&self) -> usize {
        let mounts = self.mounts.iter().map(|mount| mount.site.count());
        1 + mounts.sum::<usize>()
    }

    fn limit_memory(&mut self, sites: usize) {
        self.cache.limit(self.options.memory / sites);
        for mount in &mut self.mounts {
            mount.site.limit_memory(sites);
        }
    }

    fn share(&mut self, descriptors: &DescriptorCount, listings: &Arc<Listings>) {
        self.cache.share(descriptors);
        self.descriptors = descriptors.clone();
        self.listings = listings.clone();
        for mount in &mut self.mounts {
            mount.site.share(descriptors, listings);
        }
    }

    /// Closes the idle descriptors of this site, now and then, on the thread of a request for this
    /// site: no other may wait for its disk. One of the threads that find it due does it.
    pub fn sweep(&self, now: Duration) {
        let now_ms = millis(now);
        let order = Ordering::Relaxed;
        let (swept, swept_ms) = (&self.swept_ms, self.swept_ms.load(order));
        if now_ms.abs_diff(swept_ms) >= CACHE_DESCRIPTOR_IDLE_MS
            && swept
                .compare_exchange(swept_ms, now_ms, order, order)
                .is_ok()
        {
            self.cache.close_idle(now_ms);
        }
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
