//! The request line (RFC 9112 §3), with the empty line that may stand before it.
//!
//! In: its three parts, the octets that each may hold, their lengths; what each wrong octet is called.
//! Out: what the parts mean, save for the version. Never: looking at an octet twice, save for the eight of the version.

use super::Reject;
use super::field_line::{CR, HTAB, LF, SP, behind_line_feed};
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
    let mut at = place.at;
    let mut part = place.part;
    let mut rest = input.get(place.offset..).unwrap_or_default();
    let mut line = RequestLine::default();
    let (method, target) = (Part::METHOD, Part::target(limits));
    // One turn, and one more for an empty line. Each step leads to the next one below it; a call that goes on in the middle
    // enters at its step.
    let complete = loop {
        if at == At::Start {
            part = input.len() - rest.len();
            let Some(found) = read_start(rest, part)? else {
                break false;
            };
            (at, rest) = found;
        }
        if at == At::Method {
            let len = class::token_len(rest);
            let Some(found) = read_part(input, rest, part, len, &method)? else {
                rest = &[];
                break false;
            };
            (line.method, rest) = found;
            part = line.method.end + 1;
            at = At::Target;
        }
        if at == At::Target {
            let len = scan::target_len(rest);
            let Some(found) = read_part(input, rest, part, len, &target)? else {
                rest = &[];
                break false;
            };
            (line.target, rest) = found;
            part = line.target.end + 1;
            at = At::Version;
        }
        if at == At::Version {
            let Some((version, behind)) = read_version(input, rest, part)? else {
                rest = &[];
                break false;
            };
            line.version = version;
            rest = behind;
            at = At::LineFeed;
        }
        match behind_line_feed(rest)? {
            None => break false,
            Some(behind) => rest = behind,
        }
        if at == At::LineFeed {
            break true;
        }
        at = At::Start;
    };
    *place = Place {
        offset: input.len() - rest.len(),
        at,
        part,
    };
    Ok(complete.then_some(line))
}

/// What the first octet of a line begins, and what is left of `rest`. `None` when it has not come yet.
#[inline]
fn read_start(rest: &[u8], start: usize) -> Result<Option<(At, &[u8])>, Reject> {
    match rest.split_first() {
        None => Ok(None),
        // RFC 9112 §2.2: "a server that is expecting to receive and parse a request-line SHOULD ignore at least one empty line
        // (CRLF) received prior to the request-line."
        Some((&CR, behind)) if start < 2 * LEADING_EMPTY_LINES => {
            Ok(Some((At::EmptyLineFeed, behind)))
        }
        Some((&octet, _)) if class::is_tchar(octet) => Ok(Some((At::Method, rest))),
        Some((&CR, _)) => Err(Reject::EmptyRequestLine),
        Some((&LF, _)) => Err(Reject::BareLineFeed),
        Some((&(SP | HTAB), _)) => Err(Reject::RequestLineForm),
        // The content type of a TLS record that holds a handshake (RFC 8446 §5.1): no octet of a request is 0x16.
        Some((0x16, _)) => Err(Reject::TlsHello),
        Some(_) => Err(Reject::InvalidMethod),
    }
}

/// What holds for a method or a target.
struct Part {
    len_max: usize,
    too_long: Reject,
    /// For an octet that neither belongs to it nor ends it.
    invalid: Reject,
}

impl Part {
    /// RFC 9112 §3: "A server that receives a method longer than any that it implements SHOULD respond with a 501".
    const METHOD: Part = Part {
        len_max: METHOD_BYTES,
        too_long: Reject::MethodTooLong,
        invalid: Reject::InvalidMethod,
    };

    /// RFC 9112 §3: "A server that receives a request-target longer than any URI it wishes to parse MUST respond with a 414
    /// (URI Too Long) status code".
    const fn target(limits: &Limits) -> Part {
        Part {
            len_max: limits.target_bytes,
            too_long: Reject::TargetTooLong,
            invalid: Reject::InvalidTarget,
        }
    }
}

/// A part, as a range of the input, and what is behind its space.
type Found<'a> = (Range<usize>, &'a [u8]);

/// The method or target that begins at `start`. `None` when `rest`, the octets that have not been
/// read and of which `len` belong to it, ends before that.
#[inline]
fn read_part<'a>(
    input: &[u8],
    rest: &'a [u8],
    start: usize,
    len: usize,
    part: &Part,
) -> Result<Option<Found<'a>>, Reject> {
    let end = input.len() - rest.len() + len;
    if end - start > part.len_max {
        return Err(part.too_long);
    }
    match rest.get(len..).and_then(<[u8]>::split_first) {
        None => Ok(None),
        // STRICTER: RFC 9112 §3 lets a recipient split at any run of white space. Exactly one SP, as a target with a space in
        // it is cut differently by each recipient that does.
        Some((&SP, behind)) if end > start => Ok(Some((start..end, behind))),
        Some((&LF, _)) => Err(Reject::BareLineFeed),
        Some((&(SP | CR | HTAB), _)) => Err(Reject::RequestLineForm),
        Some(_) => Err(part.invalid),
    }
}

/// The version that begins at `part`, and what is behind its CR. `None` when `rest`, the octets that have not been read,
/// ends before that.
fn read_version<'a>(
    input: &[u8],
    rest: &'a [u8],
    part: usize,
) -> Result<Option<(Version, &'a [u8])>, Reject> {
    const FORM: &[u8; 9] = b"HTTP/1.1\r";
    let begun = input.len() - rest.len() - part;
    // What nearly every request has, in one comparison.
    if let (0, Some(behind)) = (begun, rest.strip_prefix(FORM)) {
        return Ok(Some((Version::Http11, behind)));
    }
    for (index, (&octet, expected)) in rest.iter().zip(FORM.iter().skip(begun)).enumerate() {
        // RFC 9112 §2.3: `HTTP-version = HTTP-name "/" DIGIT "." DIGIT`, "HTTP-version is case-sensitive."
        if octet != *expected && !(expected.is_ascii_digit() && octet.is_ascii_digit()) {
            return Err(match octet {
                SP | HTAB if begun + index == 0 => Reject::RequestLineForm,
                LF => Reject::BareLineFeed,
                _ => Reject::InvalidVersion,
            });
        }
    }
    let Some(behind) = rest.get(FORM.len() - begun..) else {
        return Ok(None);
    };
    match (input.get(part + 5), input.get(part + 7)) {
        (Some(b'1'), Some(b'0')) => Ok(Some((Version::Http10, behind))),
        // RFC 9110 §2.5: a minor version is served by the highest that the server knows of its major version.
        (Some(b'1'), _) => Ok(Some((Version::Http11, behind))),
        // RFC 9113 §3.4: the preface of a client that takes this for an HTTP/2 port.
        (Some(b'2'), _) if input.get(..part).is_some_and(is_preface) => Err(Reject::Http2Preface),
        _ => Err(Reject::UnsupportedVersion),
    }
}

/// Whether these are the first two parts of a request line `PRI * HTTP/2.0`, with their spaces.
fn is_preface(before_version: &[u8]) -> bool {
    before_version
        .strip_prefix(b"\r\n")
        .unwrap_or(before_version)
        == b"PRI * "
}
