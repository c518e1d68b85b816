//! Gather: the head is here, and content that is short enough to wait for.

use super::life::{Do::*, GET, OK, Row, run};
use doorstep::internals::conn::{Expiry, Phase};
use doorstep::{CloseReason, Reject};

const POST_5: &str = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n";
const POST_MOST: &str = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 16384\r\n\r\n";
const POST_MORE: &str = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 16385\r\n\r\n";
const CHUNKED: &str = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";

const ROWS: &[Row] = &[
    (
        "30 seconds for the next octets",
        &[
            After(1_000),
            Comes(POST_5),
            Is(Phase::Gather),
            Until(31_000),
            After(29_999),
            Expires(Expiry::NotYet),
            After(1),
            Expires(Expiry::Refuse(Reject::ContentTimeout)),
        ],
    ),
    (
        "dribbling does not extend them: five octets earn nothing",
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
        "octets at more than the least rate extend them",
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
            Fills(16_379),
            Is(Phase::Handle),
            After(100_000),
            Takes(16_379),
            WaitsForContent,
            Until(131_000),
        ],
    ),
    (
        "an event without octets does not extend them",
        &[
            Comes(POST_5),
            After(10_000),
            Comes(""),
            After(10_000),
            Comes(""),
            Is(Phase::Gather),
            Until(30_000),
        ],
    ),
    (
        "a FIN within it",
        &[
            Comes(POST_5),
            Comes("hel"),
            Fin(Some(CloseReason::PeerClosedEarly)),
        ],
    ),
    (
        "all here: the handler",
        &[
            Comes(POST_5),
            Comes("hell"),
            Is(Phase::Gather),
            Comes("o"),
            Is(Phase::Handle),
            Takes(5),
        ],
    ),
    (
        "16 KiB are awaited",
        &[
            Comes(POST_MOST),
            Fills(16_383),
            Is(Phase::Gather),
            Fills(1),
            Is(Phase::Handle),
        ],
    ),
    (
        "one more is not",
        &[Comes(POST_MORE), Is(Phase::Handle), Unread(0)],
    ),
    (
        "chunks are awaited to their end",
        &[
            Comes(CHUNKED),
            Is(Phase::Gather),
            Comes("5\r\nhello\r\n0\r\n"),
            Is(Phase::Gather),
            Comes("\r\n"),
            Is(Phase::Handle),
            Takes(5),
            Answers(OK),
            Is(Phase::Idle),
        ],
    ),
    (
        "chunks of more than 16 KiB are not",
        &[
            Comes(CHUNKED),
            Comes("5000\r\n"),
            Fills(16_378),
            Is(Phase::Gather),
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
        "RFC 9110 §10.1.1: HTTP/1.0 has no Expect, so the content is awaited",
        &[
            Comes("POST / HTTP/1.0\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n"),
            Is(Phase::Gather),
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
        "surplus behind the content is the next request",
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
fn gather() {
    run(ROWS);
}
