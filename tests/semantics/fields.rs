//! Field names, and look-ups in a head.

use doorstep::internals::semantics::fields::{FieldLine, valid_name, valid_value};
use doorstep::internals::semantics::{FieldName, FieldTable, Headers, Span};

/// Section, entry, spelling.
type Row = (&'static str, FieldName, &'static str);

const KNOWN: &[Row] = &[
    ("RFC 9110 §12.5.1", FieldName::Accept, "Accept"),
    (
        "RFC 9110 §12.5.3",
        FieldName::AcceptEncoding,
        "Accept-Encoding",
    ),
    (
        "RFC 9110 §11.6.2",
        FieldName::Authorization,
        "Authorization",
    ),
    ("RFC 9110 §7.6.1", FieldName::Connection, "Connection"),
    ("RFC 9110 §8.6", FieldName::ContentLength, "Content-Length"),
    ("RFC 9110 §8.3", FieldName::ContentType, "Content-Type"),
    ("RFC 6265 §5.4", FieldName::Cookie, "Cookie"),
    ("RFC 9110 §6.6.1", FieldName::Date, "Date"),
    ("RFC 9110 §10.1.1", FieldName::Expect, "Expect"),
    ("RFC 9110 §7.2", FieldName::Host, "Host"),
    ("RFC 9110 §13.1.1", FieldName::IfMatch, "If-Match"),
    (
        "RFC 9110 §13.1.3",
        FieldName::IfModifiedSince,
        "If-Modified-Since",
    ),
    ("RFC 9110 §13.1.2", FieldName::IfNoneMatch, "If-None-Match"),
    ("RFC 9110 §13.1.5", FieldName::IfRange, "If-Range"),
    (
        "RFC 9110 §13.1.4",
        FieldName::IfUnmodifiedSince,
        "If-Unmodified-Since",
    ),
    ("RFC 9112 §C.2.2", FieldName::KeepAlive, "Keep-Alive"),
    ("RFC 6454 §7", FieldName::Origin, "Origin"),
    ("RFC 9110 §14.2", FieldName::Range, "Range"),
    ("RFC 9110 §10.2.4", FieldName::Server, "Server"),
    (
        "RFC 9112 §6.1",
        FieldName::TransferEncoding,
        "Transfer-Encoding",
    ),
    ("RFC 9110 §7.8", FieldName::Upgrade, "Upgrade"),
    ("RFC 9110 §10.1.5", FieldName::UserAgent, "User-Agent"),
];

// RFC 9110 §5, RFC 9110 §5.1
#[test]
fn known_names_are_found_in_any_case() {
    for &(section, field, spelling) in KNOWN {
        let alternating: String = spelling
            .char_indices()
            .map(|(index, c)| {
                if index % 2 == 0 {
                    c.to_ascii_lowercase()
                } else {
                    c.to_ascii_uppercase()
                }
            })
            .collect();
        for name in [
            spelling,
            &spelling.to_lowercase(),
            &spelling.to_uppercase(),
            &alternating,
        ] {
            assert_eq!(FieldName::of(name.as_bytes()), field, "{section}: {name}");
        }
        assert_eq!(field.as_str(), spelling, "{section}");
    }
    let table: Vec<FieldName> = KNOWN.iter().map(|row| row.1).collect();
    assert_eq!(FieldName::ALL, table);
    assert_eq!(FieldName::Other.as_str(), "");
}

/// Every known name with every single byte exchanged for every other, against a search through all
/// names.
#[test]
fn names_that_are_nearly_known_are_others() {
    for &(_, _, spelling) in KNOWN {
        for place in 0..spelling.len() {
            let mut name = spelling.as_bytes().to_vec();
            for octet in 0..=u8::MAX {
                name[place] = octet;
                assert_eq!(
                    FieldName::of(&name),
                    found_naively(&name),
                    "{}",
                    name.escape_ascii()
                );
            }
        }
    }
    let rows: &[(&str, &[u8])] = &[
        ("empty", b""),
        ("too short", b"Hos"),
        ("too long", b"Hosts"),
        ("CGI spelling", b"Content_Length"),
        ("white space after", b"Host "),
        ("a carriage return is a hyphen less bit 5", b"If\rMatch"),
        ("1 KB", &[b'a'; 1024]),
    ];
    for &(name, octets) in rows {
        assert_eq!(FieldName::of(octets), FieldName::Other, "{name}");
    }
}

fn found_naively(name: &[u8]) -> FieldName {
    let found = KNOWN
        .iter()
        .find(|row| row.2.as_bytes().eq_ignore_ascii_case(name));
    found.map_or(FieldName::Other, |row| row.1)
}

// RFC 9110 §5.1, RFC 9110 §6.3
#[test]
fn look_ups_find_lines_in_order_and_without_regard_to_case() {
    let head = Head::of(&[
        ("Host", b"a.example"),
        ("X-Trace", b"1"),
        ("accept", b"text/html"),
        ("x-trace", b"2"),
        ("ACCEPT", b"*/*"),
        ("X-Empty", b""),
    ]);
    let rows: &[(&str, &[&[u8]])] = &[
        ("host", &[b"a.example"]),
        ("Accept", &[b"text/html", b"*/*"]),
        ("X-TRACE", &[b"1", b"2"]),
        ("x-empty", &[b""]),
        ("Cookie", &[]),
        ("x-trac", &[]),
        ("x-trace2", &[]),
        ("", &[]),
    ];
    for &(name, expected) in rows {
        let headers = head.headers();
        assert_eq!(headers.get(name), expected.first().copied(), "{name}");
        assert_eq!(
            headers.get_all(name).collect::<Vec<_>>(),
            expected,
            "{name}"
        );
    }
    let headers = head.headers();
    assert_eq!(
        headers.known_all(FieldName::Accept).next(),
        Some(&b"text/html"[..])
    );
    assert_eq!(headers.known_all(FieldName::Accept).count(), 2);
    assert_eq!(headers.known_all(FieldName::Cookie).next(), None);
    assert_eq!(headers.known_all(FieldName::Other).count(), 3);
}

// RFC 9110 §5.5
#[test]
fn lines_are_listed_as_they_came() {
    let head = Head::of(&[("hOsT", b"a"), ("X-Raw", b"\x80\xFF\tz")]);
    let lines: Vec<(&str, &[u8])> = head.headers().iter().collect();
    assert_eq!(lines, [("hOsT", &b"a"[..]), ("X-Raw", b"\x80\xFF\tz")]);
    assert_eq!(
        (head.headers().len(), head.headers().is_empty()),
        (2, false)
    );
    let none = Head::of(&[]);
    assert_eq!((none.headers().len(), none.headers().is_empty()), (0, true));
    assert_eq!(none.headers().iter().next(), None);
}

#[test]
fn printing_shows_no_value() {
    let head = Head::of(&[
        ("Authorization", b"Basic c2VjcmV0"),
        ("Cookie", b"id=secret"),
    ]);
    assert_eq!(
        format!("{:?}", head.headers()),
        r#"{"Authorization": 14, "Cookie": 9}"#
    );
}

#[test]
fn a_table_is_cleared_for_the_next_head() {
    let mut table = FieldTable::with_capacity(2);
    for _ in 0..2 {
        table.clear();
        assert!(table.lines().is_empty());
        let (name, value) = (Span { start: 0, end: 1 }, Span { start: 2, end: 3 });
        table.push(FieldLine {
            field: FieldName::Other,
            name,
            value,
        });
        assert_eq!(table.lines().len(), 1);
        assert_eq!(table.lines()[0].value, value);
    }
}

#[test]
fn a_span_outside_is_empty() {
    let rows: &[(&str, u32, u32, &[u8])] = &[
        ("all", 0, 3, b"abc"),
        ("part", 1, 2, b"b"),
        ("nothing at the end", 3, 3, b""),
        ("past the end", 2, 4, b""),
        ("far outside", 7, 9, b""),
        ("the greatest", u32::MAX, u32::MAX, b""),
        ("end before start", 2, 1, b""),
    ];
    for &(name, start, end, expected) in rows {
        assert_eq!(Span { start, end }.of(b"abc"), expected, "{name}");
    }
}

// RFC 9110 §5.1, RFC 9110 §5.5
#[test]
fn only_clean_fields_can_be_written() {
    #[derive(Clone, Copy, PartialEq)]
    enum Fault {
        Name,
        Value,
    }
    use Fault::{Name, Value};
    type Row = (
        &'static str,
        &'static [u8],
        &'static [u8],
        Result<(), Fault>,
    );
    let rows: &[Row] = &[
        ("a field", b"X-A", b"b", Ok(())),
        ("an empty value", b"X-A", b"", Ok(())),
        (
            "white space around and inside",
            b"X-A",
            b" \tb c\t ",
            Ok(()),
        ),
        ("obs-text", b"X-A", b"caf\xC3\xA9 \x80\xFF", Ok(())),
        ("every kind of tchar", b"!#$%&'*+-.^_`|~09", b"b", Ok(())),
        (
            "RUSTSEC-2017-0002: CR and LF",
            b"X-A",
            b"b\r\nSet-Cookie: c",
            Err(Value),
        ),
        ("CVE-2026-66753: a bare LF", b"X-A", b"b\nc", Err(Value)),
        ("a bare CR", b"X-A", b"b\rc", Err(Value)),
        ("LF at the end", b"X-A", b"b\n", Err(Value)),
        ("NUL", b"X-A", b"b\0", Err(Value)),
        ("STRICTER: another control", b"X-A", b"b\x1B[0m", Err(Value)),
        ("STRICTER: DEL", b"X-A", b"b\x7F", Err(Value)),
        ("no name", b"", b"b", Err(Name)),
        ("a colon in the name", b"X:A", b"b", Err(Name)),
        ("white space after the name", b"X-A ", b"b", Err(Name)),
        ("white space before the name", b" X-A", b"b", Err(Name)),
        ("CR and LF in the name", b"X-A: b\r\nC", b"d", Err(Name)),
        ("a name beyond ASCII", b"X-\xC3\xA9", b"b", Err(Name)),
        ("both: the name comes first", b"", b"\n", Err(Name)),
    ];
    for &(question, name, value, expected) in rows {
        let valid = match (valid_name(name), valid_value(value)) {
            (false, _) => Err(Name),
            (true, false) => Err(Value),
            (true, true) => Ok(()),
        };
        assert!(valid == expected, "{question}");
    }
}

/// A head's bytes and its table, made from pairs.
struct Head {
    octets: Vec<u8>,
    table: FieldTable,
}

impl Head {
    fn of(lines: &[(&str, &[u8])]) -> Head {
        let mut head = Head {
            octets: Vec::new(),
            table: FieldTable::default(),
        };
        for &(name, value) in lines {
            let field = FieldName::of(name.as_bytes());
            let name = head.put(name.as_bytes());
            head.put(b": ");
            let value = head.put(value);
            head.put(b"\r\n");
            head.table.push(FieldLine { field, name, value });
        }
        head
    }

    fn put(&mut self, octets: &[u8]) -> Span {
        let start = self.octets.len() as u32;
        self.octets.extend_from_slice(octets);
        Span {
            start,
            end: self.octets.len() as u32,
        }
    }

    fn headers(&self) -> Headers<'_> {
        Headers::new(&self.octets, self.table.lines())
    }
}
