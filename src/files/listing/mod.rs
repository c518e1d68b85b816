//! What a folder without an index answers: its files and folders, as a page or as JSON.
//!
//! In: an open folder, a request. Out: an answer that is made while it is sent. Never: a hidden name, or another that the
//! resolver refuses; a file that is opened; more than [`LISTING_ENTRIES`](crate::limits::LISTING_ENTRIES) entries.
//!
//! The page is the default; JSON is for those who prefer `application/json` to `text/html` in Accept (RFC 9110 §12.5.1). Both
//! are in the order that the query asks for: see [`Order::of_query`]. The JSON is an object:
//!
//! ```json
//! {"path":"/docs/","truncated":false,"entries":[
//! {"name":"old","type":"folder","modified":"2026-11-21T20:03:07Z","href":"old/"},
//! {"name":"a b.txt","type":"file","size":14213,"modified":null,"href":"a%20b.txt"}
//! ]}
//! ```
//!
//! - `path`: the folder, from the root, decoded; with a slash at both ends.
//! - `truncated`: whether the folder has more than the entries here, because it has too many.
//! - `name`: decoded. What is no UTF-8 in it, or in `path`, is U+FFFD: `href` is exact.
//! - `type`: `file` or `folder`; what a symlink leads to, not the symlink.
//! - `size`: in octets, of a file. A folder has none.
//! - `modified`: as RFC 3339 in UTC, whole seconds; null before 1970, after 9999, and where nobody knows.
//! - `href`: relative to the URL that the listing was asked by.

pub mod content;
pub mod entries;
mod json;
pub mod look;
pub mod order;
mod page;
pub mod text;

/// In which form a listing is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A page.
    Html,
    /// An object.
    Json,
}
