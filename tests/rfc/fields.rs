//! RFC 9112 §2.2, §5, §5.1, §5.2 and RFC 9110 §5.1, §5.5: field lines.

use crate::harness::{Row, accept, accept_fields, field, incomplete, refuse, run};
use doorstep::internals::h1::Reject::{
    self, BareCarriageReturn, BareLineFeed, InvalidFieldName, InvalidFieldValue, MissingColon,
    ObsoleteFold, SpaceBeforeColon, SpaceBeforeFirstField,
};

#[rustfmt::skip]
pub fn rows() -> Vec<Row> {
    let mut rows = accepted();
    rows.extend(refused_names());
    rows.extend(refused_values());
    rows.extend(refused_line_ends());
    rows
}

#[rustfmt::skip]
fn accepted() -> Vec<Row> {
    let high: Vec<u8> = (0x80..=0xff).collect();
    let value = |name: &str, octets: &[u8], value: &[u8]| {
        let fields = [("Host", &b"a"[..]), ("X", value)];
        accept_fields(name, field(octets), &fields)
    };
    vec![
        accept_fields("no other field", "GET / HTTP/1.1\r\nHost: a\r\n\r\n", &[("Host", b"a")]),
        accept_fields("no field at all", "GET / HTTP/1.0\r\n\r\n", &[]),
        accept_fields("the order and the case stay", field("b: 1\r\nA: 2\r\nB: 3"), &[("Host", b"a"), ("b", b"1"), ("A", b"2"), ("B", b"3")]),
        value("one space before the value", b"X: v", b"v"),
        value("no white space", b"X:v", b"v"),
        value("one space after the value", b"X: v ", b"v"),
        value("RFC 9112 §5.1: white space on both sides is no part of it", b"X: \t v w\t \t", b"v w"),
        value("an empty value", b"X:", b""),
        value("a value of white space", b"X: \t ", b""),
        value("a tab alone before it", b"X:\tv", b"v"),
        value("a tab alone behind it", b"X: v\t", b"v"),
        value("a tab within", b"X: v\tw", b"v\tw"),
        value("a colon within", b"X: v:w", b"v:w"),
        value("a value of one byte", b"X: v", b"v"),
        value("a value of eight bytes and seven", b"X:12345678", b"12345678"),
        value("http-garden: bytes from 0x80 on are opaque (RFC 9110 §5.5)", b"X: \xff\x80\xa0", b"\xff\x80\xa0"),
        value("http-garden: they are not trimmed as white space", b"X: \xa0v\x85", b"\xa0v\x85"),
        value("http-garden: each byte from 0x80 on", &[b"X:", &high[..]].concat(), &high),
        value("the last bytes before controls", b"X: \x20\x21\x7e\x80", b"\x21\x7e\x80"),
        accept_fields("a name of all other tchars", field("!#$%&'*+-.^_`|~09aZ: v"), &[("Host", b"a"), ("!#$%&\\'*+-.^_`|~09aZ", b"v")]),
        accept("a name of one byte", field("x: y"), "host=a"),
        incomplete("half a line end", "GET / HTTP/1.1\r\nHost: a\r"),
        incomplete("half a name", "GET / HTTP/1.1\r\nHo"),
        incomplete("a field without an end", "GET / HTTP/1.1\r\nHost: a"),
    ]
}

#[rustfmt::skip]
fn refused_names() -> Vec<Row> {
    vec![
        refuse("RUSTSEC-2020-0031: space before the colon (RFC 9112 §5.1)", field("Transfer-Encoding : chunked"), SpaceBeforeColon),
        refuse("tab before the colon", field("X\t: y"), SpaceBeforeColon),
        refuse("a space in the name", field("X Y: z"), SpaceBeforeColon),
        refuse("RFC 9112 §5: no colon", field("X"), MissingColon),
        refuse("no colon, LF alone", field("X\nY: z"), BareLineFeed),
        refuse("RFC 9112 §5: no name", field(": y"), Reject::EmptyFieldName),
        refuse("RFC 9110 §5.1: a name with a delimiter", field("X(Y): z"), InvalidFieldName),
        refuse("a name in quotes", field("\"X\": z"), InvalidFieldName),
        refuse("a name with a control", field("X\x01Y: z"), InvalidFieldName),
        refuse("http-garden: a name with NUL", field("X\0: z"), InvalidFieldName),
        refuse("a line that begins with NUL", field("\0X: z"), InvalidFieldName),
        refuse("a name with a byte above 0x7F", field(b"X\xe9: z"), InvalidFieldName),
        refuse("a name that begins with one", field(b"\xe9: z"), InvalidFieldName),
        refuse("RFC 9112 §2.2: space before the first field line", "GET / HTTP/1.1\r\n Host: a\r\n\r\n", SpaceBeforeFirstField),
        refuse("tab before the first field line", "GET / HTTP/1.1\r\n\tHost: a\r\n\r\n", SpaceBeforeFirstField),
        refuse("white space alone before the first field line", "GET / HTTP/1.1\r\n \r\nHost: a\r\n\r\n", SpaceBeforeFirstField),
        refuse("RFC 9112 §5.2: a folded value", field("X: y\r\n z"), ObsoleteFold),
        refuse("a value folded with a tab", field("X: y\r\n\tz"), ObsoleteFold),
        refuse("a fold before the empty line", field("X: y\r\n "), ObsoleteFold),
        refuse("a folded framing field", field("Transfer-Encoding:\r\n chunked"), ObsoleteFold),
    ]
}

#[rustfmt::skip]
fn refused_values() -> Vec<Row> {
    let mut rows = vec![
        refuse("http-garden: NUL in a value (RFC 9110 §5.5)", field("X: y\0z"), InvalidFieldValue),
        refuse("NUL at the start of a value", field("X:\0z"), InvalidFieldValue),
        refuse("DEL in a value", field("X: y\x7fz"), InvalidFieldValue),
        refuse("a control in the white space before a value", field("X: \x0by"), InvalidFieldValue),
    ];
    // Each control at each of nine places, so that no place within a word of a fast search is left
    // out.
    for octet in (0..0x20).filter(|octet| !b"\t\n\r".contains(octet)) {
        for before in 0..9 {
            let line = [b"X: ", &[b'y'; 9][..before], &[octet], b"zzzzzzzz"].concat();
            let name = format!("{octet:#04x} after {before} bytes of a value");
            rows.push(refuse(&name, field(line), InvalidFieldValue));
        }
    }
    rows
}

#[rustfmt::skip]
fn refused_line_ends() -> Vec<Row> {
    vec![
        refuse("http-garden: LF alone behind a value (RFC 9112 §2.2)", field("X: y\nZ: z"), BareLineFeed),
        refuse("LF alone behind an empty value", field("X:\nZ: z"), BareLineFeed),
        refuse("http-garden: CR alone within a value", field("X: y\rz"), BareCarriageReturn),
        refuse("two CR after a value", field("X: y\r\r\nZ: z"), BareCarriageReturn),
        refuse("http-garden: CR, then no LF, as the end of a head", "GET / HTTP/1.1\r\nHost: a\r\n\rX", BareCarriageReturn),
        refuse("LF alone as the empty line", "GET / HTTP/1.1\r\nHost: a\r\n\n", BareLineFeed),
        refuse("LF LF as the end of a head", "GET / HTTP/1.1\r\nHost: a\n\n", BareLineFeed),
        refuse("CR CR LF as the end of a head", "GET / HTTP/1.1\r\nHost: a\r\n\r\r\n", BareCarriageReturn),
        refuse("LF CR", "GET / HTTP/1.1\r\nHost: a\n\r", BareLineFeed),
    ]
}

#[test]
fn field_lines() {
    run(rows());
}
