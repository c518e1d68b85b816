//! How long a client may take to read: each wait is bounded, and all of them together by what was moved.

use super::life::{Do::*, GET, Life, OK, Row, run};
use doorstep::CloseReason;
use doorstep::internals::conn::{Expiry, Moment, Rules};

const ROWS: &[Row] = &[
    (
        "30 seconds for one wait",
        &[Comes(GET), Answers(OK), After(500), BlockedUntil(30_500)],
    ),
    (
        "a wait that goes on is the same wait",
        &[BlockedUntil(30_000), After(10_000), BlockedUntil(30_000)],
    ),
    (
        "hyper#2457: an octet every 29 seconds earns no second one",
        &[
            BlockedUntil(30_000),
            After(29_000),
            Wrote(1),
            BlockedUntil(30_000),
            After(1_000),
            ExpiresWriting(Expiry::Close(CloseReason::WriteTimeout)),
        ],
    ),
    (
        "255 octets earn nothing, 256 a second",
        &[
            BlockedUntil(30_000),
            After(20_000),
            Wrote(255),
            BlockedUntil(30_000),
            Wrote(1),
            BlockedUntil(31_000),
        ],
    ),
    (
        "but never more than 30 at a time",
        &[Wrote(1 << 30), BlockedUntil(30_000)],
    ),
    (
        "what no wait preceded costs no patience",
        &[
            Wrote(10),
            After(50_000),
            Wrote(10),
            After(50_000),
            BlockedUntil(130_000),
        ],
    ),
    (
        "a wait that ended with the socket ready, and nothing to send, is over",
        &[
            BlockedUntil(30_000),
            After(1_000),
            Wrote(0),
            After(60_000),
            Wrote(10),
            BlockedUntil(90_000),
        ],
    ),
    (
        "nothing overflows",
        &[
            Wrote(u64::MAX),
            Wrote(u64::MAX),
            After(u64::MAX),
            BlockedUntil(u64::MAX),
        ],
    ),
];

#[test]
fn patience() {
    run(ROWS);
}

/// A client that takes so many octets each time, after waits of so many milliseconds: when it is cut, if it is.
fn cut(octets: u64, wait: u64) -> Option<u64> {
    let mut life = Life::new(Rules::default());
    for _ in 0..10_000 {
        let deadline = life.conn.write_deadline(life.now, &life.rules);
        life.now.0 += wait;
        if life.conn.expire(life.now, true, deadline) != Expiry::NotYet {
            return Some(deadline.0);
        }
        life.conn.wrote(life.now, octets, &life.rules);
    }
    None
}

#[test]
fn the_total_is_bounded_by_what_was_moved() {
    // Octets, wait, when it is cut.
    let rows = [
        ("at the least rate: never", 2_560, 10_000, None),
        (
            "one octet a second: as if it took none",
            1,
            1_000,
            Some(30_000),
        ),
        (
            "half the least rate: no more than twice as long",
            1_280,
            10_000,
            Some(50_000),
        ),
        (
            "much, but after too long a wait",
            1 << 20,
            30_000,
            Some(30_000),
        ),
        ("much, in time", 1 << 20, 29_999, None),
    ];
    for (name, octets, wait, expected) in rows {
        assert_eq!(cut(octets, wait), expected, "{name}");
    }
}

#[test]
fn a_moment_never_wraps() {
    assert_eq!(Moment(5).since(Moment(9)).as_millis(), 0);
    assert_eq!(Moment::NEVER.after(std::time::Duration::MAX), Moment::NEVER);
}
