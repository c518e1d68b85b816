//! Why no file answers: what the system's errors mean to a client, in one place.
//!
//! In: errors of opening. Out: the page that says so. Never: the system's own text, which would tell of paths and users.

use crate::semantics::Status;
use crate::sys::beneath::OpenError;
use crate::sys::shortage::{Shortage, shortage};
use std::io;

/// Why no file answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// There is none, or none that may be known of; with what the log says.
    NotFound(&'static str),
    /// The process may not read it.
    Denied,
    /// The process or the system has no descriptor left: it may have one in a moment.
    NoDescriptors,
    /// The memory for what is being sent is taken: some may be free in a moment.
    NoRoom,
    /// Anything else.
    Failed,
}

impl Failure {
    /// Nothing has that name.
    pub const MISSING: Failure = Failure::NotFound("no such file");

    /// What an error of opening a file below the root means.
    pub fn of_open(error: &OpenError) -> Failure {
        match error {
            OpenError::NotFound => Failure::MISSING,
            OpenError::Denied => Failure::Denied,
            // 404 and not 403: that there is something outside is nobody's business.
            OpenError::Escapes => Failure::NotFound("symlink leaves the folder"),
            OpenError::Symlink => Failure::NotFound("symlinks are not followed"),
            OpenError::Loop => Failure::NotFound("too many symlinks"),
            OpenError::InvalidPath => Failure::NotFound("a name that the system does not take"),
            OpenError::Io(error) => Failure::of_io(error),
        }
    }

    /// What an error of the system behind [`OpenError::Io`] means, or one of asking an open file what it is.
    pub fn of_io(error: &io::Error) -> Failure {
        match shortage(error) {
            Some(Shortage::Process | Shortage::System) => Failure::NoDescriptors,
            _ => Failure::Failed,
        }
    }

    /// What an error of opening the root itself again means.
    pub fn of_root(error: &io::Error) -> Failure {
        match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => {
                Failure::NotFound("the served folder is gone")
            }
            io::ErrorKind::PermissionDenied => Failure::Denied,
            _ => Failure::of_io(error),
        }
    }

    /// 403, 404, 500 or 503.
    pub const fn status(self) -> Status {
        match self {
            Failure::NotFound(_) => Status::NOT_FOUND,
            Failure::Denied => Status::FORBIDDEN,
            Failure::NoDescriptors | Failure::NoRoom => Status::SERVICE_UNAVAILABLE,
            Failure::Failed => Status::INTERNAL_SERVER_ERROR,
        }
    }

    /// One sentence for the log.
    pub const fn reason(self) -> &'static str {
        match self {
            Failure::NotFound(reason) => reason,
            Failure::Denied => "permission denied",
            Failure::NoDescriptors => "no file descriptor left",
            Failure::NoRoom => "too many listings are being sent",
            Failure::Failed => "the file could not be opened",
        }
    }
}
