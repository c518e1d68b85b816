//! Opening a file that provably lies below a folder, whatever symlinks there are and whenever they change.
//!
//! Two implementations of one question: [`Strategy::Kernel`] (`openat2(2)` with `RESOLVE_BENEATH`, Linux 5.6)
//! and [`Strategy::Walk`] (component by component, `O_NOFOLLOW`, links read and walked by hand; on Windows the final
//! path of the opened handle must lie under the root's). They must agree; tests and a fuzz target ask both.

pub(super) mod contract;

pub use contract::{OpenError, Symlinks};

#[cfg(target_os = "linux")]
use super::linux::openat2;
use super::platform;
use super::platform::folder::Folder;
use contract::Purpose;
use std::fs::{File, Metadata};
use std::io;
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

/// Octets of a path: Linux's `PATH_MAX` of 4,096 counts the NUL too.
const PATH_MAX: usize = 4095;

/// A folder, held open.
#[derive(Debug)]
pub struct Root {
    folder: Folder,
    strategy: Strategy,
    symlinks: Symlinks,
}

impl Root {
    /// Opens the folder with the best strategy that this system has (probed once for each root:
    /// ENOSYS, or EPERM under a seccomp filter, means the walk). Symlinks that stay inside are
    /// followed.
    pub fn open(path: &Path) -> io::Result<Root> {
        let root = Root::open_with(path, Strategy::Walk)?;
        #[cfg(target_os = "linux")]
        if openat2::is_available(root.folder.descriptor()) {
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

    /// Opens a regular file or a folder below the root for reading. `path` is clean components joined
    /// by `/`, no slash at either end; empty is the root itself. Never blocks on a FIFO
    /// (`O_NONBLOCK`), never takes a controlling terminal. The caller asks the file's metadata what it
    /// is.
    pub fn open_beneath(&self, path: &[u8]) -> Result<File, OpenError> {
        self.open_for(path, Purpose::Read)
    }

    /// What the system says about a name below the root, symlinks followed as by
    /// [`open_beneath`](Root::open_beneath).
    ///
    /// Linux (`O_PATH`) and Windows open nothing for that: a file that may not be read is seen, a
    /// device is left alone. Other systems see what they can open for reading.
    pub fn look_beneath(&self, path: &[u8]) -> Result<Metadata, OpenError> {
        let file = self.open_for(path, Purpose::Look)?;
        file.metadata().map_err(OpenError::Io)
    }

    fn open_for(&self, path: &[u8], purpose: Purpose) -> Result<File, OpenError> {
        check(path)?;
        self.open_clean(path, purpose)
    }

    #[cfg(unix)]
    fn open_clean(&self, path: &[u8], purpose: Purpose) -> Result<File, OpenError> {
        let folder = self.folder.descriptor();
        let follow = match self.symlinks {
            // What the system follows by itself: nothing to be walked, or to be asked for.
            Symlinks::All => return platform::folder::open_anywhere(folder, path, purpose),
            Symlinks::Inside => true,
            Symlinks::None => false,
        };
        match self.strategy {
            #[cfg(target_os = "linux")]
            Strategy::Kernel => openat2::open(folder, path, follow, purpose),
            Strategy::Walk => platform::walk::open(folder, path, follow, purpose),
        }
    }

    #[cfg(windows)]
    fn open_clean(&self, path: &[u8], purpose: Purpose) -> Result<File, OpenError> {
        self.folder.open_beneath(path, self.symlinks, purpose)
    }

    /// Whether the path that it was opened by still names this very folder.
    pub fn is_current(&self) -> bool {
        self.folder.is_current()
    }
}

/// Refuses what no strategy may see.
fn check(path: &[u8]) -> Result<(), OpenError> {
    if path.contains(&0) {
        return Err(OpenError::InvalidPath);
    }
    if path.is_empty() {
        return Ok(());
    }
    let is_valid =
        |name: &[u8]| !matches!(name, b"" | b"." | b"..") && platform::folder::is_valid_name(name);
    if !path.split(|&octet| octet == b'/').all(is_valid) {
        return Err(OpenError::InvalidPath);
    }
    if path.len() > PATH_MAX {
        return Err(OpenError::NotFound);
    }
    Ok(())
}
