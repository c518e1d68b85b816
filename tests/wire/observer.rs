//! What an observer hears of all this.

use crate::harness::{Gate, PAGE, on_each_backend};
use crate::support::bytes::pattern;
use crate::support::client::{AND_CLOSE, Client, get, post};
use crate::support::eventually;
use crate::support::recorder::{Event, Recorder};
use crate::support::temporary::Temporary;
use doorstep::{
    CloseReason, Method, Observer, Reject, Request, RequestEvent, Response, Status, Version, Writer,
};
use std::io::{self, Cursor, Read, Write};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

#[test]
fn an_observer_hears_everything_once_and_in_order() {
    let scratch = Temporary::file(&pattern(300_000));
    on_each_backend(|stage| {
        let recorder = Recorder::default();
        let path = scratch.to_path_buf();
        let handler = move |request: &mut Request<'_>| match request.path() {
            "/missing" => {
                Response::status_page(Status::NOT_FOUND).with_log_reason("there is no such thing")
            }
            "/memory" => Response::new(Status::OK).body(pattern(100_000)),
            "/stream" => Response::new(Status::OK).stream(None, Cursor::new(pattern(1_000))),
            "/file" => {
                let file = std::fs::File::open(&path).expect("the scratch file");
                Response::new(Status::OK).file(file, 0, 300_000)
            }
            _ => Response::text(PAGE),
        };
        let server = stage
            .server()
            .observer(recorder.clone())
            .spawn(handler)
            .unwrap();
        let mut client = Client::connect(server.addr());
        let peer = Some(client.address());
        let page = PAGE.len() as u64;
        // Target, method, version, status, bytes of content (`None`: with framing, so not told
        // here), reason.
        let rows = [
            ("/", Method::Get, Version::Http11, 200, Some(page), None),
            ("/a?b=c", Method::Head, Version::Http11, 200, Some(0), None),
            (
                "/missing",
                Method::Get,
                Version::Http11,
                404,
                None,
                Some("there is no such thing"),
            ),
            (
                "/post",
                Method::Post,
                Version::Http11,
                200,
                Some(page),
                None,
            ),
            (
                "/memory",
                Method::Get,
                Version::Http11,
                200,
                Some(100_000),
                None,
            ),
            ("/stream", Method::Get, Version::Http11, 200, None, None),
            (
                "/file",
                Method::Get,
                Version::Http11,
                200,
                Some(300_000),
                None,
            ),
            ("/old", Method::Get, Version::Http10, 200, Some(page), None),
        ];
        for (target, method, version, ..) in &rows {
            match (method, version) {
                (Method::Post, _) => client.send(post(target, "some content")),
                (_, Version::Http10) => {
                    client.send(format!(
                        "GET {target} HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"
                    ));
                }
                (method, _) => client.send(get(target).replace("GET", &method.to_string())),
            }
            match method {
                Method::Head => client.head(),
                _ => client.answer().head,
            };
        }
        client.send("GET / HTTP/1.1\r\nHost : x\r\n\r\n");
        assert_eq!(client.answer().status, 400);
        client.ends();
        drop(client);
        recorder.hears_ends(1);
        let reject = Reject::SpaceBeforeColon;
        let mut events = recorder.events().into_iter();
        assert_eq!(events.next(), Some(Event::Accepted(peer)));
        for (target, method, version, status, bytes, reason) in rows {
            let heard = events.next();
            let Some(Event::Request { bytes: sent, .. }) = heard else {
                panic!("{heard:?} instead of the request for {target}");
            };
            let expected = Event::Request {
                peer,
                method,
                target: target.to_string(),
                version,
                status: Status::from_code(status).expect("a status"),
                bytes: bytes.unwrap_or(sent),
                reason,
            };
            assert_eq!(heard, Some(expected));
            assert!(bytes.is_some() || sent > 100, "{target}: {sent}");
        }
        let rest: Vec<_> = events.collect();
        let expected = [
            Event::Rejected(peer, reject, Status::BAD_REQUEST),
            Event::Closed(peer, CloseReason::Rejected(reject)),
        ];
        assert_eq!(rest, expected);
    });
}

/// How long a request took, and when it was done.
#[derive(Clone, Default)]
struct Times(Arc<Mutex<Vec<(Duration, SystemTime)>>>);

impl Observer for Times {
    fn request(&self, event: &RequestEvent<'_>) {
        self.0.lock().unwrap().push((event.duration, event.time));
    }
}

#[test]
fn a_request_takes_as_long_as_its_handler_at_least() {
    const WORK: Duration = Duration::from_millis(50);
    on_each_backend(|stage| {
        let times = Times::default();
        let work = |_: &mut Request<'_>| {
            std::thread::sleep(WORK);
            PAGE
        };
        let server = stage.server().observer(times.clone()).spawn(work).unwrap();
        let begun = SystemTime::now();
        let mut client = Client::connect(server.addr());
        // Heard before the bytes go out, so both are known when the second answer is here.
        client.send(get("/").repeat(2));
        (0..2).for_each(|_| assert_eq!(client.answer().text(), PAGE));
        let ended = SystemTime::now();
        for (duration, time) in &*times.0.lock().unwrap() {
            assert!(*duration >= WORK, "{duration:?}");
            assert!((begun..=ended).contains(time));
        }
    });
}

/// The path of each request, how long it took, and how long it waited for a worker.
#[derive(Clone, Default)]
struct Waits(Arc<Mutex<Vec<(String, Duration, Duration)>>>);

impl Observer for Waits {
    fn request(&self, event: &RequestEvent<'_>) {
        let target = event.target.to_string();
        self.0
            .lock()
            .unwrap()
            .push((target, event.duration, event.waited));
    }
}

#[test]
fn a_request_takes_from_its_arrival_on() {
    const WAIT: Duration = Duration::from_millis(100);
    // The system counts in steps of this at most.
    const STEP: Duration = Duration::from_millis(10);
    on_each_backend(|stage| {
        let (waits, gate) = (Waits::default(), Gate::default());
        let inside = gate.clone();
        let handler = move |request: &mut Request<'_>| {
            if request.path() == "/wait" {
                inside.pass();
            }
            PAGE
        };
        let server = stage.server().workers(1).observer(waits.clone());
        let server = server.spawn(handler).unwrap();
        let mut blocked = Client::connect(server.addr());
        blocked.send(get("/wait"));
        gate.holds(1);
        let mut waiting = Client::connect(server.addr());
        assert_eq!(server.stats().behind, None);
        waiting.send(get("/"));
        // Nobody waits for the worker until the housekeeper has seen it.
        assert!(eventually(|| server.stats().behind.is_some()));
        let stats = server.stats();
        assert_eq!((stats.workers, stats.workers_in_handlers), (1, 1));
        assert_eq!(stats.connections, 1, "the other waits to be accepted");
        std::thread::sleep(WAIT);
        gate.open();
        assert_eq!(blocked.answer().text(), PAGE);
        assert_eq!(waiting.answer().text(), PAGE);
        // Whoever comes later has not waited.
        assert!(eventually(|| server.stats().behind.is_none()));
        assert_eq!(waiting.ask("/later").text(), PAGE);
        drop(server);
        let heard = waits.0.lock().unwrap();
        let [
            (first, _, no_wait),
            (second, took, waited),
            (third, _, later),
        ] = &heard[..]
        else {
            panic!("{heard:?}");
        };
        assert_eq!([first, second, third], ["/wait", "/", "/later"]);
        assert_eq!(*no_wait, Duration::ZERO);
        assert!(
            *waited >= WAIT - STEP && took >= waited,
            "{waited:?} of {took:?}"
        );
        assert!(*later < WAIT, "{later:?}");
    });
}

/// A target, and the error of the body.
type Heard = (String, Option<String>);

/// Keeps the errors of bodies, by target.
#[derive(Clone, Default)]
struct Errors(Arc<Mutex<Vec<Heard>>>);

impl Observer for Errors {
    fn request(&self, event: &RequestEvent<'_>) {
        let error = event.error.map(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => "it ended early".to_string(),
            _ => error.to_string(),
        });
        assert!(!(event.complete && error.is_some()), "{event:?}");
        let heard = (event.target.to_string(), error);
        self.0.lock().unwrap().push(heard);
    }
}

/// Gives some bytes, and fails.
struct Failing(bool);

impl Read for Failing {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match std::mem::replace(&mut self.0, true) {
            true => Err(io::Error::other("the reader's own")),
            false => {
                buffer[..5].copy_from_slice(b"begun");
                Ok(5)
            }
        }
    }
}

#[test]
fn the_error_of_a_body_is_heard_of() {
    let scratch = Temporary::file(&pattern(70_000));
    on_each_backend(|stage| {
        let path = scratch.to_path_buf();
        let fails = |out: &mut Writer<'_>| {
            out.write_all(b"begun")?;
            Err(io::Error::other("the writer's own"))
        };
        let handler = move |request: &mut Request<'_>| {
            let ok = Response::new(Status::OK);
            match request.path() {
                "/reader" => ok.stream(None, Failing(false)),
                "/short" => ok.stream(Some(10), Cursor::new("begun")),
                "/writer" => ok.writer(fails),
                "/detached" => ok.detached(fails),
                "/file" => {
                    let file = std::fs::File::open(&path).expect("the scratch file");
                    ok.file(file, 0, 70_001)
                }
                "/fine" => ok.stream(None, Cursor::new("fine")),
                _ => ok.stream(None, io::repeat(b'x')),
            }
        };
        let errors = Errors::default();
        let server = stage
            .server()
            .observer(errors.clone())
            .spawn(handler)
            .unwrap();
        let rows = [
            ("/reader", Some("the reader's own")),
            ("/short", Some("it ended early")),
            ("/writer", Some("the writer's own")),
            ("/detached", Some("the writer's own")),
            ("/file", Some("it ended early")),
            ("/fine", None),
            // It is the client that ends this one.
            ("/endless", None),
        ];
        for (number, (target, _)) in rows.iter().enumerate() {
            let mut client = Client::connect(server.addr());
            client.send(get(target).replace("\r\n\r\n", AND_CLOSE));
            client.some().expect("the beginning of a response");
            match *target {
                "/endless" => drop(client),
                _ => drop(client.rest()),
            }
            assert!(
                eventually(|| errors.0.lock().unwrap().len() > number),
                "{target}"
            );
        }
        let expected = rows.map(|(target, error)| (target.to_string(), error.map(str::to_string)));
        assert_eq!(*errors.0.lock().unwrap(), expected);
    });
}
