//! How a message is written in bytes (RFC 9112, and what RFC 9110 says about it), as tables: one
//! file a section, one row a case.
//!
//! The harness feeds every row in every way: whole, byte by byte, cut at each offset, with another
//! request glued on, and cut short. What a row expects has to come out each time. A new bug is a
//! new row, with its number in the name.

mod chunked;
mod connection;
mod expect;
mod fields;
mod framing;
mod harness;
mod host;
mod limits;
mod linear;
mod oracle;
mod persistence;
mod properties;
mod rejects;
mod request_line;
mod requirements;
mod targets;
mod versions;
mod write;
