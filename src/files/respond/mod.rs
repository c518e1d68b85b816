//! The responses of the file service: a file or parts of it, 304, redirects, error pages.
//!
//! Whether a condition holds and which bytes a range means, `semantics` decides.

pub mod error;
mod multipart;

use super::resource::representation::Representation;
use crate::handler::{Payload, Request, Response};
use crate::semantics::Status;
use crate::semantics::precondition::{Verdict, evaluate};
use crate::semantics::range::{ByteRange, Selection, select};
use error::FileError;
use std::sync::Arc;

/// The response to GET and HEAD for a file.
///
/// RFC 9110 §9.3.2: "The server SHOULD send the same header fields in response to a HEAD request as
/// it would have sent if the request method had been GET." So this answers HEAD as well, and the
/// server leaves out the body.
pub(super) fn file(request: &Request<'_>, representation: &Arc<Representation>) -> Response {
    let headers = request.headers();
    let current = representation.validators();
    match evaluate(request.method(), headers, &current, request.now().wall) {
        Verdict::NotModified => {
            let lines = &representation.lines_not_modified;
            Response::with_lines(Status::NOT_MODIFIED, lines, Payload::Empty)
        }
        Verdict::Failed => Response::status_page(Status::PRECONDITION_FAILED)
            .with_log_reason("a condition of the request does not hold"),
        Verdict::Proceed { range: false } => whole(representation),
        Verdict::Proceed { range: true } => match select(headers, representation.length) {
            Selection::Whole => whole(representation),
            Selection::One(range) => part(representation, &range),
            // RFC 9110 §14.2: "A server MAY ignore the Range header field." A client would decode
            // the whole response, with the delimiters of its parts.
            Selection::Several(_) if representation.is_coded() => whole(representation),
            Selection::Several(ranges) => multipart::respond(representation, ranges),
            Selection::Unsatisfiable => unsatisfiable(representation.length),
        },
    }
}

fn whole(representation: &Representation) -> Response {
    let whole = representation.part(0, representation.length);
    let response = Response::with_lines(Status::OK, &representation.lines, whole);
    representation.within(response)
}

/// 206 with one part (RFC 9110 §15.3.7).
fn part(representation: &Representation, range: &ByteRange) -> Response {
    let content_range = multipart::content_range(range, representation.length);
    let part = representation.part(range.first, range.length);
    let response = Response::with_lines(Status::PARTIAL_CONTENT, &representation.lines, part)
        .header("Content-Range", &content_range);
    representation.within(response)
}

/// 416 (RFC 9110 §15.5.17), with Content-Range "specifying the current length of the selected
/// representation".
fn unsatisfiable(length: u64) -> Response {
    Response::status_page(Status::RANGE_NOT_SATISFIABLE)
        .header("Content-Range", &format!("bytes */{length}"))
        .with_log_reason("no part of the range is within the file")
}

pub(super) fn not_found_page(page: &Representation, reason: &'static str) -> Response {
    let response = Response::new(Status::NOT_FOUND)
        .header("Content-Type", "text/html; charset=utf-8")
        .header("X-Content-Type-Options", "nosniff")
        .header("Cache-Control", "no-store")
        .body(page.part(0, page.length))
        .with_log_reason(reason);
    page.within(response)
}

/// 406: the client excludes every coding available, the plain file among them (RFC 9110 §12.5.3).
pub(super) fn not_acceptable() -> Response {
    Response::status_page(Status::NOT_ACCEPTABLE)
        .header("Vary", "Accept-Encoding")
        .with_log_reason("no coding of the file is acceptable")
}

/// 308 to the same path with a slash (RFC 9110 §15.4.9). `path` and `query` are as received.
///
/// RFC 3986 §4.2: "A relative reference that begins with two slash characters is termed a
/// network-path reference", and leads to another host; browsers read `/\` in the same way. A
/// resolved path begins with neither: the resolver refuses empty segments and backslashes. It is
/// not decoded, so it holds only visible ASCII.
pub(super) fn redirect_to_slash(path: &str, query: Option<&str>) -> Response {
    redirect(format!("{path}/"), query)
}

/// 308 to another spelling of the path, which has been resolved: see [`redirect_to_slash`].
pub(super) fn redirect(path: String, query: Option<&str>) -> Response {
    let mut location = path;
    if let Some(query) = query {
        location.push('?');
        location.push_str(query);
    }
    Response::redirect(Status::PERMANENT_REDIRECT, &location)
        // A browser keeps a 308 forever unless told otherwise, and the folder may become a file.
        .header("Cache-Control", "no-cache")
}

/// The response without a page of the site's own: a small built-in one.
pub fn error_page(error: FileError) -> Response {
    let mut response = Response::status_page(error.status()).with_log_reason(error.reason());
    if error.status() == Status::SERVICE_UNAVAILABLE {
        // RFC 9110 §10.2.3: "how long the user agent ought to wait before making a follow-up
        // request". A descriptor or some memory is free as soon as any response ends.
        response = response.header("Retry-After", "1");
    }
    response
}
