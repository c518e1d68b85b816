//! Send: how an answer is framed, and what follows it.

use super::life::{Action::*, Finished, GET, OK, Reply, Row, STREAM, last, reply, run, run_with};
use doorstep::CloseReason;
use doorstep::internals::conn::{BodyFraming, Config, Phase};
use doorstep::internals::semantics::Status;

const HTTP10: &str = "GET / HTTP/1.0\r\n\r\n";
const HTTP10_KEPT: &str = "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n";
const CLOSE: &str = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
const HEAD: &str = "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n";
const HEAD10: &str = "HEAD / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n";
const CONNECT: &str = "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n";

const LENGTH: &str = "Content-Length: 5\r\n";
const CHUNKED: &str = "Transfer-Encoding: chunked\r\n";
const CLOSES: &str = "Connection: close\r\n";
const KEEPS: &str = "Connection: keep-alive\r\n";

const GO_ON: Finished = Finished::Continue;
const LINGER: Finished = Finished::Linger;
const END: Finished = Finished::Close(CloseReason::Answered);

/// What is asked, the request, the answer, how it is delivered, which of the four lines above it
/// has, what follows.
type Framing = (
    &'static str,
    &'static str,
    Reply,
    BodyFraming,
    &'static [&'static str],
    Finished,
);

const FRAMING: &[Framing] = &[
    (
        "tiny-http#149: a known length",
        GET,
        OK,
        BodyFraming::Length(5),
        &[LENGTH],
        GO_ON,
    ),
    (
        "an unknown length",
        GET,
        STREAM,
        BodyFraming::Chunked,
        &[CHUNKED],
        GO_ON,
    ),
    (
        "the client asks for the end",
        CLOSE,
        OK,
        BodyFraming::Length(5),
        &[LENGTH, CLOSES],
        END,
    ),
    (
        "and the length is unknown",
        CLOSE,
        STREAM,
        BodyFraming::Chunked,
        &[CHUNKED, CLOSES],
        END,
    ),
    (
        "HTTP/1.0",
        HTTP10,
        OK,
        BodyFraming::Length(5),
        &[LENGTH, CLOSES],
        END,
    ),
    (
        "RFC 9112 §6.1: HTTP/1.0 knows no chunks",
        HTTP10,
        STREAM,
        BodyFraming::UntilClose,
        &[CLOSES],
        END,
    ),
    (
        "HTTP/1.0, kept alive",
        HTTP10_KEPT,
        OK,
        BodyFraming::Length(5),
        &[LENGTH, KEEPS],
        GO_ON,
    ),
    (
        "but not after an unknown length",
        HTTP10_KEPT,
        STREAM,
        BodyFraming::UntilClose,
        &[CLOSES],
        LINGER,
    ),
    (
        "RFC 9110 §9.3.2: HEAD has GET's fields",
        HEAD,
        OK,
        BodyFraming::NoContent,
        &[LENGTH],
        GO_ON,
    ),
    (
        "HEAD, unknown length",
        HEAD,
        STREAM,
        BodyFraming::NoContent,
        &[CHUNKED],
        GO_ON,
    ),
    (
        "HEAD, unknown length, HTTP/1.0",
        HEAD10,
        STREAM,
        BodyFraming::NoContent,
        &[KEEPS],
        GO_ON,
    ),
    (
        "hyper#2836: 204",
        GET,
        reply(Status::NO_CONTENT, Some(5)),
        BodyFraming::NoContent,
        &[],
        GO_ON,
    ),
    (
        "RFC 9110 §15.3.6: 205",
        GET,
        reply(Status::RESET_CONTENT, Some(5)),
        BodyFraming::NoContent,
        &[],
        GO_ON,
    ),
    (
        "205, unknown length",
        GET,
        reply(Status::RESET_CONTENT, None),
        BodyFraming::NoContent,
        &[],
        GO_ON,
    ),
    (
        "204, unknown length",
        GET,
        reply(Status::NO_CONTENT, None),
        BodyFraming::NoContent,
        &[],
        GO_ON,
    ),
    (
        "304",
        GET,
        reply(Status::NOT_MODIFIED, Some(5)),
        BodyFraming::NoContent,
        &[],
        GO_ON,
    ),
    (
        "304 to HEAD",
        HEAD,
        reply(Status::NOT_MODIFIED, None),
        BodyFraming::NoContent,
        &[],
        GO_ON,
    ),
    (
        "RFC 9110 §9.3.6: 2xx to CONNECT",
        CONNECT,
        OK,
        BodyFraming::NoContent,
        &[CLOSES],
        LINGER,
    ),
    (
        "2xx to CONNECT, unknown length",
        CONNECT,
        STREAM,
        BodyFraming::NoContent,
        &[CLOSES],
        LINGER,
    ),
    (
        "another answer to CONNECT has content, and is the last: what is behind it may be meant for the tunnel",
        CONNECT,
        reply(Status::METHOD_NOT_ALLOWED, Some(5)),
        BodyFraming::Length(5),
        &[LENGTH, CLOSES],
        LINGER,
    ),
    (
        "the handler asks for the end",
        GET,
        last(CloseReason::Answered),
        BodyFraming::Length(5),
        &[LENGTH, CLOSES],
        LINGER,
    ),
    (
        "the server stops, and HTTP/1.0 would be kept alive",
        HTTP10_KEPT,
        last(CloseReason::Shutdown),
        BodyFraming::Length(5),
        &[LENGTH, CLOSES],
        LINGER,
    ),
    (
        "the server stops",
        GET,
        last(CloseReason::Shutdown),
        BodyFraming::Length(5),
        &[LENGTH, CLOSES],
        LINGER,
    ),
];

#[test]
fn framing() {
    for &(name, request, reply, delivery, lines, finished) in FRAMING {
        let mut script = vec![
            Comes(request),
            Answers(reply),
            Delivers(delivery),
            Finishes(finished),
        ];
        for line in [LENGTH, CHUNKED, CLOSES, KEEPS] {
            script.push(if lines.contains(&line) {
                Says(line)
            } else {
                Silent(line)
            });
        }
        // A script of its own lives as long as the test.
        run(&[(name, script.leak())]);
    }
}

const ENDS: &[Row] = &[
    (
        "the client asked for the end: closed at once, nothing of its can be lost",
        &[
            Comes(CLOSE),
            Answers(OK),
            Is(Phase::Closed),
            Last(Some(CloseReason::Answered)),
        ],
    ),
    (
        "but with content unread a reset would overtake the answer",
        &[
            Comes(
                "POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 20000\r\n\r\n",
            ),
            Fills(16_384),
            Answers(OK),
            Is(Phase::Linger),
            Last(Some(CloseReason::Answered)),
        ],
    ),
    (
        "what stops the server is told, also where the client asked for the end",
        &[
            Comes(CLOSE),
            Answers(last(CloseReason::Shutdown)),
            Last(Some(CloseReason::Shutdown)),
        ],
    ),
    (
        "RFC 9112 §9.6: what comes after Connection: close is not parsed, nor may it reset the answer",
        &[
            Comes(
                "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n",
            ),
            Answers(OK),
            Is(Phase::Linger),
            Requests(1),
        ],
    ),
];

#[test]
fn ends() {
    run(ENDS);
}

#[test]
fn requests_per_connection() {
    let mut config = Config::default();
    config.limits.requests_per_connection = Some(2);
    run_with(
        &config,
        &[
            (
                "below the limit",
                &[Comes(GET), Answers(OK), Silent(CLOSES), Is(Phase::Idle)],
            ),
            (
                "at the limit",
                &[
                    Comes(GET),
                    Answers(OK),
                    Comes(GET),
                    Answers(OK),
                    Says(CLOSES),
                    Is(Phase::Linger),
                    Last(Some(CloseReason::Answered)),
                ],
            ),
            (
                "above it nothing is parsed",
                &[
                    Comes(GET),
                    Answers(OK),
                    Comes("GET / HTTP/1.1\r\nHost: a\r\n\r\nGET /3 HTTP/1.1\r\nHost: a\r\n\r\n"),
                    Answers(OK),
                    Requests(2),
                    Is(Phase::Linger),
                ],
            ),
        ],
    );
    config.limits.requests_per_connection = Some(1);
    run_with(
        &config,
        &[("a limit of one", &[Comes(GET), Answers(OK), Says(CLOSES)])],
    );
}
