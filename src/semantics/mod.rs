//! What a message means (RFC 9110), apart from how it is written in bytes (RFC 9112).
//!
//! Nothing here knows IO, clocks, framing or files. Parsing a request allocates nothing here, apart
//! from the list of its ranges.
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
