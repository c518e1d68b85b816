//! Temporary folders, with a space in their name.

use crate::support::temporary::Temporary;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

/// A folder that is removed at the end of the test.
pub struct Folder(Temporary);

impl Folder {
    pub fn new() -> Folder {
        Folder(Temporary::folder())
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
