//! Small answers, very many of them: each is complete, and none takes more writes than it has to.

use crate::harness::{PAGE, Stage, on_each_backend};
use crate::simulated::Scene;
use crate::support::bytes::pattern;
use crate::support::client::{Client, Delimited, get};
use crate::support::temporary::Temporary;
use doorstep::internals::limits::{COPY_BYTES, SENDFILE_FROM};
use doorstep::{IntoResponse, Request, Response, Status};
use std::fs::File;
use std::io::{self, Read};
use std::net::Shutdown;
use std::sync::Arc;
use std::thread;

/// Content that its reader gives in pieces of all sizes.
struct Pieces {
    content: Vec<u8>,
    place: usize,
    piece: usize,
}

impl Read for Pieces {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.piece = self.piece % 7 + 1;
        let count = self
            .piece
            .min(buffer.len())
            .min(self.content.len() - self.place);
        buffer[..count].copy_from_slice(&self.content[self.place..][..count]);
        self.place += count;
        Ok(count)
    }
}

/// The content of the answer with this number: from none to forty bytes.
fn content(number: usize) -> Vec<u8> {
    let mut content = format!("{number} ").into_bytes();
    content.extend_from_slice(&pattern(40));
    content.truncate(number % 41);
    content
}

/// hyper#3952, hyper#4143: no wake-up is lost, and no last chunk is left after.
fn chunked_answers(stage: Stage, clients: usize, each: usize) {
    let server = stage
        .server()
        .workers(3)
        .spawn(|request: &mut Request<'_>| {
            let number = request.path()[1..].parse().expect("a number");
            let (content, place, piece) = (content(number), 0, number);
            Response::new(Status::OK).stream(
                None,
                Pieces {
                    content,
                    place,
                    piece,
                },
            )
        });
    let server = server.unwrap();
    let address = server.addr();
    thread::scope(|scope| {
        for start in 0..clients {
            scope.spawn(move || {
                let mut client = Client::connect(address);
                let mut asked = start;
                let mut answered = start;
                let end = start + each;
                while answered < end {
                    // One at a time, and up to a dozen stuck together.
                    let batch = (asked % 12 + 1).min(end - asked);
                    let requests = (asked..asked + batch).map(|number| get(&format!("/{number}")));
                    client.send(requests.collect::<String>());
                    asked += batch;
                    while answered < asked {
                        let answer = client.answer();
                        assert_eq!(answer.delimited, Delimited::Chunked);
                        assert_eq!(answer.content, content(answered), "answer {answered}");
                        answered += 1;
                    }
                }
                client.shutdown(Shutdown::Write);
                client.ends();
            });
        }
    });
}

#[test]
fn small_chunked_answers_are_complete() {
    on_each_backend(|stage| chunked_answers(stage, 4, 2_500));
}

#[test]
#[ignore = "a million answers on each poller: minutes"]
fn a_million_small_chunked_answers_are_complete() {
    on_each_backend(|stage| chunked_answers(stage, 8, 125_000));
}

/// hyper#1184, axum#2653: a head and its content in two small writes are two segments, of which the
/// second may have to wait for an acknowledgement. (The sockets have TCP_NODELAY besides:
/// `tests/sys/listener.rs`.)
#[test]
fn a_small_answer_is_one_write() {
    let scratch = Temporary::file(&pattern(SENDFILE_FROM as usize));
    let path = scratch.to_path_buf();
    let shared: Arc<[u8]> = pattern(100).into();
    let handler = move |request: &mut Request<'_>| {
        let file = |length| {
            let file = File::open(&path).expect("the scratch file");
            Response::new(Status::OK).file(file, 0, length)
        };
        match request.path() {
            "/nothing" => Response::new(Status::NO_CONTENT),
            "/missing" => Status::NOT_FOUND.into_response(),
            "/shared" => Response::new(Status::OK).body(shared.clone()),
            "/most" => Response::new(Status::OK).body(pattern(COPY_BYTES)),
            "/more" => Response::new(Status::OK).body(pattern(10 * COPY_BYTES)),
            "/file" => file(1_000),
            "/file/most" => file(SENDFILE_FROM - 1),
            "/collect" => match request.body().collect() {
                Ok(content) => content.into_response(),
                Err(error) => error.into_response(),
            },
            _ => PAGE.into_response(),
        }
    };
    let collect = "POST /collect HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhello";
    let rows = [
        ("text", get("/")),
        ("no content", get("/nothing")),
        ("a status page", get("/missing")),
        ("HEAD", get("/most").replace("GET", "HEAD")),
        ("bytes in memory", get("/shared")),
        ("as many as are copied", get("/most")),
        ("more, where they lie", get("/more")),
        ("a file", get("/file")),
        ("as much of a file as is copied", get("/file/most")),
        ("an echo", collect.to_string()),
        ("a refusal", "NOT HTTP\r\n\r\n".to_string()),
        (
            "the last answer",
            get("/").replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n"),
        ),
        ("ten that were asked for together", get("/").repeat(10)),
    ];
    for (name, request) in rows {
        let scene = Scene::new(handler.clone());
        let wire = scene.wire();
        wire.sends(request);
        scene.admits(&wire);
        assert_eq!(
            wire.link(|link| link.writes.clone()).len(),
            1,
            "{name}: {:?}",
            wire.link(|link| link.writes.clone())
        );
        assert!(wire.got().starts_with("HTTP/1.1 "), "{name}");
    }
}
