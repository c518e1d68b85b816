//! The head of a request: request line, field lines, the empty line.
//!
//! In: the incremental parser, the limits of a head, and what its fields say about the message itself: host, framing,
//! persistence, expectation. Out: single lines (`request_line`, `field_line`), content, answers. Never: keeping octets.
//!
//! A call goes on validating at the first octet that no earlier call has seen, and a head that is complete is read once more
//! from its start, to record where everything stands. So the outcome is independent of how the octets were split, every octet
//! is validated once, by the call that brings it, and read at most twice; a head that comes in one piece is read once.

use super::field_line::{self, Section, read_section};
use super::framing::request_framing;
use super::persistence;
use super::request_line::{self, Place, RequestLine, read_request_line};
use super::{Framing, Parsed, Reject};
use crate::limits::Limits;
use crate::semantics::fields::FieldLine;
use crate::semantics::{FieldName, FieldTable, Headers, Method, Span, Target, Version, host, list};
use std::ops::Range;

/// A request's head, taken apart. Spans are relative to the first octet of the input (skipped empty line included).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Head {
    /// The method.
    pub method: Method,
    /// The version it is served as: HTTP/1.2 and later minor versions count as 1.1.
    pub version: Version,
    /// The target as it came.
    pub target: Span,
    /// The target taken apart; its spans are relative to `target`.
    pub parts: Target,
    /// The effective host (RFC 9110 §7.2): of an absolute target or an authority, else of the Host field, where it may be empty;
    /// `None` in an HTTP/1.0 request without either.
    pub host: Option<Span>,
    /// How the content is delimited (RFC 9112 §6.3).
    pub framing: Framing,
    /// Whether the client lets the connection live on after this exchange (RFC 9112 §9.3).
    pub keep_alive: bool,
    /// What the client expects before it sends content.
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

/// Where parsing goes on when more octets have come. `Resume::default()` is the start of a head.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Resume {
    /// The first octet that has not been validated.
    offset: u32,
    /// What it belongs to.
    at: At,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    RequestLine {
        at: request_line::At,
        /// The first octet of the part that it belongs to.
        part: u32,
    },
    Fields {
        at: field_line::At,
        /// Field lines begun.
        lines: u32,
    },
}

impl Default for At {
    fn default() -> At {
        At::RequestLine {
            at: request_line::At::Start,
            part: 0,
        }
    }
}

/// Parses the head at the start of `input`; field lines go into `table`, which is cleared first.
///
/// The outcome does not depend on how the octets were split into calls. Each octet is validated once, and read once more
/// when a head that came in pieces is complete: at most twice in all. A call with a `resume` that another call gave has to
/// bring the octets that the other had, and may bring more behind them.
///
/// Of `limits`, [`head_bytes`](Limits::head_bytes), [`target_bytes`](Limits::target_bytes) and [`headers`](Limits::headers)
/// count. Nothing is allocated but the table's room for lines, which stays with it from head to head. The table holds all lines
/// once the head is complete. A stream that ends before is for the caller to close (RFC 9112 §8).
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
/// // More octets come, behind the others.
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
/// A [`Reject`] for the first octet that no valid head within `limits` has at its place; only when the head is complete,
/// for what its lines say together (target, Host, framing, Expect, in this order).
pub fn parse_head(
    input: &[u8],
    mut resume: Resume,
    limits: &Limits,
    table: &mut FieldTable,
) -> Result<Parsed<Head, Resume>, Reject> {
    table.clear();
    // A span counts in `u32`, so no head can be longer than that.
    let head_bytes = limits.head_bytes.min(u32::MAX as usize);
    let window = input.get(..head_bytes).unwrap_or(input);
    let is_full = input.len() >= head_bytes;
    // Unless octets were taken away since, or a limit shrank: then what was read is void.
    if resume != Resume::default()
        && resume.offset as usize <= window.len()
        && !is_complete(window, &mut resume, limits)?
    {
        return more(resume, is_full);
    }
    let mut resume = Resume::default();
    let mut noted = Noted::default();
    let line = read_lines(window, &mut resume, limits, |name, value| {
        let line = FieldLine {
            field: FieldName::at(window, name.start, name.end),
            name: span(name),
            value: span(value),
        };
        noted.note(line.field);
        table.push(line);
    })?;
    match line {
        None => more(resume, is_full),
        Some(line) => head_of(Lines {
            input: window,
            request: line,
            table,
            noted,
            used: resume.offset as usize,
        }),
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
        // RFC 9110 §15.5.15 is the status for what is wrong with the target's length, RFC 6585 §5 for the rest of the head.
        At::RequestLine { .. } if is_full => Err(Reject::RequestLineTooLong),
        At::Fields { .. } if is_full => Err(Reject::HeadTooLarge),
        _ => Ok(Parsed::More { resume }),
    }
}

/// The one loop over a head's lines, from `resume` on. `None` when `input` ends within the head.
///
/// The answer, and what `line` gets, are whole only when the head is read from its start.
#[inline(always)]
fn read_lines(
    input: &[u8],
    resume: &mut Resume,
    limits: &Limits,
    line: impl FnMut(Range<usize>, Range<usize>),
) -> Result<Option<RequestLine>, Reject> {
    let mut section = Section {
        offset: resume.offset as usize,
        at: field_line::At::LineStart,
        lines: 0,
    };
    let mut request_line = RequestLine::default();
    match resume.at {
        At::Fields { at, lines } => (section.at, section.lines) = (at, lines),
        At::RequestLine { at, part } => {
            let mut place = Place {
                offset: resume.offset as usize,
                at,
                part: part as usize,
            };
            let Some(line) = read_request_line(input, &mut place, limits)? else {
                *resume = Resume {
                    offset: octets(place.offset),
                    at: At::RequestLine {
                        at: place.at,
                        part: octets(place.part),
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
        offset: octets(section.offset),
        at: At::Fields {
            at: section.at,
            lines: section.lines,
        },
    };
    Ok(complete.then_some(request_line))
}

/// The lines of a complete head.
struct Lines<'a> {
    input: &'a [u8],
    request: RequestLine,
    table: &'a FieldTable,
    noted: Noted,
    /// Octets of the head.
    used: usize,
}

impl<'a> Lines<'a> {
    fn octets(&self, part: &Range<usize>) -> &'a [u8] {
        self.input.get(part.clone()).unwrap_or_default()
    }
}

type Outcome = Result<Parsed<Head, Resume>, Reject>;

/// Which known fields a head has, noted as its lines come, so that they need not be looked through once for each question.
#[derive(Default)]
struct Noted {
    /// Bit n: a field whose `FieldName` has the number n is there.
    seen: u64,
    /// Bit n: it is there more than once.
    repeated: u64,
}

impl Noted {
    #[inline(always)]
    fn note(&mut self, field: FieldName) {
        let bit = bit(field);
        self.repeated |= self.seen & bit;
        self.seen |= bit;
    }

    /// No line has this name.
    #[inline]
    fn lacks(&self, field: FieldName) -> bool {
        self.seen & bit(field) == 0
    }

    /// More than one line has this name.
    #[inline]
    fn repeats(&self, field: FieldName) -> bool {
        self.repeated & bit(field) != 0
    }
}

/// What the lines of a complete head say together.
#[inline(always)]
fn head_of(lines: Lines<'_>) -> Outcome {
    let target = lines.octets(&lines.request.target);
    let start = lines.request.target.start;
    let query = lines.request.query.map(|mark| mark - start);
    // Nearly every request is of this kind.
    match Target::origin_form(target, query) {
        Some(parts) if lines.request.is_get => assemble(&lines, Method::Get, parts),
        _ => other_head_of(lines),
    }
}

/// [`head_of`] for all other methods and forms of the target.
#[cold]
fn other_head_of(lines: Lines<'_>) -> Outcome {
    // The request line's reader has let through tokens of allowed length only.
    let method =
        Method::from_token(lines.octets(&lines.request.method)).ok_or(Reject::InvalidMethod)?;
    let target = lines.octets(&lines.request.target);
    let parts = Target::parse(target, method).map_err(|_| Reject::InvalidTarget)?;
    assemble(&lines, method, parts)
}

/// What the lines of a head say, once its method and its target are known. The answer is made in one piece, as it is large.
#[inline(always)]
fn assemble(lines: &Lines<'_>, method: Method, parts: Target) -> Outcome {
    let Lines {
        input,
        ref request,
        table,
        ref noted,
        used,
    } = *lines;
    let headers = Headers::new(input, table.lines());
    let version = request.version;
    let target = span(request.target.clone());
    let authority = parts.authority.map(|within| Span {
        start: target.start + within.start,
        end: target.start + within.end,
    });
    let host = effective_host(version, authority, table, noted, input)?;
    let mut framing = Framing::None;
    if !(noted.lacks(FieldName::TransferEncoding) && noted.lacks(FieldName::ContentLength)) {
        framing = request_framing(version, headers)?;
    }
    let mut keep_alive = version == Version::Http11;
    if !noted.lacks(FieldName::Connection) {
        let only = !noted.repeats(FieldName::Connection);
        // The one value that most requests have is told without taking a list apart.
        let value = headers.known(FieldName::Connection);
        keep_alive =
            only && value == Some(b"keep-alive") || persistence::keep_alive(version, headers);
    }
    let mut expect = Expect::Nothing;
    if !noted.lacks(FieldName::Expect) {
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
    let mut lines = table.lines().iter();
    let field = lines
        .find(|line| line.field == FieldName::Host)
        .map(|line| line.value);
    // RFC 9112 §3.2: "A server MUST respond with a 400 (Bad Request) status code to any HTTP/1.1 request message that lacks a
    // Host header field and to any request message that contains more than one Host header field line or a Host header field
    // with an invalid field value."
    if noted.repeats(FieldName::Host) {
        return Err(Reject::RepeatedHost);
    }
    if field.is_none() && version == Version::Http11 {
        return Err(Reject::MissingHost);
    }
    if let Some(value) = field {
        // RFC 9112 §3.2: "If the authority component is missing or undefined for the target URI, then a client MUST send a Host
        // header field with an empty field value."
        // STRICTER: with an authority in the target, an empty Host is refused, as are all that name no host.
        if !host::is_valid_at(value, input, authority.is_none()) {
            return Err(Reject::InvalidHost);
        }
    }
    // RFC 9112 §3.2.2: "When an origin server receives a request with an absolute-form of request-target, the origin server
    // MUST ignore the received Host header field (if any) and instead use the host information of the request-target."
    Ok(authority.or(field))
}

/// What the Expect field asks for.
fn expectation(version: Version, headers: Headers<'_>) -> Result<Expect, Reject> {
    // RFC 9110 §10.1.1: "A server that receives a 100-continue expectation in an HTTP/1.0 request MUST ignore that expectation."
    if version == Version::Http10 {
        return Ok(Expect::Nothing);
    }
    let mut expect = Expect::Nothing;
    // RFC 9110 §10.1.1: `Expect = #expectation`, and "The Expect field value is case-insensitive." The elements say it; empty
    // ones say nothing.
    for element in headers
        .known_all(FieldName::Expect)
        .flat_map(list::elements)
    {
        // RFC 9110 §10.1.1: "A server that receives an Expect field value containing a member other than 100-continue MAY
        // respond with a 417 (Expectation Failed) status code".
        if !element.eq_ignore_ascii_case(b"100-continue") {
            return Err(Reject::UnknownExpectation);
        }
        expect = Expect::Continue;
    }
    Ok(expect)
}

/// The bit of a field in a set of fields.
const fn bit(field: FieldName) -> u64 {
    // One bit for each known field, and one for all others.
    const { assert!(FieldName::ALL.len() < 64) };
    1 << (field as u32)
}

/// An offset in a head, which `parse_head` keeps within `u32`.
const fn octets(offset: usize) -> u32 {
    offset as u32
}

/// A range within a head.
const fn span(range: Range<usize>) -> Span {
    Span {
        start: octets(range.start),
        end: octets(range.end),
    }
}
