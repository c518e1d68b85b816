//! Which symlinks are followed below a folder, and why opening fails: shared by every strategy.

use std::io;

/// Which symlinks below a root are followed. Symlinks on the way to the root itself are always
/// followed: the program chose that path.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Symlinks {
    /// Those that stay below the root at every step; an absolute one leaves it.
    #[default]
    Inside,
    /// None. On Windows that includes whatever the system spells differently from the request: a
    /// junction, a short name, a name in other letters.
    None,
    /// All, wherever they lead, as any program of the system follows them, `/proc/self/root`
    /// included. Then only the components of a path keep it below the root, and anyone who may
    /// create a symlink there can expose every file that the process can read.
    All,
}

/// Why a file was not opened.
#[derive(Debug)]
#[non_exhaustive]
pub enum OpenError {
    /// Nothing has that name (ENOENT), a component on the way is not a folder (ENOTDIR), a name is
    /// too long (ENAMETOOLONG), or it is a socket or a device without a driver (ENXIO, ENODEV).
    NotFound,
    /// The process may not open it (EACCES, EPERM).
    Denied,
    /// A symlink is absolute or leads out of the root.
    Escapes,
    /// There is a symlink, and none is followed ([`Symlinks::None`]).
    Symlink,
    /// More than 40 symlinks on the way (ELOOP).
    Loop,
    /// The relative path has an empty, `.` or `..` component, or a NUL, or (on Windows) `\`, `:`, a
    /// device's name such as `CON`, or a name that ends in a dot or a space.
    InvalidPath,
    /// Anything else: no descriptors left, an input/output error.
    Io(io::Error),
}
