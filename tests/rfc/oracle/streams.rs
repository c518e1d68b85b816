//! Bytes that a client might send: arbitrary ones, ones that grammars turn on, and requests of all
//! kinds, changed here and there.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use std::fmt;

/// Bytes that can be read when a property fails.
#[derive(Clone)]
pub struct Octets(pub Vec<u8>);

impl fmt::Debug for Octets {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "\"{}\"", self.0.escape_ascii())
    }
}

/// Bytes that a grammar of lines turns on, more often than others.
fn octet() -> impl Strategy<Value = u8> {
    prop_oneof![
        4 => select(b"\r\n\r\n: \t\0/*HTP1.02;,\"#%?@[]GETchunked5aF+-\x7f\x80\xff".to_vec()),
        1 => any::<u8>(),
    ]
}

// Of these tables the first rows are valid and common, and drawn more often.

#[rustfmt::skip]
const METHODS: &[&str] = &[
    "GET", "GET", "GET", "POST", "POST", "HEAD", "OPTIONS", "OPTIONS", "CONNECT", "PRI", "get", "M-SEARCH", "a(b", "",
    "MMMMMMMMMMMMMMMMMMMMMMM", "MMMMMMMMMMMMMMMMMMMMMMMM",
];

#[rustfmt::skip]
const TARGETS: &[&str] = &[
    "/", "/", "/a", "/a?b", "/a/b?c=d?e", "/%2e?", "/|\"<>", "//x", "*", "b:443", "[::1]:80", "b:", "b", "", "?",
    "http://b/c", "http://b", "HTTPS://B:80?x", "http://b:/", "http://:80/", "http:///", "http://u@b/", "http://b,c/",
    "ftp://b/", "http://[::1]/", "http://[::1", "http:/b", "https://b:65535/", "https://b:65536/", "/a#b", "/ttttttt",
    "/tttttttt", "/ttttttttttttt",
];

#[rustfmt::skip]
const VERSIONS: &[&str] = &[
    "HTTP/1.1", "HTTP/1.1", "HTTP/1.1", "HTTP/1.1", "HTTP/1.1", "HTTP/1.0", "HTTP/1.0", "HTTP/1.2", "HTTP/2.0",
    "HTTP/0.9", "HTTP/1.10", "http/1.1", "HTTP/1.1 ", "HTTP/1", "",
];

#[rustfmt::skip]
const HOSTS: &[&str] = &[
    "a", "a", "a", "a", "a", "a:80", "", ":80", "a:", "a:65536", "a:00000000000000000080", "a:000000000000000000080",
    "[::1]:8", "[::1]x", "[1::2:3:4:5:6:7]", "[1::2:3:4:5:6:7:8]", "[1:2:3:4:5:6:1.2.3.4]", "[::1.2.3.256]",
    "[::1.2.3]", "[::01.2.3.4]", "[::12345]", "[:1]", "[1:2:3:4:5:6:7:8]", "[1:2:3:4:5:6:7:]", "[::1%25a]", "[v1.a]",
    "a,b", "a b", "u@a", "a/b", "%61", "%6", "a%zz", "a\u{e9}", "1.2.3.4", "a_b~!$&'()*+;=",
];

/// Field lines, of one kind in each row.
#[rustfmt::skip]
const FIELDS: &[&[&str]] = &[
    &["X: y", "X:", "X: \t y\t ", "X: \u{e9}"],
    &[
        "X : y", "X", ": y", " X: y", "X: a\u{7f}", "X: a\0", "X: a\rb", "X: a\n", "(X: y", "X: y\r\n z", "Transfer-Encoding : chunked",
    ],
    &["Host: a", "host: b"],
    &["Content-Length: 5", "content-length: 05", "Content-Length: 0", "Content-Length: 9223372036854775807", "Content-Length: 65537"],
    &[
        "Content-Length: 5, 5", "Content-Length: +5", "Content-Length: 5a", "Content-Length: 9223372036854775808", "Content-Length:",
        "Content-Length: 0000000000000000005", "Content-Length: 00000000000000000005", "Content-Length: 18446744073709551621",
    ],
    &["Transfer-Encoding: chunked", "transfer-encoding: Chunked "],
    &["Content-Length: 5\r\nTransfer-Encoding: chunked", "Transfer-Encoding: chunked\r\nContent-Length: 5", "Transfer-Encoding: gzip, chunked"],
    &[
        "Transfer-Encoding: gzip, chunked", "Transfer-Encoding: gzip;q=1, chunked", "Transfer-Encoding: chunked, chunked",
        "Transfer-Encoding: identity, chunked", "Transfer-Encoding: chunked,", "Transfer-Encoding:", "Transfer-Encoding: xchunked",
    ],
    &["Connection: close", "Connection: Close", "connection: keep-alive", "Connection: upgrade", "Connection: keep-alive\r\nConnection: x,close"],
    &[
        "Connection: a, , \"close\", keep-Alive", "Connection: \"a, close", "Connection: closed", "Connection: \"\\\", close\", x",
        "Connection: \"a\\", "Connection: a \"b\", close",
    ],
    &["Expect: 100-continue", "expect: 100-Continue", "Expect: 100-continue, 100-continue", "Expect: x", "Expect:"],
];

#[rustfmt::skip]
const CHUNKS: &[&str] = &[
    "5\r\nhello\r\n", "1\r\nx\r\n", "01\r\ny\r\n", "a\r\n0123456789\r\n", "A;b=c\r\n0123456789\r\n", "1;\r\nx\r\n",
    "1;a=\"b;\\\"\"\r\nx\r\n", "1;aa\r\nx\r\n", "0000000000000001\r\nx\r\n", "4\r\nGET \r\n",
    "10\r\n0123456789abcdef\r\n", "1 ;a\r\nx\r\n", "+1\r\nx\r\n", "1\nx\r\n", "1\r\nx\n", "1\r\nxy\r\n", "g\r\n",
    ";a\r\n", "00000000000000001\r\nx\r\n", "7fffffffffffffff\r\nx", "8000000000000000\r\nx", "ffffffffffffffff\r\nx",
    "10000000000000000\r\nx", "0x1\r\nx\r\n", "\r\n",
];

#[rustfmt::skip]
const ENDS: &[&str] = &[
    "0\r\n\r\n", "0\r\n\r\n", "0\r\n\r\n", "000;a\r\n\r\n", "0\r\nA: b\r\n\r\n",
    "0\r\nA: b\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", "0\r\nA:\r\n\r\n", "0\r\nA : b\r\n\r\n",
    "0\r\n A: b\r\n\r\n", "0\r\nXX\r\n\r\n", "0\r\n\r\r\n", "0\r\n\n", "",
];

/// One of the first so often, and once any of all.
fn mostly(
    often: u32,
    all: &'static [&'static str],
    first: usize,
) -> impl Strategy<Value = &'static str> {
    prop_oneof![often => select(&all[..first]), 1 => select(all)]
}

/// A few bytes replaced, put in or taken out; mostly none.
fn changed(octets: impl Strategy<Value = Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    let change = || (any::<Index>(), octet(), 0..3_u8);
    let changes = prop_oneof![3 => vec(change(), 0..1), 2 => vec(change(), 1..4)];
    (octets, changes).prop_map(|(mut octets, changes)| {
        for (at, octet, kind) in changes {
            match kind {
                _ if octets.is_empty() => octets.push(octet),
                0 => {
                    let at = at.index(octets.len());
                    octets[at] = octet;
                }
                1 => octets.insert(at.index(octets.len() + 1), octet),
                _ => drop(octets.remove(at.index(octets.len()))),
            }
        }
        octets
    })
}

/// A request's head with these lines, of which each may be anything.
fn any_head() -> impl Strategy<Value = Vec<u8>> {
    let start = prop_oneof![8 => Just(""), 2 => Just("\r\n"), 1 => Just("\r\n\r\n")];
    let line = prop_oneof![
        6 => (mostly(9, METHODS, 5), mostly(2, TARGETS, 5)),
        1 => select(vec![("OPTIONS", "*"), ("CONNECT", "b:443"), ("CONNECT", "[::1]:1")]),
    ];
    let version = mostly(9, VERSIONS, 7);
    let host = prop_oneof![1 => Just(None), 9 => mostly(3, HOSTS, 5).prop_map(Some)];
    let field = select(FIELDS).prop_flat_map(select);
    let fields = vec(prop_oneof![field, Just("X: y")], 0..4);
    (start, line, version, host, fields).prop_map(
        |(start, (method, target), version, host, fields)| {
            let host = host.map(|host| format!("Host: {host}"));
            let fields = host
                .into_iter()
                .chain(fields.into_iter().map(str::to_owned));
            let fields: String = fields.map(|field| field + "\r\n").collect();
            format!("{start}{method} {target} {version}\r\n{fields}\r\n").into_bytes()
        },
    )
}

/// A chunked body, of which each part may be anything.
fn any_body() -> impl Strategy<Value = Vec<u8>> {
    (vec(mostly(9, CHUNKS, 11), 0..5), mostly(9, ENDS, 5))
        .prop_map(|(chunks, end)| (chunks.concat() + end).into_bytes())
}

/// A request that is valid but for what may be wrong with its content.
fn request() -> impl Strategy<Value = Vec<u8>> {
    let fields = select(vec![
        "",
        "",
        "",
        "Connection: keep-alive\r\n",
        "Expect: 100-continue\r\n",
        "X: y\r\n",
        "Connection: close\r\n",
    ]);
    let content = prop_oneof![
        2 => Just(b"\r\n".to_vec()),
        1 => select(vec!["GET /evil HTTP/1.1\r\nHost: a\r\n\r\n", "\0", "0\r\n\r\n"]).prop_map(|content| {
            format!("Content-Length: {}\r\n\r\n{content}", content.len()).into_bytes()
        }),
        2 => any_body().prop_map(|body| [&b"Transfer-Encoding: chunked\r\n\r\n"[..], &body].concat()),
    ];
    let line = select(vec![
        "GET / HTTP/1.1\r\nHost: a",
        "POST /a?b HTTP/1.1\r\nHost: a",
        "HEAD http://b/ HTTP/1.1\r\nHost: a",
        "OPTIONS * HTTP/1.1\r\nHost: a",
        "\r\nPUT / HTTP/1.1\r\nHost: a",
        "GET / HTTP/1.0\r\nConnection: keep-alive",
    ]);
    (line, fields, content).prop_map(|(line, fields, content)| {
        [line.as_bytes(), b"\r\n", fields.as_bytes(), &content].concat()
    })
}

fn noise() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![vec(any::<u8>(), 0..120), vec(octet(), 0..120)]
}

/// What may be a head, and something after it.
pub fn head() -> impl Strategy<Value = Octets> {
    let head = prop_oneof![1 => noise(), 9 => changed(any_head())];
    (head, vec(octet(), 0..3)).prop_map(|(head, behind)| Octets([head, behind].concat()))
}

/// What may be a chunked body, and something after it.
pub fn body() -> impl Strategy<Value = Octets> {
    let body = prop_oneof![1 => noise(), 9 => changed(any_body())];
    (body, vec(octet(), 0..3)).prop_map(|(body, behind)| Octets([body, behind].concat()))
}

/// What may be several requests.
pub fn stream() -> impl Strategy<Value = Octets> {
    let one = prop_oneof![1 => noise(), 3 => changed(any_head()), 16 => changed(request())];
    vec(one, 1..6).prop_map(|requests| Octets(requests.concat()))
}

/// Near each limit of a head: one part of it is as long as is allowed, a little less or a little
/// more.
pub fn long_head() -> impl Strategy<Value = Octets> {
    let text = |octet: u8, length: usize| String::from_utf8(vec![octet; length]).expect("ASCII");
    let target = (8_190_usize..8_195).prop_map(move |length| {
        format!(
            "GET /{} HTTP/1.1\r\nHost: a\r\n\r\n",
            text(b't', length - 1)
        )
    });
    let fields = (98_usize..102).prop_map(|count| {
        format!(
            "GET / HTTP/1.1\r\nHost: a\r\n{}\r\n",
            "X: y\r\n".repeat(count - 1)
        )
    });
    let whole = (16_382_usize..16_387, 0_usize..3).prop_map(move |(length, kind)| {
        let (before, behind) = [
            ("GET / HTTP/1.1\r\nHost: a\r\nX: ", "\r\n\r\n"),
            ("GET / HTTP/1.1\r\nHost: a\r\n", ": x\r\n\r\n"),
            ("\r\nGET / HTTP/1.1\r\nX: ", "\r\nHost : a\r\n\r\n"),
        ][kind];
        let filled = length.saturating_sub(before.len() + behind.len());
        format!("{before}{}{behind}", text(b'x', filled))
    });
    prop_oneof![target, fields, whole].prop_map(|head| Octets(head.into_bytes()))
}

/// Many chunks with extensions that cost more or less than their content brings.
pub fn costly_body() -> impl Strategy<Value = Octets> {
    let chunk = (
        200_usize..255,
        prop_oneof![20 => 1_usize..9, 1 => 1_usize..4_000],
    );
    vec(chunk, 60..90).prop_map(|chunks| {
        let chunks = chunks.into_iter().map(|(extension, data)| {
            let (extension, data) = ("e".repeat(extension - 4), "x".repeat(data));
            format!("{:x};{extension}\r\n{data}\r\n", data.len())
        });
        Octets((chunks.collect::<String>() + "0\r\n\r\n").into_bytes())
    })
}

/// A request with content about as long as what is awaited before a handler is called, and one
/// behind it.
pub fn long_content() -> impl Strategy<Value = Octets> {
    let plain = (16_380_usize..16_390)
        .prop_map(|length| format!("Content-Length: {length}\r\n\r\n{}", "x".repeat(length)));
    let chunked = (vec(1_usize..6_000, 1..6), mostly(9, ENDS, 5)).prop_map(|(sizes, end)| {
        let chunks = sizes
            .into_iter()
            .map(|size| format!("{size:x}\r\n{}\r\n", "x".repeat(size)));
        format!(
            "Transfer-Encoding: chunked\r\n\r\n{}{end}",
            chunks.collect::<String>()
        )
    });
    let expect = select(vec!["", "", "Expect: 100-continue\r\n"]);
    let content = prop_oneof![plain, chunked];
    let one = (expect, content).prop_map(|(expect, content)| {
        format!("POST / HTTP/1.1\r\nHost: a\r\n{expect}{content}GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            .into_bytes()
    });
    changed(one).prop_map(Octets)
}
