//! RFC 9112 §7.1: the chunked transfer coding.

use super::Limits;
use super::grammar::{field_line, hexdig, is_field_octet};
use super::reader::{Reader, Refusal, Stop};

/// What content is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Body {
    /// As far as it is here and can be read.
    pub content: Vec<u8>,
    /// Where it ends, or why it does not.
    pub end: Result<usize, Stop>,
}

/// The body at the start of `bytes`.
pub fn read_chunked(octets: &[u8], limits: &Limits) -> Body {
    let mut reader = Reader::new(octets);
    let mut content = Vec::new();
    let end = chunked_body(&mut reader, octets, limits, &mut content);
    Body {
        content,
        end: end.map(|()| reader.at),
    }
}

/// `chunked-body = *chunk last-chunk trailer-section CRLF`, where `last-chunk = 1*("0") [ chunk-ext
/// ] CRLF`.
fn chunked_body(
    reader: &mut Reader<'_>,
    octets: &[u8],
    limits: &Limits,
    content: &mut Vec<u8>,
) -> Result<(), Stop> {
    let mut ahead = 0;
    loop {
        let start = reader.at;
        let size = size_line(reader, limits)?;
        // What the line has beyond its free bytes counts against the body, and content for it;
        // never more than there was.
        let length = reader.at - start - "\r\n".len();
        ahead += length.saturating_sub(limits.chunk_overhead_free);
        if ahead > limits.chunk_overhead {
            return Err(reader.refused(400));
        }
        if size == 0 {
            break;
        }
        // chunk = chunk-size [ chunk-ext ] CRLF chunk-data CRLF
        let data = reader.count(usize::try_from(size).unwrap_or(usize::MAX));
        content.extend_from_slice(data);
        ahead = ahead.saturating_sub(data.len());
        if (data.len() as u128) < size {
            return Err(Stop::Cut);
        }
        reader.crlf()?;
    }
    trailer_section(reader, octets, limits)
}

/// `chunk-size [ chunk-ext ] CRLF`, where `chunk-size = 1*HEXDIG`: no more than 16, and no more
/// than a signed 64-bit number holds.
///
/// `LENIENT:` an extension is whatever a field value may be, as nobody reads any (§7.1.1).
/// `STRICTER:` there is no white space before its semicolon.
fn size_line(reader: &mut Reader<'_>, limits: &Limits) -> Result<u128, Stop> {
    let (mut size, mut digits) = (0, 0);
    while let Some(digit) = reader.next().ok().and_then(hexdig) {
        reader.at += 1;
        digits += 1;
        size = size * 16 + u128::from(digit);
        if digits > 16 || size > i64::MAX as u128 || digits > limits.chunk_line_bytes {
            return Err(reader.refused(400));
        }
    }
    if reader.next()? == b';' && digits > 0 {
        reader.at += 1;
        let Some(left) = limits.chunk_line_bytes.checked_sub(digits + 1) else {
            return Err(reader.refused(400));
        };
        reader.any(is_field_octet, left, 400)?;
    }
    reader.one(|octet| octet == b'\r' && digits > 0)?;
    reader.one(|octet| octet == b'\n')?;
    Ok(size)
}

/// `trailer-section = *( field-line CRLF )`, and the CRLF after it. Its fields are dropped.
fn trailer_section(reader: &mut Reader<'_>, octets: &[u8], limits: &Limits) -> Result<(), Stop> {
    let most = reader.at + limits.trailer_bytes.max("\r\n".len());
    // Within so many bytes it ends, or is too large (RFC 6585 §5).
    let mut within = Reader::new(&octets[..octets.len().min(most)]);
    within.at = reader.at;
    let ends = |reader: &mut Reader<'_>| {
        while reader.next()? != b'\r' {
            field_line(reader)?;
        }
        reader.crlf()
    };
    let end = ends(&mut within);
    reader.at = within.at;
    match end {
        Err(Stop::Cut) if octets.len() >= most => Err(Stop::Refused(Refusal {
            status: 431,
            after: most,
        })),
        end => end,
    }
}
