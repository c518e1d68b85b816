//! The names in a folder, read from its own descriptor.
//!
//! In: a folder that was opened beneath a root. Out: each name in it, in the file system's order, with what the folder says
//! about its kind. Never: a path, which may lead to another folder by now; `.` and `..`; a look at what a name stands for.

pub(super) mod kind;

pub use kind::Kind;

use super::platform;
use std::fs::File;
use std::io;
use std::ops::ControlFlow;

/// Calls `each` with every name in the folder, as bytes, until it breaks.
///
/// On Unix a name is any bytes but `/` and NUL; on Windows, where names are UTF-16, those that are not Unicode are left out: no
/// path names them. Each call begins at the start, whatever was read of the folder before; on Windows the place is the handle's,
/// so one handle serves one call at a time.
///
/// A name that comes or goes meanwhile may be given or not. How many there are is bounded by the disk alone: `each` breaks where
/// it has enough.
///
/// # Errors
///
/// ENOTDIR: it is no folder. EACCES: the folder may be read, but no name in it looked up (Unix: `r` without `x`). Whatever
/// reading a disk may answer; the names before it were given.
pub fn for_each(
    folder: &File,
    each: &mut dyn FnMut(&[u8], Kind) -> ControlFlow<()>,
) -> io::Result<()> {
    platform::read_dir::for_each(folder, &mut |name, kind| match name {
        b"." | b".." => ControlFlow::Continue(()),
        _ => each(name, kind),
    })
}
