//! Names, sizes and times as text: for people in HTML, for programs in JSON. A name is never taken
//! for markup, and a control character is shown, not obeyed.
//!
//! Beside each function that appends a text stands one that only measures it: a listing's length is
//! known before any of it is made.

use crate::bytes::number::{decimal_len, push_decimal};
use crate::semantics::date::{HttpDate, UNIX_MAX};

/// Appends bytes as text in HTML, between tags or within a quoted attribute. Invalid UTF-8 shows as
/// U+FFFD, a control character as its picture (U+2400 and on), and a character that turns the
/// direction of the text as its number.
pub fn push_html(bytes: &[u8], out: &mut Vec<u8>) {
    for character in characters(bytes) {
        match character {
            '&' => out.extend_from_slice(b"&amp;"),
            '<' => out.extend_from_slice(b"&lt;"),
            '>' => out.extend_from_slice(b"&gt;"),
            '"' => out.extend_from_slice(b"&quot;"),
            '\'' => out.extend_from_slice(b"&#39;"),
            _ => push_character(shown(character), out),
        }
        if turns_direction(character) {
            push_number(character, out);
        }
    }
}

/// The length of what [`push_html`] appends.
pub fn html_len(bytes: &[u8]) -> usize {
    let len = |character| match character {
        '<' | '>' => 4,
        '&' | '\'' => 5,
        '"' => 6,
        _ if turns_direction(character) => "[U+202E]".len(),
        _ => shown(character).len_utf8(),
    };
    characters(bytes).map(len).sum()
}

/// Appends bytes as a JSON string (RFC 8259 §7). Invalid UTF-8 becomes U+FFFD.
pub fn push_json(bytes: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    for character in characters(bytes) {
        match character {
            '"' | '\\' => {
                out.push(b'\\');
                push_character(character, out);
            }
            // RFC 8259 §7: "All Unicode characters may be placed within the quotation marks, except
            // for the characters that MUST be escaped: quotation mark, reverse solidus, and the
            // control characters (U+0000 through U+001F)."
            '\0'..=' ' if character != ' ' => out.extend_from_slice(&escape(character)),
            _ => push_character(character, out),
        }
    }
    out.push(b'"');
}

/// The length of what [`push_json`] appends.
pub fn json_len(bytes: &[u8]) -> usize {
    let len = |character| match character {
        '"' | '\\' => 2,
        '\0'..=' ' if character != ' ' => "\\u0000".len(),
        _ => character.len_utf8(),
    };
    "\"\"".len() + characters(bytes).map(len).sum::<usize>()
}

/// Appends a size as `512 B` or `14.2 kB`: decimal, with one digit after the point, cut and not
/// rounded, so that no size shows as `1000.0 kB`.
pub fn push_size(bytes: u64, out: &mut Vec<u8>) {
    match UNITS.iter().find(|(unit, _)| bytes >= *unit) {
        Some((unit, name)) => {
            push_decimal(out, bytes / unit);
            out.push(b'.');
            push_decimal(out, bytes % unit / (unit / 10));
            out.extend_from_slice(name);
        }
        None => {
            push_decimal(out, bytes);
            out.extend_from_slice(b" B");
        }
    }
}

/// The length of what [`push_size`] appends.
pub fn size_len(bytes: u64) -> usize {
    match UNITS.iter().find(|(unit, _)| bytes >= *unit) {
        Some((unit, name)) => decimal_len(bytes / unit) + ".0".len() + name.len(),
        None => decimal_len(bytes) + " B".len(),
    }
}

/// Whether a number of seconds since 1970 has a [`timestamp`].
pub fn has_timestamp(seconds: u64) -> bool {
    seconds <= UNIX_MAX
}

/// `2026-11-21T20:03:07Z` (RFC 3339 §5.6) for a number of seconds since 1970. `None` after the year
/// 9999.
pub fn timestamp(seconds: u64) -> Option<[u8; 20]> {
    // `Sat, 21 Nov 2026 20:03:07 GMT`: the same numbers in another order.
    let date = HttpDate::from_unix(seconds)?;
    let date = date.as_str().as_bytes();
    let month = MONTHS.iter().position(|name| *name == &date[8..11])? as u8 + 1;
    let mut stamp = *b"0000-00-00T00:00:00Z";
    stamp[..4].copy_from_slice(&date[12..16]);
    stamp[5] += month / 10;
    stamp[6] += month % 10;
    stamp[8..10].copy_from_slice(&date[5..7]);
    stamp[11..19].copy_from_slice(&date[17..25]);
    Some(stamp)
}

/// The characters of these bytes, with U+FFFD for each invalid piece.
fn characters(bytes: &[u8]) -> impl Iterator<Item = char> {
    bytes.utf8_chunks().flat_map(|chunk| {
        let broken = (!chunk.invalid().is_empty()).then_some(char::REPLACEMENT_CHARACTER);
        chunk.valid().chars().chain(broken)
    })
}

/// The character that is shown in place of an invisible or disguised one.
fn shown(character: char) -> char {
    match character {
        // The pictures are in the order of their control characters.
        '\0'..='\x1F' => char::from_u32(u32::from(character) + 0x2400).unwrap_or(SYMBOL_OF_DELETE),
        '\x7F' => SYMBOL_OF_DELETE,
        // The other controls have no pictures.
        '\u{80}'..='\u{9F}' => char::REPLACEMENT_CHARACTER,
        // A number follows.
        _ if turns_direction(character) => '[',
        _ => character,
    }
}

/// Whether it changes the order in which characters are shown: `exe.` after U+202E and before `fdp`
/// reads as `pdf.exe`.
fn turns_direction(character: char) -> bool {
    matches!(character, '\u{61C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// `U+202E]`.
fn push_number(character: char, out: &mut Vec<u8>) {
    out.extend_from_slice(b"U+");
    out.extend_from_slice(&escape(character)[2..]);
    out.push(b']');
}

/// `\u001F`, for a character below U+10000.
fn escape(character: char) -> [u8; 6] {
    let mut escape = *b"\\u0000";
    for (place, digit) in escape[2..].iter_mut().rev().enumerate() {
        let value = u32::from(character) >> (4 * place) & 0xF;
        *digit = char::from_digit(value, 16).map_or(b'0', |digit| digit.to_ascii_uppercase() as u8);
    }
    escape
}

fn push_character(character: char, out: &mut Vec<u8>) {
    out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
}

const SYMBOL_OF_DELETE: char = '\u{2421}';
const UNITS: [(u64, &[u8]); 4] = [
    (1_000_000_000_000, b" TB"),
    (1_000_000_000, b" GB"),
    (1_000_000, b" MB"),
    (1_000, b" kB"),
];
/// As an HTTP date spells them.
const MONTHS: [&[u8]; 12] = [
    b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec",
];
