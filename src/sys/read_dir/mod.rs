//! The names in a folder, read from its own descriptor: its path may lead to another folder by now.
//! Nothing is looked at but the folder itself.

pub(super) mod kind;

pub use kind::Kind;

use super::platform;
use std::fs::File;
use std::io;
use std::ops::ControlFlow;

/// Calls `each` with every name in the folder, as bytes, until it breaks.
///
/// On Unix a name is any bytes but `/` and NUL; on Windows, where names are UTF-16, those that are
/// not valid Unicode are left out, because no path names them. Each call begins at the start,
/// whatever was read of the folder before; on Windows the position is that of the handle, so one
/// handle serves one call at a time.
///
/// A name that comes or goes meanwhile may be given or not. Their number is bounded only by the
/// disk: `each` breaks when it has enough.
///
/// # Errors
///
/// ENOTDIR: it is not a folder. EACCES: the folder may be read, but no name in it looked up (Unix:
/// `r` without `x`). Any error of reading a disk; the names before it were given.
pub fn for_each(
    folder: &File,
    each: &mut dyn FnMut(&[u8], Kind) -> ControlFlow<()>,
) -> io::Result<()> {
    platform::read_dir::for_each(folder, &mut |name, kind| match name {
        b"." | b".." => ControlFlow::Continue(()),
        _ => each(name, kind),
    })
}
