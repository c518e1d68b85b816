//! The head of a response (RFC 9112 §4, §5): the order of its lines, copied into a buffer that is
//! reused.
//!
//! Which fields a response has is decided in `conn`; `semantics::field_lines` has validated them.

use crate::bytes::number;
use crate::semantics::Status;
use crate::semantics::date::HttpDate;

/// The parts of a response's head.
#[derive(Clone, Copy, Debug)]
pub struct ResponseHead<'a> {
    /// The status.
    pub status: Status,
    /// The Date field's value. `None` when the program wrote one, or for 1xx.
    pub date: Option<&'a HttpDate>,
    /// The Server field's value.
    pub server: Option<&'a str>,
    /// Serialised, validated field lines, each ended by CRLF; the last part of the head.
    pub fields: &'a [u8],
    /// How the content is delimited.
    pub length: LengthField,
    /// The Connection field.
    pub connection: ConnectionField,
    /// The Upgrade field, which the Connection field announces: the protocol of a 101, or the one
    /// that a 426 asks for.
    pub upgrade: Option<&'a str>,
}

/// The field that delimits a response's content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LengthField {
    /// Neither field: no content by the status, or ended by close.
    Absent,
    /// Content-Length, in bytes.
    Length(u64),
    /// Transfer-Encoding: chunked.
    Chunked,
}

/// Whether a connection persists, as a response's Connection field says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectionField {
    /// HTTP/1.1 that persists.
    Absent,
    /// An HTTP/1.0 client that asked for it.
    KeepAlive,
    /// This is the last response.
    Close,
}

/// The interim response that asks for the content (RFC 9110 §15.2.1).
pub const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

/// Appends the head, ended by its empty line.
///
/// Always in this order: status line, Date, Server, Connection, Upgrade, Content-Length or
/// Transfer-Encoding, the other fields. The status line always says HTTP/1.1 (RFC 9110 §6.2: a
/// server sends its own highest version of the major version).
pub fn push_head(out: &mut Vec<u8>, head: &ResponseHead<'_>) {
    // The status line of nearly every response, in one copy.
    if head.status == Status::OK {
        out.extend_from_slice(b"HTTP/1.1 200 OK\r\n");
    } else {
        out.extend_from_slice(b"HTTP/1.1 ");
        number::push_decimal(out, u64::from(head.status.code()));
        // RFC 9112 §4: "A server MUST send the space that separates the status-code from the
        // reason-phrase even when the reason-phrase is absent (i.e., the status-line would end with
        // the space)."
        push_line(out, b" ", head.status.reason().as_bytes());
    }
    if let Some(date) = head.date {
        push_line(out, b"Date: ", &date.0);
    }
    if let Some(server) = head.server {
        push_line(out, b"Server: ", server.as_bytes());
    }
    if head.connection != ConnectionField::Absent || head.upgrade.is_some() {
        push_connection(out, head.connection, head.upgrade);
    }
    match head.length {
        LengthField::Absent => {}
        LengthField::Length(length) => {
            out.extend_from_slice(b"Content-Length: ");
            number::push_decimal(out, length);
            out.extend_from_slice(b"\r\n");
        }
        LengthField::Chunked => out.extend_from_slice(b"Transfer-Encoding: chunked\r\n"),
    }
    out.extend_from_slice(head.fields);
    out.extend_from_slice(b"\r\n");
}

fn push_connection(out: &mut Vec<u8>, connection: ConnectionField, upgrade: Option<&str>) {
    let persistence: &[u8] = match connection {
        ConnectionField::Absent => b"",
        ConnectionField::KeepAlive => b"keep-alive",
        ConnectionField::Close => b"close",
    };
    let Some(protocol) = upgrade else {
        return push_line(out, b"Connection: ", persistence);
    };
    // RFC 9110 §7.8: "A sender of Upgrade MUST also send an "Upgrade" connection option in the
    // Connection header field to inform intermediaries not to forward this field."
    out.extend_from_slice(b"Connection: ");
    if !persistence.is_empty() {
        out.extend_from_slice(persistence);
        out.extend_from_slice(b", ");
    }
    push_line(out, b"upgrade\r\nUpgrade: ", protocol.as_bytes());
}

fn push_line(out: &mut Vec<u8>, before: &[u8], value: &[u8]) {
    out.extend_from_slice(before);
    out.extend_from_slice(value);
    out.extend_from_slice(b"\r\n");
}
