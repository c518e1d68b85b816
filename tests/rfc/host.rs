//! RFC 9112 §3.2, §3.2.2 and RFC 9110 §7.2: the Host field and the effective host. What a host is
//! has its own table.

use crate::harness::{Row, accept, refuse, run};
use doorstep::internals::h1::Reject::{InvalidHost, InvalidTarget, MissingHost, RepeatedHost};

fn head(line: &str, fields: &str) -> String {
    format!("{line}\r\n{fields}\r\n")
}

#[rustfmt::skip]
pub fn rows() -> Vec<Row> {
    let origin = |fields: &str| head("GET / HTTP/1.1", fields);
    let old = |fields: &str| head("GET / HTTP/1.0", fields);
    let absolute = |fields: &str| head("GET http://b/c HTTP/1.1", fields);
    let mut rows = vec![
        accept("RFC 9112 §3.3: a name", origin("Host: example.com\r\n"), "host=example.com"),
        accept("a name and a port", origin("host:example.com:8080\r\n"), "host=example.com:8080"),
        accept("an IPv6 address", origin("Host: [::1]:80\r\n"), "host=[::1]:80"),
        accept("an empty one, as the target has no authority (RFC 9112 §3.2)", origin("Host:\r\n"), "host="),
        accept("1.0 needs none", old(""), "host=none version=1.0"),
        accept("1.0 may have one", old("Host: a\r\n"), "host=a version=1.0"),
        accept("1.0, absolute target, none", head("GET http://b/c HTTP/1.0", ""), "host=b"),
        accept("RFC 9112 §3.2.2: the target wins over another valid one", absolute("Host: a\r\n"), "host=b"),
        accept("the target's authority and the same", absolute("Host: b\r\n"), "host=b"),
        accept("CONNECT: the target wins", head("CONNECT b:1 HTTP/1.1", "Host: a\r\n"), "host=b:1"),
        refuse("RFC 9112 §3.2: none", origin(""), MissingHost),
        refuse("none with an absolute target", absolute(""), MissingHost),
        refuse("none with the asterisk", head("OPTIONS * HTTP/1.1", ""), MissingHost),
        refuse("RFC 9112 §3.2: two different ones", origin("Host: a\r\nHost: b\r\n"), RepeatedHost),
        refuse("two equal ones", origin("Host: a\r\nhOST: a\r\n"), RepeatedHost),
        refuse("two with a line between them", origin("Host: a\r\nX: y\r\nHost: a\r\n"), RepeatedHost),
        refuse("1.0 with two", old("Host: a\r\nHost: a\r\n"), RepeatedHost),
        refuse("two with an absolute target", absolute("Host: b\r\nHost: b\r\n"), RepeatedHost),
        refuse("1.0 with an invalid one", old("Host: a/b\r\n"), InvalidHost),
        refuse("an absolute target with an invalid one", absolute("Host: a b\r\n"), InvalidHost),
        refuse("an absolute target with an empty one", absolute("Host:\r\n"), InvalidHost),
        refuse("an invalid authority with a valid one", head("GET http://b,c/ HTTP/1.1", "Host: a\r\n"), InvalidTarget),
    ];
    // RFC 9110 §7.2, §4.2.4: what is no `uri-host [ ":" port ]`.
    for value in ["a/b", "u@a", "a b", "a,b", "a:x", "a:65536", "a:100000", "a:+1", "a:8x", "[::1", "[a]", "::1", "http://a", "\u{e9}", "a\\b", "a#", "a?"] {
        rows.push(refuse(&format!("Host: {value}"), origin(&format!("Host: {value}\r\n")), InvalidHost));
    }
    rows
}

#[test]
fn hosts() {
    run(rows());
}
