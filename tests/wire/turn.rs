//! One turn of a worker at a time, with a client that is always ready.

use crate::harness::PAGE;
use crate::simulated::{Scene, Wire};
use crate::support::client::get;
use crate::support::simulated::Act;
use doorstep::{CloseReason, Reject, Request};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

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
