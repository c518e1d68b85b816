//! A site for one test, in a folder of its own that is removed when the test ends.

use crate::support::temporary::Temporary;
use doorstep::{Files, Method, Now, Request, Response, Stats};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

/// `site/` is served; files beside it never may be.
pub struct Tree {
    // Dropped before the folder is removed: Windows keeps a folder that is open.
    files: Files,
    base: Temporary,
    wall: SystemTime,
    /// The monotonic clock, in milliseconds.
    ms: AtomicU64,
}

/// A response.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    /// Those of [`FIELDS`] that are there.
    pub fields: Vec<(&'static str, String)>,
    pub length: u64,
    pub content: Vec<u8>,
    /// The reason for the log.
    pub reason: String,
}

/// Every header of the file service, and the length, which it leaves to the server.
const FIELDS: [&str; 14] = [
    "Accept-Ranges",
    "Allow",
    "Cache-Control",
    "Content-Encoding",
    "Content-Length",
    "Content-Range",
    "Content-Type",
    "ETag",
    "Last-Modified",
    "Location",
    "Retry-After",
    "Vary",
    "WWW-Authenticate",
    "X-Content-Type-Options",
];

impl Tree {
    /// An empty site. Its path has a space in it.
    pub fn new() -> Tree {
        Tree::with(|files| files)
    }

    /// An empty site with these settings.
    pub fn with(choose: impl FnOnce(Files) -> Files) -> Tree {
        let base = Temporary::folder();
        fs::create_dir(base.join("site")).expect("a folder can be made");
        let files = choose(Files::new(base.join("site")).expect("the site can be opened"));
        // The year 2500: later than any file that a test writes.
        let wall = SystemTime::UNIX_EPOCH + Duration::from_secs(16_725_225_600);
        Tree {
            files,
            base,
            wall,
            ms: AtomicU64::new(0),
        }
    }

    /// Writes a file, and the folders that it needs.
    pub fn file(&self, path: &str, content: impl AsRef<[u8]>) -> &Tree {
        self.write(&self.path(path), content.as_ref())
    }

    /// Writes a file outside the site: `site-secret/key` is `../site-secret/key` from the root.
    pub fn outside(&self, path: &str, content: &str) -> &Tree {
        self.write(&self.base.join(path), content.as_bytes())
    }

    /// Makes a folder.
    pub fn folder(&self, path: &str) -> &Tree {
        fs::create_dir_all(self.path(path)).expect("a folder can be made");
        self
    }

    /// Makes a symlink with this target.
    #[cfg(unix)]
    pub fn link(&self, path: &str, target: impl AsRef<Path>) -> &Tree {
        std::os::unix::fs::symlink(target, self.path(path)).expect("a symlink can be made");
        self
    }

    /// Sets a file's modification time.
    pub fn modified(&self, path: &str, time: SystemTime) -> &Tree {
        let file = fs::File::options().write(true).open(self.path(path));
        let file = file.expect("it can be opened");
        file.set_modified(time).expect("its time can be set");
        self
    }

    /// The place of a path on disk.
    pub fn path(&self, path: &str) -> PathBuf {
        self.base.join("site").join(path)
    }

    /// Sets the wall clock that requests see.
    pub fn set_wall(&mut self, wall: SystemTime) {
        self.wall = wall;
    }

    /// The counters of the cache.
    pub fn stats(&self) -> Stats {
        self.files.stats()
    }

    pub fn get(&self, target: &str) -> Answer {
        self.send(Method::Get, target)
    }

    /// GET with these headers.
    pub fn get_with(&self, target: &str, lines: &[(&str, &str)]) -> Answer {
        self.send_with(Method::Get, target, lines)
    }

    /// GET at this time of the monotonic clock, in milliseconds.
    pub fn get_at(&self, ms: u64, target: &str) -> Answer {
        self.send_at(ms, Method::Get, target, &[])
    }

    /// A second after the last one, so that nothing comes from memory without a look at its file.
    pub fn send(&self, method: Method, target: &str) -> Answer {
        self.send_with(method, target, &[])
    }

    /// The same with these headers.
    pub fn send_with(&self, method: Method, target: &str, lines: &[(&str, &str)]) -> Answer {
        let ms = self.ms.fetch_add(1_000, Ordering::Relaxed);
        self.send_at(ms, method, target, lines)
    }

    /// The same at this time of the monotonic clock, in milliseconds.
    pub fn send_at(&self, ms: u64, method: Method, target: &str, lines: &[(&str, &str)]) -> Answer {
        Answer::of(self.ask(ms, method, target, lines))
    }

    /// The response to GET before anybody has read it.
    pub fn response(&self, target: &str, lines: &[(&str, &str)]) -> Response {
        let ms = self.ms.fetch_add(1_000, Ordering::Relaxed);
        self.ask(ms, Method::Get, target, lines)
    }

    fn ask(&self, ms: u64, method: Method, target: &str, lines: &[(&str, &str)]) -> Response {
        let now = Now {
            monotonic: Duration::from_millis(ms),
            wall: self.wall,
        };
        let mut request = Request::test(method, target).at(now);
        for (name, value) in lines {
            request = request.header(name, value);
        }
        request.send(&self.files)
    }

    fn write(&self, path: &Path, content: &[u8]) -> &Tree {
        let folder = path.parent().expect("it stands in a folder");
        fs::create_dir_all(folder).expect("a folder can be made");
        fs::write(path, content).expect("a file can be written");
        self
    }
}

impl Answer {
    pub fn of(response: Response) -> Answer {
        Answer {
            status: response.status().code(),
            fields: FIELDS
                .iter()
                .filter_map(|&name| Some((name, response.header_value(name)?.to_string())))
                .collect(),
            length: response.payload().length().expect("its length is known"),
            reason: response.log_reason().unwrap_or_default().to_string(),
            content: response.into_content().expect("the content can be read"),
        }
    }

    /// The value of a header; empty when it is missing.
    pub fn header_value(&self, name: &str) -> &str {
        let found = self.fields.iter().find(|(this, _)| *this == name);
        found.map_or("", |(_, value)| value)
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.content).into_owned()
    }
}
