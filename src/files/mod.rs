//! Static files: a handler like any other.
//!
//! This file has the settings; `route` is the [`Handler`](crate::Handler), a ladder of these steps:
//! [`resolve`] makes a request's path clean, `mounts` finds the site that it belongs to, `root`
//! holds the folder, `lookup` finds the file, in memory ([`resource::cache`]) or below the folder,
//! and [`respond`] or [`listing`] makes the response. The room opens no sockets, starts no threads
//! and reads no clock: a request carries its time.
#![forbid(unsafe_code)]

pub mod disk;
pub mod listing;
mod lookup;
pub mod media_types;
mod mounts;
pub mod options;
pub mod resolve;
pub mod resource;
pub mod respond;
mod root;
mod route;
mod site;

pub use crate::sys::beneath::Symlinks;
pub use options::CacheControl;
pub use resource::cache::Stats;

use crate::semantics::FieldError;
use resolve::Names;
use site::Site;
use std::ffi::OsStr;
use std::io;
use std::path::Path;

/// Serves the files below a folder with GET and HEAD, whole or in ranges. A folder is answered with
/// its `index.html` or `index.htm`, or else with a listing; `/about` with `about.html`; a folder
/// without its slash with a redirect; a missing file with `404.html` or `error.html`.
///
/// ```no_run
/// use doorstep::{CacheControl, Files, Server};
///
/// let files = Files::new("public")?
///     .cache_control(CacheControl::MaxAge(60))
///     .listing(false);
/// Server::bind("127.0.0.1:8080")?.run(files)
/// # ; Ok::<(), std::io::Error>(())
/// ```
///
/// - Conditional requests (RFC 9110 §13) and ranges (§14) are supported. An entity tag is made of
///   the file's length and modification time, so copies of a site on several machines agree.
/// - Precompressed files: beside `app.js`, the files `app.js.br`, `app.js.zst` and `app.js.gz` are
///   sent to clients that accept them (§12.5.3), unless they are older than `app.js`.
/// - Nothing outside the folder is served, whatever the path or the symlinks in it. Names that
///   begin with a dot are not served, except `/.well-known/`. When the folder is deleted and
///   created again, the new one is served.
/// - Small files are kept in memory, larger ones open. A changed file is picked up within a tenth
///   of a second.
/// - A disk that hangs, such as one behind a network, holds up a quarter of the workers at most, or
///   with few workers all but a quarter, and only requests for its own files: each
///   [mount](Files::mount) counts for itself.
/// - A request that finds too many others at the same disk, or a listing being made, waits without
///   a worker for up to 5 s, and its handler is called again then: a closure around `Files` may run
///   more than once for a GET or HEAD, and returns what `Files` has returned, not a new response
///   with its status.
#[derive(Debug)]
pub struct Files {
    site: Site,
}

impl Files {
    /// Serves this folder. A relative path is taken from the current folder of the process.
    ///
    /// # Errors
    /// Those of opening the folder: [`NotFound`](io::ErrorKind::NotFound),
    /// [`NotADirectory`](io::ErrorKind::NotADirectory),
    /// [`PermissionDenied`](io::ErrorKind::PermissionDenied) and so on.
    pub fn new(root: impl AsRef<Path>) -> io::Result<Files> {
        let site = Site::open(root.as_ref())?;
        Ok(Files { site })
    }

    /// The index files of a folder, in the order in which they are tried. By default `index.html`
    /// and `index.htm`.
    pub fn index(mut self, names: impl IntoIterator<Item = impl Into<String>>) -> Files {
        self.site.options.index = names.into_iter().map(Into::into).collect();
        self
    }

    /// The page of a single-page application: a path below the root, such as `index.html`. It is
    /// served with 200 for GET and HEAD of missing paths, when the client accepts HTML and the last
    /// segment has no extension. A missing path with an extension, such as a script that is gone,
    /// stays 404.
    pub fn spa(mut self, page: impl Into<String>) -> Files {
        self.site.options.spa = Some(page.into());
        self
    }

    /// Whether names that begin with a dot are served. By default they are not. A symlink is judged
    /// by its own name: `public.txt -> .secret` is served.
    pub fn hidden(mut self, served: bool) -> Files {
        self.site.options.rules.hidden = served;
        self
    }

    /// Which symlinks are followed. By default those that stay inside the folder.
    pub fn symlinks(mut self, policy: Symlinks) -> Files {
        self.site.root.set_symlinks(policy);
        self
    }

    /// Whether a folder without an index is answered with a listing: HTML, or JSON for a client
    /// that asks for `application/json`. On by default.
    ///
    /// A quarter of the processors, at least one, make listings at a time, for this folder and its
    /// mounts together. A listing may be as old as a tenth of a second, or eight times as long as
    /// it took to make (5 s at most).
    pub fn listing(mut self, on: bool) -> Files {
        self.site.options.listing = on;
        self
    }

    /// Whether `/about` is answered with `about.html`. On by default.
    pub fn clean_urls(mut self, on: bool) -> Files {
        self.site.options.clean_urls = on;
        self
    }

    /// How long clients may use a file without asking again. By default [`CacheControl::NoCache`].
    pub fn cache_control(mut self, policy: CacheControl) -> Files {
        self.site.options.cache_control = policy;
        self
    }

    /// Whether a file with a content hash in its name, such as `app.3f2a9c1b.js`, is declared
    /// immutable: clients may use it for a year without asking, whatever
    /// [`cache_control`](Files::cache_control) says. This does not apply in the first two seconds
    /// after a change, when part of the file may still be missing.
    pub fn immutable(mut self, on: bool) -> Files {
        self.site.options.immutable = on;
        self
    }

    /// The media type of files with this name (`LICENSE`, `wpad.dat`) or this extension (`ts`,
    /// `tar.gz`; with a dot before it, it is an extension only), in place of the built-in one. A
    /// name counts before an extension and has to be the same in case, an extension need not be; a
    /// longer extension counts before a shorter one, and the last of equal ones.
    ///
    /// A `text` type without a charset gets `charset=utf-8`. What a packed kind is packed in, such
    /// as `.svgz`, is said whatever its type.
    ///
    /// ```no_run
    /// use doorstep::{Files, Server};
    ///
    /// let site = Files::new("public")?
    ///     .media_type("LICENSE", "text/html")?
    ///     .media_type("ts", "text/plain; charset=iso-8859-1")?;
    /// Server::bind("127.0.0.1:8080")?.run(site)
    /// # ; Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`FieldError::Value`] when a header cannot have this value.
    pub fn media_type(mut self, name: &str, media_type: &str) -> Result<Files, FieldError> {
        self.site.options.add_media_type(name, media_type)?;
        Ok(self)
    }

    /// Memory for small files (up to 64 KiB each), in bytes; 16 MiB by default. With 0 nothing is
    /// cached, and each request asks the file system. Of a folder and its mounts, each keeps its
    /// number divided by how many they are, so that a mount adds no memory. Missing paths take up
    /// to a sixteenth more, and at most 1 MiB for each folder.
    pub fn file_cache(mut self, bytes: usize) -> Files {
        self.site.options.memory = bytes;
        self.site.divide_memory();
        self
    }

    /// Whether names that mean something else on Windows (`CON`, `x.`, `x::$DATA`) are refused on
    /// every system, so that a site is the same everywhere. On Windows they always are.
    pub fn portable_names(mut self, on: bool) -> Files {
        self.site.options.rules.names = if on { Names::Windows } else { Names::HERE };
        self
    }

    /// Answers every path with this one file of the folder, or a precompressed version of it, and
    /// with no other. Its name may begin with a dot.
    pub fn only(mut self, name: impl AsRef<OsStr>) -> Files {
        self.site.options.only = Some(name.as_ref().as_encoded_bytes().to_vec());
        self
    }

    /// Serves another folder below a path, such as `/docs`, in place of this folder's own files
    /// there. The longest path that matches wins; `/docs` itself is redirected to `/docs/`. The
    /// path is given decoded, not percent-encoded. Names have to pass the rules of both folders;
    /// apart from that, the other folder has its own options and its own `404.html`. Listings show
    /// what is on the disk, and so no mounts.
    ///
    /// ```no_run
    /// use doorstep::{Files, Server};
    ///
    /// let site = Files::new("public")?.mount("/docs", Files::new("target/doc")?);
    /// Server::bind("127.0.0.1:8080")?.run(site)
    /// # ; Ok::<(), std::io::Error>(())
    /// ```
    pub fn mount(mut self, path: &str, files: Files) -> Files {
        self.site.mount(path, files.site);
        self
    }

    /// The counters of the cache, those of mounted folders included.
    pub fn stats(&self) -> Stats {
        self.site.stats()
    }
}
