//! The request line (RFC 9112 §3), and the empty line that may stand before it: the bytes and the
//! length that each of its three parts may have, and the name of each error.
//!
//! No byte is read twice, except to tell HTTP/2 from other versions.

use super::Reject;
use super::field_line::{CR, HTAB, LF, SP, line_feed};
use crate::bytes::class;
use crate::limits::Limits;
use crate::scan;
use crate::semantics::Version;
use crate::semantics::method::METHOD_BYTES;
use std::ops::Range;

/// The part of a request line that the next byte belongs to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum LineState {
    /// The method's first byte, or the CR of an empty line before it.
    #[default]
    Start,
    EmptyLineFeed,
    /// The method, or the space after it.
    Method,
    /// The target, or the space after it.
    Target,
    /// The version, or the CR after it.
    Version,
    /// The same, of a major version that is not served.
    OtherVersion,
    LineFeed,
}

/// How far a request line has been read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    /// The first byte that has not been read.
    pub offset: usize,
    /// The part that it belongs to.
    pub at: LineState,
    /// The first byte of the part that it belongs to.
    pub part: usize,
}

#[derive(Clone, Debug, Default)]
pub(super) struct RequestLine {
    pub method: Range<usize>,
    /// Whether the method is GET, as that of nearly every request is.
    pub is_get: bool,
    pub target: Range<usize>,
    /// The first `?` of the target.
    pub query: Option<usize>,
    pub version: Version,
}

/// Reads on from `place`; `None` when `input` ends within the line.
///
/// The parts that an earlier call had read are empty in the result: to get them, read the line from
/// its start.
#[inline(always)]
pub(super) fn read_request_line(
    input: &[u8],
    place: &mut Place,
    limits: &Limits,
) -> Result<Option<RequestLine>, Reject> {
    let Place {
        offset: mut next,
        mut at,
        mut part,
    } = *place;
    let mut line = RequestLine::default();
    // One turn, and one more for an empty line. Each step leads to the next one below it; a call
    // that goes on in the middle enters at its step.
    let complete = loop {
        if at == LineState::Start {
            let Some(begun) = begin(input, &mut next, &mut line)? else {
                break false;
            };
            (at, part) = (begun, next);
        }
        if at == LineState::Method {
            next = class::token_end(input, next);
            if !ends_part(input, next, part, METHOD_BYTES, &Part::METHOD)? {
                break false;
            }
            line.method = part..next;
            next += 1;
            part = next;
            at = LineState::Target;
        }
        if at == LineState::Target {
            next = scan::path_end(input, next);
            if input.get(next) == Some(&b'?') {
                line.query = Some(next);
                next = scan::target_end(input, next);
            }
            if !ends_part(input, next, part, limits.target_bytes, &Part::TARGET)? {
                break false;
            }
            line.target = part..next;
            next += 1;
            part = next;
            at = LineState::Version;
        }
        if matches!(at, LineState::Version | LineState::OtherVersion) {
            let Some(version) = read_version(input, next, part, &mut at)? else {
                next = input.len();
                break false;
            };
            line.version = version;
            next = part + FORM.len();
            at = LineState::LineFeed;
        }
        match input.get(next) {
            None => break false,
            Some(&byte) => line_feed(byte)?,
        }
        next += 1;
        if at == LineState::LineFeed {
            break true;
        }
        at = LineState::Start;
    };
    *place = Place {
        offset: next,
        at,
        part,
    };
    Ok(complete.then_some(line))
}

/// What begins at `next`, which moves past the bytes that are known: a method, an empty line, or a
/// target after a GET. `None` when the input ends there.
#[inline(always)]
fn begin(
    input: &[u8],
    next: &mut usize,
    line: &mut RequestLine,
) -> Result<Option<LineState>, Reject> {
    line.is_get = input.get(*next..).is_some_and(|rest| rest.starts_with(GET));
    if line.is_get {
        line.method = *next..*next + GET.len() - 1;
        *next += GET.len();
        return Ok(Some(LineState::Target));
    }
    let Some(&byte) = input.get(*next) else {
        return Ok(None);
    };
    let at = read_start(byte, *next)?;
    *next += usize::from(at == LineState::EmptyLineFeed);
    Ok(Some(at))
}

#[inline]
fn read_start(byte: u8, start: usize) -> Result<LineState, Reject> {
    match byte {
        _ if class::is_tchar(byte) => Ok(LineState::Method),
        // RFC 9112 §2.2: "a server that is expecting to receive and parse a request-line SHOULD
        // ignore at least one empty line (CRLF) received prior to the request-line."
        CR if start < 2 * LEADING_EMPTY_LINES => Ok(LineState::EmptyLineFeed),
        CR => Err(Reject::EmptyRequestLine),
        LF => Err(Reject::BareLineFeed),
        SP | HTAB => Err(Reject::RequestLineForm),
        // The content type of a TLS record that holds a handshake (RFC 8446 §5.1): no byte of a
        // request is 0x16.
        0x16 => Err(Reject::TlsHello),
        _ => Err(Reject::InvalidMethod),
    }
}

/// Empty lines (CRLF) skipped before a request line. RFC 9112 §2.2 asks for "at least one".
const LEADING_EMPTY_LINES: usize = 1;

/// The refusals of a method or a target.
struct Part {
    too_long: Reject,
    /// A byte neither belongs to it nor ends it.
    invalid: Reject,
}

impl Part {
    /// RFC 9112 §3: "A server that receives a method longer than any that it implements SHOULD
    /// respond with a 501".
    const METHOD: Part = Part {
        too_long: Reject::MethodTooLong,
        invalid: Reject::InvalidMethod,
    };
    /// RFC 9112 §3: "A server that receives a request-target longer than any URI it wishes to parse
    /// MUST respond with a 414 (URI Too Long) status code".
    const TARGET: Part = Part {
        too_long: Reject::TargetTooLong,
        invalid: Reject::InvalidTarget,
    };
}

/// Whether the method or target that began at `start` ends at `end`, with a space; false when the
/// input ends there.
#[inline(always)]
fn ends_part(
    input: &[u8],
    end: usize,
    start: usize,
    len_max: usize,
    part: &Part,
) -> Result<bool, Reject> {
    if end - start > len_max {
        return Err(part.too_long);
    }
    match input.get(end) {
        None => Ok(false),
        // STRICTER: RFC 9112 §3 lets a recipient split at any run of white space. Exactly one SP,
        // as a target with a space in it is cut differently by each recipient that does.
        Some(&SP) if end > start => Ok(true),
        Some(&LF) => Err(Reject::BareLineFeed),
        Some(&(SP | CR | HTAB)) => Err(Reject::RequestLineForm),
        Some(_) => Err(part.invalid),
    }
}

/// The start of nearly every request line.
const GET: &[u8] = b"GET ";

/// The last part of nearly every request line.
const FORM: &[u8; 9] = b"HTTP/1.1\r";

/// The version that begins at `part`, of which the bytes before `next` have been read. `None` when
/// the input ends before the CR after it; then `at` keeps what is known of the bytes so far.
///
/// The minor version is known only when the version is read from its start.
#[inline(always)]
fn read_version(
    input: &[u8],
    next: usize,
    part: usize,
    at: &mut LineState,
) -> Result<Option<Version>, Reject> {
    match input.get(part..) {
        Some(bytes) if next == part && bytes.starts_with(FORM) => Ok(Some(Version::Http11)),
        _ => other_version(input, next, part, at),
    }
}

/// [`read_version`] for other versions, and for a part that is not all there.
#[cold]
fn other_version(
    input: &[u8],
    next: usize,
    part: usize,
    at: &mut LineState,
) -> Result<Option<Version>, Reject> {
    const MAJOR: usize = 5;
    const MINOR: usize = 7;
    let read = next - part;
    let (before, bytes) = input.split_at(part.min(input.len()));
    let new = bytes.get(read..).unwrap_or_default();
    for (index, (&byte, expected)) in (read..).zip(new.iter().zip(FORM.iter().skip(read))) {
        // RFC 9112 §2.3: `HTTP-version = HTTP-name "/" DIGIT "." DIGIT`, "HTTP-version is
        // case-sensitive."
        if byte != *expected && !(expected.is_ascii_digit() && byte.is_ascii_digit()) {
            return Err(match byte {
                SP | HTAB if index == 0 => Reject::RequestLineForm,
                LF => Reject::BareLineFeed,
                _ => Reject::InvalidVersion,
            });
        }
    }
    let digit = |place: usize| new.get(place.checked_sub(read)?);
    if digit(MAJOR).is_some_and(|major| *major != b'1') {
        *at = LineState::OtherVersion;
    }
    if bytes.len() < FORM.len() {
        return Ok(None);
    }
    match (*at, digit(MINOR)) {
        // RFC 9113 §3.4: the preface of a client that takes this for an HTTP/2 port.
        (LineState::OtherVersion, _) if is_preface(before) && bytes.get(MAJOR) == Some(&b'2') => {
            Err(Reject::Http2Preface)
        }
        (LineState::OtherVersion, _) => Err(Reject::UnsupportedVersion),
        (_, Some(b'0')) => Ok(Some(Version::Http10)),
        // RFC 9110 §2.5: a minor version is served by the highest that the server knows of its
        // major version.
        _ => Ok(Some(Version::Http11)),
    }
}

/// Whether these are the first two parts of a request line `PRI * HTTP/2.0`, with their spaces.
fn is_preface(before_version: &[u8]) -> bool {
    before_version
        .strip_prefix(b"\r\n")
        .unwrap_or(before_version)
        == b"PRI * "
}
