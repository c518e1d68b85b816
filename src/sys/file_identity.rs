//! Identifies the state of a file. Each system has its own `Identity::of`.

/// What distinguishes one state of one file from another: its place in the file system, its length,
/// its times.
///
/// A change of the content changes the modification time, unless somebody sets that back; the
/// change time (`st_ctime`, stat(2); `ChangeTime` of NTFS) cannot be set by the calls that programs
/// use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    pub(super) place: [u64; 2],
    pub(super) length: u64,
    pub(super) modified: (i64, i64),
    pub(super) changed: (i64, i64),
}
