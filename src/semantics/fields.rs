//! Field lines of a request: known names, and the table of where each line stands in a head
//! (RFC 9110 §5, §6.3).
//!
//! No value is copied, and none is shown by `Debug`.

use crate::bytes::class;
use std::fmt;

/// A range of bytes within a head.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// Offset of the first byte.
    pub start: u32,
    /// Offset of the byte after the last.
    pub end: u32,
}

impl Span {
    /// From one offset to another. Both have to fit, which the limits of a head see to.
    #[inline]
    pub(crate) const fn new(start: usize, end: usize) -> Span {
        Span {
            start: start as u32,
            end: end as u32,
        }
    }

    /// The bytes that it covers; empty when it does not lie within `bytes`.
    #[inline]
    pub fn of(self, bytes: &[u8]) -> &[u8] {
        bytes
            .get(self.start as usize..self.end as usize)
            .unwrap_or_default()
    }

    /// The same as text; empty when it is not UTF-8. A target and a host are ASCII, in the bytes of
    /// their own head.
    pub fn text(self, bytes: &[u8]) -> &str {
        let bytes = bytes.get(self.start as usize..self.end as usize);
        let text = bytes.and_then(|bytes| std::str::from_utf8(bytes).ok());
        text.unwrap_or_default()
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
    pub fn of(name: &[u8]) -> FieldName {
        FieldName::odd(name)
    }

    /// The entry of the name that stands from `start` to `end` in a head. The bytes after it are
    /// read too, as whole words are compared, but do not count.
    #[inline(always)]
    pub fn at(head: &[u8], start: usize, end: usize) -> FieldName {
        let Some(word) = word_at(head, start) else {
            return FieldName::odd(head.get(start..end).unwrap_or_default());
        };
        let len = end.wrapping_sub(start);
        let candidate = &SPELLINGS[place(word as u32, len)];
        if candidate.len != len || (word ^ candidate.bytes) & candidate.exact != 0 {
            return FieldName::Other;
        }
        match len <= WORD {
            true => candidate.field,
            false => FieldName::odd(head.get(start..end).unwrap_or_default()),
        }
    }

    /// The entry of a name that is longer than a word, or stands in fewer bytes than that.
    #[cold]
    fn odd(name: &[u8]) -> FieldName {
        let Some(first) = name.first_chunk() else {
            return FieldName::Other;
        };
        let candidate = SPELLINGS[place(u32::from_le_bytes(*first), name.len())].field;
        match name.eq_ignore_ascii_case(candidate.as_str().as_bytes()) {
            true => candidate,
            false => FieldName::Other,
        }
    }
}

/// The bytes of a name that are compared at once.
const WORD: usize = size_of::<u128>();

#[derive(Clone, Copy)]
struct Spelling {
    field: FieldName,
    len: usize,
    bytes: u128,
    /// All their bits but bit 5 of the letters, which alone may differ: a hyphen has to be a
    /// hyphen.
    exact: u128,
}

impl Spelling {
    const NONE: Spelling = Spelling {
        field: FieldName::Other,
        len: 0,
        bytes: 0,
        exact: 0,
    };

    const fn new(field: FieldName) -> Spelling {
        let name = field.as_str().as_bytes();
        let (mut bytes, mut exact) = ([0; WORD], [0; WORD]);
        let mut next = 0;
        while next < WORD && next < name.len() {
            bytes[next] = name[next];
            // Letters alone have bit 6 in a known name.
            exact[next] = !((name[next] & 0x40) >> 1);
            next += 1;
        }
        Spelling {
            field,
            len: name.len(),
            bytes: u128::from_le_bytes(bytes),
            exact: u128::from_le_bytes(exact),
        }
    }
}

/// The bytes from `start` on, lowest first, as far as there are any. `None` when there are fewer
/// than a word in all.
#[inline(always)]
fn word_at(bytes: &[u8], start: usize) -> Option<u128> {
    if let Some(word) = bytes.get(start..).and_then(<[u8]>::first_chunk) {
        return Some(u128::from_le_bytes(*word));
    }
    let word = u128::from_le_bytes(*bytes.last_chunk()?);
    let before = start.wrapping_add(WORD).wrapping_sub(bytes.len());
    word.checked_shr(8 * u32::try_from(before).ok()?)
}

/// The place of the spelling of a known name of `len` bytes; each has its own. The lower five bits
/// count, which the case of a letter does not change. Other names may share them, as the whole name
/// is compared.
#[inline(always)]
const fn place(first: u32, len: usize) -> usize {
    let letters = first & u32::from_le_bytes([0x1F; 4]);
    let product = letters.wrapping_add(len as u32).wrapping_mul(MULTIPLIER);
    (product >> (u32::BITS - PLACES.ilog2())) as usize
}

const PLACES: usize = 64;
/// Found by trying: one that gives each known name a place of its own, which is asserted below.
const MULTIPLIER: u32 = 0x440D_9865;

static SPELLINGS: [Spelling; PLACES] = {
    let mut spellings = [Spelling::NONE; PLACES];
    let mut next = 0;
    while next < FieldName::ALL.len() {
        let spelling = Spelling::new(FieldName::ALL[next]);
        let Some(first) = spelling.field.as_str().as_bytes().first_chunk() else {
            panic!("a known name has at least four octets");
        };
        let place = place(u32::from_le_bytes(*first), spelling.len);
        assert!(
            spellings[place].len == 0,
            "two known names have one place: try another multiplier"
        );
        spellings[place] = spelling;
        next += 1;
    }
    spellings
};

/// One field line of a head.
#[derive(Clone, Copy, Debug)]
pub struct FieldLine {
    /// [`FieldName::of`] the name. Look-ups rely on it.
    pub field: FieldName,
    /// The name as received, a token.
    pub name: Span,
    /// The value without white space around it.
    pub value: Span,
}

/// Where the field lines of one head stand. Kept and reused by the thread that parses, so that a
/// request allocates nothing.
#[derive(Debug, Default)]
pub struct FieldTable {
    pub(crate) lines: Vec<FieldLine>,
}

impl FieldTable {
    /// An empty table with room for `limit` lines.
    pub fn with_capacity(limit: usize) -> FieldTable {
        FieldTable {
            lines: Vec::with_capacity(limit),
        }
    }

    /// The lines over the bytes of their head, which begin where those began that were parsed.
    pub fn headers<'a>(&'a self, bytes: &'a [u8]) -> Headers<'a> {
        Headers {
            bytes,
            lines: &self.lines,
        }
    }

    /// Forgets all lines and keeps the room.
    pub fn clear(&mut self) {
        self.lines.clear();
    }

    /// Adds a line.
    // For the tests, which make tables: nobody else should add a line.
    #[doc(hidden)]
    pub fn push(&mut self, line: FieldLine) {
        self.lines.push(line);
    }

    /// The lines in the order in which they came.
    // For the tests, which look at where lines stand: `headers` has what they say.
    #[doc(hidden)]
    pub fn lines(&self) -> &[FieldLine] {
        &self.lines
    }
}

/// The field lines of a request: names without regard to case, values as opaque bytes
/// (RFC 9110 §5.5).
///
/// Printing it for debugging shows names and the lengths of values, never a value: some are
/// secrets.
#[derive(Clone, Copy)]
pub struct Headers<'a> {
    bytes: &'a [u8],
    lines: &'a [FieldLine],
}

impl<'a> Headers<'a> {
    /// The lines of a table over the bytes of their head.
    // For the tests, which have lines and no table.
    #[doc(hidden)]
    pub fn new(bytes: &'a [u8], lines: &'a [FieldLine]) -> Headers<'a> {
        Headers { bytes, lines }
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
        let Headers { bytes, lines } = *self;
        let field = FieldName::of(name.as_bytes());
        // A known name is told by its entry; only the others are compared.
        lines
            .iter()
            .filter(move |line| {
                line.field == field
                    && (field != FieldName::Other
                        || line.name.of(bytes).eq_ignore_ascii_case(name.as_bytes()))
            })
            .map(move |line| line.value.of(bytes))
    }

    /// The value of the first line of a known field.
    pub(crate) fn known(&self, field: FieldName) -> Option<&'a [u8]> {
        self.known_all(field).next()
    }

    /// The values of all lines of a known field, in order.
    // For the tests: a user has no `FieldName`, and `get_all` finds the same.
    #[doc(hidden)]
    pub fn known_all(&self, field: FieldName) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let Headers { bytes, lines } = *self;
        lines
            .iter()
            .filter(move |line| line.field == field)
            .map(move |line| line.value.of(bytes))
    }

    /// Whether there is a line of one of these known fields, found in one pass.
    pub(super) fn has_any(&self, fields: &[FieldName]) -> bool {
        self.lines.iter().any(|line| fields.contains(&line.field))
    }

    /// Name, as received, and value of each line, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&'a str, &'a [u8])> + use<'a> {
        let Headers { bytes, lines } = *self;
        lines.iter().map(move |line| {
            // A token is ASCII, so this is never the default.
            let name = std::str::from_utf8(line.name.of(bytes)).unwrap_or_default();
            (name, line.value.of(bytes))
        })
    }

    /// How many lines there are.
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// Whether there are no lines.
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

/// Whether a field can have this value. White space around it is allowed and means nothing
/// (RFC 9110 §5.5).
pub fn valid_value(value: &[u8]) -> bool {
    // RFC 9110 §5.5: "Field values containing CR, LF, or NUL characters are invalid and dangerous".
    // If a server writes one, the author of the value can write a response of their own.
    // STRICTER: so are the other controls, which RFC 9110 §5.5 lets a recipient retain.
    value.iter().all(|&byte| class::is_field_octet(byte))
}
