//! A file's identity, from its metadata.

use crate::sys::file_identity::Identity;
use std::fs::{File, Metadata};
use std::os::unix::fs::MetadataExt;

/// Device and inode, length, `st_mtime` and `st_ctime`.
pub fn identity(_file: &File, metadata: &Metadata) -> Option<Identity> {
    Some(Identity {
        place: [metadata.dev(), metadata.ino()],
        length: metadata.len(),
        modified: (metadata.mtime(), metadata.mtime_nsec()),
        changed: (metadata.ctime(), metadata.ctime_nsec()),
    })
}
