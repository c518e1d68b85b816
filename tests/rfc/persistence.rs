//! RFC 9112 §9.3 and RFC 9110 §7.6.1: whether the client lets the connection live on.

use crate::harness::{Row, accept, run};

#[rustfmt::skip]
pub fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    // Connection fields, then what 1.1 and 1.0 make of them.
    for (fields, new, old) in [
        ("", "keep", "close"),
        ("Connection: close\r\n", "close", "close"),
        ("connection: Close\r\n", "close", "close"),
        ("Connection: keep-alive\r\n", "keep", "keep"),
        ("Connection: Keep-Alive\r\n", "keep", "keep"),
        ("Connection: keep-alive, close\r\n", "close", "close"),
        ("Connection: close, keep-alive\r\n", "close", "close"),
        ("Connection: keep-alive\r\nConnection: close\r\n", "close", "close"),
        ("Connection: close\r\nX: y\r\nConnection: keep-alive\r\n", "close", "close"),
        ("Connection: upgrade\r\nConnection: x, keep-alive\r\n", "keep", "keep"),
        ("Connection: , ,close,\r\n", "close", "close"),
        ("Connection:\tx ,\tclose\t\r\n", "close", "close"),
        ("Connection: upgrade\r\n", "keep", "close"),
        ("Connection: closed\r\n", "keep", "close"),
        ("Connection: clos\r\n", "keep", "close"),
        ("Connection: close x\r\n", "keep", "close"),
        ("Connection: keepalive\r\n", "keep", "close"),
        ("Connection:\r\n", "keep", "close"),
        ("Keep-Alive: timeout=5\r\n", "keep", "close"),
        ("Proxy-Connection: close\r\n", "keep", "close"),
    ] {
        for (version, expected) in [("1.1", new), ("1.0", old)] {
            let name = format!("{version} {}", fields.escape_default());
            let octets = format!("GET / HTTP/{version}\r\nHost: a\r\n{fields}\r\n");
            rows.push(accept(&name, octets, &format!("connection={expected}")));
        }
    }
    rows
}

#[test]
fn connections() {
    run(rows());
}
