//! Answers that a program writes: on their worker, and detached from it.

use crate::harness::{alone, on_each_backend, own};
use crate::scripted::{Outcome, Script, Scripts, Step::*};
use crate::support::bytes::pattern;
use crate::support::client::{AND_CLOSE, Broken, Client, Delimited, get};
use crate::support::recorder::{Event, Recorder};
use crate::support::skipped;
use crate::support::{eventually, in_time};
use doorstep::{CloseReason, Handler, Limits, Request, Response, Status, Timeouts};
use std::io::{ErrorKind, Write};
use std::net::Shutdown;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Both kinds, by the path that asks for them.
const KINDS: [&str; 2] = ["/writer", "/detached"];
/// A grace that no test lasts.
const LONG: Duration = Duration::from_secs(600);
/// A time that is over soon.
const SHORT: Duration = Duration::from_millis(200);

/// Answers by scripted handlers where the path says so, and otherwise with the path.
fn stage_of(scripts: &Scripts) -> impl Handler + use<> {
    let scripts = scripts.clone();
    move |request: &mut Request<'_>| {
        let answer = Response::new(Status::OK);
        match request.path() {
            "/writer" => {
                let scripted = scripts.take();
                answer.writer(|out| scripted.play(out))
            }
            "/detached" => {
                let scripted = scripts.take();
                answer.detached(|out| scripted.play(out))
            }
            path => answer.body(path.to_string()),
        }
    }
}

/// Limits with this many permits for detached threads.
fn permits(most: usize) -> Limits {
    let mut limits = Limits::default();
    limits.detached_threads = most;
    limits
}

/// Connects and asks for a scripted answer, which runs from here on; its head is read.
#[track_caller]
fn begin(client: &mut Client, path: &str, scripts: &Scripts) -> Script {
    let script = scripts.add();
    client.send(get(path));
    assert_eq!(client.head().status, 200);
    script.runs();
    script
}

#[test]
fn a_flushed_chunk_is_here_before_the_program_goes_on() {
    on_each_backend(|stage| {
        let scripts = Scripts::default();
        let server = stage.server().spawn(stage_of(&scripts)).unwrap();
        for path in KINDS {
            let mut client = Client::connect(server.addr());
            let script = scripts.add();
            client.send(get(path));
            let head = client.head();
            assert_eq!(head.header_value("Transfer-Encoding"), Some("chunked"));
            script.does(Write("hello"));
            script.does(Flush);
            client.expects(b"5\r\nhello\r\n");
            script.does(Write(" wor"));
            script.does(Write("ld"));
            // With nothing to send, a flush writes no chunk: an empty one would be the last.
            script.does(Flush);
            script.does(Flush);
            client.expects(b"6\r\n world\r\n");
            script.does(Write("!"));
            script.begins(End);
            client.expects(b"1\r\n!\r\n0\r\n\r\n");
            assert_eq!(client.ask("/next").text(), "/next", "{path}");
        }
    });
}

#[test]
fn content_larger_than_every_buffer_arrives_whole() {
    const LENGTH: usize = 8 << 20;
    let handler = |request: &mut Request<'_>| {
        let content = pattern(LENGTH);
        let answer = Response::new(Status::OK);
        match request.path() {
            "/writer" => answer.writer(move |out| out.write_all(&content)),
            _ => answer.detached(move |out| out.write_all(&content)),
        }
    };
    on_each_backend(|stage| {
        let server = stage.server().workers(1).spawn(handler).unwrap();
        let mut client = Client::connect(server.addr());
        for path in KINDS {
            let answer = client.ask(path);
            assert_eq!(answer.delimited, Delimited::Chunked);
            assert!(answer.content == pattern(LENGTH), "{path}");
        }
    });
}

#[test]
fn http_1_0_reads_until_the_connection_ends() {
    on_each_backend(|stage| {
        let scripts = Scripts::default();
        let server = stage.server().spawn(stage_of(&scripts)).unwrap();
        for path in KINDS {
            let mut client = Client::connect(server.addr());
            let script = scripts.add();
            client.send(format!("GET {path} HTTP/1.0\r\n\r\n"));
            let head = client.head();
            assert_eq!(head.header_value("Transfer-Encoding"), None);
            assert!(head.closes);
            script.does(Write("hello"));
            script.does(Flush);
            client.expects(b"hello");
            script.does(Write("!"));
            script.begins(End);
            client.expects(b"!");
            client.ends();
        }
    });
}

#[test]
fn an_answer_without_content_runs_no_program() {
    let has_run = Arc::new(AtomicBool::new(false));
    let mark = has_run.clone();
    let handler = move |request: &mut Request<'_>| {
        let mark = mark.clone();
        let write = move |_: &mut doorstep::Writer<'_>| {
            mark.store(true, Ordering::SeqCst);
            Ok(())
        };
        let (kind, status) = request.path()[1..].split_once('/').expect("a status");
        let status = match status {
            "204" => Status::NO_CONTENT,
            "304" => Status::NOT_MODIFIED,
            _ => Status::OK,
        };
        match kind {
            "writer" => Response::new(status).writer(write),
            _ => Response::new(status).detached(write),
        }
    };
    on_each_backend(|stage| {
        // One permit, which each of these gives back.
        let server = stage.server().limits(permits(1));
        let server = server.spawn(handler.clone()).unwrap();
        let mut client = Client::connect(server.addr());
        for kind in KINDS {
            client.send(format!(
                "HEAD {kind}/200 HTTP/1.1\r\nHost: localhost\r\n\r\n"
            ));
            let head = client.head();
            assert_eq!(head.status, 200, "{kind}");
            assert_eq!(
                head.header_value("Transfer-Encoding"),
                Some("chunked"),
                "{kind}"
            );
            for status in [204, 304] {
                assert_eq!(client.ask(&format!("{kind}/{status}")).status, status);
            }
        }
        assert!(!has_run.load(Ordering::SeqCst));
    });
}

#[test]
fn an_error_or_a_panic_ends_the_connection_within_the_content() {
    on_each_backend(|stage| {
        let rows = [
            (Fail, CloseReason::ContentFailed),
            (Panic, CloseReason::Panicked),
        ];
        for (path, (step, reason)) in KINDS
            .into_iter()
            .flat_map(|path| rows.map(|row| (path, row)))
        {
            let (scripts, recorder) = (Scripts::default(), Recorder::default());
            let server = stage.server().workers(1).limits(permits(1));
            let server = server.observer(recorder.clone());
            let server = server.spawn(stage_of(&scripts)).unwrap();
            for is_flushed in [true, false] {
                let mut client = Client::connect(server.addr());
                // The answer before it is not lost with it.
                let script = scripts.add();
                client.send(get("/before") + &get(path));
                assert_eq!(client.answer().text(), "/before");
                assert_eq!(client.head().status, 200);
                script.does(Write("hello"));
                if is_flushed {
                    script.does(Flush);
                    client.expects(b"5\r\nhello\r\n");
                }
                script.begins(step);
                // No last chunk.
                client.is_gone();
                // The worker, the permit and the slot are there for others.
                let mut other = Client::connect(server.addr());
                let script = begin(&mut other, path, &scripts);
                script.begins(End);
                other.expects(b"0\r\n\r\n");
            }
            server.shutdown(LONG).unwrap();
            let ends = recorder.reasons();
            let such = ends.iter().filter(|this| **this == reason).count();
            assert_eq!(such, 2, "{path}: {ends:?}");
            // What was sent counts, framing included, whatever became of the program.
            let bytes = |event: &Event| match event {
                Event::Request { target, bytes, .. } if target == path => Some(*bytes),
                _ => None,
            };
            let sent: Vec<_> = recorder.events().iter().filter_map(bytes).collect();
            assert_eq!(sent, [10, 5, 0, 5], "{path}");
        }
    });
}

#[test]
fn a_client_that_does_not_read_ends_with_the_time_for_it() {
    let mut timeouts = Timeouts::default();
    timeouts.write = SHORT;
    on_each_backend(|stage| {
        for path in KINDS {
            let (scripts, recorder) = (Scripts::default(), Recorder::default());
            let server = stage.server().workers(2).observer(recorder.clone());
            let server = server.timeouts(timeouts.clone());
            let server = server.spawn(stage_of(&scripts)).unwrap();
            let mut deaf = Client::connect(server.addr());
            let script = begin(&mut deaf, path, &scripts);
            script.begins(Flood);
            // Meanwhile others are served.
            assert_eq!(Client::connect(server.addr()).ask("/").text(), "/");
            assert_eq!(
                script.outcome(),
                Outcome::Failed(ErrorKind::TimedOut),
                "{path}"
            );
            // It is told so once more, and at once; what it then says is not what counts.
            script.does(Write("more"));
            assert_eq!(script.tries(Flush), Outcome::Failed(ErrorKind::TimedOut));
            assert_eq!(script.tries(Look), Outcome::Disconnected(true));
            script.begins(End);
            recorder.hears_closed(CloseReason::WriteTimeout);
        }
    });
}

/// With one worker and nobody to stand in for it, a client that does not read must not keep it
/// forever.
#[test]
fn a_wait_is_cut_when_the_worker_is_needed() {
    on_each_backend(|stage| {
        let (scripts, recorder) = (Scripts::default(), Recorder::default());
        let server = stage.server().workers(1).observer(recorder.clone());
        let server = server.spawn(stage_of(&scripts)).unwrap();
        let mut deaf = Client::connect(server.addr());
        let script = begin(&mut deaf, "/writer", &scripts);
        script.begins(Flood);
        let mut other = Client::connect(server.addr());
        other.send(get("/"));
        assert_eq!(
            script.outcome(),
            Outcome::Failed(ErrorKind::ConnectionAborted)
        );
        script.begins(End);
        recorder.hears_closed(CloseReason::Overload);
        assert_eq!(other.answer().text(), "/");
    });
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    on_each_backend(|stage| {
        let (scripts, recorder) = (Scripts::default(), Recorder::default());
        let server = stage.server().workers(1).observer(recorder.clone());
        let server = server.spawn(stage_of(&scripts)).unwrap();
        let mut client = Client::connect(server.addr());
        let all = [
            "/1",
            "/writer",
            "/2",
            "/detached",
            "/3",
            "/detached",
            "/writer",
            "/4",
        ];
        let script: Vec<_> = KINDS.iter().chain(&KINDS).map(|_| scripts.add()).collect();
        client.send(all.map(get).concat());
        for (number, script) in script.iter().enumerate() {
            script.begins(Write(["a", "b", "c", "d"][number]));
            script.begins(End);
        }
        for (path, content) in all.iter().zip(["/1", "a", "/2", "b", "/3", "c", "d", "/4"]) {
            assert_eq!(client.answer().text(), content, "{path}");
        }
        drop(client);
        recorder.hears_closed(CloseReason::PeerClosed);
        let told: Vec<_> = recorder
            .events()
            .into_iter()
            .filter_map(|event| match event {
                Event::Request { target, bytes, .. } => Some((target, bytes > 0)),
                _ => None,
            })
            .collect();
        assert_eq!(told, all.map(|path| (path.to_string(), true)));
    });
}

/// The last request before a close: what comes after it while its answer is made does not cost the
/// answer.
#[test]
fn bytes_after_a_last_request_do_not_cost_its_answer() {
    on_each_backend(|stage| {
        let (scripts, recorder) = (Scripts::default(), Recorder::default());
        let server = stage.server().observer(recorder.clone());
        let server = server.spawn(stage_of(&scripts)).unwrap();
        for path in KINDS {
            let mut client = Client::connect(server.addr());
            let script = scripts.add();
            client.send(get(path).replace("\r\n\r\n", AND_CLOSE));
            assert!(client.head().closes);
            script.runs();
            client.send("what nobody reads");
            script.does(Write("hello"));
            script.begins(End);
            client.expects(b"5\r\nhello\r\n0\r\n\r\n");
            client.ends();
            drop(client);
        }
        recorder.hears_ends(2);
        assert_eq!(recorder.reasons(), [CloseReason::Answered; 2]);
    });
}

#[test]
fn seats_are_bounded() {
    on_each_backend(|stage| {
        let (scripts, recorder) = (Scripts::default(), Recorder::default());
        let server = stage.server().workers(1).limits(permits(2));
        let server = server.observer(recorder.clone());
        let server = server.spawn(stage_of(&scripts)).unwrap();
        let mut seated: Vec<_> = (0..2).map(|_| Client::connect(server.addr())).collect();
        let mut script: Vec<_> = seated
            .iter_mut()
            .map(|client| begin(client, "/detached", &scripts))
            .collect();
        let mut third = Client::connect(server.addr());
        for _ in 0..3 {
            let _unused = scripts.add();
            let refused = third.ask("/detached");
            assert_eq!(refused.status, 503);
            assert_eq!(refused.header_value("Retry-After"), Some("1"));
            assert!(!refused.closes);
        }
        recorder.hears("why", |events| {
            events.iter().any(|event| {
                matches!(
                    event,
                    Event::Request { status, reason, .. }
                        if status.code() == 503 && *reason == Some("too many detached answers")
                )
            })
        });
        // What runs on a worker needs no permit.
        let written = begin(&mut third, "/writer", &scripts);
        written.begins(End);
        third.expects(b"0\r\n\r\n");
        // Whoever has seen an answer's end finds its permit free.
        for _ in 0..20 {
            script.remove(0).begins(End);
            let mut client = seated.remove(0);
            client.expects(b"0\r\n\r\n");
            script.push(begin(&mut third, "/detached", &scripts));
            seated.push(std::mem::replace(&mut third, client));
        }
    });
}

#[test]
fn a_detached_answer_holds_up_no_worker() {
    on_each_backend(|stage| {
        let scripts = Scripts::default();
        let server = stage.server().workers(1).spawn(stage_of(&scripts)).unwrap();
        let mut clients: Vec<_> = (0..20).map(|_| Client::connect(server.addr())).collect();
        let script: Vec<_> = clients
            .iter_mut()
            .map(|client| begin(client, "/detached", &scripts))
            .collect();
        let mut other = Client::connect(server.addr());
        for _ in 0..10 {
            assert_eq!(other.ask("/").text(), "/");
        }
        script.iter().for_each(|script| script.begins(End));
        for client in &mut clients {
            client.expects(b"0\r\n\r\n");
            assert_eq!(client.ask("/again").text(), "/again");
        }
    });
}

#[test]
fn a_reset_is_seen_and_a_half_close_is_none() {
    on_each_backend(|stage| {
        for path in KINDS {
            let (scripts, recorder) = (Scripts::default(), Recorder::default());
            let server = stage.server().workers(2).observer(recorder.clone());
            let server = server.spawn(stage_of(&scripts)).unwrap();
            let mut client = Client::connect(server.addr());
            let script = begin(&mut client, path, &scripts);
            client.shutdown(Shutdown::Write);
            assert_eq!(script.tries(Look), Outcome::Disconnected(false));
            script.does(Write("still here"));
            script.does(Flush);
            client.expects(b"A\r\nstill here\r\n");
            assert_eq!(script.tries(Look), Outcome::Disconnected(false), "{path}");
            script.does(Write("unread"));
            script.does(Flush);
            client.await_bytes();
            drop(client);
            assert_eq!(script.tries(Watch), Outcome::Disconnected(true), "{path}");
            script.does(Write("in vain"));
            assert_eq!(
                script.tries(Flush),
                Outcome::Failed(ErrorKind::ConnectionReset)
            );
            script.begins(End);
            recorder.hears_closed(CloseReason::Failed);
        }
    });
}

#[test]
fn what_a_reset_cut_short_is_no_whole_answer() {
    on_each_backend(|stage| {
        // Nothing more is to be sent at the end of the second: HTTP/1.0 content ends with the
        // connection.
        for version in ["HTTP/1.1\r\nHost: localhost", "HTTP/1.0"] {
            for path in KINDS {
                let (scripts, recorder) = (Scripts::default(), Recorder::default());
                let server = stage.server().workers(2).observer(recorder.clone());
                let server = server.spawn(stage_of(&scripts)).unwrap();
                let mut client = Client::connect(server.addr());
                let script = scripts.add();
                client.send(format!("GET {path} {version}\r\n\r\n"));
                assert_eq!(client.head().status, 200);
                script.runs();
                // The client closes in good order, and its system answers what still comes with a
                // reset.
                drop(client);
                script.does(Write("unread"));
                script.does(Flush);
                assert_eq!(
                    script.tries(Watch),
                    Outcome::Disconnected(true),
                    "{path} {version}"
                );
                script.begins(End);
                recorder.hears_closed(CloseReason::Failed);
            }
        }
    });
}

#[test]
fn a_shutdown_gives_it_the_grace() {
    on_each_backend(|stage| {
        for path in KINDS {
            let (scripts, recorder) = (Scripts::default(), Recorder::default());
            let server = stage.server().observer(recorder.clone());
            let server = server.spawn(stage_of(&scripts)).unwrap();
            let address = server.addr();
            let mut client = Client::connect(address);
            let script = begin(&mut client, path, &scripts);
            server.shutdown_handle().begin(LONG);
            assert!(eventually(|| Client::try_connect(address).is_err()));
            assert_eq!(script.tries(Look), Outcome::Disconnected(false));
            script.does(Write("hello"));
            script.does(Flush);
            client.expects(b"5\r\nhello\r\n");
            script.begins(End);
            client.expects(b"0\r\n\r\n");
            client.ends();
            let ended = in_time(|| server.join()).unwrap();
            assert_eq!(ended.aborted, 0, "{path}");
            assert!(recorder.reasons().contains(&CloseReason::Shutdown));
        }
    });
}

#[test]
fn the_end_of_the_grace_cuts_it_and_counts_it() {
    on_each_backend(|stage| {
        for path in KINDS {
            let (scripts, recorder) = (Scripts::default(), Recorder::default());
            let server = stage.server().workers(4).observer(recorder.clone());
            let server = server.spawn(stage_of(&scripts)).unwrap();
            // One waits for its client, one for the world, and one writes to a client that reads
            // all of it.
            let mut clients: Vec<_> = (0..3).map(|_| Client::connect(server.addr())).collect();
            let script: Vec<_> = clients
                .iter_mut()
                .map(|client| begin(client, path, &scripts))
                .collect();
            // Two of them return at once when they are cut, and are counted all the same.
            for cut in [&script[0], &script[2]] {
                cut.begins(Flood);
                cut.begins(End);
            }
            let mut reader = clients.pop().expect("the third");
            let reading = std::thread::spawn(move || {
                while matches!(reader.some(), Ok(octets) if !octets.is_empty()) {}
            });
            server.shutdown_handle().begin(SHORT);
            let ended = in_time(|| server.join()).unwrap();
            assert_eq!(ended.aborted, 3, "{path}");
            let aborted = Outcome::Failed(ErrorKind::ConnectionAborted);
            assert_eq!(script[0].outcome(), aborted, "{path}");
            assert_eq!(script[2].outcome(), aborted, "{path}");
            assert_eq!(script[1].tries(Look), Outcome::Disconnected(true), "{path}");
            script[1].does(Write("late"));
            assert_eq!(script[1].tries(Flush), aborted, "{path}");
            script[1].begins(End);
            assert!(matches!(
                clients[1].try_answer(),
                Err(Broken::Closed | Broken::Reset | Broken::Cut)
            ));
            reading.join().expect("its end");
            recorder.hears_ends(3);
            assert_eq!(recorder.reasons(), [CloseReason::Shutdown; 3]);
        }
    });
}

/// What is left of a connection goes with its thread.
#[test]
fn descriptors_and_threads_return() {
    const NAME: &str = "streaming::descriptors_and_threads_return";
    alone(NAME, None, || {
        let (Some(open), Some(before)) = (own("fd"), own("task")) else {
            return skipped(NAME, "this system does not list them");
        };
        on_each_backend(|stage| {
            let scripts = Scripts::default();
            let server = stage.server().workers(2).spawn(stage_of(&scripts)).unwrap();
            for step in [End, Fail, Panic].repeat(10) {
                let mut client = Client::connect(server.addr());
                let script = begin(&mut client, "/detached", &scripts);
                script.begins(step);
                if step == End {
                    client.expects(b"0\r\n\r\n");
                } else {
                    client.is_gone();
                }
            }
            // A server of its own, its workers and its housekeeper; the threads of the answers are
            // gone.
            assert!(eventually(|| own("task") == Some(before + 3)));
            server.shutdown(LONG).unwrap();
            assert_eq!(own("fd"), Some(open));
            assert!(eventually(|| own("task") == Some(before)));
        });
    });
}
