//! One ladder for a request: method, mounts, root, lookup, response.

use super::Files;
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
use std::fs::File;
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
        let now = request.now();
        self.sweep(now.monotonic);
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
        let root = match site.root.current(now.monotonic) {
            Ok(root) => root,
            Err(error) => return respond::error_page(error),
        };
        if let Some(name) = &site.options.only {
            return site.only_file(&root, name, request);
        }
        let path = match path {
            Ok(path) => path,
            Err(error) => return site.refused(&root, error, request),
        };
        match site.look_up(&root, &path, AskedBy::Client, now) {
            Ok(Lookup::Resource(resource)) => site.resource(&root, &path, resource, request),
            Ok(Lookup::FolderWithoutSlash) => {
                respond::redirect_to_slash(request.path(), request.query())
            }
            Ok(Lookup::Folder(folder)) => site.list(&root, &path, &folder, request),
            Err(FileError::NotFound(reason)) => site.missing(&root, &path, request, reason),
            Err(error) => respond::error_page(error),
        }
    }

    /// Answers with a file, in the coding that the client likes best of those available.
    fn resource(
        &self,
        root: &Arc<Root>,
        path: &Resolved<'_>,
        resource: Arc<Resource>,
        request: &Request<'_>,
    ) -> Response {
        match self.negotiate(root, path, resource, request.headers(), request.now()) {
            Some(representation) => respond::file(request, &representation),
            None => respond::not_acceptable(),
        }
    }

    fn list(
        &self,
        root: &Arc<Root>,
        path: &Resolved<'_>,
        folder: &File,
        request: &mut Request<'_>,
    ) -> Response {
        let rules = self.options.rules;
        let open = OpenFolder {
            root,
            path,
            folder,
            rules,
        };
        let policy = self.options.cache_control_of_listing();
        let mut attempt = || listing::respond(&self.listings, root, &open, request, policy);
        let mut listed = attempt();
        if let Err(FileError::NoDescriptors) = listed {
            self.cache.close_files();
            listed = attempt();
        }
        listed.unwrap_or_else(respond::error_page)
    }

    fn only_file(&self, root: &Arc<Root>, name: &[u8], request: &Request<'_>) -> Response {
        let path = Resolved::page(name);
        match self.look_up(root, &path, AskedBy::Client, request.now()) {
            Ok(Lookup::Resource(resource)) => self.resource(root, &path, resource, request),
            Ok(Lookup::FolderWithoutSlash | Lookup::Folder(_)) => {
                respond::error_page(FileError::MISSING)
            }
            Err(error) => respond::error_page(error),
        }
    }

    fn refused(&self, root: &Arc<Root>, error: PathError, request: &Request<'_>) -> Response {
        if error == PathError::Dot {
            if let Some(clean) = without_dots(request.path(), self.options.rules) {
                return respond::redirect(clean, request.query());
            }
        }
        if error.status() == Status::NOT_FOUND {
            return self.not_found(root, request, error.reason());
        }
        Response::status_page(error.status()).with_log_reason(error.reason())
    }

    /// Answers for a missing file: with the page of a single-page application, or 404.
    fn missing(
        &self,
        root: &Arc<Root>,
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
            let found = self.look_up(root, &page, AskedBy::Site, request.now());
            if let Ok(Lookup::Resource(resource)) = found {
                // RFC 9110 §12.5.5: clients that do not accept HTML get a 404.
                let response = self.resource(root, &page, resource, request);
                return response.header("Vary", "Accept");
            }
        }
        self.not_found(root, request, reason)
    }

    fn not_found(&self, root: &Arc<Root>, request: &Request<'_>, reason: &'static str) -> Response {
        for page in ERROR_PAGES {
            let page = Resolved::page(page.as_bytes());
            let found = self.look_up(root, &page, AskedBy::Site, request.now());
            // Whatever keeps the page from being read, the file that was asked for is still
            // missing.
            if let Ok(Lookup::Resource(resource)) = found {
                return respond::not_found_page(resource.plain(), reason);
            }
        }
        Response::status_page(Status::NOT_FOUND).with_log_reason(reason)
    }
}

/// In the order in which they are tried.
const ERROR_PAGES: [&str; 2] = ["404.html", "error.html"];
