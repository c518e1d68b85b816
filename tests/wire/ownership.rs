//! Who may touch a connection, with the real slots and workers: what happens between the steps is
//! chosen here. Every interleaving of the steps themselves is in `tests/model`.
//!
//! http.zig, its worker's notes: an event for a closed connection whose slot is another's by now;
//! an event for a connection that is owned; a sweep that closes what its worker is about to arm
//! again.

use crate::harness::{PAGE, page};
use crate::simulated::{Scene, Wire};
use crate::support::client::get;
use crate::support::server::{Housekeeper, Shared, Worker};
use crate::support::simulated::Act;
use doorstep::internals::sys::Token;
use doorstep::{CloseReason, Request};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What is to happen in the middle of something, once.
type Once = Arc<Mutex<Option<Box<dyn FnOnce() + Send>>>>;

fn happens(once: &Once) {
    let act = once.lock().unwrap().take();
    if let Some(act) = act {
        act();
    }
}

/// The token under which a connection is registered.
fn token(wire: &Wire) -> Token {
    let token = wire.system.state().token(wire.index);
    token.expect("a registered connection")
}

/// A worker has taken its event from the poller.
fn take_event(wire: &Wire) {
    let number = wire.link(|link| link.number).expect("it is open");
    let event = wire.system.state().disarm(number);
    assert!(event.is_some(), "it is not armed");
}

/// Another worker is told of this connection.
fn is_told_of(shared: &Arc<Shared>, wire: &Wire) {
    let token = token(wire);
    Worker::new(shared.clone()).turn(token);
}

#[test]
fn an_event_for_a_connection_that_is_gone_hits_no_stranger() {
    let scene = Scene::new(page);
    let mut stale = Vec::new();
    for _ in 0..100 {
        let gone = scene.accepts();
        stale.push(token(&gone));
        gone.does(Act::Finishes);
        assert_eq!(scene.runs(), 1);
        assert_eq!(scene.reason(&gone), Some(CloseReason::PeerClosed));
    }
    // They all had the same slot. Taken from the poller before their end, their events come only
    // now.
    let present = scene.accepts();
    let token = token(&present);
    let (reads, slot) = (present.link(|link| link.reads), token.0 as u32);
    for stale in stale {
        assert_eq!(stale.0 as u32, slot, "the slot is used again");
        assert_ne!(stale, token);
        Worker::new(scene.shared.clone()).turn(stale);
    }
    assert_eq!(
        present.link(|link| link.reads),
        reads,
        "nobody has touched it"
    );
    assert_eq!(scene.reason(&present), None);
    present.sends(get("/"));
    assert_eq!(scene.runs(), 1);
    assert!(present.got().ends_with(PAGE));
}

/// The sweep closes a connection while a worker holds its event, and the next client gets its slot.
#[test]
fn an_event_that_a_worker_holds_meanwhile_hits_no_stranger() {
    let scene = Scene::new(page);
    let gone = scene.accepts();
    let stale = token(&gone);
    take_event(&gone);
    scene.at(10_000);
    assert_eq!(scene.reason(&gone), Some(CloseReason::IdleTimeout));
    let present = scene.accepts();
    let reads = present.link(|link| link.reads);
    // Its own event has not been taken from the poller yet.
    present.sends(get("/"));
    Worker::new(scene.shared.clone()).turn(stale);
    assert_eq!(
        (present.link(|link| link.reads), gone.got().as_str()),
        (reads, "")
    );
    assert!(scene.turn());
    assert!(present.got().ends_with(PAGE));
}

/// The owner serves again what came while it was at work, although the event that told of it is
/// used up.
#[test]
fn an_event_that_comes_while_a_connection_is_owned_is_not_lost() {
    let meanwhile = Once::default();
    let inside = meanwhile.clone();
    let scene = Scene::new(move |_: &mut Request<'_>| {
        happens(&inside);
        PAGE
    });
    let wire = scene.accepts();
    let (told, shared) = (wire.clone(), scene.shared.clone());
    *meanwhile.lock().unwrap() = Some(Box::new(move || {
        told.sends(get("/"));
        let reads = told.link(|link| link.reads);
        is_told_of(&shared, &told);
        assert_eq!(
            told.link(|link| link.reads),
            reads,
            "two workers on one connection"
        );
    }));
    wire.sends(get("/"));
    assert!(scene.turn());
    // In that one turn.
    assert_eq!(wire.got().matches(PAGE).count(), 2);
}

/// Between the arming and the release an event may come: it is used up by the mark, and the owner
/// looks again.
#[test]
fn an_event_that_comes_between_arming_and_release_is_not_lost() {
    let scene = Scene::new(page);
    let wire = scene.accepts();
    let (told, shared) = (wire.clone(), scene.shared.clone());
    scene.system.state().when_armed = Some(Box::new(move || {
        told.sends(get("/"));
        take_event(&told);
        is_told_of(&shared, &told);
    }));
    wire.sends("GET / HT");
    assert!(scene.turn());
    wire.sends("TP/1.1\r\nHost: localhost\r\n\r\n");
    // Whatever was due has been served, and it is armed again.
    scene.runs();
    assert!(
        wire.got().contains("HTTP/1.1 400 "),
        "the bytes in their order"
    );
}

#[test]
fn a_sweep_does_not_take_what_its_worker_is_about_to_let_go_of() {
    let scene = Scene::new(page);
    let wire = scene.accepts();
    let (watched, system, shared) = (wire.clone(), scene.system.clone(), scene.shared.clone());
    scene.system.state().when_armed = Some(Box::new(move || {
        // Long over, by the deadline that the slot shows.
        system.state().set(Duration::from_secs(100));
        Housekeeper::new(shared.clone()).sweep();
        assert!(
            !watched.link(|link| link.dropped),
            "closed while it was owned"
        );
        assert_eq!(shared.slots.occupied(), 1);
    }));
    wire.sends(get("/"));
    assert!(scene.turn());
    assert!(wire.got().ends_with(PAGE));
    assert_eq!(scene.reason(&wire), None);
    // Let go of, it is anybody's.
    scene.at(200_000);
    assert_eq!(scene.reason(&wire), Some(CloseReason::IdleTimeout));
    assert_eq!(scene.runs(), 0);
}

/// The housekeeper owns what it looks at, too: an event that comes meanwhile has used up the
/// arming.
#[test]
fn an_event_that_comes_while_the_housekeeper_owns_a_connection_is_not_lost() {
    let big = "x".repeat(100_000);
    let scene = Scene::new(move |_: &mut Request<'_>| big.clone());
    let wire = scene.wire();
    wire.room(10);
    wire.sends(get("/"));
    scene.admits(&wire);
    let (told, shared) = (wire.clone(), scene.shared.clone());
    scene.system.state().when_armed = Some(Box::new(move || {
        told.does(Act::Takes(1_000));
        take_event(&told);
        is_told_of(&shared, &told);
    }));
    // It has taken a part of it since, so it lives on.
    wire.does(Act::Takes(50_000));
    scene.at(30_000);
    assert_eq!(scene.reason(&wire), None);
    wire.room(usize::MAX);
    assert!(scene.turn(), "it is armed");
    assert!(wire.got().len() > 100_000);
}
