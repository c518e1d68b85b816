//! RFC 9112 §2.3 and RFC 9110 §2.5, §15.6.6: the version.

use crate::harness::{Row, accept, line, refuse, run};
use doorstep::internals::h1::Reject::{self, InvalidVersion, UnsupportedVersion};

#[rustfmt::skip]
pub fn rows() -> Vec<Row> {
    let version = |text: &str| line(format!("GET / {text}"));
    let refused = |name: &str, text: &str, reject: Reject| refuse(name, version(text), reject);
    vec![
        accept("HTTP/1.1", version("HTTP/1.1"), "version=1.1 connection=keep"),
        accept("HTTP/1.0", version("HTTP/1.0"), "version=1.0 connection=close"),
        accept("http-garden: a later minor version is served as 1.1 (RFC 9110 §2.5)", version("HTTP/1.9"), "version=1.1 connection=keep"),
        accept("HTTP/1.2", version("HTTP/1.2"), "version=1.1"),
        refused("http-garden: HTTP/2.0 (RFC 9110 §15.6.6)", "HTTP/2.0", UnsupportedVersion),
        refused("HTTP/0.9", "HTTP/0.9", UnsupportedVersion),
        refused("HTTP/9.9", "HTTP/9.9", UnsupportedVersion),
        refused("http-garden: two digits of a minor version", "HTTP/1.32", InvalidVersion),
        refused("two digits of a major version", "HTTP/11.1", InvalidVersion),
        refused("http-garden: no dot", "HTTP/0596", InvalidVersion),
        refused("http-garden: something after it", "HTTP/1.1 x", InvalidVersion),
        refused("a space after it", "HTTP/1.1 ", InvalidVersion),
        refused("a tab after it", "HTTP/1.1\t", InvalidVersion),
        refused("http-garden: lower case (RFC 9112 §2.3)", "http/1.1", InvalidVersion),
        refused("one letter in lower case", "HTTp/1.1", InvalidVersion),
        refused("http-garden: large numbers", "HTTP/4294967295.255", InvalidVersion),
        refused("no minor version", "HTTP/1", InvalidVersion),
        refused("no minor version but a dot", "HTTP/1.", InvalidVersion),
        refused("no version but a space", "", InvalidVersion),
        refused("a sign", "HTTP/+1.1", InvalidVersion),
        refused("a minor version that is no digit", "HTTP/1.x", InvalidVersion),
        refused("a comma for the dot", "HTTP/1,1", InvalidVersion),
        refused("HTTPS", "HTTPS/1.1", InvalidVersion),
        refused("NUL in it", "HTTP/1\0.1", InvalidVersion),
        refused("a second target", "/b HTTP/1.1", InvalidVersion),
        refuse("refused at its CR", "GET / HTTP/2.0\r", UnsupportedVersion),
        refuse("LF alone within it", "GET / HTTP/1\n.1\r\n", Reject::BareLineFeed),
        refuse("LF alone for it", "GET / \nHost: a\r\n\r\n", Reject::BareLineFeed),
    ]
}

#[test]
fn versions() {
    run(rows());
}
