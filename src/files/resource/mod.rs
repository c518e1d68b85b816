//! What answers one path: a file, and its sidecars.
//!
//! In: an open file, and what its name was found to stand for. Out: which coding a client takes. Never: a sidecar that is older
//! than its file.
//!
//! A resource does not change. When more is known of a sidecar, or the file was looked at anew, there is a new one, which shares
//! with the old one what is still the same.

pub mod cache;
pub mod hashed_name;
pub mod representation;

use super::options::Options;
use crate::handler::Now;
use crate::semantics::accept_encoding::Coding;
use crate::sys::beneath::Root;
use representation::{Opened, Representation};
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

/// How long a resource answers without a look at its file.
const FRESH: Duration = Duration::from_millis(100);
/// What a resource costs besides its representations and its paths: the structure and its slot in a map.
const OVERHEAD: usize = 256;

/// What answers one path.
#[derive(Debug)]
pub struct Resource {
    /// The folder that it was opened below: another one may have another file by that name. Weak, so that a folder that was
    /// replaced is closed although something of it is still here; its place in memory is not given to another while it is.
    root: Weak<Root>,
    /// Where the file stands below the root.
    path: Box<[u8]>,
    /// The file itself.
    plain: Arc<Representation>,
    /// The file in each coding, by [`Coding::index`].
    sidecars: [Sidecar; 3],
    /// When the file was last looked at, in the requests' monotonic time.
    looked: Duration,
    /// Whether it was asked for since the last eviction passed by.
    used: AtomicBool,
}

/// The file in one coding.
#[derive(Clone, Debug)]
enum Sidecar {
    /// Nobody has looked since the file itself was looked at; with what was there until then.
    Unlooked(Option<Arc<Representation>>),
    /// None, or one that is out of date.
    Absent,
    /// One that is as new as the file.
    Found(Arc<Representation>),
}

impl Resource {
    /// The file that was just opened. `before` is what was known of this path until now.
    ///
    /// # Errors
    /// Those of reading it.
    pub fn load(
        root: &Arc<Root>,
        path: Vec<u8>,
        opened: Opened,
        before: Option<&Resource>,
        options: &Options,
        now: Now,
    ) -> io::Result<Resource> {
        let before = before.filter(|before| *before.path == *path);
        let plain = before.map(|before| &before.plain);
        let plain = load(plain, opened, &path, None, options, now)?;
        let sidecars = match before {
            Some(before) => before.sidecars.clone().map(Sidecar::unlooked),
            None => [const { Sidecar::Unlooked(None) }; 3],
        };
        Ok(Resource {
            root: Arc::downgrade(root),
            path: path.into(),
            plain,
            sidecars,
            looked: now.monotonic,
            used: AtomicBool::new(false),
        })
    }

    /// The file itself.
    pub fn plain(&self) -> &Arc<Representation> {
        &self.plain
    }

    /// The file in this coding, when that is known: `Some(None)` when there is none.
    pub fn coded(&self, coding: Coding) -> Option<Option<&Arc<Representation>>> {
        match &self.sidecars[coding.index()] {
            Sidecar::Unlooked(_) => None,
            Sidecar::Absent => Some(None),
            Sidecar::Found(sidecar) => Some(Some(sidecar)),
        }
    }

    /// Where the file in this coding stands below the root.
    pub fn sidecar_path(&self, coding: Coding) -> Vec<u8> {
        [&self.path, ending(coding)].concat()
    }

    /// The resource with the sidecar that was opened, or is not there; and that sidecar, if it is as
    /// new as the file.
    pub fn with_sidecar(
        &self,
        coding: Coding,
        opened: Option<Opened>,
        options: &Options,
        now: Now,
    ) -> (Resource, Option<Arc<Representation>>) {
        let before = match &self.sidecars[coding.index()] {
            Sidecar::Unlooked(before) => before.as_ref(),
            Sidecar::Found(before) => Some(before),
            Sidecar::Absent => None,
        };
        let found = opened
            .filter(|opened| self.is_up_to_date(opened))
            .and_then(|opened| load(before, opened, &self.path, Some(coding), options, now).ok());
        let mut sidecars = self.sidecars.clone();
        sidecars[coding.index()] = match &found {
            Some(sidecar) if sidecar.may_be_kept(now) => Sidecar::Found(sidecar.clone()),
            Some(_) => Sidecar::Unlooked(None),
            None => Sidecar::Absent,
        };
        let resource = Resource {
            root: self.root.clone(),
            path: self.path.clone(),
            plain: self.plain.clone(),
            sidecars,
            looked: self.looked,
            used: AtomicBool::new(true),
        };
        (resource, found)
    }

    /// A sidecar that is older than its file was made from what the file was before. Tools that pack files give both the same
    /// time.
    fn is_up_to_date(&self, sidecar: &Opened) -> bool {
        match (sidecar.metadata.modified().ok(), self.plain.changed) {
            (Some(sidecar), Some(plain)) => sidecar >= plain,
            _ => false,
        }
    }

    /// When the file was last looked at, in the requests' monotonic time.
    pub fn looked(&self) -> Duration {
        self.looked
    }

    /// Whether it is of this root.
    pub fn is_below(&self, root: &Arc<Root>) -> bool {
        is_same_root(&self.root, root)
    }

    /// Whether it answers without a look at the file's name.
    pub fn is_fresh(&self, now: Now) -> bool {
        is_fresh(self.looked, now) && self.plain.may_be_kept(now)
    }

    /// Whether it may answer later requests.
    pub fn may_be_kept(&self, now: Now) -> bool {
        self.plain.may_be_kept(now)
    }

    /// Notes that it was asked for.
    pub fn touch(&self) {
        // A store on every request would make the processors fight for the line.
        if !self.used.load(Ordering::Relaxed) {
            self.used.store(true, Ordering::Relaxed);
        }
    }

    /// Whether it was asked for since this was asked the last time.
    pub fn take_used(&self) -> bool {
        self.used.swap(false, Ordering::Relaxed)
    }

    /// Bytes of memory that it takes.
    pub fn bytes(&self) -> usize {
        let representations: usize = self.representations().map(|one| one.bytes()).sum();
        OVERHEAD + self.path.len() + representations
    }

    /// Descriptors that it holds.
    pub fn descriptors(&self) -> usize {
        self.representations()
            .filter(|one| one.holds_descriptor())
            .count()
    }

    fn representations(&self) -> impl Iterator<Item = &Arc<Representation>> {
        let sidecars = self.sidecars.iter().filter_map(|sidecar| match sidecar {
            Sidecar::Unlooked(sidecar) => sidecar.as_ref(),
            Sidecar::Absent => None,
            Sidecar::Found(sidecar) => Some(sidecar),
        });
        std::iter::once(&self.plain).chain(sidecars)
    }
}

impl Sidecar {
    /// What is known behind another look at the file itself. What nobody asked for since the last one is given up: it may be
    /// deleted by now, and would keep its room as long as others ask for the file.
    fn unlooked(self) -> Sidecar {
        match self {
            Sidecar::Found(sidecar) => Sidecar::Unlooked(Some(sidecar)),
            Sidecar::Absent | Sidecar::Unlooked(_) => Sidecar::Unlooked(None),
        }
    }
}

/// Whether what was found below one root is of this one.
fn is_same_root(found_below: &Weak<Root>, root: &Arc<Root>) -> bool {
    std::ptr::eq(found_below.as_ptr(), Arc::as_ptr(root))
}

/// Whether something that was looked at then still counts.
fn is_fresh(looked: Duration, now: Now) -> bool {
    // The distance in either direction: a request that began before another may be answered after it.
    now.monotonic.abs_diff(looked) < FRESH
}

/// What was there before, if the file is still in that state; otherwise what it is now.
fn load(
    before: Option<&Arc<Representation>>,
    opened: Opened,
    name: &[u8],
    coding: Option<Coding>,
    options: &Options,
    now: Now,
) -> io::Result<Arc<Representation>> {
    match before.filter(|before| before.is_of(&opened, now)) {
        Some(before) => Ok(before.clone()),
        None => Representation::load(opened, name, coding, options, now).map(Arc::new),
    }
}

/// What a sidecar's name has behind the file's.
fn ending(coding: Coding) -> &'static [u8] {
    match coding {
        Coding::Brotli => b".br",
        Coding::Zstd => b".zst",
        Coding::Gzip => b".gz",
    }
}
