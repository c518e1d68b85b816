//! A folder held open, and the calls that start from one.
//!
//! In: borrowed descriptors and names. Out: owned descriptors. Never: a decision about symlinks
//! (`walk` and `linux/openat2` decide).

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

/// How a file that is asked for is opened: for reading, never waiting for a FIFO's writer, never
/// taking a controlling terminal, not inherited by child processes.
pub const READ: Access =
    ffi::O_RDONLY | ffi::O_CLOEXEC | ffi::O_NONBLOCK | ffi::O_NOCTTY | ffi::O_LARGEFILE;

/// How a file is opened that is only to be asked what it is: as a mere place in the file system, for
/// which neither permission nor a device's driver is asked.
#[cfg(target_os = "linux")]
pub const LOOK: Access = ffi::O_SEARCH | ffi::O_CLOEXEC; // O_PATH takes no other flag.
/// macOS has no such thing, FreeBSD since 13.1 alone.
#[cfg(not(target_os = "linux"))]
pub const LOOK: Access = READ;

/// `PATH_MAX` with its NUL: no link's target is longer.
const TARGET_MAX: usize = 4096;

/// A folder held open, and where it was found.
#[derive(Debug)]
pub struct Folder {
    // Opened for search only, where the system can: names in it are all that is asked of it.
    pub descriptor: File,
    // Absolute, so that a program that changes its folder does not change what the name means.
    path: PathBuf,
}

impl Folder {
    /// Opens a folder; symlinks on the way are followed, for the program chose the path.
    pub fn open(path: &Path) -> io::Result<Folder> {
        let path = std::path::absolute(path)?;
        let flags = ffi::O_SEARCH | ffi::O_DIRECTORY;
        let descriptor = OpenOptions::new()
            .read(true)
            .custom_flags(flags)
            .open(&path)?;
        Ok(Folder { descriptor, path })
    }

    /// Whether the path still names this folder: device and inode say so. An inode is not given to
    /// another file while this descriptor holds it.
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
    // SAFETY: `start` points to a live C string, only read, and `to` to TARGET_MAX bytes that are ours
    // alone.
    let length = unsafe { ffi::readlinkat(folder.as_raw_fd(), start, to, TARGET_MAX) };
    let length = usize::try_from(length).map_err(|_| io::Error::last_os_error())?;
    if length >= TARGET_MAX {
        return Err(io::Error::from_raw_os_error(errno::ENAMETOOLONG));
    }
    target.truncate(length);
    Ok(target)
}

/// What an error of opening says about the file.
pub fn open_error(error: io::Error) -> OpenError {
    match error.raw_os_error() {
        // Nothing there; a file where a folder should be; a name that no file can have.
        Some(errno::ENOENT | errno::ENOTDIR | errno::ENAMETOOLONG) => OpenError::NotFound,
        // A socket, or a device that nothing stands behind: there, but nothing to read.
        Some(errno::ENXIO | errno::ENODEV) => OpenError::NotFound,
        // EACCES: a permission is missing. EPERM: something else than permissions forbids it.
        Some(errno::EACCES | errno::EPERM) => OpenError::Denied,
        // The kernel counted more than 40 symlinks (or met one that only looks like a link).
        Some(errno::ELOOP) => OpenError::Loop,
        // EMFILE, ENFILE, ENOMEM, EIO and what else may go wrong: the world's fault.
        _ => OpenError::Io(error),
    }
}
