//! The entries of a folder that a client can ask for.

use super::entries::{Entries, Entry};
use crate::files::resolve::{PathRules, check_segment};
use crate::files::respond::error::FileError;
use crate::sys::beneath::{OpenError, Root};
use crate::sys::read_dir::{Kind, for_each};
use std::fs::{File, Metadata};
use std::io;
use std::ops::ControlFlow;
use std::time::UNIX_EPOCH;

/// The regular files and folders in an open folder at this path, and the symlinks to them that the
/// root follows. Names that the resolver refuses, other kinds of files, and files that are gone by
/// now are left out. `first` means that these names are the first of a path, which they are not
/// where the root is mounted below another.
///
/// # Errors
/// [`FileError::Denied`]: the folder may not be read. [`FileError::NoDescriptors`]: the entries
/// cannot be looked at, and a listing without them would be a lie.
pub(super) fn read_dir(
    root: &Root,
    path: &[u8],
    first: bool,
    folder: &File,
    rules: PathRules,
) -> Result<Entries, FileError> {
    let mut entries = Entries::default();
    let mut names = 0;
    let mut shortage = None;
    let mut way = path.to_vec();
    if !path.is_empty() {
        way.push(b'/');
    }
    let stem = way.len();
    let done = for_each(folder, &mut |name, kind| {
        names += 1;
        if names > LISTING_NAMES {
            entries.truncate();
            return ControlFlow::Break(());
        }
        if kind == Kind::Other || check_segment(name, first, rules).is_err() {
            return ControlFlow::Continue(());
        }
        way.truncate(stem);
        way.extend_from_slice(name);
        match root.metadata_beneath(&way) {
            Ok(metadata) => match entry(name, &metadata) {
                Some(entry) => entries.push(&entry),
                None => ControlFlow::Continue(()),
            },
            Err(OpenError::Io(error)) if FileError::of_io(&error) == FileError::NoDescriptors => {
                shortage = Some(FileError::NoDescriptors);
                ControlFlow::Break(())
            }
            // Gone, not visible to clients, a symlink that is not followed, or a mount point of a
            // dead file system.
            Err(_) => ControlFlow::Continue(()),
        }
    });
    match (done, shortage) {
        (_, Some(shortage)) => Err(shortage),
        (Err(error), None) if error.kind() == io::ErrorKind::PermissionDenied => {
            Err(FileError::Denied)
        }
        (Err(error), None) => Err(FileError::of_io(&error)),
        (Ok(()), None) => {
            entries.finish();
            Ok(entries)
        }
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

/// Names that are read of a folder, including those that are left out: ten times the entries of a
/// listing, a second of work.
const LISTING_NAMES: usize = 1_000_000;
