//! A file's identity, from its metadata.

use crate::sys::file_identity::Identity;
use std::fs::{File, Metadata};
use std::os::unix::fs::MetadataExt;

impl Identity {
    /// The identity of an open file with this metadata: device and inode, length, `st_mtime` and
    /// `st_ctime`. Always known here; other systems have to be asked for it, and may not tell.
    pub fn of(_file: &File, metadata: &Metadata) -> Option<Identity> {
        Some(Identity {
            place: [metadata.dev(), metadata.ino()],
            length: metadata.len(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        })
    }
}
