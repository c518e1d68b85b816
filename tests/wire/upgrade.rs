//! Connections that go on in another protocol.

use crate::harness::on_each_backend;
use crate::scripted::{Outcome, Script, Scripts, Step::*};
use crate::support::bytes::pattern;
use crate::support::client::{Client, get};
use crate::support::in_time;
use crate::support::recorder::{Event, Recorder};
use doorstep::{CloseReason, Handler, Limits, Request, Response, Status, Timeouts};
use std::io::{ErrorKind, Read, Write};
use std::net::Shutdown;
use std::time::Duration;

/// A time that is over soon.
const SHORT: Duration = Duration::from_millis(200);
const OFFER: &str =
    "GET /echo HTTP/1.1\r\nHost: localhost\r\nConnection: upgrade\r\nUpgrade: echo/1\r\n\r\n";

/// Goes on in `echo/1` where the path says so, and otherwise answers with the path.
fn stage_of(scripts: &Scripts) -> impl Handler + use<> {
    let scripts = scripts.clone();
    move |request: &mut Request<'_>| {
        let answer = Response::new(Status::OK);
        match request.path() {
            "/echo" => {
                let scripted = scripts.take();
                answer.upgrade("echo/1", |peer| scripted.play(peer))
            }
            "/detached" => {
                let scripted = scripts.take();
                answer.detached(|out| scripted.play(out))
            }
            path => answer.body(path.to_string()),
        }
    }
}

/// Connects and goes on in the other protocol.
#[track_caller]
fn begin(client: &mut Client, scripts: &Scripts) -> Script {
    let script = scripts.add();
    client.send(OFFER);
    assert_eq!(client.answer().status, 101);
    script.runs();
    script
}

/// Requests that an observer heard of: what for, and how they were answered.
fn requests(events: &[Event]) -> Vec<(&str, u16)> {
    let request = |event| match event {
        &Event::Request {
            ref target, status, ..
        } => Some((&target[..], status.code())),
        _ => None,
    };
    events.iter().filter_map(request).collect()
}

/// RFC 9110 §7.8, RUSTSEC-2026-0033: what comes after the request is the other protocol's, in
/// whatever segment it comes.
#[test]
fn bytes_after_the_request_are_handed_over() {
    on_each_backend(|stage| {
        let (scripts, recorder) = (Scripts::default(), Recorder::default());
        let server = stage.server().workers(1).observer(recorder.clone());
        let server = server.spawn(stage_of(&scripts)).unwrap();
        let mut client = Client::connect(server.addr());
        let script = scripts.add();
        let like_a_request = get("/evil");
        client.send(OFFER.to_string() + &like_a_request);
        let head = client.head();
        assert_eq!(head.status, 101);
        assert_eq!(head.header_value("Connection"), Some("upgrade"));
        assert_eq!(head.header_value("Upgrade"), Some("echo/1"));
        recorder.hears("the request, before its protocol ends", |events| {
            requests(events) == [("/echo", 101)]
        });
        script.reads(&like_a_request);
        client.send("to and ");
        script.reads("to and ");
        script.does(Write("fro"));
        client.expects(b"fro");
        client.send(&like_a_request);
        script.reads(&like_a_request);
        // Other clients have the worker to themselves.
        assert_eq!(Client::connect(server.addr()).ask("/").text(), "/");
        script.does(Write("bye"));
        script.begins(End);
        client.expects(b"bye");
        // Its side is closed in good order, and the client need not have been first.
        client.ends();
        client.send("what nobody reads");
        drop(client);
        recorder.hears_closed(CloseReason::Upgraded);
        assert_eq!(requests(&recorder.events()), [("/echo", 101), ("/", 200)]);
    });
}

#[test]
fn much_goes_both_ways() {
    const LENGTH: usize = 4 << 20;
    let echo = |_: &mut Request<'_>| {
        Response::new(Status::SWITCHING_PROTOCOLS).upgrade("echo/1", |peer| {
            assert!(peer.peer_addr().is_some());
            let mut octets = vec![0; 40_000];
            loop {
                match peer.read(&mut octets)? {
                    0 => return Ok(()),
                    count => peer.write_all(&octets[..count])?,
                }
            }
        })
    };
    on_each_backend(|stage| {
        let server = stage.server().spawn(echo).unwrap();
        let mut client = Client::connect(server.addr());
        let content = pattern(LENGTH);
        // More than one read of the server's after the head.
        client.send([OFFER.as_bytes(), &content[..30_000]].concat());
        let mut other = client.also();
        let rest = content[30_000..].to_vec();
        let sending = std::thread::spawn(move || {
            other.send(rest);
            other.shutdown(Shutdown::Write);
        });
        assert_eq!(client.answer().status, 101);
        let mut came = Vec::new();
        loop {
            match client.some().unwrap() {
                [] => break,
                octets => came.extend_from_slice(octets),
            }
        }
        sending.join().unwrap();
        assert!(came == content, "{} bytes of {LENGTH}", came.len());
    });
}

/// RFC 9110 §15.5.22, RUSTSEC-2026-0033: the connection is HTTP's as before, and so is what lies
/// after the request.
#[test]
fn a_client_that_does_not_offer_the_protocol_stays() {
    let rows = [
        ("no offer", "HTTP/1.1", ""),
        ("no option", "HTTP/1.1", "Upgrade: echo/1\r\n"),
        ("no protocol", "HTTP/1.1", "Connection: upgrade\r\n"),
        (
            "another version",
            "HTTP/1.1",
            "Connection: upgrade\r\nUpgrade: echo/2, websocket\r\n",
        ),
        (
            "HTTP/1.0",
            "HTTP/1.0",
            "Connection: keep-alive, upgrade\r\nUpgrade: echo/1\r\n",
        ),
    ];
    on_each_backend(|stage| {
        let (scripts, recorder) = (Scripts::default(), Recorder::default());
        let server = stage.server().observer(recorder.clone());
        let server = server.spawn(stage_of(&scripts)).unwrap();
        for (name, version, fields) in rows {
            let _unused = scripts.add();
            let mut client = Client::connect(server.addr());
            let offer = format!("GET /echo {version}\r\nHost: localhost\r\n{fields}\r\n");
            client.send(offer + &get("/after"));
            let answer = client.answer();
            assert_eq!(answer.status, 426, "{name}");
            assert_eq!(answer.header_value("Upgrade"), Some("echo/1"), "{name}");
            let options = answer.header_value("Connection").unwrap_or_default();
            assert!(options.ends_with("upgrade"), "{name}: {options}");
            assert_eq!(client.answer().text(), "/after", "{name}");
        }
        recorder.hears("why", |events| {
            events.iter().any(|event| {
                matches!(
                    event,
                    Event::Request {
                        reason: Some("the client does not offer this protocol"),
                        ..
                    }
                )
            })
        });
    });
}

#[test]
fn content_is_read_before_another_protocol_begins() {
    let handler = |request: &mut Request<'_>| {
        if request.path() == "/read" {
            assert_eq!(request.body().collect().expect("content"), b"hello");
        }
        Response::new(Status::OK).upgrade("echo/1", |peer| peer.write_all(b"other"))
    };
    let rows = [
        ("a length", "Content-Length: 5\r\n", "hello"),
        (
            "chunks",
            "Transfer-Encoding: chunked\r\n",
            "5\r\nhello\r\n0\r\n\r\n",
        ),
    ];
    on_each_backend(|stage| {
        let recorder = Recorder::default();
        let server = stage.server().observer(recorder.clone());
        let server = server.spawn(handler).unwrap();
        for (name, field, content) in rows {
            let post = |path: &str| {
                let offer = OFFER.replace("GET /echo", &format!("POST {path}"));
                offer.replace("\r\n\r\n", &format!("\r\n{field}\r\n{content}"))
            };
            let mut client = Client::connect(server.addr());
            client.send(post("/unread") + &post("/read"));
            assert_eq!(client.answer().status, 500, "{name}");
            assert_eq!(client.answer().status, 101, "{name}");
            client.expects(b"other");
            client.ends();
        }
        let why = "an upgrade with content left unread";
        let told = |event: &Event| matches!(event, Event::Request { reason: Some(this), .. } if *this == why);
        assert_eq!(
            recorder.events().iter().filter(|event| told(event)).count(),
            2
        );
    });
}

/// What a program answers that is no upgrade, whatever it says.
#[test]
fn an_upgrade_that_cannot_be_is_a_fault() {
    let handler = |request: &mut Request<'_>| {
        let upgrade = |protocol| Response::new(Status::OK).upgrade(protocol, |_| Ok(()));
        match request.path() {
            "/status" => doorstep::IntoResponse::into_response((Status::OK, upgrade("echo/1"))),
            "/name" => upgrade("echo/1\r\nX: y"),
            "/names" => upgrade("echo/1, echo/2"),
            _ => Response::new(Status::SWITCHING_PROTOCOLS),
        }
    };
    on_each_backend(|stage| {
        let server = stage.server().spawn(handler).unwrap();
        let mut client = Client::connect(server.addr());
        for path in ["/status", "/name", "/names", "/bare"] {
            client.send(OFFER.replace("/echo", path));
            assert_eq!(client.answer().status, 500, "{path}");
        }
    });
}

#[test]
fn either_side_may_close_first() {
    on_each_backend(|stage| {
        let (scripts, recorder) = (Scripts::default(), Recorder::default());
        let server = stage.server().observer(recorder.clone());
        let server = server.spawn(stage_of(&scripts)).unwrap();
        // The client: the program reads the end and may still write.
        let mut client = Client::connect(server.addr());
        let script = begin(&mut client, &scripts);
        client.send("last words");
        client.shutdown(Shutdown::Write);
        script.reads("last words");
        assert_eq!(script.tries(Read), Outcome::Text(String::new()));
        assert_eq!(script.tries(Look), Outcome::Disconnected(false));
        script.does(Write("answer"));
        script.begins(End);
        client.expects(b"answer");
        client.ends();
        recorder.hears_ends(1);
        // The program, with an error or without: what it wrote arrives, also when bytes come that
        // nobody reads.
        for step in [End, Fail] {
            let mut client = Client::connect(server.addr());
            let script = begin(&mut client, &scripts);
            client.send("what nobody reads");
            script.does(Write("answer"));
            script.begins(step);
            client.expects(b"answer");
            client.ends();
            drop(client);
        }
        recorder.hears_ends(3);
        assert_eq!(recorder.reasons(), [CloseReason::Upgraded; 3]);
    });
}

#[test]
fn a_panic_costs_one_connection() {
    on_each_backend(|stage| {
        let (scripts, recorder) = (Scripts::default(), Recorder::default());
        let mut limits = Limits::default();
        limits.detached_threads = 1;
        let server = stage.server().limits(limits).observer(recorder.clone());
        let server = server.spawn(stage_of(&scripts)).unwrap();
        for _ in 0..3 {
            let mut client = Client::connect(server.addr());
            let script = begin(&mut client, &scripts);
            script.does(Write("answer"));
            script.begins(Panic);
            client.expects(b"answer");
            client.ends();
        }
        recorder.hears_ends(3);
        assert_eq!(recorder.reasons(), [CloseReason::Panicked; 3]);
    });
}

#[test]
fn a_reset_is_told() {
    on_each_backend(|stage| {
        let (scripts, recorder) = (Scripts::default(), Recorder::default());
        let server = stage.server().observer(recorder.clone());
        let server = server.spawn(stage_of(&scripts)).unwrap();
        let mut client = Client::connect(server.addr());
        let script = begin(&mut client, &scripts);
        script.does(Write("unread"));
        client.await_bytes();
        drop(client);
        assert_eq!(script.tries(Watch), Outcome::Disconnected(true));
        let reset = Outcome::Failed(ErrorKind::ConnectionReset);
        assert_eq!(script.tries(Write("in vain")), reset);
        script.begins(End);
        recorder.hears_closed(CloseReason::Failed);
    });
}

#[test]
fn a_wait_has_an_end_and_may_be_tried_again() {
    let mut timeouts = Timeouts::default();
    timeouts.keep_alive = SHORT;
    timeouts.write = SHORT;
    on_each_backend(|stage| {
        let scripts = Scripts::default();
        let server = stage.server().timeouts(timeouts.clone());
        let server = server.spawn(stage_of(&scripts)).unwrap();
        let mut client = Client::connect(server.addr());
        let script = begin(&mut client, &scripts);
        let late = Outcome::Failed(ErrorKind::TimedOut);
        assert_eq!(script.tries(Read), late);
        client.send("one");
        script.reads("one");
        script.does(ReadFor(Duration::from_millis(10)));
        assert_eq!(script.tries(Read), late);
        script.does(ReadFor(Duration::from_secs(600)));
        script.begins(Read);
        client.send("two");
        assert_eq!(script.outcome(), Outcome::Text("two".to_string()));
        assert_eq!(script.tries(Flood), late);
        assert_eq!(script.tries(Look), Outcome::Disconnected(false));
        // The client reads what there is, and the program goes on.
        let mut reader = client.also();
        let reading = std::thread::spawn(move || {
            let mut last = 0;
            loop {
                match reader.some().expect("no reset") {
                    [] => return last,
                    octets => last = octets[octets.len() - 1],
                }
            }
        });
        script.does(ReadFor(Duration::from_secs(600)));
        while script.tries(Write("!")) == late {}
        script.begins(End);
        assert_eq!(reading.join().expect("its end"), b'!');
    });
}

#[test]
fn seats_are_those_of_detached_answers() {
    on_each_backend(|stage| {
        let scripts = Scripts::default();
        let mut limits = Limits::default();
        limits.detached_threads = 2;
        let server = stage.server().workers(1).limits(limits);
        let server = server.spawn(stage_of(&scripts)).unwrap();
        let mut first = Client::connect(server.addr());
        let upgraded = begin(&mut first, &scripts);
        let mut second = Client::connect(server.addr());
        let detached = scripts.add();
        second.send(get("/detached"));
        assert_eq!(second.head().status, 200);
        let mut third = Client::connect(server.addr());
        for request in [OFFER.to_string(), get("/detached")] {
            let _unused = scripts.add();
            third.send(request);
            assert_eq!(third.answer().status, 503);
        }
        upgraded.begins(End);
        first.ends();
        let _upgraded = begin(&mut third, &scripts);
        detached.begins(End);
    });
}

#[test]
fn the_end_of_the_grace_cuts_it_and_counts_it() {
    on_each_backend(|stage| {
        let (scripts, recorder) = (Scripts::default(), Recorder::default());
        let server = stage.server().observer(recorder.clone());
        let server = server.spawn(stage_of(&scripts)).unwrap();
        let mut clients: Vec<_> = (0..3).map(|_| Client::connect(server.addr())).collect();
        let script: Vec<_> = clients
            .iter_mut()
            .map(|client| begin(client, &scripts))
            .collect();
        // One waits for bytes, one to be rid of some, one for the world.
        script[0].begins(Read);
        script[1].begins(Flood);
        // Two of them return at once when they are cut, and are counted all the same.
        script[0].begins(End);
        script[1].begins(End);
        server.shutdown_handle().begin(SHORT);
        let ended = in_time(|| server.join()).unwrap();
        assert_eq!(ended.aborted, 3);
        let aborted = Outcome::Failed(ErrorKind::ConnectionAborted);
        assert_eq!(script[0].outcome(), aborted);
        assert_eq!(script[1].outcome(), aborted);
        assert_eq!(script[2].tries(Look), Outcome::Disconnected(true));
        // Bytes that are here are not read any more either.
        clients[2].send("late");
        assert_eq!(script[2].tries(Read), aborted);
        drop(script);
        recorder.hears_ends(3);
        assert_eq!(recorder.reasons(), [CloseReason::Shutdown; 3]);
    });
}
