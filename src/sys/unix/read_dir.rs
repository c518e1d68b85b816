//! `readdir(3)` on a descriptor of its own: a duplicate of the folder's descriptor would share its
//! position with whoever else reads it.

use super::ffi::{self, O_CLOEXEC, O_DIRECTORY, O_NONBLOCK, O_RDONLY};
use super::folder::open_at;
use crate::sys::read_dir::kind::Kind;
use crate::sys::retry::uninterrupted;
use std::ffi::{CStr, c_void};
use std::fs::File;
use std::io;
use std::ops::ControlFlow;
use std::os::fd::{AsFd, AsRawFd, IntoRawFd};
use std::ptr::NonNull;

/// Calls `each` with every name, `.` and `..` too.
pub fn for_each(
    folder: &File,
    each: &mut dyn FnMut(&[u8], Kind) -> ControlFlow<()>,
) -> io::Result<()> {
    let mut stream = Stream::open(folder)?;
    while let Some((name, kind)) = stream.next_entry()? {
        if each(name.to_bytes(), kind).is_break() {
            break;
        }
    }
    Ok(())
}

/// C's `DIR`.
struct Stream(NonNull<c_void>);

impl Stream {
    fn open(folder: &File) -> io::Result<Stream> {
        // `.` of a descriptor is the folder itself, wherever it was moved; O_DIRECTORY refuses
        // anything else (ENOTDIR).
        let flags = O_RDONLY | O_DIRECTORY | O_NONBLOCK | O_CLOEXEC;
        let descriptor = open_at(folder.as_fd(), c".", flags)?;
        // SAFETY: it takes an open descriptor, and nothing else.
        let stream = unsafe { ffi::fdopendir(descriptor.as_raw_fd()) };
        let stream = NonNull::new(stream).ok_or_else(io::Error::last_os_error)?;
        // The stream owns it now, and closes it.
        let _ = descriptor.into_raw_fd();
        Ok(Stream(stream))
    }

    /// The next name, valid until the next call, which is why it borrows the stream.
    fn next_entry(&mut self) -> io::Result<Option<(&CStr, Kind)>> {
        let entry = uninterrupted(|| self.read())?;
        if entry.is_null() {
            return Ok(None);
        }
        // Byte by byte: entries differ in length, so none is ever seen as a whole structure.
        let kind = entry.wrapping_add(ffi::ENTRY_KIND);
        let name = entry.wrapping_add(ffi::ENTRY_NAME);
        // SAFETY: `kind` points to the byte `d_type` of the entry, which lives until the next call.
        let kind = unsafe { kind.read() };
        // SAFETY: `name` points to `d_name`, which ends in a NUL and lives until the next call, for
        // which the stream would have to be borrowed again.
        let name = unsafe { CStr::from_ptr(name.cast()) };
        Ok(Some((name, kind_of(kind))))
    }

    /// `readdir(3)`: the next entry, or null after the last one.
    ///
    /// "If the end of the directory stream is reached, NULL is returned and errno is not changed.
    /// If an error occurs, NULL is returned and errno is set": so errno is cleared before.
    fn read(&mut self) -> io::Result<*const u8> {
        // SAFETY: the address of this thread's own errno, which lives as long as the thread.
        let errno = unsafe { ffi::errno_location() };
        // SAFETY: `errno` is valid, aligned, and only this thread uses it.
        unsafe { errno.write(0) };
        // SAFETY: an open stream, which `&mut self` says that nobody else uses now.
        let entry = unsafe { ffi::readdir(self.0.as_ptr()) };
        if entry.is_null() {
            let error = io::Error::last_os_error();
            if error.raw_os_error() != Some(0) {
                return Err(error);
            }
        }
        Ok(entry)
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        // SAFETY: an open stream that is never used again. It can fail with EBADF alone, which it
        // is not.
        unsafe { ffi::closedir(self.0.as_ptr()) };
    }
}

/// `DT_REG` and so on, the same numbers on all three systems.
fn kind_of(kind: u8) -> Kind {
    match kind {
        4 => Kind::Folder,
        8 => Kind::File,
        10 => Kind::Symlink,
        // DT_FIFO, DT_CHR, DT_BLK, DT_SOCK.
        1 | 2 | 6 | 12 => Kind::Other,
        // DT_UNKNOWN, and numbers without a name yet.
        _ => Kind::Unknown,
    }
}
