//! RFC 9112 §8, §9 (§9.3, §9.3.2, §9.5, §9.6), §11.1, §11.2: several messages on one connection,
//! fed whole, byte by byte and cut at each offset. What a row serves, and how it ends, has to be
//! the same each time. Deadlines have their tables in `tests/conn`.

// Scripts in words are for the tables of `tests/conn`.
#[allow(dead_code)]
#[path = "../conn/life.rs"]
mod life;

use doorstep::internals::conn::{Config, Phase};
use doorstep::internals::h1::Reject;
use life::{Life, OK};

/// What is asked, the bytes, what is served of them (`TARGET` or `TARGET CONTENT`), how it ends.
type Row = (&'static str, &'static str, &'static [&'static str], End);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// Between two requests.
    Idle,
    /// Within a message.
    Within,
    /// Behind the last answer.
    Closed,
    /// The same, with the status of a refusal.
    Refused(Reject),
}
use End::{Closed, Idle, Refused, Within};

/// Whether the handler reads content.
#[derive(Clone, Copy, Debug)]
enum Reads {
    All,
    Nothing,
}

/// The same for a handler that reads content and one that does not.
#[rustfmt::skip]
const BOTH: &[Row] = &[
    ("RFC 9112 §9.3: 1.1 lives on", "GET /1 HTTP/1.1\r\nHost: a\r\n\r\n", &["/1"], Idle),
    ("RFC 9112 §9.3: 1.1 with close ends", "GET /1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", &["/1"], Closed),
    ("RFC 9112 §9.3: 1.0 ends", "GET /1 HTTP/1.0\r\n\r\n", &["/1"], Closed),
    ("RFC 9112 §9.3: 1.0 with keep-alive lives on", "GET /1 HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET /2 HTTP/1.0\r\n\r\n", &["/1", "/2"], Closed),
    ("RFC 9112 §9.3.2: requests stuck together are served in order", "GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\nHEAD /3 HTTP/1.1\r\nHost: a\r\n\r\n", &["/1", "/2", "/3"], Idle),
    ("RFC 9112 §2.2: an empty line between them", "GET /1 HTTP/1.1\r\nHost: a\r\n\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n", &["/1", "/2"], Idle),
    ("but not two", "GET /1 HTTP/1.1\r\nHost: a\r\n\r\n\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n", &["/1"], Refused(Reject::EmptyRequestLine)),
    ("RFC 9112 §9.6: nothing after close is served", "GET /1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n", &["/1"], Closed),
    ("nor after 1.0", "GET /1 HTTP/1.0\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n", &["/1"], Closed),
    ("http-garden: a second request that is refused costs the first nothing", "GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\n\r\n", &["/1"], Refused(Reject::MissingHost)),
    ("RFC 9112 §9.5: nothing after a refusal is served", "GET /1\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n", &[], Refused(Reject::RequestLineForm)),
    ("RFC 9112 §8: a head without its end is no request", "GET /1 HTTP/1.1\r\nHost: a\r\n", &[], Within),
    ("RFC 9112 §8: content without its end is no request", "POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nhello", &[], Within),
    ("RFC 9112 §8: chunks without their end are no request", "POST /1 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n", &[], Within),
    ("RFC 9112 §8: a chunk that cannot be decoded", "POST /1 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhelloX\r\n0\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n", &[], Refused(Reject::InvalidChunkEnd)),
    ("RFC 9112 §11.1: an escaped line end is a part of the target", "GET /1%0d%0aX:%20y HTTP/1.1\r\nHost: a\r\n\r\n", &["/1%0d%0aX:%20y"], Idle),
    ("RFC 9112 §11.1: a line end is not", "GET /1\r\nX: y HTTP/1.1\r\nHost: a\r\n\r\n", &[], Refused(Reject::RequestLineForm)),
    ("RFC 9112 §11.2: a request within content by both framings", "POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 36\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /evil HTTP/1.1\r\nHost: a\r\n\r\n", &[], Refused(Reject::TransferEncodingWithContentLength)),
    ("RFC 9112 §11.2: by a coding that is nearly chunked", "POST /1 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\nGET /evil HTTP/1.1\r\nHost: a\r\n\r\n", &[], Refused(Reject::InvalidTransferEncoding)),
    ("RFC 9112 §11.2: by a name that is nearly the field's", "POST /1 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\nGET /evil HTTP/1.1\r\nHost: a\r\n\r\n", &[], Refused(Reject::SpaceBeforeColon)),
    ("RFC 9112 §11.2: by two lengths", "POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nContent-Length: 31\r\n\r\nGET /evil HTTP/1.1\r\nHost: a\r\n\r\n", &[], Refused(Reject::RepeatedContentLength)),
    ("RFC 9112 §11.2: by a chunk's extension", "POST /1 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1;\nxx\r\n0\r\n\r\nGET /evil HTTP/1.1\r\nHost: a\r\n\r\n", &[], Refused(Reject::BareLineFeed)),
    ("RFC 9112 §11.2: by a size that wraps", "POST /1 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n10000000000000000\r\nGET /evil HTTP/1.1\r\nHost: a\r\n\r\n", &[], Refused(Reject::InvalidChunkSize)),
    ("RFC 9112 §11.2: by an upgrade that is not taken", "GET /1 HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n", &["/1", "/2"], Idle),
];

/// With content, for a handler that reads it.
#[rustfmt::skip]
const READ: &[Row] = &[
    ("RFC 9112 §9.3: content, and the next request", "POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhelloGET /2 HTTP/1.1\r\nHost: a\r\n\r\n", &["/1 hello", "/2"], Idle),
    ("chunks, and the next request", "POST /1 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3;x\r\nllo\r\n0\r\nX: y\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n", &["/1 hello", "/2"], Idle),
    ("a line end after content (RFC 9112 §2.2)", "POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n", &["/1 hello", "/2"], Idle),
    ("RFC 9112 §11.2: a request within content", "POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 19\r\n\r\nGET /evil HTTP/1.0\n\nGET /2 HTTP/1.0\r\n\r\n", &["/1 GET /evil HTTP/1.0\n"], Refused(Reject::BareLineFeed)),
    ("cpython http.server: within content of GET", "GET /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 31\r\n\r\nGET /evil HTTP/1.1\r\nHost: a\r\n\r\n", &["/1 GET /evil HTTP/1.1\r\nHost: a\r\n\r\n"], Idle),
    ("within content of HEAD", "HEAD /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nGET GET /2 HTTP/1.1\r\nHost: a\r\n\r\n", &["/1 GET ", "/2"], Idle),
    ("RUSTSEC-2026-0034: 1.0 without a length: not by close", "POST /1 HTTP/1.0\r\n\r\nhello", &["/1"], Closed),
    ("RFC 9110 §10.1.1: content that nobody was asked for comes all the same", "POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\nhelloGET /2 HTTP/1.1\r\nHost: a\r\n\r\n", &["/1 hello", "/2"], Idle),
];

/// What a handler that reads as told has been asked, and how it ends.
fn converse(octets: &[u8], ends: &[usize], reads: Reads) -> (Vec<String>, End) {
    let mut life = Life::new(Config::default());
    let (mut served, mut content, mut at) = (Vec::new(), Vec::new(), 0);
    for &end in ends {
        life.comes(&octets[at..end]);
        at = end;
        while life.conn.phase() == Phase::Handle {
            if let Reads::All = reads {
                if !read(&mut life, &mut content) {
                    break;
                }
            }
            let (head, octets) = life.head.take().expect("a request has a head");
            let target = String::from_utf8_lossy(head.target.of(&octets)).into_owned();
            served.push(match &content[..] {
                [] => target,
                content => format!("{target} {}", String::from_utf8_lossy(content)),
            });
            content.clear();
            life.answer(OK);
        }
    }
    let end = match (life.refused, life.conn.phase()) {
        (Some(reject), Phase::Linger) => Refused(reject),
        (None, Phase::Linger | Phase::Closed) => Closed,
        (None, Phase::Idle) => Idle,
        (None, _) => Within,
        (Some(reject), phase) => panic!("{phase:?} after {reject:?}"),
    };
    (served, end)
}

/// Reads what is here; whether that is all of it.
fn read(life: &mut Life, content: &mut Vec<u8>) -> bool {
    while life.conn.content_left() != Some(0) {
        match life.take() {
            Ok(data) if data.is_empty() => break,
            Ok(data) => content.extend(data),
            Err(reject) => {
                life.refuse(reject);
                return false;
            }
        }
    }
    life.conn.content_left() == Some(0)
}

/// Whole, byte by byte, and cut at each offset.
fn each_way(octets: &[u8]) -> Vec<Vec<usize>> {
    let len = octets.len();
    let mut ways = vec![vec![len], (1..=len).collect()];
    ways.extend((1..len).map(|cut| vec![cut, len]));
    ways
}

#[test]
fn conversations() {
    let whatever = [Reads::All, Reads::Nothing].map(|reads| (BOTH, reads));
    for (rows, reads) in whatever.into_iter().chain([(READ, Reads::All)]) {
        for (name, octets, served, end) in rows {
            for ends in each_way(octets.as_bytes()) {
                let (found, found_end) = converse(octets.as_bytes(), &ends, reads);
                assert_eq!(found, *served, "{name}: {reads:?}, {ends:?}");
                assert_eq!(found_end, *end, "{name}: {reads:?}, {ends:?}");
            }
        }
    }
}

/// RFC 9112 §9.3: "A server MUST read the entire request message body or close the connection after
/// sending its response".
#[test]
fn content_that_nobody_reads_is_no_request() {
    for (name, octets, served, end) in READ {
        // What is asked for, without its content.
        let asked: Vec<&str> = served
            .iter()
            .filter_map(|words| words.split(' ').next())
            .collect();
        for ends in each_way(octets.as_bytes()) {
            let (found, found_end) = converse(octets.as_bytes(), &ends, Reads::Nothing);
            let is_read = found == asked && found_end == *end;
            let is_closed = found == asked[..1] && found_end == Closed;
            assert!(
                is_read || is_closed,
                "{name}: {found:?} {found_end:?}, {ends:?}"
            );
        }
    }
}
