//! What octets, fields, targets, dates and tags mean: tables by RFC section for the rooms scan, bytes and semantics.
//!
//! In: pure functions, one row a case. Out: the parser of whole messages (tests/rfc). Never: a socket, a clock, a file.

mod accept;
mod accept_encoding;
mod bytes;
mod date;
mod etag;
mod fields;
mod host;
mod lines;
mod list;
mod method;
mod precondition;
mod range;
mod scan;
mod status;
mod target;
mod upgrade;
mod version;
