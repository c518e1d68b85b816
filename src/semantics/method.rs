//! Request methods (RFC 9110 §9). They are case-sensitive.

use std::fmt;

use crate::bytes::class;

/// A request method. Methods are case-sensitive (RFC 9110 §9.1); one that is not among the nine is
/// kept as received.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Method {
    /// GET (RFC 9110 §9.3.1): transfer a current representation of the target.
    Get,
    /// HEAD (RFC 9110 §9.3.2): the same as GET, but without content in the response.
    Head,
    /// POST (RFC 9110 §9.3.3): process the content as the target itself defines.
    Post,
    /// PUT (RFC 9110 §9.3.4): replace the target with the content.
    Put,
    /// DELETE (RFC 9110 §9.3.5): remove the target.
    Delete,
    /// CONNECT (RFC 9110 §9.3.6): make a tunnel to the target.
    Connect,
    /// OPTIONS (RFC 9110 §9.3.7): describe what can be asked of the target.
    Options,
    /// TRACE (RFC 9110 §9.3.8): send the request back.
    Trace,
    /// PATCH (RFC 5789 §2): change the target as the content says.
    Patch,
    /// Any other token of at most 23 bytes. None is equal to one of the nine.
    Other(OtherMethod),
}

/// A method that is not one of the nine: a token of at most 23 bytes, made by
/// [`Method::from_token`] alone.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct OtherMethod {
    len: u8,
    /// INVARIANT: the first `len` bytes are a token, the others zero (so that equality may be
    /// derived).
    bytes: [u8; METHOD_BYTES],
}

/// Bytes of a method. Registered names have at most 17 (UPDATEREDIRECTREF); a longer token gets
/// 501.
pub const METHOD_BYTES: usize = 23;

impl Method {
    /// The method that a token names. `None` when it is longer than [`METHOD_BYTES`] or no token.
    pub fn from_token(token: &[u8]) -> Option<Method> {
        // RFC 9110 §9.1: "The method token is case-sensitive".
        Some(match token {
            b"GET" => Method::Get,
            b"HEAD" => Method::Head,
            b"POST" => Method::Post,
            b"PUT" => Method::Put,
            b"DELETE" => Method::Delete,
            b"CONNECT" => Method::Connect,
            b"OPTIONS" => Method::Options,
            b"TRACE" => Method::Trace,
            b"PATCH" => Method::Patch,
            other => Method::Other(OtherMethod::from_token(other)?),
        })
    }

    /// As it is written on the wire.
    pub fn as_str(&self) -> &str {
        match self {
            Method::Get => "GET",
            Method::Head => "HEAD",
            Method::Post => "POST",
            Method::Put => "PUT",
            Method::Delete => "DELETE",
            Method::Connect => "CONNECT",
            Method::Options => "OPTIONS",
            Method::Trace => "TRACE",
            Method::Patch => "PATCH",
            Method::Other(other) => other.as_str(),
        }
    }

    /// Whether the method is defined as safe: it asks for nothing to be changed.
    pub const fn is_safe(&self) -> bool {
        // RFC 9110 §9.2.1: "the GET, HEAD, OPTIONS, and TRACE methods are defined to be safe".
        matches!(
            self,
            Method::Get | Method::Head | Method::Options | Method::Trace
        )
    }
}

impl OtherMethod {
    /// As it is written on the wire.
    pub fn as_str(&self) -> &str {
        // A token is ASCII, so this is never the default.
        self.bytes
            .get(..usize::from(self.len))
            .and_then(|token| std::str::from_utf8(token).ok())
            .unwrap_or_default()
    }

    fn from_token(token: &[u8]) -> Option<OtherMethod> {
        if token.is_empty() || token.len() > METHOD_BYTES || class::token_len(token) < token.len() {
            return None;
        }
        let mut bytes = [0; METHOD_BYTES];
        bytes[..token.len()].copy_from_slice(token);
        Some(OtherMethod {
            len: token.len() as u8,
            bytes,
        })
    }
}

impl fmt::Display for Method {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

impl fmt::Debug for Method {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl fmt::Debug for OtherMethod {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}
