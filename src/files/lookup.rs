//! Which file answers a path.
//!
//! In: a resolved path, the root and the choices. Out: what is said about the file, and in which coding. Never: a path that was
//! not resolved.

use super::options::Options;
use super::resolve::Resolved;
use super::resource::representation::Opened;
use super::respond::error::FileError;
use crate::sys::beneath::Root;
use std::fs::File;

/// What answers a path.
#[derive(Debug)]
pub(super) enum Chosen {
    /// A regular file.
    File {
        /// Where it stands below the root.
        path: Vec<u8>,
        /// The file.
        opened: Box<Opened>,
    },
    /// A folder that was asked without a slash at the end.
    FolderWithoutSlash,
    /// A folder without an index, to be listed.
    Folder(File),
}

/// What answers a path. A folder is answered by its index, and else by a list of what is in it.
pub(super) fn choose(
    root: &Root,
    asked: &Resolved<'_>,
    options: &Options,
) -> Result<Chosen, FileError> {
    if asked.slash {
        return folder(root, &asked.path, options);
    }
    let exact = match open(root, &asked.path) {
        Ok(opened) if opened.metadata.is_file() => {
            return Ok(Chosen::File {
                path: asked.path.to_vec(),
                opened: Box::new(opened),
            });
        }
        Ok(opened) if opened.metadata.is_dir() => Ok(Chosen::FolderWithoutSlash),
        Ok(_) => Err(FileError::NotFound(NOT_REGULAR)),
        Err(error) => Err(error),
    };
    // Before the folder of that name, which has a path of its own with the slash.
    let may_be_page = matches!(
        exact,
        Ok(Chosen::FolderWithoutSlash) | Err(FileError::MISSING)
    );
    if may_be_page && options.clean_urls && !asked.path.ends_with(PAGE) {
        let path = [&asked.path, PAGE].concat();
        if let Some(opened) = regular_file(root, &path)? {
            return Ok(Chosen::File {
                path,
                opened: Box::new(opened),
            });
        }
    }
    exact
}

/// The regular file at a path, if there is one.
pub(super) fn regular_file(root: &Root, path: &[u8]) -> Result<Option<Opened>, FileError> {
    match open(root, path) {
        Ok(opened) => Ok(opened.metadata.is_file().then_some(opened)),
        Err(FileError::NotFound(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Opens the index at once, as most folders that are asked have one; the folder itself is looked at only when there is none.
fn folder(root: &Root, folder: &[u8], options: &Options) -> Result<Chosen, FileError> {
    for name in &options.index {
        let mut path = Vec::with_capacity(folder.len() + 1 + name.len());
        if !folder.is_empty() {
            path.extend_from_slice(folder);
            path.push(b'/');
        }
        path.extend_from_slice(name.as_bytes());
        match open(root, &path) {
            Ok(opened) if opened.metadata.is_file() => {
                let opened = Box::new(opened);
                return Ok(Chosen::File { path, opened });
            }
            // Something else has that name: the next one is tried.
            Ok(_) | Err(FileError::MISSING) => {}
            // Not listed instead: who made an index did not mean the folder to be seen.
            Err(error) => return Err(error),
        }
    }
    let Opened { file, metadata } = open(root, folder)?;
    if metadata.is_dir() && options.listing {
        return Ok(Chosen::Folder(file));
    }
    Err(FileError::NotFound(if metadata.is_dir() {
        "no index file in the folder"
    } else if metadata.is_file() {
        "a file was asked with a slash behind its name"
    } else {
        NOT_REGULAR
    }))
}

fn open(root: &Root, path: &[u8]) -> Result<Opened, FileError> {
    let file = root
        .open_beneath(path)
        .map_err(|error| FileError::of_open(&error))?;
    let metadata = file.metadata().map_err(|error| FileError::of_io(&error))?;
    Ok(Opened { file, metadata })
}

/// What a clean URL leaves out.
const PAGE: &[u8] = b".html";
const NOT_REGULAR: &str = "neither a file nor a folder";
