//! The Host field and the authority component (RFC 9110 §7.2, RFC 3986 §3.2).

use core::net::{Ipv4Addr, Ipv6Addr};

use super::Span;
use crate::bytes::{class, number};

/// A host and an optional port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Authority<'a> {
    /// A reg-name or IPv4 address as received, or an IPv6 address in its brackets.
    pub host: &'a str,
    /// `None` when absent or empty.
    pub port: Option<u16>,
}

/// Parses `uri-host [ ":" port ]`: no userinfo, no path, no white space, no comma; an IPv6 literal
/// must be one.
///
/// An empty host is `Some` with an empty name only for the Host field of a target without authority
/// (`allow_empty`, RFC 9110 §7.2); `http` and `https` URIs never have one (RFC 9110 §4.2.1).
pub fn parse(bytes: &[u8], allow_empty: bool) -> Option<Authority<'_>> {
    let (host, port) = host_and_port(bytes, allow_empty)?;
    Some(Authority {
        host: std::str::from_utf8(host).ok()?,
        port,
    })
}

/// Whether [`parse`] takes these bytes, at less cost: each request asks.
pub fn is_valid(bytes: &[u8], allow_empty: bool) -> bool {
    host_and_port(bytes, allow_empty).is_some()
}

/// [`is_valid`] for the bytes at `span` of a head. The bytes after them are read too, as a search
/// over many is quicker than one over few, but do not count: no byte that ends a field value or a
/// target belongs to a host.
#[inline]
pub fn is_valid_at(span: Span, bytes: &[u8], allow_empty: bool) -> bool {
    // Nearly every host is a name or an IPv4 address, and perhaps a port.
    let (start, end) = (span.start as usize, span.end as usize);
    let name = class::host_name_end(bytes, start).min(end);
    if name > start {
        match bytes.get(name..end) {
            Some([]) => return true,
            Some([b':', digits @ ..]) if digits.len() < PORT_DIGITS => {
                return number::are_digits(digits);
            }
            _ => {}
        }
    }
    is_valid(span.of(bytes), allow_empty)
}

/// The host, which is ASCII, and the port.
fn host_and_port(bytes: &[u8], allow_empty: bool) -> Option<(&[u8], Option<u16>)> {
    let (host, after) = bytes.split_at(host_len(bytes)?);
    if host.is_empty() && !allow_empty {
        return None;
    }
    let port = match after {
        [] => None,
        [b':', digits @ ..] => port(digits)?,
        _ => return None,
    };
    Some((host, port))
}

/// The length of the host at the start, which ends at the first byte that cannot belong to one.
fn host_len(bytes: &[u8]) -> Option<usize> {
    match bytes {
        [b'[', literal @ ..] => {
            let len = literal.iter().position(|&byte| byte == b']')?;
            // STRICTER: RFC 3986 §3.2.2 also has IPvFuture ("v1.…"), of which no version exists;
            // one server would take it for a name, another for nothing.
            ipv6_address(&literal[..len])?;
            Some(len + 2)
        }
        _ => reg_name_len(bytes),
    }
}

/// An IPv4 address: four decimal numbers, with no sign, white space or zeros in front, and nothing
/// else.
pub fn ipv4_address(bytes: &[u8]) -> Option<Ipv4Addr> {
    std::str::from_utf8(bytes).ok()?.parse().ok()
}

/// An IPv6 address in any form of RFC 4291 §2.2, without brackets and without a zone.
pub fn ipv6_address(bytes: &[u8]) -> Option<Ipv6Addr> {
    std::str::from_utf8(bytes).ok()?.parse().ok()
}

/// RFC 3986 §3.2.2: "reg-name = *( unreserved / pct-encoded / sub-delims )"; an IPv4 address is
/// spelt in the same bytes.
fn reg_name_len(bytes: &[u8]) -> Option<usize> {
    // Nearly every host consists of these.
    let mut len = class::host_name_end(bytes, 0);
    while len < bytes.len() {
        match bytes[len] {
            byte if class::is_unreserved(byte) => len += 1,
            // STRICTER: a comma is a sub-delim, but in a Host field it looks like two merged Host
            // fields, and the next server may take the other.
            b',' => return None,
            b'%' => {
                number::hex_digit(*bytes.get(len + 1)?)?;
                number::hex_digit(*bytes.get(len + 2)?)?;
                len += 3;
            }
            byte if class::is_sub_delim(byte) => len += 1,
            _ => break,
        }
    }
    Some(len)
}

/// The digits of `u16::MAX`. Any number with fewer is a port.
const PORT_DIGITS: usize = 5;

/// RFC 3986 §3.2.3: "port = *DIGIT". The outer `None` is an invalid one.
fn port(digits: &[u8]) -> Option<Option<u16>> {
    if digits.is_empty() {
        return Some(None);
    }
    let port = u16::try_from(number::decimal(digits)?).ok()?;
    Some(Some(port))
}
