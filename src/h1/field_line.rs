//! Field lines (RFC 9112 §5), one after the other up to the empty line that ends their section.
//!
//! In: the syntax of a line, for a head and for a trailer section alike; what each wrong octet is called.
//! Out: how many octets a section may have, what a field means. Never: looking at an octet twice.

use super::Reject;
use crate::bytes::class;
use crate::scan;
use std::ops::Range;

pub(super) const HTAB: u8 = b'\t';
pub(super) const LF: u8 = b'\n';
pub(super) const CR: u8 = b'\r';
pub(super) const SP: u8 = b' ';

/// What the next octet of a section belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum At {
    /// The first octet of a line: a name, or the CR of the empty line.
    LineStart,
    /// A name, of which at least one octet has come, or the colon behind it.
    Name,
    /// A value with the white space around it, or the CR behind it.
    Value,
    /// The LF of a field line.
    LineFeed,
    /// The LF of the empty line.
    SectionLineFeed,
}

/// How far a section has been read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Section {
    /// The first octet that has not been read.
    pub offset: usize,
    /// What it belongs to.
    pub at: At,
    /// Lines begun so far.
    pub lines: u32,
}

/// Reads on from `section`; true when the section is complete, false when `input` ends within it.
///
/// `line` gets each complete line's name and value as ranges of `input`. For a line that an earlier call began, they start
/// at this call's first octet at the earliest: who wants them reads a section from its start.
pub(super) fn read_section(
    input: &[u8],
    section: &mut Section,
    lines_max: u32,
    mut line: impl FnMut(Range<usize>, Range<usize>),
) -> Result<bool, Reject> {
    let Section {
        mut offset,
        mut at,
        mut lines,
    } = *section;
    let mut name = offset..offset;
    let mut value = offset..offset;
    let complete = loop {
        let rest = input.get(offset..).unwrap_or_default();
        match at {
            At::LineStart => {
                let Some(&octet) = rest.first() else {
                    break false;
                };
                if octet == CR {
                    offset += 1;
                    at = At::SectionLineFeed;
                    continue;
                }
                if !class::is_tchar(octet) {
                    return Err(no_name(octet, lines == 0));
                }
                if lines >= lines_max {
                    return Err(Reject::TooManyFields);
                }
                lines += 1;
                name.start = offset;
                at = At::Name;
            }
            At::Name => {
                let len = class::token_len(rest);
                offset += len;
                match rest.get(len) {
                    None => break false,
                    Some(b':') => {}
                    Some(&octet) => return Err(no_colon(octet)),
                }
                name.end = offset;
                offset += 1;
                value.start = offset;
                at = At::Value;
            }
            At::Value => {
                let len = scan::field_value_len(rest);
                offset += len;
                match rest.get(len) {
                    None => break false,
                    Some(&CR) => {}
                    // RFC 9112 §2.2 lets a recipient take a bare LF for a line's end.
                    // STRICTER: two servers in a chain that differ here see two different heads.
                    Some(&LF) => return Err(Reject::BareLineFeed),
                    // RFC 9110 §5.5: "Field values containing CR, LF, or NUL characters are invalid and dangerous".
                    Some(_) => return Err(Reject::InvalidFieldValue),
                }
                value.end = offset;
                offset += 1;
                at = At::LineFeed;
            }
            At::LineFeed => {
                match rest.first() {
                    None => break false,
                    Some(&LF) => {}
                    Some(_) => return Err(Reject::BareCarriageReturn),
                }
                offset += 1;
                line(name.clone(), without_ows(input, value.clone()));
                at = At::LineStart;
            }
            At::SectionLineFeed => match rest.first() {
                None => break false,
                Some(&LF) => {
                    offset += 1;
                    break true;
                }
                Some(_) => return Err(Reject::BareCarriageReturn),
            },
        }
    };
    *section = Section { offset, at, lines };
    Ok(complete)
}

/// RFC 9112 §5.1: "A field line value might be preceded and/or followed by optional whitespace (OWS)", which is no part of it.
fn without_ows(input: &[u8], value: Range<usize>) -> Range<usize> {
    let Range { mut start, mut end } = value;
    let is_ows = |octet: Option<&u8>| matches!(octet, Some(&SP | &HTAB));
    while start < end && is_ows(input.get(start)) {
        start += 1;
    }
    while start < end && is_ows(input.get(end - 1)) {
        end -= 1;
    }
    start..end
}

/// Why a line cannot begin with `octet`.
#[cold]
fn no_name(octet: u8, first: bool) -> Reject {
    match octet {
        // RFC 9112 §2.2: "A recipient that receives whitespace between the start-line and the first header field MUST
        // either reject the message as invalid or consume each whitespace-preceded line".
        SP | HTAB if first => Reject::SpaceBeforeFirstField,
        // RFC 9112 §5.2: "A server that receives an obs-fold in a request message … MUST either reject the message …".
        SP | HTAB => Reject::ObsoleteFold,
        LF => Reject::BareLineFeed,
        b':' => Reject::EmptyFieldName,
        _ => Reject::InvalidFieldName,
    }
}

/// Why `octet` cannot follow a name.
#[cold]
fn no_colon(octet: u8) -> Reject {
    match octet {
        // RFC 9112 §5.1: "A server MUST reject, with a response status code of 400 (Bad Request), any received request
        // message that contains whitespace between a header field name and colon."
        SP | HTAB => Reject::SpaceBeforeColon,
        LF => Reject::BareLineFeed,
        CR => Reject::MissingColon,
        // RFC 9110 §5.1: a field name is a token.
        _ => Reject::InvalidFieldName,
    }
}
