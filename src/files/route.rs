//! One ladder for a request: method, mounts, root, lookup, response.

use super::Files;
use super::disk::{Disk, DiskFile};
use super::listing;
use super::listing::read_dir::OpenFolder;
use super::lookup::Lookup;
use super::mounts::Mounted;
use super::resolve::{PathError, Resolved, resolve, without_dots};
use super::resource::Resource;
use super::resource::cache::AskedBy;
use super::respond;
use super::respond::error::FileError;
use super::site::Site;
use crate::handler::{Handler, Request, Response};
use crate::semantics::accept::weight;
use crate::semantics::{Method, Status};
use crate::sys::beneath::Root;
use std::sync::Arc;

const ALLOW: &str = "GET, HEAD, OPTIONS";

impl Handler for Files {
    fn handle(&self, request: &mut Request<'_>) -> Response {
        match request.method() {
            Method::Get | Method::Head => self.site.respond(request),
            // RFC 9110 §9.3.7: "A server generating a successful response to OPTIONS SHOULD send
            // any header that might indicate optional features". Every path, and `*`, has the same
            // methods.
            Method::Options => Response::new(Status::OK).header("Allow", ALLOW),
            Method::Post
            | Method::Put
            | Method::Delete
            | Method::Connect
            | Method::Trace
            | Method::Patch => {
                // RFC 9110 §15.5.6: "The origin server MUST generate an Allow header field in a 405
                // response".
                Response::status_page(Status::METHOD_NOT_ALLOWED)
                    .header("Allow", ALLOW)
                    .with_log_reason("files are only read")
            }
            // RFC 9110 §15.6.2: "the appropriate response when the server does not recognize the
            // request method and is not capable of supporting it for any resource".
            Method::Other(_) => {
                Response::status_page(Status::NOT_IMPLEMENTED).with_log_reason("unknown method")
            }
        }
    }
}

impl Site {
    /// Answers from this site, or from the mounted one that the path leads to.
    pub fn respond(&self, request: &mut Request<'_>) -> Response {
        let mut site = self;
        let mut path = resolve(request.path().as_bytes(), self.options.rules);
        // Whose path it is: a mounted site may have mounts of its own.
        while let Ok(resolved) = &mut path {
            match site.mounts.iter().find_map(|mount| mount.take(resolved)) {
                None => break,
                Some(Mounted::WithoutSlash) => {
                    return respond::redirect_to_slash(request.path(), request.query());
                }
                Some(Mounted::Below {
                    site: mounted,
                    length,
                }) => {
                    site = mounted;
                    if let Err(error) = resolved.enter(length, site.options.rules) {
                        path = Err(error);
                    }
                }
            }
        }
        site.sweep(request.now().monotonic);
        let disk = Disk::of(&site.root.gate, request.blocking_share());
        site.below_root(&disk, path, request)
    }

    /// The response without a file. It takes the place of a `Result`, whose way through several
    /// functions would copy each response.
    fn failed(&self, error: FileError) -> Response {
        match error {
            FileError::Busy => Response::queued(&self.root.gate),
            error => respond::error_page(error),
        }
    }

    fn below_root(
        &self,
        disk: &Disk<'_>,
        path: Result<Resolved<'_>, PathError>,
        request: &mut Request<'_>,
    ) -> Response {
        let now = request.now();
        let root = &match self.root.current(disk, now.monotonic) {
            Ok(root) => root,
            Err(error) => return self.failed(error),
        };
        if let Some(name) = &self.options.only {
            return self.only_file(root, disk, name, request);
        }
        let path = match path {
            Ok(path) => path,
            Err(error) => return self.refused(root, disk, error, request),
        };
        match self.look_up(root, disk, &path, AskedBy::Client, now) {
            Ok(Lookup::Resource(resource)) => self.resource(root, disk, &path, resource, request),
            Ok(Lookup::FolderWithoutSlash) => {
                respond::redirect_to_slash(request.path(), request.query())
            }
            Ok(Lookup::Folder(folder)) => self.list(root, disk, &path, &folder, request),
            Err(FileError::NotFound(reason)) => self.missing(root, disk, &path, request, reason),
            Err(error) => self.failed(error),
        }
    }

    /// Answers with a file, in the coding that the client likes best of those available.
    fn resource(
        &self,
        root: &Arc<Root>,
        disk: &Disk<'_>,
        path: &Resolved<'_>,
        resource: Arc<Resource>,
        request: &Request<'_>,
    ) -> Response {
        let (headers, now) = (request.headers(), request.now());
        match self.negotiate(root, disk, path, resource, headers, now) {
            Ok(Some(representation)) => respond::file(request, &representation),
            Ok(None) => respond::not_acceptable(),
            Err(error) => self.failed(error),
        }
    }

    fn list(
        &self,
        root: &Arc<Root>,
        disk: &Disk<'_>,
        path: &Resolved<'_>,
        folder: &DiskFile,
        request: &mut Request<'_>,
    ) -> Response {
        let open = OpenFolder {
            root,
            path,
            folder,
            rules: self.options.rules,
        };
        let pass = match disk.enter() {
            Ok(pass) => pass,
            Err(error) => return self.failed(error),
        };
        let policy = self.options.cache_control_of_listing();
        let mut attempt = || listing::respond(&self.listings, pass, &open, request, policy);
        let mut listed = attempt();
        if let Err(FileError::NoDescriptors) = listed {
            self.cache.close_files();
            listed = attempt();
        }
        listed.unwrap_or_else(|error| self.failed(error))
    }

    fn only_file(
        &self,
        root: &Arc<Root>,
        disk: &Disk<'_>,
        name: &[u8],
        request: &Request<'_>,
    ) -> Response {
        let path = Resolved::page(name);
        match self.look_up(root, disk, &path, AskedBy::Client, request.now()) {
            Ok(Lookup::Resource(resource)) => self.resource(root, disk, &path, resource, request),
            Ok(Lookup::FolderWithoutSlash | Lookup::Folder(_)) => self.failed(FileError::MISSING),
            Err(error) => self.failed(error),
        }
    }

    fn refused(
        &self,
        root: &Arc<Root>,
        disk: &Disk<'_>,
        error: PathError,
        request: &Request<'_>,
    ) -> Response {
        if error == PathError::Dot {
            if let Some(clean) = without_dots(request.path(), self.options.rules) {
                return respond::redirect(clean, request.query());
            }
        }
        if error.status() == Status::NOT_FOUND {
            return self.not_found(root, disk, request, error.reason());
        }
        Response::status_page(error.status()).with_log_reason(error.reason())
    }

    /// Answers for a missing file: with the page of a single-page application, or 404.
    fn missing(
        &self,
        root: &Arc<Root>,
        disk: &Disk<'_>,
        path: &Resolved<'_>,
        request: &Request<'_>,
        reason: &'static str,
    ) -> Response {
        let last = path.below_root().rsplit(|&byte| byte == b'/').next();
        let is_asset = last.is_some_and(|name| name.contains(&b'.'));
        let takes_html = || weight(request.headers(), "text/html").thousandths > 0;
        let page = self.options.spa.as_deref();
        if let Some(page) = page.filter(|_| !is_asset && takes_html()) {
            let page = Resolved::page(page.trim_start_matches('/').as_bytes());
            match self.look_up(root, disk, &page, AskedBy::Site, request.now()) {
                Ok(Lookup::Resource(resource)) => {
                    // RFC 9110 §12.5.5: clients that do not accept HTML get a 404.
                    let response = self.resource(root, disk, &page, resource, request);
                    return response.header("Vary", "Accept");
                }
                Err(error @ FileError::Busy) => return self.failed(error),
                Ok(_) | Err(_) => {}
            }
        }
        self.not_found(root, disk, request, reason)
    }

    fn not_found(
        &self,
        root: &Arc<Root>,
        disk: &Disk<'_>,
        request: &Request<'_>,
        reason: &'static str,
    ) -> Response {
        for page in ERROR_PAGES {
            let page = Resolved::page(page.as_bytes());
            match self.look_up(root, disk, &page, AskedBy::Site, request.now()) {
                Ok(Lookup::Resource(resource)) => {
                    return respond::not_found_page(resource.plain(), reason);
                }
                Err(error @ FileError::Busy) => return self.failed(error),
                // Whatever keeps the page from being read, the file that was asked for is still
                // missing.
                Ok(_) | Err(_) => {}
            }
        }
        Response::status_page(Status::NOT_FOUND).with_log_reason(reason)
    }
}

/// In the order in which they are tried.
const ERROR_PAGES: [&str; 2] = ["404.html", "error.html"];
