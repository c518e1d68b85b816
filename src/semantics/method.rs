//! Request methods (RFC 9110 §9).

/// A request method. Methods are case-sensitive; one that is not registered is kept as it came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Method {
    /// GET (RFC 9110 §9.3.1).
    Get,
    /** HEAD */
    Head,
    /** POST */
    Post,
    /** PUT */
    Put,
    /** DELETE */
    Delete,
    /** CONNECT */
    Connect,
    /** OPTIONS */
    Options,
    /** TRACE */
    Trace,
    /// PATCH (RFC 5789).
    Patch,
    /// Any other token of at most 23 octets.
    Other(OtherMethod),
}
/// A method that is not one of the nine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct OtherMethod {
    len: u8,
    octets: [u8; crate::limits::METHOD_BYTES],
}

impl Method {
    /// The method that a token names. `None` when it is longer than [`METHOD_BYTES`](crate::limits::METHOD_BYTES) or no token.
    pub fn from_token(token: &[u8]) -> Option<Method> {
        todo!()
    }
    /// As it is written on the wire.
    pub fn as_str(&self) -> &str {
        todo!()
    }
    /// Whether the method is defined as safe (RFC 9110 §9.2.1): GET, HEAD, OPTIONS, TRACE.
    pub const fn is_safe(&self) -> bool {
        todo!()
    }
}
impl std::fmt::Display for Method {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}
