//! Requests that find a gate full: they wait without a worker, are handled when there is room, and
//! get 503 when there is none for long.

use crate::harness::{Gate as StopGate, await_arrival, on_each_backend};
use crate::simulated::{Scene, Wire};
use crate::support::client::{Client, get};
use crate::support::recorder::Event;
use crate::support::server::{Housekeeper, Shared, Worker, put_together};
use crate::support::simulated::{Act, System};
use crate::support::{PATIENCE, eventually};
use doorstep::internals::conn::{Config, Moment};
use doorstep::internals::handler::gate::{GATE_QUEUE, Gate, Pass};
use doorstep::internals::handler::queued;
use doorstep::internals::sys::Clock;
use doorstep::{CloseReason, IntoResponse, Now, Observer, Request, RequestEvent, Response};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

/// A server with one gate, which lets in one.
pub struct Hall {
    pub scene: Scene,
    pub gate: Arc<Gate>,
    asked: Asked,
    held: Held,
}

/// The paths that the handler was called for.
type Asked = Arc<Mutex<Vec<String>>>;
/// A place for a pass that a handler does not give back.
type Held = Arc<Mutex<Option<Pass>>>;

/// The answer, which says what it answers.
fn answer(path: &str) -> Response {
    format!("[{path}]").into_response()
}

impl Hall {
    fn new() -> Hall {
        Hall::with(Config::default(), Arc::default())
    }

    /// `/work` is done inside of the gate; `/keep` as well, and stays inside; `/late` waits, and
    /// then does not enter; `/both` needs another gate as well, which is full; `/race` leaves its
    /// pass as it finds the gate full; `/panic` panics when it has waited; everything else needs no
    /// gate.
    fn with(config: Config, gate: Arc<Gate>) -> Hall {
        let (asked, held) = (Asked::default(), Held::default());
        let (hall, notes, keep) = (gate.clone(), asked.clone(), held.clone());
        let other = Arc::<Gate>::default();
        let other_pass = other.enter(1).expect("room");
        let scene = Scene::with(config, move |request: &mut Request<'_>| {
            let _other_is_full = &other_pass;
            let path = request.path();
            let before = notes
                .lock()
                .unwrap()
                .iter()
                .filter(|asked| *asked == path)
                .count();
            notes.lock().unwrap().push(path.to_string());
            let name = path.split('/').nth(1).unwrap_or_default();
            match name {
                "work" | "keep" => match hall.enter(1) {
                    None => return queued(&hall),
                    Some(pass) if name == "keep" => *keep.lock().unwrap() = Some(pass),
                    Some(_) => {}
                },
                "both" => match hall.enter(1) {
                    None => return queued(&hall),
                    Some(_) => return queued(&other),
                },
                "late" if before == 0 => return queued(&hall),
                "race" => {
                    let pass = hall.enter(1);
                    if pass.is_none() {
                        let others = keep.lock().unwrap().take();
                        drop(others);
                        return queued(&hall);
                    }
                }
                "panic" if before == 0 => return queued(&hall),
                "panic" => panic!("planted"),
                "waiting" => return hall.waiting().to_string().into_response(),
                _ => {}
            }
            answer(path)
        });
        Hall {
            scene,
            gate,
            asked,
            held,
        }
    }

    /// Somebody is inside.
    fn fill(&self) {
        let pass = self.gate.enter(1).expect("room");
        *self.held.lock().unwrap() = Some(pass);
    }

    /// Whoever is inside leaves; the server does not know yet.
    fn leave(&self) {
        let pass = self.held.lock().unwrap().take();
        drop(pass.expect("somebody inside"));
    }

    /// Whoever is inside leaves, and the server does what there is to do.
    fn open(&self) {
        self.leave();
        self.scene.runs();
    }

    /// A client asks for this.
    fn asks(&self, paths: &[&str]) -> Wire {
        let wire = self.scene.wire();
        paths.iter().for_each(|path| wire.sends(get(path)));
        self.scene.admits(&wire);
        wire
    }

    /// How often the handler was called for this.
    fn calls(&self, path: &str) -> usize {
        let asked = self.asked.lock().unwrap();
        asked.iter().filter(|asked| *asked == path).count()
    }

    /// The requests of which the observer has heard, with their statuses.
    fn heard(&self) -> Vec<(String, u16)> {
        let heard = |event| match event {
            Event::Request { target, status, .. } => Some((target, status.code())),
            _ => None,
        };
        self.scene
            .recorder
            .events()
            .into_iter()
            .filter_map(heard)
            .collect()
    }
}

/// The paths that were answered, in order, and how many 503 are among the answers.
fn answers(wire: &Wire) -> (Vec<String>, usize) {
    let got = wire.got();
    let paths = got.split('[').filter(|part| part.starts_with('/'));
    let paths = paths.filter_map(|part| Some(part.split_once(']')?.0.to_string()));
    let refusals = got.matches("HTTP/1.1 503 ").count();
    assert_eq!(got.matches("\r\nRetry-After: 1\r\n").count(), refusals);
    (paths.collect(), refusals)
}

#[track_caller]
fn assert_answers(wire: &Wire, paths: &[&str]) {
    let (got, refusals) = answers(wire);
    assert_eq!(
        (got, refusals),
        (paths.iter().map(|path| path.to_string()).collect(), 0)
    );
}

#[track_caller]
fn assert_refused(wire: &Wire) {
    assert_eq!(answers(wire), (vec![], 1));
}

#[test]
fn a_request_that_finds_the_gate_full_waits_without_a_worker() {
    let hall = Hall::new();
    hall.fill();
    let wire = hall.asks(&["/work"]);
    assert_eq!(hall.scene.runs(), 0, "there is nothing to do");
    assert_eq!((hall.gate.waiting(), hall.calls("/work")), (1, 1));
    // Others are served meanwhile.
    assert_answers(&hall.asks(&["/other"]), &["/other"]);
    assert_answers(&wire, &[]);
    hall.open();
    assert_answers(&wire, &["/work"]);
    assert_eq!((hall.gate.waiting(), hall.calls("/work")), (0, 2));
    // The connection goes on.
    wire.sends(get("/next"));
    hall.scene.runs();
    assert_answers(&wire, &["/next"]);
    let heard = ["/other", "/work", "/next"].map(|path| (path.to_string(), 200));
    assert_eq!(hall.heard(), heard, "each once");
}

#[test]
fn a_request_waits_five_seconds_and_no_longer() {
    let hall = Hall::new();
    hall.fill();
    hall.scene.set(1_000);
    let wire = hall.asks(&["/work"]);
    for ms in [2_000, 5_999] {
        hall.scene.at(ms);
        assert_eq!(hall.scene.runs(), 0);
        assert_answers(&wire, &[]);
    }
    hall.scene.at(6_000);
    hall.scene.runs();
    assert_refused(&wire);
    assert_eq!((hall.gate.waiting(), hall.calls("/work")), (0, 2));
    assert_eq!(hall.heard(), [("/work".to_string(), 503)]);
    // The connection goes on, and the next wait is one of its own.
    hall.scene.set(7_000);
    wire.sends(get("/work/2"));
    hall.scene.runs();
    hall.scene.at(11_999);
    hall.scene.runs();
    assert_answers(&wire, &[]);
    hall.open();
    assert_answers(&wire, &["/work/2"]);
    assert_eq!(hall.scene.reason(&wire), None);
}

/// At the last moment there may be room after all.
#[test]
fn a_request_whose_time_is_over_tries_once_more() {
    let hall = Hall::new();
    hall.fill();
    let wire = hall.asks(&["/work"]);
    hall.scene.at(5_000);
    hall.leave();
    hall.scene.runs();
    assert_answers(&wire, &["/work"]);
    assert_eq!(hall.gate.waiting(), 0);
}

#[test]
fn a_request_with_a_body_does_not_wait() {
    for (body, waits) in [
        ("Content-Length: 1\r\n\r\nx", false),
        ("Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", false),
        ("Content-Length: 0\r\n\r\n", true),
    ] {
        let hall = Hall::new();
        hall.fill();
        let wire = hall.scene.wire();
        wire.sends(format!("POST /work HTTP/1.1\r\nHost: a\r\n{body}"));
        hall.scene.admits(&wire);
        assert_eq!(hall.gate.waiting(), usize::from(waits), "{body:?}");
        assert_eq!(answers(&wire), (vec![], usize::from(!waits)), "{body:?}");
        hall.open();
        assert_eq!(hall.calls("/work"), 1 + usize::from(waits), "{body:?}");
        assert_eq!(answers(&wire).0.len(), usize::from(waits), "{body:?}");
    }
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    let hall = Hall::new();
    hall.fill();
    let wire = hall.asks(&["/1", "/2", "/work/3", "/4", "/work/5", "/6"]);
    assert_answers(&wire, &["/1", "/2"]);
    assert_eq!(hall.calls("/4"), 0, "it waits its turn");
    // What is sent meanwhile comes after that.
    wire.sends(get("/7"));
    assert_eq!(hall.scene.runs(), 0);
    hall.open();
    assert_answers(&wire, &["/work/3", "/4", "/work/5", "/6", "/7"]);
    for path in ["/1", "/2", "/4", "/6", "/7"] {
        assert_eq!(hall.calls(path), 1, "{path}");
    }
    assert_eq!(hall.heard().len(), 7);
}

/// A client that is slow to take the answers before it gets them although the gate is full.
#[test]
fn answers_before_a_request_that_waits_go_out() {
    let hall = Hall::new();
    hall.fill();
    let wire = hall.scene.wire();
    wire.room(10);
    wire.sends([get("/1"), get("/work/2"), get("/3")].concat());
    hall.scene.admits(&wire);
    assert_eq!(wire.got().len(), 10);
    assert_eq!(hall.gate.waiting(), 1);
    wire.room(usize::MAX);
    hall.scene.runs();
    assert!(wire.got().ends_with("[/1]"));
    assert_eq!(hall.gate.waiting(), 1);
    // Its time is that of its first wait.
    hall.scene.at(5_000);
    hall.scene.runs();
    let (paths, refusals) = answers(&wire);
    assert_eq!((paths, refusals), (vec!["/3".to_string()], 1));
}

#[test]
fn each_wait_has_its_own_time() {
    let hall = Hall::new();
    hall.fill();
    let wire = hall.asks(&["/keep/1", "/work/2"]);
    hall.scene.set(4_000);
    // The first is let in, and stays there: so the second has to wait.
    hall.open();
    assert_answers(&wire, &["/keep/1"]);
    hall.scene.at(8_999);
    hall.scene.runs();
    assert_answers(&wire, &[]);
    hall.scene.at(9_000);
    hall.scene.runs();
    assert_refused(&wire);
}

/// A request that waits for one gate after the other waits no longer than for one.
#[test]
fn the_time_is_for_all_gates_together() {
    let hall = Hall::new();
    hall.fill();
    let wire = hall.asks(&["/both"]);
    hall.scene.set(4_000);
    hall.open();
    assert_eq!((hall.gate.waiting(), hall.calls("/both")), (0, 2));
    hall.scene.at(4_999);
    hall.scene.runs();
    assert_answers(&wire, &[]);
    hall.scene.at(5_000);
    hall.scene.runs();
    assert_refused(&wire);
}

#[test]
fn who_comes_first_is_served_first() {
    let hall = Hall::new();
    hall.fill();
    let paths: Vec<_> = (0..5).map(|number| format!("/keep/{number}")).collect();
    let wires: Vec<_> = paths.iter().map(|path| hall.asks(&[path])).collect();
    for (wire, path) in wires.iter().zip(&paths) {
        // Called, it finds that somebody else was faster.
        hall.leave();
        hall.fill();
        hall.scene.runs();
        assert_answers(wire, &[]);
        hall.open();
        assert_answers(wire, &[path]);
    }
    assert_eq!(hall.gate.waiting(), 0);
}

/// A request that waits while its client takes nothing of the response before it keeps its place,
/// with as much unsent as there may be when a request is begun.
#[test]
fn a_client_that_does_not_read_keeps_its_place() {
    let whole = Hall::new().asks(&["/1"]).got().len();
    for (limit, begins) in [(whole, 0), (whole + 1, 1)] {
        let mut config = Config::default();
        config.limits.write_buffer_bytes = limit;
        let hall = Hall::with(config, Arc::default());
        hall.fill();
        let wire = hall.scene.wire();
        wire.room(0);
        wire.sends([get("/1"), get("/keep/2")].concat());
        hall.scene.admits(&wire);
        let other = hall.asks(&["/keep/3"]);
        for _ in 0..3 {
            assert_eq!(hall.gate.waiting(), 1 + begins);
            // Called, the first finds that somebody else was faster.
            hall.leave();
            hall.fill();
            hall.scene.runs();
            hall.scene.reports(Some(&wire));
        }
        hall.open();
        match begins {
            0 => assert_answers(&other, &["/keep/3"]),
            _ => assert_answers(&other, &[]),
        }
        wire.room(usize::MAX);
        hall.scene.runs();
        hall.open();
        assert_answers(&wire, ["/1", "/keep/2"].as_slice());
    }
}

#[test]
fn a_second_request_is_no_longer_first() {
    let hall = Hall::new();
    hall.fill();
    let greedy = hall.asks(&["/keep/1", "/keep/2"]);
    let other = hall.asks(&["/keep/3"]);
    hall.open();
    assert_answers(&greedy, &["/keep/1"]);
    hall.open();
    assert_answers(&other, &["/keep/3"]);
    hall.open();
    assert_answers(&greedy, &["/keep/2"]);
}

#[test]
fn a_client_that_has_gone_is_not_served() {
    let hall = Hall::new();
    hall.fill();
    let gone = hall.asks(&["/work/gone"]);
    let next = hall.asks(&["/work/next"]);
    let half = hall.asks(&["/work/half"]);
    gone.does(Act::Resets);
    // This one still reads.
    half.does(Act::Finishes);
    hall.open();
    assert_eq!(hall.calls("/work/gone"), 1);
    assert_eq!(hall.scene.reason(&gone), Some(CloseReason::Failed));
    assert_answers(&next, &["/work/next"]);
    assert_answers(&half, &["/work/half"]);
    assert_eq!(hall.gate.waiting(), 0);
}

#[test]
fn a_wait_that_is_over_without_entering_calls_the_next() {
    let hall = Hall::new();
    hall.fill();
    // The first does not enter when it is called, and goes on with another request.
    let wire = hall.asks(&["/late", "/waiting"]);
    let next = hall.asks(&["/work"]);
    assert_eq!(hall.gate.waiting(), 2);
    hall.leave();
    assert!(hall.scene.turn());
    let got = wire.got();
    assert!(
        got.contains("[/late]") && got.ends_with("\r\n\r\n0"),
        "{got}"
    );
    hall.scene.runs();
    assert_answers(&next, &["/work"]);
}

#[test]
fn a_panic_after_a_wait_calls_the_next() {
    let hall = Hall::new();
    hall.fill();
    let wire = hall.asks(&["/panic", "/after"]);
    let next = hall.asks(&["/work"]);
    hall.open();
    assert!(wire.got().starts_with("HTTP/1.1 500 "));
    assert_eq!(hall.calls("/after"), 0);
    wire.does(Act::Finishes);
    hall.scene.runs();
    assert_eq!(hall.scene.reason(&wire), Some(CloseReason::Panicked));
    assert_answers(&next, &["/work"]);
    let heard = [("/panic", 500), ("/work", 200)];
    assert_eq!(
        hall.heard(),
        heard.map(|(path, status)| (path.to_string(), status))
    );
}

#[test]
fn a_full_queue_is_503_at_once() {
    let hall = Hall::new();
    hall.fill();
    let others: Vec<_> = (1..GATE_QUEUE)
        .map(|_| hall.gate.wait(None, Box::new(|| {})))
        .collect();
    assert!(others.iter().all(Option::is_some));
    let last = hall.asks(&["/work/last"]);
    assert_eq!(hall.gate.waiting(), GATE_QUEUE);
    let refused = hall.asks(&["/work/refused"]);
    assert_refused(&refused);
    assert_answers(&last, &[]);
    assert_eq!(hall.gate.waiting(), GATE_QUEUE);
    assert_eq!(hall.heard(), [("/work/refused".to_string(), 503)]);
}

/// The gate is left between the look of the handler and the wait.
#[test]
fn room_that_comes_meanwhile_is_not_missed() {
    let hall = Hall::new();
    hall.fill();
    let wire = hall.asks(&["/race"]);
    hall.scene.runs();
    assert_answers(&wire, &["/race"]);
    assert_eq!(hall.gate.waiting(), 0);
}

/// The gate is left while a worker still owns the connection that waits.
#[test]
fn a_call_while_the_connection_is_owned_is_not_missed() {
    let hall = Hall::new();
    hall.fill();
    let wire = hall.scene.wire();
    wire.room(10);
    wire.sends([get("/1"), get("/work/2")].concat());
    let (held, system) = (hall.held.clone(), hall.scene.system.clone());
    let (shared, opened) = (hall.scene.shared.clone(), wire.clone());
    // Registered for the rest of the first answer, and armed again when it has taken a part of it.
    hall.scene.admits(&wire);
    assert_eq!(hall.gate.waiting(), 1);
    hall.scene.system.state().when_armed = Some(Box::new(move || {
        let pass = held.lock().unwrap().take();
        drop(pass);
        let token = system.state().posted.pop_front().expect("its call");
        // Another worker gets the event, and leaves the connection to its owner.
        Worker::new(shared).turn(token);
        opened.room(usize::MAX);
    }));
    wire.does(Act::Takes(5));
    assert!(hall.scene.turn());
    assert_eq!(answers(&wire).0.last().map(String::as_str), Some("/work/2"));
    assert_eq!(hall.gate.waiting(), 0);
}

/// Two servers may share a gate: each knows its own connections only.
#[test]
fn servers_that_share_a_gate_do_not_mix_up_who_waits() {
    let gate = Arc::<Gate>::default();
    let first = Hall::with(Config::default(), gate.clone());
    let second = Hall::with(Config::default(), gate.clone());
    first.fill();
    let mine = first.asks(&["/work"]);
    let theirs = second.asks(&["/work"]);
    assert_eq!(gate.waiting(), 2);
    // The second server's one gives up.
    second.scene.at(5_000);
    second.scene.runs();
    assert_refused(&theirs);
    assert_eq!(gate.waiting(), 1);
    first.open();
    assert_answers(&mine, &["/work"]);
}

#[test]
fn a_shutdown_waits_for_who_waits_and_ends_with_its_grace() {
    for in_time in [true, false] {
        let hall = Hall::new();
        hall.fill();
        let wire = hall.asks(&["/work"]);
        let shared = hall.scene.shared.clone();
        let (keeper, report) = (
            Mutex::new(Housekeeper::new(shared)),
            Arc::new(Mutex::new(None)),
        );
        let keeper = Arc::new(keeper);
        let (stopped, finished) = (keeper.clone(), report.clone());
        hall.scene.works(move |_| stopped.lock().unwrap().stop());
        let step = move |hall: &Hall| {
            let (keeper, report) = (keeper.clone(), finished.clone());
            hall.scene.works(move |_| {
                let until = Moment(3_000);
                *report.lock().unwrap() = keeper.lock().unwrap().finish(until);
            });
        };
        step(&hall);
        assert_eq!(*report.lock().unwrap(), None);
        hall.scene.set(2_999);
        step(&hall);
        assert_eq!((*report.lock().unwrap(), hall.gate.waiting()), (None, 1));
        if in_time {
            hall.open();
            let got = wire.got();
            assert!(got.ends_with("[/work]") && got.contains("\r\nConnection: close\r\n"));
            wire.does(Act::Finishes);
            hall.scene.runs();
        }
        hall.scene.set(3_000);
        step(&hall);
        // Closed on a thread of its own.
        while hall.scene.system.run_thread() {}
        let aborted = report.lock().unwrap().map(|report| report.aborted);
        assert_eq!(aborted, Some(usize::from(!in_time)));
        assert_eq!(hall.scene.reason(&wire), Some(CloseReason::Shutdown));
        assert_eq!(hall.gate.waiting(), 0, "nothing is left");
        assert_eq!(hall.scene.runs(), 0);
    }
}

/// How long each request took, and how long it waited for its handler.
#[derive(Clone, Default)]
struct Times(Arc<Mutex<Vec<(Duration, Duration)>>>);

impl Observer for Times {
    fn request(&self, event: &RequestEvent<'_>) {
        self.0.lock().unwrap().push((event.duration, event.waited));
    }
}

#[test]
fn the_time_in_front_of_a_gate_belongs_to_the_request() {
    let (system, times, gate) = (System::timed(), Times::default(), Arc::<Gate>::default());
    let (clock, door) = (system.clone(), gate.clone());
    let handler = move |_: &mut Request<'_>| {
        let Some(_pass) = door.enter(1) else {
            return queued(&door);
        };
        clock.state().now += Duration::from_millis(500);
        Response::text("done")
    };
    let observer = Box::new(times.clone());
    let threads = Box::new(system.clone());
    let shared = put_together(&system, handler, Config::default(), Some(observer), threads);
    let mut worker = Worker::new(shared);
    let pass = gate.enter(1).expect("room");
    let link = system.state().connect(None);
    system
        .state()
        .act(link, Act::Sends(get("/").repeat(2).into()));
    let (monotonic, wall) = system.now();
    worker.serve_new(system.stream(link), None, &Now { monotonic, wall });
    system.state().set(Duration::from_secs(3));
    drop(pass);
    for event in ["the call", "the next turn"] {
        let token = system.state().take_event();
        worker.turn(token.expect(event));
    }
    let (half, waited) = (Duration::from_millis(500), Duration::from_secs(3));
    let heard = times.0.lock().unwrap().clone();
    assert_eq!(heard, [(waited + half, waited), (half, Duration::ZERO)]);
}

/// One that was called, and is closed for others before its turn, is no loss to the next.
#[test]
fn a_close_between_the_call_and_the_turn_calls_the_next() {
    let mut config = Config::default();
    config.limits.parked_bytes = 8_000;
    let hall = Hall::with(config, Arc::default());
    hall.fill();
    let padded = |size| format!("GET /work/called HTTP/1.1\r\nHost: a\r\nX: {:0size$}", 0);
    let wire = hall.scene.wire();
    wire.sends(padded(6_000) + "\r\n\r\n");
    hall.scene.admits(&wire);
    let next = hall.asks(&["/work/next"]);
    assert_eq!(hall.gate.waiting(), 2);
    hall.leave();
    assert_eq!(hall.gate.waiting(), 1, "called");
    let other = hall.scene.wire();
    other.sends(padded(4_000));
    hall.scene.admits(&other);
    assert_eq!(hall.scene.reason(&wire), Some(CloseReason::Overload));
    hall.scene.runs();
    assert_eq!(hall.calls("/work/called"), 1);
    assert_answers(&next, &["/work/next"]);
    assert_eq!(hall.gate.waiting(), 0);
}

#[test]
fn a_request_that_waits_counts_once() {
    let mut config = Config::default();
    config.limits.requests_per_connection = Some(2);
    let hall = Hall::with(config, Arc::default());
    hall.fill();
    let wire = hall.asks(&["/work/1", "/work/2", "/3"]);
    // Called in vain.
    hall.leave();
    hall.fill();
    hall.scene.runs();
    hall.open();
    let got = wire.got();
    assert!(
        got.contains("[/work/1]") && got.ends_with("[/work/2]"),
        "{got}"
    );
    assert_eq!(got.matches("Connection: close").count(), 1);
}

/// The housekeeper of a server that stops looks at every connection over and over.
#[test]
fn a_call_while_the_housekeeper_looks_is_not_missed() {
    const ROUNDS: usize = 300;
    let hall = Hall::new();
    let (shared, over) = (hall.scene.shared.clone(), Arc::new(AtomicBool::new(false)));
    // It would be over with the last connection.
    let last = hall.scene.wire();
    last.sends("GET / HT");
    hall.scene.admits(&last);
    let ends = over.clone();
    let keeper = thread::spawn(move || {
        let mut keeper = Housekeeper::new(shared);
        keeper.stop();
        while !ends.load(Ordering::SeqCst) {
            assert!(keeper.finish(Moment::NEVER).is_none() || ends.load(Ordering::SeqCst));
        }
    });
    let end = Instant::now() + PATIENCE;
    for round in 0..ROUNDS {
        hall.fill();
        let wire = hall.asks(&["/work"]);
        hall.leave();
        while !wire.link(|link| link.taken.ends_with(b"[/work]")) {
            hall.scene.runs();
            assert!(Instant::now() < end, "round {round}: never called");
        }
    }
    over.store(true, Ordering::SeqCst);
    keeper.join().expect("no fault");
}

/// A handler that was still running when the server ended finds the gate full: nobody would call it
/// again.
#[test]
fn nothing_waits_after_the_end() {
    let gate = Arc::<Gate>::default();
    let _pass = gate.enter(1).expect("room");
    let (door, place) = (gate.clone(), Arc::<OnceLock<Arc<Shared>>>::default());
    let known = place.clone();
    let scene = Scene::new(move |_: &mut Request<'_>| {
        known.get().expect("a server").end();
        queued(&door)
    });
    assert!(place.set(scene.shared.clone()).is_ok());
    let wire = scene.wire();
    wire.sends(get("/"));
    scene.admits(&wire);
    assert_eq!(scene.reason(&wire), Some(CloseReason::Shutdown));
    assert_eq!((gate.waiting(), scene.shared.slots.occupied()), (0, 0));
}

/// A connection that is closed to keep within the limit of memory leaves the queue as well.
#[test]
fn an_eviction_leaves_nothing_in_the_gate() {
    let mut config = Config::default();
    config.limits.parked_bytes = 0;
    let hall = Hall::with(config, Arc::default());
    hall.fill();
    let wire = hall.asks(&["/work"]);
    assert_eq!(hall.scene.reason(&wire), Some(CloseReason::Overload));
    assert_eq!(hall.gate.waiting(), 0);
    hall.open();
    assert_eq!(hall.calls("/work"), 1);
}

/// With one worker, and as many requests in front of the gate as there are places: each that leaves
/// calls the next, and whoever asks for something else need not wait for all of them.
#[test]
fn a_long_queue_holds_up_nobody_else() {
    const CLIENTS: usize = 100;
    on_each_backend(|stage| {
        let (gate, stop) = (Arc::<Gate>::default(), StopGate::default());
        let order = Arc::<Mutex<Vec<String>>>::default();
        let (door, stopped, notes) = (gate.clone(), stop.clone(), order.clone());
        let handler = move |request: &mut Request<'_>| {
            let path = request.path();
            let pass = match path {
                "/work" => door.enter(1),
                "/stop" => {
                    stopped.pass();
                    None
                }
                _ => None,
            };
            if path == "/work" && pass.is_none() {
                return queued(&door);
            }
            notes.lock().unwrap().push(path.to_string());
            answer(path)
        };
        let server = stage.server().workers(1).spawn(handler).unwrap();
        let pass = gate.enter(1).expect("room");
        let mut clients: Vec<_> = (0..CLIENTS)
            .map(|_| Client::connect(server.addr()))
            .collect();
        clients
            .iter_mut()
            .for_each(|client| client.send(get("/work")));
        assert!(eventually(|| gate.waiting() == CLIENTS));
        let mut stopper = Client::connect(server.addr());
        let mut other = Client::connect(server.addr());
        assert_eq!(other.ask("/").text(), "[/]");
        stopper.send(get("/stop"));
        stop.holds(1);
        other.send(get("/other"));
        await_arrival(server.addr(), &[&other]);
        drop(pass);
        stop.open();
        for client in clients.iter_mut().chain([&mut stopper, &mut other]) {
            assert_eq!(client.answer().status, 200);
        }
        let order = order.lock().unwrap().clone();
        let place = order.iter().position(|path| path == "/other");
        let before = order[..place.expect("an answer")].iter();
        let before = before.filter(|path| *path == "/work").count();
        // The poller may have found some events before that one.
        assert!(before <= 3, "{before} requests were handled before it");
        drop(clients);
    });
}
