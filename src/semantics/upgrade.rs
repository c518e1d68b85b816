//! The client's offer to go on in another protocol (RFC 9110 §7.8).
//!
//! Whether to accept it is up to the program: "Upgrade cannot be used to insist on a protocol
//! change."

use super::{FieldName, Headers, Version, list};
use crate::bytes::class;

/// Whether the client offers to go on in this protocol, such as `websocket` or `IRC/6.9`: as it is
/// spelt there, version included, without regard to case.
///
/// RFC 9110 §7.8: "A server MUST NOT switch to a protocol that was not indicated by the client in
/// the corresponding request's Upgrade header field."
pub fn offers(version: Version, headers: Headers<'_>, protocol: &str) -> bool {
    // RFC 9110 §7.8: "A server that receives an Upgrade header field in an HTTP/1.0 request MUST
    // ignore that Upgrade field."
    if version == Version::Http10 || !is_protocol(protocol.as_bytes()) {
        return false;
    }
    let lists = |field, token: &str| {
        headers
            .known_all(field)
            .any(|value| list::contains_token(value, token))
    };
    // RFC 9110 §7.8: "A sender of Upgrade MUST also send an "Upgrade" connection option in the
    // Connection header field". Without it, the field may be one that a proxy has passed on by
    // mistake, and the offer somebody else's.
    // RFC 9110 §7.8: "recipients SHOULD use case-insensitive comparison when matching each
    // protocol-name to supported protocols."
    lists(FieldName::Connection, "upgrade") && lists(FieldName::Upgrade, protocol)
}

/// Whether this can be the name of a protocol in an Upgrade field.
///
/// RFC 9110 §7.8: `protocol = protocol-name ["/" protocol-version]`, both tokens.
pub fn is_protocol(bytes: &[u8]) -> bool {
    let is_token = |part: &[u8]| !part.is_empty() && class::token_len(part) == part.len();
    let mut parts = bytes.splitn(2, |&byte| byte == b'/');
    parts.next().is_some_and(is_token) && parts.next().is_none_or(is_token)
}
