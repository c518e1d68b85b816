//! Content that comes slowly, is not wanted, or is refused while it still comes.

use crate::harness::{PAGE, on_each_backend};
use crate::simulated::{Scene, Wire};
use crate::support::client::{Client, get, post_chunked};
use crate::support::recorder::Recorder;
use crate::support::simulated::Act;
use doorstep::internals::limits::PREFETCH_BYTES;
use doorstep::{
    CloseReason, Handler, IntoResponse, Limits, Reject, Request, Response, Status, Timeouts,
};
use std::io::Read;
use std::thread;
use std::time::Duration;

const SECOND: u64 = 1_000;

fn head(path: &str, framing: &str) -> String {
    format!("POST {path} HTTP/1.1\r\nHost: localhost\r\n{framing}\r\n\r\n")
}

/// Tells how much it has read, and reads nothing of what is sent to `/unread`.
fn handler() -> impl Handler {
    |request: &mut Request<'_>| match request.path() {
        "/read" => match request.body().read_to_end(&mut Vec::new()) {
            Ok(length) => format!("{length} bytes").into_response(),
            Err(_) => Response::new(Status::BAD_REQUEST),
        },
        _ => PAGE.into_response(),
    }
}

/// What becomes of content.
struct Way {
    name: &'static str,
    path: &'static str,
    length: usize,
    /// What the client sends beside the head's other fields,
    field: &'static str,
    /// and at once after it.
    beginning: usize,
}

const WAYS: &[Way] = &[
    Way {
        name: "gathered",
        path: "/read",
        length: 16_000,
        field: "",
        beginning: 0,
    },
    // Asked for, so that the handler has it from its first byte on.
    Way {
        name: "pulled",
        path: "/read",
        length: 100_000,
        field: "\r\nExpect: 100-continue",
        beginning: 0,
    },
    Way {
        name: "dropped",
        path: "/unread",
        length: 60_000,
        field: "",
        beginning: PREFETCH_BYTES,
    },
];

/// So many bytes each time, so often (in milliseconds), and when that is found too slow, if it is:
/// from the first byte on, and after a beginning of 16 KiB, which has earned 64 seconds.
struct Rate {
    name: &'static str,
    octets: usize,
    every: u64,
    cut: [Option<u64>; 2],
}

const fn rate(name: &'static str, octets: usize, every: u64, cut: [Option<u64>; 2]) -> Rate {
    Rate {
        name,
        octets,
        every,
        cut,
    }
}

/// All waits together may take 30 seconds and one more for each 256 bytes that have come; each
/// alone, 30 seconds.
const RATES: &[Rate] = &[
    rate("at the least rate", 256, SECOND, [None, None]),
    rate("in bigger pieces", 2_560, 10 * SECOND, [None, None]),
    // Of eleven seconds five are earned each time: six are left after the fourth piece, and ten
    // after the fourteenth.
    rate(
        "at half the least rate",
        1_280,
        11 * SECOND,
        [Some(50 * SECOND), Some(164 * SECOND)],
    ),
    // 27 are earned by the first piece, of which 29 seconds have been waited for: 28 are left.
    rate(
        "much, but too seldom",
        7_000,
        29 * SECOND,
        [Some(57 * SECOND), None],
    ),
    rate(
        "a byte a second",
        1,
        SECOND,
        [Some(30 * SECOND), Some(94 * SECOND)],
    ),
    rate(
        "much, a moment too late",
        1 << 20,
        30 * SECOND + 1,
        [Some(30 * SECOND), Some(30 * SECOND)],
    ),
];

/// The client sends the content at this rate.
fn at_a_pace(wire: &Wire, length: usize, octets: usize, every: u64) -> Vec<u64> {
    let pieces = length.div_ceil(octets);
    let times: Vec<u64> = (1..=pieces as u64).map(|piece| piece * every).collect();
    for (piece, at) in times.iter().enumerate() {
        let size = octets.min(length - piece * octets);
        let (at, act) = (Duration::from_millis(*at), Act::Sends(vec![b'x'; size]));
        wire.system.state().act_at(at, wire.index, act);
    }
    times
}

#[test]
fn slow_content_is_cut_when_it_has_used_up_its_time() {
    for way in WAYS {
        for rate in RATES {
            slow_content(way, rate);
        }
    }
}

fn slow_content(way: &Way, rate: &Rate) {
    let name = format!("{}, {}", way.name, rate.name);
    println!("{name}");
    let (is_pulled, is_dropped) = (way.name == "pulled", way.name == "dropped");
    let cut = rate.cut[usize::from(way.beginning > 0)];
    let scene = Scene::new(handler());
    let wire = scene.wire();
    let length = way.length;
    wire.sends(head(
        way.path,
        &format!("Content-Length: {length}{}", way.field),
    ));
    wire.sends(vec![b'x'; way.beginning]);
    let times = at_a_pace(&wire, length - way.beginning, rate.octets, rate.every);
    // A handler that pulls goes through all of it here.
    scene.admits(&wire);
    let said = wire.got();
    let said = match is_pulled {
        true => said
            .strip_prefix("HTTP/1.1 100 Continue\r\n\r\n")
            .expect("an invitation"),
        false => &said,
    };
    assert!(!is_dropped || said.ends_with(PAGE), "{name}");
    for at in times {
        if is_pulled || cut.is_some_and(|cut| cut <= at) {
            break;
        }
        scene.at(at);
        scene.runs();
        assert_eq!(scene.reason(&wire), None, "{name}, {at} ms");
    }
    let Some(cut) = cut else {
        let answer = match is_pulled {
            true => said.to_string(),
            false => wire.got(),
        };
        let counted = format!("\r\n\r\n{length} bytes");
        assert!(is_dropped || answer.ends_with(&counted), "{name}: {answer}");
        wire.sends(get("/"));
        scene.runs();
        assert!(wire.got().ends_with(PAGE), "{name}");
        return;
    };
    if is_pulled {
        assert!(said.starts_with("HTTP/1.1 408 "), "{name}: {said}");
    } else {
        scene.at(cut - 1);
        assert_eq!(
            (wire.got().as_str(), scene.reason(&wire)),
            ("", None),
            "{name}"
        );
        scene.at(cut);
        // Bytes that came by then are read first, by a worker.
        scene.runs();
        // When the answer is out there is nothing more to be said.
        let said = wire.got();
        assert_eq!(
            said.starts_with("HTTP/1.1 408 "),
            !is_dropped,
            "{name}: {said}"
        );
    }
    assert_eq!(scene.ms(), cut, "{name}");
    let reason = match is_dropped {
        true => CloseReason::UnreadContent,
        false => CloseReason::Rejected(Reject::ContentTimeout),
    };
    wire.does(Act::Finishes);
    scene.runs();
    assert_eq!(scene.reason(&wire), Some(reason), "{name}");
}

/// The clock and the waits are real here; each wait is far shorter than what it may take, and all
/// of them together are longer.
#[test]
fn an_upload_that_keeps_the_least_rate_may_take_longer_than_one_wait() {
    const WAIT: Duration = Duration::from_secs(2);
    const PIECES: u32 = 60;
    on_each_backend(|stage| {
        let mut timeouts = Timeouts::default();
        timeouts.body = WAIT;
        // A byte earns a second.
        timeouts.min_rate = 1;
        let server = stage.server().workers(4).timeouts(timeouts);
        let server = server.spawn(handler()).unwrap();
        thread::scope(|scope| {
            for length in [PIECES * 100, PIECES * 1_000] {
                let mut client = Client::connect(server.addr());
                scope.spawn(move || {
                    client.send(head("/read", &format!("Content-Length: {length}")));
                    for _ in 0..PIECES {
                        thread::sleep(WAIT / 50);
                        client.send(vec![b'x'; (length / PIECES) as usize]);
                    }
                    assert_eq!(client.answer().text(), format!("{length} bytes"));
                });
            }
        });
    });
}

/// RUSTSEC-2020-0093, RUSTSEC-2025-0037: content that nobody read is dropped up to a limit, framing
/// included, and beyond that the connection ends.
#[test]
fn what_is_dropped_is_bounded_to_the_byte() {
    /// One chunk of so many bytes that their number has four digits, and the last chunk.
    const FRAMING: usize = "fff3\r\n\r\n0\r\n\r\n".len();
    let limit = Limits::default().discard_bytes;
    on_each_backend(|stage| {
        let recorder = Recorder::default();
        let server = stage.server().observer(recorder.clone());
        let server = server.spawn(handler()).unwrap();
        let by_length = |length: usize| {
            let head = head("/unread", &format!("Content-Length: {length}"));
            [head.into_bytes(), vec![b'x'; length]].concat()
        };
        let chunked = |octets: usize| {
            let size = octets - FRAMING;
            post_chunked("/unread", &vec![b'x'; size], &[size])
        };
        let mut ends = 0;
        // Bytes, whether they are dropped, and whether the answer can say that it is the last.
        let rows = [
            ("by length", by_length(limit), true, false),
            ("by length, one more", by_length(limit + 1), false, true),
            ("chunked", chunked(limit), true, false),
            ("chunked, one more", chunked(limit + 1), false, false),
        ];
        for (name, octets, is_kept, is_told) in rows {
            println!("{name}");
            let mut client = Client::connect(server.addr());
            client.send(octets);
            let answer = client.answer();
            assert_eq!((answer.text(), answer.closes), (PAGE, is_told));
            let _ = client.try_send(get("/"));
            if is_kept {
                assert_eq!(client.answer().text(), PAGE);
            } else {
                client.ends();
            }
            drop(client);
            ends += 1;
            recorder.hears_ends(ends);
            let expected = match is_kept {
                true => CloseReason::PeerClosed,
                false => CloseReason::UnreadContent,
            };
            assert_eq!(recorder.reasons().last(), Some(&expected), "{name}");
        }
    });
}

/// nginx `lingering_close`: closed with bytes unread, a socket resets its connection, and the reset
/// would cost a client the answer that it has not read.
#[test]
fn an_answer_to_a_client_that_still_sends_is_read_as_a_whole() {
    const MORE: usize = 1 << 20;
    let bad_chunk = format!("ffff\r\n{}\r\nxyz\r\n", "x".repeat(0xffff));
    // What begins, its status, and why the connection ends.
    let rows = [
        ("NOT HTTP\r\n\r\n".to_string(), 400, None),
        (
            head("/unread", "Content-Length: 1000000000") + &"x".repeat(PREFETCH_BYTES),
            200,
            Some(CloseReason::UnreadContent),
        ),
        (
            head("/read", "Transfer-Encoding: chunked") + &bad_chunk,
            400,
            None,
        ),
    ];
    on_each_backend(|stage| {
        let mut timeouts = Timeouts::default();
        timeouts.linger = Duration::from_secs(600);
        let recorder = Recorder::default();
        let server = stage.server().timeouts(timeouts).observer(recorder.clone());
        let server = server.spawn(handler()).unwrap();
        for (number, (start, status, reason)) in rows.iter().enumerate() {
            let mut client = Client::connect(server.addr());
            client.send(start);
            client.await_bytes();
            // It is answered, and the client has not found out.
            client.send(vec![b'x'; MORE]);
            let answer = client.answer();
            assert_eq!((answer.status, answer.closes), (*status, true));
            client.ends();
            drop(client);
            recorder.hears_ends(number + 1);
            let heard = recorder.reasons()[number];
            match reason {
                Some(reason) => assert_eq!(heard, *reason),
                None => assert!(matches!(heard, CloseReason::Rejected(_)), "{heard:?}"),
            }
        }
    });
}
