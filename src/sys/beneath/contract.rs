//! What an opening below a folder is asked for, and why it fails: the words that every strategy shares.

use std::io;

/// Which symlinks below a root are followed. The way to the root itself is the program's choice, and followed always.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Symlinks {
    /// Those that stay below the root at every step; an absolute one leaves it.
    #[default]
    Inside,
    /// None. On Windows that is whatever the system spells otherwise than it was asked: a junction, a short name, a name in
    /// other letters.
    None,
    /// All, wherever they lead, as any program of the system follows them, `/proc/self/root` included. Only the components
    /// of a path keep it below the root then, and whoever may make a symlink there may show every file that the process can read.
    All,
}

/// Why a file was not opened.
#[derive(Debug)]
#[non_exhaustive]
pub enum OpenError {
    /// Nothing has that name (ENOENT), or a component on the way is no folder (ENOTDIR), or a name is
    /// too long (ENAMETOOLONG), or it is a socket or a device without driver (ENXIO, ENODEV).
    NotFound,
    /// The process may not open it (EACCES, EPERM).
    Denied,
    /// A symlink is absolute or leads out of the root.
    Escapes,
    /// A symlink, and none is followed ([`Symlinks::None`]).
    Symlink,
    /// More than 40 symlinks on the way (ELOOP).
    Loop,
    /// The relative path has an empty, `.` or `..` component, or a NUL, or (on Windows) `\`, `:`, a
    /// device's name as `CON`, or a name that ends in a dot or a space.
    InvalidPath,
    /// Anything else: no descriptors left, an input/output error.
    Io(io::Error),
}
