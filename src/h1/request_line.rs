//! The request line (RFC 9112 §3), with the empty line that may stand before it.
//!
//! In: its three parts, the octets that each may hold, their lengths; what each wrong octet is called.
//! Out: what the parts mean, save for the version. Never: looking at an octet twice, save for the eight of the version.

use super::Reject;
use super::field_line::{CR, HTAB, LF, SP};
use crate::bytes::class;
use crate::limits::{LEADING_EMPTY_LINES, Limits, METHOD_BYTES};
use crate::scan;
use crate::semantics::Version;
use std::ops::Range;

/// What the next octet of a request line belongs to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum At {
    /// The method's first octet, or the CR of an empty line before it.
    #[default]
    Start,
    /// The LF of an empty line.
    EmptyLineFeed,
    /// The method, or the space behind it.
    Method,
    /// The target, or the space behind it.
    Target,
    /// The version, or the CR behind it.
    Version,
    /// The LF.
    LineFeed,
}

/// How far a request line has been read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    /// The first octet that has not been read.
    pub offset: usize,
    /// What it belongs to.
    pub at: At,
    /// The first octet of the part that it belongs to.
    pub part: usize,
}

/// A request line's parts, as ranges of the input.
#[derive(Clone, Debug)]
pub(super) struct RequestLine {
    pub method: Range<usize>,
    pub target: Range<usize>,
    pub version: Version,
}

impl Default for RequestLine {
    /// A line of which nothing has been read.
    fn default() -> RequestLine {
        RequestLine {
            method: 0..0,
            target: 0..0,
            version: Version::Http11,
        }
    }
}

/// Reads on from `place`; `None` when `input` ends within the line.
///
/// The parts that an earlier call had read are empty in the answer: who wants them reads a line from its start.
pub(super) fn read_request_line(
    input: &[u8],
    place: &mut Place,
    limits: &Limits,
) -> Result<Option<RequestLine>, Reject> {
    let mut line = RequestLine::default();
    loop {
        let rest = input.get(place.offset..).unwrap_or_default();
        let Some(&octet) = rest.first() else {
            return Ok(None);
        };
        let (len, next) = match place.at {
            At::Start if octet == CR => {
                // RFC 9112 §2.2: "a server that is expecting to receive and parse a request-line SHOULD ignore at least
                // one empty line (CRLF) received prior to the request-line."
                if place.offset >= 2 * LEADING_EMPTY_LINES {
                    return Err(Reject::EmptyRequestLine);
                }
                (1, At::EmptyLineFeed)
            }
            At::Start => (0, start(octet)?),
            At::EmptyLineFeed if octet == LF => (1, At::Start),
            At::EmptyLineFeed => return Err(Reject::BareCarriageReturn),
            At::Method => {
                let Some(len) = method(rest, place)? else {
                    return Ok(None);
                };
                line.method = place.part..place.offset + len;
                (len + 1, At::Target)
            }
            At::Target => {
                let Some(len) = target(rest, place, limits.target_bytes)? else {
                    return Ok(None);
                };
                line.target = place.part..place.offset + len;
                (len + 1, At::Version)
            }
            At::Version => {
                let Some((len, version)) = version(input, rest, place)? else {
                    return Ok(None);
                };
                line.version = version;
                (len + 1, At::LineFeed)
            }
            At::LineFeed if octet == LF => {
                place.offset += 1;
                return Ok(Some(line));
            }
            At::LineFeed => return Err(Reject::BareCarriageReturn),
        };
        place.offset += len;
        place.part = place.offset;
        place.at = next;
    }
}

/// Whether a method can begin with `octet`; if not, what came instead.
fn start(octet: u8) -> Result<At, Reject> {
    match octet {
        // The content type of a TLS record that holds a handshake (RFC 8446 §5.1): no octet of a request is 0x16.
        0x16 => Err(Reject::TlsHello),
        LF => Err(Reject::BareLineFeed),
        SP | HTAB => Err(Reject::RequestLineForm),
        _ if class::is_tchar(octet) => Ok(At::Method),
        _ => Err(Reject::InvalidMethod),
    }
}

/// The octets of the method in `rest`, when the space behind it is there.
fn method(rest: &[u8], place: &mut Place) -> Result<Option<usize>, Reject> {
    let len = class::token_len(rest);
    // RFC 9112 §3: "A server that receives a method longer than any that it implements SHOULD respond with a 501".
    if place.offset - place.part + len > METHOD_BYTES {
        return Err(Reject::MethodTooLong);
    }
    match rest.get(len) {
        Some(&SP) => Ok(Some(len)),
        Some(&LF) => Err(Reject::BareLineFeed),
        Some(&CR | &HTAB) => Err(Reject::RequestLineForm),
        Some(_) => Err(Reject::InvalidMethod),
        None => {
            place.offset += len;
            Ok(None)
        }
    }
}

/// The octets of the target in `rest`, when the space behind it is there.
fn target(rest: &[u8], place: &mut Place, target_bytes: usize) -> Result<Option<usize>, Reject> {
    let len = scan::target_len(rest);
    let total = place.offset - place.part + len;
    // RFC 9112 §3: "A server that receives a request-target longer than any URI it wishes to parse MUST respond with a 414
    // (URI Too Long) status code".
    if total > target_bytes {
        return Err(Reject::TargetTooLong);
    }
    match rest.get(len) {
        // STRICTER: RFC 9112 §3 lets a recipient split at any run of white space. Exactly one SP, as a target with a space
        // in it is cut differently by each recipient that does.
        Some(&SP) if total > 0 => Ok(Some(len)),
        Some(&LF) => Err(Reject::BareLineFeed),
        Some(&SP | &CR | &HTAB) => Err(Reject::RequestLineForm),
        Some(_) => Err(Reject::InvalidTarget),
        None => {
            place.offset += len;
            Ok(None)
        }
    }
}

/// The octets of the version in `rest`, and the version, when the CR behind it is there.
fn version(
    input: &[u8],
    rest: &[u8],
    place: &mut Place,
) -> Result<Option<(usize, Version)>, Reject> {
    const FORM: &[u8; 8] = b"HTTP/1.1";
    // What nearly every request has, in one comparison.
    if place.offset == place.part && rest.starts_with(b"HTTP/1.1\r") {
        return Ok(Some((FORM.len(), Version::Http11)));
    }
    let begun = place.offset - place.part;
    for (index, &octet) in (begun..=FORM.len()).zip(rest) {
        // RFC 9112 §2.3: `HTTP-version = HTTP-name "/" DIGIT "." DIGIT`, "HTTP-version is case-sensitive".
        let fits = match index {
            5 | 7 => octet.is_ascii_digit(),
            _ => octet == FORM.get(index).copied().unwrap_or(CR),
        };
        if !fits {
            return Err(match octet {
                LF => Reject::BareLineFeed,
                SP | HTAB if index == 0 => Reject::RequestLineForm,
                _ => Reject::InvalidVersion,
            });
        }
    }
    let missing = FORM.len() - begun;
    if rest.len() <= missing {
        place.offset += rest.len();
        return Ok(None);
    }
    match (input.get(place.part + 5), input.get(place.part + 7)) {
        (Some(b'1'), Some(b'0')) => Ok(Some((missing, Version::Http10))),
        // RFC 9110 §2.5: a minor version is served by the highest that the server knows of its major version.
        (Some(b'1'), _) => Ok(Some((missing, Version::Http11))),
        // RFC 9113 §3.4: the preface of a client that takes this for an HTTP/2 port.
        (Some(b'2'), _) if input.get(..place.part).is_some_and(is_preface) => {
            Err(Reject::Http2Preface)
        }
        _ => Err(Reject::UnsupportedVersion),
    }
}

fn is_preface(before_version: &[u8]) -> bool {
    before_version
        .strip_prefix(b"\r\n")
        .unwrap_or(before_version)
        == b"PRI * "
}
