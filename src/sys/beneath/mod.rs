//! Opens files that provably lie below a folder, whatever symlinks there are and whenever they
//! change.
//!
//! Two strategies answer the same question: [`Strategy::Kernel`] (`openat2(2)` with
//! `RESOLVE_BENEATH`, Linux 5.6) and [`Strategy::Walk`] (component by component, with `O_NOFOLLOW`,
//! reading and following links itself; on Windows the final path of the opened handle must lie
//! below the root's). They must agree: tests and a fuzz target compare them.

pub(super) mod contract;

pub use contract::{OpenError, Symlinks};

#[cfg(target_os = "linux")]
use super::linux::openat2;
use super::platform::folder::{Access, Folder, METADATA, READ, open_error};
#[cfg(unix)]
use super::unix::{folder, walk};
#[cfg(windows)]
use super::windows::folder::is_valid_name;
#[cfg(unix)]
use std::ffi::{CStr, CString};
use std::fs::{File, Metadata};
use std::io;
#[cfg(unix)]
use std::os::fd::AsFd;
use std::path::Path;

/// How a path is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strategy {
    /// `openat2(2)` with `RESOLVE_BENEATH`.
    #[cfg(target_os = "linux")]
    Kernel,
    /// Component by component.
    Walk,
}

/// Shorter paths are made C strings on the stack.
#[cfg(unix)]
const SHORT_PATH: usize = 256;
/// The longest path, in bytes: Linux's `PATH_MAX` of 4,096 counts the NUL too.
const PATH_MAX: usize = 4095;

/// A folder, held open.
#[derive(Debug)]
pub struct Root {
    folder: Folder,
    strategy: Strategy,
    symlinks: Symlinks,
}

impl Root {
    /// Opens the folder with the best strategy of this system (probed once for each root: after
    /// ENOSYS, or EPERM from a seccomp filter, it is the walk). Follows symlinks that stay inside.
    pub fn open(path: &Path) -> io::Result<Root> {
        let root = Root::open_with(path, Strategy::Walk)?;
        #[cfg(target_os = "linux")]
        if openat2::is_available(root.folder.descriptor.as_fd()) {
            return Ok(Root {
                strategy: Strategy::Kernel,
                ..root
            });
        }
        Ok(root)
    }

    /// Opens the folder with a given strategy, for tests.
    pub fn open_with(path: &Path, strategy: Strategy) -> io::Result<Root> {
        Ok(Root {
            folder: Folder::open(path)?,
            strategy,
            symlinks: Symlinks::default(),
        })
    }

    /// Follows these symlinks and no others.
    pub fn symlinks(self, symlinks: Symlinks) -> Root {
        Root { symlinks, ..self }
    }

    /// How files are opened.
    pub fn strategy(&self) -> Strategy {
        self.strategy
    }

    /// Opens a regular file or a folder below the root for reading. `path` is clean components
    /// joined by `/`, no slash at either end; empty is the root itself. Never blocks on a FIFO
    /// (`O_NONBLOCK`), never takes a controlling terminal. The file's metadata tells the caller
    /// what it is.
    pub fn open_beneath(&self, path: &[u8]) -> Result<File, OpenError> {
        self.open_for(path, READ)
    }

    /// What the system says about a name below the root, symlinks followed as by
    /// [`open_beneath`](Root::open_beneath).
    ///
    /// Linux (`O_PATH`) and Windows open nothing for that: a file that may not be read is seen, a
    /// device is left alone. Other systems see what they can open for reading.
    pub fn metadata_beneath(&self, path: &[u8]) -> Result<Metadata, OpenError> {
        let file = self.open_for(path, METADATA)?;
        file.metadata().map_err(OpenError::Io)
    }

    #[cfg(unix)]
    fn open_for(&self, path: &[u8], access: Access) -> Result<File, OpenError> {
        check(path)?;
        let path = if path.is_empty() { b"." } else { path };
        // The system takes C strings: on the stack, unless the path is long.
        let (mut short, long);
        let path = if path.len() < SHORT_PATH {
            short = [0; SHORT_PATH];
            short[..path.len()].copy_from_slice(path);
            CStr::from_bytes_with_nul(&short[..=path.len()]).map_err(|_| OpenError::InvalidPath)?
        } else {
            long = CString::new(path).map_err(|_| OpenError::InvalidPath)?;
            &long
        };
        let root = self.folder.descriptor.as_fd();
        let follow = match self.symlinks {
            // The system follows them by itself.
            Symlinks::All => {
                let opened = folder::open_at(root, path, access);
                return opened.map(File::from).map_err(open_error);
            }
            Symlinks::Inside => true,
            Symlinks::None => false,
        };
        match self.strategy {
            #[cfg(target_os = "linux")]
            Strategy::Kernel => openat2::open(root, path, follow, access),
            Strategy::Walk => walk::open(root, path, follow, access),
        }
    }

    #[cfg(windows)]
    fn open_for(&self, path: &[u8], access: Access) -> Result<File, OpenError> {
        check(path)?;
        self.folder.open_beneath(path, self.symlinks, access)
    }

    /// Whether the path that it was opened by still names this folder.
    pub fn is_current(&self) -> bool {
        self.folder.is_current()
    }
}

impl OpenError {
    /// The meaning of the system's error in opening a file or a folder.
    pub fn of(error: io::Error) -> OpenError {
        open_error(error)
    }
}

/// Refuses paths that no strategy may see.
fn check(path: &[u8]) -> Result<(), OpenError> {
    if path.contains(&0) {
        return Err(OpenError::InvalidPath);
    }
    if path.is_empty() {
        return Ok(());
    }
    for name in path.split(|&byte| byte == b'/') {
        if matches!(name, b"" | b"." | b"..") {
            return Err(OpenError::InvalidPath);
        }
        #[cfg(windows)]
        if !is_valid_name(name) {
            return Err(OpenError::InvalidPath);
        }
    }
    if path.len() > PATH_MAX {
        return Err(OpenError::NotFound);
    }
    Ok(())
}
