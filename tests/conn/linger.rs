//! Linger and Closed: the last answer is out.

use super::life::{Action::*, Expiry, GET, OK, Row, last, run};
use doorstep::internals::conn::Phase;
use doorstep::{CloseReason, Reject};
use std::collections::HashSet;

const CLOSE: &str = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
const REFUSED: CloseReason = CloseReason::Rejected(Reject::InvalidMethod);

const ROWS: &[Row] = &[
    (
        "two seconds, whatever still comes",
        &[
            After(1_000),
            Comes("\x01"),
            Is(Phase::Linger),
            Until(3_000),
            After(1_500),
            Comes(GET),
            Fills(100_000),
            Is(Phase::Linger),
            Unread(0),
            Until(3_000),
            Expires(Expiry::NotYet),
            After(500),
            Expires(Expiry::Close(REFUSED)),
        ],
    ),
    (
        "two seconds from when all of the answer was sent, however long that took",
        &[
            Comes("\x01"),
            Until(2_000),
            BlockedUntil(30_000),
            After(20_000),
            Wrote(100),
            Until(22_000),
            After(1_000),
            AllSent,
            Until(23_000),
        ],
    ),
    (
        "a FIN ends it, for the reason that there was",
        &[Comes("\x01"), Fin(Some(REFUSED))],
    ),
    (
        "the handler's wish is a reason of its own",
        &[
            Comes(GET),
            Answers(last(CloseReason::Answered)),
            Is(Phase::Linger),
            Fin(Some(CloseReason::Answered)),
        ],
    ),
    (
        "closed after the last answer, in every way",
        &[
            Comes(CLOSE),
            Answers(OK),
            Is(Phase::Closed),
            Fin(Some(CloseReason::Answered)),
            After(100_000),
            Expires(Expiry::Close(CloseReason::Answered)),
        ],
    ),
    (
        "an answer that the client does not take",
        &[
            Comes("\x01"),
            BlockedUntil(30_000),
            After(29_999),
            ExpiresWriting(Expiry::NotYet),
            After(1),
            ExpiresWriting(Expiry::Close(CloseReason::WriteTimeout)),
        ],
    ),
];

#[test]
fn linger() {
    run(ROWS);
}

#[test]
fn each_reason_says_what_it_is() {
    let reasons = [
        CloseReason::PeerClosed,
        CloseReason::PeerClosedEarly,
        CloseReason::Failed,
        CloseReason::Answered,
        CloseReason::Upgraded,
        REFUSED,
        CloseReason::IdleTimeout,
        CloseReason::WriteTimeout,
        CloseReason::UnreadContent,
        CloseReason::ContentFailed,
        CloseReason::Panicked,
        CloseReason::Overload,
        CloseReason::Shutdown,
    ];
    let mut sentences = HashSet::new();
    for reason in reasons {
        let sentence = reason.to_string();
        assert_ne!(sentence, "", "{reason:?}");
        assert!(!sentence.ends_with('.'), "{reason:?}: {sentence}");
        assert!(sentences.insert(sentence), "{reason:?}");
    }
    let refused = Reject::InvalidMethod.sentence();
    assert_eq!(REFUSED.to_string(), format!("message refused: {refused}"));
}
