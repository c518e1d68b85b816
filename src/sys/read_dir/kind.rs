//! What a folder says about a name in it.

/// What a folder says about a name in it. It may be wrong by the time it is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A regular file.
    File,
    /// A folder.
    Folder,
    /// A symlink, wherever it leads; on Windows also a junction.
    Symlink,
    /// A FIFO, a socket, a device.
    Other,
    /// The file system does not say (`readdir(3)`: "All applications must properly handle a return
    /// of DT_UNKNOWN").
    Unknown,
}
