//! What one connection may take before the others get theirs, in requests, bytes and reads, and in
//! which order bytes go out.

use crate::engine::Engine;
use crate::harness::{AtTheEnd, Gate, PAGE, await_arrival, on_each_backend, page};
use crate::simulated::{Scene, Wire};
use crate::support::client::{Client, get};
use crate::support::eventually;
use crate::support::simulated::Act;
use doorstep::internals::conn::Config;
use doorstep::internals::limits::{
    BYTES_PER_TURN, PREFETCH_BYTES, REQUESTS_PER_TURN, STREAM_BLOCK,
};
use doorstep::internals::server::READS_PER_TURN;
use doorstep::{Handler, IntoResponse, Request, Response, Status};
use std::io::{self, Read};
use std::net::Shutdown;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

/// The well-behaved clients.
const OTHERS: usize = 63;
/// Bytes of an answer that is not copied.
const BIG: usize = 100_000;

/// What the greedy one has had, and how often the others were answered.
#[derive(Clone, Default)]
struct Had {
    others: Arc<AtomicUsize>,
    answers: Arc<AtomicUsize>,
    reads: Arc<AtomicUsize>,
}

/// Content without an end, a byte at a time.
struct Drip(Arc<AtomicUsize>);

impl Read for Drip {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.fetch_add(1, Ordering::SeqCst);
        buffer[..1].fill(b'x');
        Ok(1)
    }
}

fn handler(had: &Had) -> impl Handler + use<> {
    let (had, big) = (had.clone(), Arc::<[u8]>::from(vec![b'x'; BIG]));
    move |request: &mut Request<'_>| {
        let path = request.path();
        let counter = match path.starts_with("/greedy") {
            true => &had.answers,
            false => &had.others,
        };
        counter.fetch_add(1, Ordering::SeqCst);
        match path {
            "/greedy/big" => Response::new(Status::OK).body(big.clone()),
            "/greedy/stream" => Response::new(Status::OK).stream(None, io::repeat(b'x')),
            "/greedy/drip" => Response::new(Status::OK).stream(None, Drip(had.reads.clone())),
            _ => PAGE.into_response(),
        }
    }
}

/// Sixty-three clients ask so often each, beside one that has always asked for more: what that one
/// has had meanwhile.
fn beside(greedy: &str, rounds: usize) -> (Had, u64) {
    let had = Had::default();
    let scene = Scene::new(handler(&had));
    let wire = scene.wire();
    wire.does(Act::Floods(greedy.into()));
    scene.admits(&wire);
    let others: Vec<Wire> = (0..OTHERS).map(|_| scene.accepts()).collect();
    for round in 1..=rounds {
        others.iter().for_each(|other| other.sends(get("/")));
        while had.others.load(Ordering::SeqCst) < round * OTHERS {
            assert!(scene.turn(), "somebody waits forever");
            let had = had.answers.load(Ordering::SeqCst);
            assert!(had <= 10 * rounds * REQUESTS_PER_TURN, "it has it all");
        }
    }
    for other in &others {
        assert_eq!(other.got().matches(PAGE).count(), rounds);
    }
    assert_eq!(scene.reason(&wire), None);
    let sent: usize = wire.link(|link| link.writes.clone()).iter().sum();
    (had, sent as u64)
}

#[test]
fn sixty_three_clients_get_their_share_beside_one_that_never_stops() {
    const ROUNDS: usize = 10;
    // The first turn is that of its accept.
    const TURNS: usize = ROUNDS + 1;
    let answers = |had: &Had| had.answers.load(Ordering::SeqCst);
    let (had, sent) = beside(&get("/greedy"), ROUNDS);
    assert!(
        answers(&had) <= TURNS * REQUESTS_PER_TURN,
        "{}",
        answers(&had)
    );
    assert!(
        answers(&had) >= ROUNDS * REQUESTS_PER_TURN,
        "nor is it held up"
    );
    assert!(sent <= TURNS as u64 * BYTES_PER_TURN);
    // A turn ends after the write that uses its bytes up.
    let (had, sent) = beside(&get("/greedy/big"), ROUNDS);
    let most = BYTES_PER_TURN + BIG as u64 + 1_000;
    assert!(sent <= TURNS as u64 * most, "{sent} bytes");
    assert!(sent >= ROUNDS as u64 * BYTES_PER_TURN, "nor is it held up");
    assert!(answers(&had) < TURNS * REQUESTS_PER_TURN / 2);
    // One answer without an end.
    let (_, sent) = beside(&get("/greedy/stream"), ROUNDS);
    let most = BYTES_PER_TURN + 2 * STREAM_BLOCK as u64;
    assert!(sent <= TURNS as u64 * most, "{sent} bytes");
    assert!(sent >= ROUNDS as u64 * BYTES_PER_TURN, "nor is it held up");
    // A reader that brings next to nothing uses up its reads instead.
    let (had, _) = beside(&get("/greedy/drip"), ROUNDS);
    let reads = had.reads.load(Ordering::SeqCst);
    assert!(reads <= TURNS * READS_PER_TURN as usize, "{reads} reads");
    assert!(
        reads >= ROUNDS * READS_PER_TURN as usize,
        "nor is it held up"
    );
}

/// The same on real sockets: each round, all have asked before the only worker looks.
#[test]
fn the_order_in_which_clients_are_served_is_that_in_which_they_were_ready() {
    const ROUNDS: usize = 5;
    on_each_backend(|stage| {
        let gates: Vec<Gate> = (0..ROUNDS).map(|_| Gate::default()).collect();
        let greedy = Arc::new(AtomicUsize::new(0));
        // What the greedy one had had when each of the others was served.
        let marks = Arc::new(Mutex::new(Vec::new()));
        let (waiting, counted, marked) = (gates.clone(), greedy.clone(), marks.clone());
        let handler = move |request: &mut Request<'_>| {
            let path = request.path();
            if path == "/greedy" {
                counted.fetch_add(1, Ordering::SeqCst);
                return PAGE;
            }
            if let Some(round) = path.strip_prefix("/wait/") {
                let round: usize = round.parse().expect("a round");
                waiting[round].pass();
                marked.lock().unwrap().clear();
            }
            let had = counted.load(Ordering::SeqCst);
            marked.lock().unwrap().push(had);
            PAGE
        };
        let engine = Engine::start(stage, 1, Config::default(), handler);
        let address = engine.address;
        thread::scope(|scope| {
            let flood = Client::connect(address);
            let (mut both, mut sender, mut reader) = (flood.also(), flood.also(), flood);
            let _end = AtTheEnd(|| {
                both.shutdown(Shutdown::Both);
                gates.iter().for_each(Gate::open);
            });
            scope.spawn(move || {
                let batch = get("/greedy").repeat(1_000);
                while sender.try_send(&batch).is_ok() {}
            });
            scope.spawn(move || while reader.some().is_ok_and(|octets| !octets.is_empty()) {});
            assert!(eventually(|| greedy.load(Ordering::SeqCst) > 1_000));
            let mut holder = Client::connect(address);
            let mut others: Vec<_> = (0..OTHERS).map(|_| Client::connect(address)).collect();
            for other in &mut others {
                assert_eq!(other.ask("/").text(), PAGE);
            }
            for (round, gate) in gates.iter().enumerate() {
                holder.send(get(&format!("/wait/{round}")));
                gate.holds(1);
                others.iter_mut().for_each(|other| other.send(get("/")));
                await_arrival(address, &others.iter().collect::<Vec<_>>());
                gate.open();
                for client in others.iter_mut().chain([&mut holder]) {
                    assert_eq!(client.answer().text(), PAGE);
                }
                let marks = marks.lock().unwrap().clone();
                assert_eq!(marks.len(), OTHERS + 1, "round {round}");
                // One turn before them; and one between them, for those that the poller had found
                // earlier than the others.
                let had = marks[OTHERS] - marks[0];
                assert!(
                    had <= 2 * REQUESTS_PER_TURN,
                    "round {round}: {had} requests"
                );
            }
        });
    });
}

/// No request is begun while output is unsent past `write_buffer_bytes`, to the byte.
#[test]
fn requests_are_begun_until_the_output_is_full() {
    let one = {
        let scene = Scene::new(page);
        let wire = scene.wire();
        wire.sends(get("/"));
        scene.admits(&wire);
        wire.got().len()
    };
    for (room, begun) in [
        (1, 1),
        (3 * one - 1, 3),
        (3 * one, 3),
        (3 * one + 1, 4),
        (1 << 20, 9),
    ] {
        let mut config = Config::default();
        config.limits.write_buffer_bytes = room;
        let asked = Arc::new(AtomicUsize::new(0));
        let counted = asked.clone();
        let scene = Scene::with(config, move |_: &mut Request<'_>| {
            counted.fetch_add(1, Ordering::SeqCst);
            PAGE
        });
        let wire = scene.wire();
        wire.room(0);
        wire.sends(get("/").repeat(9));
        scene.admits(&wire);
        assert_eq!(asked.load(Ordering::SeqCst), begun, "{room} bytes");
        // As much room as one answer has lets one more begin, and no more than that.
        wire.does(Act::Takes(one));
        scene.runs();
        let more = asked.load(Ordering::SeqCst) - begun;
        assert!(more <= 1, "{room} bytes: {more} more");
        wire.room(usize::MAX);
        scene.runs();
        assert_eq!(wire.got().matches(PAGE).count(), 9, "{room} bytes");
    }
}

/// What was answered is with the client before the server waits for it: the client may be waiting
/// for that.
#[test]
fn output_is_flushed_before_anything_is_waited_for() {
    let post =
        |length| format!("POST /read HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n");
    let beginning = "x".repeat(PREFETCH_BYTES);
    let rest = [
        ("a head", "GET / HT".to_string()),
        ("content that is gathered", post(5) + "\r\nab"),
        (
            "content that a handler reads",
            post(20_000) + "\r\n" + &beginning,
        ),
        (
            "content that was asked for",
            post(5) + "Expect: 100-continue\r\n\r\n",
        ),
        (
            "content that nobody reads",
            post(20_000).replace("read", "unread") + "\r\n" + &beginning,
        ),
    ];
    for (name, rest) in rest {
        let scene = Scene::new(|request: &mut Request<'_>| {
            if request.path() == "/read" {
                let _ = request.body().read_to_end(&mut Vec::new());
            }
            PAGE
        });
        let wire = scene.wire();
        wire.sends([&get("/"), &rest[..]].concat());
        scene.admits(&wire);
        let said = wire.got();
        let first = said.find(PAGE).expect(name) + PAGE.len();
        let waits = wire.link(|link| link.waits.clone());
        match (waits.first(), rest.contains("Expect")) {
            (Some(wait), false) => assert_eq!(wait.taken, first, "{name}"),
            (Some(wait), true) => {
                let invitation = &said[first..wait.taken];
                assert_eq!(invitation, "HTTP/1.1 100 Continue\r\n\r\n", "{name}");
            }
            // No worker waits: the connection does.
            (None, _) => assert_eq!(scene.runs(), 0, "{name}"),
        }
        let is_awaited = ["a handler", "asked for"]
            .iter()
            .any(|part| name.contains(part));
        assert_eq!(waits.is_empty(), !is_awaited, "{name}");
    }
}

/// The same with a real client, which sends nothing more before it has its first answer.
#[test]
fn an_answer_does_not_wait_for_the_content_after_it() {
    on_each_backend(|stage| {
        let server = stage.server().spawn(|request: &mut Request<'_>| {
            let read = request.body().read_to_end(&mut Vec::new());
            format!("{} {}", request.path(), read.expect("content"))
        });
        let server = server.unwrap();
        for length in [5, 20_000] {
            let mut client = Client::connect(server.addr());
            for _ in 0..10 {
                let head = "POST /2 HTTP/1.1\r\nHost: localhost\r\nContent-Length: ";
                client.send(format!("{}{head}{length}\r\n\r\n", get("/1")));
                assert_eq!(client.answer().text(), "/1 0");
                client.send(vec![b'x'; length]);
                assert_eq!(client.answer().text(), format!("/2 {length}"));
            }
        }
    });
}

/// Beside clients that always ask, new ones wait about one round of turns, however many come at
/// once: they are not let in one a round.
#[test]
fn new_clients_wait_about_one_round() {
    const NEW: usize = 50;
    for others in [40, 100, 400] {
        let scene = Scene::new(page);
        for _ in 0..others {
            let wire = scene.accepts();
            wire.does(Act::Floods(get("/").into()));
        }
        // Every one of them has had a turn, and the listener one event.
        (0..=others).for_each(|_| assert!(scene.turn()));
        let new: Vec<Wire> = (0..NEW).map(|_| scene.wire()).collect();
        for wire in &new {
            wire.sends(get("/"));
            scene.system.state().knock(wire.index);
        }
        let mut turns = 0;
        while !new
            .iter()
            .all(|wire| wire.link(|link| !link.taken.is_empty()))
        {
            assert!(scene.turn());
            turns += 1;
            // One round to be let in and one to be served, and as much for those beyond the
            // most that one event lets in.
            assert!(turns <= 4 * (others + NEW), "{others} others");
        }
    }
}
