//! Temporary folders, with a space in their name.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

/// A folder that is removed at the end of the test.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new() -> Folder {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let nth = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("doorstep cli {} {nth}", std::process::id());
        let temporary = std::env::temp_dir();
        // Canonical, because the program prints what the system calls its current folder. (On
        // Windows a canonical path begins with `\\?\`, and the system returns the path it was
        // given.)
        #[cfg(not(windows))]
        let temporary = fs::canonicalize(temporary).unwrap();
        let path = temporary.join(name);
        fs::create_dir(&path).unwrap();
        Folder(path)
    }

    /// A folder with an `index.html` and a `page`.
    pub fn with_page() -> Folder {
        let folder = Folder::new();
        folder.file("index.html", "<!doctype html><title>index</title>");
        folder.file("page", "tea");
        folder
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    pub fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, content).unwrap();
        path
    }

    pub fn folder(&self, name: impl AsRef<OsStr>) -> PathBuf {
        let path = self.0.join(name.as_ref());
        fs::create_dir_all(&path).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
