//! Field lines (RFC 9112 §5), one after the other up to the empty line that ends their section.
//!
//! This is the syntax of a line, in a head and in a trailer section alike, and the name of each
//! error. How long a section may be, and what a field means, is decided elsewhere. No byte is read
//! twice.

use super::Reject;
use crate::bytes::class;
use crate::scan;
use std::ops::Range;

pub(super) const HTAB: u8 = b'\t';
pub(super) const LF: u8 = b'\n';
pub(super) const CR: u8 = b'\r';
pub(super) const SP: u8 = b' ';

/// The part of a section that the next byte belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SectionState {
    /// The first byte of a line: a name, or the CR of the empty line.
    LineStart,
    /// A name, of which at least one byte has come, or the colon after it.
    Name,
    /// A value with the white space around it, or the CR after it.
    Value,
    LineFeed,
    /// The LF of the empty line.
    SectionLineFeed,
}

/// How far a section has been read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Section {
    /// The first byte that has not been read.
    pub offset: usize,
    /// The part that it belongs to.
    pub at: SectionState,
    /// Lines begun so far.
    pub lines: u32,
}

/// Reads on from `section`; true when the section is complete, false when `input` ends within it.
///
/// `line` gets each complete line's name and value as ranges of `input`. For a line that an earlier
/// call began, they start at this call's first byte at the earliest: to get them whole, read the
/// section from its start.
#[inline(always)]
pub(super) fn read_section(
    input: &[u8],
    section: &mut Section,
    lines_max: usize,
    mut line: impl FnMut(Range<usize>, Range<usize>),
) -> Result<bool, Reject> {
    let Section {
        offset: mut next,
        mut at,
        mut lines,
    } = *section;
    let (mut name, mut value) = (next..next, next..next);
    // One turn a line. Each step leads to the next one below it, so that a line that is all there
    // runs straight through; a call that goes on in the middle of a line enters at its step.
    let complete = loop {
        if at == SectionState::LineStart {
            name.start = next;
            match begin(input, &mut next, &mut lines, lines_max)? {
                None => break false,
                Some(begun) => at = begun,
            }
        }
        if at == SectionState::Name {
            if input.get(next) != Some(&b':') {
                next = class::token_end(input, next);
                match input.get(next) {
                    None => break false,
                    Some(&b':') => {}
                    Some(&byte) => return Err(no_colon(byte)),
                }
            }
            name.end = next;
            next += 1;
            value.start = next;
            at = SectionState::Value;
        }
        if at == SectionState::Value {
            next = scan::field_value_end(input, next);
            match input.get(next) {
                None => break false,
                Some(&CR) => value.end = next,
                Some(&byte) => return Err(no_line_end(byte)),
            }
            next += 1;
            at = SectionState::LineFeed;
        }
        match input.get(next) {
            None => break false,
            Some(&byte) => line_feed(byte)?,
        }
        next += 1;
        if at == SectionState::SectionLineFeed {
            break true;
        }
        line(name.clone(), without_ows(input, value.clone()));
        at = SectionState::LineStart;
    };
    *section = Section {
        offset: next,
        at,
        lines,
    };
    Ok(complete)
}

/// What begins at `next`, which moves past the bytes that are known: the empty line, or a name.
/// `None` when the input ends there.
#[inline(always)]
fn begin(
    input: &[u8],
    next: &mut usize,
    lines: &mut u32,
    lines_max: usize,
) -> Result<Option<SectionState>, Reject> {
    let start = *next;
    let Some(&byte) = input.get(start) else {
        return Ok(None);
    };
    if byte == CR {
        *next += 1;
        return Ok(Some(SectionState::SectionLineFeed));
    }
    *next = scan::letters_end(input, start);
    if *next == start && !class::is_tchar(byte) {
        return Err(no_name(byte, *lines == 0));
    }
    if *lines as usize >= lines_max {
        return Err(Reject::TooManyFields);
    }
    *lines += 1;
    Ok(Some(SectionState::Name))
}

/// The LF that has to follow a CR.
#[inline(always)]
pub(super) fn line_feed(byte: u8) -> Result<(), Reject> {
    match byte {
        LF => Ok(()),
        // RFC 9112 §2.2: "A recipient of such a bare CR MUST consider that element to be invalid or
        // replace each bare CR with SP".
        // STRICTER: only the first of the two, as others end a line at a CR.
        _ => Err(Reject::BareCarriageReturn),
    }
}

/// RFC 9112 §5.1: "A field line value might be preceded and/or followed by optional whitespace
/// (OWS)", which is no part of it. A value stands between a colon and a CR, both of which `input`
/// has.
#[inline(always)]
fn without_ows(input: &[u8], value: Range<usize>) -> Range<usize> {
    let Range { mut start, end } = value;
    // Nearly every value has one space before it, and nothing else. All bytes but OWS are above SP,
    // except the CR after an empty value. Of a line that an earlier call began, there may be
    // nothing before the end.
    start += usize::from(input.get(start) == Some(&SP));
    match (input.get(start), input.get(end.wrapping_sub(1))) {
        (Some(first), Some(last)) if *first > SP && *last > SP => start..end,
        _ => trimmed(input, start..end),
    }
}

/// The range without the white space at both ends. The byte after the range is not white space.
#[cold]
fn trimmed(input: &[u8], value: Range<usize>) -> Range<usize> {
    let Range { mut start, mut end } = value;
    while is_ows(input, start) {
        start += 1;
    }
    while end > start && is_ows(input, end - 1) {
        end -= 1;
    }
    start..end
}

#[inline(always)]
fn is_ows(input: &[u8], at: usize) -> bool {
    matches!(input.get(at), Some(&(SP | HTAB)))
}

/// Why a line cannot begin with `byte`.
#[cold]
fn no_name(byte: u8, first: bool) -> Reject {
    match byte {
        // RFC 9112 §2.2: "A recipient that receives whitespace between the start-line and the first
        // header field MUST either reject the message as invalid or consume each
        // whitespace-preceded line".
        SP | HTAB if first => Reject::SpaceBeforeFirstField,
        // RFC 9112 §5.2: "A server that receives an obs-fold in a request message … MUST either
        // reject the message …".
        SP | HTAB => Reject::ObsoleteFold,
        LF => Reject::BareLineFeed,
        b':' => Reject::EmptyFieldName,
        _ => Reject::InvalidFieldName,
    }
}

/// Why `byte` cannot follow a name.
#[cold]
fn no_colon(byte: u8) -> Reject {
    match byte {
        // RFC 9112 §5.1: "A server MUST reject, with a response status code of 400 (Bad Request),
        // any received request message that contains whitespace between a header field name and
        // colon."
        SP | HTAB => Reject::SpaceBeforeColon,
        LF => Reject::BareLineFeed,
        CR => Reject::MissingColon,
        // RFC 9110 §5.1: a field name is a token.
        _ => Reject::InvalidFieldName,
    }
}

/// Why `byte` can neither stand in a value nor end its line.
#[cold]
fn no_line_end(byte: u8) -> Reject {
    match byte {
        // RFC 9112 §2.2 lets a recipient take a bare LF for a line's end.
        // STRICTER: two servers in a chain that differ here see two different heads.
        LF => Reject::BareLineFeed,
        // RFC 9110 §5.5: "Field values containing CR, LF, or NUL characters are invalid and
        // dangerous".
        _ => Reject::InvalidFieldValue,
    }
}
