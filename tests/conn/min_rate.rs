//! How long a client may take to read: each wait is bounded, and all of them together by what was
//! moved.

use super::life::{Action::*, Expiry, GET, Life, OK, Row, run};
use doorstep::CloseReason;
use doorstep::internals::conn::{Config, Moment};
use proptest::collection::vec;
use proptest::prelude::*;
use std::time::Duration;

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
        "hyper#2457: a byte every 29 seconds earns no second one",
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
        "255 bytes earn nothing, 256 a second",
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
        "each answer has its own: neither what the one before waited counts nor what it moved",
        &[
            Comes(GET),
            Answers(OK),
            BlockedUntil(30_000),
            After(20_000),
            Wrote(255),
            Comes(GET),
            Answers(OK),
            BlockedUntil(50_000),
            After(20_000),
            Wrote(1),
            BlockedUntil(50_000),
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

/// A client that takes so many bytes each time, after waits of so many milliseconds: when it is
/// cut, if it is.
fn cut(octets: u64, wait: u64) -> Option<u64> {
    let mut life = Life::new(Config::default());
    for _ in 0..10_000 {
        let deadline = life.conn.write_deadline(life.now, &life.config);
        life.now.0 += wait;
        if life.now >= deadline {
            return Some(deadline.0);
        }
        life.conn.wrote(life.now, octets, &life.config);
    }
    None
}

#[test]
fn the_total_is_bounded_by_what_was_moved() {
    // Bytes, wait, when it is cut.
    let rows = [
        ("at the least rate: never", 2_560, 10_000, None),
        (
            "one byte a second: as if it took none",
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

const DAY: u64 = 24 * 60 * 60 * 1_000;

/// What was earned, less what was waited, is counted up to 24 days and some hours, and stays there.
#[test]
fn the_account_is_bounded() {
    // As long as a connection that waits for so many milliseconds each time, and moves nothing, is
    // kept.
    let kept = |life: &mut Life, wait: u64| {
        let begun = life.now.0;
        loop {
            let deadline = life.conn.write_deadline(life.now, &life.config);
            life.now.0 += wait;
            if life.now >= deadline {
                return deadline.0 - begun;
            }
            life.conn.wrote(life.now, 0, &life.config);
        }
    };
    let most = i32::MAX as u64;
    for (name, seconds, expected) in [
        ("below", most / 1_000, most / 1_000 * 1_000 + 30_000),
        ("above", most / 1_000 + 1, most + 30_000),
        ("far above", 1 << 50, most + 30_000),
    ] {
        let mut life = Life::new(Config::default());
        life.conn.wrote(life.now, 256 * seconds, &life.config);
        assert_eq!(kept(&mut life, 29_000), expected, "{name}");
    }
    // Who allows a single wait of 30 days gets it; more than 24 days of debt are 24.
    let mut life = Life::new(Config::default());
    life.config.timeouts.write = Duration::from_millis(30 * DAY);
    let deadline = life.conn.write_deadline(life.now, &life.config);
    assert_eq!(deadline, Moment(30 * DAY));
    for _ in 0..2 {
        life.now.0 += 29 * DAY;
        life.conn.wrote(life.now, 1, &life.config);
        let deadline = life.conn.write_deadline(life.now, &life.config);
        let debt = 30 * DAY - (deadline.0 - life.now.0);
        assert!((most..=most + 1).contains(&debt), "{debt}");
    }
    // No wait is ever too long for who allows any.
    life.config.timeouts.write = Duration::MAX;
    life.conn.wrote(life.now, 1, &life.config);
    let deadline = life.conn.write_deadline(life.now, &life.config);
    assert!(deadline.0 > u64::MAX / 2);
}

/// The same, kept as plainly as can be: what was waited in all, and what was moved in all.
#[derive(Default)]
struct Naive {
    waited: Duration,
    octets: u64,
    since: Option<Moment>,
}

impl Naive {
    fn wait(&mut self, now: Moment, idle: Duration, min_rate: u32) -> Moment {
        let since = *self.since.get_or_insert(now);
        let earned = Duration::from_secs(self.octets / u64::from(min_rate.max(1)));
        since.after(idle.min((idle + earned).saturating_sub(self.waited)))
    }

    fn progress(&mut self, now: Moment, octets: u64) {
        if let Some(since) = self.since.take() {
            self.waited += now.since(since);
        }
        self.octets += octets;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_difference_is_as_good_as_two_sums(
        idle in 0_u64..100_000_000,
        min_rate in prop_oneof![0_u32..4, 200_u32..300, any::<u32>()],
        steps in vec((0_u64..60_000, prop_oneof![Just(0_u64), 1_u64..50_000], any::<bool>()), 1..40),
    ) {
        let mut config = Config::default();
        config.timeouts.write = Duration::from_micros(idle);
        config.timeouts.min_rate = min_rate;
        let (mut life, mut naive) = (Life::new(config.clone()), Naive::default());
        for (pause, octets, waits) in steps {
            if waits {
                let expected = naive.wait(life.now, config.timeouts.write, min_rate);
                prop_assert_eq!(life.conn.write_deadline(life.now, &config), expected);
            }
            life.now.0 += pause;
            life.conn.wrote(life.now, octets, &config);
            naive.progress(life.now, octets);
        }
    }
}

#[test]
fn a_moment_never_wraps() {
    assert_eq!(Moment(5).since(Moment(9)).as_millis(), 0);
    assert_eq!(Moment::NEVER.after(Duration::MAX), Moment::NEVER);
}
