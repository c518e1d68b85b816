//! What a parsed head says of its request (RFC 9112 §3.2, RFC 9110 §7.2), through the methods that
//! read it.

use doorstep::Limits;
use doorstep::h1::{FieldTable, Head, Parsed, Resume, parse_head};

fn parse(octets: &[u8]) -> (Head, FieldTable) {
    let mut table = FieldTable::with_capacity(2);
    match parse_head(octets, Resume::default(), &Limits::default(), &mut table) {
        Ok(Parsed::Done { value, used }) => {
            assert_eq!(used, octets.len());
            (value, table)
        }
        other => panic!("{other:?}"),
    }
}

#[test]
#[rustfmt::skip]
fn path_query_and_host() {
    let rows = [
        ("GET /a/b?c=d HTTP/1.1\r\nHost: x:80\r\n\r\n", "/a/b?c=d", "/a/b", Some("c=d"), Some("x:80")),
        ("GET /%2e HTTP/1.1\r\nHost: x\r\n\r\n", "/%2e", "/%2e", None, Some("x")),
        ("GET /? HTTP/1.1\r\nHost:\r\n\r\n", "/?", "/", Some(""), Some("")),
        ("\r\nGET http://y/z HTTP/1.1\r\nHost: x\r\n\r\n", "http://y/z", "/z", None, Some("y")),
        ("GET http://y?q HTTP/1.1\r\nHost: x\r\n\r\n", "http://y?q", "/", Some("q"), Some("y")),
        ("OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", "*", "*", None, Some("x")),
        ("CONNECT y:443 HTTP/1.1\r\nHost: x\r\n\r\n", "y:443", "", None, Some("y:443")),
        ("GET / HTTP/1.0\r\n\r\n", "/", "/", None, None),
    ];
    for (request, target, path, query, host) in rows {
        let octets = request.as_bytes();
        let (head, _) = parse(octets);
        assert_eq!(head.target.text(octets), target, "{request}");
        assert_eq!(head.path(octets), path, "{request}");
        assert_eq!(head.query(octets), query, "{request}");
        assert_eq!(head.host.map(|host| host.text(octets)), host, "{request}");
    }
}

/// RFC 9110 §5.1 and §5.3: names in any case, several lines of a name in their order.
#[test]
fn values_of_fields() {
    let octets = b"GET / HTTP/1.1\r\nHost: x\r\nCookie: a\r\nX-Y:  b \r\ncookie: c\r\n\r\n";
    let (_, table) = parse(octets);
    let headers = table.headers(octets);
    assert_eq!(headers.len(), 4);
    assert_eq!(headers.get("x-y"), Some(&b"b"[..]));
    assert!(headers.get_all("COOKIE").eq([b"a", b"c"]));
    assert_eq!(headers.get("Accept"), None);
}

/// Bytes that the head was not parsed from: some text, and no panic.
#[test]
fn other_bytes_are_no_danger() {
    let octets = "GET /a?b HTTP/1.1\r\nHost: x\r\n\r\n";
    let (head, table) = parse(octets.as_bytes());
    for other in [
        &b""[..],
        &[0xC3; 8],
        &[0xC3; 100],
        &octets.as_bytes()[1..12],
    ] {
        let _ = (
            head.target.text(other),
            head.path(other),
            head.query(other),
            head.host.map(|host| host.text(other)),
        );
        assert_eq!(table.headers(other).iter().count(), 1);
    }
}
