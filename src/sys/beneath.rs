//! Opening a file that provably lies below a folder, whatever symlinks there are and whenever they change.
//!
//! Two implementations of one question: [`Strategy::Kernel`] (`openat2(2)` with `RESOLVE_BENEATH`, Linux 5.6)
//! and [`Strategy::Walk`] (component by component, `O_NOFOLLOW`, links read and walked by hand; on Windows the final
//! path of the opened handle must lie under the root's). They must agree; tests and a fuzz target ask both.

use std::fs::File;
use std::io;
use std::path::Path;

/// How a path is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strategy {
    /// `openat2(2)` with `RESOLVE_BENEATH`.
    #[cfg(target_os = "linux")]
    Kernel,
    /// Component by component.
    Walk,
}

/// Why a file was not opened.
#[derive(Debug)]
#[non_exhaustive]
pub enum OpenError {
    /// Nothing has that name (ENOENT), or a component on the way is no folder (ENOTDIR), or a name is too long (ENAMETOOLONG), or it is a socket or a device without driver (ENXIO, ENODEV).
    NotFound,
    /// The process may not open it (EACCES, EPERM).
    Denied,
    /// A symlink is absolute or leads out of the root.
    Escapes,
    /// More than 40 symlinks on the way (ELOOP).
    Loop,
    /// The relative path has an empty, `.` or `..` component, or a NUL, or (on Windows) `\` or `:`.
    InvalidPath,
    /// Anything else: no descriptors left, an input/output error.
    Io(io::Error),
}

/// A folder, held open.
#[derive(Debug)]
pub struct Root {
    // descriptor, path as opened, strategy
}

impl Root {
    /// Opens the folder with the best strategy that this system has (probed once: ENOSYS, EPERM under a seccomp filter).
    pub fn open(path: &Path) -> io::Result<Root> {
        todo!()
    }
    /// Opens the folder with a given strategy, for tests.
    pub fn open_with(path: &Path, strategy: Strategy) -> io::Result<Root> {
        todo!()
    }
    /// Opens a regular file or a folder below the root for reading. `path` is clean components joined by `/`, no slash at either end; empty is the
    /// root itself. Never blocks on a FIFO (`O_NONBLOCK`), never takes a controlling terminal. The caller asks the file's metadata what it is.
    pub fn open_beneath(&self, path: &[u8]) -> Result<File, OpenError> {
        todo!()
    }
    /// Whether the path that it was opened by still names this very folder.
    pub fn is_current(&self) -> bool {
        todo!()
    }
}
