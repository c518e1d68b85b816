//! The protocol version of a message (RFC 9110 §2.5).

/// HTTP/1.0 or HTTP/1.1. A request of a later minor version is served as HTTP/1.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Version {
    /// HTTP/1.0.
    Http10,
    /// HTTP/1.1.
    Http11,
}
