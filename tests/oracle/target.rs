//! RFC 9112 §3.2 and RFC 3986 §3: the request target, and the host that stands in it or in the Host
//! field.

use super::grammar::{decimal, hexdig, is_vchar};

/// Which of the four forms a target has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    Origin,
    Absolute,
    Authority,
    Asterisk,
}

/// `LENIENT:` in a path and in a query stands any VCHAR, as browsers send more than RFC 3986 has
/// there; but `#`, which begins a fragment, stands in none of the forms.
pub fn is_target_octet(octet: u8) -> bool {
    is_vchar(octet) && octet != b'#'
}

/// A target taken apart.
pub struct Target<'a> {
    pub form: Form,
    pub authority: Option<&'a [u8]>,
    pub path: &'a [u8],
    pub query: Option<&'a [u8]>,
}

/// `request-target = origin-form / absolute-form / authority-form / asterisk-form`.
///
/// Its bytes are judged already.
pub fn take_apart<'a>(method: &[u8], target: &'a [u8]) -> Option<Target<'a>> {
    let without_path = |form, authority| Target {
        form,
        authority,
        path: b"",
        query: None,
    };
    match target {
        // §3.2.3: authority-form = uri-host ":" port, for CONNECT alone, which has no other; the
        // port has to be there.
        _ if method == b"CONNECT" => {
            let port = authority(target)?.port;
            let has_port = port.is_some_and(|port| !port.is_empty());
            has_port.then(|| without_path(Form::Authority, Some(target)))
        }
        // §3.2.4: asterisk-form = "*", for OPTIONS alone.
        b"*" => (method == b"OPTIONS").then(|| without_path(Form::Asterisk, None)),
        // §3.2.1: origin-form = absolute-path [ "?" query ].
        [b'/', ..] => {
            let (path, query) = path_and_query(target);
            Some(Target {
                form: Form::Origin,
                authority: None,
                path,
                query,
            })
        }
        // §3.2.2: absolute-form = absolute-URI.
        _ => absolute_form(target),
    }
}

/// RFC 9110 §4.2.1: `http-URI = "http" "://" authority path-abempty [ "?" query ]`, and the same
/// for https. Its host is not empty, and a userinfo is an error (§4.2.4). RFC 3986 §3.1: schemes
/// have no case.
fn absolute_form(target: &[u8]) -> Option<Target<'_>> {
    let colon = target.iter().position(|&octet| octet == b':')?;
    let (scheme, behind) = target.split_at(colon);
    let is_http = [&b"http"[..], b"https"].contains(&&scheme.to_ascii_lowercase()[..]);
    let behind = behind.strip_prefix(b"://").filter(|_| is_http)?;
    let end = behind.iter().position(|octet| b"/?".contains(octet));
    let (before, behind) = behind.split_at(end.unwrap_or(behind.len()));
    authority(before)?;
    let (path, query) = path_and_query(behind);
    Some(Target {
        form: Form::Absolute,
        authority: Some(before),
        path,
        query,
    })
}

fn path_and_query(octets: &[u8]) -> (&[u8], Option<&[u8]>) {
    match octets.iter().position(|&octet| octet == b'?') {
        Some(mark) => (&octets[..mark], Some(&octets[mark + 1..])),
        None => (octets, None),
    }
}

/// `uri-host [ ":" port ]`.
struct Authority<'a> {
    host: &'a [u8],
    port: Option<&'a [u8]>,
}

/// An authority, whose host is not empty.
fn authority(octets: &[u8]) -> Option<Authority<'_>> {
    host_and_port(octets).filter(|authority| !authority.host.is_empty())
}

/// RFC 9110 §7.2: `Host = uri-host [ ":" port ]`, which is empty where the target's URI has no
/// authority; so it may be here, when the target itself has none.
pub fn is_host_field(value: &[u8], may_be_empty: bool) -> bool {
    host_and_port(value).is_some_and(|field| may_be_empty || !field.host.is_empty())
}

fn host_and_port(octets: &[u8]) -> Option<Authority<'_>> {
    // RFC 3986 §3.2.2: host = IP-literal / IPv4address / reg-name, where IP-literal = "[" (
    // IPv6address / IPvFuture ) "]". STRICTER: there is no IPvFuture yet.
    let end = match octets {
        [b'[', ..] => octets.iter().position(|&octet| octet == b']')? + 1,
        _ => octets
            .iter()
            .position(|&octet| octet == b':')
            .unwrap_or(octets.len()),
    };
    let (host, behind) = octets.split_at(end);
    let is_fine = match host {
        [b'[', address @ .., b']'] => is_ipv6_address(address),
        _ => is_reg_name(host),
    };
    let port = match behind {
        [] => None,
        [b':', port @ ..] => Some(port),
        _ => return None,
    };
    (is_fine && port.is_none_or(is_port)).then_some(Authority { host, port })
}

/// RFC 3986 §3.2.3: `port = *DIGIT`; here one that there is, in no more than 20 digits.
fn is_port(octets: &[u8]) -> bool {
    octets.is_empty() || decimal(octets, 20).is_some_and(|port| port <= 65_535)
}

/// RFC 3986 §3.2.2: `reg-name = *( unreserved / pct-encoded / sub-delims )`.
///
/// `STRICTER:` a comma, which is a sub-delim, is what two Host fields make that were merged into
/// one.
fn is_reg_name(mut octets: &[u8]) -> bool {
    loop {
        octets = match octets {
            [] => return true,
            // RFC 3986 §2.1: pct-encoded = "%" HEXDIG HEXDIG.
            [b'%', one, two, rest @ ..] if hexdig(*one).and(hexdig(*two)).is_some() => rest,
            // RFC 3986 §2.3: unreserved = ALPHA / DIGIT / "-" / "." / "_" / "~";
            // §2.2: sub-delims = "!" / "$" / "&" / "'" / "(" / ")" / "*" / "+" / "," / ";" / "=".
            [octet, rest @ ..]
                if octet.is_ascii_alphanumeric() || b"-._~!$&'()*+;=".contains(octet) =>
            {
                rest
            }
            _ => return false,
        }
    }
}

/// RFC 3986 §3.2.2: eight groups of 16 bits, `h16 = 1*4HEXDIG`, with a colon between two of them;
/// the last two may be an IPv4 address, and one run of groups, of one at least, may be left out for
/// `::`.
fn is_ipv6_address(octets: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(octets) else {
        return false;
    };
    match text.split_once("::") {
        None => groups(text, true) == Some(8),
        Some((before, behind)) => {
            let count = |part: &str, is_end| match part {
                "" => Some(0),
                part => groups(part, is_end),
            };
            let all = count(before, false).zip(count(behind, true));
            all.is_some_and(|(before, behind)| before + behind <= 7)
        }
    }
}

/// How many groups these are; at the end of an address an IPv4 address counts as two.
fn groups(text: &str, is_end: bool) -> Option<usize> {
    let parts: Vec<&str> = text.split(':').collect();
    let (last, before) = parts.split_last()?;
    let is_h16 = |part: &str| {
        (1..=4).contains(&part.len()) && part.bytes().all(|octet| hexdig(octet).is_some())
    };
    let fine_before = before.iter().all(|part| is_h16(part));
    match last {
        _ if !fine_before => None,
        last if is_h16(last) => Some(parts.len()),
        last if is_end && is_ipv4_address(last) => Some(parts.len() + 1),
        _ => None,
    }
}

/// RFC 3986 §3.2.2: `IPv4address = dec-octet "." dec-octet "." dec-octet "." dec-octet`, where
/// dec-octet has no zeros in front.
fn is_ipv4_address(text: &str) -> bool {
    let is_dec_octet = |part: &str| {
        let number = decimal(part.as_bytes(), 3);
        number.is_some_and(|number| number <= 255 && number.to_string() == part)
    };
    text.split('.').count() == 4 && text.split('.').all(is_dec_octet)
}
