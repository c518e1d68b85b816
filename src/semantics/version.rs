//! The two protocol versions that this server speaks (RFC 9110 §2.5).

use std::fmt;

/// HTTP/1.0 or HTTP/1.1. A request of a later minor version is served as HTTP/1.1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Version {
    /// HTTP/1.0 (RFC 1945, as far as RFC 9112 keeps it).
    Http10,
    /// HTTP/1.1 (RFC 9112).
    #[default]
    Http11,
}

impl Version {
    /// As it is written on the wire: `HTTP/1.0` or `HTTP/1.1`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Version::Http10 => "HTTP/1.0",
            Version::Http11 => "HTTP/1.1",
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}
