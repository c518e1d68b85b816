//! The fields of answers as they are written: what a program puts into them, and what the server
//! adds.

use crate::simulated::Scene;
use crate::support::client::get;
use crate::support::recorder::Event;
use doorstep::{Request, Response, Status};

/// A name, and what a handler answers.
type Row = (&'static str, fn() -> Response);

/// The head of what this handler answers at this time, in milliseconds since 1970, and what the
/// observer heard of it.
fn answer_at(ms: u64, answer: fn() -> Response) -> (String, Event) {
    let scene = Scene::new(move |_: &mut Request<'_>| answer());
    scene.set(ms);
    let wire = scene.wire();
    wire.sends(get("/"));
    scene.admits(&wire);
    let got = wire.got();
    let (head, _) = got.split_once("\r\n\r\n").expect("a head");
    let is_request = |event: &Event| matches!(event, Event::Request { .. });
    let heard = scene.recorder.events().into_iter().find(is_request);
    (format!("{head}\r\n"), heard.expect("a request"))
}

fn head_of(answer: fn() -> Response) -> String {
    answer_at(0, answer).0
}

/// The values of all lines with this name.
fn values<'a>(head: &'a str, name: &str) -> Vec<&'a str> {
    let lines = head.lines().filter_map(|line| line.split_once(": "));
    let of_name = lines.filter(|(this, _)| this.eq_ignore_ascii_case(name));
    of_name.map(|(_, value)| value).collect()
}

/// RFC 9110 §5.3: several lines of one name are for fields that are lists.
#[test]
fn a_field_that_may_stand_once_stands_once() {
    let head = head_of(|| {
        let mut answer = Response::text("x");
        for value in ["first", "second"] {
            for name in SINGLE.iter().chain(&LISTS) {
                answer = answer.header(name, value);
            }
        }
        answer.header("CONTENT-type", "third")
    });
    for name in SINGLE {
        let last = match name {
            "Content-Type" => "third",
            _ => "second",
        };
        assert_eq!(values(&head, name), [last], "{name}: {head}");
    }
    for name in LISTS {
        assert_eq!(values(&head, name), ["first", "second"], "{name}: {head}");
    }
}

const SINGLE: [&str; 11] = [
    "Content-Type",
    "Content-Location",
    "Content-Range",
    "Date",
    "ETag",
    "Expires",
    "Age",
    "Last-Modified",
    "Location",
    "Retry-After",
    "Server",
];
const LISTS: [&str; 4] = ["Set-Cookie", "Cache-Control", "Vary", "X-Content-Type"];

#[test]
fn a_field_that_cannot_be_written_replaces_none() {
    let head = head_of(|| {
        let mut answer = Response::text("x");
        assert!(answer.try_header("Content-Type", "a\0b").is_err());
        answer
    });
    assert_eq!(values(&head, "Content-Type"), ["text/plain; charset=utf-8"]);
}

/// RFC 9110 §10.2.4: a program's own name in place of the server's, not beside it.
#[test]
fn a_server_field_of_the_programs_own_stands_alone() {
    let head = head_of(|| Response::text("x").header("server", "mine/1.0"));
    assert_eq!(values(&head, "Server"), ["mine/1.0"], "{head}");
}

/// CR, LF and NUL, wherever a program may put them: not a byte of them is written, and the observer
/// hears of it.
#[test]
fn what_cannot_be_written_is_a_fault_of_the_program() {
    let rows: [Row; 7] = [
        ("RUSTSEC-2017-0002: a header", || {
            Response::text("x").header("X-Message", "a\r\nX: y")
        }),
        ("RUSTSEC-2017-0002: a cookie", || {
            Response::text("x").header("Set-Cookie", "a=b\r\nX: y")
        }),
        ("RUSTSEC-2017-0002: a redirect", || {
            Response::redirect(Status::FOUND, "/a\r\n\r\nX: y")
        }),
        ("CVE-2026-66753: a Location made from a path", || {
            Response::redirect(Status::PERMANENT_REDIRECT, &format!("/{}/", "a\nX: y"))
        }),
        ("CVE-2026-66753: an echoed message", || {
            Response::text("x").header("X-Message", "no file 'a\rX: y'")
        }),
        ("CVE-2026-66753: NUL", || {
            Response::text("x").header("X-Message", "X: y\0")
        }),
        ("RUSTSEC-2017-0002: a name", || {
            Response::text("x").header("X-Message: a\r\nX: y\r\nZ", "a")
        }),
    ];
    for (name, answer) in rows {
        let (head, heard) = answer_at(0, answer);
        assert!(head.starts_with("HTTP/1.1 500 "), "{name}: {head}");
        for never in ["X: y", "X-Message", "Set-Cookie", "Location", "\0"] {
            assert!(!head.contains(never), "{name}: {head}");
        }
        let Event::Request { status, reason, .. } = heard else {
            unreachable!("{name}");
        };
        assert_eq!(status, Status::INTERNAL_SERVER_ERROR, "{name}");
        let why = reason.expect("a reason for the log");
        assert!(why.starts_with("invalid field "), "{name}: {why}");
    }
}

/// RFC 9110 §6.6.1: with a clock, every answer has a Date; without an honest one, none has.
#[test]
fn every_answer_has_a_date() {
    const AFTER_9999: u64 = 253_402_300_800_000;
    let rows: [Row; 4] = [
        ("200", || Response::text("x")),
        ("308", || {
            Response::redirect(Status::PERMANENT_REDIRECT, "/")
        }),
        ("404", || Response::status_page(Status::NOT_FOUND)),
        ("500", || {
            Response::status_page(Status::INTERNAL_SERVER_ERROR)
        }),
    ];
    for (name, answer) in rows {
        let (head, _) = answer_at(784_111_777_000, answer);
        let date = "Sun, 06 Nov 1994 08:49:37 GMT";
        assert_eq!(values(&head, "Date"), [date], "{name}: {head}");
        let (head, _) = answer_at(AFTER_9999, answer);
        assert!(values(&head, "Date").is_empty(), "{name}: {head}");
    }
}

/// RFC 9110 §6.6.1: "in all … 4xx (Client Error) responses": also to what is no request.
#[test]
fn a_refusal_has_a_date() {
    let scene = Scene::new(|_: &mut Request<'_>| "");
    let wire = scene.wire();
    wire.sends("NOT HTTP\r\n\r\n");
    scene.admits(&wire);
    let got = wire.got();
    assert!(got.starts_with("HTTP/1.1 400 "), "{got}");
    assert_eq!(values(&got, "Date"), ["Thu, 01 Jan 1970 00:00:00 GMT"]);
}
