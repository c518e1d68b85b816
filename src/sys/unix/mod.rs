//! What all Unixes share: declarations of libc's functions, and safe wrappers of one call each. Raw
//! descriptors appear in signatures of `ffi` only.

#[cfg(any(target_os = "linux", target_os = "freebsd"))]
pub mod accept;
pub mod addresses;
pub mod errno;
pub(super) mod ffi;
#[cfg(feature = "files")]
pub mod file_identity;
pub mod folder;
pub mod limits;
pub mod poll;
pub mod read_dir;
#[cfg(any(target_os = "linux", target_os = "freebsd"))]
pub mod send;
pub mod signals;
pub mod socket;
pub mod thread_time;
pub mod walk;

use std::ffi::c_int;
use std::io;

/// libc's convention: -1 means that `errno` has the reason.
fn check(result: c_int) -> io::Result<c_int> {
    if result == -1 {
        return Err(io::Error::last_os_error());
    }
    Ok(result)
}
