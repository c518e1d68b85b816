//! The rungs of the ladder that this server comes from, each as a test with the rung's name.

use crate::harness::{Gate, PAGE, Stage, alone, on_each_backend, own, page};
use crate::support::client::{AND_CLOSE, Client, Delimited, get, post};
use crate::support::eventually;
use crate::support::recorder::Recorder;
use crate::support::skipped;
use doorstep::internals::sys::Backend;
use doorstep::{CloseReason, Request, Server};
use std::fs;
use std::io;
use std::net::SocketAddr;
use std::thread;
use std::time::Duration;

const GRACE: Duration = Duration::from_secs(5);

#[test]
fn same_page_for_every_request() {
    on_each_backend(|stage| {
        let server = stage.server().spawn(page).unwrap();
        let mut client = Client::connect(server.addr());
        let requests = [
            get("/"),
            get("/no/such/thing?q=1"),
            get("http://elsewhere.example/x"),
            "DELETE /thing HTTP/1.1\r\nHost: localhost\r\n\r\n".to_string(),
            String::from_utf8(post("/form", "a=1&b=2")).unwrap(),
        ];
        for request in &requests {
            client.send(request);
            let answer = client.answer();
            assert_eq!((answer.status, answer.text()), (200, PAGE), "{request}");
            assert_eq!(answer.header_value("Server"), Some("doorstep"));
            assert!(answer.header_value("Date").is_some());
        }
        assert_eq!(Client::connect(server.addr()).ask("/").text(), PAGE);
    });
}

#[test]
fn restarts_at_once_on_the_same_port() {
    on_each_backend(|stage| {
        // Between the end and the next start another process may be given the port: then the round
        // proves nothing. Without SO_REUSEADDR every round would fail so.
        let restarted = (0..3).any(|_| match restart(stage) {
            Ok(()) => true,
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => false,
            Err(error) => panic!("the second start: {error}"),
        });
        assert!(restarted, "the port is still in use");
    });
}

/// Serves, with the server closing first; stops; serves on the same port at once.
fn restart(stage: Stage) -> io::Result<()> {
    let server = stage.server().spawn(page)?;
    let address = server.addr();
    for _ in 0..5 {
        let mut client = Client::connect(address);
        client.send(get("/").replace("\r\n\r\n", AND_CLOSE));
        assert_eq!(client.answer().text(), PAGE);
        // The server's FIN is here before the client's goes out, so TIME_WAIT is on the server's
        // side.
        client.ends();
    }
    match is_in_time_wait(address) {
        Some(_) => assert!(
            eventually(|| is_in_time_wait(address) == Some(true)),
            "no connection of the server's is in TIME_WAIT, so this test shows nothing"
        ),
        None => println!("this system does not list connections"),
    }
    server.shutdown(GRACE)?;
    let server = Server::bind(address)?.backend(stage.backend).spawn(page)?;
    assert_eq!(Client::connect(address).ask("/").text(), PAGE);
    server.shutdown(GRACE)?;
    Ok(())
}

/// Whether a connection with this local address is in TIME_WAIT; `None` where the system does not
/// tell.
fn is_in_time_wait(address: SocketAddr) -> Option<bool> {
    const TIME_WAIT: &str = "06";
    let table = fs::read_to_string("/proc/net/tcp").ok()?;
    let port = format!(":{:04X}", address.port());
    Some(table.lines().skip(1).any(|line| {
        let mut columns = line.split_whitespace().skip(1);
        let local = columns.next().unwrap_or_default();
        local.ends_with(&port) && columns.nth(1) == Some(TIME_WAIT)
    }))
}

#[test]
fn backlog_holds_4000_connects() {
    const NAME: &str = "ladder::backlog_holds_4000_connects";
    const CLIENTS: usize = 4_000;
    alone(NAME, None, || {
        let somaxconn = fs::read_to_string("/proc/sys/net/core/somaxconn");
        match somaxconn.map(|text| text.trim().parse::<usize>()) {
            Ok(Ok(most)) if most >= CLIENTS => {}
            other => return skipped(NAME, &format!("net.core.somaxconn is {other:?}")),
        }
        if !may_open(2 * CLIENTS as u64 + 200) {
            return skipped(
                NAME,
                "too few descriptors for both ends of 4,000 connections",
            );
        }
        on_each_backend(|stage| {
            let server = stage.server();
            let address = server.local_addr().unwrap();
            // Nobody accepts yet: each of them waits in the listener's queue, its request sent.
            let mut clients: Vec<_> = (0..CLIENTS)
                .map(|number| {
                    let mut client = Client::connect(address);
                    client.send(get(&format!("/{number}")));
                    client
                })
                .collect();
            let echo = |request: &mut Request<'_>| request.path().to_string();
            let running = server.spawn(echo).unwrap();
            for (number, client) in clients.iter_mut().enumerate() {
                assert_eq!(client.answer().text(), format!("/{number}"));
            }
            drop(clients);
            running.shutdown(GRACE).unwrap();
        });
    });
}

#[test]
fn many_clients_on_a_pool_of_threads() {
    const WORKERS: usize = 4;
    on_each_backend(|stage| {
        let gate = Gate::default();
        let meeting = gate.clone();
        let handler = move |request: &mut Request<'_>| {
            if request.path() == "/meet" {
                meeting.pass();
            }
            request.path().to_string()
        };
        let server = stage.server().workers(WORKERS).spawn(handler).unwrap();
        let address = server.addr();
        let mut meeting: Vec<_> = (0..WORKERS).map(|_| Client::connect(address)).collect();
        meeting
            .iter_mut()
            .for_each(|client| client.send(get("/meet")));
        // All workers are in the handler at the same time.
        gate.holds(WORKERS);
        gate.open();
        meeting
            .iter_mut()
            .for_each(|client| assert_eq!(client.answer().text(), "/meet"));
        thread::scope(|scope| {
            for client in 0..32 {
                scope.spawn(move || {
                    let mut connection = Client::connect(address);
                    for request in 0..25 {
                        let path = format!("/{client}/{request}");
                        assert_eq!(connection.ask(&path).text(), path);
                    }
                });
            }
        });
    });
}

#[test]
fn descriptors_return_after_10000_connections() {
    const NAME: &str = "ladder::descriptors_return_after_10000_connections";
    const CLIENTS: usize = 4;
    const EACH: usize = 2_500;
    alone(NAME, None, || {
        if own("fd").is_none() {
            return skipped(NAME, "this system does not list a process's descriptors");
        }
        on_each_backend(|stage| {
            let server = stage.server().spawn(page).unwrap();
            let address = server.addr();
            // Whatever is opened once is open from here on.
            assert_eq!(Client::connect(address).ask("/").status, 200);
            let before = settled_descriptors();
            thread::scope(|scope| {
                for _ in 0..CLIENTS {
                    scope.spawn(move || {
                        for number in 0..EACH {
                            one_connection(address, number);
                        }
                    });
                }
            });
            let after = eventually(|| own("fd") == Some(before));
            assert!(after, "{before} descriptors before, {:?} after", own("fd"));
            server.shutdown(GRACE).unwrap();
        });
    });
}

/// One request on its own connection, which each side closes in turn.
fn one_connection(address: SocketAddr, number: usize) {
    let mut client = Client::connect(address);
    if number % 2 == 0 {
        client.send(get("/").replace("\r\n\r\n", AND_CLOSE));
        assert_eq!(client.answer().text(), PAGE);
        client.ends();
    } else {
        assert_eq!(client.ask("/").text(), PAGE);
    }
}

/// The count, once the connection before is closed on both sides.
/// Raises the limit of open files. True when that many can be open now.
fn may_open(wanted: u64) -> bool {
    let limit = doorstep::os::raise_open_files(wanted).expect("the limit of open files");
    limit.is_none_or(|limit| limit >= wanted)
}

fn settled_descriptors() -> usize {
    let mut last = own("fd");
    eventually(|| {
        thread::sleep(Duration::from_millis(50));
        let now = own("fd");
        std::mem::replace(&mut last, now) == now
    });
    last.expect("a count")
}

#[test]
fn one_thread_serves_a_thousand_connections() {
    const NAME: &str = "ladder::one_thread_serves_a_thousand_connections";
    const CLIENTS: usize = 1_000;
    alone(NAME, None, || {
        if !may_open(2 * CLIENTS as u64 + 200) {
            return skipped(
                NAME,
                "too few descriptors for both ends of 1,000 connections",
            );
        }
        on_each_backend(|stage| {
            let echo = |request: &mut Request<'_>| request.path().to_string();
            let server = stage.server().workers(1).spawn(echo).unwrap();
            let mut clients: Vec<_> = (0..CLIENTS)
                .map(|number| (number, Client::connect(server.addr())))
                .collect();
            for (number, client) in &mut clients {
                let path = format!("/first/{number}");
                assert_eq!(client.ask(&path).text(), path);
            }
            // All are open and idle. Now they ask at the same time.
            let before = own("task");
            for (number, client) in &mut clients {
                client.send(get(&format!("/again/{number}")));
            }
            for (number, client) in clients.iter_mut().rev() {
                assert_eq!(client.answer().text(), format!("/again/{number}"));
            }
            assert_eq!(own("task"), before);
            drop(clients);
            server.shutdown(GRACE).unwrap();
            // A housekeeper and one worker, which has let go of the server before the last of its
            // thread is gone.
            let without = before.map(|with| with - 2);
            assert!(eventually(|| own("task") == without), "{without:?} threads");
        });
    });
}

#[test]
fn keeps_connections_alive_by_content_length() {
    on_each_backend(|stage| {
        let recorder = Recorder::default();
        let echo = |request: &mut Request<'_>| request.path().to_string();
        let server = stage
            .server()
            .observer(recorder.clone())
            .spawn(echo)
            .unwrap();
        let mut client = Client::connect(server.addr());
        for number in 0..100 {
            let path = format!("/{}", "x".repeat(number));
            let answer = client.ask(&path);
            assert_eq!(answer.delimited, Delimited::Length);
            assert_eq!(
                (answer.text(), answer.header_value("Connection")),
                (&*path, None)
            );
        }
        client.send("GET /old HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
        let answer = client.answer();
        assert_eq!(answer.header_value("Connection"), Some("keep-alive"));
        client.send("GET /oldest HTTP/1.0\r\n\r\n");
        assert!(client.answer().closes);
        client.ends();
        recorder.hears_closed(CloseReason::Answered);
        assert_eq!(recorder.reasons().len(), 1, "one connection in all");
    });
}

#[test]
fn serves_on_epoll_and_on_poll() {
    const NAME: &str = "ladder::serves_on_epoll_and_on_poll";
    assert!(Backend::ALL.contains(&Backend::Poll));
    #[cfg(target_os = "linux")]
    assert_eq!(Backend::ALL, [Backend::Epoll, Backend::Poll]);
    alone(NAME, None, || {
        on_each_backend(|stage| {
            let server = stage.server().spawn(page).unwrap();
            let mut client = Client::connect(server.addr());
            assert_eq!(client.ask("/").text(), PAGE);
            // Not only the name of the backend differs.
            #[cfg(target_os = "linux")]
            assert_eq!(epolls(), usize::from(stage.backend == Backend::Epoll));
            assert_eq!(client.ask("/").text(), PAGE);
            server.shutdown(GRACE).unwrap();
        });
    });
}

/// Epoll instances that this process has.
#[cfg(target_os = "linux")]
fn epolls() -> usize {
    let all = fs::read_dir("/proc/self/fd").expect("the descriptors");
    all.filter_map(|entry| fs::read_link(entry.ok()?.path()).ok())
        .filter(|link| link.to_string_lossy().contains("eventpoll"))
        .count()
}

#[test]
fn client_that_closes_without_a_byte() {
    on_each_backend(|stage| {
        let recorder = Recorder::default();
        let server = stage
            .server()
            .observer(recorder.clone())
            .spawn(page)
            .unwrap();
        for _ in 0..100 {
            drop(Client::connect(server.addr()));
        }
        recorder.hears_ends(100);
        assert_eq!(recorder.reasons(), [CloseReason::PeerClosed; 100]);
        // One accept and one end for each: nothing was refused, and nothing answered.
        assert_eq!(recorder.events().len(), 200);
        assert_eq!(Client::connect(server.addr()).ask("/").text(), PAGE);
    });
}

#[test]
fn requests_in_pieces_and_stuck_together() {
    let octets = [post("/first", "ten bytes"), get("/second").into_bytes()].concat();
    on_each_backend(|stage| {
        let echo = |request: &mut Request<'_>| {
            let path = request.path();
            let content = request.body().collect().expect("content");
            format!("{path} {}", String::from_utf8_lossy(&content))
        };
        let server = stage.server().workers(1).spawn(echo).unwrap();
        let mut ticker = Client::connect(server.addr());
        let mut client = Client::connect(server.addr());
        let answers = |client: &mut Client| {
            assert_eq!(client.answer().text(), "/first ten bytes");
            assert_eq!(client.answer().text(), "/second ");
        };
        // At both ends: the whole in one piece.
        for split in 0..=octets.len() {
            let (first, second) = octets.split_at(split);
            client.send(first);
            assert_eq!(ticker.ask("/tick").status, 200);
            client.send(second);
            answers(&mut client);
        }
        for octet in &octets {
            client.send([*octet]);
            assert_eq!(ticker.ask("/tick").status, 200);
        }
        answers(&mut client);
        // And many at once, cut where no message ends.
        let many = octets.repeat(50);
        for piece in many.chunks(77) {
            client.send(piece);
        }
        (0..50).for_each(|_| answers(&mut client));
    });
}
