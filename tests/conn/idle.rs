//! Idle: between requests, and before the first.

use super::life::{Action::*, Expiry, GET, OK, Row, run};
use doorstep::CloseReason;
use doorstep::internals::conn::Phase;

const ROWS: &[Row] = &[
    (
        "accept: ten seconds for the first byte, then a silent end",
        &[
            Is(Phase::Idle),
            Until(10_000),
            After(9_999),
            Expires(Expiry::NotYet),
            After(1),
            Expires(Expiry::Close(CloseReason::IdleTimeout)),
        ],
    ),
    (
        "a FIN without a byte",
        &[Fin(Some(CloseReason::PeerClosed))],
    ),
    (
        "an event without bytes changes nothing",
        &[After(4_000), Comes(""), Is(Phase::Idle), Until(10_000)],
    ),
    (
        "kept alive: 75 seconds from the end of the answer",
        &[
            After(5_000),
            Comes(GET),
            Is(Phase::Handle),
            After(2_000),
            Answers(OK),
            Is(Phase::Idle),
            Until(82_000),
            After(74_999),
            Expires(Expiry::NotYet),
            After(1),
            Expires(Expiry::Close(CloseReason::IdleTimeout)),
        ],
    ),
    (
        "kept alive: a FIN",
        &[
            Comes(GET),
            Answers(OK),
            Fin(Some(CloseReason::PeerClosed)),
            Last(None),
        ],
    ),
    (
        "kept alive: an event without bytes does not extend the wait",
        &[
            Comes(GET),
            Answers(OK),
            After(70_000),
            Comes(""),
            Is(Phase::Idle),
            Until(75_000),
        ],
    ),
    (
        "each answer begins the 75 seconds anew",
        &[
            Comes(GET),
            Answers(OK),
            After(60_000),
            Comes(GET),
            Answers(OK),
            Until(135_000),
            Requests(2),
        ],
    ),
    (
        "an answer that had to wait: 75 seconds from when the client could read it",
        &[
            Comes(GET),
            Answers(OK),
            BlockedUntil(30_000),
            After(20_000),
            Wrote(5),
            Until(95_000),
        ],
    ),
    (
        "an answer that did not: from when it was framed",
        &[
            Comes(GET),
            Answers(OK),
            After(1_000),
            Wrote(5),
            Until(75_000),
        ],
    ),
    (
        "the next head has begun: its time is its own",
        &[
            Comes(GET),
            Answers(OK),
            BlockedUntil(30_000),
            Comes("GET"),
            After(5_000),
            Wrote(5),
            Until(10_000),
        ],
    ),
];

#[test]
fn idle() {
    run(ROWS);
}
