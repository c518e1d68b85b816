//! RFC 9112 §3.2: the request target as a part of the request line. Its forms have their own table
//! beside their parser.

use crate::harness::{Row, accept, line, refuse, run};
use doorstep::internals::h1::Reject::{BareLineFeed, InvalidTarget, RequestLineForm};

#[rustfmt::skip]
pub fn rows() -> Vec<Row> {
    let get = |target: &[u8]| line([b"GET ", target, b" HTTP/1.1"].concat());
    let with = |text: &str| line(text);
    vec![
        accept("RFC 9112 §3.2.1: origin form", get(b"/a/b?c=d&e"), "form=Origin target=/a/b?c=d&e path=/a/b query=c=d&e"),
        accept("an empty query", get(b"/a?"), "path=/a query="),
        accept("escapes are kept as they came", get(b"/%2e%2E/%00"), "path=/%2e%2E/%00"),
        accept("the first and the last byte that is allowed", get(b"/!~"), "path=/!~"),
        accept("absolute form (RFC 9112 §3.2.2)", get(b"http://b:80/c?d"), "form=Absolute host=b:80 path=/c query=d"),
        accept("absolute form without a path", get(b"http://b"), "form=Absolute host=b path="),
        accept("RFC 9112 §3.2.4: asterisk form", with("OPTIONS * HTTP/1.1"), "form=Asterisk target=* host=a"),
        accept("RFC 9112 §3.2.3: authority form", with("CONNECT b:443 HTTP/1.1"), "form=Authority host=b:443"),
        refuse("RFC 9110 §9.3.7: asterisk form is for OPTIONS alone", get(b"*"), InvalidTarget),
        refuse("authority form is for CONNECT alone", get(b"b:443"), InvalidTarget),
        refuse("CONNECT has the authority form alone", with("CONNECT / HTTP/1.1"), InvalidTarget),
        refuse("no form at all", get(b"a"), InvalidTarget),
        refuse("a fragment (RFC 9112 §3.2)", get(b"/a#b"), InvalidTarget),
        refuse("absolute form with a userinfo", get(b"http://u@b/"), InvalidTarget),
        refuse("absolute form with an empty host", get(b"http:///a"), InvalidTarget),
        refuse("absolute form with another scheme", get(b"ftp://b/"), InvalidTarget),
        refuse("http-garden: NUL in it", get(b"/a\0b"), InvalidTarget),
        refuse("a control in it", get(b"/a\x01b"), InvalidTarget),
        refuse("DEL in it", get(b"/a\x7fb"), InvalidTarget),
        refuse("a byte above 0x7F in it", get(b"/\xc3\xa9"), InvalidTarget),
        refuse("its first byte is one above 0x7F", get(b"\xff"), InvalidTarget),
        refuse("LF in it", get(b"/a\nb"), BareLineFeed),
        refuse("CR in it", get(b"/a\rb"), RequestLineForm),
    ]
}

#[test]
fn targets() {
    run(rows());
}
