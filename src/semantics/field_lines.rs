//! The field lines of a response, serialised. Each is validated when it is added, so that no value
//! can end its line. Fields that frame a message are refused: the connection alone writes them.

use super::fields::{FieldName, valid_name, valid_value};
use std::fmt;

/// The field lines of a response, validated and serialised as they are added (RFC 9112 §5).
///
/// The lines can be sent unchanged. RFC 9110 §5.5: "Field values containing CR, LF, or NUL
/// characters are invalid and dangerous", and [`push`](FieldLines::push), which refuses them, is
/// the only way in.
///
/// ```
/// use doorstep::{FieldError, FieldLines};
///
/// let mut lines = FieldLines::new();
/// lines.push("Content-Type", "text/plain")?;
/// assert_eq!(lines.push("X", "a\r\nSet-Cookie: b"), Err(FieldError::Value));
/// assert_eq!(lines.push("Content-Length", "5"), Err(FieldError::Managed));
/// assert_eq!(lines.as_bytes(), b"Content-Type: text/plain\r\n");
/// # Ok::<(), FieldError>(())
/// ```
///
/// Printing it for debugging shows names and the lengths of values, never a value: some are
/// secrets.
#[derive(Clone, Default)]
pub struct FieldLines {
    /// INVARIANT: lines `name: value CRLF`, of a token and of bytes that a field value may have.
    pub(crate) bytes: Vec<u8>,
    pub(crate) has_date: bool,
    pub(crate) has_server: bool,
}

/// Why a field line was not added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FieldError {
    /// The name is not a token (RFC 9110 §5.1).
    Name,
    /// The value holds CR, LF, NUL or another control (RFC 9110 §5.5): it could be read as a field,
    /// or an answer, of its own.
    Value,
    /// The server alone writes this field, because it must agree with what is sent: Content-Length,
    /// Transfer-Encoding, Connection, Keep-Alive, and Upgrade, for which there is
    /// [`Response::upgrade`](crate::Response::upgrade).
    Managed,
}

impl FieldLines {
    /// None. Allocates nothing.
    pub const fn new() -> FieldLines {
        FieldLines {
            bytes: Vec::new(),
            has_date: false,
            has_server: false,
        }
    }

    /// Adds a line after the others. Of a field that may stand once only, such as Content-Type or
    /// Location, it replaces the one that is there (RFC 9110 §5.3); other names may come more than
    /// once.
    ///
    /// # Errors
    /// See [`FieldError`]; the lines stay as they were.
    pub fn push(&mut self, name: &str, value: &str) -> Result<(), FieldError> {
        if !valid_name(name.as_bytes()) {
            return Err(FieldError::Name);
        }
        if !valid_value(value.as_bytes()) {
            return Err(FieldError::Value);
        }
        match FieldName::of(name.as_bytes()) {
            FieldName::ContentLength
            | FieldName::TransferEncoding
            | FieldName::Connection
            | FieldName::KeepAlive
            // RFC 9110 §7.8: "A sender of Upgrade MUST also send an "Upgrade" connection option in
            // the Connection header field".
            | FieldName::Upgrade => return Err(FieldError::Managed),
            FieldName::Date => self.has_date = true,
            FieldName::Server => self.has_server = true,
            _ => {}
        }
        let is_this = |single: &&str| single.eq_ignore_ascii_case(name);
        if SINGLE.iter().any(is_this) {
            self.remove(name);
        }
        self.append(name, value);
        Ok(())
    }

    /// Adds a Content-Type that is one of this crate's own, and so valid.
    pub(crate) fn push_media_type(&mut self, media_type: &'static str) {
        debug_assert!(valid_value(media_type.as_bytes()));
        self.append("Content-Type", media_type);
    }

    /// Takes out the first line with this name, if there is one.
    fn remove(&mut self, name: &str) {
        let is_of = |line: &[u8]| {
            let of_line = line.split(|&byte| byte == b':').next();
            of_line.is_some_and(|this| this.eq_ignore_ascii_case(name.as_bytes()))
        };
        let mut start = 0;
        for line in self.bytes.split_inclusive(|&byte| byte == b'\n') {
            let end = start + line.len();
            if is_of(line) {
                self.bytes.drain(start..end);
                return;
            }
            start = end;
        }
    }

    fn append(&mut self, name: &str, value: &str) {
        let bytes = &mut self.bytes;
        bytes.reserve(name.len() + value.len() + 4);
        bytes.extend_from_slice(name.as_bytes());
        bytes.extend_from_slice(b": ");
        bytes.extend_from_slice(value.as_bytes());
        bytes.extend_from_slice(b"\r\n");
    }

    /// The value of the first line with this name, without regard to case (RFC 9110 §5.1).
    pub fn get(&self, name: &str) -> Option<&str> {
        self.iter()
            .find(|(this, _)| this.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }

    /// Name and value of each line, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        // Only whole texts are added, so this is never the default.
        let lines = std::str::from_utf8(&self.bytes).unwrap_or_default();
        lines.split("\r\n").filter_map(|line| line.split_once(": "))
    }

    /// The lines as they are sent, each ended by CRLF.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Whether there are no lines.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Forgets all lines and keeps the memory.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.has_date = false;
        self.has_server = false;
    }
}

/// RFC 9110 §5.3: "a sender MUST NOT generate multiple field lines with the same name in a message
/// … unless that field's definition allows multiple field line values to be recombined as a
/// comma-separated list". These do not, of the fields that an answer may have.
const SINGLE: [&str; 11] = [
    "Age",
    "Content-Location",
    "Content-Range",
    "Content-Type",
    "Date",
    "ETag",
    "Expires",
    "Last-Modified",
    "Location",
    "Retry-After",
    "Server",
];

impl fmt::Debug for FieldLines {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_map()
            .entries(self.iter().map(|(name, value)| (name, value.len())))
            .finish()
    }
}

impl fmt::Display for FieldError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            FieldError::Name => "the field name is not a token",
            FieldError::Value => "the field value holds a control character",
            FieldError::Managed => "the server writes this field itself",
        })
    }
}

impl std::error::Error for FieldError {}
