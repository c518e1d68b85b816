//! Head: some bytes of a request are here.

use super::life::{Action::*, Expiry, Finished, GET, Life, OK, Row, run};
use doorstep::internals::conn::{BodyFraming, Config, Phase};
use doorstep::{CloseReason, Reject};

const ROWS: &[Row] = &[
    (
        "the first head's time counts from the accept",
        &[
            After(9_000),
            Comes("G"),
            Is(Phase::Head),
            Until(10_000),
            After(999),
            Expires(Expiry::NotYet),
            After(1),
            Expires(Expiry::Refuse(Reject::HeadTimeout)),
        ],
    ),
    (
        "hyper#1628: dribbling does not extend it",
        &[
            Comes("G"),
            After(3_000),
            Comes("ET"),
            After(3_000),
            Comes(" / HTTP/1.1\r\n"),
            After(3_000),
            Comes("Host: a\r\n"),
            Until(10_000),
            After(1_000),
            Expires(Expiry::Refuse(Reject::HeadTimeout)),
        ],
    ),
    (
        "kept alive: the first byte begins ten seconds",
        &[
            Comes(GET),
            Answers(OK),
            After(70_000),
            Comes("G"),
            Is(Phase::Head),
            Until(80_000),
            After(4_000),
            Comes("ET /"),
            Until(80_000),
            After(6_000),
            Expires(Expiry::Refuse(Reject::HeadTimeout)),
        ],
    ),
    (
        "kept alive: a byte shortly before the 75 seconds are over",
        &[
            Comes(GET),
            Answers(OK),
            After(74_999),
            Comes("G"),
            Until(84_999),
        ],
    ),
    (
        "kept alive: a byte right after the answer shortens the wait",
        &[Comes(GET), Answers(OK), Comes("G"), Until(10_000)],
    ),
    (
        "RFC 9112 §2.2: an empty line is the beginning of a head",
        &[
            Comes(GET),
            Answers(OK),
            After(1_000),
            Comes("\r\n"),
            Is(Phase::Head),
            Until(11_000),
        ],
    ),
    (
        "a piece of the next request is here when the answer ends",
        &[
            Comes("GET / HTTP/1.1\r\nHost: a\r\n\r\nGET"),
            Is(Phase::Handle),
            After(500),
            Answers(OK),
            Is(Phase::Head),
            Until(10_500),
        ],
    ),
    (
        "a FIN within it",
        &[Comes("GET /"), Fin(Some(CloseReason::PeerClosedEarly))],
    ),
    (
        "a head at once, whatever the time: it is here",
        &[After(10_000), Comes(GET), Is(Phase::Handle)],
    ),
    (
        "refused: answered, then nothing is parsed",
        &[
            Comes("BAD\r\n\r\n"),
            Refused(Reject::RequestLineForm),
            Finishes(Finished::Linger),
            Is(Phase::Linger),
            Last(Some(CloseReason::Rejected(Reject::RequestLineForm))),
            Comes(GET),
            Is(Phase::Linger),
            Requests(0),
            Unread(0),
        ],
    ),
    (
        "http-garden: an invalid second request, the first keeps its answer",
        &[
            Comes("GET / HTTP/1.1\r\nHost: a\r\n\r\nGET\r\n"),
            Is(Phase::Handle),
            Answers(OK),
            Refused(Reject::RequestLineForm),
            Requests(1),
        ],
    ),
    (
        "a refusal after HEAD has content: it is no answer to HEAD",
        &[
            Comes("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n"),
            Answers(OK),
            Delivers(BodyFraming::NoContent),
            Comes("\x00"),
            Delivers(BodyFraming::Length(3)),
            Is(Phase::Linger),
        ],
    ),
    (
        "so has one that comes in pieces",
        &[
            Comes("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n"),
            Answers(OK),
            Comes("GE"),
            Comes("\x00"),
            Delivers(BodyFraming::Length(3)),
        ],
    ),
    (
        "a refusal after HTTP/1.0 is not its keep-alive",
        &[
            Comes("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"),
            Answers(OK),
            Says("Connection: keep-alive\r\n"),
            Comes("\x00"),
            Says("Connection: close\r\n"),
            Silent("keep-alive"),
        ],
    ),
    (
        "the time is over: 408, then the end",
        &[
            Comes("GET /"),
            After(10_000),
            Expires(Expiry::Refuse(Reject::HeadTimeout)),
        ],
    ),
];

#[test]
fn head() {
    run(ROWS);
}

/// RFC 9112 §9.6: whatever is refused, for whatever reason: its status, `Connection: close`, and
/// nothing after it is parsed.
#[test]
fn every_refusal_is_answered_and_the_last() {
    for &reject in Reject::ALL {
        let mut life = Life::new(Config::default());
        life.comes(b"GET /");
        life.refuse(reject);
        let out = String::from_utf8_lossy(&life.out).into_owned();
        let line = format!("HTTP/1.1 {} ", reject.status().code());
        assert!(out.starts_with(&line), "{reject:?}: {out}");
        assert!(
            out.contains("\r\nConnection: close\r\n"),
            "{reject:?}: {out}"
        );
        assert_eq!(life.finished, Some(Finished::Linger), "{reject:?}");
        assert_eq!(
            life.conn.close_reason(),
            Some(CloseReason::Rejected(reject))
        );
        life.comes(GET.as_bytes());
        assert_eq!(
            (life.conn.phase(), life.conn.requests()),
            (Phase::Linger, 0),
            "{reject:?}"
        );
    }
}

/// A call goes on where the one before it ended.
#[test]
fn what_was_read_is_not_read_again_before_the_head_is_whole() {
    let mut life = Life::new(Config::default());
    life.comes(b"GET / HTTP/1.1\r\nHost: a\r\nX-");
    // Read again, this would be refused.
    life.input.fill(0);
    life.comes(b"Y: z\r\n");
    assert_eq!(life.refused, None);
    assert_eq!(life.conn.phase(), Phase::Head);
}
