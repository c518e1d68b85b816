//! Files and folders of a test's own, with a space in their path.

use std::fs;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

/// A path that nobody else uses; whatever is there is removed at the end of the test.
pub struct Temporary(PathBuf);

impl Temporary {
    /// There is nothing at the path yet.
    pub fn path() -> Temporary {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let parent = std::env::temp_dir();
        // The true name, because it is compared with what the system calls it. (On Windows the true
        // name begins with `\\?\`.)
        #[cfg(not(windows))]
        let parent = fs::canonicalize(parent).expect("a folder for temporary files");
        let path = Temporary(parent.join(format!("doorstep test {} {count}", std::process::id())));
        // Another process with this number may have been killed.
        path.remove();
        path
    }

    pub fn folder() -> Temporary {
        let folder = Temporary::path();
        fs::create_dir(&*folder).expect("a temporary folder");
        folder
    }

    pub fn file(content: &[u8]) -> Temporary {
        let file = Temporary::path();
        fs::write(&*file, content).expect("a temporary file");
        file
    }

    fn remove(&self) {
        let _ = fs::remove_file(&self.0);
        let _ = fs::remove_dir_all(&self.0);
    }
}

impl Deref for Temporary {
    type Target = Path;

    fn deref(&self) -> &Path {
        &self.0
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        self.remove();
    }
}
