//! Why no file answers: what the system's errors mean to a client. The system's own text is never
//! shown, because it tells of paths and users.

use crate::semantics::Status;
use crate::sys::beneath::OpenError;
use crate::sys::shortage::{Shortage, shortage};
use std::io;

/// Why no file answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileError {
    /// There is none, or the client may not know of it; with the reason for the log.
    NotFound(&'static str),
    /// The process may not read it.
    Denied,
    /// The process or the system has no descriptor left, perhaps for a moment only.
    NoDescriptors,
    /// As many threads as may wait for the disk. The request waits for one of them to return.
    Busy,
    /// The memory for listings is taken, perhaps for a moment only.
    NoMemory,
    /// The client has gone, so that nothing is made for it.
    Disconnected,
    /// Anything else.
    Failed,
}

impl FileError {
    /// Nothing has that name.
    pub const MISSING: FileError = FileError::NotFound("no such file");

    /// The meaning of an error of opening a file below the root.
    pub fn of_open(error: &OpenError) -> FileError {
        match error {
            OpenError::NotFound => FileError::MISSING,
            OpenError::Denied => FileError::Denied,
            // 404 and not 403: whether there is something outside is nobody's business.
            OpenError::Escapes => FileError::NotFound("symlink leaves the folder"),
            OpenError::Symlink => FileError::NotFound("symlinks are not followed"),
            OpenError::Loop => FileError::NotFound("too many symlinks"),
            OpenError::InvalidPath => FileError::NotFound("a name that the system does not take"),
            OpenError::Io(error) => FileError::of_io(error),
        }
    }

    /// The meaning of a system's error in opening a file or asking for its metadata.
    pub fn of_io(error: &io::Error) -> FileError {
        match shortage(error) {
            Some(Shortage::Process | Shortage::System) => FileError::NoDescriptors,
            _ => FileError::Failed,
        }
    }

    /// The meaning of an error of opening the root itself again.
    pub fn of_root(error: io::Error) -> FileError {
        match OpenError::of(error) {
            OpenError::NotFound => FileError::NotFound("the served folder is gone"),
            OpenError::Loop => FileError::NotFound("the served folder is a loop of symlinks"),
            error => FileError::of_open(&error),
        }
    }

    /// 403, 404, 500 or 503.
    pub const fn status(self) -> Status {
        match self {
            FileError::NotFound(_) => Status::NOT_FOUND,
            FileError::Denied => Status::FORBIDDEN,
            FileError::NoDescriptors
            | FileError::Busy
            | FileError::NoMemory
            | FileError::Disconnected => Status::SERVICE_UNAVAILABLE,
            FileError::Failed => Status::INTERNAL_SERVER_ERROR,
        }
    }

    /// One sentence for the log.
    pub const fn reason(self) -> &'static str {
        match self {
            FileError::NotFound(reason) => reason,
            FileError::Denied => "permission denied",
            FileError::NoDescriptors => "no file descriptor left",
            FileError::Busy => "the disk is busy",
            FileError::NoMemory => "too many listings are being sent",
            FileError::Disconnected => "the client has gone",
            FileError::Failed => "the file could not be opened",
        }
    }
}
