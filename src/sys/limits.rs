//! What the process may do: how much it may have open, and whose rights it has.

use super::platform;
use std::io;

/// Raises the soft limit of open files to the hard limit (at most to `wanted`) and answers the limit
/// in force. `None` where the system has no such limit.
pub fn raise_open_files(wanted: u64) -> io::Result<Option<u64>> {
    platform::limits::raise_open_files(wanted)
}

/// The limit in force. `None` where the system has no such limit, or does not tell.
pub fn open_files() -> Option<u64> {
    platform::limits::open_files_now()
}

/// Whether the process has the rights of root, for whom no file's permissions count (`geteuid(2)`). Always false on Windows,
/// which has no such user.
pub fn is_root() -> bool {
    platform::limits::is_root()
}
