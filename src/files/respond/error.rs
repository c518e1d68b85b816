//! Why no file answers: what the system's errors mean to a client, in one place.
//!
//! In: errors of opening. Out: the page that says so. Never: the system's own text, which would tell of paths and users.

use crate::semantics::Status;
use crate::sys::beneath::OpenError;
use crate::sys::shortage::{Shortage, shortage};
use std::io;

/// Why no file answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileError {
    /// There is none, or none that may be known of; with what the log says.
    NotFound(&'static str),
    /// The process may not read it.
    Denied,
    /// The process or the system has no descriptor left: it may have one in a moment.
    NoDescriptors,
    /// The memory for what is being sent is taken: some may be free in a moment.
    NoMemory,
    /// Anything else.
    Failed,
}

impl FileError {
    /// Nothing has that name.
    pub const MISSING: FileError = FileError::NotFound("no such file");

    /// What an error of opening a file below the root means.
    pub fn of_open(error: &OpenError) -> FileError {
        match error {
            OpenError::NotFound => FileError::MISSING,
            OpenError::Denied => FileError::Denied,
            // 404 and not 403: that there is something outside is nobody's business.
            OpenError::Escapes => FileError::NotFound("symlink leaves the folder"),
            OpenError::Symlink => FileError::NotFound("symlinks are not followed"),
            OpenError::Loop => FileError::NotFound("too many symlinks"),
            OpenError::InvalidPath => FileError::NotFound("a name that the system does not take"),
            OpenError::Io(error) => FileError::of_io(error),
        }
    }

    /// What an error of the system behind [`OpenError::Io`] means, or one of asking an open file what it is.
    pub fn of_io(error: &io::Error) -> FileError {
        match shortage(error) {
            Some(Shortage::Process | Shortage::System) => FileError::NoDescriptors,
            _ => FileError::Failed,
        }
    }

    /// What an error of opening the root itself again means.
    pub fn of_root(error: &io::Error) -> FileError {
        match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => {
                FileError::NotFound("the served folder is gone")
            }
            io::ErrorKind::PermissionDenied => FileError::Denied,
            _ => FileError::of_io(error),
        }
    }

    /// 403, 404, 500 or 503.
    pub const fn status(self) -> Status {
        match self {
            FileError::NotFound(_) => Status::NOT_FOUND,
            FileError::Denied => Status::FORBIDDEN,
            FileError::NoDescriptors | FileError::NoMemory => Status::SERVICE_UNAVAILABLE,
            FileError::Failed => Status::INTERNAL_SERVER_ERROR,
        }
    }

    /// One sentence for the log.
    pub const fn reason(self) -> &'static str {
        match self {
            FileError::NotFound(reason) => reason,
            FileError::Denied => "permission denied",
            FileError::NoDescriptors => "no file descriptor left",
            FileError::NoMemory => "too many listings are being sent",
            FileError::Failed => "the file could not be opened",
        }
    }
}
