//! Opens a file beneath a folder without the kernel's help, one component at a time.
//!
//! Every name is opened from the descriptor of its folder, with `O_NOFOLLOW`, so the kernel never
//! follows a symlink and never sees the path as a whole. Where a name is a symlink, the components
//! of its target take its place, and `..` goes back to the descriptor that the walk came from. So
//! nothing that is swapped during the walk leads out: at worst a name is gone.

use super::errno;
use super::ffi::{O_CLOEXEC, O_DIRECTORY, O_NOFOLLOW, O_SEARCH};
use super::folder::{Access, METADATA, open_at, open_error, read_link_at};
use crate::sys::beneath::contract::OpenError;
use std::ffi::{CStr, CString};
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// How a folder on the way is opened.
const FOLDER: i32 = O_SEARCH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

/// Symlinks followed in one walk, as the kernel of Linux counts them (`path_resolution(7)`).
const LINKS_MAX: u32 = 40;

/// Components walked in all. A path of 4,095 bytes has at most 2,048, and so has a link's target;
/// more than two of that size need links made to waste time.
const STEPS_MAX: usize = 4096;

/// How often a name may be a symlink when it is opened and not one when it is read, because
/// somebody is replacing it. A guess; each time the name is tried again.
const SWAPS_MAX: u32 = 4;

/// Opens `path` (components joined by `/`, or `.` for the root itself) below `root`; `follow` says
/// whether symlinks are followed.
pub fn open(
    root: BorrowedFd<'_>,
    path: &CStr,
    follow: bool,
    access: Access,
) -> Result<File, OpenError> {
    let mut walk = Walk {
        root,
        follow,
        access,
        folders: Vec::new(),
        pending: Vec::new(),
        links: 0,
        swaps: 0,
    };
    walk.put(path.to_bytes())?;
    for _ in 0..STEPS_MAX {
        if let Some(file) = walk.step()? {
            return Ok(file);
        }
    }
    Err(OpenError::Loop)
}

struct Walk<'a> {
    root: BorrowedFd<'a>,
    follow: bool,
    access: Access,
    // The folders entered below the root, the current one last.
    folders: Vec<OwnedFd>,
    // Components still to walk, the next one last.
    pending: Vec<CString>,
    links: u32,
    swaps: u32,
}

impl Walk<'_> {
    /// Puts a path's components before those that are pending. A slash at its end asks for a
    /// folder, which is what a component `.` asks for too.
    fn put(&mut self, path: &[u8]) -> Result<(), OpenError> {
        if path.is_empty() || path.ends_with(b"/") {
            self.pending.push(c".".into());
        }
        let names = path.rsplit(|&byte| byte == b'/');
        for name in names.filter(|name| !name.is_empty()) {
            let name = CString::new(name).map_err(|_| OpenError::InvalidPath)?;
            self.pending.push(name);
        }
        Ok(())
    }

    /// Walks one component; returns the file when it was the last one.
    fn step(&mut self) -> Result<Option<File>, OpenError> {
        let name = self.pending.pop().unwrap_or_else(|| c".".into());
        let is_last = self.pending.is_empty();
        match name.as_bytes() {
            b"." if is_last => self.open_here().map(Some),
            b"." => Ok(None),
            b".." => {
                self.go_up()?;
                if is_last {
                    self.open_here().map(Some)
                } else {
                    Ok(None)
                }
            }
            _ if is_last => match self.open_last(&name) {
                Ok(file) => Ok(Some(file)),
                Err(error) => self.follow(name, error).map(|()| None),
            },
            _ => {
                match open_at(self.current(), &name, FOLDER) {
                    Ok(folder) => self.folders.push(folder),
                    Err(error) => self.follow(name, error)?,
                }
                Ok(None)
            }
        }
    }

    fn current(&self) -> BorrowedFd<'_> {
        self.folders.last().map_or(self.root, AsFd::as_fd)
    }

    fn open_last(&self, name: &CStr) -> io::Result<File> {
        let flags = self.access | O_NOFOLLOW;
        let file = File::from(open_at(self.current(), name, flags)?);
        // "If pathname is a symbolic link and the O_NOFOLLOW flag is also specified, then the call
        // returns a file descriptor referring to the symbolic link" (`open(2)` of O_PATH), where
        // reading fails with ELOOP.
        if cfg!(target_os = "linux") && self.access == METADATA && file.metadata()?.is_symlink() {
            return Err(io::Error::from_raw_os_error(errno::ELOOP));
        }
        Ok(file)
    }

    fn open_here(&self) -> Result<File, OpenError> {
        open_at(self.current(), c".", self.access)
            .map(File::from)
            .map_err(open_error)
    }

    /// Goes back to the folder that the walk came from, unless that is above the root.
    fn go_up(&mut self) -> Result<(), OpenError> {
        // The kernel's walk needs search permission on a folder to look up `..` in it.
        open_at(self.current(), c".", FOLDER).map_err(open_error)?;
        match self.folders.pop() {
            Some(_) => Ok(()),
            None => Err(OpenError::Escapes),
        }
    }

    /// Puts a symlink's target in its place, if a symlink is the reason why `name` did not open,
    /// and may be followed.
    fn follow(&mut self, name: CString, error: io::Error) -> Result<(), OpenError> {
        match error.raw_os_error() {
            // ELOOP (FreeBSD: EMLINK): `O_NOFOLLOW` met a symlink. ENOTDIR: `O_DIRECTORY` met
            // something other than a folder, perhaps a symlink.
            Some(errno::ELOOP | errno::EMLINK | errno::ENOTDIR) => {}
            _ => return Err(open_error(error)),
        }
        let target = match read_link_at(self.current(), &name) {
            Ok(target) => target,
            // EINVAL: not a symlink. After ENOTDIR it is likely a file where a folder should be;
            // after ELOOP it was a symlink a moment ago. Either way ask again, a few times.
            Err(not_link) if not_link.raw_os_error() == Some(errno::EINVAL) => {
                if self.swaps == SWAPS_MAX {
                    return Err(open_error(error));
                }
                self.swaps += 1;
                self.pending.push(name);
                return Ok(());
            }
            Err(error) => return Err(open_error(error)),
        };
        if !self.follow {
            return Err(OpenError::Symlink);
        }
        if self.links == LINKS_MAX {
            return Err(OpenError::Loop);
        }
        self.links += 1;
        match target.first() {
            // POSIX: an empty target leads nowhere.
            None => Err(OpenError::NotFound),
            // STRICTER than the kernel's plain walk, equal to RESOLVE_BENEATH: an absolute target
            // leaves the root even if it comes back.
            Some(b'/') => Err(OpenError::Escapes),
            Some(_) => self.put(&target),
        }
    }
}
