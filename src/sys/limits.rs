//! What the process may do: how many files it may have open, how many processors it may use, and
//! whether it is root.

use super::platform;
use std::io;
use std::thread;

/// Raises the soft limit of open files to the hard limit (at most to `wanted`) and returns the
/// limit in force. `None` where the system has no such limit.
pub fn raise_open_files(wanted: u64) -> io::Result<Option<u64>> {
    platform::limits::raise_open_files(wanted)
}

/// The limit of open files in force. `None` where the system has no such limit, or does not tell.
pub fn open_files() -> Option<u64> {
    platform::limits::open_files_now()
}

/// How many processors the process may use; 1 where the system does not tell.
pub fn processors() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

/// Whether the process has the rights of root, to whom file permissions do not apply
/// (`geteuid(2)`). Always false on Windows, which has no such user.
pub fn is_root() -> bool {
    platform::limits::is_root()
}
