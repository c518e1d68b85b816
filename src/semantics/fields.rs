//! Field lines: their names, and the table of where each stands in a head (RFC 9110 §5, §6.3).
//!
//! In: names and values that a parser has found and validated. Out: what a value means. Never: a copy of a value, a value
//! in a debug print.

use crate::bytes::class;
use std::fmt;

/// A range of octets within a head.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// Offset of the first octet.
    pub start: u32,
    /// Offset of the octet behind the last.
    pub end: u32,
}

impl Span {
    /// The octets that it covers; empty when it does not lie within `octets`.
    #[inline]
    pub fn of(self, octets: &[u8]) -> &[u8] {
        octets
            .get(self.start as usize..self.end as usize)
            .unwrap_or_default()
    }
}

/// One row a field; the variants, their spelling and the list of all come from the same rows.
macro_rules! known_fields {
    ($($(#[$documentation:meta])* $name:ident $spelling:literal;)*) => {
        /// The field names that the server itself acts on, found once when a head is parsed.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum FieldName {
            $($(#[$documentation])* $name,)*
            /// Any other.
            Other,
        }

        impl FieldName {
            /// Every name but [`Other`](FieldName::Other).
            pub const ALL: &'static [FieldName] = &[$(FieldName::$name),*];

            /// As the RFCs spell it; "" for [`Other`](FieldName::Other).
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(FieldName::$name => $spelling,)*
                    FieldName::Other => "",
                }
            }
        }
    };
}

known_fields! {
    /// RFC 9110 §12.5.1.
    Accept "Accept";
    /// RFC 9110 §12.5.3.
    AcceptEncoding "Accept-Encoding";
    /// RFC 9110 §11.6.2.
    Authorization "Authorization";
    /// RFC 9110 §7.6.1.
    Connection "Connection";
    /// RFC 9110 §8.6.
    ContentLength "Content-Length";
    /// RFC 9110 §8.3.
    ContentType "Content-Type";
    /// RFC 6265 §5.4.
    Cookie "Cookie";
    /// RFC 9110 §6.6.1.
    Date "Date";
    /// RFC 9110 §10.1.1.
    Expect "Expect";
    /// RFC 9110 §7.2.
    Host "Host";
    /// RFC 9110 §13.1.1.
    IfMatch "If-Match";
    /// RFC 9110 §13.1.3.
    IfModifiedSince "If-Modified-Since";
    /// RFC 9110 §13.1.2.
    IfNoneMatch "If-None-Match";
    /// RFC 9110 §13.1.5.
    IfRange "If-Range";
    /// RFC 9110 §13.1.4.
    IfUnmodifiedSince "If-Unmodified-Since";
    /// RFC 9112 §C.2.2.
    KeepAlive "Keep-Alive";
    /// RFC 6454 §7.
    Origin "Origin";
    /// RFC 9110 §14.2.
    Range "Range";
    /// RFC 9110 §10.2.4.
    Server "Server";
    /// RFC 9112 §6.1.
    TransferEncoding "Transfer-Encoding";
    /// RFC 9110 §7.8.
    Upgrade "Upgrade";
    /// RFC 9110 §10.1.5.
    UserAgent "User-Agent";
}

impl FieldName {
    /// The name's entry. RFC 9110 §5.1: "Field names are case-insensitive".
    #[inline]
    pub fn of(name: &[u8]) -> FieldName {
        let candidate = FieldName::candidate(name);
        // `Other` is spelt "", which no name with a candidate equals.
        if is_spelt(name, candidate.as_str().as_bytes()) {
            candidate
        } else {
            FieldName::Other
        }
    }

    /// The one known name with this length and first letter, so that a name is compared once. Setting bit 5 makes letters
    /// lower case; what it makes of other octets does not matter, as the whole name is compared afterwards.
    #[inline]
    fn candidate(name: &[u8]) -> FieldName {
        let Some(first) = name.first() else {
            return FieldName::Other;
        };
        match (name.len(), first | 0x20) {
            (4, b'd') => FieldName::Date,
            (4, b'h') => FieldName::Host,
            (5, b'r') => FieldName::Range,
            (6, b'a') => FieldName::Accept,
            (6, b'c') => FieldName::Cookie,
            (6, b'e') => FieldName::Expect,
            (6, b'o') => FieldName::Origin,
            (6, b's') => FieldName::Server,
            (7, b'u') => FieldName::Upgrade,
            (8, b'i') if name[3] | 0x20 == b'm' => FieldName::IfMatch,
            (8, b'i') => FieldName::IfRange,
            (10, b'c') => FieldName::Connection,
            (10, b'k') => FieldName::KeepAlive,
            (10, b'u') => FieldName::UserAgent,
            (12, b'c') => FieldName::ContentType,
            (13, b'a') => FieldName::Authorization,
            (13, b'i') => FieldName::IfNoneMatch,
            (14, b'c') => FieldName::ContentLength,
            (15, b'a') => FieldName::AcceptEncoding,
            (17, b'i') => FieldName::IfModifiedSince,
            (17, b't') => FieldName::TransferEncoding,
            (19, b'i') => FieldName::IfUnmodifiedSince,
            _ => FieldName::Other,
        }
    }
}

/// Whether `name` is `spelling`, a known name, without regard to case. All known names have at least four octets; they are
/// compared as two or three words that may overlap, once a line of each request.
#[inline]
fn is_spelt(name: &[u8], spelling: &[u8]) -> bool {
    let same = |start: usize| differ::<8>(name, spelling, start) == Some(0);
    match spelling.len() {
        len if len != name.len() => false,
        len @ 4..8 => {
            differ::<4>(name, spelling, 0) == Some(0)
                && differ::<4>(name, spelling, len - 4) == Some(0)
        }
        len @ 8..=16 => same(0) && same(len - 8),
        len @ 17..=24 => same(0) && same(8) && same(len - 8),
        _ => false,
    }
}

/// Zero when `N` octets (at most 8) of both are the same but for the case of letters. `None` beyond the end of one.
#[inline]
fn differ<const N: usize>(name: &[u8], spelling: &[u8], start: usize) -> Option<u64> {
    let word = |octets: &[u8]| {
        let mut word = [0; 8];
        word[..N].copy_from_slice(octets.get(start..start + N)?);
        Some(u64::from_le_bytes(word))
    };
    let spelling = word(spelling)?;
    // Letters alone have bit 6 in a known name, and they alone may differ in bit 5. A hyphen has to be a hyphen.
    let case = (spelling & u64::from_le_bytes([0x40; 8])) >> 1;
    Some((word(name)? ^ spelling) & !case)
}

/// One field line of a head.
#[derive(Clone, Copy, Debug)]
pub struct FieldLine {
    /// What [`FieldName::of`] says of the name. Look-ups rely on it.
    pub field: FieldName,
    /// The name as it came, a token.
    pub name: Span,
    /// The value without white space around it.
    pub value: Span,
}

/// Where the field lines of one head stand. Kept and reused by the thread that parses, so that a request allocates nothing.
#[derive(Debug, Default)]
pub struct FieldTable {
    lines: Vec<FieldLine>,
}

impl FieldTable {
    /// An empty table with room for `limit` lines.
    pub fn with_capacity(limit: usize) -> FieldTable {
        FieldTable {
            lines: Vec::with_capacity(limit),
        }
    }

    /// The lines over the octets of their head, which begin where those began that were parsed.
    pub fn headers<'a>(&'a self, octets: &'a [u8]) -> Headers<'a> {
        Headers::new(octets, &self.lines)
    }

    /// Forgets all lines and keeps the room.
    #[doc(hidden)]
    #[inline]
    pub fn clear(&mut self) {
        self.lines.clear();
    }

    /// Adds a line. The parser bounds their number.
    #[doc(hidden)]
    #[inline]
    pub fn push(&mut self, line: FieldLine) {
        self.lines.push(line);
    }

    /// The lines in the order in which they came.
    #[doc(hidden)]
    #[inline]
    pub fn lines(&self) -> &[FieldLine] {
        &self.lines
    }
}

/// The field lines of a request: names without regard to case, values as opaque octets (RFC 9110 §5.5).
///
/// Printing it for debugging shows names and the lengths of values, never a value: some are secrets.
#[derive(Clone, Copy)]
pub struct Headers<'a> {
    octets: &'a [u8],
    lines: &'a [FieldLine],
}

impl<'a> Headers<'a> {
    /// The lines of a table over the octets of their head.
    #[doc(hidden)]
    pub fn new(octets: &'a [u8], lines: &'a [FieldLine]) -> Headers<'a> {
        Headers { octets, lines }
    }

    /// The value of the first line with this name, without regard to case.
    pub fn get(&self, name: &str) -> Option<&'a [u8]> {
        self.get_all(name).next()
    }

    /// The values of all lines with this name, without regard to case, in order.
    pub fn get_all<'name>(
        &self,
        name: &'name str,
    ) -> impl Iterator<Item = &'a [u8]> + use<'a, 'name> {
        let Headers { octets, lines } = *self;
        let field = FieldName::of(name.as_bytes());
        // A known name is told by its entry; only the others are compared.
        lines
            .iter()
            .filter(move |line| {
                line.field == field
                    && (field != FieldName::Other
                        || line.name.of(octets).eq_ignore_ascii_case(name.as_bytes()))
            })
            .map(move |line| line.value.of(octets))
    }

    /// The value of the first line of a known field.
    #[doc(hidden)]
    pub fn known(&self, field: FieldName) -> Option<&'a [u8]> {
        self.known_all(field).next()
    }

    /// The values of all lines of a known field, in order.
    #[doc(hidden)]
    pub fn known_all(&self, field: FieldName) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let Headers { octets, lines } = *self;
        lines
            .iter()
            .filter(move |line| line.field == field)
            .map(move |line| line.value.of(octets))
    }

    /// Name, as it came, and value of each line, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&'a str, &'a [u8])> + use<'a> {
        let Headers { octets, lines } = *self;
        lines.iter().map(move |line| {
            // A token is ASCII, so this is never the default.
            let name = std::str::from_utf8(line.name.of(octets)).unwrap_or_default();
            (name, line.value.of(octets))
        })
    }

    /// How many lines there are.
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }
}

impl fmt::Debug for Headers<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_map()
            .entries(self.iter().map(|(name, value)| (name, value.len())))
            .finish()
    }
}

/// Whether a field can have this name: RFC 9110 §5.1: "field-name = token".
pub fn valid_name(name: &[u8]) -> bool {
    !name.is_empty() && class::token_len(name) == name.len()
}

/// Whether a field can have this value. White space around it is allowed and means nothing (RFC 9110 §5.5).
pub fn valid_value(value: &[u8]) -> bool {
    // RFC 9110 §5.5: "Field values containing CR, LF, or NUL characters are invalid and dangerous". One written by a server
    // lets whoever chose the value write a response of their own.
    // STRICTER: so are the other controls, which RFC 9110 §5.5 lets a recipient retain.
    value.iter().all(|&octet| class::is_field_octet(octet))
}
