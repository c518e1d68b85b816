//! The listing of a folder without an index: its files and folders, as a page or as JSON.
//!
//! Hidden names and others that the resolver refuses are left out, and there are at most
//! [`LISTING_ENTRIES`](entries::LISTING_ENTRIES) entries. Reading a folder is work that grows with
//! it: [`kept`] bounds how much of it goes on, and shares what was made.
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
pub mod kept;
pub mod order;
pub mod read_dir;
pub mod reader;
pub mod snapshot;
pub mod sort;
pub mod style;

use super::respond::error::FileError;
use crate::handler::gate::{Gate, Pass};
use crate::handler::{Request, Response};
use crate::semantics::{Method, Status, accept};
use kept::{Folder, Listings};
use order::Order;
use read_dir::{OpenFolder, read_dir};
use reader::ListingReader;
use snapshot::{Form, Snapshot};
use std::sync::Arc;

/// What became of a listing.
enum Made {
    Snapshot(Arc<Snapshot>),
    /// It cannot be made before another thread leaves this gate.
    Full(Arc<Gate>),
}

/// The listing of a folder, asked for with a slash at its end. Its Cache-Control is `policy`.
///
/// RFC 9110 §9.3.2: "The server SHOULD send the same header fields in response to a HEAD request as
/// it would have sent if the request method had been GET." So this answers HEAD as well, and the
/// server leaves out the body, for which nothing is sorted.
///
/// # Errors
/// [`FileError::Denied`] when the folder may be searched but not read; [`FileError::NoMemory`] when
/// the listings that are being sent take all the memory they may; others when the system fails.
pub fn respond(
    listings: &Arc<Listings>,
    pass: &Pass,
    open: &OpenFolder<'_>,
    request: &mut Request<'_>,
    policy: &str,
) -> Result<Response, FileError> {
    let (form, order) = (form(request), Order::of_query(request.query()));
    let folder = listings.folder(open.root, open.path.below_root(), request.now().monotonic);
    let order_sent = (request.method() != Method::Head).then_some(order);
    let snapshot = match make(listings, &folder, pass, open, order_sent, request)? {
        Made::Snapshot(snapshot) => snapshot,
        Made::Full(gate) => return Ok(Response::queued(&gate)),
    };
    let response = match form {
        Form::Html => Response::new(Status::OK)
            .header("Content-Type", "text/html; charset=utf-8")
            .header("Content-Security-Policy", style::POLICY),
        // RFC 8259 §11: "no "charset" parameter is defined".
        Form::Json => Response::new(Status::OK).header("Content-Type", "application/json"),
    };
    // Without a length the body would be chunked: HTTP/1.0 would have to close after it and could
    // not tell whether it is complete, and HEAD would not tell its size.
    let length = snapshot.length(form, order);
    Ok(response
        .header("X-Content-Type-Options", "nosniff")
        .header("Cache-Control", policy)
        // RFC 9110 §12.5.5: what "might have influenced the origin server's process for selecting
        // the content of this response".
        .header("Vary", "Accept")
        .stream(Some(length), ListingReader::new(snapshot, form, order)))
}

/// The folder's entries, sorted in this order if they are to be sent: those that are kept, or new
/// ones.
fn make(
    listings: &Arc<Listings>,
    folder: &Arc<Folder>,
    pass: &Pass,
    open: &OpenFolder<'_>,
    order: Option<Order>,
    request: &mut Request<'_>,
) -> Result<Made, FileError> {
    let now = request.now().monotonic;
    let is_sorted = |snapshot: &Snapshot| order.is_none_or(|order| snapshot.is_sorted(order));
    if let Some(snapshot) = folder.fresh(now).filter(|snapshot| is_sorted(snapshot)) {
        return Ok(Made::Snapshot(snapshot));
    }
    let begun = request.monotonic();
    let work = match listings.begin(folder, begun) {
        Ok(work) => work,
        Err(gate) => return Ok(Made::Full(gate)),
    };
    let mut goes_on = || {
        work.note(request.monotonic());
        !request.is_disconnected()
    };
    // Another thread may have made it, or sorted it, a moment ago.
    let kept = folder.fresh(begun);
    let is_new = kept.is_none();
    let snapshot = match kept {
        Some(snapshot) => snapshot,
        None => Arc::new(read_dir(pass, open, listings, &mut goes_on)?),
    };
    if let Some(order) = order {
        listings.sort(&snapshot, order, &mut goes_on)?;
    }
    if is_new {
        work.keep(&snapshot, begun, request.monotonic());
    }
    Ok(Made::Snapshot(snapshot))
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
