//! RFC 9110 §5.1 and §5.5: field lines that a program chose, and what none of them can do.

use doorstep::conn::{BodyFraming, Config, Connection, Event, Moment, ResponsePlan};
use doorstep::h1::FieldTable;
use doorstep::{FieldError, FieldLines, HttpDate, Status};

#[test]
#[rustfmt::skip]
fn what_is_added_and_what_is_not() {
    let rows = [
        ("a line", "Content-Type", "text/html", Ok("Content-Type: text/html\r\n")),
        ("an empty value", "X", "", Ok("X: \r\n")),
        ("RFC 9110 §5.5: a tab, and text beyond ASCII", "X", "a\tü", Ok("X: a\tü\r\n")),
        ("a value that looks like a line", "X", "a: b", Ok("X: a: b\r\n")),
        ("RFC 9110 §5.1: no name", "", "a", Err(FieldError::Name)),
        ("a name with a space", "X Y", "a", Err(FieldError::Name)),
        ("a name with a colon", "X:", "a", Err(FieldError::Name)),
        ("a name with CRLF", "X\r\nY", "a", Err(FieldError::Name)),
        ("RFC 9110 §5.5: CRLF", "X", "a\r\nY: b", Err(FieldError::Value)),
        ("CR alone", "X", "a\rb", Err(FieldError::Value)),
        ("LF alone", "X", "a\nb", Err(FieldError::Value)),
        ("NUL", "X", "a\0b", Err(FieldError::Value)),
        ("DEL", "X", "a\x7Fb", Err(FieldError::Value)),
        ("the fields that frame", "content-length", "5", Err(FieldError::Managed)),
        ("another of them", "TRANSFER-ENCODING", "chunked", Err(FieldError::Managed)),
        ("persistence", "Connection", "close", Err(FieldError::Managed)),
        ("persistence as it was", "Keep-Alive", "timeout=5", Err(FieldError::Managed)),
    ];
    for (name, field, value, expected) in rows {
        let mut lines = FieldLines::new();
        lines.push("A", "before").expect("a valid line");
        let found = lines.push(field, value);
        let written = std::str::from_utf8(lines.as_bytes()).expect("text");
        let added = written.strip_prefix("A: before\r\n").expect(name);
        assert_eq!(found.map(|()| added), expected, "{name}");
        assert_eq!(lines.iter().count(), 1 + usize::from(found.is_ok()), "{name}");
        if found.is_ok() {
            assert_eq!(lines.get(&field.to_ascii_uppercase()), Some(value), "{name}");
        } else {
            assert_eq!(added, "", "{name}");
        }
    }
}

#[test]
fn the_first_of_a_name_is_got_and_values_are_not_printed() {
    let mut lines = FieldLines::new();
    assert!(lines.is_empty());
    for value in ["a=1", "b=2"] {
        lines.push("Set-Cookie", value).expect("a valid line");
    }
    assert_eq!(lines.get("set-cookie"), Some("a=1"));
    assert_eq!(lines.get("cookie"), None);
    assert_eq!(
        format!("{lines:?}"),
        r#"{"Set-Cookie": 3, "Set-Cookie": 3}"#
    );
    lines.clear();
    assert!(lines.is_empty());
}

/// RFC 9110 §5.3: a field that is no list stands once, and takes none of its neighbours with it.
#[test]
fn a_single_field_is_replaced() {
    let mut lines = FieldLines::new();
    let rows = [
        ("A", "1"),
        ("Content-Type", "first"),
        ("B", "2"),
        ("content-type", "second"),
    ];
    for (name, value) in rows {
        lines.push(name, value).expect("a valid line");
    }
    let expected = b"A: 1\r\nB: 2\r\ncontent-type: second\r\n";
    assert_eq!(lines.as_bytes(), expected);
    assert!(!lines.is_empty());
    assert_ne!(FieldError::Managed.to_string(), "");
}

/// A connection whose request is to be answered.
fn asked(request: &str, config: &Config) -> Connection {
    let mut conn = Connection::new(Moment(0), config);
    let (mut table, mut out) = (FieldTable::default(), Vec::new());
    let event = conn.next_event(request.as_bytes(), &mut table, Moment(0), config, &mut out);
    assert!(matches!(event, Event::Head { .. }), "{event:?}");
    conn
}

/// RFC 9110 §6.6.1: one Date, the program's if it has one.
#[test]
fn a_date_is_written_once() {
    let (config, date) = (Config::default(), HttpDate::from_unix(784_111_777));
    let date = date.expect("a date before the year 10000");
    let mut own = FieldLines::new();
    own.push("date", "yesterday").expect("a valid line");
    let rows = [
        (
            FieldLines::new(),
            "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Length: 0\r\n",
        ),
        (own, "Content-Length: 0\r\ndate: yesterday\r\n"),
    ];
    for (lines, expected) in rows {
        let mut conn = asked("GET / HTTP/1.1\r\nHost: a\r\n\r\n", &config);
        let mut out = Vec::new();
        let answer = ResponsePlan::new(Status::OK)
            .date(&date)
            .fields(&lines)
            .length(0);
        assert_eq!(
            conn.respond(&answer, &config, &mut out),
            BodyFraming::Length(0)
        );
        let expected = format!("HTTP/1.1 200 OK\r\n{expected}\r\n");
        assert_eq!(String::from_utf8_lossy(&out), expected);
    }
}

/// RFC 9110 §7.8: the name of a protocol is one or two tokens, so that it ends no line.
#[test]
fn a_protocol_ends_no_line() {
    for protocol in ["", "a b", "a\r\nX: y", "a/b/c", "a/", "ü"] {
        let found = ResponsePlan::new(Status::UPGRADE_REQUIRED).upgrade(protocol);
        assert_eq!(found.err(), Some(FieldError::Value), "{protocol:?}");
    }
    assert!(
        ResponsePlan::new(Status::UPGRADE_REQUIRED)
            .upgrade("IRC/6.9")
            .is_ok()
    );
}
