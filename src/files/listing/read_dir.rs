//! The entries of a folder that a client can ask for.

use super::entries::Entry;
use super::kept::Listings;
use super::snapshot::Snapshot;
use crate::files::disk::DiskFile;
use crate::files::resolve::{PathRules, Resolved, check_segment};
use crate::files::respond::error::FileError;
use crate::handler::gate::Pass;
use crate::sys::beneath::{OpenError, Root};
use crate::sys::read_dir::{Kind, for_each};
use std::fs::Metadata;
use std::io;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::UNIX_EPOCH;

/// An open folder below a root.
#[derive(Clone, Copy, Debug)]
pub struct OpenFolder<'a> {
    /// The root.
    pub root: &'a Arc<Root>,
    /// Where it was opened.
    pub path: &'a Resolved<'a>,
    /// The folder.
    pub folder: &'a DiskFile,
    /// Which names are listed.
    pub rules: PathRules,
}

/// The regular files and folders in an open folder, and the symlinks to them that the root follows.
/// Names that the resolver refuses, other kinds of files, and files that are gone by now are left
/// out.
///
/// # Errors
/// [`FileError::Denied`]: the folder may not be read. [`FileError::NoDescriptors`]: the entries
/// cannot be looked at, and a listing without them would be a lie. [`FileError::NoMemory`]: nor can
/// they be kept. [`FileError::Disconnected`]: `goes_on` has said no, which is asked every
/// [`NAMES_AT_ONCE`] names.
pub fn read_dir(
    pass: &Pass,
    open: &OpenFolder<'_>,
    listings: &Listings,
    goes_on: &mut dyn FnMut() -> bool,
) -> Result<Snapshot, FileError> {
    // Below a mounted root they are not the first names of the path.
    let first = open.path.path.is_empty();
    let mut way = open.path.below_root().to_vec();
    if !way.is_empty() {
        way.push(b'/');
    }
    let stem = way.len();
    let whole_path = &open.path.path;
    let overhead = listings.reserve(Snapshot::overhead(whole_path))?;
    let mut snapshot = Snapshot::new(whole_path, overhead);
    let (mut names, mut failed) = (0, None);
    let mut fail = |error| {
        failed = Some(error);
        ControlFlow::Break(())
    };
    let folder = open.folder.on(pass);
    let folder = folder.map_err(|error| FileError::of_io(&error))?;
    let done = for_each(folder, &mut |name, kind| {
        if names % NAMES_AT_ONCE == 0 && !goes_on() {
            return fail(FileError::Disconnected);
        }
        names += 1;
        if names > LISTING_NAMES {
            snapshot.truncate();
            return ControlFlow::Break(());
        }
        if kind == Kind::Other || check_segment(name, first, open.rules).is_err() {
            return ControlFlow::Continue(());
        }
        way.truncate(stem);
        way.extend_from_slice(name);
        match open.root.metadata_beneath(&way) {
            Ok(metadata) => match entry(name, &metadata) {
                Some(entry) if has_room(&mut snapshot, &entry, listings) => snapshot.push(&entry),
                Some(_) => fail(FileError::NoMemory),
                None => ControlFlow::Continue(()),
            },
            Err(OpenError::Io(error)) if FileError::of_io(&error) == FileError::NoDescriptors => {
                fail(FileError::NoDescriptors)
            }
            // Gone, not visible to clients, a symlink that is not followed, or a mount point of a
            // dead file system.
            Err(_) => ControlFlow::Continue(()),
        }
    });
    match (done, failed) {
        (_, Some(error)) => Err(error),
        (Err(error), None) if error.kind() == io::ErrorKind::PermissionDenied => {
            Err(FileError::Denied)
        }
        (Err(error), None) => Err(FileError::of_io(&error)),
        (Ok(()), None) => {
            snapshot.finish();
            Ok(snapshot)
        }
    }
}

/// Takes the memory for an entry. What nobody sends is given up for it.
fn has_room(snapshot: &mut Snapshot, entry: &Entry<'_>, listings: &Listings) -> bool {
    snapshot.reserve(entry) || {
        listings.give_up_unsent();
        snapshot.reserve(entry)
    }
}

/// `None` for anything but a regular file or a folder.
fn entry<'a>(name: &'a [u8], metadata: &Metadata) -> Option<Entry<'a>> {
    let size = match metadata.is_dir() {
        true => None,
        false if metadata.is_file() => Some(metadata.len()),
        false => return None,
    };
    let modified = metadata.modified().ok();
    let since = modified.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    Some(Entry {
        name,
        size,
        modified: since.map(|since| since.as_secs()),
    })
}

/// Names that are read between two looks at the client: a millisecond of work.
pub const NAMES_AT_ONCE: usize = 256;
/// Names that are read of a folder, including those that are left out: ten times the entries of a
/// listing, a second of work.
const LISTING_NAMES: usize = 1_000_000;
