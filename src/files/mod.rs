//! Static files: a handler like any other.
//!
//! In: a request and a folder. Out: how an answer is written or sent. Never: sockets, threads, a clock; a name that
//! [`resolve`] refused; a file that `sys::beneath` did not open.
//!
//! A request goes through one file after the other: [`resolve`] makes its path clean, `root` has the folder, `choose` opens
//! the file that answers, `representation` takes what there is to know of it, `resource` has it in every coding, `cache` keeps that,
//! [`respond`] says it, in parts by `multipart`; a folder is shown by `listing`. Whatever goes wrong on the way is a [`respond::error`].
#![forbid(unsafe_code)]

pub mod listing;
mod lookup;
pub mod media_types;
mod mounts;
mod options;
pub mod resolve;
pub mod resource;
pub mod respond;
mod root;
mod route;
mod site;

pub use crate::sys::beneath::Symlinks;
pub use options::CacheControl;
pub use resource::cache::Stats;

use crate::handler::{Handler, Request, Response};
use crate::semantics::{FieldError, Method, Status};
use mounts::Mount;
use resolve::Names;
use resource::cache::Cache;
use site::Site;
use std::ffi::OsStr;
use std::io;
use std::path::Path;

/// Serves the files below a folder: GET and HEAD of its files, whole and in parts; `index.html` or `index.htm` for a folder, and a
/// list of what is in it where there is none; `about.html` for `/about`; a redirect to a folder's slash; `404.html` or `error.html`
/// for what is missing.
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
/// - Conditions (RFC 9110 §13), ranges (§14), and the tags and dates that they need. A tag is made of a file's length and its time
///   of modification, so copies of a site on several machines agree.
/// - Beside `app.js`, the files `app.js.br`, `app.js.zst` and `app.js.gz` are sent to clients that take them (§12.5.3), as long as
///   they are not older than `app.js`.
/// - Nothing outside the folder is served, whatever the path or the symlinks in it. Names that begin with a dot are not served, but
///   for `/.well-known/`. When the folder is deleted and made anew, the new one is served.
/// - Small files are kept in memory, larger ones open. A file that changes is served new within a tenth of a second.
#[derive(Debug)]
pub struct Files {
    site: Site,
}

impl Files {
    /// Serves this folder. A relative path is taken from the folder that is current now.
    ///
    /// # Errors
    /// Those of opening it: [`NotFound`](io::ErrorKind::NotFound), [`NotADirectory`](io::ErrorKind::NotADirectory),
    /// [`PermissionDenied`](io::ErrorKind::PermissionDenied) and so on.
    pub fn new(root: impl AsRef<Path>) -> io::Result<Files> {
        let site = Site::open(root.as_ref())?;
        Ok(Files { site })
    }

    /// The files that answer for their folder, in the order in which they are tried: `index.html` and `index.htm` otherwise.
    pub fn index(mut self, names: impl IntoIterator<Item = impl Into<String>>) -> Files {
        self.site.options.index = names.into_iter().map(Into::into).collect();
        self
    }

    /// The page of an application that reads its own paths: a path below the root, such as `index.html`. It answers GET and HEAD of
    /// what is missing, with 200, when the client takes HTML and the path's last segment has no extension. What has one, such as
    /// a script that is gone, stays 404.
    pub fn spa(mut self, page: impl Into<String>) -> Files {
        self.site.options.spa = Some(page.into());
        self
    }

    /// Whether names that begin with a dot are served. They are not otherwise.
    pub fn hidden(mut self, served: bool) -> Files {
        self.site.options.rules.hidden = served;
        self
    }

    /// Which symlinks are followed: those that stay inside the folder otherwise.
    pub fn symlinks(mut self, policy: Symlinks) -> Files {
        self.site.root.set_symlinks(policy);
        self
    }

    /// Whether a folder without an index is answered with a list of what is in it, in HTML, or in JSON for a client that asks
    /// for `application/json`. It is otherwise.
    pub fn listing(mut self, on: bool) -> Files {
        self.site.options.listing = on;
        self
    }

    /// Whether `/about` is answered with `about.html`. It is otherwise.
    pub fn clean_urls(mut self, on: bool) -> Files {
        self.site.options.clean_urls = on;
        self
    }

    /// How long clients may use a file without asking again: [`CacheControl::NoCache`] otherwise.
    pub fn cache_control(mut self, policy: CacheControl) -> Files {
        self.site.options.set_cache_control(policy);
        self
    }

    /// Whether a file whose name carries a hash of its content, such as `app.3f2a9c1b.js`, is said never to change: it may be used
    /// for a year without asking, whatever [`cache_control`](Files::cache_control) says. Not in the first two seconds behind its
    /// last change: a part of it may still be to come.
    pub fn immutable(mut self, on: bool) -> Files {
        self.site.options.set_immutable(on);
        self
    }

    /// The media type of files with this extension, with or without its dot, whatever the table of this crate says.
    ///
    /// # Errors
    /// [`FieldError::Value`] when a field cannot have this value.
    pub fn media_type(mut self, extension: &str, media_type: &str) -> Result<Files, FieldError> {
        self.site.options.add_media_type(extension, media_type)?;
        Ok(self)
    }

    /// Bytes of small files (up to 64 KiB each) that are kept in memory: 64 MiB otherwise. With 0 nothing is kept of any file, and
    /// each request asks the file system.
    pub fn file_cache(mut self, bytes: usize) -> Files {
        self.site.options.memory = bytes;
        self.site.cache = Cache::of(bytes);
        self
    }

    /// Whether names that mean something else on Windows (`CON`, `x.`, `x::$DATA`) are refused on every system, so that a site is
    /// the same on each. On Windows they always are.
    pub fn portable_names(mut self, on: bool) -> Files {
        self.site.options.rules.names = if on { Names::Windows } else { Names::HERE };
        self
    }

    /// Answers every path with this one file of the folder, or a sidecar of it, and with none of its others. Its name may begin with
    /// a dot.
    pub fn only(mut self, name: impl AsRef<OsStr>) -> Files {
        self.site.options.only = Some(name.as_ref().as_encoded_bytes().to_vec());
        self
    }

    /// Serves another folder below a path, such as `/docs`, in place of what this one has there. A path that is below several is the
    /// longest one's; `/docs` itself is redirected to `/docs/`. The path is given as it is read, not percent-encoded. Names have to
    /// pass the rules of both folders; the other's options are its own otherwise, and so is its `404.html`. A listing shows what is on
    /// the disk, and so no mount.
    ///
    /// ```no_run
    /// use doorstep::{Files, Server};
    ///
    /// let site = Files::new("public")?.mount("/docs", Files::new("target/doc")?);
    /// Server::bind("127.0.0.1:8080")?.run(site)
    /// # ; Ok::<(), std::io::Error>(())
    /// ```
    pub fn mount(mut self, path: &str, files: Files) -> Files {
        Mount::add(&mut self.site.mounts, path, files.site);
        self
    }

    /// How often what was kept of files could answer, those of mounted folders included.
    pub fn stats(&self) -> Stats {
        self.site.stats()
    }
}

impl Handler for Files {
    fn handle(&self, request: &mut Request<'_>) -> Response {
        match request.method() {
            Method::Get | Method::Head => self.site.respond(request),
            // RFC 9110 §9.3.7: "A server generating a successful response to OPTIONS SHOULD send any header that might
            // indicate optional features". Every path, and `*`, has the same methods.
            Method::Options => Response::new(Status::OK).header("Allow", ALLOW),
            Method::Post
            | Method::Put
            | Method::Delete
            | Method::Connect
            | Method::Trace
            | Method::Patch => {
                // RFC 9110 §15.5.6: "The origin server MUST generate an Allow header field in a 405 response".
                Response::status_page(Status::METHOD_NOT_ALLOWED)
                    .header("Allow", ALLOW)
                    .with_log_reason("files are only read")
            }
            // RFC 9110 §15.6.2: "the appropriate response when the server does not recognize the request method and is not
            // capable of supporting it for any resource".
            Method::Other(_) => {
                Response::status_page(Status::NOT_IMPLEMENTED).with_log_reason("unknown method")
            }
        }
    }
}

const ALLOW: &str = "GET, HEAD, OPTIONS";
