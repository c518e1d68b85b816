//! Whether the client wants the connection kept after an exchange (RFC 9112 §9.3). The server and
//! the framing may end it all the same.

use crate::semantics::{FieldName, Headers, Version, list};

/// Whether the client lets the connection persist: 1.1 unless `close`, 1.0 only with `keep-alive`;
/// `close` wins over everything.
pub fn keep_alive(version: Version, headers: Headers<'_>) -> bool {
    let says = |option| {
        // RFC 9110 §7.6.1: "Connection options are case-insensitive."; the field is a list, over as
        // many lines as there are.
        headers
            .known_all(FieldName::Connection)
            .any(|value| list::contains_token(value, option))
    };
    // RFC 9112 §9.3, in its order. "If the "close" connection option is present …, the connection
    // will not persist after the current response".
    if says("close") {
        return false;
    }
    match version {
        // "If the received protocol is HTTP/1.1 (or later), the connection will persist after the
        // current response".
        Version::Http11 => true,
        // "If the received protocol is HTTP/1.0, the "keep-alive" connection option is present, …";
        // else "The connection will close after the current response."
        Version::Http10 => says("keep-alive"),
    }
}
