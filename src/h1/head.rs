//! The head of a request: request line, field lines, the empty line, and what they say together
//! about host, framing, persistence and expectation.
//!
//! A call goes on validating at the first byte that no earlier call has seen, and a head that is
//! complete is read once more from its start, to record where everything stands. So the outcome
//! does not depend on how the bytes were split, every byte is validated once, by the call that
//! brings it, and read at most twice; a head that comes in one piece is read once.

use super::field_line::{self, Section, read_section};
use super::framing::request_framing;
use super::persistence;
use super::request_line::{self, Place, RequestLine, read_request_line};
use super::{Framing, Parsed, Reject};
use crate::limits::Limits;
use crate::semantics::fields::FieldLine;
use crate::semantics::{FieldName, FieldTable, Headers, Method, Span, Target, Version, host, list};
use std::ops::Range;

/// A request's head, taken apart. Spans are relative to the first byte of the input (skipped empty
/// line included).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Head {
    /// The method.
    pub method: Method,
    /// The version it is served as: HTTP/1.2 and later minor versions count as 1.1.
    pub version: Version,
    /// The target as received.
    pub target: Span,
    /// The target taken apart; its spans are relative to `target`.
    pub parts: Target,
    /// The effective host (RFC 9110 §7.2): of an absolute target or an authority, else of the Host
    /// field, where it may be empty; `None` in an HTTP/1.0 request without either.
    pub host: Option<Span>,
    /// How the content is delimited (RFC 9112 §6.3).
    pub framing: Framing,
    /// Whether the client lets the connection be kept after this exchange (RFC 9112 §9.3).
    pub keep_alive: bool,
    /// The client's expectation before it sends content.
    pub expect: Expect,
}

/// The Expect field (RFC 9110 §10.1.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expect {
    /// No such field, or an empty one, or HTTP/1.0, where it is ignored.
    Nothing,
    /// `100-continue`; also when the request has no content to wait for.
    Continue,
}

impl Head {
    /// The path as received, not percent-decoded: `/` when an absolute target has none
    /// (RFC 9110 §4.2.3), `*` for `OPTIONS *`, and empty for CONNECT. `bytes` are those that the
    /// head was parsed from.
    pub fn path<'a>(&self, bytes: &'a [u8]) -> &'a str {
        self.parts.path_of(self.target.text(bytes))
    }

    /// The query as received, without its `?`; `None` when there is no `?`.
    pub fn query<'a>(&self, bytes: &'a [u8]) -> Option<&'a str> {
        self.parts.query_of(self.target.text(bytes))
    }
}

/// Where parsing goes on when more bytes have come. `Resume::default()` is the start of a head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resume {
    /// The first byte that has not been validated.
    offset: u32,
    at: HeadState,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum HeadState {
    RequestLine {
        at: request_line::LineState,
        /// The first byte of the part that it belongs to.
        part: u32,
    },
    Fields {
        at: field_line::SectionState,
        lines: u32,
    },
}

impl Resume {
    pub(crate) const START: Resume = Resume {
        offset: 0,
        at: HeadState::RequestLine {
            at: request_line::LineState::Start,
            part: 0,
        },
    };
}

impl Default for Resume {
    fn default() -> Resume {
        Resume::START
    }
}

/// Parses the head at the start of `input`; field lines go into `table`, which is cleared first.
///
/// The outcome does not depend on how the bytes were split into calls. Each byte is validated once,
/// and read once more when a head that came in pieces is complete: at most twice in all. A call
/// with the `resume` of another call has to bring that call's bytes, and may bring more after them.
///
/// Of `limits`, [`head_bytes`](Limits::head_bytes), [`target_bytes`](Limits::target_bytes) and
/// [`headers`](Limits::headers) count. Nothing is allocated but the table's room for lines, which
/// stays with it from head to head. The table holds all lines once the head is complete. A stream
/// that ends before is for the caller to close (RFC 9112 §8).
///
/// ```
/// use doorstep::h1::{FieldTable, Framing, Parsed, Resume, parse_head};
/// use doorstep::{Limits, Method};
///
/// let (limits, mut table) = (Limits::default(), FieldTable::default());
/// let mut input = b"POST /tea?sugar=2 HTTP/1.1\r\nHost: localhost\r\nContent-".to_vec();
/// let Parsed::More { resume } = parse_head(&input, Resume::default(), &limits, &mut table)? else {
///     panic!("the head is not complete");
/// };
/// // More bytes come, after the others.
/// input.extend_from_slice(b"Length: 5\r\n\r\nhello");
/// let Parsed::Done { value: head, used } = parse_head(&input, resume, &limits, &mut table)? else {
///     panic!("the head is complete");
/// };
/// assert_eq!(head.method, Method::Post);
/// assert_eq!((head.path(&input), head.query(&input)), ("/tea", Some("sugar=2")));
/// assert_eq!(table.headers(&input).get("host"), Some(&b"localhost"[..]));
/// // Here begins the content.
/// assert_eq!(head.framing, Framing::Length(5));
/// assert_eq!(&input[used..], b"hello");
/// # Ok::<(), doorstep::Reject>(())
/// ```
///
/// # Errors
///
/// A [`Reject`] for the first byte that no valid head within `limits` has at its place; only when
/// the head is complete, for what its lines say together (target, Host, framing, Expect, in this
/// order).
pub fn parse_head(
    input: &[u8],
    mut resume: Resume,
    limits: &Limits,
    table: &mut FieldTable,
) -> Result<Parsed<Head, Resume>, Reject> {
    table.lines.clear();
    // A span counts in `u32`, so no head can be longer than that.
    let head_bytes = limits.head_bytes.min(u32::MAX as usize);
    let window = input.get(..head_bytes).unwrap_or(input);
    let is_full = input.len() >= head_bytes;
    // Unless bytes were removed since, or a limit shrank: then the resume point is void.
    if resume != Resume::START
        && resume.offset as usize <= window.len()
        && !is_complete(window, &mut resume, limits)?
    {
        return more(resume, is_full);
    }
    let mut resume = Resume::START;
    let mut noted = Noted::default();
    let line = read_lines(window, &mut resume, limits, |name, value| {
        let line = FieldLine {
            field: FieldName::at(window, name.start, name.end),
            name: Span::new(name.start, name.end),
            value: Span::new(value.start, value.end),
        };
        noted.repeated |= noted.seen & bit(line.field);
        noted.seen |= bit(line.field);
        table.lines.push(line);
    })?;
    let Some(request) = line else {
        return more(resume, is_full);
    };
    let target = window.get(request.target.clone()).unwrap_or_default();
    let query = request.query.map(|mark| mark - request.target.start);
    let is_get = request.is_get;
    let lines = Lines {
        input: window,
        request,
        table,
        noted,
        used: resume.offset as usize,
    };
    // Nearly every request is of this kind.
    match Target::origin_form(target, query) {
        Some(parts) if is_get => head_of(&lines, Method::Get, parts),
        _ => other_head_of(lines),
    }
}

/// Whether the head ends within `input`, which is validated from `resume` on.
#[cold]
fn is_complete(input: &[u8], resume: &mut Resume, limits: &Limits) -> Result<bool, Reject> {
    Ok(read_lines(input, resume, limits, |_, _| ())?.is_some())
}

/// Not complete; an error when the head can no longer become complete within its limit.
fn more(resume: Resume, is_full: bool) -> Result<Parsed<Head, Resume>, Reject> {
    match resume.at {
        // RFC 9110 §15.5.15 is the status for what is wrong with the target's length, RFC 6585 §5
        // for the rest of the head.
        HeadState::RequestLine { .. } if is_full => Err(Reject::RequestLineTooLong),
        HeadState::Fields { .. } if is_full => Err(Reject::HeadTooLarge),
        _ => Ok(Parsed::More { resume }),
    }
}

/// The one loop over a head's lines, from `resume` on. `None` when `input`, which is shorter than 4
/// GiB, ends within the head.
///
/// The result, and the ranges for `line`, are whole only when the head is read from its start.
#[inline(always)]
fn read_lines(
    input: &[u8],
    resume: &mut Resume,
    limits: &Limits,
    line: impl FnMut(Range<usize>, Range<usize>),
) -> Result<Option<RequestLine>, Reject> {
    let mut section = Section {
        offset: resume.offset as usize,
        at: field_line::SectionState::LineStart,
        lines: 0,
    };
    let mut request_line = RequestLine::default();
    match resume.at {
        HeadState::Fields { at, lines } => (section.at, section.lines) = (at, lines),
        HeadState::RequestLine { at, part } => {
            let mut place = Place {
                offset: resume.offset as usize,
                at,
                part: part as usize,
            };
            let Some(line) = read_request_line(input, &mut place, limits)? else {
                *resume = Resume {
                    offset: place.offset as u32,
                    at: HeadState::RequestLine {
                        at: place.at,
                        part: place.part as u32,
                    },
                };
                return Ok(None);
            };
            request_line = line;
            section.offset = place.offset;
        }
    }
    let complete = read_section(input, &mut section, limits.headers, line)?;
    *resume = Resume {
        offset: section.offset as u32,
        at: HeadState::Fields {
            at: section.at,
            lines: section.lines,
        },
    };
    Ok(complete.then_some(request_line))
}

struct Lines<'a> {
    input: &'a [u8],
    request: RequestLine,
    table: &'a FieldTable,
    noted: Noted,
    used: usize,
}

/// The known fields that a head has, noted line by line, so that no question needs a search through
/// the lines.
#[derive(Default)]
struct Noted {
    /// Bit n: a field whose `FieldName` has the number n is there.
    seen: u64,
    /// Bit n: it is there more than once.
    repeated: u64,
}

/// The bit of a field in a set of fields: each known one has its own, and all others have one.
const fn bit(field: FieldName) -> u64 {
    const { assert!(FieldName::ALL.len() < u64::BITS as usize) };
    1 << (field as u32)
}

/// [`parse_head`] for all other methods and forms of the target.
#[cold]
fn other_head_of(lines: Lines<'_>) -> Result<Parsed<Head, Resume>, Reject> {
    let bytes = |part: &Range<usize>| lines.input.get(part.clone()).unwrap_or_default();
    // The request line's reader has let through tokens of allowed length only.
    let method = Method::from_token(bytes(&lines.request.method)).ok_or(Reject::InvalidMethod)?;
    let target = Target::parse(bytes(&lines.request.target), method);
    let parts = target.map_err(|_| Reject::InvalidTarget)?;
    head_of(&lines, method, parts)
}

/// Everything that the lines say together, once the method and the target are known. The result is
/// built in one piece, as it is large.
#[inline(always)]
fn head_of(
    lines: &Lines<'_>,
    method: Method,
    parts: Target,
) -> Result<Parsed<Head, Resume>, Reject> {
    let Lines {
        input,
        ref request,
        table,
        ref noted,
        used,
    } = *lines;
    let version = request.version;
    let target = Span::new(request.target.start, request.target.end);
    let authority = parts.authority.map(|within| Span {
        start: target.start + within.start,
        end: target.start + within.end,
    });
    let headers = table.headers(input);
    let host = effective_host(version, authority, table, noted, input)?;
    let mut framing = Framing::None;
    if noted.seen & (bit(FieldName::TransferEncoding) | bit(FieldName::ContentLength)) != 0 {
        framing = request_framing(version, headers)?;
    }
    let mut keep_alive = version == Version::Http11;
    if noted.seen & bit(FieldName::Connection) != 0 {
        let only = noted.repeated & bit(FieldName::Connection) == 0;
        // The one value that most requests have is told without taking a list apart.
        let value = headers.known(FieldName::Connection);
        keep_alive =
            only && value == Some(b"keep-alive") || persistence::keep_alive(version, headers);
    }
    let mut expect = Expect::Nothing;
    if noted.seen & bit(FieldName::Expect) != 0 {
        expect = expectation(version, headers)?;
    }
    Ok(Parsed::Done {
        value: Head {
            method,
            version,
            target,
            parts,
            host,
            framing,
            keep_alive,
            expect,
        },
        used,
    })
}

/// The host that the request is for (RFC 9110 §7.2).
#[inline(always)]
fn effective_host(
    version: Version,
    authority: Option<Span>,
    table: &FieldTable,
    noted: &Noted,
    input: &[u8],
) -> Result<Option<Span>, Reject> {
    let mut lines = table.lines.iter();
    let field = lines
        .find(|line| line.field == FieldName::Host)
        .map(|line| line.value);
    // RFC 9112 §3.2: "A server MUST respond with a 400 (Bad Request) status code to any HTTP/1.1
    // request message that lacks a Host header field and to any request message that contains more
    // than one Host header field line or a Host header field with an invalid field value."
    if noted.repeated & bit(FieldName::Host) != 0 {
        return Err(Reject::RepeatedHost);
    }
    if field.is_none() && version == Version::Http11 {
        return Err(Reject::MissingHost);
    }
    if let Some(value) = field {
        // RFC 9112 §3.2: "If the authority component is missing or undefined for the target URI,
        // then a client MUST send a Host header field with an empty field value."
        // STRICTER: with an authority in the target, an empty Host is refused, as are all that name
        // no host.
        if !host::is_valid_at(value, input, authority.is_none()) {
            return Err(Reject::InvalidHost);
        }
    }
    // RFC 9112 §3.2.2: "When an origin server receives a request with an absolute-form of
    // request-target, the origin server MUST ignore the received Host header field (if any) and
    // instead use the host information of the request-target."
    Ok(authority.or(field))
}

fn expectation(version: Version, headers: Headers<'_>) -> Result<Expect, Reject> {
    // RFC 9110 §10.1.1: "A server that receives a 100-continue expectation in an HTTP/1.0 request
    // MUST ignore that expectation."
    if version == Version::Http10 {
        return Ok(Expect::Nothing);
    }
    let mut expect = Expect::Nothing;
    // RFC 9110 §10.1.1: `Expect = #expectation`, and "The Expect field value is case-insensitive."
    // Empty elements mean nothing.
    for element in headers
        .known_all(FieldName::Expect)
        .flat_map(list::elements)
    {
        // RFC 9110 §10.1.1: "A server that receives an Expect field value containing a member other
        // than 100-continue MAY respond with a 417 (Expectation Failed) status code".
        if !element.eq_ignore_ascii_case(b"100-continue") {
            return Err(Reject::UnknownExpectation);
        }
        expect = Expect::Continue;
    }
    Ok(expect)
}
