//! Field lines: their names, and the table of where each stands in a head (RFC 9110 §5, §6.3).

/// A range of octets within a head.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /** First octet. */
    pub start: u32,
    /** One past the last. */
    pub end: u32,
}

impl Span {
    /// The octets that it covers; empty when it lies outside.
    pub fn of(self, octets: &[u8]) -> &[u8] {
        todo!()
    }
}

/// The field names that the server itself acts on, found once when a head is parsed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FieldName {
    Accept,
    AcceptEncoding,
    Authorization,
    Connection,
    ContentLength,
    ContentType,
    Cookie,
    Date,
    Expect,
    Host,
    IfMatch,
    IfModifiedSince,
    IfNoneMatch,
    IfRange,
    IfUnmodifiedSince,
    KeepAlive,
    Origin,
    Range,
    Server,
    TransferEncoding,
    Upgrade,
    UserAgent,
    /** Any other. */
    Other,
}

impl FieldName {
    /// The name's entry, without regard to case.
    pub fn of(name: &[u8]) -> FieldName {
        todo!()
    }
}

/// One field line of a head.
#[derive(Clone, Copy, Debug)]
pub struct FieldLine {
    /** . */
    pub field: FieldName,
    /** The name as it came. */
    pub name: Span,
    /** The value without white space around it. */
    pub value: Span,
}

/// Where the field lines of one head stand. Kept and reused by the thread that parses, so that a request allocates nothing.
#[derive(Debug, Default)]
pub struct FieldTable {
    lines: Vec<FieldLine>,
}

impl FieldTable {
    /// Room for `limit` lines.
    pub fn with_capacity(limit: usize) -> FieldTable {
        todo!()
    }
    /// Forgets all lines.
    pub fn clear(&mut self) {
        todo!()
    }
    /// Adds a line.
    pub fn push(&mut self, line: FieldLine) {
        todo!()
    }
    /// The lines in order.
    pub fn lines(&self) -> &[FieldLine] {
        todo!()
    }
}

/// The field lines of a request: names without regard to case, values as opaque octets.
#[derive(Clone, Copy, Debug)]
pub struct Headers<'a> {
    octets: &'a [u8],
    lines: &'a [FieldLine],
}

impl<'a> Headers<'a> {
    /// The lines of `table` over the head's octets.
    pub fn new(octets: &'a [u8], lines: &'a [FieldLine]) -> Headers<'a> {
        todo!()
    }
    /// The value of the first line with this name.
    pub fn get(&self, name: &str) -> Option<&'a [u8]> {
        todo!()
    }
    /// The values of all lines with this name, in order.
    pub fn get_all(&self, name: &str) -> impl Iterator<Item = &'a [u8]> + use<'a, '_> {
        [].into_iter()
    }
    /// The value of the first line of a known field.
    pub fn known(&self, field: FieldName) -> Option<&'a [u8]> {
        todo!()
    }
    /// The values of all lines of a known field.
    pub fn known_all(&self, field: FieldName) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        [].into_iter()
    }
    /// Name and value of each line, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&'a str, &'a [u8])> + use<'a> {
        [].into_iter()
    }
    /// How many lines there are.
    pub fn len(&self) -> usize {
        todo!()
    }
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        todo!()
    }
}

/// Whether a name can stand in a field line: a token (RFC 9110 §5.1).
pub fn valid_name(name: &[u8]) -> bool {
    !name.is_empty() && crate::bytes::class::token_len(name) == name.len()
}

/// Whether a value can stand in a field line (RFC 9110 §5.5): no CR, LF, NUL or other control but HTAB, and no white space
/// at either end, which a reader would not see as part of it.
pub fn valid_value(value: &[u8]) -> bool {
    crate::scan::field_value_len(value) == value.len()
        && crate::bytes::class::trim_ows(value).len() == value.len()
}
