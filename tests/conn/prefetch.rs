//! Prefetch: the head is here, and content, or the beginning of it, is waited for.

use super::life::{Action::*, Expiry, GET, Life, OK, Row, run};
use doorstep::internals::conn::{Config, Phase};
use doorstep::internals::limits::PREFETCH_BYTES;
use doorstep::{CloseReason, Reject};

const TRUNCATED: CloseReason = CloseReason::Rejected(Reject::TruncatedContent);
const POST_5: &str = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n";
const POST_MOST: &str = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 16384\r\n\r\n";
const POST_LESS: &str = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 16383\r\n\r\n";
const POST_MORE: &str = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 16385\r\n\r\n";
const POST_MUCH: &str = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000000\r\n\r\n";
const CHUNKED: &str = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";

const ROWS: &[Row] = &[
    (
        "30 seconds for the next bytes",
        &[
            After(1_000),
            Comes(POST_5),
            Is(Phase::Prefetch),
            Until(31_000),
            After(29_999),
            Expires(Expiry::NotYet),
            After(1),
            Expires(Expiry::Refuse(Reject::ContentTimeout)),
        ],
    ),
    (
        "dribbling does not extend them: five bytes earn nothing",
        &[
            Comes(POST_5),
            After(20_000),
            Comes("h"),
            Until(30_000),
            After(9_000),
            Comes("e"),
            Until(30_000),
        ],
    ),
    (
        "bytes at more than the least rate extend them",
        &[
            Comes(POST_MOST),
            After(20_000),
            Fills(6_000),
            Until(50_000),
            After(20_000),
            Fills(6_000),
            Until(70_000),
            After(20_000),
            Fills(4_384),
            Is(Phase::Handle),
        ],
    ),
    (
        "the wait ends with the content: the handler's time is not the client's",
        &[
            Comes(CHUNKED),
            Comes("5000\r\n"),
            After(1_000),
            Fills(16_378),
            Is(Phase::Handle),
            After(100_000),
            Takes(16_378),
            WaitsForContent,
            Until(131_000),
        ],
    ),
    (
        "an event without bytes does not extend them",
        &[
            Comes(POST_5),
            After(10_000),
            Comes(""),
            After(10_000),
            Comes(""),
            Is(Phase::Prefetch),
            Until(30_000),
        ],
    ),
    (
        "nor does it where bytes have earned more",
        &[
            Comes(POST_MOST),
            Fills(6_000),
            Until(30_000),
            After(10_000),
            Comes(""),
            Until(30_000),
        ],
    ),
    (
        "a FIN within it",
        &[Comes(POST_5), Comes("hel"), Fin(Some(TRUNCATED))],
    ),
    (
        "all here: the handler",
        &[
            Comes(POST_5),
            Comes("hell"),
            Is(Phase::Prefetch),
            Comes("o"),
            Is(Phase::Handle),
            Takes(5),
        ],
    ),
    (
        "one byte less than 16 KiB: all of it is awaited",
        &[
            Comes(POST_LESS),
            Fills(16_382),
            Is(Phase::Prefetch),
            Fills(1),
            Is(Phase::Handle),
            Takes(16_383),
            Answers(OK),
            Is(Phase::Idle),
        ],
    ),
    (
        "16 KiB: all of it",
        &[
            Comes(POST_MOST),
            Fills(16_383),
            Is(Phase::Prefetch),
            Fills(1),
            Is(Phase::Handle),
            Takes(16_384),
            Answers(OK),
            Is(Phase::Idle),
        ],
    ),
    (
        "one byte more: the first 16 KiB of it, so that a client which drips costs no worker until it has sent that much",
        &[
            Comes(POST_MORE),
            Is(Phase::Prefetch),
            Fills(16_383),
            Is(Phase::Prefetch),
            Fills(1),
            Is(Phase::Handle),
            Unread(16_384),
            Takes(16_384),
            WaitsForContent,
            Fills(1),
            Takes(1),
            Answers(OK),
            Is(Phase::Idle),
        ],
    ),
    (
        "much more: no more than that",
        &[
            Comes(POST_MUCH),
            Fills(16_383),
            Is(Phase::Prefetch),
            Fills(1),
            Is(Phase::Handle),
        ],
    ),
    (
        "longer content: the same 30 seconds",
        &[
            Comes(POST_MUCH),
            Until(30_000),
            After(20_000),
            Fills(1),
            Until(30_000),
            After(10_000),
            Expires(Expiry::Refuse(Reject::ContentTimeout)),
        ],
    ),
    (
        "longer content: bytes at more than the least rate extend them, and count once more when the handler takes them",
        &[
            Comes(POST_MUCH),
            After(20_000),
            Fills(6_000),
            Until(50_000),
            After(20_000),
            Fills(6_000),
            Until(70_000),
            After(20_000),
            Fills(4_384),
            Is(Phase::Handle),
            // Sixty seconds have been waited, and nothing has been earned by what nobody took.
            WaitsForContent,
            Until(60_000),
            Takes(16_384),
            WaitsForContent,
            Until(90_000),
        ],
    ),
    (
        "longer content: not a byte of it counts twice",
        &[
            Comes(POST_MUCH),
            Fills(252),
            Fills(16_132),
            Takes(16_384),
            WaitsForContent,
            After(20_000),
            Fills(1),
            Takes(1),
            WaitsForContent,
            After(20_000),
            Fills(1),
            Takes(1),
            WaitsForContent,
            After(20_000),
            Fills(1),
            Takes(1),
            WaitsForContent,
            After(20_000),
            Fills(1),
            Takes(1),
            WaitsForContent,
            // 30 seconds, and 64 for 16,388 bytes, less the 80 that were waited.
            Until(94_000),
        ],
    ),
    (
        "longer content: a FIN before the handler has seen it",
        &[Comes(POST_MUCH), Fills(16_383), Fin(Some(TRUNCATED))],
    ),
    (
        "chunks are awaited to their end",
        &[
            Comes(CHUNKED),
            Is(Phase::Prefetch),
            Comes("5\r\nhello\r\n0\r\n"),
            Is(Phase::Prefetch),
            Comes("\r\n"),
            Is(Phase::Handle),
            Takes(5),
            Answers(OK),
            Is(Phase::Idle),
        ],
    ),
    (
        "chunks that take one byte less than 16 KiB: all of them",
        &[
            Comes(CHUNKED),
            Comes("3ff2\r\n"),
            Fills(0x3ff2),
            Comes("\r\n0\r\n\r"),
            Is(Phase::Prefetch),
            Comes("\n"),
            Is(Phase::Handle),
            Takes(0x3ff2),
            Answers(OK),
            Is(Phase::Idle),
            Unread(0),
        ],
    ),
    (
        "chunks that take 16 KiB: all of them",
        &[
            Comes(CHUNKED),
            Comes("3ff3\r\n"),
            Fills(0x3ff3),
            Comes("\r\n0\r\n\r"),
            Is(Phase::Prefetch),
            Comes("\n"),
            Is(Phase::Handle),
            Takes(0x3ff3),
            Answers(OK),
            Is(Phase::Idle),
            Unread(0),
        ],
    ),
    (
        "chunks that take one byte more: the first 16 KiB of them",
        &[
            Comes(CHUNKED),
            Comes("3ff4\r\n"),
            Fills(0x3ff4),
            Comes("\r\n0\r\n"),
            Is(Phase::Prefetch),
            Comes("\r"),
            Is(Phase::Handle),
            Takes(0x3ff4),
            WaitsForContent,
            Comes("\n"),
            Answers(OK),
            Is(Phase::Idle),
            Unread(0),
        ],
    ),
    (
        "a chunk of more than 16 KiB",
        &[
            Comes(CHUNKED),
            Comes("5000\r\n"),
            Fills(16_377),
            Is(Phase::Prefetch),
            Fills(1),
            Is(Phase::Handle),
        ],
    ),
    (
        "a malformed chunk: the handler is not called",
        &[
            Comes(CHUNKED),
            Comes("5x"),
            Refused(Reject::InvalidChunkSize),
            Is(Phase::Linger),
        ],
    ),
    (
        "golang/go#71988: chunk data that is not followed by CRLF",
        &[
            Comes(CHUNKED),
            Comes("1\r\nhXX"),
            Refused(Reject::InvalidChunkEnd),
        ],
    ),
    (
        "hyper#3137: with Expect nothing is awaited",
        &[
            Comes(
                "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n",
            ),
            Is(Phase::Handle),
        ],
    ),
    (
        "with Expect nothing of longer content is awaited either",
        &[
            Comes(
                "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 16385\r\nExpect: 100-continue\r\n\r\n",
            ),
            Is(Phase::Handle),
            Unread(0),
        ],
    ),
    (
        "nor of chunks",
        &[
            Comes(
                "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n",
            ),
            Is(Phase::Handle),
            Unread(0),
        ],
    ),
    (
        "RFC 9110 §10.1.1: HTTP/1.0 has no Expect, so the content is awaited",
        &[
            Comes("POST / HTTP/1.0\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n"),
            Is(Phase::Prefetch),
        ],
    ),
    (
        "cpython http.server: a GET with content has content",
        &[
            Comes("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nGET /"),
            Is(Phase::Handle),
            Takes(5),
            Answers(OK),
            Is(Phase::Idle),
            Unread(0),
            Requests(1),
        ],
    ),
    (
        "surplus after the content is the next request",
        &[
            Comes(POST_5),
            Comes("helloGET / HTTP/1.1\r\nHost: a\r\n\r\n"),
            Takes(5),
            Answers(OK),
            Is(Phase::Handle),
            Requests(2),
        ],
    ),
    (
        "http-garden: bytes after the last chunk are no part of the content, and no request",
        &[
            Comes(CHUNKED),
            Comes("1\r\nx\r\n0\r\n\r\n\r\nXX\r\n"),
            Takes(1),
            Answers(OK),
            Refused(Reject::RequestLineForm),
            Requests(1),
        ],
    ),
    (
        "tiny-http#290: a length of 10^15 and no content: the wait ends as any",
        &[
            Comes("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000000000000\r\n\r\n"),
            Is(Phase::Prefetch),
            Until(30_000),
            After(30_000),
            Expires(Expiry::Refuse(Reject::ContentTimeout)),
        ],
    ),
    (
        "a length of zero is no content",
        &[
            Comes("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"),
            Is(Phase::Handle),
            Answers(OK),
            Comes(GET),
            Requests(2),
        ],
    ),
];

#[test]
fn prefetch() {
    run(ROWS);
}

/// A body that is being prefetched always leaves room in the worker's buffer for the rest of it.
#[test]
fn the_longest_head_and_the_most_content_leave_room() {
    let config = Config::default();
    let most = config.limits.head_bytes;
    let longest_head = |framing: &str| {
        let start = format!("POST / HTTP/1.1\r\nHost: a\r\n{framing}\r\nX: ");
        let value = "x".repeat(most - start.len() - 4);
        format!("{start}{value}\r\n\r\n").into_bytes()
    };
    let rows = [
        ("by length", "Content-Length: 16385", "x"),
        (
            "in the smallest chunks",
            "Transfer-Encoding: chunked",
            "1\r\nx\r\n",
        ),
        (
            "in chunks with long size lines",
            "Transfer-Encoding: chunked",
            "0000000000000001;x=y\r\nx\r\n",
        ),
    ];
    for (name, framing, content) in rows {
        let mut life = Life::new(config.clone());
        let head = longest_head(framing);
        assert_eq!(head.len(), most, "{name}");
        for octet in head.iter().chain(content.as_bytes().iter().cycle()) {
            // The worker reads on, and has read as much as its buffer holds.
            assert!(life.input.len() < most + PREFETCH_BYTES, "{name}");
            life.comes(&[*octet]);
            if life.conn.phase() == Phase::Handle {
                break;
            }
        }
        assert_eq!(life.input.len(), PREFETCH_BYTES, "{name}: after the head");
    }
}
