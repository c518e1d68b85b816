//! What goes wrong around an accept: the server lives, leaves the listener alone when that helps,
//! and recovers.

use crate::engine::{Engine, Fault};
use crate::harness::{Gate, PAGE, await_arrival, on_each_backend, page};
use crate::simulated::{Scene, Wire};
use crate::support::client::{Client, get};
use crate::support::eventually;
use crate::support::recorder::{Event, Recorder};
use doorstep::internals::conn::Config;
use doorstep::internals::server::{
    ACCEPT_REST, ACCEPTS_PER_EVENT, QUEUED_AFTER, QUEUED_AFTER_TURNS,
};
use doorstep::{CloseReason, Request};
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Instant;

/// An error by its name, made anew for each accept.
type Row = (&'static str, fn() -> io::Error);

/// The number of an error on this system. Elsewhere the kind is all that there is to be made up.
fn numbered(linux: i32, kind: ErrorKind) -> io::Error {
    match cfg!(target_os = "linux") {
        true => io::Error::from_raw_os_error(linux),
        false => kind.into(),
    }
}

/// The connection is lost, the next may be fine: tiny-http#283 (ECONNABORTED), thousand_island#206
/// (ENOTCONN).
const LOST: &[Row] = &[
    ("ECONNABORTED", || {
        numbered(103, ErrorKind::ConnectionAborted)
    }),
    ("ECONNRESET", || numbered(104, ErrorKind::ConnectionReset)),
    ("ENOTCONN", || numbered(107, ErrorKind::NotConnected)),
];

/// No connection can be had for now: tiny-http#283, thousand_island#206. The last two stand for
/// whatever else a listener gives.
const EXHAUSTED: &[Row] = &[
    ("EMFILE", || numbered(24, ErrorKind::Other)),
    ("ENFILE", || numbered(23, ErrorKind::Other)),
    ("ENOBUFS", || numbered(105, ErrorKind::Other)),
    ("ENOMEM", || numbered(12, ErrorKind::OutOfMemory)),
    ("EPERM", || numbered(1, ErrorKind::PermissionDenied)),
    ("EPROTO", || numbered(71, ErrorKind::Other)),
];

fn overloads(events: &[Event]) -> usize {
    let overload = |event: &&Event| matches!(event, Event::Overload(_));
    events.iter().filter(overload).count()
}

#[test]
fn a_connection_that_is_lost_before_its_accept_costs_nobody_anything() {
    const EACH: usize = 50;
    on_each_backend(|stage| {
        for (name, error) in LOST {
            let engine = Engine::start(stage, 2, Config::default(), page);
            let mut before = Client::connect(engine.address);
            assert_eq!(before.ask("/").text(), PAGE, "{name}");
            let lost = [Fault::Lost(*error); EACH];
            engine.faults.next.lock().unwrap().extend(lost);
            let (accepts, events) = (engine.accepts(), engine.events());
            for _ in 0..EACH {
                let mut client = Client::connect(engine.address);
                let _ = client.try_send(get("/"));
                client.is_gone();
            }
            assert_eq!(Client::connect(engine.address).ask("/").text(), PAGE);
            assert_eq!(before.ask("/").text(), PAGE, "{name}");
            // One accept for each, and as many again that find nothing: two workers may be told of
            // one connection.
            let accepts = engine.accepts() - accepts;
            assert!(accepts <= 2 * (EACH + 1), "{name}: {accepts} accepts");
            let events = engine.events() - events;
            assert!(events <= 2 * (EACH + 4), "{name}: {events} events");
            assert_eq!(overloads(&engine.recorder.events()), 0, "{name}");
        }
    });
}

/// A client that is always in the middle of a request, so that nobody takes its connection for
/// idle.
struct Busy(Client);

impl Busy {
    fn on(address: SocketAddr) -> Busy {
        let mut client = Client::connect(address);
        client.send("GET / HT");
        Busy(client)
    }

    fn asks(&mut self) {
        self.0.send("TP/1.1\r\nHost: localhost\r\n\r\nGET / HT");
        assert_eq!(self.0.answer().text(), PAGE);
    }
}

#[test]
fn a_listener_that_cannot_accept_rests_and_recovers() {
    on_each_backend(|stage| {
        // A lack, and something else that may go on forever.
        for (name, error) in [EXHAUSTED[0], EXHAUSTED[5]] {
            let engine = Engine::start(stage, 2, Config::default(), page);
            let mut before = Busy::on(engine.address);
            before.asks();
            // With the spare descriptor as well, where that may help.
            let each = 1 + usize::from(name == "EMFILE");
            let refused = [Fault::Refused(error)].repeat(3 * each);
            let (accepts, begun) = (engine.accepts(), Instant::now());
            engine.faults.next.lock().unwrap().extend(refused);
            let mut waiting = Client::connect(engine.address);
            waiting.send(get("/"));
            let is_tried = eventually(|| {
                before.asks();
                engine.accepts() >= accepts + 3 * each
            });
            assert!(is_tried, "{name}: it is not tried again");
            // However often the workers are free meanwhile.
            let tried = engine.accepts() - accepts;
            let rests = (begun.elapsed().as_millis() / ACCEPT_REST.as_millis()) as usize;
            assert!(
                tried <= each * (rests + 1),
                "{name}: {tried} accepts, {rests} rests"
            );
            assert_eq!(overloads(&engine.recorder.events()), 1, "{name}");
            assert_eq!(waiting.answer().text(), PAGE, "{name}");
            assert_eq!(Client::connect(engine.address).ask("/").text(), PAGE);
            before.asks();
        }
    });
}

/// tiny-http#180: who has gone between the handshake and the accept has no address any more.
#[test]
fn a_connection_whose_peer_has_no_address_is_served() {
    on_each_backend(|stage| {
        let engine = Engine::start(stage, 1, Config::default(), page);
        engine
            .faults
            .next
            .lock()
            .unwrap()
            .push_back(Fault::Nameless);
        let mut client = Client::connect(engine.address);
        assert_eq!(client.ask("/").text(), PAGE);
        drop(client);
        engine.recorder.hears_closed(CloseReason::PeerClosed);
        assert_eq!(engine.recorder.events()[0], Event::Accepted(None));
    });
}

/// One accept for each rest while it fails, one word about it a minute, and everybody who waited is
/// served after it.
#[test]
fn a_refused_accept_is_tried_after_a_rest_and_told_of_once_a_minute() {
    let rest = ACCEPT_REST.as_millis() as u64;
    for (name, error) in EXHAUSTED {
        let scene = Scene::new(page);
        scene.system.state().policy.script().refusal = Some(*error);
        let clients = [scene.wire(), scene.wire()];
        for client in &clients {
            client.sends(get("/"));
            scene.system.state().knock(client.index);
        }
        assert_eq!(scene.runs(), 1, "{name}");
        let mut tried = 0;
        for (ms, said) in [
            (rest, 1),
            (59_999, 1),
            (60_100, 2),
            (119_999, 2),
            (120_200, 3),
        ] {
            scene.at(tried + rest - 1);
            assert_eq!(scene.runs(), 0, "{name}: it rests");
            let accepts = scene.system.state().accepts;
            scene.at(ms);
            tried = ms;
            assert_eq!(scene.runs(), 1, "{name}: one event");
            // One more with the spare descriptor, where that may help.
            let tries = 1 + usize::from(matches!(*name, "EMFILE" | "ENFILE"));
            let asked = scene.system.state().accepts - accepts;
            assert_eq!(asked, tries, "{name}");
            assert_eq!(overloads(&scene.recorder.events()), said, "{name}: {ms} ms");
        }
        scene.system.state().policy.script().refusal = None;
        scene.at(tried + rest);
        scene.runs();
        for client in &clients {
            assert!(client.got().ends_with(PAGE), "{name}");
        }
    }
}

/// Connections that are lost as they are accepted have no share in another's turn.
#[test]
fn lost_connections_are_one_accept_each() {
    for (name, error) in LOST {
        let scene = Scene::new(page);
        scene.system.state().fail_accepts((0..100).map(|_| error()));
        let client = scene.wire();
        client.sends(get("/"));
        scene.system.state().knock(client.index);
        assert_eq!(scene.runs(), 101, "{name}");
        assert_eq!(scene.system.state().accepts, 101, "{name}");
        assert!(client.got().ends_with(PAGE), "{name}");
        let heard = scene.recorder.events();
        assert_eq!(
            heard[0],
            Event::Accepted(client.link(|link| link.peer)),
            "{name}"
        );
    }
}

/// A worker that has an event of the listener.
struct Behind {
    name: &'static str,
    /// No other worker is free.
    busy: bool,
    /// Turns of connections since its last accept.
    turns: u32,
    /// Milliseconds since then.
    after: u64,
    /// For each number of connections that wait: how often it accepts, the last in vain included.
    accepts: [(usize, usize); 4],
}

const LATE: u64 = QUEUED_AFTER.as_millis() as u64;

/// What no worker is behind with, one accept takes: another worker has the next.
const ONE_EACH: [(usize, usize); 4] = [(1, 1), (31, 1), (32, 1), (33, 1)];

const BEHIND: &[Behind] = &[
    Behind {
        name: "behind by a round",
        busy: true,
        turns: 1,
        after: LATE,
        accepts: [(1, 2), (31, 32), (32, 32), (33, 32)],
    },
    Behind {
        name: "behind by much",
        busy: true,
        turns: 1,
        after: 100 * LATE,
        accepts: [(1, 2), (2, 3), (32, 32), (100, 32)],
    },
    Behind {
        name: "a short round",
        busy: true,
        turns: 1,
        after: LATE - 1,
        accepts: ONE_EACH,
    },
    Behind {
        name: "others are free",
        busy: false,
        turns: 1,
        after: 100 * LATE,
        accepts: ONE_EACH,
    },
    Behind {
        name: "a round of many turns, others may be free",
        busy: false,
        turns: QUEUED_AFTER_TURNS,
        after: 0,
        accepts: [(1, 2), (31, 32), (32, 32), (33, 32)],
    },
    Behind {
        name: "a round of fewer turns",
        busy: false,
        turns: QUEUED_AFTER_TURNS - 1,
        after: 100 * LATE,
        accepts: ONE_EACH,
    },
    Behind {
        name: "nobody was served",
        busy: true,
        turns: 0,
        after: 100 * LATE,
        accepts: ONE_EACH,
    },
];

/// One event accepts one connection, as long as the server keeps up; else as many as wait, within a
/// bound. The first is served at once, the others in their turn.
#[test]
fn a_server_that_is_behind_accepts_several_connections_at_once() {
    for row in BEHIND {
        for (waiting, accepts) in row.accepts {
            let scene = Scene::new(page);
            let before = scene.wire();
            let knock = |client: &Wire| {
                client.sends(get("/"));
                scene.system.state().knock(client.index);
            };
            scene.set(1_000);
            knock(&before);
            assert!(scene.reports(None));
            for _ in 0..row.turns {
                before.sends(get("/"));
                assert!(scene.reports(Some(&before)));
            }
            scene.set(1_000 + row.after);
            scene.system.state().busy = row.busy;
            let clients: Vec<_> = (0..waiting).map(|_| scene.wire()).collect();
            clients.iter().for_each(knock);
            let asked = scene.system.state().accepts;
            assert!(scene.reports(None), "{}: armed", row.name);
            let accepted = accepts.min(waiting);
            let state = |client: &Wire| {
                let is_accepted = client.link(|link| link.number.is_some());
                (is_accepted, client.got().ends_with(PAGE))
            };
            for (number, client) in clients.iter().enumerate() {
                let expected = (number < accepted, number == 0);
                assert_eq!(
                    state(client),
                    expected,
                    "{}: {number} of {waiting}",
                    row.name
                );
            }
            assert_eq!(
                scene.system.state().accepts - asked,
                accepts,
                "{}",
                row.name
            );
            scene.runs();
            for client in &clients[1..] {
                assert_eq!(state(client), (true, true), "{}: {waiting}", row.name);
            }
        }
    }
}

/// The same on real sockets: of all who came during one turn, as many are in before the next turn
/// as one event may accept.
#[test]
fn connections_that_came_during_a_long_turn_are_accepted_together() {
    const CAME: usize = ACCEPTS_PER_EVENT + 8;
    on_each_backend(|stage| {
        let (gate, inside) = (Gate::default(), Arc::new(OnceLock::new()));
        let (held, seen) = (gate.clone(), inside.clone());
        let recorder: Arc<OnceLock<Recorder>> = Arc::default();
        let heard = recorder.clone();
        let handler = move |request: &mut Request<'_>| {
            match request.path() {
                "/wait" => held.pass(),
                "/after" => {
                    let accepted = |event: &&Event| matches!(event, Event::Accepted(_));
                    let events = heard.get().expect("a recorder").events();
                    seen.get_or_init(|| events.iter().filter(accepted).count());
                }
                _ => {}
            }
            PAGE
        };
        let engine = Engine::start(stage, 1, Config::default(), handler);
        assert!(recorder.set(engine.recorder.clone()).is_ok());
        let mut before = Client::connect(engine.address);
        assert_eq!(before.ask("/").text(), PAGE);
        before.send(get("/wait"));
        gate.holds(1);
        let begun = Instant::now();
        let mut clients: Vec<_> = (0..CAME).map(|_| Client::connect(engine.address)).collect();
        clients
            .iter_mut()
            .for_each(|client| client.send(get("/after")));
        await_arrival(engine.address, &clients.iter().collect::<Vec<_>>());
        assert!(eventually(|| begun.elapsed() > 2 * QUEUED_AFTER));
        gate.open();
        for client in [&mut before].into_iter().chain(&mut clients) {
            assert_eq!(client.answer().text(), PAGE);
        }
        assert_eq!(inside.get(), Some(&(1 + ACCEPTS_PER_EVENT)));
    });
}
