//! Messages over the wire: what bad ones get, and how good ones are framed. A sample: the tables
//! are in `tests/rfc`.

use crate::harness::{PAGE, on_each_backend, page};
use crate::support::bytes::pattern;
use crate::support::client::{AND_CLOSE, Broken, Client, Delimited, get, post, post_chunked};
use crate::support::recorder::{Event, Recorder};
use doorstep::internals::limits::PREFETCH_BYTES;
use doorstep::{CloseReason, IntoResponse, Limits, Reject, Request, Response, Status};
use std::io::{self, Cursor, Read};
use std::net::Shutdown;
use std::sync::{Arc, Mutex};
use std::thread;

/// A message, and the status that refuses it.
struct Row {
    name: &'static str,
    octets: Vec<u8>,
    status: u16,
}

fn refused() -> Vec<Row> {
    let row = |name, octets: &dyn AsRef<[u8]>, status| Row {
        name,
        octets: octets.as_ref().to_vec(),
        status,
    };
    let with = |line: &str| format!("GET / HTTP/1.1\r\nHost: localhost\r\n{line}\r\n\r\n");
    let asking = |line: &str| format!("{line}\r\nHost: localhost\r\n\r\n");
    let fields = |count, value: &str| format!("X-Some: {value}\r\n").repeat(count);
    vec![
        row("no Host", &"GET / HTTP/1.1\r\n\r\n", 400),
        row("two Hosts", &with("Host: localhost"), 400),
        // RUSTSEC-2020-0031
        row(
            "space before a colon",
            &with("Transfer-Encoding : chunked"),
            400,
        ),
        row("bare LF", &"GET / HTTP/1.1\nHost: localhost\n\n", 400),
        row("NUL in a value", &with("X-Some: a\0b"), 400),
        row("folded value", &with("X-Some: a\r\n b"), 400),
        // CVE-2026-66752
        row("xchunked", &with("Transfer-Encoding: xchunked"), 400),
        row(
            "a coding before chunked",
            &with("Transfer-Encoding: gzip, chunked"),
            501,
        ),
        // hyper#4123
        row(
            "both framings",
            &with("Content-Length: 1\r\nTransfer-Encoding: chunked"),
            400,
        ),
        // RUSTSEC-2021-0078
        row("length with a sign", &with("Content-Length: +1"), 400),
        row(
            "length of 20 digits",
            &with("Content-Length: 18446744073709551616"),
            400,
        ),
        // RUSTSEC-2026-0034
        row(
            "coding in 1.0",
            &"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
            400,
        ),
        // RUSTSEC-2021-0079
        row(
            "chunk size with a sign",
            &with("Transfer-Encoding: chunked\r\n\r\n+5\r\nhello\r\n0"),
            400,
        ),
        // GHSA-vqfr-h8mv-ghfj
        row(
            "junk after a chunk",
            &with("Transfer-Encoding: chunked\r\n\r\n1\r\nhXX0"),
            400,
        ),
        row("tab as a separator", &asking("GET\t/ HTTP/1.1"), 400),
        row("GET *", &asking("GET * HTTP/1.1"), 400),
        row("version of two digits", &asking("GET / HTTP/1.32"), 400),
        row(
            "TLS hello",
            &b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
            400,
        ),
        row("noise", &[0xFF; 64], 400),
        row("HTTP/2 preface", &"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
        row("HTTP/2.0", &asking("GET / HTTP/2.0"), 505),
        row(
            "target of 9 KB",
            &asking(&format!("GET /{} HTTP/1.1", "x".repeat(9_000))),
            414,
        ),
        row("1,000 fields", &with(fields(1_000, "1").trim_end()), 431),
        row(
            "a field of 64 KB",
            &with(fields(1, &"x".repeat(65_536)).trim_end()),
            431,
        ),
        row(
            "a head of 64 KB",
            &with(fields(64, &"x".repeat(1_024)).trim_end()),
            431,
        ),
        row("SSH banner", &"SSH-2.0-OpenSSH_9.6\r\n", 400),
        // hyper#3137
        row("expectation", &with("Expect: the-unexpected"), 417),
        // tiny-http#290
        row(
            "length of 10^15 that is waited for",
            &with("Content-Length: 1000000000000000\r\nExpect: 100-continue"),
            413,
        ),
        row(
            "method of 1 KB",
            &asking(&format!("{} / HTTP/1.1", "M".repeat(1_024))),
            501,
        ),
        row(
            "length beyond the limit, read",
            &post("/collect", pattern(2 << 20)),
            413,
        ),
        row(
            "chunks beyond the limit, read",
            &post_chunked("/collect", &pattern(2 << 20), &[5_000]),
            413,
        ),
    ]
}

/// Answers with what it was sent, if that is not more than the limit.
fn collect(request: &mut Request<'_>) -> Response {
    match request.body().collect() {
        Ok(content) => content.into_response(),
        Err(error) => error.into_response(),
    }
}

#[test]
fn a_refused_message_gets_its_status_and_the_end() {
    on_each_backend(|stage| {
        let server = stage.server().spawn(collect).unwrap();
        for Row {
            name,
            octets,
            status,
        } in refused()
        {
            println!("{name}");
            let mut client = Client::connect(server.addr());
            let mut sender = client.also();
            thread::scope(|scope| {
                // The server reads only so much of it: what is left need not be taken.
                scope.spawn(move || sender.try_send(octets));
                let answer = client.answer();
                assert_eq!(answer.status, status);
                // How much of a chunked body is left is known only when the limit of what is
                // dropped is reached.
                assert!(answer.closes || name.starts_with("chunks beyond"));
                assert_eq!(
                    answer.header_value("Content-Type"),
                    Some("text/html; charset=utf-8")
                );
                assert!(answer.text().contains(&status.to_string()));
                // Not with a reset, which could have overtaken the answer.
                client.ends();
                drop(client);
            });
        }
        assert_eq!(Client::connect(server.addr()).ask("/").status, 200);
    });
}

/// RFC 9110 §15.5.14: content that a handler does not want to collect ends the connection, which
/// the answer says, whether what is left of it is known or not.
#[test]
fn content_too_large_is_answered_and_the_last() {
    on_each_backend(|stage| {
        let server = stage
            .server()
            .spawn(|request: &mut Request<'_>| request.body().collect_up_to(10))
            .unwrap();
        for content in [
            "Content-Length: 12\r\n\r\nhello, world",
            "Transfer-Encoding: chunked\r\n\r\nc\r\nhello, world\r\n0\r\n\r\n",
        ] {
            let mut client = Client::connect(server.addr());
            client.send(format!("POST / HTTP/1.1\r\nHost: a\r\n{content}"));
            let answer = client.answer();
            assert_eq!((answer.status, answer.closes), (413, true), "{content}");
            client.ends();
        }
    });
}

#[test]
fn a_refusal_is_read_by_a_client_that_still_sends() {
    on_each_backend(|stage| {
        let recorder = Recorder::default();
        let handler = |request: &mut Request<'_>| match request.path() {
            // Answers at once, and reads nothing of what it is sent.
            "/upload" => Status::CONTENT_TOO_LARGE,
            _ => Status::OK,
        };
        let server = stage
            .server()
            .observer(recorder.clone())
            .spawn(handler)
            .unwrap();
        let starts = [
            "BAD REQUEST\r\n\r\n".to_string(),
            "POST /upload HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000000\r\n\r\n"
                .to_string(),
            "POST /upload HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n\
             3b9aca00\r\n"
                .to_string(),
        ];
        // What is left of a chunked body is not known when the answer is written.
        let expected = [(400, true), (413, true), (413, false)];
        for (number, (start, expected)) in starts.iter().zip(expected).enumerate() {
            let mut client = Client::connect(server.addr());
            client.send(start);
            for _ in 0..64 {
                client.send([b'x'; 4096]);
            }
            let answer = client.answer();
            assert_eq!((answer.status, answer.closes), expected);
            client.ends();
            drop(client);
            recorder.hears_ends(number + 1);
        }
        let reasons = recorder.reasons();
        assert!(
            matches!(reasons[0], CloseReason::Rejected(_)),
            "{reasons:?}"
        );
        assert_eq!(reasons[1..], [CloseReason::UnreadContent; 2]);
    });
}

#[test]
fn an_invalid_request_does_not_cost_the_one_before_it() {
    on_each_backend(|stage| {
        let server = stage.server().spawn(page).unwrap();
        let mut client = Client::connect(server.addr());
        client.send([&get("/"), "GET / HTTP/1.1\r\nHost : x\r\n\r\n", &get("/")].concat());
        assert_eq!(client.answer().text(), PAGE);
        let refusal = client.answer();
        assert_eq!((refusal.status, refusal.closes), (400, true));
        client.ends();
    });
}

/// RUSTSEC-2026-0033: a protocol that nobody switches to leaves the connection HTTP.
#[test]
fn an_upgrade_that_is_not_taken_leaves_the_next_request_a_request() {
    on_each_backend(|stage| {
        let echo = |request: &mut Request<'_>| request.path().to_string();
        let server = stage.server().spawn(echo).unwrap();
        let mut client = Client::connect(server.addr());
        let upgrade = "GET /1 HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n";
        client.send(format!("{upgrade}{}", get("/2")));
        for path in ["/1", "/2"] {
            let answer = client.answer();
            assert_eq!((answer.status, answer.text()), (200, path));
            assert_eq!(answer.header_value("Upgrade"), None);
        }
    });
}

/// RFC 9110 §15.3.6: no content, whatever the handler gives.
#[test]
fn a_reset_of_content_has_none() {
    on_each_backend(|stage| {
        let reset = |_: &mut Request<'_>| (Status::RESET_CONTENT, "content");
        let server = stage.server().spawn(reset).unwrap();
        let mut client = Client::connect(server.addr());
        for _ in 0..2 {
            let answer = client.ask("/");
            assert_eq!(
                (answer.status, answer.header_value("Content-Length")),
                (205, Some("0"))
            );
            assert_eq!(answer.text(), "");
        }
    });
}

#[test]
fn a_thousand_requests_in_one_segment_are_answered_in_order() {
    on_each_backend(|stage| {
        let echo = |request: &mut Request<'_>| request.path().to_string();
        let server = stage.server().spawn(echo).unwrap();
        let mut client = Client::connect(server.addr());
        client.send(
            (0..1_000)
                .map(|number| get(&format!("/{number}")))
                .collect::<String>(),
        );
        for number in 0..1_000 {
            assert_eq!(client.answer().text(), format!("/{number}"));
        }
    });
}

#[test]
fn answers_without_content_have_none() {
    on_each_backend(|stage| {
        let handler = |request: &mut Request<'_>| match request.path() {
            "/204" => Response::new(Status::NO_CONTENT).body("not to be sent"),
            "/304" => Response::new(Status::NOT_MODIFIED).body("not to be sent"),
            "/stream" => Response::new(Status::OK).stream(None, Cursor::new("streamed")),
            _ => Response::text(PAGE),
        };
        let server = stage.server().spawn(handler).unwrap();
        let mut client = Client::connect(server.addr());
        for path in ["/", "/204", "/304", "/stream"] {
            // hyper#2836, tiny-http#198: a byte too many would be the start of the next answer.
            let got = client.ask(path);
            client.send(format!("HEAD {path} HTTP/1.1\r\nHost: localhost\r\n\r\n"));
            let head = client.head();
            let lasting = |(name, _): &&(String, String)| name != "Date";
            assert!(
                head.fields
                    .iter()
                    .filter(lasting)
                    .eq(got.head.fields.iter().filter(lasting)),
                "{path}: {:?} and {:?}",
                head,
                got.head
            );
            assert_eq!(client.ask("/").text(), PAGE);
        }
    });
}

#[test]
fn streams_are_chunked_or_end_with_the_connection() {
    let content = pattern(100_000);
    on_each_backend(|stage| {
        let streamed = content.clone();
        let handler = move |_: &mut Request<'_>| {
            Response::new(Status::OK).stream(None, Cursor::new(streamed.clone()))
        };
        let server = stage.server().spawn(handler).unwrap();
        let mut client = Client::connect(server.addr());
        for _ in 0..3 {
            let answer = client.ask("/");
            assert_eq!(answer.delimited, Delimited::Chunked);
            assert!(answer.content == content);
        }
        // RFC 9112 §6.1: no Transfer-Encoding to a client of 1.0, even if it asks for keep-alive.
        client.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
        let answer = client.answer();
        assert_eq!((answer.delimited, answer.closes), (Delimited::Close, true));
        assert!(answer.content == content);
    });
}

#[test]
fn known_lengths_are_said_and_kept() {
    // Around what is copied after the head and what goes by itself, and a reader of known length.
    let lengths = [0, 1, 16 << 10, (16 << 10) + 1, 64 << 10, 3 << 20];
    on_each_backend(|stage| {
        let handler = |request: &mut Request<'_>| {
            let (kind, length) = request.path()[1..]
                .split_once('/')
                .expect("a kind and a length");
            let content = pattern(length.parse().expect("a length"));
            match kind {
                "memory" => Response::new(Status::OK).body(content),
                "shared" => Response::new(Status::OK).body(Arc::<[u8]>::from(content)),
                _ => Response::new(Status::OK)
                    // Its reader would give more than it says.
                    .stream(
                        Some(content.len() as u64),
                        Cursor::new(content).chain(&b"more"[..]),
                    ),
            }
        };
        let server = stage.server().spawn(handler).unwrap();
        let mut client = Client::connect(server.addr());
        for kind in ["memory", "shared", "stream"] {
            for length in lengths {
                // tiny-http#149
                let answer = client.ask(&format!("/{kind}/{length}"));
                assert_eq!(answer.delimited, Delimited::Length, "{kind} {length}");
                assert!(answer.content == pattern(length), "{kind} {length}");
            }
        }
    });
}

#[test]
fn content_that_is_not_read_is_never_a_request() {
    const SMUGGLED: &str = "GET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let sizes = [1, 1_000, 4_000];
    on_each_backend(|stage| {
        let asked = Arc::new(Mutex::new(Vec::new()));
        let list = asked.clone();
        let handler = move |request: &mut Request<'_>| {
            list.lock().unwrap().push(request.path().to_string());
            if request.path() == "/some" {
                request
                    .body()
                    .read_exact(&mut [0; 10])
                    .expect("some of the content");
            }
            PAGE
        };
        let server = stage.server().spawn(handler).unwrap();
        for path in ["/none", "/some"] {
            for size in sizes {
                let content = SMUGGLED.repeat(size);
                let ways = [
                    post(path, &content),
                    post_chunked(path, content.as_bytes(), &[SMUGGLED.len()]),
                    post_chunked(path, content.as_bytes(), &[7, 4_096]),
                ];
                for octets in ways {
                    asked.lock().unwrap().clear();
                    let mut client = Client::connect(server.addr());
                    let mut sender = client.also();
                    let whole = [octets, get("/next").into_bytes()].concat();
                    thread::scope(|scope| {
                        scope.spawn(move || sender.try_send(whole));
                        let first = client.answer();
                        assert_eq!(first.text(), PAGE);
                        // RUSTSEC-2020-0093, RUSTSEC-2025-0037: one answer to the GET after it, or
                        // the end.
                        let next = client.try_answer();
                        match &next {
                            Ok(answer) => assert!(!first.closes && answer.text() == PAGE),
                            Err(Broken::Closed) => assert!(first.closes || size == 4_000),
                            Err(other) => panic!("{path} {size}: {other}"),
                        }
                        assert!(
                            size == 4_000 || next.is_ok(),
                            "a short rest is read and dropped"
                        );
                        let expected = [
                            &[path.to_string()][..],
                            &vec!["/next".to_string(); usize::from(next.is_ok())],
                        ];
                        assert_eq!(*asked.lock().unwrap(), expected.concat());
                    });
                }
            }
        }
    });
}

#[test]
fn continue_is_said_once_and_only_to_who_waits_for_it() {
    // hyper#3137
    const HEAD: &str = "POST /read HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n";
    const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";
    on_each_backend(|stage| {
        let handler = |request: &mut Request<'_>| match request.path() {
            "/read" => collect(request),
            _ => Status::FORBIDDEN.into_response(),
        };
        let server = stage.server().spawn(handler).unwrap();
        let mut client = Client::connect(server.addr());
        // Wanted: once, before the content is read; the strict reader of the answer finds a second
        // one.
        for content in [pattern(5), pattern(100_000)] {
            client.send(format!("{HEAD}Content-Length: {}\r\n\r\n", content.len()));
            client.expects(CONTINUE);
            client.send(&content);
            assert!(client.answer().content == content);
        }
        client.send(format!("{HEAD}Transfer-Encoding: chunked\r\n\r\n"));
        client.expects(CONTINUE);
        client.send("3\r\nabc\r\n0\r\n\r\n");
        assert_eq!(client.answer().text(), "abc");
        // There already: nobody waits.
        client.send(format!("{HEAD}Content-Length: 3\r\n\r\nabc"));
        assert_eq!(client.answer().text(), "abc");
        // No content at all.
        client.send(format!("{HEAD}Content-Length: 0\r\n\r\n"));
        assert_eq!(client.answer().text(), "");
        // RFC 9110 §10.1.1: ignored in HTTP/1.0. The content is sent without an invitation.
        client.send(
            "POST /read HTTP/1.0\r\nConnection: keep-alive\r\nExpect: 100-continue\r\n\
             Content-Length: 20000\r\n\r\n",
        );
        client.send(pattern(20_000));
        assert!(client.answer().content == pattern(20_000));
        // Refused: no invitation, and no guess at whether the content comes.
        client.send(format!("{HEAD}Content-Length: 5\r\n\r\n").replace("/read", "/refuse"));
        let answer = client.answer();
        assert_eq!((answer.status, answer.closes), (403, true));
        client.ends();
    });
}

#[test]
fn an_upload_of_any_size_reaches_the_handler_byte_by_byte() {
    let content = pattern(4 << 20);
    on_each_backend(|stage| {
        let digest = |request: &mut Request<'_>| digest_of(request.body()).expect("the content");
        let server = stage.server().spawn(digest).unwrap();
        let expected = digest_of(&mut &content[..]).unwrap();
        let ways = [
            post("/", &content),
            post_chunked("/", &content, &[1, 2, 3, 5_000, 65_536]),
            post_chunked("/", &content, &[100_000]),
            post_chunked("/", &content, &[1 << 20]),
        ];
        let mut client = Client::connect(server.addr());
        for octets in ways {
            let mut sender = client.also();
            thread::scope(|scope| {
                scope.spawn(move || {
                    // Pieces that fit no boundary of anything.
                    octets.chunks(7_919).for_each(|piece| sender.send(piece));
                });
                assert_eq!(client.answer().text(), expected);
            });
        }
    });
}

/// The length of what is read, and a sum in which every byte and its place count (FNV-1a).
fn digest_of(from: &mut impl Read) -> io::Result<String> {
    let (mut length, mut sum) = (0_u64, 0xcbf2_9ce4_8422_2325_u64);
    let mut block = [0; 10_000];
    loop {
        let count = from.read(&mut block)?;
        if count == 0 {
            return Ok(format!("{length} {sum:x}"));
        }
        length += count as u64;
        for octet in &block[..count] {
            sum = (sum ^ u64::from(*octet)).wrapping_mul(0x100_0000_01b3);
        }
    }
}

#[test]
fn content_is_gathered_byte_by_byte() {
    on_each_backend(|stage| {
        let server = stage.server().workers(1).spawn(collect).unwrap();
        let mut ticker = Client::connect(server.addr());
        let mut client = Client::connect(server.addr());
        for request in [
            post("/", "twenty bytes of it.."),
            post_chunked("/", b"twenty bytes of it..", &[3, 8]),
        ] {
            for octet in &request {
                client.send([*octet]);
                // A worker that waited for this content could not answer here.
                assert_eq!(ticker.ask("/tick").status, 200);
            }
            assert_eq!(client.answer().text(), "twenty bytes of it..");
        }
    });
}

/// A request's bytes, cut after so many of its content's.
fn cut_within_content(request: &[u8], behind: usize) -> (&[u8], &[u8]) {
    let head = request.windows(4).position(|octets| octets == b"\r\n\r\n");
    request.split_at(head.expect("a head") + 4 + behind)
}

#[test]
fn the_beginning_of_longer_content_costs_no_worker() {
    let content = pattern(PREFETCH_BYTES + 4_000);
    on_each_backend(|stage| {
        let server = stage.server().workers(1).spawn(collect).unwrap();
        let mut ticker = Client::connect(server.addr());
        let mut client = Client::connect(server.addr());
        for request in [
            post("/", &content),
            post_chunked("/", &content, &[1_000]),
            post_chunked("/", &content, &[content.len()]),
        ] {
            let (first, rest) = cut_within_content(&request, PREFETCH_BYTES - 1);
            for piece in first.chunks(1_000) {
                client.send(piece);
                assert_eq!(ticker.ask("/tick").status, 200);
            }
            client.send(rest);
            assert!(client.answer().content == content);
        }
    });
}

/// The longest head, with the most content that is awaited, in the smallest chunks: what waits
/// leaves room for what comes, wherever in the buffer it begins.
#[test]
fn the_longest_request_is_gathered_after_any_others() {
    let start = "POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nX: ";
    let padding = "x".repeat(Limits::default().head_bytes - start.len() - 4);
    // 5 bytes of zeros, 2,729 chunks of 6 and the last one of 5.
    let chunks = format!("00000{}0\r\n\r\n", "1\r\nx\r\n".repeat(2_729));
    assert_eq!(chunks.len(), PREFETCH_BYTES);
    let request = format!("{start}{padding}\r\n\r\n{chunks}").into_bytes();
    let (first, last) = request.split_at(request.len() - 1);
    on_each_backend(|stage| {
        let server = stage.server().workers(1).spawn(collect).unwrap();
        for others in [0, 1, 100, 400, 450, 500, 800, 1_200] {
            let mut client = Client::connect(server.addr());
            client.send([get("/").repeat(others).as_bytes(), first].concat());
            for _ in 0..others {
                assert_eq!(client.answer().text(), "");
            }
            client.send(last);
            assert_eq!(client.answer().content, vec![b'x'; 2_729], "{others}");
        }
    });
}

#[test]
fn a_client_that_stops_within_content_is_told() {
    on_each_backend(|stage| {
        let recorder = Recorder::default();
        let server = stage
            .server()
            .observer(recorder.clone())
            .spawn(collect)
            .unwrap();
        let request = post("/", pattern(20_000));
        // Within what a handler reads, and within content that no handler has seen.
        for start in [
            cut_within_content(&request, PREFETCH_BYTES).0,
            "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nsome".as_bytes(),
            "POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nso"
                .as_bytes(),
            cut_within_content(&request, PREFETCH_BYTES - 1).0,
        ] {
            let mut client = Client::connect(server.addr());
            client.send(start);
            client.shutdown(Shutdown::Write);
            assert_eq!(client.answer().status, 400);
            client.ends();
        }
        // Within a head: that is no request yet.
        let mut client = Client::connect(server.addr());
        client.send("GET / HT");
        client.shutdown(Shutdown::Write);
        client.ends();
        recorder.hears_ends(5);
        let told = CloseReason::Rejected(Reject::TruncatedContent);
        assert_eq!(recorder.reasons()[..4], [told; 4]);
        assert_eq!(recorder.reasons()[4..], [CloseReason::PeerClosedEarly]);
    });
}

#[test]
fn the_last_request_of_a_connection_is_the_last() {
    on_each_backend(|stage| {
        let mut limits = Limits::default();
        limits.requests_per_connection = Some(3);
        let recorder = Recorder::default();
        let server = stage
            .server()
            .limits(limits)
            .observer(recorder.clone())
            .spawn(page)
            .unwrap();
        let mut client = Client::connect(server.addr());
        client.send(get("/").repeat(5));
        for number in 1..=3 {
            assert_eq!(client.answer().closes, number == 3);
        }
        client.ends();
        let mut client = Client::connect(server.addr());
        client.send([get("/").replace("\r\n\r\n", AND_CLOSE), get("/")].concat());
        assert!(client.answer().closes);
        client.ends();
        recorder.hears_ends(2);
        assert_eq!(recorder.reasons(), [CloseReason::Answered; 2]);
        let requests = |event: &&Event| matches!(event, Event::Request { .. });
        assert_eq!(recorder.events().iter().filter(requests).count(), 4);
    });
}

#[test]
fn what_comes_after_a_last_request_does_not_cost_its_answer() {
    let content = pattern(8 << 20);
    on_each_backend(|stage| {
        let big = content.clone();
        let handler = move |_: &mut Request<'_>| Response::new(Status::OK).body(big.clone());
        let server = stage.server().spawn(handler).unwrap();
        let mut client = Client::connect(server.addr());
        // RFC 9112 §9.6: such a client must not send anything more. If it does, a close with that
        // unread would be a reset.
        let whole = [get("/").replace("\r\n\r\n", AND_CLOSE), "x".repeat(1 << 20)].concat();
        let mut sender = client.also();
        thread::scope(|scope| {
            scope.spawn(move || sender.try_send(whole));
            let answer = client.answer();
            assert!(answer.closes && answer.content == content);
            client.ends();
        });
    });
}
