//! `openat2(2)` (Linux 5.6): the kernel itself keeps the path below the root.

use crate::sys::beneath::contract::OpenError;
use crate::sys::unix::errno;
use crate::sys::unix::folder::{Access, READ, open_error};
use std::ffi::{CStr, c_char, c_int, c_long};
use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

/// The same number on every architecture, as for every call since Linux 5.1.
const SYS_OPENAT2: c_long = 437;
/// Fail on magic links, as in `/proc/self/fd`: they lead anywhere without naming it.
const RESOLVE_NO_MAGICLINKS: u64 = 0x02;
/// Fail on every symlink.
const RESOLVE_NO_SYMLINKS: u64 = 0x04;
/// Fail when the path leaves the folder that it starts from, even for a moment.
const RESOLVE_BENEATH: u64 = 0x08;

/// How often EAGAIN is followed by another try. It means that somewhere in the system a rename or
/// mount happened while `..` was walked. A guess: others take 2 to 128.
const RACES_MAX: u32 = 32;

/// `struct open_how`.
#[repr(C)]
struct OpenHow {
    flags: u64,
    mode: u64,
    resolve: u64,
}

unsafe extern "C" {
    fn syscall(number: c_long, ...) -> c_long;
}

/// Opens `path` (components joined by `/`, or `.` for the root itself) below `root`; `follow` says
/// whether symlinks are followed.
pub fn open(
    root: BorrowedFd<'_>,
    path: &CStr,
    follow: bool,
    access: Access,
) -> Result<File, OpenError> {
    let resolve = match follow {
        true => RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
        false => RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS,
    };
    for _ in 0..RACES_MAX {
        match openat2(root, path, access, resolve) {
            Ok(file) => return Ok(File::from(file)),
            Err(error) => match error.raw_os_error() {
                // A rename or mount somewhere made the kernel unsure about `..`, or (EINTR) a
                // signal came while a slow file system was asked: try again.
                Some(errno::EAGAIN) => {}
                _ if error.kind() == io::ErrorKind::Interrupted => {}
                // RESOLVE_BENEATH: an absolute symlink, `..` above the root, or a folder on the way
                // that was meanwhile moved out of the root, which the kernel checks at the end.
                Some(errno::EXDEV) => return Err(OpenError::Escapes),
                // RESOLVE_NO_SYMLINKS: a component is a symlink, so this is not a count.
                Some(errno::ELOOP) if !follow => return Err(OpenError::Symlink),
                _ => return Err(open_error(error)),
            },
        }
    }
    Err(OpenError::Io(io::Error::from_raw_os_error(errno::EAGAIN)))
}

/// Whether the kernel has the call and allows it.
pub fn is_available(root: BorrowedFd<'_>) -> bool {
    match openat2(root, c".", READ, RESOLVE_BENEATH) {
        Ok(_) => true,
        Err(error) => match error.raw_os_error() {
            // ENOSYS: older than 5.6. EPERM: a seccomp filter that does not know the call (as in
            // older container runtimes).
            Some(errno::ENOSYS | errno::EPERM) => false,
            // Anything else is about this folder: that it may be searched but not read, for
            // example.
            _ => true,
        },
    }
}

fn openat2(root: BorrowedFd<'_>, path: &CStr, flags: c_int, resolve: u64) -> io::Result<OwnedFd> {
    let how = OpenHow {
        flags: u64::from(flags.unsigned_abs()),
        mode: 0,
        resolve,
    };
    let folder: c_int = root.as_raw_fd();
    let path: *const c_char = path.as_ptr();
    let size = size_of::<OpenHow>();
    // SAFETY: `path` is a live C string and `how` a live structure of `size` bytes, both only read.
    let fd = unsafe { syscall(SYS_OPENAT2, folder, path, &raw const how, size) };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the call made this descriptor (an int, so nothing is cut off), and nobody else knows
    // its number.
    Ok(unsafe { OwnedFd::from_raw_fd(fd as c_int) })
}
