//! What answers one path: a file and its sidecars, which are the file in other codings and never
//! older than it.
//!
//! A resource does not change. After another look at the file or a sidecar there is a new one,
//! which shares with the old one whatever is still the same.

pub mod cache;
pub mod hashed_name;
pub mod representation;

use super::disk::Opened;
use super::options::Options;
use crate::handler::gate::Pass;
use crate::handler::{Now, millis};
use crate::semantics::accept_encoding::Coding;
use crate::sys::beneath::Root;
use representation::Representation;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};

/// How long a resource answers without another look at its file, in milliseconds.
const FRESH_MS: u64 = 100;
/// What a resource costs besides its representations and its path: the structure and its slot in a
/// map.
const OVERHEAD: usize = 256;

#[derive(Debug)]
pub struct Resource {
    /// The folder that it was opened below: another one may have another file by that name. Weak,
    /// so that a replaced folder is closed although something of it is still cached; its address in
    /// memory is not reused while this is here.
    root: Weak<Root>,
    path: Box<[u8]>,
    plain: Arc<Representation>,
    /// The file in each coding, by [`Coding::index`].
    sidecars: [Sidecar; 3],
    /// When the file was last looked at, in milliseconds of the requests' monotonic time.
    looked_ms: u64,
    used: AtomicBool,
}

#[derive(Clone, Debug)]
enum Sidecar {
    /// Not looked for since the last look at the file itself; with the sidecar of before.
    Unlooked(Option<Arc<Representation>>),
    /// There is none, or it is outdated.
    Absent,
    /// As new as the file.
    Found(Arc<Representation>),
}

impl Resource {
    /// Loads the file that was just opened. `before` is what the cache had of this path.
    ///
    /// # Errors
    /// Those of reading it.
    pub fn load(
        pass: &Pass,
        root: &Arc<Root>,
        path: Vec<u8>,
        opened: Opened,
        before: Option<&Resource>,
        options: &Options,
        now: Now,
    ) -> io::Result<Resource> {
        let before = before.filter(|before| *before.path == *path);
        let plain = before.map(|before| &before.plain);
        let plain = load(pass, plain, opened, &path, None, options, now)?;
        let sidecars = match before {
            // A sidecar of a packed file would be packed twice.
            _ if plain.is_coded() => [const { Sidecar::Absent }; 3],
            Some(before) => before.sidecars.clone().map(Sidecar::unlooked),
            None => [const { Sidecar::Unlooked(None) }; 3],
        };
        Ok(Resource {
            root: Arc::downgrade(root),
            path: path.into(),
            plain,
            sidecars,
            looked_ms: millis(now.monotonic),
            used: AtomicBool::new(false),
        })
    }

    pub fn plain(&self) -> &Arc<Representation> {
        &self.plain
    }

    /// The file in this coding, if that is known: `Some(None)` means that there is none.
    pub fn coded(&self, coding: Coding) -> Option<Option<&Arc<Representation>>> {
        match &self.sidecars[coding.index()] {
            Sidecar::Unlooked(_) => None,
            Sidecar::Absent => Some(None),
            Sidecar::Found(sidecar) => Some(Some(sidecar)),
        }
    }

    pub fn sidecar_path(&self, coding: Coding) -> Vec<u8> {
        [&self.path, ending(coding)].concat()
    }

    /// The resource with this sidecar, which was opened or is missing; and the sidecar, if it is as
    /// new as the file.
    pub fn with_sidecar(
        &self,
        pass: &Pass,
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
            .and_then(|opened| {
                load(pass, before, opened, &self.path, Some(coding), options, now).ok()
            });
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
            looked_ms: self.looked_ms,
            used: AtomicBool::new(true),
        };
        (resource, found)
    }

    /// A sidecar that is older than its file was made from an earlier state of it. Tools that
    /// compress files give both the same time.
    fn is_up_to_date(&self, sidecar: &Opened) -> bool {
        match (sidecar.metadata.modified().ok(), self.plain.changed) {
            (Some(sidecar), Some(plain)) => sidecar >= plain,
            _ => false,
        }
    }

    /// When the file was last looked at, in milliseconds of the requests' monotonic time.
    pub fn looked_ms(&self) -> u64 {
        self.looked_ms
    }

    pub fn is_below(&self, root: &Arc<Root>) -> bool {
        is_same_root(&self.root, root)
    }

    /// Whether it may answer without another look at the file's name.
    pub fn is_fresh(&self, now_ms: u64, now: Now) -> bool {
        is_fresh(self.looked_ms, now_ms) && self.plain.may_be_kept(now)
    }

    /// Whether it may answer later requests.
    pub fn may_be_kept(&self, now: Now) -> bool {
        self.plain.may_be_kept(now)
    }

    pub fn touch(&self) {
        // A store on every request would make the processors fight for the cache line.
        if !self.used.load(Ordering::Relaxed) {
            self.used.store(true, Ordering::Relaxed);
        }
    }

    /// Whether it was asked for since the last call.
    pub fn take_used(&self) -> bool {
        self.used.swap(false, Ordering::Relaxed)
    }

    /// The memory that it takes, in bytes.
    pub fn bytes(&self) -> usize {
        let representations: usize = self.representations().map(|one| one.bytes()).sum();
        OVERHEAD + self.path.len() + representations
    }

    pub fn descriptors(&self) -> usize {
        let held = self.representations().filter(|one| one.holds_descriptor());
        held.count()
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
    /// What is known of a sidecar after another look at the file itself. One that nobody asked for
    /// since the last look is dropped: it may be deleted by now, and would take space for as long
    /// as others ask for the file.
    fn unlooked(self) -> Sidecar {
        match self {
            Sidecar::Found(sidecar) => Sidecar::Unlooked(Some(sidecar)),
            Sidecar::Absent | Sidecar::Unlooked(_) => Sidecar::Unlooked(None),
        }
    }
}

fn is_same_root(found_below: &Weak<Root>, root: &Arc<Root>) -> bool {
    std::ptr::eq(found_below.as_ptr(), Arc::as_ptr(root))
}

/// Whether something that was seen at that time still counts.
fn is_fresh(looked_ms: u64, now_ms: u64) -> bool {
    // In either direction: a request that began before another may be answered after it.
    now_ms.abs_diff(looked_ms) < FRESH_MS
}

/// The representation of before, if the file is still in that state; else a new one.
fn load(
    pass: &Pass,
    before: Option<&Arc<Representation>>,
    opened: Opened,
    name: &[u8],
    coding: Option<Coding>,
    options: &Options,
    now: Now,
) -> io::Result<Arc<Representation>> {
    match before.filter(|before| before.is_of(pass, &opened, now)) {
        Some(before) => Ok(before.clone()),
        None => Representation::load(pass, opened, name, coding, options, now).map(Arc::new),
    }
}

/// What a sidecar's name adds to that of its file.
fn ending(coding: Coding) -> &'static [u8] {
    match coding {
        Coding::Brotli => b".br",
        Coding::Zstd => b".zst",
        Coding::Gzip => b".gz",
    }
}
