//! The Host field and the authority component (RFC 9110 §7.2, RFC 3986 §3.2).

/// A host and an optional port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Authority<'a> {
    /** reg-name, IPv4 address, or bracketed IPv6 address */
    pub host: &'a str,
    /** `None` when absent or empty */
    pub port: Option<u16>,
}

/// Parses `uri-host [ ":" port ]`: no userinfo, no path, no white space, no comma; an IPv6 literal must be one. An empty host is `Some` with an empty name only for the Host field of a target without authority (`allow_empty`).
pub fn parse(octets: &[u8], allow_empty: bool) -> Option<Authority<'_>> {
    todo!()
}
