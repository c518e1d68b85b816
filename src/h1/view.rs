//! What a head's spans stand for, as text.
//!
//! In: a head and the octets that it was parsed from. Out: field values, which are octets
//! ([`FieldTable::headers`](crate::semantics::FieldTable::headers)). Never: decoding, a copy.

use super::Head;
use crate::semantics::Span;

impl Head {
    /// The request target as it came (RFC 9112 §3.2). `octets` are those that the head was parsed from, here and below; with
    /// others the answer is any part of them, or empty.
    pub fn target_text<'a>(&self, octets: &'a [u8]) -> &'a str {
        text(self.target, octets)
    }

    /// The path as it came, not percent-decoded: `/` when an absolute target has none (RFC 9110 §4.2.3), `*` for `OPTIONS *`,
    /// and empty for CONNECT.
    pub fn path<'a>(&self, octets: &'a [u8]) -> &'a str {
        self.parts.path_of(self.target_text(octets))
    }

    /// The query as it came, without its `?`; `None` when there is no `?`.
    pub fn query<'a>(&self, octets: &'a [u8]) -> Option<&'a str> {
        self.parts.query_of(self.target_text(octets))
    }

    /// The effective host, with its port if one was sent (RFC 9110 §7.2): see [`Head::host`](Head#structfield.host).
    pub fn host_text<'a>(&self, octets: &'a [u8]) -> Option<&'a str> {
        Some(text(self.host?, octets))
    }
}

/// Targets and hosts are ASCII, so the default is only for octets that are not the head's.
fn text(span: Span, octets: &[u8]) -> &str {
    std::str::from_utf8(span.of(octets)).unwrap_or_default()
}
