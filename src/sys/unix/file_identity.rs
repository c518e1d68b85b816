//! A file's identity, from its metadata.

use crate::sys::file_identity::Identity;
use std::fs::{File, Metadata};
use std::os::unix::fs::MetadataExt;

impl Identity {
    /// The identity of an open file, of which this is the metadata: device and inode, length,
    /// `st_mtime` and `st_ctime`, all of which the metadata has. Other systems have to ask for it, and
    /// may not be told.
    pub fn of(_file: &File, metadata: &Metadata) -> Option<Identity> {
        Some(Identity {
            place: [metadata.dev(), metadata.ino()],
            length: metadata.len(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        })
    }
}
