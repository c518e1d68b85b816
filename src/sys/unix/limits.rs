//! `getrlimit(2)` and `setrlimit(2)` for open files.

use super::ffi::{self, ResourceLimit};
use super::{check, errno};
use std::io;

/// macOS: `OPEN_MAX`, the limit of every process when the kernel has no number of its own.
#[cfg(target_vendor = "apple")]
const OPEN_MAX: u64 = 10_240;

/// Raises the soft limit to the hard one, at most to `wanted`; returns the limit in force.
pub fn raise_open_files(wanted: u64) -> io::Result<Option<u64>> {
    raise(open_files()?, wanted).map(Some)
}

/// The limit in force.
pub fn open_files_now() -> Option<u64> {
    open_files().ok().map(|limit| limit.soft)
}

pub fn is_root() -> bool {
    // SAFETY: geteuid(2) takes nothing, touches nothing, and "is always successful".
    unsafe { ffi::geteuid() == 0 }
}

fn raise(limit: ResourceLimit, wanted: u64) -> io::Result<u64> {
    let target = wanted.min(limit.hard);
    if limit.soft >= target {
        return Ok(limit.soft);
    }
    let set_soft = |soft| set(ResourceLimit { soft, ..limit });
    match set_soft(target) {
        Ok(()) => Ok(target),
        // macOS: a hard limit of "infinity" is more than the kernel gives any process; ask for the
        // number that it does give.
        Err(error) if error.raw_os_error() == Some(errno::EINVAL) => {
            let target = target.min(per_process());
            if target <= limit.soft {
                return Ok(limit.soft);
            }
            set_soft(target)?;
            Ok(target)
        }
        Err(error) => Err(error),
    }
}

fn open_files() -> io::Result<ResourceLimit> {
    let mut limit = ResourceLimit { soft: 0, hard: 0 };
    // SAFETY: `limit` is a live `struct rlimit` that is ours alone to be written.
    check(unsafe { ffi::getrlimit(ffi::RLIMIT_NOFILE, &mut limit) })?;
    Ok(limit)
}

fn set(limit: ResourceLimit) -> io::Result<()> {
    // SAFETY: `limit` is a live `struct rlimit`, only read.
    check(unsafe { ffi::setrlimit(ffi::RLIMIT_NOFILE, &limit) }).map(drop)
}

#[cfg(target_vendor = "apple")]
fn per_process() -> u64 {
    let mut number: std::ffi::c_int = 0;
    let mut length = std::mem::size_of_val(&number);
    let name = c"kern.maxfilesperproc".as_ptr();
    let to = (&raw mut number).cast();
    let nothing = std::ptr::null_mut();
    // SAFETY: `name` is a C string, `to` points to `length` bytes that are ours alone, and nothing
    // is to be set.
    let result = unsafe { ffi::sysctlbyname(name, to, &mut length, nothing, 0) };
    match u64::try_from(number) {
        Ok(number) if result == 0 && number > 0 => number,
        _ => OPEN_MAX,
    }
}

/// Elsewhere the kernel gives what the hard limit says.
#[cfg(not(target_vendor = "apple"))]
fn per_process() -> u64 {
    0
}
