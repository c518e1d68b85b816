//! A server that has no room for more, with every moment chosen: who has to go, in which order, and
//! who hears of it.

use crate::harness::{PAGE, page};
use crate::many_clients::Crowd;
use crate::support::bytes::pattern;
use crate::support::client::{get, post};
use crate::support::recorder::Event;
use crate::support::simulated::Act;
use doorstep::internals::conn::Moment;
use doorstep::internals::limits::{CLOSED_AT_ONCE, PREFETCH_BYTES, STREAM_BLOCK};
use doorstep::internals::server::per_ip::{counted_as, shown};
use doorstep::internals::server::wait_state::{WaitKind, WaitState};
use doorstep::internals::server::{EVICTED_AFTER, PENDING_BYTES};
use doorstep::{CloseReason, IntoResponse, Limits, Request, Response, Status};
use std::io::{self, ErrorKind, Write};
use std::net::SocketAddr;
use std::sync::Arc;

const OVERLOAD: CloseReason = CloseReason::Overload;

fn limits(change: impl FnOnce(&mut Limits)) -> Limits {
    let mut limits = Limits::default();
    change(&mut limits);
    limits
}

/// The error that a system gives under this number; elsewhere than on Linux the numbers of the
/// first two are the same.
#[cfg(unix)]
fn numbered(number: i32) -> io::Error {
    io::Error::from_raw_os_error(number)
}

/// What has been said of an overload.
fn said(crowd: &Crowd) -> Vec<String> {
    let overload = |event: &Event| match event {
        Event::Overload(why) => Some(why.clone()),
        _ => None,
    };
    crowd
        .scene
        .recorder
        .events()
        .iter()
        .filter_map(overload)
        .collect()
}

/// One more client waits to be accepted.
#[cfg(unix)]
fn knocks(crowd: &mut Crowd) {
    let wire = crowd.scene.wire();
    crowd.scene.system.state().knock(wire.index);
    crowd.wires.push(wire);
}

fn ended(numbers: impl IntoIterator<Item = usize>) -> Vec<(usize, CloseReason)> {
    numbers
        .into_iter()
        .map(|number| (number, OVERLOAD))
        .collect()
}

/// Slots, and how many idle connections make room for a new one.
const EVICTED: &[(usize, usize)] = &[
    (1, 1),
    (2, 1),
    (256, 1),
    (511, 1),
    (512, 2),
    (8_191, 31),
    (8_192, 32),
    (10_000, 32),
];

#[test]
fn the_oldest_idle_connections_make_room() {
    for &(most, evicted) in EVICTED {
        let mut crowd = Crowd::new(limits(|limits| limits.connections = most), page);
        crowd.come(most);
        assert_eq!(crowd.ends(), [], "{most}: everybody has room");
        crowd.ages();
        // Whoever was served in between is no longer the oldest, however early it came.
        let served = usize::from(most > evicted);
        if served == 1 {
            crowd.asks(0, get("/"));
        }
        crowd.come(1);
        assert_eq!(crowd.ends(), ended(served..served + evicted), "{most}");
        crowd.asks(most, get("/"));
        assert!(
            crowd.wires[most].got().ends_with(PAGE),
            "{most}: the new one is served"
        );
        // What was freed beyond that needs no eviction.
        crowd.ages();
        crowd.come(evicted - 1);
        assert_eq!(crowd.ends().len(), evicted, "{most}");
        crowd.come(1);
        assert_eq!(crowd.ends().len(), 2 * evicted, "{most}");
    }
}

/// Clients that ask again within a second keep their connections, however many others come.
#[test]
fn who_has_not_been_idle_for_a_second_stays() {
    let long = EVICTED_AFTER.as_millis() as u64;
    for (idle, stays) in [
        (0, true),
        (long - 1, true),
        (long, false),
        (2 * long, false),
    ] {
        let mut crowd = Crowd::new(limits(|limits| limits.connections = 2), page);
        crowd.come(2);
        crowd.scene.set(1_000);
        (0..2).for_each(|number| crowd.asks(number, get("/")));
        crowd.scene.set(1_000 + idle);
        crowd.come(1);
        let answer = crowd.wires[2].got();
        assert_eq!(answer.starts_with("HTTP/1.1 503 "), stays, "{idle}");
        let gone = if stays { 0..0 } else { 0..1 };
        assert_eq!(crowd.ends(), ended(gone), "{idle}");
    }
}

/// Slots, and how many that are slow to send a request make room for a new connection.
const SLOW: &[(usize, usize)] = &[(1, 1), (511, 1), (512, 2)];

/// Without anybody idle, those go that have been sending a request longest, whether of its head or
/// of a body that is awaited with it. They are told why.
#[test]
fn slow_requests_make_room() {
    let long = EVICTED_AFTER.as_millis() as u64;
    let (head, post) = (get("/"), post("/", "some content"));
    for &(most, evicted) in SLOW {
        for (whole, sent) in [(head.as_bytes(), 10), (&post[..], post.len() - 5)] {
            let (half, rest) = whole.split_at(sent);
            let mut crowd = Crowd::new(limits(|limits| limits.connections = most), page);
            crowd.come(most);
            (0..most).for_each(|number| crowd.asks(number, half));
            crowd.scene.set(10_000);
            for number in (0..most).rev() {
                // The next one is sent from now on, however long the one before it took.
                crowd.asks(number, [rest, half].concat());
                crowd.wires[number].got();
                crowd.scene.set(crowd.scene.ms() + 1);
            }
            crowd.scene.set(10_000 + long - 1);
            crowd.come(1);
            assert!(crowd.wires[most].got().starts_with("HTTP/1.1 503 "));
            assert_eq!(crowd.ends(), [], "{most}: each has a second");
            // A byte now and then makes it no faster; bytes that nobody has read are not its fault.
            crowd.asks(most - 1, &rest[..1]);
            crowd.scene.set(12_000);
            let spared = usize::from(most > 2);
            if spared == 1 {
                crowd.wires[most - 2].sends(&rest[..1]);
            }
            crowd.come(1);
            let mut slowest = vec![(most - 1, OVERLOAD)];
            if evicted == 2 {
                slowest.push((most - 3, OVERLOAD));
            }
            assert_eq!(crowd.ends(), slowest, "{most}");
            for (number, _) in slowest {
                let answer = crowd.wires[number].got();
                assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
                assert!(answer.contains("\r\nRetry-After: 1\r\n"), "{answer}");
            }
            crowd.asks(most + 1, get("/"));
            assert!(crowd.wires[most + 1].got().ends_with(PAGE), "{most}");
            let why = format!("too many connections (limit {most}): slow ones are turned away");
            assert!(said(&crowd).contains(&why), "{:?}", said(&crowd));
        }
    }
}

/// However old the slow ones are.
#[test]
fn idle_connections_go_before_slow_requests() {
    let mut crowd = Crowd::new(limits(|limits| limits.connections = 2), page);
    crowd.come(2);
    crowd.asks(0, "GET /");
    crowd.scene.set(5_000);
    crowd.asks(1, get("/"));
    crowd.ages();
    crowd.come(1);
    assert_eq!(crowd.ends(), ended([1]));
    crowd.come(1);
    assert_eq!(crowd.ends(), ended([1, 0]));
}

#[test]
fn a_connection_in_a_message_is_not_evicted() {
    let shared: Arc<[u8]> = pattern(100_000).into();
    let handler = move |request: &mut Request<'_>| match request.path() {
        "/shared" => Response::new(Status::OK).body(shared.clone()),
        "/made" => Response::new(Status::OK).body(pattern(100_000)),
        "/stream" => Response::new(Status::OK).stream(None, io::repeat(b'x')),
        _ => Response::text(PAGE),
    };
    let mut crowd = Crowd::new(limits(|limits| limits.connections = 9), handler);
    crowd.come(9);
    let (whole_head, whole_post) = (get("/"), post("/", "some content"));
    let (half_head, rest_of_head) = whole_head.split_at(10);
    let (half_post, rest_of_post) = whole_post.split_at(whole_post.len() - 5);
    crowd.wires[2].room(0);
    crowd.asks(2, get("/"));
    for (number, path) in [(3, "/shared"), (4, "/made"), (5, "/stream")] {
        crowd.wires[number].room(1_000);
        crowd.asks(number, get(path));
    }
    // Lingers: what it has been told is not read yet.
    crowd.asks(6, "NOT HTTP\r\n\r\n");
    // One that was served, and one that has never sent a byte, which is the older of the two.
    crowd.scene.set(100);
    crowd.asks(7, get("/"));
    crowd.ages();
    crowd.asks(0, half_head);
    crowd.asks(1, half_post);
    crowd.come(2);
    assert_eq!(crowd.ends(), ended([8, 7]));
    crowd.asks(9, half_head);
    crowd.asks(10, half_head);
    // Nobody is idle now, and nobody slow.
    let accepted = |crowd: &Crowd| {
        let is_accept = |event: &&Event| matches!(event, Event::Accepted(_));
        crowd
            .scene
            .recorder
            .events()
            .iter()
            .filter(is_accept)
            .count()
    };
    let before = accepted(&crowd);
    crowd.come(2);
    for number in [11, 12] {
        let answer = crowd.wires[number].got();
        assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
        assert!(answer.contains("\r\nRetry-After: 1\r\n"), "{answer}");
        assert!(answer.contains("\r\nConnection: close\r\n"), "{answer}");
        assert!(crowd.wires[number].link(|link| link.dropped));
    }
    assert_eq!(accepted(&crowd), before, "who is turned away was never in");
    assert_eq!(crowd.ends().len(), 2);
    // All the others get what they asked for.
    crowd.wires[0].got();
    crowd.asks(0, rest_of_head);
    crowd.asks(1, rest_of_post);
    for number in [2, 3, 4] {
        crowd.wires[number].room(usize::MAX);
        crowd.asks(number, "");
    }
    for (number, length) in [
        (0, PAGE.len()),
        (1, PAGE.len()),
        (2, PAGE.len()),
        (3, 100_000),
    ] {
        let answer = crowd.wires[number].got();
        assert!(answer.starts_with("HTTP/1.1 200 "), "{number}: {answer}");
        assert!(answer.len() > length, "{number}");
    }
    // And as they are idle from then on, there is room again.
    crowd.ages();
    crowd.come(1);
    assert_eq!(crowd.ends().len(), 3);
}

#[test]
fn a_request_that_has_arrived_saves_its_connection() {
    let mut crowd = Crowd::new(limits(|limits| limits.connections = 3), page);
    crowd.come(3);
    crowd.asks(0, get("/"));
    crowd.wires[0].got();
    crowd.ages();
    // Nobody has come to read these yet.
    crowd.wires[1].sends(get("/"));
    crowd.wires[2].sends("G");
    crowd.come(1);
    assert_eq!(crowd.ends(), ended([0]), "1 and 2 would have been older");
    crowd.wires[3].does(Act::Finishes);
    crowd.come(1);
    assert!(crowd.wires[4].got().starts_with("HTTP/1.1 503 "));
    assert_eq!(crowd.ends(), ended([0]));
    crowd.asks(1, "");
    assert!(crowd.wires[1].got().ends_with(PAGE));
    crowd.asks(2, &get("/")[1..]);
    assert!(crowd.wires[2].got().ends_with(PAGE));
    crowd.asks(3, "");
    assert_eq!(crowd.ends()[1..], [(3, CloseReason::PeerClosed)]);
}

/// Who is in the middle of a message is not even looked at, however many they are and however old.
#[test]
fn many_busy_connections_hide_no_idle_one() {
    let shared: Arc<[u8]> = pattern(100_000).into();
    let handler = move |_: &mut Request<'_>| Response::new(Status::OK).body(shared.clone());
    let mut crowd = Crowd::new(limits(|limits| limits.connections = 100), handler);
    crowd.come(99);
    for number in 0..99 {
        crowd.wires[number].room(1_000);
        crowd.asks(number, get("/"));
    }
    crowd.come(1);
    crowd.ages();
    crowd.come(1);
    assert_eq!(crowd.ends(), ended([99]));
}

/// Name, the error, whether closing connections may help, what is said while nobody accepts.
#[cfg(unix)]
type Shortage = (&'static str, fn() -> io::Error, bool, &'static str);

#[cfg(unix)]
const SHORTAGES: &[Shortage] = &[
    (
        "EMFILE",
        || numbered(24),
        true,
        "too many open files (limit ",
    ),
    (
        "ENFILE",
        || numbered(23),
        true,
        "too many open files on this system: new connections wait",
    ),
    ("EPERM", || numbered(1), false, "cannot accept ("),
    (
        "no number",
        || ErrorKind::OutOfMemory.into(),
        false,
        "cannot accept (",
    ),
];

/// Idle connections make room for one accept more, at once. Without one, the listener rests for 100
/// ms.
#[cfg(unix)]
#[test]
fn an_accept_without_descriptors_evicts_or_rests() {
    for &(name, error, helps, words) in SHORTAGES {
        let mut crowd = Crowd::new(Limits::default(), page);
        // Another worker is free, so that each event is one accept.
        crowd.scene.system.state().busy = false;
        crowd.come(40);
        crowd.asks(0, get("/"));
        crowd.wires[39].room(0);
        crowd.asks(39, get("/"));
        crowd.scene.set(2_000);
        // One failure: 32 connections are closed, and the new one is in.
        knocks(&mut crowd);
        crowd.scene.system.state().fail_accepts([error()]);
        assert!(crowd.scene.reports(None), "{name}");
        if helps {
            assert_eq!(crowd.scene.system.state().accepts, 2, "{name}");
            assert_eq!(crowd.ends(), ended(1..33), "{name}: the oldest idle ones");
            crowd.asks(40, get("/"));
            assert!(crowd.wires[40].got().ends_with(PAGE), "{name}");
        }
        // It does not help: what is idle is closed once, and then there is a rest.
        crowd
            .scene
            .system
            .state()
            .fail_accepts((0..100).map(|_| error()));
        knocks(&mut crowd);
        crowd.scene.set(4_000);
        let before = crowd.scene.system.state().accepts;
        if helps {
            assert!(
                crowd.scene.reports(None),
                "{name}: the listener was armed at once"
            );
            // The last one with the spare descriptor.
            assert_eq!(crowd.scene.system.state().accepts, before + 3, "{name}");
            let mut all: Vec<_> = crowd.ends().iter().map(|(number, _)| *number).collect();
            all.sort_unstable();
            let idle = (0..39).chain([40]);
            assert!(all.into_iter().eq(idle), "{name}: one is busy");
        }
        let start = if helps { 4_000 } else { 2_000 };
        let mut before = crowd.scene.system.state().accepts;
        for round in 1..=20 {
            crowd.scene.set(start + 100 * round - 1);
            crowd.scene.at(crowd.scene.ms());
            assert!(!crowd.scene.reports(None), "{name}: it rests for 100 ms");
            crowd.scene.set(start + 100 * round);
            crowd.scene.at(crowd.scene.ms());
            assert!(crowd.scene.reports(None), "{name}: and no longer");
            before += if helps { 2 } else { 1 };
            assert_eq!(
                crowd.scene.system.state().accepts,
                before,
                "{name}: one accept a rest, and one with the spare descriptor"
            );
        }
        let told = said(&crowd);
        assert!(
            told.iter()
                .any(|why| why.starts_with(words) && why.ends_with(": new connections wait")),
            "{name}: {told:?}"
        );
        // Everybody who waited is served.
        let failures = 100 - crowd.scene.system.state().accepts;
        assert!(failures > 0);
        crowd.wires[39].room(usize::MAX);
        crowd.asks(39, "");
        assert!(crowd.wires[39].got().ends_with(PAGE), "{name}");
    }
}

/// With nobody to make room, a new connection is accepted with the spare descriptor, and turned
/// away at once. If that fails as well, the listener rests until a descriptor is free.
#[cfg(unix)]
#[test]
fn a_connection_without_a_descriptor_is_turned_away() {
    for &(name, error, helps, _) in SHORTAGES {
        let mut crowd = Crowd::new(Limits::default(), page);
        crowd.come(2);
        (0..2).for_each(|number| crowd.wires[number].room(0));
        (0..2).for_each(|number| crowd.asks(number, get("/")));
        for _ in 0..2 {
            knocks(&mut crowd);
            crowd.scene.system.state().fail_accepts([error()]);
            if !helps {
                continue;
            }
            assert!(crowd.scene.reports(None), "{name}: armed");
            let refused = crowd.wires.last().expect("the new one");
            let answer = refused.got();
            assert!(answer.starts_with("HTTP/1.1 503 "), "{name}: {answer}");
            assert!(refused.link(|link| link.dropped), "{name}");
        }
        if helps {
            let words = ": new connections are turned away";
            assert!(said(&crowd)[0].ends_with(words), "{:?}", said(&crowd));
            assert_eq!(crowd.ends(), [], "{name}: they were never in");
            knocks(&mut crowd);
        }
        // Not even with the spare one.
        crowd
            .scene
            .system
            .state()
            .fail_accepts((0..2).map(|_| error()));
        assert!(crowd.scene.reports(None), "{name}");
        assert!(!crowd.scene.reports(None), "{name}: it rests");
        crowd.wires[0].does(Act::Resets);
        crowd.asks(0, "");
        assert_eq!(crowd.ends().len(), 1, "{name}");
        assert!(crowd.scene.reports(None), "{name}: it is tried at once");
    }
}

#[test]
fn bytes_kept_for_all_are_bounded_exactly() {
    // Bytes of the head of each of two clients, the limit, and whether that is too much.
    const ROWS: &[(usize, usize, usize, bool)] = &[
        (400, 599, 1_000, false),
        (400, 600, 1_000, false),
        (400, 601, 1_000, true),
        (601, 400, 1_000, true),
        (0, 1_000, 1_000, false),
        (0, 1_001, 1_000, true),
    ];
    let head = |length: usize| format!("GET /{}", "a".repeat(length.saturating_sub(5)));
    for &(first, second, limit, is_too_much) in ROWS {
        let row = format!("{first} + {second} of {limit}");
        // What it takes to keep anything counts as well.
        let kept = |length: usize| {
            if length > 0 {
                length + PENDING_BYTES
            } else {
                0
            }
        };
        let (limit, first, second) = match first {
            0 => (kept(limit), 0, second),
            _ => (limit + 2 * PENDING_BYTES, first, second),
        };
        let mut crowd = Crowd::new(limits(|limits| limits.parked_bytes = limit), page);
        crowd.come(3);
        if first > 0 {
            crowd.asks(2, head(first));
        }
        crowd.scene.set(1_000);
        crowd.asks(1, head(second));
        // The oldest is the one whose client has taken nothing for longest, not the one that came
        // first; it may be the last one.
        let oldest = if first > 0 { 2 } else { 1 };
        let expected = if is_too_much { vec![oldest] } else { vec![] };
        assert_eq!(crowd.ends(), ended(expected), "{row}");
        assert_eq!(said(&crowd).len(), usize::from(is_too_much), "{row}");
        let left = match (first, is_too_much) {
            (0, true) => 0,
            (_, true) => kept(second),
            (_, false) => kept(first) + kept(second),
        };
        assert_eq!(crowd.scene.shared.budget.held(), left, "{row}");
        for number in [0, 1, 2] {
            if !crowd.wires[number].link(|link| link.dropped) {
                crowd.wires[number].does(Act::Finishes);
                crowd.asks(number, "");
            }
        }
        assert_eq!(crowd.scene.shared.budget.held(), 0, "{row}");
        assert_eq!(crowd.scene.shared.slots.occupied(), 0, "{row}");
    }
}

#[test]
fn what_counts_as_kept() {
    let shared: Arc<[u8]> = pattern(100_000).into();
    let handler = move |request: &mut Request<'_>| match request.path() {
        "/shared" => Response::new(Status::OK).body(shared.clone()),
        "/static" => Response::new(Status::OK).body(&[b'x'; 100_000][..]),
        "/made" => Response::new(Status::OK).body(pattern(100_000)),
        "/panic" => panic!("a planted panic in a handler"),
        "/wide" => Response::new(Status::OK).stream(Some(50_000), Wide([b'x'; 5_000])),
        "/mined" => Response::new(Status::OK).stream(None, Mined(2)),
        "/writes" => {
            let content = [b'x'; 5_000];
            Response::new(Status::OK).writer(move |out| out.write_all(&content))
        }
        _ => Response::text(PAGE),
    };
    // Path, bytes of content kept while the client has taken 1,000 of them.
    const ROWS: &[(&str, usize)] = &[
        ("/shared", 100_000),
        ("/static", 0),
        ("/made", 100_000),
        ("/made?with=a-longer-target-for-the-log", 100_000),
        ("/wide", 5_000),
    ];
    let mut crowd = Crowd::new(Limits::default(), handler);
    crowd.come(3);
    for &(path, kept) in ROWS {
        crowd.wires[0].room(1_000);
        crowd.asks(0, get(path));
        // The target waits for the log.
        let expected = PENDING_BYTES + path.len() + kept;
        let held = crowd.scene.shared.budget.held();
        // A part of a block that was read is kept as well.
        let block = if path == "/wide" { held - expected } else { 0 };
        assert!(block <= STREAM_BLOCK, "{path}: {held}");
        assert_eq!(held, expected + block, "{path}");
        crowd.wires[0].room(usize::MAX);
        crowd.asks(0, "");
        assert_eq!(crowd.scene.shared.budget.held(), 0, "{path}");
    }
    // Content that several share counts once, until the last of them has it.
    let each = PENDING_BYTES + "/shared".len();
    for number in 1..3 {
        crowd.wires[number].room(1_000);
        crowd.asks(number, get("/shared"));
        assert_eq!(crowd.scene.shared.budget.held(), 100_000 + number * each);
    }
    for (number, left) in [(2, 100_000 + each), (1, 0)] {
        crowd.wires[number].room(usize::MAX);
        crowd.asks(number, "");
        assert_eq!(crowd.scene.shared.budget.held(), left);
    }
    // So is what a writer brings along, until its head is sent.
    crowd.wires[0].room(0);
    crowd.asks(0, get("/writes"));
    let held = crowd.scene.shared.budget.held() - PENDING_BYTES - "/writes".len();
    assert!((5_000..5_500).contains(&held), "{held}");
    crowd.wires[0].room(usize::MAX);
    crowd.asks(0, "");
    assert_eq!(crowd.scene.shared.budget.held(), 0);
    // A small answer that is not taken is kept as it is.
    crowd.asks(0, get("/"));
    crowd.wires[0].got();
    crowd.asks(0, get("/"));
    let whole = crowd.wires[0].got().len();
    crowd.wires[0].room(10);
    crowd.asks(0, get("/"));
    assert_eq!(crowd.scene.shared.budget.held(), PENDING_BYTES + whole - 10);
    crowd.wires[0].room(usize::MAX);
    crowd.asks(0, "");
    assert_eq!(crowd.scene.shared.budget.held(), 0);
    // Panics: with a part of the head kept from before, and in a reader after output that was kept.
    crowd.asks(0, "GET /pan");
    assert_eq!(crowd.scene.shared.budget.held(), PENDING_BYTES + 8);
    crowd.asks(0, "ic HTTP/1.1\r\nHost: a\r\n\r\n");
    assert!(crowd.wires[0].got().contains("HTTP/1.1 500 "));
    assert_eq!(crowd.scene.shared.budget.held(), 0);
    crowd.wires[1].room(100);
    crowd.asks(1, get("/mined"));
    assert!(crowd.scene.shared.budget.held() > PENDING_BYTES);
    crowd.wires[1].room(usize::MAX);
    crowd.asks(1, "");
    assert_eq!(crowd.ends().last(), Some(&(1, CloseReason::Panicked)));
    assert_eq!(crowd.scene.shared.budget.held(), 0);
}

/// Content whose reader is as large as this.
struct Wide([u8; 5_000]);

impl io::Read for Wide {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = buffer.len().min(self.0.len());
        buffer[..count].copy_from_slice(&self.0[..count]);
        Ok(count)
    }
}

/// Content whose reader panics when it is asked once more than so often.
struct Mined(usize);

impl io::Read for Mined {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0 = self.0.checked_sub(1).expect("a planted panic in a reader");
        buffer.fill(b'x');
        Ok(buffer.len())
    }
}

/// Those go first whose clients have taken nothing for longest, as many as it takes.
#[test]
fn one_that_needs_much_costs_as_many_as_it_takes() {
    const CONTENT: usize = 15_000;
    const EACH: usize = PENDING_BYTES + 100;
    const LIMIT: usize = CONTENT + 10 * EACH;
    let handler = |_: &mut Request<'_>| Response::text("x".repeat(CONTENT));
    let mut crowd = Crowd::new(limits(|limits| limits.parked_bytes = LIMIT), handler);
    crowd.come(20);
    crowd.asks(19, get("/"));
    let needed = crowd.wires[19].got().len() - 1_000 + PENDING_BYTES;
    for number in (0..19).rev() {
        crowd.asks(number, format!("GET /{}", "a".repeat(95)));
        crowd.scene.set(1_000 - number as u64);
    }
    // More bytes for the same message do not make it younger.
    crowd.scene.set(1_500);
    crowd.asks(18, "a");
    assert_eq!(crowd.scene.shared.budget.held(), 19 * EACH + 1);
    crowd.wires[19].room(1_000);
    crowd.asks(19, get("/"));
    // The oldest has 101 bytes, each other one 100.
    let stay = (LIMIT - needed) / EACH;
    assert!((1..18).contains(&stay), "{stay}");
    assert_eq!(crowd.ends(), ended((stay..19).rev()));
    assert_eq!(crowd.scene.shared.budget.held(), needed + EACH * stay);
    // Its last byte makes room again.
    crowd.wires[19].room(usize::MAX);
    crowd.asks(19, "");
    assert_eq!(crowd.scene.shared.budget.held(), EACH * stay);
}

/// By the second in which the client last took bytes, then by KiB, then by age.
#[test]
fn the_order_in_which_memory_is_given_up() {
    const GIB: usize = 1 << 30;
    // Since when it waits, and the bytes held for it.
    const ORDER: &[(u64, usize)] = &[
        (999, 1),
        (1_999, 8 * GIB),
        (1_998, 4 * GIB - 1_024),
        (1_999, 4 * GIB - 2_048),
        (1_999, 2_049),
        (1_000, 2_048),
        (1_001, 1_025),
        (1_000, 1_024),
        (1_001, 1),
        (2_000, 1_000_000),
        ((1 << 39) - 1, 1),
    ];
    let holds =
        |(since, held): &(u64, usize)| WaitState::new(WaitKind::Holds, Moment(*since), *held);
    let mut sorted: Vec<_> = ORDER.iter().rev().map(holds).collect();
    sorted.sort_by_key(|wait| wait.shed_order().expect("something is held"));
    // Nothing above 4 GiB is told apart, and there the older comes first.
    let mut expected: Vec<_> = ORDER.iter().map(holds).collect();
    expected.swap(1, 2);
    assert_eq!(sorted, expected);
    for (since, held) in ORDER {
        let wait = holds(&(*since, *held));
        assert_eq!(
            (wait.kind(), wait.since()),
            (WaitKind::Holds, Moment(*since))
        );
        for kind in [WaitKind::Busy, WaitKind::Idle, WaitKind::HalfRequest] {
            let wait = WaitState::new(kind, Moment(*since), 0);
            assert_eq!((wait.kind(), wait.shed_order()), (kind, None));
        }
    }
}

/// Whoever comes, and however many: at no time is more than the limit held.
#[test]
fn made_answers_are_given_up_when_others_are_made() {
    const EACH: usize = PENDING_BYTES + 50_000 + 1;
    let handler = |_: &mut Request<'_>| Response::new(Status::OK).body(pattern(50_000));
    let asks = |crowd: &mut Crowd, number: usize| {
        crowd.wires[number].room(1_000);
        crowd.asks(number, get("/"));
    };
    let mut crowd = Crowd::new(limits(|limits| limits.parked_bytes = 2 * EACH), handler);
    let many = 3 * CLOSED_AT_ONCE + 2;
    crowd.come(many);
    for number in 0..many {
        asks(&mut crowd, number);
        assert_eq!(crowd.scene.shared.budget.held(), EACH * 2.min(number + 1));
    }
    assert_eq!(crowd.ends(), ended(0..many - 2));
    assert_eq!(said(&crowd).len(), 1);

    // One byte taken is a sign of life.
    let mut crowd = Crowd::new(limits(|limits| limits.parked_bytes = 2 * EACH), handler);
    crowd.come(3);
    asks(&mut crowd, 0);
    asks(&mut crowd, 1);
    crowd.scene.set(crowd.scene.ms() + 1_000);
    crowd.wires[0].room(1);
    crowd.asks(0, "");
    asks(&mut crowd, 2);
    assert_eq!(crowd.ends(), ended([1]));
}

/// The collected bodies of all requests take at most half of the limit, those apart that fit into a
/// worker's buffer.
#[test]
fn collected_bodies_are_bounded() {
    // The limit, the length of the body, and the status.
    const ROWS: &[(usize, usize, &str)] = &[
        (80_000, 40_000, "200"),
        (79_999, 40_000, "503"),
        (80_001, 40_000, "200"),
        (2, PREFETCH_BYTES, "200"),
        (2, PREFETCH_BYTES + 1, "503"),
    ];
    let handler = |request: &mut Request<'_>| match request.body().collect() {
        Ok(body) => Response::text(body.len().to_string()),
        Err(error) => error.into_response(),
    };
    for &(limit, length, status) in ROWS {
        let row = format!("{length} of {limit}");
        let mut crowd = Crowd::new(limits(|limits| limits.parked_bytes = limit), handler);
        crowd.come(1);
        crowd.asks(0, post("/", "x".repeat(length)));
        let answer = crowd.wires[0].got();
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status} ")),
            "{row}: {answer}"
        );
        assert_eq!(said(&crowd).len(), usize::from(status == "503"), "{row}");
        assert_eq!(crowd.scene.shared.budget.held(), 0, "{row}");
    }
}

/// A program may make an answer of any size.
#[test]
fn one_answer_may_be_larger_than_the_limit() {
    let handler = |_: &mut Request<'_>| Response::new(Status::OK).body(pattern(50_000));
    let rest = PENDING_BYTES + 1;
    // The limit, and how many are cut when two ask: the first of more than half of the limit does
    // not count.
    for (limit, cut, counted) in [
        (49_999, 1, 0),
        (50_000 + 2 * rest - 1, 1, 0),
        (50_000 + 2 * rest, 0, 50_000),
        (99_999, 0, 50_000),
        (100_000, 1, 50_000),
        (100_000 + 2 * rest, 0, 100_000),
    ] {
        let mut crowd = Crowd::new(limits(|limits| limits.parked_bytes = limit), handler);
        crowd.come(2);
        for number in 0..2 {
            assert_eq!(crowd.ends(), [], "{limit}");
            crowd.wires[number].room(1_000);
            crowd.asks(number, get("/"));
        }
        assert_eq!(crowd.ends().len(), cut, "{limit}");
        let held = counted + (2 - cut) * rest;
        assert_eq!(crowd.scene.shared.budget.held(), held, "{limit}");
        for number in 0..2 {
            if !crowd.wires[number].link(|link| link.dropped) {
                crowd.wires[number].room(usize::MAX);
                crowd.asks(number, "");
                assert!(crowd.wires[number].got().len() > 50_000, "{limit}");
            }
        }
        assert_eq!(crowd.scene.shared.budget.held(), 0, "{limit}");
    }
}

#[test]
fn each_address_has_as_many_connections_as_it_may() {
    let mut crowd = Crowd::new(limits(|limits| limits.connections_per_ip = Some(2)), page);
    let at = |address: &str| Some(address.parse::<SocketAddr>().expect("an address"));
    // Address, whether one more of it is taken in.
    let rows = [
        ("127.0.0.1:1", true),
        ("127.0.0.1:2", true),
        ("127.0.0.1:3", false),
        ("127.0.0.2:1", true),
        ("[::ffff:127.0.0.2]:2", true),
        ("127.0.0.2:3", false),
        ("[2001:db8:0:1::1]:1", true),
        ("[2001:db8:0:1:ffff:ffff:ffff:ffff]:1", true),
        ("[2001:db8:0:1::3]:1", false),
        ("[2001:db8:0:2::1]:1", true),
    ];
    for (number, (address, is_taken)) in rows.into_iter().enumerate() {
        crowd.comes(at(address));
        crowd.wires[number].sends(get("/"));
        if is_taken {
            crowd.asks(number, "");
        }
        let answer = crowd.wires[number].got();
        let status = if is_taken { "200" } else { "503" };
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status} ")),
            "{address}: {answer}"
        );
        assert_eq!(
            crowd.wires[number].link(|link| link.dropped),
            !is_taken,
            "{address}"
        );
    }
    // A Unix-domain socket's other end has no address.
    for _ in 0..5 {
        let number = crowd.comes(None);
        assert!(!crowd.wires[number].link(|link| link.dropped));
    }
    assert_eq!(crowd.scene.shared.per_ip.addresses(), 4);
    assert_eq!(
        said(&crowd),
        ["too many connections from 127.0.0.1 (limit 2): more are turned away"]
    );
    // One goes, one may come, and no more than one.
    crowd.wires[0].does(Act::Finishes);
    crowd.asks(0, "");
    let (next, one_too_many) = (
        crowd.comes(at("127.0.0.1:4")),
        crowd.comes(at("127.0.0.1:5")),
    );
    assert!(!crowd.wires[next].link(|link| link.dropped));
    assert!(crowd.wires[one_too_many].link(|link| link.dropped));
    for number in 0..one_too_many {
        if !crowd.wires[number].link(|link| link.dropped) {
            crowd.wires[number].does(Act::Finishes);
            crowd.asks(number, "");
        }
    }
    assert_eq!(crowd.scene.shared.per_ip.addresses(), 0);
}

/// Who is turned away for another reason, or evicted, is not counted either.
#[test]
fn a_count_by_address_is_given_back() {
    let both = |limits: &mut Limits| (limits.connections, limits.connections_per_ip) = (2, Some(2));
    let mut crowd = Crowd::new(limits(both), page);
    let of = |octet: u8, port: u16| Some(SocketAddr::from(([127, 0, 0, octet], port)));
    for number in 0..2 {
        crowd.comes(of(1, number as u16));
        crowd.asks(number, "GET /half");
    }
    for port in 0..5 {
        crowd.comes(of(2, port));
    }
    assert_eq!(crowd.scene.shared.per_ip.addresses(), 1);
    for number in 0..2 {
        crowd.asks(number, " HTTP/1.1\r\nHost: a\r\n\r\n");
    }
    for port in 0..5 {
        crowd.scene.set(1_000 + u64::from(port));
        let number = crowd.comes(of(2, port));
        assert_eq!(
            crowd.wires[number].link(|link| link.dropped),
            port >= 2,
            "{port}"
        );
    }
    assert_eq!(crowd.scene.shared.per_ip.addresses(), 1);
}

/// RFC 4291 §2.5.1: "Interface IDs are required to be 64 bits long".
#[test]
fn what_an_address_is_counted_as() {
    for (address, expected) in [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::", "2001:db8:1:3::/64"),
        ("fe80::1", "fe80::/64"),
        ("::1", "::/64"),
        // RFC 4291 §2.5.5.1: an IPv4-compatible address is deprecated, and an IPv6 one like any
        // other.
        ("::192.0.2.1", "::/64"),
        ("64:ff9b::192.0.2.1", "64:ff9b::/64"),
    ] {
        let counted = counted_as(address.parse().expect("an address"));
        assert_eq!(shown(counted), expected, "{address}");
    }
}

#[test]
fn each_trouble_is_told_of_once_a_minute() {
    let small = |limits: &mut Limits| {
        (limits.connections, limits.connections_per_ip) = (1, Some(1));
        limits.parked_bytes = PENDING_BYTES + 10;
    };
    let mut crowd = Crowd::new(limits(small), page);
    let of = |octet: u8| Some(SocketAddr::from(([127, 0, 0, octet], 1)));
    let kinds = [
        "too many connections (limit 1): idle ones are closed",
        "too many connections (limit 1): new ones are turned away",
        "too many connections from 127.0.0.",
        "too much is kept for connections that wait (limit ",
    ];
    for (ms, times) in [(0, 1), (59_999, 1), (60_000, 2), (119_999, 2), (120_000, 3)] {
        crowd.scene.set(ms);
        crowd.comes(of(1));
        crowd.ages();
        let busy = crowd.comes(of(2));
        crowd.asks(busy, "GET /");
        crowd.comes(of(3));
        crowd.comes(of(2));
        crowd.asks(busy, "abcdefg");
        assert!(crowd.wires[busy].link(|link| link.dropped));
        for kind in kinds {
            let said = said(&crowd);
            let count = said.iter().filter(|why| why.starts_with(kind)).count();
            assert_eq!(count, times, "{kind}, {ms} ms: {said:#?}");
        }
    }
    // A listener that cannot accept rests in between.
    for (ms, times) in [(0, 1), (59_900, 1), (60_000, 2), (119_900, 2), (120_000, 3)] {
        crowd.scene.set(200_000 + ms);
        crowd
            .scene
            .system
            .state()
            .fail_accepts([ErrorKind::Other.into()]);
        crowd.scene.at(crowd.scene.ms());
        assert!(crowd.scene.reports(None));
        let said = said(&crowd);
        let count = said
            .iter()
            .filter(|why| why.starts_with("cannot accept ("))
            .count();
        assert_eq!(count, times, "{ms} ms: {said:#?}");
    }
}
