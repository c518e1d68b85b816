//! Answers that their socket takes in parts, each of which is chosen.

use crate::simulated::{Scene, Wire};
use crate::support::client::get;
use crate::support::recorder::Event;
use crate::support::simulated::Act;
use doorstep::{CloseReason, Request, Response, Status};
use std::io::{self, Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A client comes and asks; its socket takes so many bytes of the answer.
fn asks(scene: &Scene, room: usize) -> Wire {
    let wire = scene.wire();
    wire.room(room);
    wire.sends(get("/"));
    scene.admits(&wire);
    wire
}

fn answered(scene: &Scene) -> usize {
    let is_request = |event: &&Event| matches!(event, Event::Request { .. });
    scene.recorder.events().iter().filter(is_request).count()
}

/// A reader's end may come before the socket has taken its last bytes.
#[test]
fn each_streamed_answer_is_told_of_when_it_is_out() {
    let scene = Scene::new(|_: &mut Request<'_>| {
        Response::new(Status::OK).stream(Some(100), io::repeat(b'x').take(100))
    });
    let wire = asks(&scene, 150);
    for number in 1..=3 {
        assert_eq!(
            answered(&scene),
            number - 1,
            "a part of answer {number} is held back"
        );
        wire.room(100_000);
        assert!(scene.turn());
        assert_eq!(answered(&scene), number);
        wire.room(150);
        wire.sends(get("/"));
        assert!(scene.turn());
    }
}

/// A socket is reported writable when a third of its buffer is free (tcp(7)), which may be more
/// than a reader who keeps far above the least rate takes in the time of one wait.
#[test]
fn a_steady_reader_is_not_cut_because_its_socket_is_not_reported() {
    static CONTENT: [u8; 1 << 20] = [b'x'; 1 << 20];
    let scene = Scene::new(|_: &mut Request<'_>| &CONTENT[..]);
    let wire = asks(&scene, 100_000);
    for round in 1..=5 {
        wire.does(Act::Takes(100_000));
        scene.at(scene.ms() + 31_000);
        let taken: usize = wire.link(|link| link.writes.clone()).iter().sum();
        assert_eq!(taken, 100_000 * (round + 1), "round {round}");
        assert_eq!(scene.reason(&wire), None, "round {round}");
    }
    // One who takes nothing is.
    scene.at(scene.ms() + 31_000);
    assert_eq!(scene.reason(&wire), Some(CloseReason::WriteTimeout));
}

#[test]
fn a_detached_answer_that_gets_no_thread_ends_its_connection() {
    let scene = Scene::new(|_: &mut Request<'_>| Response::new(Status::OK).detached(|_| Ok(())));
    for _ in 1..=3 {
        scene.system.state().policy.script().thread = true;
        let wire = asks(&scene, 10_000);
        assert_eq!(scene.reason(&wire), Some(CloseReason::Overload));
        assert_eq!(scene.shared.slots.occupied(), 0);
    }
    let why = "cannot start a thread for a detached answer: ";
    let said = |event: &Event| matches!(event, Event::Overload(this) if this.starts_with(why));
    assert!(scene.recorder.events().iter().any(said));
}

/// Until the head has gone out, a slow client holds up no thread, neither a worker nor one of its
/// own.
#[test]
fn a_writer_waits_for_its_head() {
    for is_detached in [false, true] {
        let runs = Arc::new(AtomicUsize::new(0));
        let count = runs.clone();
        let scene = Scene::new(move |_: &mut Request<'_>| {
            let count = count.clone();
            let write = move |out: &mut doorstep::Writer<'_>| {
                count.fetch_add(1, Ordering::SeqCst);
                out.write_all(&[b'x'; 100])
            };
            match is_detached {
                false => Response::new(Status::OK).writer(write),
                true => Response::new(Status::OK).detached(write),
            }
        });
        let wire = asks(&scene, 50);
        assert_eq!(runs.load(Ordering::SeqCst), 0);
        // A look at the deadline lets none run either: the housekeeper has no time for that.
        wire.room(60);
        scene.at(31_000);
        assert_eq!(runs.load(Ordering::SeqCst), 0);
        wire.room(200);
        assert!(scene.turn());
        assert_eq!(scene.system.run_thread(), is_detached);
        assert_eq!(runs.load(Ordering::SeqCst), 1);
        if is_detached {
            assert_eq!(answered(&scene), 0, "the worker sends what is left");
            assert!(scene.turn());
        }
        assert_eq!(answered(&scene), 1);
    }
}
