//! Whatever its pieces, a chunked body has one outcome, the one that a naive reading of its grammar
//! finds: the same content and the same end, after which nothing is used. What was encoded is
//! decoded. Framing costs no more than its bounds.

use crate::support::bytes::pieces;
use doorstep::Limits;
use doorstep::internals::h1::Reject;
use doorstep::internals::h1::chunked::{Decoder, push_chunk, push_last_chunk};
use doorstep::internals::limits::{CHUNK_OVERHEAD, CHUNK_OVERHEAD_FREE};

/// Bytes after a body, which belong to somebody else.
const NEXT: &[u8] = b"GET /next HTTP/1.1\r\n\r\n";
/// How many bytes of a body are cut short at each place: the work for it grows with the square.
const CUTS: usize = 64;

/// What became of a body. The content is all that came before the end of the bytes or the refusal.
#[derive(Debug, PartialEq)]
struct Outcome {
    content: Vec<u8>,
    end: End,
}

#[derive(Debug, PartialEq)]
enum End {
    /// The body is complete, after so many bytes.
    Whole(usize),
    /// More bytes are needed.
    More,
    Refused(Reject),
}

/// Panics when `bytes`, as a chunked body, or as content of one, break the sentence above.
pub fn check(octets: &[u8]) {
    for limits in [Limits::default(), tight()] {
        let len = octets.len();
        let whole = decode(octets, [len], &limits);
        agree(&whole, &read(octets, &limits));
        assert_eq!(decode(octets, pieces(octets), &limits), whole, "in pieces");
        assert_eq!(decode(octets, 0..=len, &limits), whole, "byte by byte");
        for cut in 0..len.min(CUTS) {
            let short = &octets[..cut];
            agree(&decode(short, [cut], &limits), &read(short, &limits));
        }
        if whole.end != End::More {
            let longer = [octets, NEXT].concat();
            let glued = decode(&longer, [longer.len()], &limits);
            assert_eq!(glued, whole, "with a request after it");
        }
    }
    round_trip(octets, pieces(octets));
    round_trip(octets, [octets.len()]);
}

/// The decoder says what the naive reading says; for a refusal its reason is the tables' affair.
fn agree(outcome: &Outcome, reading: &Reading) {
    assert_eq!(outcome.content, reading.content, "the content");
    match (&outcome.end, &reading.end) {
        (End::Whole(used), Found::Whole(end)) => assert_eq!(used, end, "the end"),
        (End::More, Found::More) => {}
        (End::Refused(reject), Found::Wrong) => assert!(reject.status().code() >= 400),
        (outcome, reading) => panic!("{outcome:?}, read naively {reading:?}"),
    }
}

/// Decodes in pieces that end at each of `ends`, and counts what it costs.
fn decode(octets: &[u8], ends: impl IntoIterator<Item = usize>, limits: &Limits) -> Outcome {
    let mut decoder = Decoder::default();
    let mut content = Vec::new();
    let (mut used, mut runs) = (0, 0);
    let mut end = End::More;
    'pieces: for piece in ends {
        loop {
            let input = &octets[used..piece];
            let decoded = match decoder.decode(input, limits) {
                Ok(decoded) => decoded,
                Err(reject) => {
                    end = End::Refused(reject);
                    break 'pieces;
                }
            };
            let data = &input[decoded.data.clone()];
            assert!(data.is_empty() || decoded.data.end == decoded.used);
            used += decoded.used;
            runs += 1;
            content.extend_from_slice(data);
            if decoder.is_done() {
                end = End::Whole(used);
                break 'pieces;
            }
            if data.is_empty() {
                assert_eq!(used, piece, "a byte is left, and nothing comes of it");
                break;
            }
        }
    }
    if decoder.is_done() {
        let behind = decoder.decode(NEXT, limits).map(|decoded| decoded.used);
        assert_eq!(behind, Ok(0), "after the end");
    }
    // Each run of content has at most one size line before it, and each size line is free up to a
    // bound.
    let free = runs * (CHUNK_OVERHEAD_FREE as usize + 4);
    let once = limits.chunk_line_bytes + limits.trailer_bytes + 8;
    let bound = content.len() + CHUNK_OVERHEAD as usize + free + once;
    assert!(
        used <= content.len() + bound,
        "{used} bytes for {} of content",
        content.len()
    );
    Outcome { content, end }
}

/// Bytes that were encoded, in chunks that end at each of `ends`, are decoded again.
fn round_trip(octets: &[u8], ends: impl IntoIterator<Item = usize>) {
    let mut body = Vec::new();
    let mut begin = 0;
    for end in ends {
        push_chunk(&mut body, &octets[begin..end]);
        begin = end;
    }
    push_last_chunk(&mut body);
    let end = End::Whole(body.len());
    let content = octets.to_vec();
    let expected = Outcome { content, end };
    let limits = Limits::default();
    assert_eq!(decode(&body, [body.len()], &limits), expected, "encoded");
    assert_eq!(decode(&body, pieces(&body), &limits), expected, "in pieces");
    agree(&expected, &read(&body, &limits));
}

/// What a naive reading of the whole finds.
#[derive(Debug)]
struct Reading {
    content: Vec<u8>,
    end: Found,
}

#[derive(Debug)]
enum Found {
    Whole(usize),
    More,
    Wrong,
}

/// RFC 9112 §7.1: `chunked-body = *chunk last-chunk trailer-section CRLF`.
fn read(octets: &[u8], limits: &Limits) -> Reading {
    let mut reader = Reader { octets, at: 0 };
    let mut content = Vec::new();
    let end = match reader.body(limits, &mut content) {
        Ok(()) => Found::Whole(reader.at),
        Err(end) => end,
    };
    Reading { content, end }
}

struct Reader<'a> {
    octets: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn body(&mut self, limits: &Limits, content: &mut Vec<u8>) -> Result<(), Found> {
        let mut ahead = 0_u64;
        loop {
            let begin = self.at;
            let size = self.size_line(limits.chunk_line_bytes)?;
            let line = (self.at - begin - 2) as u64;
            ahead += line.saturating_sub(u64::from(CHUNK_OVERHEAD_FREE));
            if ahead > u64::from(CHUNK_OVERHEAD) {
                return Err(Found::Wrong);
            }
            if size == 0 {
                return self.trailer_section(limits.trailer_bytes.max(2));
            }
            for _ in 0..size {
                content.push(self.next()?);
                ahead = ahead.saturating_sub(1);
            }
            self.exactly(b"\r\n")?;
        }
    }

    /// `chunk-size [ chunk-ext ] CRLF`, of which `most` bytes are allowed before the CRLF.
    fn size_line(&mut self, most: usize) -> Result<u64, Found> {
        let begin = self.at;
        let mut digits = String::new();
        let mut size = 0;
        loop {
            let octet = self.next()?;
            if octet == b'\r' && !digits.is_empty() {
                break;
            }
            if octet == b';' && !digits.is_empty() {
                self.within(begin, most)?;
                self.extension(begin, most)?;
                break;
            }
            digits.push(char::from(octet));
            if !octet.is_ascii_hexdigit() || digits.len() > 16 {
                return Err(Found::Wrong);
            }
            size = u64::from_str_radix(&digits, 16).map_err(|_| Found::Wrong)?;
            // Above this, a size is none of ours.
            if size > i64::MAX as u64 {
                return Err(Found::Wrong);
            }
            self.within(begin, most)?;
        }
        self.exactly(b"\n")?;
        Ok(size)
    }

    /// Up to and with the CR: what RFC 9112 §7.1.1 may put there, and what else a field's value may
    /// hold.
    fn extension(&mut self, begin: usize, most: usize) -> Result<(), Found> {
        loop {
            let octet = self.next()?;
            if octet == b'\r' {
                return Ok(());
            }
            self.value_octet(octet)?;
            self.within(begin, most)?;
        }
    }

    /// `trailer-section CRLF`, of which `most` bytes are allowed in all: `*( field-line CRLF )`.
    fn trailer_section(&mut self, most: usize) -> Result<(), Found> {
        let begin = self.at;
        let mut name = 0;
        loop {
            match self.trailer_octet(begin, most)? {
                b'\r' if name == 0 => return self.trailer_line_end(begin, most),
                b':' if name > 0 => {
                    self.trailer_value(begin, most)?;
                    name = 0;
                }
                octet if octet.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&octet) => {
                    name += 1;
                }
                _ => return Err(Found::Wrong),
            }
        }
    }

    fn trailer_value(&mut self, begin: usize, most: usize) -> Result<(), Found> {
        loop {
            let octet = self.trailer_octet(begin, most)?;
            if octet == b'\r' {
                return self.trailer_line_end(begin, most);
            }
            self.value_octet(octet)?;
        }
    }

    fn trailer_line_end(&mut self, begin: usize, most: usize) -> Result<(), Found> {
        match self.trailer_octet(begin, most)? {
            b'\n' => Ok(()),
            _ => Err(Found::Wrong),
        }
    }

    /// A section that is full and has no end will never have one.
    fn trailer_octet(&mut self, begin: usize, most: usize) -> Result<u8, Found> {
        match self.at - begin < most {
            true => self.next(),
            false => Err(Found::Wrong),
        }
    }

    fn value_octet(&self, octet: u8) -> Result<(), Found> {
        match octet == b'\t' || (octet >= b' ' && octet != 0x7f) {
            true => Ok(()),
            false => Err(Found::Wrong),
        }
    }

    fn next(&mut self) -> Result<u8, Found> {
        let octet = self.octets.get(self.at).ok_or(Found::More)?;
        self.at += 1;
        Ok(*octet)
    }

    fn exactly(&mut self, expected: &[u8]) -> Result<(), Found> {
        for &octet in expected {
            if self.next()? != octet {
                return Err(Found::Wrong);
            }
        }
        Ok(())
    }

    /// At most so many bytes since `begin`.
    fn within(&self, begin: usize, most: usize) -> Result<(), Found> {
        match self.at - begin <= most {
            true => Ok(()),
            false => Err(Found::Wrong),
        }
    }
}

/// Limits that short inputs reach.
fn tight() -> Limits {
    let mut limits = Limits::default();
    limits.chunk_line_bytes = 5;
    limits.trailer_bytes = 12;
    limits
}
