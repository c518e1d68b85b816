//! The end of a server: what it finishes, what it cuts, what it leaves after.

use crate::harness::{
    AtTheEnd, Gate, PAGE, Stage, alone, await_arrival, on_each_backend, own, page,
};
use crate::simulated::{Scene, Wire};
use crate::support::client::{Broken, Client, get};
use crate::support::recorder::{Event, Recorder};
use crate::support::simulated::Act;
use crate::support::skipped;
use crate::support::{eventually, in_time};
use doorstep::internals::server::{IN_USE_FOR, REQUEST_WITHIN};
use doorstep::{
    CloseReason, Handler, Request, Response, Server, ServerHandle, ShutdownReport, Status,
};
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// A grace that no test lasts: what ends long before it was not waited for.
const LONG: Duration = Duration::from_secs(600);
/// A grace that is over soon.
const SHORT: Duration = Duration::from_millis(200);

/// Waits for a server's end.
#[track_caller]
fn end_of(server: ServerHandle) -> ShutdownReport {
    in_time(|| server.join()).expect("a good end")
}

/// Waits at the gate where the path says so.
fn gated(gate: &Gate) -> impl Handler + use<> {
    let gate = gate.clone();
    move |request: &mut Request<'_>| {
        if request.path() == "/wait" {
            gate.pass();
        }
        PAGE
    }
}

/// Whether nobody listens there any more.
fn is_deserted(address: SocketAddr) -> bool {
    let refused = |error: io::Error| error.kind() == io::ErrorKind::ConnectionRefused;
    Client::try_connect(address).err().is_some_and(refused)
}

#[test]
fn idle_connections_are_not_given_the_grace() {
    on_each_backend(|stage| {
        let recorder = Recorder::default();
        let server = stage
            .server()
            .observer(recorder.clone())
            .spawn(page)
            .unwrap();
        let mut clients: Vec<_> = (0..20).map(|_| Client::connect(server.addr())).collect();
        // Some have asked something, the others have never said a word.
        for client in &mut clients[..10] {
            assert_eq!(client.ask("/").text(), PAGE);
        }
        recorder.hears("20 accepts", |events| {
            let accepts = events
                .iter()
                .filter(|event| matches!(event, Event::Accepted(_)));
            accepts.count() == 20
        });
        server.shutdown_handle().begin(LONG);
        assert_eq!(end_of(server).aborted, 0);
        clients.iter_mut().for_each(Client::ends);
        assert_eq!(recorder.reasons(), [CloseReason::Shutdown; 20]);
    });
}

const NEW: u64 = REQUEST_WITHIN.as_millis() as u64;
const IN_USE: u64 = IN_USE_FOR.as_millis() as u64;

/// A client that has sent nothing is accepted.
fn comes(scene: &Scene) -> Wire {
    let wire = scene.wire();
    scene.system.state().knock(wire.index);
    assert!(scene.reports(None));
    wire
}

/// Its client may have sent a request before it could know of the stop.
#[test]
fn a_new_connection_has_half_a_second_for_its_first_request() {
    // When the stop begins after the accept, and when the new one is closed.
    for (begins, ends) in [(1, NEW), (NEW - 1, NEW), (NEW, NEW), (10 * NEW, 10 * NEW)] {
        let scene = Scene::new(page);
        let served = comes(&scene);
        scene.set(10_000 - IN_USE);
        served.sends(get("/"));
        assert!(scene.reports(Some(&served)));
        scene.set(10_000);
        let silent = comes(&scene);
        // Taken from the listener's queue by the stop: new from then on.
        let queued = scene.wire();
        scene.system.state().knock(queued.index);
        scene.set(10_000 + begins);
        scene.stops();
        let shutdown = Some(CloseReason::Shutdown);
        for (ms, closed) in [
            (begins, ends == begins),
            (ends - 1, ends <= begins),
            (ends, true),
        ] {
            if ms < begins {
                continue;
            }
            // An event that comes to nothing does not close it sooner.
            if !closed {
                assert!(scene.reports(Some(&silent)));
            }
            assert_eq!(scene.stopped(10_000 + ms), None);
            assert_eq!(scene.reason(&served), shutdown);
            assert_eq!(scene.reason(&silent).is_some(), closed, "{begins}: {ms}");
        }
        assert_eq!(scene.reason(&silent), shutdown);
        assert_eq!(scene.stopped(10_000 + begins + NEW - 1), None);
        assert_eq!(scene.reason(&queued), None);
        assert_eq!(scene.stopped(10_000 + begins + NEW), Some(0));
        assert_eq!(scene.reason(&queued), shutdown);
    }
}

/// A proxy may have sent the next request on a connection that it keeps.
#[test]
fn the_next_request_of_a_connection_in_use_is_waited_for_half_a_second() {
    // How long before the stop the last response went out, and when the connection is closed.
    let rows = [
        (0, NEW),
        (1, NEW),
        (IN_USE - 1, NEW),
        (IN_USE, 0),
        (10 * IN_USE, 0),
    ];
    for (age, ends) in rows {
        let scene = Scene::new(page);
        let wire = comes(&scene);
        scene.set(5_000);
        wire.sends(get("/"));
        assert!(scene.reports(Some(&wire)));
        let begins = 5_000 + age;
        // A look that finds nothing, as after an event for another use of the descriptor.
        scene.set(begins);
        assert!(scene.reports(Some(&wire)));
        scene.stops();
        for ms in [0, ends.saturating_sub(1), ends] {
            let is_over = (ms == ends).then_some(0);
            assert_eq!(scene.stopped(begins + ms), is_over, "{age}: {ms}");
            let closed = is_over.and(Some(CloseReason::Shutdown));
            assert_eq!(scene.reason(&wire), closed, "{age}: {ms}");
            if closed.is_some() {
                break;
            }
            assert!(scene.reports(Some(&wire)));
        }
    }
}

/// It is answered when it comes in that time, and whenever it comes before the socket is closed.
#[test]
fn the_next_request_of_a_connection_in_use_is_the_last() {
    for (age, comes_at) in [(0, 0), (0, NEW - 1), (0, NEW), (IN_USE, 0)] {
        let scene = Scene::new(page);
        let wire = comes(&scene);
        wire.sends(get("/"));
        assert_eq!(scene.runs(), 1);
        assert!(!wire.got().contains("Connection: close"));
        scene.set(age);
        scene.stops();
        if comes_at > 0 {
            assert_eq!(scene.stopped(age + comes_at - 1), None);
        }
        // No worker has had the time to read it as the housekeeper looks at the connection.
        wire.sends(get("/"));
        assert_eq!(scene.stopped(age + comes_at), None);
        assert!(scene.runs() > 0);
        let answer = wire.got();
        assert!(answer.contains("\r\nConnection: close\r\n"), "{answer}");
        assert!(answer.ends_with(PAGE));
        wire.does(Act::Finishes);
        scene.runs();
        assert_eq!(scene.stopped(age + comes_at + 1), Some(0));
    }
}

#[test]
fn a_connection_in_use_is_served_once_more() {
    on_each_backend(|stage| {
        // On a busy machine the time may be over before the client has sent its request: then the
        // round proves nothing.
        let is_served = (0..5).any(|_| {
            let server = stage.server().spawn(page).unwrap();
            let mut client = Client::connect(server.addr());
            assert_eq!(client.ask("/").text(), PAGE);
            server.shutdown_handle().begin(LONG);
            assert!(eventually(|| is_deserted(server.addr())));
            let sent = client.try_send(get("/"));
            let answer = sent.ok().and_then(|()| client.try_answer().ok());
            drop(client);
            assert_eq!(end_of(server).aborted, 0);
            answer.is_some_and(|answer| answer.text() == PAGE && answer.closes)
        });
        assert!(is_served);
    });
}

/// The end of the grace does not wait for the next request.
#[test]
fn the_grace_ends_the_wait_for_a_next_request() {
    let scene = Scene::new(page);
    let wire = comes(&scene);
    wire.sends(get("/"));
    assert_eq!(scene.runs(), 1);
    scene.stops();
    assert_eq!(scene.stopped(NEW - 1), None);
    assert_eq!(scene.stopped_in(0), Some(0));
    assert_eq!(scene.reason(&wire), Some(CloseReason::Shutdown));
}

/// A first request that comes within that time is answered.
#[test]
fn a_first_request_during_a_stop_is_answered() {
    let scene = Scene::new(page);
    let (new, half) = (scene.accepts(), scene.accepts());
    scene.stops();
    assert_eq!(scene.stopped(NEW - 1), None);
    new.sends(get("/"));
    half.sends("GET / HT");
    assert_eq!(scene.runs(), 2);
    let answer = new.got();
    assert!(answer.contains("\r\nConnection: close\r\n"), "{answer}");
    assert!(answer.ends_with(PAGE));
    assert_eq!(scene.stopped(10 * NEW), None);
    assert_eq!(scene.reason(&half), None, "it has begun");
    half.sends("TP/1.1\r\nHost: a\r\n\r\n");
    scene.runs();
    assert!(half.got().ends_with(PAGE));
}

/// No connection that was accepted ends without an answer, however often a server is restarted
/// under clients that make one for each request.
#[test]
fn no_first_request_is_lost_in_a_stop() {
    const RESTARTS: usize = 5;
    on_each_backend(|stage| {
        let (recorder, is_over) = (Recorder::default(), AtomicBool::new(false));
        let start = || {
            let server = stage.server().observer(recorder.clone());
            server.spawn(page).unwrap()
        };
        let mut server = start();
        let address = Mutex::new(server.addr());
        let answered = AtomicUsize::new(0);
        let ask = || {
            while !is_over.load(Ordering::SeqCst) {
                let address = *address.lock().unwrap();
                let Ok(mut client) = Client::try_connect(address) else {
                    continue;
                };
                let peer = client.address();
                let sent = client.try_send(get("/"));
                let answer = sent
                    .map_err(|_| ())
                    .and_then(|()| client.try_answer().map_err(|_| ()));
                match answer {
                    Ok(answer) => {
                        assert_eq!(answer.text(), PAGE);
                        answered.fetch_add(1, Ordering::SeqCst);
                    }
                    // Never accepted: the kernel resets what is left in the queue.
                    Err(()) => {
                        let heard = recorder.events();
                        assert!(!heard.contains(&Event::Accepted(Some(peer))), "{peer}");
                    }
                }
            }
        };
        thread::scope(|scope| {
            let _end = AtTheEnd(|| is_over.store(true, Ordering::SeqCst));
            (0..6).for_each(|_| drop(scope.spawn(ask)));
            for _ in 0..RESTARTS {
                let before = answered.load(Ordering::SeqCst);
                assert!(eventually(|| answered.load(Ordering::SeqCst) > before + 20));
                server.shutdown_handle().begin(LONG);
                let next = start();
                *address.lock().unwrap() = next.addr();
                assert_eq!(end_of(std::mem::replace(&mut server, next)).aborted, 0);
            }
        });
        drop(server);
    });
}

#[test]
fn what_runs_is_finished_and_the_last_answer_says_so() {
    on_each_backend(|stage| {
        let gate = Gate::default();
        let server = stage.server().workers(2).spawn(gated(&gate)).unwrap();
        let address = server.addr();
        let mut running = Client::connect(address);
        running.send(get("/wait"));
        gate.holds(1);
        // In the middle of a head, and of content: they were begun, so they may finish.
        let mut head = Client::connect(address);
        let mut content = Client::connect(address);
        assert_eq!(head.ask("/").text(), PAGE);
        assert_eq!(content.ask("/").text(), PAGE);
        head.send("GET / HTTP/1.1\r\nHost: local");
        content.send("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n\r\nab");
        // The free worker has seen what was sent before.
        let mut ticker = Client::connect(address);
        (0..3).for_each(|_| assert_eq!(ticker.ask("/tick").status, 200));
        server.shutdown_handle().begin(LONG);
        assert!(eventually(|| is_deserted(address)));
        head.send("host\r\n\r\n");
        content.send("cd");
        gate.open();
        for client in [&mut running, &mut head, &mut content] {
            let answer = client.answer();
            assert_eq!((answer.text(), answer.closes), (PAGE, true));
            client.ends();
        }
        drop((running, head, content, ticker));
        assert_eq!(end_of(server).aborted, 0);
    });
}

#[test]
fn queued_connections_are_served() {
    on_each_backend(|stage| {
        let gate = Gate::default();
        let server = stage.server().workers(1).spawn(gated(&gate)).unwrap();
        let address = server.addr();
        let mut running = Client::connect(address);
        running.send(get("/wait"));
        gate.holds(1);
        // The only worker is busy, so these wait in the listener's queue.
        let mut queued: Vec<_> = (0..20).map(|_| Client::connect(address)).collect();
        queued.iter_mut().for_each(|client| client.send(get("/")));
        await_arrival(address, &queued.iter().collect::<Vec<_>>());
        server.shutdown_handle().begin(LONG);
        assert!(eventually(|| is_deserted(address)));
        gate.open();
        for mut client in queued.into_iter().chain([running]) {
            let answer = client.answer();
            assert_eq!((answer.text(), answer.closes), (PAGE, true));
            client.ends();
        }
        assert_eq!(end_of(server).aborted, 0);
    });
}

#[test]
fn a_second_stop_only_shortens_the_first() {
    on_each_backend(|stage| {
        let gate = Gate::default();
        let server = stage.server().spawn(gated(&gate)).unwrap();
        let mut running = Client::connect(server.addr());
        running.send(get("/wait"));
        gate.holds(1);
        let shutdown = server.shutdown_handle();
        shutdown.begin(LONG);
        shutdown.begin(SHORT);
        shutdown.begin(LONG);
        assert_eq!(end_of(server).aborted, 1);
        gate.open();
        // Stopped already: nothing is left to stop.
        shutdown.begin(SHORT);
    });
}

#[test]
fn the_grace_cuts_what_is_left_and_counts_it() {
    on_each_backend(|stage| {
        let gate = Gate::default();
        let recorder = Recorder::default();
        let inside = gate.clone();
        let handler = move |request: &mut Request<'_>| match request.path() {
            "/wait" => {
                inside.pass();
                Response::text(PAGE)
            }
            _ => Response::new(Status::OK).stream(None, io::repeat(b'e')),
        };
        let server = stage.server().workers(2).observer(recorder.clone());
        let server = server.spawn(handler).unwrap();
        // One is with a handler, one reads nothing, one is in the middle of a head.
        let mut stuck = Client::connect(server.addr());
        stuck.send(get("/wait"));
        gate.holds(1);
        let mut deaf = Client::connect(server.addr());
        deaf.send(get("/endless"));
        assert_eq!(deaf.head().status, 200);
        let mut begun = Client::connect(server.addr());
        begun.send("GET / HT");
        recorder.hears("3 accepts", |events| {
            let accepts = events
                .iter()
                .filter(|event| matches!(event, Event::Accepted(_)));
            accepts.count() == 3
        });
        server.shutdown_handle().begin(SHORT);
        // The end does not wait for a handler that does not return.
        assert_eq!(end_of(server).aborted, 3);
        begun.is_gone();
        assert_eq!(recorder.reasons(), [CloseReason::Shutdown; 2]);
        // What it returns after all still goes out.
        gate.open();
        let answer = stuck.answer();
        assert_eq!((answer.text(), answer.closes), (PAGE, true));
        stuck.ends();
    });
}

#[test]
fn a_handler_that_does_not_return_cannot_hold_up_the_end() {
    on_each_backend(|stage| {
        let (gate, heard) = (Gate::default(), Recorder::default());
        let server = stage.server().workers(1).observer(heard.clone());
        let server = server.spawn(gated(&gate)).unwrap();
        let address = server.addr();
        let mut idle = Client::connect(address);
        assert_eq!(idle.ask("/").text(), PAGE);
        let mut stuck: Vec<_> = (0..3).map(|_| Client::connect(address)).collect();
        // One with the only worker, two in the listener's queue, and one on a connection that was
        // idle.
        stuck[0].send(get("/wait"));
        gate.holds(1);
        stuck[1..]
            .iter_mut()
            .for_each(|client| client.send(get("/wait")));
        idle.send(get("/wait"));
        await_arrival(address, &[&stuck[1], &stuck[2], &idle]);
        server.shutdown_handle().begin(SHORT);
        let ended = end_of(server);
        assert_eq!(ended.aborted, 4);
        gate.open();
        // The one with the handler ends with it, and its end is told of as well.
        heard.hears_ends(4);
        assert_eq!(heard.reasons(), [CloseReason::Shutdown; 4]);
    });
}

#[test]
fn no_thread_is_started_after_the_end() {
    on_each_backend(|stage| {
        let (gate, heard) = (Gate::default(), Recorder::default());
        let (inside, has_run) = (gate.clone(), Arc::new(AtomicBool::new(false)));
        let runs = has_run.clone();
        let server = stage.server().workers(1).observer(heard.clone());
        let handler = move |_: &mut Request<'_>| {
            inside.pass();
            let runs = runs.clone();
            Response::new(Status::OK).detached(move |_| {
                runs.store(true, Ordering::SeqCst);
                Ok(())
            })
        };
        let server = server.spawn(handler).unwrap();
        let mut client = Client::connect(server.addr());
        client.send(get("/"));
        gate.holds(1);
        server.shutdown_handle().begin(Duration::ZERO);
        assert_eq!(end_of(server).aborted, 1);
        gate.open();
        heard.hears_closed(CloseReason::Shutdown);
        assert!(!has_run.load(Ordering::SeqCst));
    });
}

#[test]
fn the_port_is_free_at_once() {
    on_each_backend(|stage| {
        // Between the end and the next start another process may be given the port: then the round
        // proves nothing.
        let rebound = (0..3).any(|_| {
            let server = stage.server().spawn(page).unwrap();
            let address = server.addr();
            let mut clients: Vec<_> = (0..10).map(|_| Client::connect(address)).collect();
            clients.iter_mut().for_each(|client| drop(client.ask("/")));
            server.shutdown(SHORT).unwrap();
            match Server::bind(address) {
                Ok(again) => {
                    let again = again.backend(stage.backend).spawn(page).unwrap();
                    assert_eq!(Client::connect(address).ask("/").text(), PAGE);
                    drop(again);
                    true
                }
                Err(_) => false,
            }
        });
        assert!(rebound, "the port is still in use");
    });
}

#[test]
fn threads_are_gone_after_the_end() {
    const NAME: &str = "shutdown::threads_are_gone_after_the_end";
    alone(NAME, None, || {
        let (Some(before), Some(open)) = (own("task"), own("fd")) else {
            return skipped(NAME, "this system does not list a process's threads");
        };
        on_each_backend(|stage| {
            for _ in 0..10 {
                let server = stage.server().workers(16).spawn(page).unwrap();
                assert_eq!(Client::connect(server.addr()).ask("/").text(), PAGE);
                assert!(
                    eventually(|| own("task") == Some(before + 17)),
                    "{:?}",
                    own("task")
                );
                server.shutdown(LONG).unwrap();
                // No thread holds on to a part of the server.
                assert_eq!(own("fd"), Some(open));
                // rouille#190. The last of a thread goes by itself.
                assert!(
                    eventually(|| own("task") == Some(before)),
                    "{:?}",
                    own("task")
                );
            }
        });
    });
}

#[test]
fn dropping_a_running_server_stops_it() {
    on_each_backend(|stage| {
        let server = stage.server().spawn(page).unwrap();
        let address = server.addr();
        let mut client = Client::connect(address);
        assert_eq!(client.ask("/").text(), PAGE);
        drop(server);
        client.ends();
        assert!(is_deserted(address));
    });
}

#[test]
fn a_blocking_server_is_stopped_from_another_thread() {
    on_each_backend(|stage| {
        let server = stage.server();
        let address = server.local_addr().unwrap();
        let shutdown = server.shutdown_handle();
        let serving = thread::spawn(move || server.serve(|_| PAGE));
        assert_eq!(Client::connect(address).ask("/").text(), PAGE);
        shutdown.begin(LONG);
        in_time(|| serving.join()).unwrap().unwrap();
        // Asked before it begins, it ends as it begins.
        let server = stage.server();
        server.shutdown_handle().begin(LONG);
        in_time(|| server.run(page)).unwrap();
    });
}

/// How many requests of a client under load ended how.
#[derive(Default)]
struct Tally {
    answered: AtomicUsize,
    lost_before: AtomicUsize,
    cut: AtomicUsize,
    not_begun: AtomicUsize,
}

/// Asks over and over, on connections that live for a few requests, until the server is gone.
fn load(address: SocketAddr, [is_over, is_failed]: [&AtomicBool; 2], tally: &Tally) {
    let count = |counter: &AtomicUsize| counter.fetch_add(1, Ordering::SeqCst);
    while let Ok(mut client) = Client::try_connect(address) {
        if is_failed.load(Ordering::SeqCst) {
            return;
        }
        for number in 0..10 {
            let path = format!("/{number}");
            let is_written = client.try_send(get(&path)).is_ok();
            // Read after the write: if it is false, the whole request was written before the
            // signal.
            let before = is_written && !is_over.load(Ordering::SeqCst);
            match client.try_answer() {
                Ok(answer) => {
                    assert_eq!(answer.text(), path);
                    count(&tally.answered);
                    if answer.closes {
                        break;
                    }
                }
                Err(Broken::Closed | Broken::Reset) if !before => {
                    count(&tally.not_begun);
                    break;
                }
                Err(Broken::Closed | Broken::Reset) => {
                    count(&tally.lost_before);
                    break;
                }
                Err(Broken::Cut | Broken::TimedOut) => {
                    count(&tally.cut);
                    break;
                }
            }
        }
    }
}

/// Every request whose head was written before the signal is answered; one that was written after
/// it is answered as a whole or not at all.
#[test]
fn no_request_begun_before_the_signal_is_lost() {
    on_each_backend(|stage| {
        for _ in 0..5 {
            stop_under_load(stage);
        }
    });
}

fn stop_under_load(stage: Stage) {
    let echo = |request: &mut Request<'_>| request.path().to_string();
    let server = stage.server().workers(2).spawn(echo).unwrap();
    let address = server.addr();
    let (is_over, tally) = (AtomicBool::new(false), Tally::default());
    let is_failed = AtomicBool::new(false);
    thread::scope(|scope| {
        let _end = AtTheEnd(|| is_failed.store(thread::panicking(), Ordering::SeqCst));
        for _ in 0..8 {
            scope.spawn(|| load(address, [&is_over, &is_failed], &tally));
        }
        assert!(eventually(|| tally.answered.load(Ordering::SeqCst) > 200));
        is_over.store(true, Ordering::SeqCst);
        // What a client has written is with the server's socket a little later: that is the
        // network's time, not the server's.
        thread::sleep(Duration::from_millis(100));
        server.shutdown_handle().begin(LONG);
        let ended = end_of(server);
        assert_eq!(ended.aborted, 0);
    });
    let lost = tally.lost_before.load(Ordering::SeqCst);
    let cut = tally.cut.load(Ordering::SeqCst);
    assert_eq!(
        (lost, cut),
        (0, 0),
        "{} answered",
        tally.answered.load(Ordering::SeqCst)
    );
}

#[test]
fn a_drain_serves_on_with_last_answers() {
    on_each_backend(|stage| {
        let server = stage.server().spawn(page).unwrap();
        let stop = server.shutdown_handle();
        let mut idle = Client::connect(server.addr());
        assert!(!idle.ask("/").closes);
        assert!(!stop.is_begun());
        stop.drain(6 * LONG, LONG);
        assert!(stop.is_begun());
        // It takes the housekeeper a moment to hear of it.
        assert!(eventually(|| {
            let mut fresh = Client::connect(server.addr());
            fresh.ask("/").closes
        }));
        // One that was open before gets its answer as well, and is told.
        let last = idle.ask("/");
        assert_eq!((last.text(), last.closes), (PAGE, true));
        idle.ends();
        // Neither a later nor a longer one puts it off, and a stop does not wait for it.
        stop.drain(12 * LONG, LONG);
        let mut silent = Client::connect(server.addr());
        stop.begin(LONG);
        assert_eq!(end_of(server).aborted, 0);
        silent.is_gone();
    });
}

#[test]
fn a_drain_ends_by_itself() {
    on_each_backend(|stage| {
        let server = stage.server().spawn(page).unwrap();
        let mut idle = Client::connect(server.addr());
        assert_eq!(idle.ask("/").text(), PAGE);
        let stop = server.shutdown_handle();
        stop.drain(6 * LONG, LONG);
        stop.drain(SHORT, LONG);
        assert_eq!(end_of(server).aborted, 0);
        idle.is_gone();
    });
}
