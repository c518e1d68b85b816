//! hyper#1764, hyper#4085: a client that closes its side, or resets the connection, in each phase.
//! The connection ends for a reason with a name, its slot is free again, and until then nobody is
//! woken for nothing: events are counted, so that the bound holds on every machine.

use crate::engine::Engine;
use crate::harness::{Gate, PAGE, on_each_backend};
use crate::simulated::Scene;
use crate::support::client::{Client, get};
use crate::support::eventually;
use crate::support::simulated::Act;
use doorstep::internals::conn::Config;
use doorstep::internals::limits::PREFETCH_BYTES;
use doorstep::{CloseReason, Handler, IntoResponse, Reject, Request, Response, Status};
use std::io::{Cursor, Read};
use std::net::Shutdown;
use std::sync::Arc;
use std::time::Duration;

const POST: &str = "POST /unread HTTP/1.1\r\nHost: localhost\r\nContent-Length: ";
/// More than two sockets hold.
const BIG: usize = 16 << 20;
/// Rounds of another client, while a half-closed connection lives on.
const ROUNDS: usize = 200;
/// Events besides those of the other client: its own, and a connection that two workers are told
/// of.
const MORE: usize = 20;

/// A phase, what a client sends to get there, and why it ends.
struct Row {
    phase: &'static str,
    sends: String,
    /// A handler holds the connection.
    is_held: bool,
    /// The client has closed its side,
    finished: CloseReason,
    /// or reset the connection.
    reset: CloseReason,
}

fn rows() -> Vec<Row> {
    use CloseReason::{Failed, PeerClosed, PeerClosedEarly, Rejected};
    let row = |phase, sends: &dyn ToString, finished, reset| Row {
        phase,
        sends: sends.to_string(),
        is_held: false,
        finished,
        reset,
    };
    let held = |row| Row {
        is_held: true,
        ..row
    };
    // As much as is awaited before the handler is called, of more than that.
    let long = format!("{POST}20000\r\n\r\n{}", "x".repeat(PREFETCH_BYTES));
    let pull = long.replace("unread", "pull");
    vec![
        row("Idle", &"", PeerClosed, Failed),
        row("Head", &"GET / HT", PeerClosedEarly, Failed),
        row(
            "Prefetch",
            &format!("{POST}5\r\n\r\nab"),
            Rejected(Reject::TruncatedContent),
            Failed,
        ),
        // A half-close is no abort: the answer goes out.
        held(row("Handle", &get("/wait"), PeerClosed, Failed)),
        row(
            "Handle, pulling content",
            &pull,
            Rejected(Reject::TruncatedContent),
            Failed,
        ),
        row("Send", &get("/memory"), PeerClosed, Failed),
        row("Send, from a reader", &get("/stream"), PeerClosed, Failed),
        row("Discard", &long, PeerClosedEarly, Failed),
        row(
            "Linger",
            &"NOT HTTP\r\n\r\n",
            Rejected(Reject::RequestLineForm),
            Failed,
        ),
    ]
}

/// Answers by the path; waits at the gate where the path says so.
fn handler(gate: &Gate, big: usize) -> impl Handler + use<> {
    let (gate, big) = (gate.clone(), Arc::<[u8]>::from(vec![b'x'; big]));
    move |request: &mut Request<'_>| match request.path() {
        "/wait" => {
            gate.pass();
            Response::text(PAGE)
        }
        "/pull" => match request.body().read_to_end(&mut Vec::new()) {
            Ok(_) => Response::text(PAGE),
            Err(_) => Status::BAD_REQUEST.into_response(),
        },
        "/memory" => Response::new(Status::OK).body(big.clone()),
        "/stream" => Response::new(Status::OK).stream(None, Cursor::new(big.clone())),
        _ => Response::text(PAGE),
    }
}

/// No deadline ends what is to be ended by the client.
fn patient() -> Config {
    let mut config = Config::default();
    let timeouts = &mut config.timeouts;
    for timeout in [
        &mut timeouts.head,
        &mut timeouts.body,
        &mut timeouts.write,
        &mut timeouts.keep_alive,
        &mut timeouts.linger,
    ] {
        *timeout = Duration::from_secs(600);
    }
    config
}

/// Two workers, one of which may be with a handler, and a client that keeps the other one busy.
struct Watched {
    gate: Gate,
    engine: Engine,
    ticker: Client,
}

impl Watched {
    fn new(stage: crate::harness::Stage) -> Watched {
        let gate = Gate::default();
        let engine = Engine::start(stage, 2, patient(), handler(&gate, BIG));
        let mut ticker = Client::connect(engine.address);
        assert_eq!(ticker.ask("/tick").status, 200);
        Watched {
            gate,
            engine,
            ticker,
        }
    }

    /// A client in this phase. With `unread`, an answer lies before it that it has not read.
    fn reach(&mut self, row: &Row, unread: bool) -> Client {
        let mut client = Client::connect(self.engine.address);
        if unread {
            client.send(get("/"));
            client.await_bytes();
        }
        client.send(&row.sends);
        if row.is_held {
            self.gate.holds(1);
        }
        // Whoever is free has been through what was sent before, and has sent what the sockets
        // hold.
        self.tick(row);
        client
    }

    /// Rounds of the other client, with no more events than they take.
    #[track_caller]
    fn tick(&mut self, row: &Row) {
        let before = self.engine.events();
        (0..ROUNDS).for_each(|_| assert_eq!(self.ticker.ask("/tick").status, 200));
        let events = self.engine.events() - before;
        assert!(
            events <= ROUNDS + MORE,
            "{}: {events} events in {ROUNDS} rounds",
            row.phase
        );
    }

    /// The connection has ended for this reason, and nothing of it is left.
    #[track_caller]
    fn is_freed(&mut self, row: &Row, reason: CloseReason) {
        self.engine.recorder.hears_ends(1);
        assert_eq!(self.engine.recorder.reasons(), [reason], "{}", row.phase);
        assert_eq!(
            self.engine.shared.slots.occupied(),
            1,
            "{}: the ticker's alone",
            row.phase
        );
        self.tick(row);
    }
}

#[test]
fn a_half_close_in_each_phase_ends_well() {
    on_each_backend(|stage| {
        for row in rows() {
            println!("{}", row.phase);
            let mut watched = Watched::new(stage);
            let mut client = watched.reach(&row, false);
            client.shutdown(Shutdown::Write);
            let lives_on = row.finished == CloseReason::PeerClosed && !row.sends.is_empty();
            if lives_on {
                // It may last; that costs nobody anything.
                watched.tick(&row);
                assert_eq!(watched.engine.shared.slots.occupied(), 2, "{}", row.phase);
                watched.gate.open();
                let answer = client.answer();
                assert_eq!(answer.status, 200, "{}", row.phase);
                let length = if row.is_held { PAGE.len() } else { BIG };
                assert_eq!(answer.content.len(), length, "{}", row.phase);
            } else if matches!(row.finished, CloseReason::Rejected(_)) {
                assert_eq!(client.answer().status, 400, "{}", row.phase);
            } else if row.phase == "Discard" {
                assert_eq!(client.answer().text(), PAGE);
            }
            client.ends();
            watched.is_freed(&row, row.finished);
        }
    });
}

#[test]
fn a_reset_in_each_phase_frees_the_connection() {
    on_each_backend(|stage| {
        for row in rows() {
            println!("{}", row.phase);
            let mut watched = Watched::new(stage);
            // Closed with an answer unread, a socket resets its connection.
            drop(watched.reach(&row, true));
            if row.is_held {
                // Nobody waits for a connection that a handler has; its end is found out when it is
                // answered.
                watched.tick(&row);
                assert_eq!(watched.engine.shared.slots.occupied(), 2, "{}", row.phase);
                watched.gate.open();
            }
            watched.is_freed(&row, row.reset);
        }
    });
}

/// On a poller that reports what is so and nothing else, the end of a connection is one event.
#[test]
fn the_end_of_a_connection_is_one_event() {
    for row in rows().into_iter().filter(|row| !row.is_held) {
        for (act, reason) in [(Act::Finishes, row.finished), (Act::Resets, row.reset)] {
            println!("{} {act:?}", row.phase);
            let scene = Scene::with(patient(), handler(&Gate::default(), 100_000));
            let wire = scene.wire();
            wire.room(50_000);
            wire.sends(&row.sends);
            let is_pulled = row.phase.contains("pulling");
            if is_pulled {
                // In the middle of the handler's wait.
                let at = Duration::from_millis(10);
                scene.system.state().act_at(at, wire.index, act.clone());
            }
            scene.admits(&wire);
            scene.runs();
            if !is_pulled {
                wire.does(act.clone());
            }
            let is_parked = row.phase.starts_with("Send");
            if is_parked && matches!(act, Act::Finishes) {
                assert_eq!(scene.runs(), 0, "it waits for room, which this is not");
                wire.room(usize::MAX);
            }
            assert!(scene.runs() <= 2);
            assert_eq!(scene.reason(&wire), Some(reason));
            assert_eq!(scene.shared.slots.occupied(), 0);
        }
    }
}

/// The same for a client that goes without a word, a thousand times: nothing of them is left.
#[test]
fn clients_that_go_leave_nothing() {
    on_each_backend(|stage| {
        let engine = Engine::start(stage, 2, patient(), handler(&Gate::default(), 0));
        for number in 0..1_000 {
            let mut client = Client::connect(engine.address);
            match number % 3 {
                0 => {}
                1 => client.send("GET / HT"),
                _ => client.shutdown(Shutdown::Write),
            }
        }
        engine.recorder.hears_ends(1_000);
        assert!(eventually(|| engine.shared.slots.occupied() == 0));
        // Each was accepted, was perhaps told of with its bytes, and was told of with its end.
        assert!(engine.events() <= 4 * 1_000, "{} events", engine.events());
    });
}
