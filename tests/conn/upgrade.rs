//! Upgrade: a 101 is framed, and the connection is another protocol's.

use super::life::{Action::*, EVIL, Expiry, Finished, Life, Reply, Row, finished, reply, run};
use doorstep::CloseReason;
use doorstep::internals::conn::{BodyFraming, Config, Phase};
use doorstep::internals::semantics::Status;

const OFFER: &str =
    "GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n";
const WITH_CONTENT: &str = "POST / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\nContent-Length: 5\r\n\r\nhello";
const EXPECT: &str = "GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\nExpect: 100-continue\r\n\r\n";
const EXPECT_CONTENT: &str = "POST / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n";
const SWITCHES: &str =
    "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n";

const ROWS: &[Row] = &[
    (
        "RFC 9110 §15.2.2: the answer names the protocol, and nothing frames content",
        &[
            Comes(OFFER),
            Upgrades("websocket"),
            Says(SWITCHES),
            Delivers(BodyFraming::NoContent),
            Is(Phase::Linger),
            Last(Some(CloseReason::Upgraded)),
        ],
    ),
    (
        "RUSTSEC-2026-0033: what comes after the request is the new protocol's, however much it looks like a request",
        &[
            Comes(
                "GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\nGET /evil HTTP/1.1\r\nHost: a\r\n\r\n",
            ),
            Upgrades("websocket"),
            Requests(1),
            Unread(EVIL.len()),
            Comes(EVIL),
            Is(Phase::Linger),
            Requests(1),
        ],
    ),
    (
        "HEAD and others may be upgraded as well",
        &[
            Comes(
                "HEAD / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
            ),
            Upgrades("websocket"),
            Says(SWITCHES),
            Delivers(BodyFraming::NoContent),
        ],
    ),
    (
        "content is read first",
        &[
            Comes(WITH_CONTENT),
            Takes(5),
            Upgrades("websocket"),
            Says(SWITCHES),
            Unread(0),
        ],
    ),
    (
        "RFC 9110 §7.8: with an expectation, 100 comes before 101",
        &[
            Comes(EXPECT),
            Upgrades("websocket"),
            Says("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 101 Switching Protocols\r\n"),
            Continue(false),
        ],
    ),
    (
        "but once",
        &[
            Comes(EXPECT_CONTENT),
            Continue(true),
            Comes("hello"),
            Takes(5),
            Upgrades("websocket"),
            Says(SWITCHES),
            Silent("100 Continue"),
        ],
    ),
    (
        "an offer beside close: the 101 says nothing of it",
        &[
            Comes(
                "GET / HTTP/1.1\r\nHost: a\r\nConnection: close, upgrade\r\nUpgrade: websocket\r\n\r\n",
            ),
            Upgrades("websocket"),
            Says(SWITCHES),
            Silent("close"),
            Is(Phase::Linger),
        ],
    ),
    (
        "it ends as what it is",
        &[
            Comes(OFFER),
            Upgrades("websocket"),
            Fin(Some(CloseReason::Upgraded)),
            After(2_000),
            Expires(Expiry::Close(CloseReason::Upgraded)),
        ],
    ),
];

#[test]
fn upgrade() {
    run(ROWS);
}

/// Neither a limit nor the end of the server makes a 101 say `close`: who wants that answers
/// without one.
#[test]
fn it_is_the_last_answer_for_no_other_reason() {
    let mut config = Config::default();
    config.limits.requests_per_connection = Some(1);
    let mut life = Life::new(config);
    life.comes(OFFER.as_bytes());
    let stopping = Reply {
        last: Some(CloseReason::Shutdown),
        ..reply(Status::SWITCHING_PROTOCOLS, None)
    };
    life.frame(stopping, Some("websocket"));
    assert_eq!(String::from_utf8_lossy(&life.out), SWITCHES);
    assert_eq!(life.conn.close_reason(), Some(CloseReason::Upgraded));
}

/// RFC 9110 §15.5.22: a 426 says what it asks for, and is an answer like any other.
#[test]
fn a_protocol_that_is_asked_for_does_not_take_over() {
    let mut life = Life::new(Config::default());
    let plain = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    life.comes(plain.as_bytes());
    life.frame(reply(Status::UPGRADE_REQUIRED, Some(0)), Some("websocket"));
    assert_eq!(
        String::from_utf8_lossy(&life.out),
        "HTTP/1.1 426 Upgrade Required\r\nConnection: upgrade\r\nUpgrade: websocket\r\nContent-Length: 0\r\n\r\n"
    );
    assert_eq!(life.conn.close_reason(), None);
    life.conn.finish(false, life.now, &life.config);
    assert_eq!(finished(&life.conn), Finished::Continue);
    assert_eq!(life.conn.phase(), Phase::Idle);
}

#[test]
fn a_protocol_that_failed_says_so_at_the_end() {
    let mut life = Life::new(Config::default());
    life.comes(OFFER.as_bytes());
    life.frame(reply(Status::SWITCHING_PROTOCOLS, None), Some("websocket"));
    life.conn
        .linger(CloseReason::Panicked, life.now, &life.config);
    assert_eq!(life.conn.phase(), Phase::Linger);
    assert_eq!(life.fin(), Some(CloseReason::Panicked));
}
