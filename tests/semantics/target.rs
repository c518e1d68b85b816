//! The request target's four forms.

use doorstep::internals::semantics::{Method, Span, Target, TargetForm};
use proptest::collection::vec;
use proptest::prelude::*;

/// Name, target, path, query.
type Row = (
    &'static str,
    &'static str,
    &'static str,
    Option<&'static str>,
);

const ORIGIN: &[Row] = &[
    ("the root", "/", "/", None),
    ("a path", "/where", "/where", None),
    (
        "RFC 9112 §3.2.1: its example",
        "/where?q=now",
        "/where",
        Some("q=now"),
    ),
    ("an empty query", "/?", "/", Some("")),
    ("a question mark in a query", "/a?b?c", "/a", Some("b?c")),
    ("slashes in a query", "/a?/../b", "/a", Some("/../b")),
    ("two slashes", "//evil.example/x", "//evil.example/x", None),
    (
        "dots are not folded here",
        "/a/../b/./c",
        "/a/../b/./c",
        None,
    ),
    (
        "escapes stay",
        "/%2e%2e/%00?%3F",
        "/%2e%2e/%00",
        Some("%3F"),
    ),
    (
        "broken escapes are not judged here",
        "/%4/%zz/%",
        "/%4/%zz/%",
        None,
    ),
    (
        "LENIENT: what browsers send raw in a path",
        "/a|b[1]",
        "/a|b[1]",
        None,
    ),
    (
        "LENIENT: what browsers send raw in a query",
        "/s?q=a|b^{c}[d]`e",
        "/s",
        Some("q=a|b^{c}[d]`e"),
    ),
    (
        "LENIENT: what RFC 3986 wants escaped",
        "/\"<>\\",
        "/\"<>\\",
        None,
    ),
    (
        "a colon",
        "/c:/windows/win.ini",
        "/c:/windows/win.ini",
        None,
    ),
    ("a URL after the slash", "/http://a/", "/http://a/", None),
    ("an asterisk after the slash", "/*", "/*", None),
];

// RFC 9112 §3.2.1
#[test]
fn origin_form() {
    for &(name, target, path, query) in ORIGIN {
        for method in [Method::Get, Method::Options, Method::Patch] {
            let parsed = parts(target, method).unwrap_or_else(|| panic!("{name}: refused"));
            assert_eq!(parsed, (TargetForm::Origin, path, query, None), "{name}");
        }
        assert_eq!(
            parts(target, Method::Connect),
            None,
            "{name}: not for CONNECT"
        );
    }
}

// RFC 9112 §3.2.2, RFC 9110 §4.2.1, RFC 9110 §4.2.3, RFC 3986 §3.1
#[test]
fn absolute_form() {
    type Row = (
        &'static str,
        &'static str,
        &'static str,
        &'static str,
        Option<&'static str>,
    );
    let rows: &[Row] = &[
        (
            "RFC 9112 §3.2.2: its example",
            "http://www.example.org/pub/WWW/TheProject.html",
            "www.example.org",
            "/pub/WWW/TheProject.html",
            None,
        ),
        ("https", "https://a.example/", "a.example", "/", None),
        ("any case", "hTTpS://A.example/b", "A.example", "/b", None),
        (
            "a port and a query",
            "http://a:8080/b?c",
            "a:8080",
            "/b",
            Some("c"),
        ),
        ("an empty port", "http://a:/", "a:", "/", None),
        ("an IPv6 host", "http://[::1]:80/x", "[::1]:80", "/x", None),
        ("RFC 9110 §4.2.3: no path", "http://a", "a", "", None),
        ("no path and a query", "http://a?b/c", "a", "", Some("b/c")),
        ("two slashes in the path", "http://a//b", "a", "//b", None),
        (
            "a sign that ends no authority",
            "http://a/b@c:d",
            "a",
            "/b@c:d",
            None,
        ),
    ];
    for &(name, target, authority, path, query) in rows {
        for method in [Method::Get, Method::Options] {
            let parsed = parts(target, method).unwrap_or_else(|| panic!("{name}: refused"));
            assert_eq!(
                parsed,
                (TargetForm::Absolute, path, query, Some(authority)),
                "{name}"
            );
        }
        assert_eq!(
            parts(target, Method::Connect),
            None,
            "{name}: not for CONNECT"
        );
    }
}

// RFC 9112 §3.2.4
#[test]
fn a_server_wide_options_in_absolute_form_has_no_path() {
    let parsed = parts("http://www.example.org:8001", Method::Options);
    assert_eq!(
        parsed,
        Some((TargetForm::Absolute, "", None, Some("www.example.org:8001")))
    );
}

// RFC 9112 §3.2.3, RFC 9110 §9.3.6
#[test]
fn authority_form_is_for_connect_alone() {
    let rows = [
        ("RFC 9112 §3.2.3: its example", "www.example.com:80", true),
        ("an IPv6 host", "[2001:db8::1]:443", true),
        ("no port", "www.example.com", false),
        ("an empty port", "www.example.com:", false),
        ("no host", ":80", false),
        ("a port too great", "a:65536", false),
        ("userinfo", "user@a:80", false),
        ("a path", "a:80/", false),
        ("a query", "a:80?b", false),
        ("an asterisk", "*", false),
        ("nothing", "", false),
    ];
    for (name, target, valid) in rows {
        let expected = valid.then_some((TargetForm::Authority, "", None, Some(target)));
        assert_eq!(parts(target, Method::Connect), expected, "{name}");
        assert_eq!(parts(target, Method::Get), None, "{name}: not for GET");
    }
}

// RFC 9112 §3.2.4, RFC 9110 §9.3.7
#[test]
fn asterisk_form_is_for_options_alone() {
    assert_eq!(
        parts("*", Method::Options),
        Some((TargetForm::Asterisk, "", None, None))
    );
    let other = Method::from_token(b"options").expect("a token");
    for method in [
        Method::Get,
        Method::Head,
        Method::Post,
        Method::Connect,
        Method::Trace,
        other,
    ] {
        assert_eq!(parts("*", method), None, "{method}");
    }
    for target in ["**", "*?", "*/", "*a"] {
        assert_eq!(parts(target, Method::Options), None, "{target}");
    }
}

// RFC 9112 §3.2, RFC 9110 §4.2.1, RFC 9110 §4.2.4, RFC 3986 §3.3, RFC 3986 §3.4
#[test]
fn everything_else_is_refused() {
    let rows: &[(&str, &[u8])] = &[
        ("nothing", b""),
        ("a relative path", b"index.html"),
        ("a query alone", b"?a"),
        ("a backslash first", b"\\a"),
        ("an escaped slash first", b"%2Fa"),
        ("a fragment", b"/a#b"),
        ("a fragment in a query", b"/a?b#c"),
        ("a fragment in absolute form", b"http://a/#b"),
        ("a fragment alone", b"#"),
        ("a space", b"/a b"),
        ("a tab", b"/a\tb"),
        ("NUL", b"/a\0b"),
        ("CR", b"/a\rb"),
        ("LF", b"/a\nb"),
        ("DEL", b"/a\x7Fb"),
        ("raw UTF-8", b"/caf\xC3\xA9"),
        ("0xFF", b"/\xFF"),
        ("another scheme", b"ftp://a/"),
        ("a scheme that begins like http", b"httpx://a/"),
        ("a scheme alone", b"http:"),
        ("one slash", b"http:/a"),
        ("no slashes", b"http:a"),
        ("javascript", b"javascript:alert(1)"),
        ("RFC 9110 §4.2.1: an empty host", b"http:///a"),
        ("RFC 9110 §4.2.2: an empty host", b"https:///a"),
        ("an empty host at the end", b"http://"),
        ("an empty host and a port", b"http://:80/"),
        ("an empty host and a query", b"http://?a"),
        ("RFC 9110 §4.2.4: userinfo", b"http://user@a/"),
        ("a comma in the authority", b"http://a,b/"),
        ("a backslash in the authority", b"http://a\\b/"),
        ("a port with letters", b"http://a:b/"),
        ("a port too great", b"http://a:99999/"),
        ("brackets without IPv6", b"http://[a]/"),
    ];
    for &(name, target) in rows {
        for method in [Method::Get, Method::Options, Method::Connect] {
            assert!(
                Target::parse(target, method).is_err(),
                "{name} with {method}"
            );
        }
    }
}

/// What may stand in a target at all, byte by byte: 0x21 to 0x7E without `#`.
#[test]
fn each_byte_is_judged_by_itself() {
    for octet in 0..=u8::MAX {
        let allowed = (0x21..=0x7E).contains(&octet) && octet != b'#';
        let target = [b'/', octet, b'a'];
        assert_eq!(
            Target::parse(&target, Method::Get).is_ok(),
            allowed,
            "{octet:#04x}"
        );
    }
}

proptest! {
    /// A target that is accepted is put together again from its parts, with nothing lost and
    /// nothing twice.
    #[test]
    fn parts_cover_the_target(
        start in prop_oneof![Just(""), Just("/"), Just("http://"), Just("HTTPS://"), Just("*")],
        rest in vec(prop_oneof![4 => 0x21..=0x7E_u8, 2 => Just(b'a'), 1 => Just(b'/'), 1 => Just(b'?'), 1 => any::<u8>()], 0..20),
        method in prop_oneof![Just(Method::Get), Just(Method::Options), Just(Method::Connect)],
    ) {
        let target = [start.as_bytes(), &rest].concat();
        if let Ok(parsed) = Target::parse(&target, method) {
            let text = |span: Span| span.of(&target).to_vec();
            let authority = parsed.authority.map(text).unwrap_or_default();
            let query = parsed.query.map(|query| [b"?", &text(query)[..]].concat()).unwrap_or_default();
            let behind_scheme = [authority, text(parsed.path), query].concat();
            let whole = match parsed.form {
                TargetForm::Absolute => [start.as_bytes(), &behind_scheme].concat(),
                TargetForm::Asterisk => b"*".to_vec(),
                TargetForm::Origin | TargetForm::Authority => behind_scheme,
            };
            prop_assert_eq!(whole, target);
        }
    }
}

type Parts<'a> = (TargetForm, &'a str, Option<&'a str>, Option<&'a str>);

/// Form, path, query and authority of an accepted target.
fn parts(target: &str, method: Method) -> Option<Parts<'_>> {
    let parsed = Target::parse(target.as_bytes(), method).ok()?;
    let text = |span: Span| &target[span.start as usize..span.end as usize];
    Some((
        parsed.form,
        text(parsed.path),
        parsed.query.map(text),
        parsed.authority.map(text),
    ))
}
