//! A folder held open, and the calls that start from one.
//!
//! In: borrowed descriptors and names. Out: owned descriptors. Never: a decision about symlinks
//! (`walk` and `linux/openat2` decide).

use super::{check, errno, ffi};
use crate::sys::beneath::contract::{OpenError, Purpose};
use crate::sys::retry::uninterrupted;
use std::ffi::{CStr, CString, c_char, c_int};
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// How a file that is asked for is opened: for reading, never waiting for a FIFO's writer, never
/// taking a controlling terminal, not inherited by child processes.
const READ: c_int =
    ffi::O_RDONLY | ffi::O_CLOEXEC | ffi::O_NONBLOCK | ffi::O_NOCTTY | ffi::O_LARGEFILE;

/// How a file is opened that is only to be asked what it is: as a mere place in the file system, for
/// which neither permission nor a device's driver is asked.
#[cfg(target_os = "linux")]
const LOOK: c_int = ffi::O_SEARCH | ffi::O_CLOEXEC; // O_PATH takes no other flag.
/// macOS has no such thing, FreeBSD since 13.1 alone.
#[cfg(not(target_os = "linux"))]
const LOOK: c_int = READ;

/// `PATH_MAX` with its NUL: no link's target is longer.
const TARGET_MAX: usize = 4096;

/// Paths up to here are made C strings on the stack.
const SHORT_PATH: usize = 256;

/// A folder held open, and where it was found.
#[derive(Debug)]
pub struct Folder {
    // Opened for search only, where the system can: names in it are all that is asked of it.
    descriptor: File,
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

    /// The descriptor.
    pub fn descriptor(&self) -> BorrowedFd<'_> {
        self.descriptor.as_fd()
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

/// The flags of `open(2)` for a purpose.
pub fn flags(purpose: Purpose) -> c_int {
    match purpose {
        Purpose::Read => READ,
        Purpose::Look => LOOK,
    }
}

/// Whether a file may have this name: anything but `/` and NUL, which the caller has excluded.
pub fn is_valid_name(_name: &[u8]) -> bool {
    true
}

/// `openat(2)`, without a mode: it never creates.
pub fn open_at(folder: BorrowedFd<'_>, name: &[u8], flags: c_int) -> io::Result<OwnedFd> {
    with_c_string(name, |name| {
        uninterrupted(|| {
            let start = name.as_ptr();
            // SAFETY: `start` points to a live C string, only read; the flags ask for no mode.
            let fd = check(unsafe { ffi::openat(folder.as_raw_fd(), start, flags) })?;
            // SAFETY: the call made this descriptor, and nobody else knows its number.
            Ok(unsafe { OwnedFd::from_raw_fd(fd) })
        })
    })
}

/// Opens `path` (components joined by `/`, empty for the folder itself) from the folder, wherever symlinks lead.
pub fn open_anywhere(
    folder: BorrowedFd<'_>,
    path: &[u8],
    purpose: Purpose,
) -> Result<File, OpenError> {
    let path = if path.is_empty() { b"." } else { path };
    open_at(folder, path, flags(purpose))
        .map(File::from)
        .map_err(open_error)
}

/// `readlinkat(2)`: the target of a symlink.
///
/// # Errors
///
/// EINVAL: the name is not a symlink. ENAMETOOLONG (made here): its target fills `PATH_MAX`.
pub fn read_link_at(folder: BorrowedFd<'_>, name: &[u8]) -> io::Result<Vec<u8>> {
    let mut target = vec![0; TARGET_MAX];
    let length = with_c_string(name, |name| {
        let start = name.as_ptr();
        let to = target.as_mut_ptr().cast::<c_char>();
        // SAFETY: `start` points to a live C string, only read, and `to` to TARGET_MAX octets that
        // are ours alone.
        let length = unsafe { ffi::readlinkat(folder.as_raw_fd(), start, to, TARGET_MAX) };
        usize::try_from(length).map_err(|_| io::Error::last_os_error())
    })?;
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

/// Calls with the octets as a C string; an octet NUL is an error.
pub fn with_c_string<T>(octets: &[u8], call: impl FnOnce(&CStr) -> io::Result<T>) -> io::Result<T> {
    if octets.len() < SHORT_PATH {
        let mut buffer = [0; SHORT_PATH];
        buffer[..octets.len()].copy_from_slice(octets);
        let text = CStr::from_bytes_with_nul(&buffer[..=octets.len()])
            .map_err(|_| io::ErrorKind::InvalidInput)?;
        return call(text);
    }
    call(&CString::new(octets)?)
}
