//! The head of a response, in octets (RFC 9112 §4, §5).

use crate::semantics::Status;

/// What goes into a response's head.
#[derive(Clone, Copy, Debug)]
pub struct ResponseHead<'a> {
    /// The status.
    pub status: Status,
    /// The Date field's value, 29 octets. `None` when the program wrote one, or for 1xx.
    pub date: Option<&'a str>,
    /// The Server field's value.
    pub server: Option<&'a str>,
    /// Serialised, validated field lines, each ended by CRLF; the last part of the head.
    pub fields: &'a [u8],
    /// How the content is delimited.
    pub length: LengthField,
    /// The Connection field.
    pub connection: ConnectionField,
}

/// The field that delimits a response's content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LengthField {
    /** Neither field: no content by the status, or ended by close. */
    Absent,
    /** Content-Length. */
    Length(u64),
    /** Transfer-Encoding: chunked. */
    Chunked,
}

/// The Connection field of a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectionField {
    /** HTTP/1.1 that persists. */
    Absent,
    /** An HTTP/1.0 client that asked for it. */
    KeepAlive,
    /** This is the last answer. */
    Close,
}

/// Appends the head, ended by its empty line. The status line always says HTTP/1.1 (RFC 9110 §6.2: a server sends its own highest version of the major version).
pub fn push_head(out: &mut Vec<u8>, head: &ResponseHead<'_>) {
    todo!()
}

/// The interim answer that invites content (RFC 9110 §15.2.1).
pub const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

/// Why a field cannot be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidField {
    /** The name is not a token. */
    Name,
    /** The value holds CR, LF, NUL or another control. */
    Value,
}
