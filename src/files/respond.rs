//! What is answered: a file with its metadata, a redirect, a page that says why not.
//!
//! In: an open file, or a failure. Out: which file it is; conditions and ranges, which are judged before this. Never: a
//! field that differs between GET and HEAD, the system's error text.

use super::choose::{Chosen, first_file};
use super::failure::Failure;
use super::media_types;
use super::resolve::Refusal;
use crate::handler::{Payload, Response};
use crate::semantics::date::HttpDate;
use crate::semantics::{Status, etag};
use crate::sys::beneath::Root;
use std::fs::{File, Metadata};
use std::time::SystemTime;

/// 200 for a whole file, without its content. `name` ends in the file's name; `now` is the wall time of the request.
///
/// RFC 9110 §9.3.2: "The server SHOULD send the same header fields in response to a HEAD request as it would have sent if
/// the request method had been GET." So HEAD is answered by this, too, and whoever writes the answer leaves the content out.
pub(super) fn whole_file(metadata: &Metadata, name: &[u8], now: SystemTime) -> Response {
    let mut response = Response::new(Status::OK)
        .header("Content-Type", media_types::of(name))
        // Else a browser may take an upload named `.txt` for a script.
        .header("X-Content-Type-Options", "nosniff")
        // Kept, but asked for again each time: an answer is never stale, and the tag makes asking cheap.
        .header("Cache-Control", "no-cache");
    // `Err` where the system keeps no such time.
    if let Ok(modified) = metadata.modified() {
        response = with_validators(response, metadata.len(), modified, now);
    }
    response
}

/// 308 to the same path with a slash (RFC 9110 §15.4.9). `path` and `query` are as they came.
///
/// RFC 3986 §4.2: "A relative reference that begins with two slash characters is termed a network-path reference", and leads
/// to another host; browsers read `/\` so, too. A path that was resolved begins with neither: the resolver refuses empty
/// segments and backslashes. It is not decoded, so it holds visible ASCII alone.
pub(super) fn redirect_to_slash(path: &str, query: Option<&str>) -> Response {
    let mut location = String::with_capacity(path.len() + 2 + query.map_or(0, str::len));
    location.push_str(path);
    location.push('/');
    if let Some(query) = query {
        location.push('?');
        location.push_str(query);
    }
    Response::redirect(Status::PERMANENT_REDIRECT, &location)
        // A browser keeps a 308 for ever unless told otherwise, and the folder may become a file.
        .header("Cache-Control", "no-cache")
}

/// The answer to a path that is refused.
pub(super) fn refused(root: &Root, refusal: Refusal) -> Response {
    if refusal.status() == Status::NOT_FOUND {
        return not_found(root, refusal.reason());
    }
    Response::status_page(refusal.status()).reason(refusal.reason())
}

/// The answer when no file is found below the root.
pub(super) fn failed(root: &Root, failure: Failure) -> Response {
    match failure {
        Failure::NotFound(reason) => not_found(root, reason),
        _ => failure_page(failure),
    }
}

/// The answer without a page of the root's: a small page of our own.
pub fn failure_page(failure: Failure) -> Response {
    let mut response = Response::status_page(failure.status()).reason(failure.reason());
    if failure == Failure::NoDescriptors {
        // RFC 9110 §10.2.3: "how long the user agent ought to wait before making a follow-up request". A descriptor comes
        // free as soon as any answer ends.
        response = response.header("Retry-After", "1");
    }
    response
}

/// 404 with the root's own page, if it has one.
fn not_found(root: &Root, reason: &'static str) -> Response {
    match first_file(root, b"", &ERROR_PAGES) {
        Ok(Some(Chosen::File { file, metadata, .. })) => Response::new(Status::NOT_FOUND)
            .header("Content-Type", "text/html; charset=utf-8")
            .header("X-Content-Type-Options", "nosniff")
            .header("Cache-Control", "no-store")
            .body(content(file, metadata.len()))
            .reason(reason),
        // Also when the page cannot be read: what was asked for is missing all the same.
        _ => Response::status_page(Status::NOT_FOUND).reason(reason),
    }
}

/// Last-Modified and a strong ETag (RFC 9110 §8.8).
fn with_validators(
    response: Response,
    length: u64,
    modified: SystemTime,
    now: SystemTime,
) -> Response {
    let mut tag = Vec::with_capacity(TAG_ROOM);
    etag::push_file_tag(&mut tag, length, modified);
    // Quotes, `-` and hexadecimal digits: always UTF-8.
    let response = response.header("ETag", std::str::from_utf8(&tag).unwrap_or_default());
    // RFC 9110 §8.8.2.1: an origin server with a clock "MUST NOT generate a Last-Modified date that is later than the
    // server's time of message origination"; a time in the future becomes that time.
    match HttpDate::from_time(modified.min(now)) {
        Some(date) => response.header("Last-Modified", date.as_str()),
        // Before 1970 or after 9999: there is no honest date, and the tag does the work.
        None => response,
    }
}

/// The whole of a file.
pub(super) fn content(file: File, length: u64) -> Payload {
    match length {
        // The descriptor is not kept until the answer is sent.
        0 => Payload::Empty,
        length => Payload::File {
            file,
            offset: 0,
            length,
        },
    }
}

/// In the order in which they are tried.
const ERROR_PAGES: [&str; 2] = ["404.html", "error.html"];
/// Two quotes, a dash, a sign, 16 digits of length and 16 of time: more is never needed before the year 2554.
const TAG_ROOM: usize = 36;
