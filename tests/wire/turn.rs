//! One turn of a worker at a time, with a client that is always ready.

use crate::harness::PAGE;
use crate::simulated::{Scene, Wire};
use crate::support::client::get;
use crate::support::simulated::{Act, System, Timed};
use doorstep::internals::limits::REQUESTS_PER_TURN;
use doorstep::{CloseReason, IntoResponse, Reject, Request, Response, Status};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// A server that counts what it answers.
fn counting() -> (Scene, Arc<AtomicUsize>) {
    let answered = Arc::new(AtomicUsize::new(0));
    let counted = answered.clone();
    let scene = Scene::new(move |request: &mut Request<'_>| {
        counted.fetch_add(1, Ordering::SeqCst);
        match request.path() {
            "/big" => "x".repeat(16_000),
            _ => PAGE.to_string(),
        }
    });
    (scene, answered)
}

/// A client that has always sent more than is read: first this, then that over and over.
fn flood(scene: &Scene, start: &str, rest: &str) -> Wire {
    let wire = scene.wire();
    wire.sends(start);
    wire.does(Act::Floods(rest.into()));
    wire
}

#[test]
fn a_turn_on_endless_requests_ends_for_the_others_sake() {
    let (scene, answered) = counting();
    let wire = flood(&scene, "", &get("/"));
    scene.admits(&wire);
    for turns in 1..10 {
        assert_eq!(answered.load(Ordering::SeqCst), 64 * turns, "64 a turn");
        assert!(scene.turn());
    }
    assert_eq!(scene.reason(&wire), None);
}

#[test]
fn a_turn_on_an_endless_flood_after_the_last_answer_ends() {
    let (scene, answered) = counting();
    let wire = flood(&scene, "NOT HTTP\r\n\r\n", "x");
    scene.admits(&wire);
    assert!(scene.turn(), "it is dropped for a while");
    assert_eq!(scene.reason(&wire), None);
    // The sweep finds only connections that nobody owns; this one is hardly ever such. So its own
    // turns see the deadline.
    scene.set(10_000);
    assert!(scene.turn());
    let refused = CloseReason::Rejected(Reject::RequestLineForm);
    assert_eq!(scene.reason(&wire), Some(refused));
    assert!(!scene.turn());
    assert_eq!(answered.load(Ordering::SeqCst), 0);
}

#[test]
fn a_turn_on_content_that_nobody_reads_ends() {
    let (scene, answered) = counting();
    let head = "POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n";
    let wire = flood(&scene, head, "1\r\nx\r\n");
    scene.admits(&wire);
    assert_eq!(answered.load(Ordering::SeqCst), 1);
    scene.set(10_000);
    assert!(scene.turn());
    assert_eq!(scene.reason(&wire), Some(CloseReason::UnreadContent));
}

#[test]
fn the_time_to_read_the_last_answer_begins_when_it_is_sent() {
    let (scene, _) = counting();
    let wire = flood(&scene, "NOT HTTP\r\n\r\n", "x");
    wire.room(0);
    scene.admits(&wire);
    // It waits for the client to take it, which is another deadline.
    scene.set(10_000);
    wire.room(usize::MAX);
    assert!(scene.turn());
    assert_eq!(scene.reason(&wire), None);
    scene.set(13_000);
    assert!(scene.turn());
    assert!(scene.reason(&wire).is_some());
}

#[test]
fn answers_that_are_not_taken_hold_back_the_requests_after_them() {
    let (scene, answered) = counting();
    let wire = flood(&scene, "", &get("/big"));
    wire.room(0);
    scene.admits(&wire);
    // 64 KiB of output at most, and the answer that goes beyond.
    assert_eq!(answered.load(Ordering::SeqCst), 5);
    // An event that brings nothing changes nothing.
    assert!(scene.reports(Some(&wire)));
    assert_eq!(answered.load(Ordering::SeqCst), 5);
    wire.room(usize::MAX);
    assert!(scene.turn());
    assert!(answered.load(Ordering::SeqCst) > 5);
}

/// A server on whose clock the program takes this long for each request, here or as it writes the
/// body; at `/last`, its client has gone when it is done.
fn taking(time: Duration, writes: bool) -> (Scene, Arc<AtomicUsize>) {
    let answered = Arc::new(AtomicUsize::new(0));
    let (counted, place) = (answered.clone(), Arc::<OnceLock<System<Timed>>>::default());
    let known = place.clone();
    let scene = Scene::new(move |request: &mut Request<'_>| {
        counted.fetch_add(1, Ordering::SeqCst);
        let (system, peer) = (known.get().expect("a system").clone(), request.peer_addr());
        let (is_last, link) = (request.path() == "/last", peer.map(|peer| peer.port()));
        let passes = move || {
            let mut state = system.state();
            state.now += time;
            let link = usize::from(link.expect("a port"));
            state.links[link].reset |= is_last;
        };
        if writes {
            return Response::new(Status::OK).writer(move |_| {
                passes();
                Ok(())
            });
        }
        passes();
        PAGE.into_response()
    });
    assert!(place.set(scene.system.clone()).is_ok());
    (scene, answered)
}

/// Long work, each of which counts, and how many requests one turn serves then.
const LONG: [(u64, usize); 6] = [
    (250, 4),
    (333, 4),
    (334, 3),
    (999, 2),
    (1_000, 1),
    (50_000, 1),
];

#[test]
fn a_turn_ends_when_the_program_has_taken_a_millisecond() {
    let short = [0, 10, 249].map(|micros| (micros, REQUESTS_PER_TURN));
    for writes in [false, true] {
        for (micros, most) in short.into_iter().chain(LONG) {
            let (scene, answered) = taking(Duration::from_micros(micros), writes);
            let had = || answered.swap(0, Ordering::SeqCst);
            let (greedy, other) = (scene.wire(), scene.accepts());
            greedy.sends(get("/").repeat(3 * REQUESTS_PER_TURN));
            scene.admits(&greedy);
            assert_eq!(had(), most, "{micros} us, {writes}");
            for _ in 0..2 {
                // Whoever is ready meanwhile is next, or next but one.
                other.sends(get("/"));
                assert!(scene.turn() && scene.turn());
                assert!(!other.got().is_empty());
                assert_eq!(had(), most + 1, "{micros} us, {writes}");
            }
            scene.runs();
            assert_eq!(had(), 3 * REQUESTS_PER_TURN - 3 * most);
        }
    }
}

/// The last of a turn's requests is not held up, however long they took.
#[test]
fn a_long_turn_reads_on_when_there_is_nothing_left_to_serve() {
    let (scene, answered) = taking(Duration::from_millis(50), false);
    let wire = scene.accepts();
    wire.sends(get("/"));
    assert!(scene.turn());
    assert!(!scene.turn(), "it waits for its client");
    assert_eq!(
        (answered.load(Ordering::SeqCst), wire.got().contains(PAGE)),
        (1, true)
    );
}

#[test]
fn no_request_is_begun_after_long_work_for_a_client_that_has_gone() {
    for writes in [false, true] {
        for (micros, begun) in [(250, 1), (1_000, 1), (50_000, 1)] {
            let (scene, answered) = taking(Duration::from_micros(micros), writes);
            let wire = scene.wire();
            wire.sends([get("/last"), get("/").repeat(9)].concat());
            scene.admits(&wire);
            scene.runs();
            assert_eq!(
                answered.load(Ordering::SeqCst),
                begun,
                "{micros} us, {writes}"
            );
            assert_eq!(scene.reason(&wire), Some(CloseReason::Failed));
        }
    }
}

/// Asking costs a system call: only long work is worth one.
#[test]
fn nobody_asks_for_the_client_after_short_work() {
    for writes in [false, true] {
        for (micros, most) in [(0, 0), (249, 0), (250, 3), (334, 2), (1_000, 0)] {
            let (scene, _) = taking(Duration::from_micros(micros), writes);
            let wire = scene.wire();
            wire.sends(get("/").repeat(REQUESTS_PER_TURN));
            scene.admits(&wire);
            let looks = wire.link(|link| link.looks);
            assert_eq!(looks, most, "{micros} us, {writes}");
        }
    }
}
