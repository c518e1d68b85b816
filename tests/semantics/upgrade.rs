//! The offer to go on in another protocol: RFC 9110 §7.8.

use crate::lines::with_headers;
use doorstep::internals::semantics::Version;
use doorstep::internals::semantics::upgrade::{is_protocol, offers};

/// The field lines of a request, and whether they offer `websocket`.
type Row = (&'static str, &'static [(&'static str, &'static str)], bool);

#[rustfmt::skip]
const ROWS: &[Row] = &[
    ("as browsers do", &[("Connection", "Upgrade"), ("Upgrade", "websocket")], true),
    ("in the other order", &[("Upgrade", "websocket"), ("Connection", "Upgrade")], true),
    ("case means nothing", &[("CONNECTION", "uPgRaDe"), ("upgrade", "WebSocket")], true),
    ("among other options", &[("Connection", "keep-alive, Upgrade"), ("Upgrade", "websocket")], true),
    ("among other protocols", &[("Connection", "upgrade"), ("Upgrade", "h2c, IRC/6.9 ,\twebsocket")], true),
    ("on several lines", &[("Connection", "keep-alive"), ("Upgrade", "h2c"), ("Connection", "upgrade"), ("Upgrade", "websocket")], true),
    ("RFC 9110 §5.6.1.2: empty elements", &[("Connection", ",, upgrade,"), ("Upgrade", ", ,websocket,,")], true),
    ("nothing", &[], false),
    ("empty", &[("Connection", ""), ("Upgrade", "")], false),
    ("only commas", &[("Connection", ",,"), ("Upgrade", ",,")], false),
    ("no Connection", &[("Upgrade", "websocket")], false),
    ("no Upgrade", &[("Connection", "upgrade")], false),
    ("Connection without the option", &[("Connection", "keep-alive"), ("Upgrade", "websocket")], false),
    ("the protocol as an option", &[("Connection", "upgrade, websocket")], false),
    ("the option as a protocol", &[("Connection", "websocket"), ("Upgrade", "upgrade")], false),
    ("another protocol", &[("Connection", "upgrade"), ("Upgrade", "h2c")], false),
    ("a version that was not asked for", &[("Connection", "upgrade"), ("Upgrade", "websocket/13")], false),
    ("a part of a name", &[("Connection", "upgrade"), ("Upgrade", "websockets")], false),
    ("a part of an option", &[("Connection", "upgraded"), ("Upgrade", "websocket")], false),
    ("two names without a comma", &[("Connection", "upgrade"), ("Upgrade", "websocket h2c")], false),
    ("with a parameter", &[("Connection", "upgrade"), ("Upgrade", "websocket;q=1")], false),
    ("quoted: a token has no quotes", &[("Connection", "upgrade"), ("Upgrade", "\"websocket\"")], false),
    ("a quoted option", &[("Connection", "\"upgrade\""), ("Upgrade", "websocket")], false),
    ("within quotes", &[("Connection", "upgrade"), ("Upgrade", "\"h2c, websocket, x\"")], false),
    ("another field of a like name", &[("Connection", "upgrade"), ("X-Upgrade", "websocket")], false),
];

#[test]
fn an_offer_is_in_both_fields() {
    for &(name, lines, offered) in ROWS {
        let says =
            |version, protocol| with_headers(lines, |headers| offers(version, headers, protocol));
        assert_eq!(says(Version::Http11, "websocket"), offered, "{name}");
        assert_eq!(says(Version::Http11, "WEBSOCKET"), offered, "{name}");
        // RFC 9110 §7.8: "A server that receives an Upgrade header field in an HTTP/1.0 request
        // MUST ignore that Upgrade field."
        assert!(!says(Version::Http10, "websocket"), "{name}: HTTP/1.0");
    }
}

#[test]
fn a_version_is_a_part_of_the_name() {
    let lines = [("Connection", "upgrade"), ("Upgrade", "IRC/6.9, RTA")];
    for (protocol, offered) in [
        ("IRC/6.9", true),
        ("irc/6.9", true),
        ("RTA", true),
        ("IRC", false),
        ("IRC/6", false),
        ("RTA/x11", false),
        ("6.9", false),
    ] {
        let found = with_headers(&lines, |headers| offers(Version::Http11, headers, protocol));
        assert_eq!(found, offered, "{protocol}");
    }
}

/// What cannot be a protocol's name is never offered, whatever the client sends.
#[test]
fn only_a_protocol_can_be_offered() {
    for (protocol, valid) in [
        ("websocket", true),
        ("HTTP/2.0", true),
        ("!#$%&'*+-.^_`|~/0", true),
        ("", false),
        ("/", false),
        ("a/", false),
        ("/1", false),
        ("a/1/2", false),
        ("a b", false),
        ("a,b", false),
        ("\"a,b\"", false),
        ("a;b", false),
        ("a\r\nX: y", false),
        ("\u{e9}", false),
    ] {
        assert_eq!(is_protocol(protocol.as_bytes()), valid, "{protocol:?}");
        let lines = [("Connection", "upgrade"), ("Upgrade", protocol)];
        let offered = with_headers(&lines, |headers| offers(Version::Http11, headers, protocol));
        assert_eq!(offered, valid, "{protocol:?}");
    }
}
