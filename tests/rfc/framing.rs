//! RFC 9112 §6 (§6.1, §6.3), §7 and RFC 9110 §8.6: where a request's content ends.

use crate::harness::{Row, accept, field, refuse, run};
use doorstep::internals::h1::Reject::{
    self, InvalidContentLength, InvalidTransferEncoding, RepeatedContentLength,
    RepeatedTransferEncoding, TransferEncodingInHttp10, TransferEncodingWithContentLength,
    UnknownTransferCoding,
};

#[rustfmt::skip]
pub fn rows() -> Vec<Row> {
    let mut rows = steps();
    rows.extend(transfer_encodings());
    rows.extend(content_lengths());
    rows
}

/// The steps of RFC 9112 §6.3 that are about requests.
#[rustfmt::skip]
fn steps() -> Vec<Row> {
    let old = |fields: &str| format!("POST / HTTP/1.0\r\n{fields}\r\n\r\n");
    let with = |method: &str, field: &str| format!("{method} / HTTP/1.1\r\nHost: a\r\n{field}\r\n\r\n");
    let both = TransferEncodingWithContentLength;
    vec![
        refuse("hyper#4123: step 3, both", field("Transfer-Encoding: chunked\r\nContent-Length: 3"), both),
        refuse("hyper#4123: step 3, both in the other order", field("Content-Length: 3\r\nTransfer-Encoding: chunked"), both),
        refuse("step 3, both and both invalid", field("Content-Length: x\r\nTransfer-Encoding: y"), both),
        refuse("step 3, both with Content-Length: 0", field("Content-Length: 0\r\nTransfer-Encoding: chunked"), both),
        accept("step 4, chunked (RFC 9112 §6.3)", field("Transfer-Encoding: chunked"), "framing=chunked"),
        accept("RFC 9112 §6.2: a length (step 6 of §6.3)", field("Content-Length: 3"), "framing=3"),
        accept("step 7, nothing (RFC 9112 §6.3)", field("X: y"), "framing=none"),
        accept("cpython http.server: GET with a length has content", with("GET", "Content-Length: 5"), "method=GET framing=5"),
        accept("HEAD with a length has content", with("HEAD", "Content-Length: 5"), "method=HEAD framing=5"),
        accept("DELETE with a length has content", with("DELETE", "Content-Length: 5"), "method=DELETE framing=5"),
        accept("GET with chunks has content", with("GET", "Transfer-Encoding: chunked"), "method=GET framing=chunked"),
        accept("HEAD with chunks has content", with("HEAD", "Transfer-Encoding: chunked"), "method=HEAD framing=chunked"),
        accept("step 7, names that differ in one byte", field("Transfer-Encodinh: chunked\r\nContent-Lengti: 3"), "framing=none"),
        accept("a length in 1.0", old("Content-Length: 3"), "framing=3"),
        accept("RUSTSEC-2026-0034: no length in 1.0 is no content, not all that comes", old("Connection: close"), "version=1.0 framing=none"),
        refuse("RUSTSEC-2026-0034: Transfer-Encoding in 1.0 (RFC 9112 §6.1)", old("Transfer-Encoding: chunked"), TransferEncodingInHttp10),
        refuse("both in 1.0", old("Transfer-Encoding: chunked\r\nContent-Length: 3"), TransferEncodingInHttp10),
        refuse("an invalid Transfer-Encoding in 1.0", old("Transfer-Encoding: x"), TransferEncodingInHttp10),
    ]
}

#[rustfmt::skip]
fn transfer_encodings() -> Vec<Row> {
    let twice = RepeatedTransferEncoding;
    let mut rows = vec![
        accept("RFC 9112 §7: names have no case", field("transfer-encoding: ChUnKeD"), "framing=chunked"),
        accept("white space around the value", field("Transfer-Encoding:  chunked \t"), "framing=chunked"),
        accept("RFC 9112 §7.4: TE is about the answer, and no coding is applied to one", field("TE: gzip, trailers\r\nConnection: TE"), "framing=none connection=keep"),
        refuse("RUSTSEC-2021-0020: two fields", field("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"), twice),
        refuse("two fields that are one list", field("Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked"), twice),
        refuse("two fields, one of them empty", field("Transfer-Encoding: chunked\r\nTransfer-Encoding:"), twice),
        refuse("CVE-2026-66752: a vertical tab before it", field("Transfer-Encoding: \x0bchunked"), Reject::InvalidFieldValue),
    ];
    let row = |value: &str, reject| {
        let name = format!("CVE-2026-66752: Transfer-Encoding: {value}");
        refuse(&name, field(format!("Transfer-Encoding: {value}")), reject)
    };
    for value in [
        "xchunked", "chunked, gzip", "identity", ",chunked", "chunked,", "\"chunked\"", "chunked;q=1", "", "gzip", "chunked chunked",
        "chunked, chunked", "chunked, identity", "identity, chunked", "gzip;q=1, chunked", "gzip, , chunked", "gzip, chunked;x", "chunkedx",
        "chunke", "g(zip, chunked", "gzip chunked", "\u{a0}chunked", "'chunked'", "chunked\\",
    ] {
        rows.push(row(value, InvalidTransferEncoding));
    }
    // RFC 9112 §6.1, RFC 9112 §7.2: well framed, but not understood.
    for value in ["gzip, chunked", "gzip,chunked", "x, deflate , CHUNKED", "x-gzip,\tchunked"] {
        rows.push(row(value, UnknownTransferCoding));
    }
    rows
}

#[rustfmt::skip]
fn content_lengths() -> Vec<Row> {
    let length = |value: &str| field(format!("Content-Length: {value}"));
    let mut rows = vec![
        accept("0 is no content", length("0"), "framing=none"),
        accept("leading zeros are digits", length("007"), "framing=7"),
        accept("tiny-http#290: 10^15", length("1000000000000000"), "framing=1000000000000000"),
        accept("the largest", length("9223372036854775807"), "framing=9223372036854775807"),
        accept("19 digits of zero", length("0000000000000000000"), "framing=none"),
        refuse("one more than the largest", length("9223372036854775808"), InvalidContentLength),
        refuse("RUSTSEC-2021-0078: two equal fields", field("Content-Length: 3\r\nContent-Length: 3"), RepeatedContentLength),
        refuse("RUSTSEC-2021-0078: two fields that differ", field("Content-Length: 3\r\nContent-Length: 4"), RepeatedContentLength),
        refuse("two fields, one of them invalid", field("Content-Length: x\r\nContent-Length: 3"), RepeatedContentLength),
        refuse("RUSTSEC-2021-0078: NUL inside", field("Content-Length: 1\x001"), Reject::InvalidFieldValue),
    ];
    // RFC 9110 §8.6: `Content-Length = 1*DIGIT`.
    for value in [
        "+1", "-1", "1 1", "1Z", "0x1", "1_0", "1,1", "1, 1", "", "18446744073709551615", "18446744073709551616", "00000000000000000001", "00000000000000000000",
        "99999999999999999999999999", "1.0", "1e1", "\u{ff11}", "\"1\"", "one", "1;", "0,0", "0b1", "''", "1\t1",
    ] {
        let name = format!("RUSTSEC-2021-0078: Content-Length: {value}");
        rows.push(refuse(&name, length(value), InvalidContentLength));
    }
    rows
}

#[test]
fn framings() {
    run(rows());
}
