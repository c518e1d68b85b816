//! How long each phase waits for a client: to the millisecond on a clock made up, and with a bound
//! on the real one.
//!
//! hyper#1628, hyper#2355, hyper#2457, axum#3478, rpxy#596: a deadline counts in all; bytes that
//! dribble do not extend it.

use crate::harness::{PAGE, on_each_backend};
use crate::simulated::{Scene, Wire};
use crate::support::client::{Client, get};
use crate::support::recorder::Recorder;
use crate::support::simulated::Act;
use doorstep::internals::limits::PREFETCH_BYTES;
use doorstep::{CloseReason, Handler, IntoResponse, Reject, Request, Response, Status, Timeouts};
use std::io::Read;
use std::sync::Arc;
use std::time::{Duration, Instant};

const POST: &str = "POST /unread HTTP/1.1\r\nHost: localhost\r\nContent-Length: ";
const SECOND: u64 = 1_000;
/// How long the answer to what is refused may be read.
const LINGER: u64 = 2 * SECOND;
const HEAD_TIMEOUT: CloseReason = CloseReason::Rejected(Reject::HeadTimeout);
const CONTENT_TIMEOUT: CloseReason = CloseReason::Rejected(Reject::ContentTimeout);
const NOT_HTTP: CloseReason = CloseReason::Rejected(Reject::RequestLineForm);

/// A phase, how a client gets there, when the wait ends, and how: with which status, or without a
/// word.
struct Row {
    phase: &'static str,
    client: fn(&Scene) -> Wire,
    until: u64,
    refusal: Option<u16>,
    reason: CloseReason,
}

const fn row(
    phase: &'static str,
    until: u64,
    refusal: Option<u16>,
    reason: CloseReason,
    client: fn(&Scene) -> Wire,
) -> Row {
    Row {
        phase,
        client,
        until,
        refusal,
        reason,
    }
}

/// Once a second until then, from the second after the present one on, something happens.
fn every_second(scene: &Scene, wire: &Wire, until: u64, act: Act) {
    loop {
        let next = scene.ms() + SECOND;
        if next >= until {
            return;
        }
        scene.at(next);
        wire.does(act.clone());
        scene.runs();
    }
}

/// A client that sends this as it is accepted.
fn sends(scene: &Scene, octets: &str) -> Wire {
    let wire = scene.wire();
    wire.sends(octets);
    scene.admits(&wire);
    wire
}

/// A client that sends this, and takes nothing of the answer.
fn deaf(scene: &Scene, octets: &str) -> Wire {
    let wire = scene.wire();
    wire.room(0);
    wire.sends(octets);
    scene.admits(&wire);
    wire
}

/// More content than is awaited, and so much of it as is.
fn long() -> String {
    format!("{POST}20000\r\n\r\n{}", "x".repeat(PREFETCH_BYTES))
}

fn octet() -> Act {
    Act::Sends(b"x".to_vec())
}

const ROWS: &[Row] = &[
    row(
        "Idle: never a byte",
        10 * SECOND,
        None,
        CloseReason::IdleTimeout,
        |scene| scene.accepts(),
    ),
    row(
        "Idle: between two requests",
        75 * SECOND + 500,
        None,
        CloseReason::IdleTimeout,
        |scene| {
            let wire = scene.accepts();
            scene.at(500);
            wire.sends(get("/"));
            scene.runs();
            assert!(wire.got().ends_with(PAGE));
            wire
        },
    ),
    row(
        "Idle: from when the answer could be read",
        95 * SECOND,
        None,
        CloseReason::IdleTimeout,
        |scene| {
            let wire = deaf(scene, &get("/"));
            scene.at(20 * SECOND);
            wire.room(usize::MAX);
            scene.runs();
            assert!(wire.got().ends_with(PAGE));
            wire
        },
    ),
    row(
        "Head: one byte, at the last moment",
        10 * SECOND,
        Some(408),
        HEAD_TIMEOUT,
        |scene| {
            let wire = scene.accepts();
            scene.at(10 * SECOND - 1);
            wire.sends("G");
            scene.runs();
            wire
        },
    ),
    row(
        "Head: a byte a second",
        10 * SECOND,
        Some(408),
        HEAD_TIMEOUT,
        |scene| {
            let wire = sends(scene, "GET /");
            every_second(scene, &wire, 10 * SECOND, octet());
            wire
        },
    ),
    row(
        "Head: a byte a second, after an idle minute",
        70 * SECOND,
        Some(408),
        HEAD_TIMEOUT,
        |scene| {
            let wire = sends(scene, &get("/"));
            scene.at(60 * SECOND);
            assert!(wire.got().ends_with(PAGE));
            wire.sends("GET /");
            scene.runs();
            every_second(scene, &wire, 70 * SECOND, octet());
            wire
        },
    ),
    row(
        "Prefetch: the content does not come",
        31 * SECOND,
        Some(408),
        CONTENT_TIMEOUT,
        |scene| {
            let wire = sends(scene, "POST / HTTP/1.1\r\n");
            scene.at(SECOND);
            wire.sends("Host: localhost\r\nContent-Length: 5\r\n\r\n");
            scene.runs();
            wire
        },
    ),
    row(
        "Prefetch: a byte a second",
        30 * SECOND,
        Some(408),
        CONTENT_TIMEOUT,
        |scene| {
            let wire = sends(scene, &format!("{POST}100\r\n\r\n"));
            every_second(scene, &wire, 30 * SECOND, octet());
            wire
        },
    ),
    row(
        "Send: nothing is taken",
        30 * SECOND,
        None,
        CloseReason::WriteTimeout,
        |scene| deaf(scene, &get("/")),
    ),
    row(
        "Send: a byte a second",
        30 * SECOND,
        None,
        CloseReason::WriteTimeout,
        |scene| {
            let wire = deaf(scene, &get("/"));
            every_second(scene, &wire, 30 * SECOND, Act::Takes(1));
            wire
        },
    ),
    row(
        "Send: content, a byte a second",
        30 * SECOND,
        None,
        CloseReason::WriteTimeout,
        |scene| {
            let wire = deaf(scene, &get("/big"));
            every_second(scene, &wire, 30 * SECOND, Act::Takes(1));
            wire
        },
    ),
    row(
        "Discard: the content does not come",
        30 * SECOND,
        None,
        CloseReason::UnreadContent,
        |scene| {
            let wire = sends(scene, &long());
            assert!(wire.got().ends_with(PAGE));
            wire
        },
    ),
    // 64 seconds were earned by the beginning.
    row(
        "Discard: a byte a second",
        94 * SECOND,
        None,
        CloseReason::UnreadContent,
        |scene| {
            let wire = sends(scene, &long());
            assert!(wire.got().ends_with(PAGE));
            every_second(scene, &wire, 94 * SECOND, octet());
            wire
        },
    ),
    row("Linger: nothing comes", LINGER, None, NOT_HTTP, |scene| {
        let wire = sends(scene, "NOT HTTP\r\n\r\n");
        assert!(wire.got().starts_with("HTTP/1.1 400 "));
        wire
    }),
    row("Linger: a byte a second", LINGER, None, NOT_HTTP, |scene| {
        let wire = sends(scene, "NOT HTTP\r\n\r\n");
        assert!(wire.got().starts_with("HTTP/1.1 400 "));
        every_second(scene, &wire, LINGER, octet());
        wire
    }),
    row(
        "Linger: nothing is taken of the refusal",
        30 * SECOND,
        None,
        CloseReason::WriteTimeout,
        |scene| deaf(scene, "NOT HTTP\r\n\r\n"),
    ),
];

/// Answers by the path; reads what is sent to `/pull`, and answers well whatever it finds.
fn handler() -> impl Handler {
    let big: Arc<[u8]> = vec![b'x'; 16 << 20].into();
    move |request: &mut Request<'_>| match request.path() {
        "/pull" => {
            let _ = request.body().read_to_end(&mut Vec::new());
            PAGE.into_response()
        }
        "/big" => Response::new(Status::OK).body(big.clone()),
        _ => PAGE.into_response(),
    }
}

#[test]
fn each_phase_ends_at_its_deadline_and_not_before() {
    for row in ROWS {
        let phase = row.phase;
        println!("{phase}");
        let scene = Scene::new(handler());
        let wire = (row.client)(&scene);
        wire.got();
        scene.at(row.until - 1);
        assert_eq!(scene.reason(&wire), None, "{phase}");
        assert_eq!(wire.got(), "", "{phase}");
        scene.at(row.until);
        let said = wire.got();
        if let Some(status) = row.refusal {
            assert!(
                said.starts_with(&format!("HTTP/1.1 {status} ")),
                "{phase}: {said}"
            );
            assert!(said.contains("Connection: close\r\n"), "{phase}: {said}");
            assert!(wire.link(|link| link.write_closed), "{phase}");
            // It may be read, whatever still comes.
            wire.does(Act::Floods(b"x".to_vec()));
            scene.at(row.until + LINGER - 1);
            assert!(scene.turn());
            assert_eq!(scene.reason(&wire), None, "{phase}");
            scene.at(row.until + LINGER);
        } else {
            assert_eq!(said, "", "{phase}");
        }
        assert_eq!(scene.reason(&wire), Some(row.reason), "{phase}");
        assert_eq!(scene.shared.slots.occupied(), 0, "{phase}");
        assert_eq!(scene.runs(), 0, "{phase}");
    }
}

/// The time that no worker had for a client is not the client's.
#[test]
fn what_came_in_time_is_served_however_late_a_worker_comes() {
    let post = format!("{POST}5\r\n\r\n");
    // What comes at once, what at the last moment, and when that is.
    let rows = [
        ("Idle", "", get("/"), 10 * SECOND),
        (
            "Head",
            "GET / HT",
            "TP/1.1\r\nHost: localhost\r\n\r\n".to_string(),
            10 * SECOND,
        ),
        ("Prefetch", &post, "hello".to_string(), 30 * SECOND),
    ];
    for (phase, first, rest, until) in rows {
        let scene = Scene::new(handler());
        let wire = sends(&scene, first);
        scene.system.state().busy = true;
        scene.at(until - 1);
        wire.sends(rest);
        scene.at(until);
        scene.at(until + 100 * SECOND);
        assert_eq!(
            (wire.got().as_str(), scene.reason(&wire)),
            ("", None),
            "{phase}"
        );
        scene.runs();
        assert!(wire.got().ends_with(PAGE), "{phase}");
    }
    // It is theirs if nothing came.
    let scene = Scene::new(handler());
    let wire = scene.accepts();
    scene.system.state().busy = true;
    scene.at(10 * SECOND);
    assert_eq!(scene.reason(&wire), Some(CloseReason::IdleTimeout));
}

/// A handler that reads content waits as long as the connection would.
#[test]
fn a_handler_that_reads_is_answered_for_when_the_time_is_over() {
    let head = format!("{POST}20000\r\n").replace("unread", "pull");
    // How the request begins, what comes when, and what the client has got when the time is over.
    let dribble: Vec<_> = (1..94).map(|second| (second * SECOND, 1)).collect();
    let beginning = "\r\n".to_string() + &"x".repeat(PREFETCH_BYTES);
    // With nothing earned by a beginning that came at once.
    let asked = "Expect: 100-continue\r\n\r\n".to_string();
    let rows = [
        ("the rest does not come", &beginning, vec![], 30 * SECOND),
        (
            "a byte a second of the rest",
            &beginning,
            dribble.clone(),
            94 * SECOND,
        ),
        ("it does not come", &asked, vec![], 30 * SECOND),
        ("a byte a second", &asked, dribble, 30 * SECOND),
        ("it stops", &asked, vec![(20 * SECOND, 10_000)], 50 * SECOND),
    ];
    for (name, rest, comes, until) in rows {
        let scene = Scene::new(handler());
        let wire = scene.wire();
        wire.sends(format!("{head}{rest}"));
        for (at, count) in comes {
            let (at, act) = (Duration::from_millis(at), Act::Sends(vec![b'x'; count]));
            scene.system.state().act_at(at, wire.index, act);
        }
        scene.admits(&wire);
        assert_eq!(scene.ms(), until, "{name}");
        let said = wire.got();
        let said = match rest.contains("Expect") {
            true => said
                .strip_prefix("HTTP/1.1 100 Continue\r\n\r\n")
                .expect("100"),
            false => &said,
        };
        // The handler's answer is not sent: nobody knows what it is an answer to.
        assert!(said.starts_with("HTTP/1.1 408 "), "{name}: {said}");
        assert!(
            !said.contains("HTTP/1.1 200") && !said.contains(PAGE),
            "{name}"
        );
        scene.at(until + LINGER - 1);
        assert_eq!(scene.reason(&wire), None, "{name}");
        scene.at(until + LINGER);
        assert_eq!(scene.reason(&wire), Some(CONTENT_TIMEOUT), "{name}");
    }
}

/// A paused process (SIGSTOP, a snapshot) finds all deadlines over when it goes on: what came
/// meanwhile has come in time, whoever waits for it.
#[test]
fn what_came_while_the_process_was_paused_is_served() {
    let head = format!("{POST}20000\r\n").replace("unread", "pull");
    let half = format!("{head}\r\n{}", "x".repeat(PREFETCH_BYTES));
    let rest = vec![b'x'; 20_000 - PREFETCH_BYTES];
    let until = Duration::from_secs(1_000);
    for (comes, status) in [(&rest[..], "200"), (&rest[1..], "408"), (b"", "408")] {
        let scene = Scene::new(handler());
        let wire = scene.wire();
        wire.sends(&half);
        scene.system.state().pause = Some((until, wire.index, Act::Sends(comes.to_vec())));
        scene.admits(&wire);
        let said = wire.got();
        assert!(said.starts_with(&format!("HTTP/1.1 {status} ")), "{said}");
    }
    // No thread waits for these.
    let post = format!("{POST}5\r\n\r\n");
    for (half, rest) in [
        ("", get("/")),
        ("GET ", get("/")[4..].to_string()),
        (&post, "hello".to_string()),
    ] {
        let scene = Scene::new(handler());
        let wire = sends(&scene, half);
        scene.set(1_000 * SECOND);
        wire.sends(rest);
        scene.at(1_000 * SECOND);
        scene.runs();
        assert!(wire.got().ends_with(PAGE), "{half}");
    }
}

/// What one row on the real clock is about.
struct Real {
    phase: &'static str,
    timeout: fn(&mut Timeouts) -> &mut Duration,
    sends: String,
    status: Option<u16>,
    reason: CloseReason,
}

fn real() -> Vec<Real> {
    let real = |phase, timeout, sends: &str, status, reason| Real {
        phase,
        timeout,
        sends: sends.to_string(),
        status,
        reason,
    };
    let short = format!("{POST}100\r\n\r\nsome");
    let pull = long().replace("unread", "pull");
    let (idle, unread) = (CloseReason::IdleTimeout, CloseReason::UnreadContent);
    vec![
        real("Idle", |t| &mut t.head, "", None, idle),
        real(
            "Idle again",
            |t| &mut t.keep_alive,
            &get("/"),
            Some(200),
            idle,
        ),
        real("Head", |t| &mut t.head, "GET /", Some(408), HEAD_TIMEOUT),
        real(
            "Prefetch",
            |t| &mut t.body,
            &short,
            Some(408),
            CONTENT_TIMEOUT,
        ),
        real("Handle", |t| &mut t.body, &pull, Some(408), CONTENT_TIMEOUT),
        real("Discard", |t| &mut t.body, &long(), Some(200), unread),
        real(
            "Linger",
            |t| &mut t.linger,
            "NOT HTTP\r\n\r\n",
            Some(400),
            NOT_HTTP,
        ),
        real(
            "Send",
            |t| &mut t.write,
            &get("/big"),
            None,
            CloseReason::WriteTimeout,
        ),
    ]
}

#[test]
fn each_phase_has_a_deadline_of_its_own() {
    /// The only one of the deadlines that is over before the patience of a client.
    const SHORT: Duration = Duration::from_millis(150);
    const LONG: Duration = Duration::from_secs(600);
    on_each_backend(|stage| {
        for row in real() {
            println!("{}", row.phase);
            let mut timeouts = Timeouts::default();
            timeouts.head = LONG;
            timeouts.body = LONG;
            timeouts.write = LONG;
            timeouts.keep_alive = LONG;
            timeouts.linger = LONG;
            *(row.timeout)(&mut timeouts) = SHORT;
            let recorder = Recorder::default();
            let server = stage.server().timeouts(timeouts);
            let server = server.observer(recorder.clone()).spawn(handler()).unwrap();
            let begun = Instant::now();
            let mut client = Client::connect(server.addr());
            client.send(&row.sends);
            match row.status {
                Some(status) => assert_eq!(client.answer().status, status, "{}", row.phase),
                None if row.phase == "Idle" => client.ends(),
                None => {}
            }
            if row.status == Some(408) {
                // The long linger ends with the client.
                client.ends();
                drop(client);
            }
            recorder.hears_ends(1);
            assert_eq!(recorder.reasons(), [row.reason], "{}", row.phase);
            // The clock is read in whole milliseconds.
            let lasted = begun.elapsed() + Duration::from_millis(1);
            assert!(lasted >= SHORT, "{}: {lasted:?}", row.phase);
        }
    });
}

/// rpxy#596: a client that dribbles while the server is busy is not to be waited for longer: a
/// worker that has come, and found no whole message when the time was over, says so.
#[test]
fn dribbling_at_a_busy_server_does_not_extend_the_time() {
    let post = format!("{POST}10000\r\n\r\n");
    let rows = [
        ("Head", "GET /", 10 * SECOND, HEAD_TIMEOUT),
        ("Prefetch", &post, 30 * SECOND, CONTENT_TIMEOUT),
    ];
    for (phase, start, until, reason) in rows {
        let scene = Scene::new(handler());
        scene.system.state().busy = true;
        let wire = sends(&scene, start);
        while scene.ms() < until {
            assert_eq!(scene.reason(&wire), None, "{phase}");
            scene.set(scene.ms() + SECOND);
            wire.does(octet());
            // It lies there when the housekeeper looks, and is read right after that.
            scene.at(scene.ms());
            scene.runs();
        }
        assert!(wire.got().starts_with("HTTP/1.1 408 "), "{phase}");
        wire.does(Act::Finishes);
        scene.runs();
        assert_eq!(scene.reason(&wire), Some(reason), "{phase}");
    }
}

/// hyper#2457, axum#3478: nor do bytes that the socket has taken without reporting it, if they earn
/// less than the time that they took.
#[test]
fn bytes_that_the_housekeeper_finds_taken_do_not_extend_the_time() {
    let scene = Scene::new(handler());
    let wire = deaf(&scene, &get("/big"));
    while scene.reason(&wire).is_none() {
        let next = scene.ms() + SECOND;
        assert!(next <= 31 * SECOND, "it may go on like that");
        scene.set(next);
        wire.does(Act::Takes(1));
        scene.at(scene.ms());
    }
    assert_eq!(scene.reason(&wire), Some(CloseReason::WriteTimeout));
    assert!(scene.ms() >= 30 * SECOND);
}
