//! A server that has no room for more, with every moment chosen: who has to go, in which order, and who hears of it.

use crate::client::{get, post};
use crate::crowd::Crowd;
use crate::stage::{Event, PAGE, page, pattern};
use doorstep::{CloseReason, Limits, Request, Response, Status};
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::sync::Arc;

const OVERLOAD: CloseReason = CloseReason::Overload;

fn limits(change: impl FnOnce(&mut Limits)) -> Limits {
    let mut limits = Limits::default();
    change(&mut limits);
    limits
}

/// The error that a system gives under this number; elsewhere than on Linux the numbers of the first two are the same.
fn numbered(number: i32) -> io::Error {
    io::Error::from_raw_os_error(number)
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
        // Whoever was served in between is no longer the oldest, however early it came.
        let served = usize::from(most > evicted);
        if served == 1 {
            crowd.asks(0, get("/"));
        }
        crowd.come(1);
        assert_eq!(crowd.ends(), ended(served..served + evicted), "{most}");
        crowd.asks(most, get("/"));
        assert!(
            crowd.got(most).ends_with(PAGE),
            "{most}: the new one is served"
        );
        // What was freed beyond that needs no eviction.
        crowd.come(evicted - 1);
        assert_eq!(crowd.ends().len(), evicted, "{most}");
        crowd.come(1);
        assert_eq!(crowd.ends().len(), 2 * evicted, "{most}");
    }
}

#[test]
fn a_connection_in_a_message_is_never_evicted() {
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
    crowd.asks(0, half_head);
    crowd.asks(1, half_post);
    crowd.takes(2, 0);
    crowd.asks(2, get("/"));
    for (number, path) in [(3, "/shared"), (4, "/made"), (5, "/stream")] {
        crowd.takes(number, 1_000);
        crowd.asks(number, get(path));
    }
    // Lingers: what it has been told is not read yet.
    crowd.asks(6, "NOT HTTP\r\n\r\n");
    // One that was served, and one that has never sent an octet, which is the older of the two.
    crowd.at(100);
    crowd.asks(7, get("/"));
    crowd.at(200);
    crowd.come(3);
    assert_eq!(crowd.ends(), ended([8, 7, 9]));
    crowd.asks(10, half_head);
    crowd.asks(11, half_head);
    // Nobody is idle now.
    let accepted = |crowd: &Crowd| {
        let is_accept = |event: &&Event| matches!(event, Event::Accepted(_));
        crowd.recorder.events().iter().filter(is_accept).count()
    };
    let before = accepted(&crowd);
    crowd.come(2);
    for number in [12, 13] {
        let answer = crowd.got(number);
        assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
        assert!(answer.contains("\r\nRetry-After: 1\r\n"), "{answer}");
        assert!(answer.contains("\r\nConnection: close\r\n"), "{answer}");
        assert!(crowd.is_gone(number));
    }
    assert_eq!(accepted(&crowd), before, "who is turned away was never in");
    assert_eq!(crowd.ends().len(), 3);
    // All the others get what they asked for.
    crowd.got(0);
    crowd.asks(0, rest_of_head);
    crowd.asks(1, rest_of_post);
    for number in [2, 3, 4] {
        crowd.takes(number, usize::MAX);
        crowd.is_ready(number);
    }
    for (number, length) in [
        (0, PAGE.len()),
        (1, PAGE.len()),
        (2, PAGE.len()),
        (3, 100_000),
    ] {
        let answer = crowd.got(number);
        assert!(answer.starts_with("HTTP/1.1 200 "), "{number}: {answer}");
        assert!(answer.len() > length, "{number}");
    }
    // And as they are idle from then on, there is room again.
    crowd.come(1);
    assert_eq!(crowd.ends().len(), 4);
}

#[test]
fn a_request_that_has_arrived_saves_its_connection() {
    let mut crowd = Crowd::new(limits(|limits| limits.connections = 3), page);
    crowd.come(3);
    crowd.asks(0, get("/"));
    crowd.got(0);
    // Nobody has come to read these yet.
    crowd.sends(1, get("/"));
    crowd.sends(2, "G");
    crowd.come(1);
    assert_eq!(crowd.ends(), ended([0]), "1 and 2 would have been older");
    crowd.closes(3);
    crowd.come(1);
    assert!(crowd.got(4).starts_with("HTTP/1.1 503 "));
    assert_eq!(crowd.ends(), ended([0]));
    crowd.is_ready(1);
    assert!(crowd.got(1).ends_with(PAGE));
    crowd.asks(2, &get("/")[1..]);
    assert!(crowd.got(2).ends_with(PAGE));
    crowd.is_ready(3);
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
        crowd.takes(number, 1_000);
        crowd.asks(number, get("/"));
    }
    crowd.at(200);
    crowd.come(2);
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

/// Idle connections make room for one accept more, at once. Without one, the listener rests for 100 ms.
#[cfg(unix)]
#[test]
fn an_accept_without_descriptors_evicts_or_rests() {
    for &(name, error, helps, words) in SHORTAGES {
        let mut crowd = Crowd::new(Limits::default(), page);
        crowd.come(40);
        crowd.asks(0, get("/"));
        crowd.asks(39, "GET /half");
        crowd.at(1_000);
        // One failure: 32 connections are closed, and the new one is in.
        crowd.knocks(Crowd::peer(40));
        crowd.fails([error()]);
        assert!(crowd.door(), "{name}");
        if helps {
            assert_eq!(crowd.accepts(), 2, "{name}");
            assert_eq!(crowd.ends(), ended(1..33), "{name}: the oldest idle ones");
            crowd.asks(40, get("/"));
            assert!(crowd.got(40).ends_with(PAGE), "{name}");
        }
        // It does not help: what is idle is closed once, and then there is a rest.
        crowd.fails((0..100).map(|_| error()));
        crowd.knocks(Crowd::peer(41));
        crowd.at(2_000);
        let before = crowd.accepts();
        if helps {
            assert!(crowd.door(), "{name}: the listener was armed at once");
            assert_eq!(crowd.accepts(), before + 2, "{name}");
            let mut all: Vec<_> = crowd.ends().iter().map(|(number, _)| *number).collect();
            all.sort_unstable();
            let idle = (0..39).chain([40]);
            assert!(all.into_iter().eq(idle), "{name}: the half one is busy");
        }
        let start = if helps { 2_000 } else { 1_000 };
        let mut before = crowd.accepts();
        for round in 1..=20 {
            crowd.at(start + 100 * round - 1);
            crowd.is_swept();
            assert!(!crowd.door(), "{name}: it rests for 100 ms");
            crowd.at(start + 100 * round);
            crowd.is_swept();
            assert!(crowd.door(), "{name}: and no longer");
            before += 1;
            assert_eq!(crowd.accepts(), before, "{name}: one accept a rest");
        }
        let told = crowd.said();
        assert!(
            told.iter()
                .any(|why| why.starts_with(words) && why.ends_with(": new connections wait")),
            "{name}: {told:?}"
        );
        // Everybody who waited is served.
        let failures = 100 - crowd.accepts();
        assert!(failures > 0);
        crowd.asks(39, " HTTP/1.1\r\nHost: a\r\n\r\n");
        assert!(crowd.got(39).ends_with(PAGE), "{name}");
    }
}

#[test]
fn each_trouble_is_told_of_once_a_minute() {
    let small = |limits: &mut Limits| {
        limits.connections = 1;
    };
    let mut crowd = Crowd::new(limits(small), page);
    let of = |octet: u8| Some(SocketAddr::from(([127, 0, 0, octet], 1)));
    let kinds = [
        "too many connections (limit 1): idle ones are closed",
        "too many connections (limit 1): new ones are turned away",
    ];
    for (ms, times) in [(0, 1), (59_999, 1), (60_000, 2), (119_999, 2), (120_000, 3)] {
        crowd.at(ms);
        crowd.comes(of(1));
        let busy = crowd.comes(of(2));
        crowd.asks(busy, "GET /");
        crowd.comes(of(3));
        crowd.comes(of(2));
        crowd.closes(busy);
        crowd.is_ready(busy);
        for kind in kinds {
            let said = crowd.said();
            let count = said.iter().filter(|why| why.starts_with(kind)).count();
            assert_eq!(count, times, "{kind}, {ms} ms: {said:#?}");
        }
    }
    // A listener that cannot accept rests in between.
    for (ms, times) in [(0, 1), (59_900, 1), (60_000, 2), (119_900, 2), (120_000, 3)] {
        crowd.at(200_000 + ms);
        crowd.fails([ErrorKind::Other.into()]);
        crowd.is_swept();
        assert!(crowd.door());
        let said = crowd.said();
        let count = said
            .iter()
            .filter(|why| why.starts_with("cannot accept ("))
            .count();
        assert_eq!(count, times, "{ms} ms: {said:#?}");
    }
}
