//! What the system says about an open file.

use super::platform;
use std::fs::{File, Metadata};

/// What tells one state of one file from another: its place in the file system, its length, its times.
///
/// A change of the content changes the modification time, unless somebody sets that back; the change time (`st_ctime`, stat(2);
/// `ChangeTime` of NTFS) cannot be set by the calls that programs use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    pub(super) place: [u64; 2],
    pub(super) length: u64,
    pub(super) modified: (i64, i64),
    pub(super) changed: (i64, i64),
}

impl Identity {
    /// The identity of an open file, of which this is the metadata; `None` when the system does not tell it.
    ///
    /// Unix has all of it in the metadata. Windows is asked: std tells neither a file's place nor its change time, which is left
    /// out where the file system keeps none (FAT).
    pub fn of(file: &File, metadata: &Metadata) -> Option<Identity> {
        platform::file_identity::identity(file, metadata)
    }
}
