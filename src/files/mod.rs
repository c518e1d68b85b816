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

pub use crate::sys::beneath::Symlinks;
pub use options::CacheControl;
pub use resource::cache::Stats;

use crate::handler::{Handler, Now, Request, Response};
use crate::semantics::accept::weight;
use crate::semantics::accept_encoding::ranking;
use crate::semantics::{FieldError, Method, Status};
use crate::sys::beneath::Root;
use listing::budget::MemoryBudget;
use lookup::{Chosen, choose};
use mounts::{Mounted, Mounts};
use options::Options;
use resolve::{Names, PathError, Resolved, resolve, without_dots};
use resource::Resource;
use resource::cache::Cache;
use resource::representation::Representation;
use respond::error::FileError;
use root::ServedRoot;
use std::borrow::Cow;
use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;

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
    root: ServedRoot,
    options: Options,
    cache: Cache,
    /// For listings that are being sent.
    listings: MemoryBudget,
    mounts: Mounts,
}

/// What a look at a path found.
enum Found {
    Resource(Arc<Resource>),
    FolderWithoutSlash,
    Folder(File),
}

impl Files {
    /// Serves this folder. A relative path is taken from the folder that is current now.
    ///
    /// # Errors
    /// Those of opening it: [`NotFound`](io::ErrorKind::NotFound), [`NotADirectory`](io::ErrorKind::NotADirectory),
    /// [`PermissionDenied`](io::ErrorKind::PermissionDenied) and so on.
    pub fn new(root: impl AsRef<Path>) -> io::Result<Files> {
        let options = Options::default();
        Ok(Files {
            root: ServedRoot::open(root.as_ref())?,
            cache: Cache::of(options.memory),
            options,
            listings: MemoryBudget::default(),
            mounts: Mounts::default(),
        })
    }

    /// The files that answer for their folder, in the order in which they are tried: `index.html` and `index.htm` otherwise.
    pub fn index(mut self, names: impl IntoIterator<Item = impl Into<String>>) -> Files {
        self.options.index = names.into_iter().map(Into::into).collect();
        self
    }

    /// The page of an application that reads its own paths: a path below the root, such as `index.html`. It answers GET and HEAD of
    /// what is missing, with 200, when the client takes HTML and the path's last segment has no extension. What has one, such as
    /// a script that is gone, stays 404.
    pub fn spa(mut self, page: impl Into<String>) -> Files {
        self.options.spa = Some(page.into());
        self
    }

    /// Whether names that begin with a dot are served. They are not otherwise.
    pub fn hidden(mut self, served: bool) -> Files {
        self.options.rules.hidden = served;
        self
    }

    /// Which symlinks are followed: those that stay inside the folder otherwise.
    pub fn symlinks(mut self, policy: Symlinks) -> Files {
        self.root.set_symlinks(policy);
        self
    }

    /// Whether a folder without an index is answered with a list of what is in it, in HTML, or in JSON for a client that asks
    /// for `application/json`. It is otherwise.
    pub fn listing(mut self, on: bool) -> Files {
        self.options.listing = on;
        self
    }

    /// Whether `/about` is answered with `about.html`. It is otherwise.
    pub fn clean_urls(mut self, on: bool) -> Files {
        self.options.clean_urls = on;
        self
    }

    /// How long clients may use a file without asking again: [`CacheControl::NoCache`] otherwise.
    pub fn cache_control(mut self, policy: CacheControl) -> Files {
        self.options.set_cache_control(policy);
        self
    }

    /// Whether a file whose name carries a hash of its content, such as `app.3f2a9c1b.js`, is said never to change: it may be used
    /// for a year without asking, whatever [`cache_control`](Files::cache_control) says. Not in the first two seconds behind its
    /// last change: a part of it may still be to come.
    pub fn immutable(mut self, on: bool) -> Files {
        self.options.set_immutable(on);
        self
    }

    /// The media type of files with this extension, with or without its dot, whatever the table of this crate says.
    ///
    /// # Errors
    /// [`FieldError::Value`] when a field cannot have this value.
    pub fn media_type(mut self, extension: &str, media_type: &str) -> Result<Files, FieldError> {
        self.options.add_media_type(extension, media_type)?;
        Ok(self)
    }

    /// Octets of small files (up to 64 KiB each) that are kept in memory: 64 MiB otherwise. With 0 nothing is kept of any file, and
    /// each request asks the file system.
    pub fn file_cache(mut self, bytes: usize) -> Files {
        self.options.memory = bytes;
        self.cache = Cache::of(bytes);
        self
    }

    /// Whether names that mean something else on Windows (`CON`, `x.`, `x::$DATA`) are refused on every system, so that a site is
    /// the same on each. On Windows they always are.
    pub fn portable_names(mut self, on: bool) -> Files {
        self.options.rules.names = if on { Names::Windows } else { Names::HERE };
        self
    }

    /// Answers every path with this one file of the folder, or a sidecar of it, and with none of its others. Its name may begin with
    /// a dot.
    pub fn only(mut self, name: impl AsRef<OsStr>) -> Files {
        self.options.only = Some(name.as_ref().as_encoded_bytes().to_vec());
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
        self.mounts.add(path, files);
        self
    }

    /// How often what was kept of files could answer, those of mounted folders included.
    pub fn stats(&self) -> Stats {
        self.mounts.stats(self.cache.stats())
    }

    fn serve(&self, request: &Request<'_>) -> Response {
        let asked = resolve(request.path().as_bytes(), self.options.rules);
        self.route(asked, request)
    }

    /// The answer of the folder that the path is in.
    fn route(&self, asked: Result<Resolved<'_>, PathError>, request: &Request<'_>) -> Response {
        match asked
            .as_ref()
            .ok()
            .and_then(|asked| self.mounts.find(asked))
        {
            Some(Mounted::Below(files, below)) => files.route(below, request),
            Some(Mounted::WithoutSlash) => {
                respond::redirect_to_slash(request.path(), request.query())
            }
            None => self.answer(asked, request),
        }
    }

    fn answer(&self, asked: Result<Resolved<'_>, PathError>, request: &Request<'_>) -> Response {
        let root = match self.root.current(request.now().monotonic) {
            Ok(root) => root,
            Err(error) => return respond::error_page(error),
        };
        if let Some(name) = &self.options.only {
            return self.one_file(&root, name, request);
        }
        let asked = match asked {
            Ok(asked) => asked,
            Err(PathError::Dot) => {
                return match without_dots(request.path(), self.options.rules) {
                    Some(clean) => respond::redirect(clean, request.query()),
                    None => self.not_found(&root, request, PathError::Dot.reason()),
                };
            }
            Err(error) if error.status() == Status::NOT_FOUND => {
                return self.not_found(&root, request, error.reason());
            }
            Err(error) => {
                return Response::status_page(error.status()).with_log_reason(error.reason());
            }
        };
        let (found, is_hit) = self.look(&root, &asked, request);
        self.cache.note(is_hit);
        let answered = found.and_then(|found| match found {
            Found::Resource(resource) => Ok(self.resource(&root, &asked, resource, request)),
            Found::FolderWithoutSlash => {
                Ok(respond::redirect_to_slash(request.path(), request.query()))
            }
            Found::Folder(folder) => self.list(&root, &asked, &folder, request),
        });
        match answered {
            Ok(response) => response,
            Err(FileError::NotFound(reason)) => self.missing(&root, &asked, request, reason),
            Err(error) => respond::error_page(error),
        }
    }

    fn list(
        &self,
        root: &Root,
        asked: &Resolved<'_>,
        folder: &File,
        request: &Request<'_>,
    ) -> Result<Response, FileError> {
        let (rules, budget) = (self.options.rules, &self.listings);
        let listed =
            self.with_descriptors(|| listing::answer(root, asked, folder, request, rules, budget));
        listed.map(|response| {
            response.header("Cache-Control", self.options.cache_control_of_listing())
        })
    }

    /// Tries once more when there was no descriptor left: what is kept open for later must not be in the way of what is asked now.
    fn with_descriptors<T>(
        &self,
        attempt: impl Fn() -> Result<T, FileError>,
    ) -> Result<T, FileError> {
        match attempt() {
            Err(FileError::NoDescriptors) => {
                self.cache.close_files();
                attempt()
            }
            outcome => outcome,
        }
    }

    fn one_file(&self, root: &Arc<Root>, name: &[u8], request: &Request<'_>) -> Response {
        let asked = at_root(name);
        let (found, is_hit) = self.look(root, &asked, request);
        self.cache.note(is_hit);
        match found {
            Ok(Found::Resource(resource)) => self.resource(root, &asked, resource, request),
            Ok(Found::FolderWithoutSlash | Found::Folder(_)) => {
                respond::error_page(FileError::MISSING)
            }
            Err(error) => respond::error_page(error),
        }
    }

    /// What is at a path; and whether that was known, from a look at it a moment ago.
    fn look(
        &self,
        root: &Arc<Root>,
        asked: &Resolved<'_>,
        request: &Request<'_>,
    ) -> (Result<Found, FileError>, bool) {
        let now = request.now();
        self.cache.sweep(now);
        let kept = self.cache.find(root, asked);
        if let Some(resource) = kept.as_ref().filter(|kept| kept.is_fresh(now)) {
            if resource.plain().is_intact() {
                resource.touch();
                return (Ok(Found::Resource(resource.clone())), true);
            }
        }
        if let Some(error) = self.cache.find_absence(root, asked, now) {
            return (Err(error), true);
        }
        (self.open(root, asked, kept.as_deref(), now), false)
    }

    /// What the file system has at a path; it is kept, if that is worth it. `before` is what was known until now.
    fn open(
        &self,
        root: &Arc<Root>,
        asked: &Resolved<'_>,
        before: Option<&Resource>,
        now: Now,
    ) -> Result<Found, FileError> {
        match self.with_descriptors(|| choose(root, asked, &self.options)) {
            Ok(Chosen::File { path, opened }) => {
                let resource = Resource::load(root, path, *opened, before, &self.options, now)
                    .map_err(|error| FileError::of_io(&error))?;
                let resource = Arc::new(resource);
                self.cache.keep(asked, &resource, now);
                Ok(Found::Resource(resource))
            }
            Ok(Chosen::FolderWithoutSlash) => Ok(Found::FolderWithoutSlash),
            Ok(Chosen::Folder(folder)) => Ok(Found::Folder(folder)),
            Err(error) => {
                if let FileError::NotFound(_) = error {
                    self.cache.keep_absence(root, asked, error, now);
                }
                Err(error)
            }
        }
    }

    /// The answer for a file, in the coding that the client likes best of those that there are.
    fn resource(
        &self,
        root: &Arc<Root>,
        asked: &Resolved<'_>,
        resource: Arc<Resource>,
        request: &Request<'_>,
    ) -> Response {
        let now = request.now();
        let mut resource = resource;
        let mut chosen: Option<Arc<Representation>> = None;
        let mut has_looked = false;
        for coding in ranking(request.headers()).iter() {
            chosen = match coding.map(|coding| (coding, resource.coded(coding))) {
                None => Some(resource.plain().clone()),
                Some((_, Some(None))) => None,
                Some((_, Some(Some(sidecar)))) if sidecar.is_intact() => Some(sidecar.clone()),
                Some((coding, _)) => {
                    let (looked_at, sidecar) = resource.look_at(coding, root, &self.options, now);
                    resource = Arc::new(looked_at);
                    has_looked = true;
                    sidecar
                }
            };
            if chosen.is_some() {
                break;
            }
        }
        if has_looked {
            self.cache.keep(asked, &resource, now);
        }
        match chosen {
            Some(representation) => respond::file(request, &representation),
            None => respond::not_acceptable(),
        }
    }

    /// The answer to a path that leads to nothing: the page of an application that reads its own paths, or 404.
    fn missing(
        &self,
        root: &Arc<Root>,
        asked: &Resolved<'_>,
        request: &Request<'_>,
        reason: &'static str,
    ) -> Response {
        let last = asked.path.rsplit(|&octet| octet == b'/').next();
        let is_asset = last.is_some_and(|name| name.contains(&b'.'));
        let takes_html = || weight(request.headers(), "text/html").thousandths > 0;
        if let Some(page) = self
            .options
            .spa
            .as_deref()
            .filter(|_| !is_asset && takes_html())
        {
            let page = at_root(page.trim_start_matches('/').as_bytes());
            if let (Ok(Found::Resource(resource)), _) = self.look(root, &page, request) {
                // RFC 9110 §12.5.5: who does not take HTML is told that there is nothing.
                return self
                    .resource(root, &page, resource, request)
                    .header("Vary", "Accept");
            }
        }
        self.not_found(root, request, reason)
    }

    /// 404 with the root's own page, if it has one.
    fn not_found(&self, root: &Arc<Root>, request: &Request<'_>, reason: &'static str) -> Response {
        for page in ERROR_PAGES {
            // Whatever keeps the page from being read, what was asked for is missing all the same.
            if let (Ok(Found::Resource(resource)), _) =
                self.look(root, &at_root(page.as_bytes()), request)
            {
                return respond::not_found_page(resource.plain(), reason);
            }
        }
        Response::status_page(Status::NOT_FOUND).with_log_reason(reason)
    }
}

/// A file of the program's choice, by its path below the root.
fn at_root(path: &[u8]) -> Resolved<'_> {
    Resolved {
        path: Cow::Borrowed(path),
        slash: false,
    }
}

impl Handler for Files {
    fn handle(&self, request: &mut Request<'_>) -> Response {
        match request.method() {
            Method::Get | Method::Head => self.serve(request),
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
/// In the order in which they are tried.
const ERROR_PAGES: [&str; 2] = ["404.html", "error.html"];
