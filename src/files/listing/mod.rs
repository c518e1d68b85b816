//! The listing of a folder without an index: its files and folders, as a page or as JSON.
//!
//! Hidden names and others that the resolver refuses are left out, and there are at most
//! [`LISTING_ENTRIES`](entries::LISTING_ENTRIES) entries.
//!
//! The page is the default; JSON is for clients that prefer `application/json` to `text/html` in
//! Accept (RFC 9110 §12.5.1). Both are in the order that the query asks for: see
//! [`Order::of_query`]. The JSON is an object:
//!
//! ```json
//! {"path":"/docs/","truncated":false,"entries":[
//! {"name":"old","type":"folder","modified":"2026-11-21T20:03:07Z","href":"old/"},
//! {"name":"a b.txt","type":"file","size":14213,"modified":null,"href":"a%20b.txt"}
//! ]}
//! ```
//!
//! - `path`: the folder, from the root, decoded; with a slash at both ends.
//! - `truncated`: whether the folder has too many entries, and these are not all.
//! - `name`: decoded. Invalid UTF-8 in it, or in `path`, is U+FFFD: `href` is exact.
//! - `type`: `file` or `folder`; of a symlink, the type of its target.
//! - `size`: of a file, in bytes. A folder has none.
//! - `modified`: as RFC 3339 in UTC, whole seconds; null before 1970, after 9999, and if unknown.
//! - `href`: relative to the URL of the listing.

pub mod budget;
pub mod entries;
pub mod escape;
mod html;
mod json;
pub mod order;
mod read_dir;
pub mod reader;
pub mod style;

use super::resolve::{PathRules, Resolved};
use super::respond::error::FileError;
use crate::handler::{Request, Response};
use crate::semantics::{Status, accept};
use crate::sys::beneath::Root;
use budget::MemoryBudget;
use order::Order;
use read_dir::read_dir;
use reader::{Form, ListingReader};
use std::fs::File;

/// The listing of a folder, which was opened at this path below the root and asked for with a slash
/// at its end. Its Cache-Control is left to the caller.
///
/// RFC 9110 §9.3.2: "The server SHOULD send the same header fields in response to a HEAD request as
/// it would have sent if the request method had been GET." So this answers HEAD as well, and the
/// server leaves out the body.
///
/// # Errors
/// [`FileError::Denied`] when the folder may be searched but not read; [`FileError::NoMemory`] when
/// the listings that are being sent take all the memory they may; others when the system fails.
pub fn respond(
    root: &Root,
    resolved: &Resolved<'_>,
    folder: &File,
    request: &Request<'_>,
    rules: PathRules,
    budget: &MemoryBudget,
) -> Result<Response, FileError> {
    let path = resolved.below_root();
    // Below a mounted root they are not the first names of the path.
    let is_first = resolved.path.is_empty();
    let entries = read_dir(root, path, is_first, folder, rules)?;
    let reservation = budget.reserve(entries.bytes()).ok_or(FileError::NoMemory)?;
    let form = form(request);
    let order = Order::of_query(request.query());
    let content = ListingReader::new(form, &resolved.path, entries, order).with(reservation);
    let response = match form {
        Form::Html => Response::new(Status::OK)
            .header("Content-Type", "text/html; charset=utf-8")
            .header("Content-Security-Policy", style::POLICY),
        // RFC 8259 §11: "no "charset" parameter is defined".
        Form::Json => Response::new(Status::OK).header("Content-Type", "application/json"),
    };
    // Without a length the body would be chunked: HTTP/1.0 would have to close after it and could
    // not tell whether it is complete, and HEAD would not tell its size.
    let length = content.length();
    Ok(response
        .header("X-Content-Type-Options", "nosniff")
        // RFC 9110 §12.5.5: what "might have influenced the origin server's process for selecting
        // the content of this response".
        .header("Vary", "Accept")
        .stream(Some(length), content))
}

/// The form that the client prefers. Of equal weights, the more precise name decides, and then the
/// page wins.
///
/// So it does when the client accepts neither. RFC 9110 §12.5.1: the server may "disregard the
/// header field by treating the response as if it is not subject to content negotiation for that
/// request header field".
fn form(request: &Request<'_>) -> Form {
    let weight = |essence| accept::weight(request.headers(), essence);
    let json = weight("application/json");
    if json.thousandths > 0 && json > weight("text/html") {
        Form::Json
    } else {
        Form::Html
    }
}
