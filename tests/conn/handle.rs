//! Handle: the program's time, and content that the handler pulls.

use super::life::{Action::*, Expiry, Finished, GET, OK, Row, run};
use doorstep::CloseReason;
use doorstep::internals::conn::Phase;

/// With Expect, so that nothing is prefetched and the first byte is the handler's to wait for.
const LONG: &str =
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\nExpect: 100-continue\r\n\r\n";
const EXPECT: &str =
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n";

const ROWS: &[Row] = &[
    (
        "the handler has no deadline",
        &[Comes(GET), After(1_000_000), Expires(Expiry::NotYet)],
    ),
    (
        "a half-close is no abort",
        &[
            Comes(GET),
            Fin(None),
            Answers(OK),
            Says("HTTP/1.1 200 OK\r\n"),
        ],
    ),
    (
        "nothing after it is parsed before it has answered",
        &[
            Comes("GET / HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n"),
            Requests(1),
            Answers(OK),
            Requests(2),
            Is(Phase::Handle),
            Answers(OK),
            Is(Phase::Idle),
        ],
    ),
    (
        "a wait for content: 30 seconds",
        &[Comes(LONG), After(100), WaitsForContent, Until(30_100)],
    ),
    (
        "hyper#2355: a wait that goes on is the same wait",
        &[
            Comes(LONG),
            WaitsForContent,
            After(10_000),
            WaitsForContent,
            Until(30_000),
        ],
    ),
    (
        "a byte every 29 seconds earns no second one",
        &[
            Comes(LONG),
            WaitsForContent,
            After(29_000),
            Fills(1),
            Takes(1),
            WaitsForContent,
            Until(30_000),
        ],
    ),
    (
        "256 bytes earn a second",
        &[
            Comes(LONG),
            WaitsForContent,
            After(20_000),
            Fills(2_560),
            Takes(2_560),
            WaitsForContent,
            Until(40_000),
        ],
    ),
    (
        "but never more than 30 at a time",
        &[
            Comes(LONG),
            Fills(90_000),
            Takes(90_000),
            WaitsForContent,
            Until(30_000),
        ],
    ),
    (
        "100 Continue: once, at the first need",
        &[
            Comes(EXPECT),
            Continue(true),
            Continue(false),
            Comes("hello"),
            Takes(5),
            Answers(OK),
            Silent("Connection: close"),
            Is(Phase::Idle),
        ],
    ),
    (
        "RFC 9110 §10.1.1: no 100 without Expect",
        &[
            Comes("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 20000\r\n\r\n"),
            Fills(16_384),
            Is(Phase::Handle),
            Continue(false),
        ],
    ),
    (
        "no 100 to HTTP/1.0",
        &[
            Comes("POST / HTTP/1.0\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\nhello"),
            Continue(false),
        ],
    ),
    (
        "RFC 9110 §10.1.1: an answer in place of 100: nobody knows what comes next, so it is the last",
        &[
            Comes(EXPECT),
            Answers(OK),
            Says("Connection: close\r\n"),
            Finishes(Finished::Linger),
            Last(Some(CloseReason::UnreadContent)),
            Continue(false),
        ],
    ),
    (
        "Expect, and the content came unasked and was read: the connection lives",
        &[
            Comes(EXPECT),
            Comes("hello"),
            Takes(5),
            Answers(OK),
            Silent("Connection: close"),
            Is(Phase::Idle),
        ],
    ),
    (
        "Expect, told to continue, and not read: dropped as any",
        &[
            Comes(EXPECT),
            Continue(true),
            Answers(OK),
            Silent("Connection: close"),
            Is(Phase::Discard),
            Comes("hello"),
            Is(Phase::Idle),
        ],
    ),
    (
        "Expect without content is nothing to wait for",
        &[
            Comes("GET / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\r\n"),
            Answers(OK),
            Silent("Connection: close"),
            Is(Phase::Idle),
        ],
    ),
];

#[test]
fn handle() {
    run(ROWS);
}
