//! Runs with one client, each about one thing, with many seeds that split and delay it otherwise.

use super::clients::{Act, Client, get, one, stuck};
use super::run::run_clients;
use crate::support::bytes::pattern;
use doorstep::internals::limits::{PREFETCH_BYTES, REQUESTS_PER_TURN};
use doorstep::{CloseReason, Reject};
use std::time::Duration;

fn every_seed(client: impl Fn() -> Client) {
    // One seed in four has a clock that jumps at any time: not here.
    for seed in (0..40).map(|seed| seed * 4) {
        if let Err(why) = run_clients(seed, None, vec![client()]) {
            panic!("seed {seed}: {why}");
        }
    }
}

fn pause(seconds: u64) -> Act {
    Act::Pause(Duration::from_secs(seconds))
}

#[test]
fn a_flood_after_a_refusal_ends() {
    every_seed(|| {
        let script = vec![Act::Send(b"GET\r\n\r\n".to_vec()), Act::Flood];
        let end = CloseReason::Rejected(Reject::RequestLineForm);
        one(script, vec![], end)
    });
}

#[test]
fn a_slow_handler_takes_none_of_the_clients_time_to_read() {
    every_seed(|| {
        let script = vec![get("/slow/40"), Act::AwaitAnswers, Act::Close];
        one(script, vec![pattern(40_000)], CloseReason::PeerClosed)
    });
}

#[test]
fn a_slow_handler_takes_none_of_the_idle_time() {
    every_seed(|| {
        let script = vec![
            get("/slow/100"),
            Act::Await(1),
            pause(60),
            get("/bytes/5"),
            Act::AwaitAnswers,
            Act::Close,
        ];
        one(
            script,
            vec![pattern(40_000), pattern(5)],
            CloseReason::PeerClosed,
        )
    });
}

/// After its share of requests a connection waits for the socket to take bytes, of which there may
/// be none. Time that it then spends on content is not held against its reading.
#[test]
fn a_share_that_is_used_takes_none_of_the_clients_time_to_read() {
    every_seed(|| {
        let mut script = vec![Act::Read(false), stuck(REQUESTS_PER_TURN, PREFETCH_BYTES)];
        for _ in 0..4 {
            script.push(pause(14));
            script.push(Act::Send(vec![b'x'; PREFETCH_BYTES / 4]));
        }
        script.extend([pause(1), get("/shared/400000"), pause(25)]);
        script.extend([Act::Read(true), Act::AwaitAnswers, Act::Close]);
        let mut contents = vec![pattern(1); REQUESTS_PER_TURN];
        contents.extend([vec![], pattern(400_000)]);
        // The answers to the first requests fit; the last one does not.
        one(script, contents, CloseReason::PeerClosed).with_room(10_000)
    });
}
