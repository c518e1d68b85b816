//! RFC 9112 §7.1, §7.1.1, §7.1.2 and RFC 9110 §6.5.1: the chunked transfer coding.

use crate::harness::{ChunkedRow, content, decode, refuse_chunked as refuse, run_chunked};
use doorstep::Limits;
use doorstep::internals::h1::Reject::{
    self, BareCarriageReturn, BareLineFeed, ChunkLineTooLong, ChunkOverhead, InvalidChunkEnd,
    InvalidChunkExtension, InvalidChunkSize, TrailerTooLarge,
};
use doorstep::internals::h1::chunked::{Decoder, push_chunk, push_last_chunk};
use doorstep::internals::limits::{CHUNK_OVERHEAD, CHUNK_OVERHEAD_FREE};

pub fn rows() -> Vec<ChunkedRow> {
    let mut rows = accepted();
    rows.extend(sizes());
    rows.extend(ends_of_data());
    rows.extend(extensions());
    rows.extend(trailers());
    rows.extend(overheads());
    rows
}

#[rustfmt::skip]
fn accepted() -> Vec<ChunkedRow> {
    vec![
        content("no content", "0\r\n\r\n", ""),
        content("one chunk", "5\r\nhello\r\n0\r\n\r\n", "hello"),
        content("RFC 9112 §7.1.3: two chunks", "5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n", "hello world"),
        content("digits of both cases", "A\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n", "01234567890123456789"),
        content("two digits", "10\r\n0123456789abcdef\r\n0\r\n\r\n", "0123456789abcdef"),
        content("leading zeros", "0005\r\nhello\r\n000\r\n\r\n", "hello"),
        content("16 digits", "0000000000000001\r\nx\r\n0000000000000000\r\n\r\n", "x"),
        content("data that looks like framing", "7\r\n\r\n0\r\n\r\n\r\n0\r\n\r\n", "\r\n0\r\n\r\n"),
        content("data of all bytes", [&b"100\r\n"[..], &(0..=255).collect::<Vec<u8>>(), b"\r\n0\r\n\r\n"].concat(), (0..=255).collect::<Vec<u8>>()),
        content("golang/go#71988: an extension (RFC 9112 §7.1.1)", "5;a=b\r\nhello\r\n0;c\r\n\r\n", "hello"),
        content("an extension with what a field value may hold", b"1; a\t=\"b;c\" \xff\r\nx\r\n0\r\n\r\n", "x"),
        content("an empty extension", "1;\r\nx\r\n0;\r\n\r\n", "x"),
        content("a trailer field (RFC 9112 §7.1.2)", "1\r\nx\r\n0\r\nA: b\r\n\r\n", "x"),
        content("http-garden: a trailer field that would frame", "1\r\nx\r\n0\r\nContent-Length: 9\r\nTransfer-Encoding: gzip\r\n\r\n", "x"),
    ]
}

#[rustfmt::skip]
fn sizes() -> Vec<ChunkedRow> {
    let mut rows = vec![
        refuse("RUSTSEC-2021-0079: LF alone behind a size", "5\nhello\r\n0\r\n\r\n", BareLineFeed),
        refuse("CR alone behind a size", "5\rhello\r\n0\r\n\r\n", BareCarriageReturn),
        refuse("LF alone behind the last size", "0\n\r\n", BareLineFeed),
    ];
    // RFC 9112 §7.1: `chunk-size = 1*HEXDIG`.
    for size in [
        "+5", "-1", "0x5", "5 ", " 5", "5\t", "5_0", "123x", "00000000000000000", "11111111111111111", "10000000000000000", "8000000000000000",
        "ffffffffffffffff", "fffffffffffffffff", "", "g", "\0", "5\0", "\u{ff15}", "5.0", "5,5", "\"5\"", ";a", "5 ;a", "\r\n5", "x",
    ] {
        let name = format!("RUSTSEC-2021-0079, picohttpparser#78: size {size}");
        rows.push(refuse(&name, format!("{size}\r\nhello\r\n0\r\n\r\n"), InvalidChunkSize));
        // A wrong size after a chunk that was right.
        rows.push(refuse(&name, format!("1\r\nx\r\n{size}\r\nhello\r\n0\r\n\r\n"), InvalidChunkSize));
    }
    rows
}

#[rustfmt::skip]
fn ends_of_data() -> Vec<ChunkedRow> {
    let body = |end: &str| format!("5\r\nhello{end}0\r\n\r\n");
    let mut rows = Vec::new();
    for end in ["XX", "\n", "\r", "\r\r\n", "\n\r", "X\n", "\n\n", "X\r\n", " \r\n", "", "\rX", "\0\0"] {
        let name = format!("GHSA-vqfr-h8mv-ghfj: data, then {}", end.escape_default());
        rows.push(refuse(&name, body(end), InvalidChunkEnd));
    }
    rows.push(refuse("data that is longer than its size", "4\r\nhello\r\n0\r\n\r\n", InvalidChunkEnd));
    rows.push(refuse("http-garden: junk instead of the empty line", "1\r\nx\r\n0\r\nXX\r\n", Reject::MissingColon));
    rows.push(refuse("CR alone as the end", "0\r\n\rX", BareCarriageReturn));
    rows.push(refuse("LF alone as the end", "0\r\n\n", BareLineFeed));
    rows
}

#[rustfmt::skip]
fn extensions() -> Vec<ChunkedRow> {
    let long = |len: usize| format!("1;{}\r\nx\r\n0\r\n\r\n", "e".repeat(len - 2));
    vec![
        refuse("hyper#2600, golang/go#71988: LF in an extension", "1;a\nx\r\n0\r\n\r\n", BareLineFeed),
        refuse("CR in an extension", "1;a\rb\r\nx\r\n0\r\n\r\n", BareCarriageReturn),
        refuse("hyper#2600: a control in an extension (RFC 9112 §7.1.1)", "1;a\x01\r\nx\r\n0\r\n\r\n", InvalidChunkExtension),
        refuse("NUL in an extension", "1;\0\r\nx\r\n0\r\n\r\n", InvalidChunkExtension),
        refuse("DEL in an extension", "1;\x7f\r\nx\r\n0\r\n\r\n", InvalidChunkExtension),
        refuse("a control in the extension of the last chunk", "0;\x1b\r\n\r\n", InvalidChunkExtension),
        content("a size line below its limit", long(255), "x"),
        content("a size line at its limit", long(256), "x"),
        refuse("a size line of one byte too many", long(257), ChunkLineTooLong),
        refuse("hyper#2600: an extension of 1 MB", format!("1;{}", "e".repeat(1_000_000)), ChunkLineTooLong),
        content("a small limit that is kept", "01;\r\nx\r\n0\r\n\r\n", "x").limited(|limits| limits.chunk_line_bytes = 3),
        refuse("a semicolon too many", "001;\r\nx\r\n0\r\n\r\n", ChunkLineTooLong).limited(|limits| limits.chunk_line_bytes = 3),
        content("a small limit that is kept by digits alone", "001\r\nx\r\n000\r\n\r\n", "x").limited(|limits| limits.chunk_line_bytes = 3),
        refuse("a digit too many", "0001\r\nx\r\n0\r\n\r\n", ChunkLineTooLong).limited(|limits| limits.chunk_line_bytes = 3),
        refuse("a byte of an extension too many", "01;a\r\nx\r\n0\r\n\r\n", ChunkLineTooLong).limited(|limits| limits.chunk_line_bytes = 3),
    ]
}

#[rustfmt::skip]
fn trailers() -> Vec<ChunkedRow> {
    let trailer = |section: &str| format!("1\r\nx\r\n0\r\n{section}\r\n");
    let long = |len: usize| trailer(&format!("A: {}\r\n", "b".repeat(len - 7)));
    vec![
        content("two fields", trailer("A: b\r\nC: d\r\n"), "x"),
        content("RFC 9110 §6.5.1: Host, Expect and Connection are dropped", trailer("Host: b\r\nExpect: x\r\nConnection: close\r\n"), "x"),
        refuse("no colon", trailer("A\r\n"), Reject::MissingColon),
        refuse("no name", trailer(": b\r\n"), Reject::EmptyFieldName),
        refuse("space before the colon", trailer("A : b\r\n"), Reject::SpaceBeforeColon),
        refuse("white space first", trailer(" A: b\r\n"), Reject::SpaceBeforeFirstField),
        refuse("a fold", trailer("A: b\r\n c\r\n"), Reject::ObsoleteFold),
        refuse("a name that is no token", trailer("A(: b\r\n"), Reject::InvalidFieldName),
        refuse("NUL in a value", trailer("A: \0\r\n"), Reject::InvalidFieldValue),
        refuse("LF alone", trailer("A: b\n"), BareLineFeed),
        refuse("CR alone", trailer("A: b\rc\r\n"), BareCarriageReturn),
        content("a trailer section below its limit", long(4095), "x"),
        content("a trailer section at its limit", long(4096), "x"),
        refuse("a trailer section of one byte too many (RFC 9112 §7.1.2)", long(4097), TrailerTooLarge),
        refuse("http-garden: a trailer section of 1 MB", trailer(&"A: b\r\n".repeat(170_000)), TrailerTooLarge),
        refuse("a trailer section that is full without an end", "0\r\nA: bcd", TrailerTooLarge).limited(|limits| limits.trailer_bytes = 6),
        content("no trailer, and no room for one", "0\r\n\r\n", "").limited(|limits| limits.trailer_bytes = 0),
        refuse("a trailer, and no room for one", "0\r\nA: b\r\n\r\n", TrailerTooLarge).limited(|limits| limits.trailer_bytes = 0),
        content("a small limit that is kept", "0\r\nA:\r\n\r\n", "").limited(|limits| limits.trailer_bytes = 6),
        refuse("a small limit that is not", "0\r\nA:b\r\n\r\n", TrailerTooLarge).limited(|limits| limits.trailer_bytes = 6),
    ]
}

/// Chunks of `len` bytes of data, each with a size line of 256 bytes, and the last chunk.
fn costly(count: usize, len: usize) -> String {
    let size = format!("{len:x};");
    let size = format!("{size}{}", "e".repeat(256 - size.len()));
    let data = "x".repeat(len);
    format!("{}0\r\n\r\n", format!("{size}\r\n{data}\r\n").repeat(count))
}

#[rustfmt::skip]
fn overheads() -> Vec<ChunkedRow> {
    // Each of these chunks is held 244 bytes to its debit and one to its credit.
    let each = 256 - CHUNK_OVERHEAD_FREE as usize - 1;
    let allowed = (CHUNK_OVERHEAD as usize - 1) / each;
    // As many as are allowed, and a chunk whose size line takes what is left, and so many bytes
    // more.
    let exact = |more: usize| {
        let left = CHUNK_OVERHEAD as usize - allowed * each + more;
        let extension = "e".repeat(CHUNK_OVERHEAD_FREE as usize + left - 2);
        let costly = costly(allowed, 1);
        format!("{}1;{extension}\r\nx\r\n0\r\n\r\n", costly.trim_end_matches("0\r\n\r\n"))
    };
    // One chunk of 64 KiB, and after and before it as many costly ones as are allowed.
    let some = costly(allowed, 1);
    let some = some.trim_end_matches("0\r\n\r\n");
    let repaid = format!("{some}10000\r\n{}\r\n{some}0\r\n\r\n", "x".repeat(1 << 16));
    vec![
        content("a chunk that pays for all before it", repaid, "x".repeat((1 << 16) + 2 * allowed)),
        content("hyper#2600: as many costly chunks as are allowed", costly(allowed, 1), "x".repeat(allowed)),
        refuse("hyper#2600: one more", costly(allowed + 1, 1), ChunkOverhead),
        content("up to the last byte that is allowed", exact(0), "x".repeat(allowed + 1)),
        refuse("one byte beyond it", exact(1), ChunkOverhead),
        refuse("hyper#2600: very many", costly(5_000, 1), ChunkOverhead),
        content("many chunks whose content pays for them", costly(300, 244), "x".repeat(300 * 244)),
        content("many small chunks without an extension", format!("{}0\r\n\r\n", "1\r\nx\r\n".repeat(20_000)), "x".repeat(20_000)),
        content("a size line of 12 bytes costs nothing", format!("{}0\r\n\r\n", "1;aaaaaaaaaa\r\nx\r\n".repeat(20_000)), "x".repeat(20_000)),
    ]
}

#[test]
fn bodies() {
    run_chunked(rows());
}

/// RFC 9112 §7.1: a size is a count. Nothing is reserved for it, nothing wraps, and what comes is
/// handed on.
#[test]
fn the_largest_chunk() {
    let octets = b"7fffffffffffffff\r\nhello";
    let mut decoder = Decoder::default();
    let decoded = decoder.decode(octets, &Limits::default());
    assert_eq!(decoded.map(|decoded| decoded.data), Ok(18..23));
    assert!(!decoder.is_done());
    assert_eq!(
        decode(octets, 0..=octets.len(), &Limits::default()),
        Ok(None)
    );
}

#[test]
fn nothing_is_taken_after_the_end() {
    let mut decoder = Decoder::default();
    let first = decoder.decode(b"0\r\n\r\nGET", &Limits::default());
    assert_eq!(first.map(|decoded| decoded.used), Ok(5));
    assert!(decoder.is_done());
    let second = decoder.decode(b"GET", &Limits::default());
    assert_eq!(second.map(|decoded| decoded.used), Ok(0));
}

/// Every connection has one.
#[test]
fn the_decoder_is_small() {
    assert!(size_of::<Decoder>() <= 16);
}

/// Limits beyond what is counted: nothing wraps.
#[test]
fn limits_that_nobody_reaches() {
    let mut limits = Limits::default();
    (limits.chunk_line_bytes, limits.trailer_bytes) = (usize::MAX, usize::MAX);
    let octets = b"1;a=b\r\nx\r\n0\r\nA: b\r\n\r\n";
    assert_eq!(
        decode(octets, 0..=octets.len(), &limits),
        Ok(Some((b"x".to_vec(), octets.len())))
    );
}

#[test]
fn encoding() {
    let mut out = Vec::new();
    // The empty one is no chunk: it would end the body.
    for data in [&[b'x'; 1][..], b"", &[b'y'; 10], &[b'z'; 0x1ab]] {
        push_chunk(&mut out, data);
    }
    push_last_chunk(&mut out);
    let expected = format!(
        "1\r\nx\r\nA\r\n{}\r\n1AB\r\n{}\r\n0\r\n\r\n",
        "y".repeat(10),
        "z".repeat(0x1ab)
    );
    assert_eq!(
        out.escape_ascii().to_string(),
        expected.as_bytes().escape_ascii().to_string()
    );
}
