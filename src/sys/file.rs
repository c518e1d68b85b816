//! What the system says about an open file.

use std::fs::Metadata;

/// What tells one state of one file from another: its place in the file system, its length, its times.
///
/// A change of the content changes the modification time, unless somebody sets that back; the change time (`st_ctime`, stat(2))
/// cannot be set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    place: [u64; 2],
    length: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Identity {
    /// The identity of the file that this metadata is about; `None` where the system has no such thing.
    #[cfg(unix)]
    pub fn of(metadata: &Metadata) -> Option<Identity> {
        use std::os::unix::fs::MetadataExt;
        Some(Identity {
            place: [metadata.dev(), metadata.ino()],
            length: metadata.len(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        })
    }

    /// The identity of the file that this metadata is about; `None` where the system has no such thing.
    ///
    /// Windows' std tells neither a file's place nor its change time, so nothing is known to be the same.
    #[cfg(not(unix))]
    pub fn of(_metadata: &Metadata) -> Option<Identity> {
        None
    }
}
