//! The Host field and the authority component.

use doorstep::internals::semantics::host::{Authority, parse};

/// Name, bytes, host and port.
type Row = (
    &'static str,
    &'static [u8],
    Option<(&'static str, Option<u16>)>,
);

const ROWS: &[Row] = &[
    ("a name", b"example.com", Some(("example.com", None))),
    (
        "a name and a port",
        b"example.com:8080",
        Some(("example.com", Some(8080))),
    ),
    (
        "the case is kept",
        b"Example.COM",
        Some(("Example.COM", None)),
    ),
    ("one label", b"localhost:80", Some(("localhost", Some(80)))),
    ("a final dot", b"example.com.", Some(("example.com.", None))),
    ("an underscore", b"a_b.example", Some(("a_b.example", None))),
    (
        "sub-delims but the comma",
        b"!$&'()*+;=",
        Some(("!$&'()*+;=", None)),
    ),
    ("escapes", b"%C3%A9.example", Some(("%C3%A9.example", None))),
    (
        "RFC 3986 §3.2.3: an empty port",
        b"example.com:",
        Some(("example.com", None)),
    ),
    ("port 0", b"a:0", Some(("a", Some(0)))),
    ("the greatest port", b"a:65535", Some(("a", Some(65535)))),
    (
        "zeros in front of a port",
        b"a:00080",
        Some(("a", Some(80))),
    ),
    ("a port too great", b"a:65536", None),
    ("a port that wraps 64 bits", b"a:18446744073709551696", None),
    ("a signed port", b"a:+80", None),
    ("a negative port", b"a:-80", None),
    ("a port with a space", b"a: 80", None),
    ("a port with letters", b"a:80x", None),
    ("two ports", b"a:80:80", None),
    ("IPv4", b"127.0.0.1:80", Some(("127.0.0.1", Some(80)))),
    ("IPv6", b"[::1]", Some(("[::1]", None))),
    (
        "IPv6 and a port",
        b"[2001:db8::A]:443",
        Some(("[2001:db8::A]", Some(443))),
    ),
    ("IPv6 and an empty port", b"[::1]:", Some(("[::1]", None))),
    (
        "IPv6 that holds IPv4",
        b"[::ffff:192.0.2.1]",
        Some(("[::ffff:192.0.2.1]", None)),
    ),
    ("IPv6 without brackets", b"::1", None),
    ("IPv6 with two gaps", b"[1::2::3]", None),
    ("IPv6 with too many groups", b"[1:2:3:4:5:6:7:8:9]", None),
    ("IPv6 with a zone", b"[fe80::1%25eth0]", None),
    ("IPv4 in brackets", b"[127.0.0.1]", None),
    ("a name in brackets", b"[example]", None),
    ("empty brackets", b"[]", None),
    ("brackets that do not end", b"[::1", None),
    ("a bracket that does not begin", b"::1]", None),
    ("bytes after the brackets", b"[::1]a", None),
    ("brackets twice", b"[::1][::1]", None),
    ("white space within brackets", b"[ ::1]", None),
    ("STRICTER: IPvFuture", b"[v1.fe80::a]", None),
    (
        "STRICTER: a comma, as of two merged fields",
        b"a.example,b.example",
        None,
    ),
    ("a comma after the port", b"a.example:80,b.example:80", None),
    ("RFC 9110 §4.2.4: userinfo", b"user@example.com", None),
    ("userinfo with a password", b"user:1@example.com", None),
    ("a path", b"example.com/x", None),
    ("a scheme", b"http://example.com", None),
    ("a query", b"example.com?x", None),
    ("a fragment", b"example.com#x", None),
    ("a space inside", b"exam ple.com", None),
    ("a space in front", b" example.com", None),
    ("a space after", b"example.com ", None),
    ("a tab", b"example.com\t", None),
    ("a backslash", b"example.com\\x", None),
    ("quotes", b"\"example.com\"", None),
    ("NUL", b"example.com\0", None),
    ("CR and LF", b"a\r\nb", None),
    ("DEL", b"a\x7F", None),
    ("raw UTF-8", b"\xC3\xA9.example", None),
    ("a broken escape", b"a%4.example", None),
    ("an escape cut short", b"a%4", None),
    ("a percent sign at the end", b"a%", None),
    ("an escape that holds a sign", b"a%+4", None),
    ("markup", b"<script>", None),
];

// RFC 9110 §7.2, RFC 3986 §3.2, RFC 3986 §3.2.2
#[test]
fn hosts_are_what_the_grammar_says() {
    for &(name, octets, expected) in ROWS {
        let expected = expected.map(|(host, port)| Authority { host, port });
        assert_eq!(parse(octets, false), expected, "{name}");
        assert_eq!(
            parse(octets, true),
            expected,
            "{name}: allowing an empty host changes nothing"
        );
    }
}

// RFC 9110 §7.2, RFC 9110 §4.2.1
#[test]
fn an_empty_host_is_for_the_host_field_alone() {
    let empty = |port| Some(Authority { host: "", port });
    let rows: &[(&str, &[u8], Option<Authority<'_>>)] = &[
        ("nothing", b"", empty(None)),
        ("a colon", b":", empty(None)),
        ("a port", b":80", empty(Some(80))),
        ("white space is not nothing", b" ", None),
    ];
    for &(name, octets, expected) in rows {
        assert_eq!(parse(octets, true), expected, "{name}");
        assert_eq!(parse(octets, false), None, "{name}");
    }
}
