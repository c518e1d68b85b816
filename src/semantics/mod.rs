//! What a message means (RFC 9110), apart from how it is written in bytes (RFC 9112).
//!
//! In: methods, status codes, fields and their table, an answer's field lines, request targets, hosts, lists, dates,
//! entity tags, preconditions, ranges, preferences, the offer of another protocol.
//! Out: line ends, framing, connections, files. Never: IO, clocks, allocation on the request's way in but
//! for the list of ranges.
#![forbid(unsafe_code)]

pub mod accept;
pub mod accept_encoding;
pub mod date;
pub mod etag;
mod field_lines;
pub mod fields;
pub mod host;
pub mod list;
pub mod method;
pub mod precondition;
mod quality;
pub mod range;
pub mod status;
pub mod target;
pub mod upgrade;
pub mod version;

pub use field_lines::{FieldError, FieldLines};
pub use fields::{FieldName, FieldTable, Headers, Span};
pub use method::Method;
pub use status::Status;
pub use target::{Target, TargetForm};
pub use version::Version;
