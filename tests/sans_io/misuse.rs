//! What happens when the program calls out of order: with debug assertions a panic, and without
//! them nothing.

use doorstep::conn::{BodyFraming, Config, Connection, Event, Moment, Phase, ResponsePlan};
use doorstep::h1::FieldTable;
use doorstep::{CloseReason, Status};
use std::panic::{AssertUnwindSafe, catch_unwind};

const GET: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const POST: &[u8] = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n";
const OLD: &[u8] = b"GET / HTTP/1.0\r\n\r\n";
const OK: ResponsePlan<'static> = ResponsePlan::new(Status::OK).length(0);

/// A connection that is to be misused, and what it has framed.
struct Case {
    conn: Connection,
    config: Config,
    out: Vec<u8>,
}

impl Case {
    /// A connection on which `input` has come; a head is taken off, and no more.
    fn after(input: &[u8]) -> Case {
        let config = Config::default();
        let mut case = Case {
            conn: Connection::new(Moment(0), &config),
            config,
            out: Vec::new(),
        };
        let event = case.next(input);
        assert_eq!(matches!(event, Event::Head { .. }), !input.is_empty());
        case
    }

    fn next(&mut self, input: &[u8]) -> Event {
        let mut table = FieldTable::default();
        self.conn
            .next_event(input, &mut table, Moment(0), &self.config, &mut self.out)
    }

    fn respond(&mut self, answer: &ResponsePlan<'_>) -> BodyFraming {
        self.conn.respond(answer, &self.config, &mut self.out)
    }

    fn finish(&mut self) {
        self.conn.finish(false, Moment(0), &self.config);
    }

    /// `None` when the call panicked, as it has to with debug assertions and may not without them.
    fn misuse<T>(&mut self, call: impl FnOnce(&mut Case) -> T) -> Option<T> {
        let result = catch_unwind(AssertUnwindSafe(|| call(self)));
        assert_eq!(result.is_err(), cfg!(debug_assertions));
        result.ok()
    }
}

#[test]
fn an_answer_that_is_not_due_writes_nothing() {
    let mut answered = Case::after(GET);
    assert_eq!(answered.respond(&OK), BodyFraming::Length(0));
    let mut finished = Case::after(GET);
    finished.respond(&OK);
    finished.finish();
    assert_eq!(finished.conn.phase(), Phase::Idle);
    let mut closed = Case::after(GET);
    closed.respond(&OK.close_after(CloseReason::Answered));
    closed.finish();
    assert_eq!(closed.conn.phase(), Phase::Linger);
    closed.conn.input_ended();
    assert_eq!(closed.next(b""), Event::Close(CloseReason::Answered));
    let rows = [
        ("before a request", Case::after(b""), Phase::Idle),
        ("twice", answered, Phase::Send),
        ("after the end", finished, Phase::Idle),
        ("when all is over", closed, Phase::Closed),
    ];
    for (name, mut case, phase) in rows {
        let before = case.out.clone();
        let delivery = case.misuse(|case| case.respond(&OK));
        assert!(
            delivery.is_none_or(|found| found == BodyFraming::NoContent),
            "{name}"
        );
        case.misuse(|case| {
            let Case { conn, config, out } = case;
            conn.respond_full(OK, b"more", config, out);
        });
        assert_eq!(case.out, before, "{name}");
        assert_eq!(case.conn.phase(), phase, "{name}");
    }
}

#[test]
fn an_end_of_no_answer_changes_nothing() {
    for (input, phase) in [(&b""[..], Phase::Idle), (GET, Phase::Handle)] {
        let mut case = Case::after(input);
        case.misuse(Case::finish);
        assert_eq!(case.conn.phase(), phase);
    }
}

/// RFC 9110 §15.2: "A client MUST be able to parse one or more 1xx responses received prior to a
/// final response", so one in its place would leave the client waiting.
#[test]
fn an_interim_answer_ends_no_request() {
    let interim = ResponsePlan::new(Status::EARLY_HINTS);
    let switches = ResponsePlan::new(Status::SWITCHING_PROTOCOLS);
    let names_one = switches.upgrade("echo").expect("a protocol");
    let rows = [
        ("an interim status", GET, interim),
        ("no protocol", GET, switches),
        ("content left unread", POST, names_one),
        ("HTTP/1.0", OLD, names_one),
    ];
    for (name, input, answer) in rows {
        let mut case = Case::after(input);
        let delivery = case.misuse(|case| case.respond(&answer));
        match delivery {
            None => assert_eq!(case.out, b"", "{name}"),
            Some(delivery) => {
                assert_eq!(delivery, BodyFraming::Length(0), "{name}");
                let head = String::from_utf8_lossy(&case.out);
                assert!(head.starts_with("HTTP/1.1 500 "), "{name}: {head}");
                assert!(!head.contains("pgrade"), "{name}: {head}");
            }
        }
    }
}

/// What may be asked at any time, and what the same answer to the same question is.
#[test]
fn questions_change_nothing() {
    let mut case = Case::after(GET);
    for _ in 0..2 {
        assert_eq!(case.next(b"GET "), Event::Respond);
    }
    case.respond(&OK);
    for _ in 0..2 {
        assert_eq!(case.next(b"GET "), Event::Send);
    }
    case.finish();
    for _ in 0..2 {
        assert_eq!(case.next(b"GET "), Event::Read);
    }
    case.conn.input_ended();
    for _ in 0..2 {
        let early = Event::Close(CloseReason::PeerClosedEarly);
        assert_eq!(case.next(b"GET "), early);
    }
    assert_eq!(case.conn.close_reason(), Some(CloseReason::PeerClosedEarly));
    assert_eq!(case.conn.requests(), 1);
}
