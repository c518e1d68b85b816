//! Static files: a handler like any other.
//!
//! In: a request and a folder. Out: how an answer is written or sent. Never: sockets, threads, a clock; a name that
//! [`resolve`] refused; a file that `sys::beneath` did not open.
//!
//! A request goes through one file after the other: [`resolve`] makes its path clean, `root` has the folder, `choose` opens
//! the file that answers, `respond` says it, `cache` keeps what was said of small files. Whatever goes wrong on the way is a [`failure`].
#![forbid(unsafe_code)]

mod cache;
mod choose;
pub mod failure;
pub mod listing;
pub mod media_types;
pub mod resolve;
pub mod respond;
mod root;

use crate::handler::{Handler, Request, Response};
use crate::semantics::{Method, Status};
use cache::Cache;
use choose::{Chosen, choose};
use resolve::{Rules, resolve};
use root::HeldRoot;
use std::io;
use std::path::Path;

/// Serves the files below a folder: GET and HEAD of its files, `index.html` or `index.htm` for a folder, a redirect to a
/// folder's slash, `404.html` or `error.html` for what is missing.
///
/// Nothing outside the folder is served, whatever the path or the symlinks in it. Names that begin with a dot are not
/// served, but for `/.well-known/`. When the folder is deleted and made anew, the new one is served.
#[derive(Debug)]
pub struct Files {
    root: HeldRoot,
    cache: Cache,
}

impl Files {
    /// Serves this folder. A relative path is taken from the folder that is current now.
    ///
    /// # Errors
    /// Those of opening it: [`NotFound`](io::ErrorKind::NotFound), [`NotADirectory`](io::ErrorKind::NotADirectory),
    /// [`PermissionDenied`](io::ErrorKind::PermissionDenied) and so on.
    pub fn new(root: impl AsRef<Path>) -> io::Result<Files> {
        Ok(Files {
            root: HeldRoot::open(root.as_ref())?,
            cache: Cache::default(),
        })
    }

    fn serve(&self, request: &Request<'_>) -> Response {
        let root = match self.root.at(request.now().monotonic) {
            Ok(root) => root,
            Err(failure) => return respond::failure_page(failure),
        };
        let resolved = match resolve(request.path().as_bytes(), Rules::default()) {
            Ok(resolved) => resolved,
            Err(refusal) => return respond::refused(&root, refusal),
        };
        let kept = self.cache.find(&root, &resolved);
        if let Some(entry) = kept.as_ref().filter(|entry| entry.is_fresh(request.now())) {
            return entry.response();
        }
        match choose(&root, &resolved) {
            Ok(Chosen::File {
                file,
                metadata,
                name,
            }) => {
                let fields = || respond::whole_file(&metadata, name, request.now().wall);
                let kept = kept.filter(|entry| entry.renew(&file, &metadata, request.now()));
                match kept.or_else(|| {
                    self.cache
                        .keep(&root, &resolved, &file, &metadata, fields, request.now())
                }) {
                    Some(entry) => entry.response(),
                    None => fields().body(respond::content(file, metadata.len())),
                }
            }
            Ok(Chosen::FolderWithoutSlash) => {
                respond::redirect_to_slash(request.path(), request.query())
            }
            Err(failure) => respond::failed(&root, failure),
        }
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
                    .reason("files are only read")
            }
            // RFC 9110 §15.6.2: "the appropriate response when the server does not recognize the request method and is not
            // capable of supporting it for any resource".
            Method::Other(_) => {
                Response::status_page(Status::NOT_IMPLEMENTED).reason("unknown method")
            }
        }
    }
}

const ALLOW: &str = "GET, HEAD, OPTIONS";
