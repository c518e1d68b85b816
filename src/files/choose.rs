//! Which file answers a path.
//!
//! In: a resolved path and the root. Out: what is said about the file. Never: a path that was not resolved.

use super::failure::Failure;
use super::resolve::Resolved;
use crate::sys::beneath::{OpenError, Root};
use std::fs::{File, Metadata};

/// What answers a path.
pub(super) enum Chosen<'a> {
    /// A regular file, open.
    File {
        /// The file.
        file: File,
        /// What the system says about the open file itself, so that it cannot be about another.
        metadata: Metadata,
        /// A path whose last segment names it, for its media type.
        name: &'a [u8],
    },
    /// A folder that was asked without a slash at the end.
    FolderWithoutSlash,
}

/// The file for a path. A folder is answered by its index.
pub(super) fn choose<'a>(root: &Root, resolved: &'a Resolved<'_>) -> Result<Chosen<'a>, Failure> {
    if resolved.slash {
        return index(root, &resolved.path);
    }
    let (file, metadata) = open(root, &resolved.path)?;
    if metadata.is_file() {
        Ok(Chosen::File {
            file,
            metadata,
            name: &resolved.path,
        })
    } else if metadata.is_dir() {
        Ok(Chosen::FolderWithoutSlash)
    } else {
        Err(Failure::NotFound(NOT_REGULAR))
    }
}

/// The open file below the root for the first of these names that is a regular file.
pub(super) fn first_file<'a>(
    root: &Root,
    folder: &[u8],
    names: &[&'a str],
) -> Result<Option<Chosen<'a>>, Failure> {
    let mut path = Vec::with_capacity(folder.len() + 1 + NAME_ROOM);
    for name in names {
        path.clear();
        if !folder.is_empty() {
            path.extend_from_slice(folder);
            path.push(b'/');
        }
        path.extend_from_slice(name.as_bytes());
        let (file, metadata) = match root.open_beneath(&path) {
            Ok(file) => with_metadata(file)?,
            Err(OpenError::NotFound) => continue,
            Err(error) => return Err(Failure::of_open(&error)),
        };
        if metadata.is_file() {
            return Ok(Some(Chosen::File {
                file,
                metadata,
                name: name.as_bytes(),
            }));
        }
    }
    Ok(None)
}

/// Opens the index at once, as most folders that are asked have one; the folder itself is looked at only to say why not.
fn index<'a>(root: &Root, folder: &[u8]) -> Result<Chosen<'a>, Failure> {
    if let Some(chosen) = first_file(root, folder, &INDEX_NAMES)? {
        return Ok(chosen);
    }
    let (_, metadata) = open(root, folder)?;
    Err(Failure::NotFound(if metadata.is_dir() {
        "no index file in the folder"
    } else if metadata.is_file() {
        "a file was asked with a slash behind its name"
    } else {
        NOT_REGULAR
    }))
}

fn open(root: &Root, path: &[u8]) -> Result<(File, Metadata), Failure> {
    let file = root
        .open_beneath(path)
        .map_err(|error| Failure::of_open(&error))?;
    with_metadata(file)
}

fn with_metadata(file: File) -> Result<(File, Metadata), Failure> {
    let metadata = file.metadata().map_err(|error| Failure::of_io(&error))?;
    Ok((file, metadata))
}

/// In the order in which they are tried.
const INDEX_NAMES: [&str; 2] = ["index.html", "index.htm"];
/// Octets of the names that are looked for in a folder; a longer one costs an allocation, no more.
const NAME_ROOM: usize = 16;
const NOT_REGULAR: &str = "neither a file nor a folder";
