//! Feeds a row's bytes in every way and compares each outcome with what the row expects.

use doorstep::Limits;
use doorstep::internals::h1::chunked::Decoder;
use doorstep::internals::h1::{Expect, Framing, Head, Parsed, Reject, Resume, parse_head};
use doorstep::internals::semantics::{FieldTable, Span, Version};

/// A request that is glued after a row: it has to come through untouched.
const NEXT: &[u8] = b"GET /next HTTP/1.1\r\nHost: next\r\n\r\n";

/// One case for the head's parser.
pub struct Row {
    pub name: String,
    pub octets: Vec<u8>,
    pub limits: Limits,
    pub expected: Expected,
}

pub enum Expected {
    /// A head of which each of these words is said, see [`describe`].
    Head(String),
    /// A head with exactly these field lines.
    Fields(Vec<(String, Vec<u8>)>),
    /// A refusal.
    Refused(Reject),
    /// Neither: more bytes are needed.
    More,
}

/// A row whose head is accepted, and what is said of it.
pub fn accept(name: &str, octets: impl AsRef<[u8]>, words: &str) -> Row {
    row(name, octets, Expected::Head(words.to_owned()))
}

/// A row whose head is accepted, with these field lines.
pub fn accept_fields(name: &str, octets: impl AsRef<[u8]>, fields: &[(&str, &[u8])]) -> Row {
    let fields = fields
        .iter()
        .map(|(name, value)| ((*name).to_owned(), value.to_vec()))
        .collect();
    row(name, octets, Expected::Fields(fields))
}

/// A row whose head is refused.
pub fn refuse(name: &str, octets: impl AsRef<[u8]>, reject: Reject) -> Row {
    row(name, octets, Expected::Refused(reject))
}

/// A row that is the start of a head.
pub fn incomplete(name: &str, octets: impl AsRef<[u8]>) -> Row {
    row(name, octets, Expected::More)
}

fn row(name: &str, octets: impl AsRef<[u8]>, expected: Expected) -> Row {
    Row {
        name: name.to_owned(),
        octets: octets.as_ref().to_vec(),
        limits: Limits::default(),
        expected,
    }
}

impl Row {
    /// The same row under other limits.
    pub fn limited(mut self, change: impl FnOnce(&mut Limits)) -> Row {
        change(&mut self.limits);
        self
    }
}

/// A complete request with this request line.
pub fn line(line: impl AsRef<[u8]>) -> Vec<u8> {
    [line.as_ref(), b"\r\nHost: a\r\n\r\n"].concat()
}

/// A complete request with this field line, or several with CRLF between them.
pub fn field(field: impl AsRef<[u8]>) -> Vec<u8> {
    [
        b"POST / HTTP/1.1\r\nHost: a\r\n",
        field.as_ref(),
        b"\r\n\r\n",
    ]
    .concat()
}

/// What became of a head.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Done {
        words: String,
        fields: Vec<(String, Vec<u8>)>,
        used: usize,
    },
    Refused(Reject),
    More,
}

/// Hands in `bytes` up to each of `ends`, in order, until there is an outcome.
pub fn feed(octets: &[u8], ends: impl IntoIterator<Item = usize>, limits: &Limits) -> Outcome {
    let mut table = FieldTable::default();
    let mut resume = Resume::default();
    for end in ends {
        match parse_head(&octets[..end], resume, limits, &mut table) {
            Ok(Parsed::Done { value, used }) => {
                return Outcome::Done {
                    words: describe(&value, &octets[..end]),
                    fields: fields(&table, &octets[..end]),
                    used,
                };
            }
            Ok(Parsed::More { resume: next }) => resume = next,
            Err(reject) => return Outcome::Refused(reject),
        }
    }
    Outcome::More
}

fn whole(octets: &[u8], limits: &Limits) -> Outcome {
    feed(octets, [octets.len()], limits)
}

/// A head in words: `method=GET target=/a?b form=Origin path=/a query=b version=1.1 host=a
/// framing=none connection=keep expect=nothing`, each between two spaces.
fn describe(head: &Head, octets: &[u8]) -> String {
    let text = |span: Span| span.of(octets).escape_ascii().to_string();
    let within = |span: Span| {
        let target = head.target.of(octets);
        span.of(target).escape_ascii().to_string()
    };
    let query = head.parts.query.map_or("none".to_owned(), within);
    let host = head.host.map_or("none".to_owned(), text);
    let version = match head.version {
        Version::Http10 => "1.0",
        Version::Http11 => "1.1",
        other => panic!("{other:?} is not served"),
    };
    let framing = match head.framing {
        Framing::None => "none".to_owned(),
        Framing::Length(length) => length.to_string(),
        Framing::Chunked => "chunked".to_owned(),
    };
    let connection = if head.keep_alive { "keep" } else { "close" };
    let expect = match head.expect {
        Expect::Nothing => "nothing",
        Expect::Continue => "continue",
    };
    format!(
        " method={} target={} form={:?} path={} query={query} version={version} host={host} framing={framing} \
         connection={connection} expect={expect} ",
        head.method,
        text(head.target),
        head.parts.form,
        within(head.parts.path),
    )
}

fn fields(table: &FieldTable, octets: &[u8]) -> Vec<(String, Vec<u8>)> {
    table
        .lines()
        .iter()
        .map(|line| {
            let name = line.name.of(octets).escape_ascii().to_string();
            (name, line.value.of(octets).to_vec())
        })
        .collect()
}

/// Runs the rows of a table, each in every way.
pub fn run(rows: Vec<Row>) {
    assert!(!rows.is_empty());
    for row in rows {
        row.run();
    }
}

impl Row {
    fn run(&self) {
        let first = whole(&self.octets, &self.limits);
        self.expect(&first);
        self.in_pieces(&first);
        self.cut_short(&first);
        self.glued(&first);
    }

    fn expect(&self, outcome: &Outcome) {
        let name = &self.name;
        match (&self.expected, outcome) {
            (Expected::Head(expected), Outcome::Done { words, used, .. }) => {
                for word in expected.split_whitespace() {
                    assert!(
                        words.contains(&format!(" {word} ")),
                        "{name}: {word} is not in{words}"
                    );
                }
                assert_eq!(*used, self.octets.len(), "{name}: bytes used");
            }
            (Expected::Fields(expected), Outcome::Done { fields, used, .. }) => {
                assert_eq!(fields, expected, "{name}");
                assert_eq!(*used, self.octets.len(), "{name}: bytes used");
            }
            (Expected::Refused(expected), Outcome::Refused(reject)) => {
                assert_eq!(reject, expected, "{name}");
            }
            (Expected::More, Outcome::More) => {}
            (_, outcome) => panic!("{name}: {outcome:?}"),
        }
    }

    /// Byte by byte, and cut once at every offset.
    fn in_pieces(&self, first: &Outcome) {
        let len = self.octets.len();
        let outcome = feed(&self.octets, 0..=len, &self.limits);
        assert_eq!(outcome, *first, "{}: byte by byte", self.name);
        for cut in (0..len).step_by(stride(&self.octets)) {
            let outcome = feed(&self.octets, [cut, len], &self.limits);
            assert_eq!(outcome, *first, "{}: cut at {cut}", self.name);
        }
    }

    /// Every proper prefix is not enough, or has the row's own refusal; once refused stays refused.
    fn cut_short(&self, first: &Outcome) {
        let mut refused = false;
        for len in (0..self.octets.len()).step_by(stride(&self.octets)) {
            let outcome = whole(&self.octets[..len], &self.limits);
            let more = outcome == Outcome::More;
            assert!(
                if refused {
                    outcome == *first
                } else {
                    more || outcome == *first
                },
                "{}: {outcome:?} of the first {len} bytes, {first:?} of all",
                self.name
            );
            refused = !more;
            let complete = matches!(outcome, Outcome::Done { .. });
            assert!(!complete, "{}: complete after {len} bytes", self.name);
        }
    }

    /// Another request after it changes nothing, and is parsed as if it stood alone.
    fn glued(&self, first: &Outcome) {
        if *first == Outcome::More {
            return;
        }
        let octets = [&self.octets[..], NEXT].concat();
        let ways = [
            feed(&octets, [octets.len()], &self.limits),
            feed(&octets, 0..=octets.len(), &self.limits),
        ];
        for outcome in ways {
            assert_eq!(outcome, *first, "{}: with a request after", self.name);
        }
        if let Outcome::Done { used, .. } = first {
            let expected = whole(NEXT, &Limits::default());
            let behind = whole(&octets[*used..], &Limits::default());
            assert_eq!(behind, expected, "{}: the request after", self.name);
        }
    }
}

/// The distance between two cuts: every offset, but of long bytes 61 places only.
fn stride(octets: &[u8]) -> usize {
    match octets.len() {
        len @ 1000.. => len / 61,
        _ => 1,
    }
}

/// One case for the chunked coding's decoder: a body without its head.
pub struct ChunkedRow {
    pub name: String,
    pub octets: Vec<u8>,
    pub limits: Limits,
    pub expected: Result<Vec<u8>, Reject>,
}

/// A body that is accepted, with this content.
pub fn content(name: &str, octets: impl AsRef<[u8]>, content: impl AsRef<[u8]>) -> ChunkedRow {
    chunked_row(name, octets, Ok(content.as_ref().to_vec()))
}

/// A body that is refused.
pub fn refuse_chunked(name: &str, octets: impl AsRef<[u8]>, reject: Reject) -> ChunkedRow {
    chunked_row(name, octets, Err(reject))
}

fn chunked_row(
    name: &str,
    octets: impl AsRef<[u8]>,
    expected: Result<Vec<u8>, Reject>,
) -> ChunkedRow {
    ChunkedRow {
        name: name.to_owned(),
        octets: octets.as_ref().to_vec(),
        limits: Limits::default(),
        expected,
    }
}

/// What became of a body: its content and the bytes that it took, or `None` where there is no end
/// yet.
pub type Decoding = Result<Option<(Vec<u8>, usize)>, Reject>;

/// Decodes `bytes` in pieces that end at each of `ends`.
pub fn decode(octets: &[u8], ends: impl IntoIterator<Item = usize>, limits: &Limits) -> Decoding {
    let mut decoder = Decoder::default();
    let mut content = Vec::new();
    let mut used = 0;
    for end in ends {
        loop {
            let input = &octets[used..end];
            let decoded = decoder.decode(input, limits)?;
            assert!(decoded.data.start <= decoded.data.end);
            assert!(decoded.data.is_empty() || decoded.data.end == decoded.used);
            content.extend_from_slice(&input[decoded.data.clone()]);
            used += decoded.used;
            if decoder.is_done() {
                return Ok(Some((content, used)));
            }
            if decoded.data.is_empty() {
                assert_eq!(used, end, "a byte was left although more is needed");
                break;
            }
        }
    }
    Ok(None)
}

/// Runs the rows of a table of bodies, each in every way.
pub fn run_chunked(rows: Vec<ChunkedRow>) {
    assert!(!rows.is_empty());
    for row in rows {
        row.run();
    }
}

impl ChunkedRow {
    /// The same row under other limits.
    pub fn limited(mut self, change: impl FnOnce(&mut Limits)) -> ChunkedRow {
        change(&mut self.limits);
        self
    }

    fn run(&self) {
        let ChunkedRow {
            name,
            octets,
            limits,
            expected,
        } = self;
        let len = octets.len();
        let expected: Decoding = expected.clone().map(|content| Some((content, len)));
        let glued = [&octets[..], NEXT].concat();
        let whole = |octets: &[u8]| decode(octets, [octets.len()], limits);
        assert_eq!(whole(octets), expected, "{name}");
        assert_eq!(whole(&glued), expected, "{name}: with a request after");
        let each = decode(&glued, 0..=glued.len(), limits);
        assert_eq!(each, expected, "{name}: byte by byte");
        let mut refused = false;
        for cut in (0..len).step_by(stride(octets)) {
            let pieces = decode(octets, [cut, len], limits);
            assert_eq!(pieces, expected, "{name}: cut at {cut}");
            let short = whole(&octets[..cut]);
            assert!(
                short == expected || (!refused && short == Ok(None)),
                "{name}: {short:?} of the first {cut} bytes"
            );
            refused = short.is_err();
            let complete = matches!(short, Ok(Some(_)));
            assert!(!complete, "{name}: complete after {cut} bytes");
        }
    }
}
