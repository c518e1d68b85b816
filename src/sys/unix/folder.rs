//! A folder held open, and the calls that start from one. Symlinks are decided about in `walk` and
//! `linux/openat2`.

use super::{check, errno, ffi};
use crate::sys::beneath::contract::OpenError;
use crate::sys::retry::uninterrupted;
use std::ffi::{CStr, c_char, c_int};
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// How a file is opened: the flags of `open(2)`.
pub type Access = c_int;

/// Opens for reading, never waiting for a FIFO's writer, never taking a controlling terminal, not
/// inherited by child processes.
pub const READ: Access =
    ffi::O_RDONLY | ffi::O_CLOEXEC | ffi::O_NONBLOCK | ffi::O_NOCTTY | ffi::O_LARGEFILE;

/// Opens only to ask for metadata: as a mere place in the file system, which needs neither
/// permission nor a device's driver.
#[cfg(target_os = "linux")]
pub const METADATA: Access = ffi::O_SEARCH | ffi::O_CLOEXEC; // O_PATH takes no other flag.
/// macOS has no such flag, FreeBSD only since 13.1.
#[cfg(not(target_os = "linux"))]
pub const METADATA: Access = READ;

/// `PATH_MAX` with its NUL: no link's target is longer.
const TARGET_MAX: usize = 4096;

/// A folder held open, and its path.
#[derive(Debug)]
pub struct Folder {
    // Opened for search only, where the system can: it is only needed to look names up.
    pub descriptor: File,
    // Absolute, so that it stays the same when the program changes its current folder.
    path: PathBuf,
}

impl Folder {
    /// Opens a folder. Symlinks on the way are followed: the program chose the path.
    pub fn open(path: &Path) -> io::Result<Folder> {
        let path = std::path::absolute(path)?;
        let flags = ffi::O_SEARCH | ffi::O_DIRECTORY;
        let descriptor = OpenOptions::new()
            .read(true)
            .custom_flags(flags)
            .open(&path)?;
        Ok(Folder { descriptor, path })
    }

    /// Whether the path still names this folder, by device and inode. The inode is not reused while
    /// this descriptor holds it.
    pub fn is_current(&self) -> bool {
        match (self.descriptor.metadata(), fs::metadata(&self.path)) {
            (Ok(held), Ok(named)) => held.dev() == named.dev() && held.ino() == named.ino(),
            _ => false,
        }
    }
}

/// `openat(2)`, without a mode: it never creates.
pub fn open_at(folder: BorrowedFd<'_>, name: &CStr, flags: c_int) -> io::Result<OwnedFd> {
    uninterrupted(|| {
        let start = name.as_ptr();
        // SAFETY: `start` points to a live C string, only read; the flags ask for no mode.
        let fd = check(unsafe { ffi::openat(folder.as_raw_fd(), start, flags) })?;
        // SAFETY: the call made this descriptor, and nobody else knows its number.
        Ok(unsafe { OwnedFd::from_raw_fd(fd) })
    })
}

/// `readlinkat(2)`: the target of a symlink.
///
/// # Errors
///
/// EINVAL: the name is not a symlink. ENAMETOOLONG (made here): its target fills `PATH_MAX`.
pub fn read_link_at(folder: BorrowedFd<'_>, name: &CStr) -> io::Result<Vec<u8>> {
    let mut target = vec![0; TARGET_MAX];
    let start = name.as_ptr();
    let to = target.as_mut_ptr().cast::<c_char>();
    // SAFETY: `start` points to a live C string, only read, and `to` to TARGET_MAX bytes that are
    // ours alone.
    let length = unsafe { ffi::readlinkat(folder.as_raw_fd(), start, to, TARGET_MAX) };
    let length = usize::try_from(length).map_err(|_| io::Error::last_os_error())?;
    if length >= TARGET_MAX {
        return Err(io::Error::from_raw_os_error(errno::ENAMETOOLONG));
    }
    target.truncate(length);
    Ok(target)
}

pub fn open_error(error: io::Error) -> OpenError {
    match error.raw_os_error() {
        // Nothing there; a file in place of a folder; a name that no file can have.
        Some(errno::ENOENT | errno::ENOTDIR | errno::ENAMETOOLONG) => OpenError::NotFound,
        // A socket, or a device without a driver: nothing to read.
        Some(errno::ENXIO | errno::ENODEV) => OpenError::NotFound,
        // EACCES: a permission is missing. EPERM: something other than permissions forbids it.
        Some(errno::EACCES | errno::EPERM) => OpenError::Denied,
        // The kernel counted more than 40 symlinks (or met one that only looks like a link).
        Some(errno::ELOOP) => OpenError::Loop,
        // EMFILE, ENFILE, ENOMEM, EIO and the like.
        _ => OpenError::Io(error),
    }
}
