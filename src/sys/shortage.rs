//! Which errors say that the process or the system has run out of something.

#[cfg(unix)]
use super::unix::errno::{EMFILE, ENFILE, ENOBUFS, ENOMEM};
use std::fs::File;
use std::io;

/// What a failed call lacked: try again later, not at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shortage {
    /// The process may open no more descriptors (EMFILE).
    Process,
    /// The system has none left, for any process (ENFILE).
    System,
    /// Memory (ENOBUFS, ENOMEM).
    Memory,
}

/// What the call lacked, if that is why it failed.
pub fn shortage(error: &io::Error) -> Option<Shortage> {
    match error.raw_os_error()? {
        EMFILE => Some(Shortage::Process),
        #[cfg(windows)]
        WSAEMFILE => Some(Shortage::Process),
        #[cfg(unix)]
        ENFILE => Some(Shortage::System),
        #[cfg(unix)]
        ENOMEM => Some(Shortage::Memory),
        ENOBUFS => Some(Shortage::Memory),
        _ => None,
    }
}

/// A descriptor to keep in reserve and to close when another one is needed. `None` when none is
/// left, and on Windows, where the system's memory is the only limit.
pub fn spare_descriptor() -> Option<File> {
    match cfg!(unix) {
        true => File::open("/dev/null").ok(),
        false => None,
    }
}

/// ERROR_TOO_MANY_OPEN_FILES.
#[cfg(windows)]
const EMFILE: i32 = 4;
/// The process has no socket left.
#[cfg(windows)]
const WSAEMFILE: i32 = 10024;
/// WSAENOBUFS.
#[cfg(windows)]
const ENOBUFS: i32 = 10055;
