//! RFC 9112 §2.2 and §3, RFC 9110 §9.1, RFC 8446 §5.1: the request line, and what stands in its
//! place.

use crate::harness::{Row, accept, incomplete, line, refuse, run};
use doorstep::internals::h1::Reject;

#[rustfmt::skip]
pub fn rows() -> Vec<Row> {
    let mut rows = accepted();
    rows.extend(refused());
    rows.extend(other_protocols());
    rows
}

#[rustfmt::skip]
fn accepted() -> Vec<Row> {
    vec![
        accept("GET", line("GET / HTTP/1.1"), "method=GET target=/ path=/ query=none version=1.1"),
        accept("HEAD", line("HEAD / HTTP/1.1"), "method=HEAD"),
        accept("a method of an extension (RFC 9110 §9.1)", line("M-SEARCH / HTTP/1.1"), "method=M-SEARCH"),
        accept("RFC 9112 §3.1: a method in lower case is another method, not an error", line("get / HTTP/1.1"), "method=get"),
        accept("a method of all other tchars", line("!#$%&'*+-.^_`|~09aZ / HTTP/1.1"), "method=!#$%&'*+-.^_`|~09aZ"),
        accept("a method of one byte", line("X / HTTP/1.1"), "method=X"),
        accept("one empty line before it (RFC 9112 §2.2)", [&b"\r\n"[..], &line("GET /a HTTP/1.1")].concat(), "method=GET target=/a host=a"),
        accept("an empty line, an absolute target", "\r\nGET http://b/c HTTP/1.1\r\nHost: a\r\n\r\n", "host=b path=/c"),
        incomplete("nothing", ""),
        incomplete("an empty line and nothing", "\r\n"),
        incomplete("half of an empty line", "\r"),
        incomplete("a method without an end", "GET"),
        incomplete("a version without an end", "GET / HTTP/1."),
        incomplete("a request line without a line feed", "GET / HTTP/1.1\r"),
        incomplete("a request line and nothing after it", "GET / HTTP/1.1\r\n"),
        incomplete("RFC 9112 §2.1: a head without its last byte", "GET / HTTP/1.1\r\nHost: a\r\n\r"),
    ]
}

#[rustfmt::skip]
fn refused() -> Vec<Row> {
    use Reject::{BareCarriageReturn, BareLineFeed, InvalidMethod, RequestLineForm};
    let with = |octets: &[u8]| line(octets);
    vec![
        refuse("two empty lines before it (RFC 9112 §2.2)", [&b"\r\n\r\n"[..], &line("GET / HTTP/1.1")].concat(), Reject::EmptyRequestLine),
        refuse("an empty line that ends with LF alone", "\nGET / HTTP/1.1\r\n", BareLineFeed),
        refuse("CR alone before the method", "\rGET / HTTP/1.1\r\n", BareCarriageReturn),
        refuse("space before the method", with(b" GET / HTTP/1.1"), RequestLineForm),
        refuse("tab before the method", with(b"\tGET / HTTP/1.1"), RequestLineForm),
        refuse("http-garden: two spaces before the target", with(b"GET  / HTTP/1.1"), RequestLineForm),
        refuse("http-garden: two spaces before the version", with(b"GET /  HTTP/1.1"), RequestLineForm),
        refuse("http-garden: tab before the target", with(b"GET\t/ HTTP/1.1"), RequestLineForm),
        refuse("http-garden: tab before the version", with(b"GET /\tHTTP/1.1"), RequestLineForm),
        refuse("tab after the space", with(b"GET / \tHTTP/1.1"), RequestLineForm),
        refuse("vertical tab before the target", with(b"GET\x0b/ HTTP/1.1"), InvalidMethod),
        refuse("http-garden: no version", with(b"GET /"), RequestLineForm),
        refuse("HTTP/0.9 without CR", "GET /\n", BareLineFeed),
        refuse("no target", with(b"GET"), RequestLineForm),
        refuse("no target, LF alone", "GET\n", BareLineFeed),
        refuse("no target but a space", "GET \r\n", RequestLineForm),
        refuse("RFC 9110 §9.1: a method with a delimiter", with(b"GE(T / HTTP/1.1"), InvalidMethod),
        refuse("a method that begins with a delimiter", with(b"{} / HTTP/1.1"), InvalidMethod),
        refuse("a method with a colon", with(b"Host: a"), InvalidMethod),
        refuse("http-garden: NUL in the method", with(b"G\0T / HTTP/1.1"), InvalidMethod),
        refuse("NUL first", with(b"\0GET / HTTP/1.1"), InvalidMethod),
        refuse("a byte above 0x7F in the method", with(b"G\xc3\x89T / HTTP/1.1"), InvalidMethod),
        refuse("RFC 9112 §2.2: LF alone behind the version", "GET / HTTP/1.1\nHost: a\r\n\r\n", BareLineFeed),
        refuse("RFC 9112 §2.2: CR alone behind the version", "GET / HTTP/1.1\rHost: a\r\n\r\n", BareCarriageReturn),
        refuse("two CR after the version", "GET / HTTP/1.1\r\r\nHost: a\r\n\r\n", BareCarriageReturn),
    ]
}

#[rustfmt::skip]
fn other_protocols() -> Vec<Row> {
    vec![
        refuse("RFC 8446 §5.1: a TLS hello", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", Reject::TlsHello),
        refuse("a TLS hello of one byte", b"\x16", Reject::TlsHello),
        refuse("a TLS hello after an empty line", b"\r\n\x16\x03\x01", Reject::TlsHello),
        refuse("RFC 9113 §3.4: the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", Reject::Http2Preface),
        refuse("the preface of HTTP/2 after an empty line", "\r\nPRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", Reject::Http2Preface),
        refuse("PRI without the rest of the preface", line("PRI / HTTP/2.0"), Reject::UnsupportedVersion),
        refuse("PRI in HTTP/1.1 has no such target", line("PRI * HTTP/1.1"), Reject::InvalidTarget),
        refuse("an SSH banner", "SSH-2.0-OpenSSH_9.6\r\n", Reject::RequestLineForm),
        refuse("an SSH banner with a comment", "SSH-2.0-OpenSSH_9.6 Debian-1\r\n", Reject::RequestLineForm),
        refuse("noise of 0xFF", [0xff; 64], Reject::InvalidMethod),
        refuse("an SSL 2 hello", b"\x80\x2e\x01\x00\x02", Reject::InvalidMethod),
        refuse("SMTP", "EHLO example.com\r\n", Reject::RequestLineForm),
    ]
}

#[test]
fn request_lines() {
    run(rows());
}
