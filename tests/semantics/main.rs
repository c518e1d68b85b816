//! What bytes, fields, targets, dates and tags mean: tables by RFC section for the rooms scan,
//! bytes and semantics, one row a case.

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
