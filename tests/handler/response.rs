//! What a handler may return, and what cannot get into an answer.

use crate::support::temporary::Temporary;
use doorstep::{FieldError, IntoResponse, Response, Status};
use std::io;
use std::sync::Arc;

/// Status, Content-Type and content of what a value becomes.
fn becomes(value: impl IntoResponse) -> (u16, Option<String>, Vec<u8>) {
    let response = value.into_response();
    let media_type = response.header_value("content-type").map(str::to_string);
    let status = response.status().code();
    (
        status,
        media_type,
        response.into_content().expect("it is in memory"),
    )
}

#[test]
fn values_become_answers() {
    const TEXT: Option<&str> = Some("text/plain; charset=utf-8");
    const OCTETS: Option<&str> = Some("application/octet-stream");
    let shared: Arc<[u8]> = Arc::from(*b"shared");
    let rows = [
        ("text of the program", becomes("hi"), 200, TEXT, "hi"),
        ("text made", becomes(String::from("hi")), 200, TEXT, "hi"),
        ("bytes made", becomes(b"\x00".to_vec()), 200, OCTETS, "\0"),
        (
            "bytes of the program",
            becomes(&b"hi"[..]),
            200,
            OCTETS,
            "hi",
        ),
        ("shared bytes", becomes(shared), 200, OCTETS, "shared"),
        (
            "a status without content",
            becomes(Status::NO_CONTENT),
            204,
            None,
            "",
        ),
        (
            "a status and a value",
            becomes((Status::CREATED, "made")),
            201,
            TEXT,
            "made",
        ),
        (
            "an answer",
            becomes(Response::new(Status::OK)),
            200,
            None,
            "",
        ),
        (
            "a value or an error: the value",
            becomes(Ok::<_, Status>("hi")),
            200,
            TEXT,
            "hi",
        ),
        (
            "a value or an error: the error",
            becomes(Err::<&str, _>((Status::CONFLICT, "no"))),
            409,
            TEXT,
            "no",
        ),
    ];
    for (name, (status, media_type, content), expected, expected_type, text) in rows {
        assert_eq!(
            (status, media_type.as_deref()),
            (expected, expected_type),
            "{name}"
        );
        assert_eq!(content, text.as_bytes(), "{name}");
    }
}

#[test]
fn a_status_with_content_is_a_page_that_is_not_stored() {
    let page = Status::NOT_FOUND.into_response();
    assert_eq!(page.header_value("Cache-Control"), Some("no-store"));
    assert_eq!(
        page.header_value("Content-Type"),
        Some("text/html; charset=utf-8")
    );
    let content = String::from_utf8(page.into_content().expect("in memory")).expect("text");
    assert!(content.contains("<h1>404 Not Found</h1>"), "{content}");
}

#[test]
fn an_error_of_the_system_keeps_its_text() {
    let page = io::Error::other("the password is swordfish").into_response();
    assert_eq!(page.status(), Status::INTERNAL_SERVER_ERROR);
    let content = page.into_content().expect("in memory");
    assert!(!String::from_utf8_lossy(&content).contains("swordfish"));
}

/// RUSTSEC-2017-0002, CVE-2026-66753: what a program puts into a field must not become a field, or
/// an answer, of its own.
#[test]
fn fields_that_cannot_be_written() {
    let rows = [
        (
            "CR LF in a value",
            "X",
            "a\r\nSet-Cookie: b=c",
            Some(FieldError::Value),
        ),
        ("LF in a value", "X", "a\nb", Some(FieldError::Value)),
        ("CR in a value", "X", "a\rb", Some(FieldError::Value)),
        ("NUL in a value", "X", "a\0b", Some(FieldError::Value)),
        ("DEL in a value", "X", "a\x7fb", Some(FieldError::Value)),
        ("white space around a value", "X", " a", None),
        ("a tab within a value", "X", "a\tb", None),
        ("UTF-8 in a value", "X", "grüße", None),
        ("an empty value", "X", "", None),
        ("an empty name", "", "a", Some(FieldError::Name)),
        ("a space in a name", "a b", "c", Some(FieldError::Name)),
        ("a colon in a name", "a:", "c", Some(FieldError::Name)),
        ("CR LF in a name", "a\r\nb", "c", Some(FieldError::Name)),
        ("UTF-8 in a name", "ü", "c", Some(FieldError::Name)),
        (
            "what frames the content",
            "content-length",
            "1",
            Some(FieldError::Managed),
        ),
        (
            "what frames the content",
            "Transfer-Encoding",
            "chunked",
            Some(FieldError::Managed),
        ),
        (
            "what ends the connection",
            "CONNECTION",
            "close",
            Some(FieldError::Managed),
        ),
        (
            "what ends the connection",
            "Keep-Alive",
            "timeout=5",
            Some(FieldError::Managed),
        ),
        (
            "RFC 9110 §7.8: what needs an option in Connection",
            "upgrade",
            "h2c",
            Some(FieldError::Managed),
        ),
    ];
    for (name, field, value, fault) in rows {
        let mut response = Response::new(Status::OK);
        assert_eq!(response.try_header(field, value).err(), fault, "{name}");
        let written = response.header_value(field);
        assert_eq!(written, fault.is_none().then_some(value), "{name}");
    }
}

/// RFC 9110 §10.2.2: the target of a redirect.
#[test]
fn a_redirect_says_where() {
    let response = Response::redirect(Status::SEE_OTHER, "/tea?milk=no");
    assert_eq!(
        (response.status().code(), response.header_value("location")),
        (303, Some("/tea?milk=no"))
    );
}

#[test]
fn fields_are_found_by_name() {
    let response = Response::new(Status::OK)
        .header("A", "1")
        .header("AB", "2")
        .header("a", "3");
    let rows = [
        ("a", Some("1")),
        ("A", Some("1")),
        ("ab", Some("2")),
        ("b", None),
        ("", None),
    ];
    for (name, value) in rows {
        assert_eq!(response.header_value(name), value, "{name}");
    }
}

/// Answers may share the descriptor of a file, and be read at the same time.
#[test]
fn files_are_read_as_if_alone() {
    let octets: Vec<u8> = (0..=255).cycle().take(300_000).collect();
    let path = Temporary::file(&octets);
    let file = std::fs::File::open(&*path).expect("it can be opened");
    let content = |offset: usize, length: usize| {
        // A duplicate has the same cursor.
        let file = file.try_clone().expect("it can be duplicated");
        Response::new(Status::OK)
            .file(file, offset as u64, length as u64)
            .into_content()
    };
    std::thread::scope(|scope| {
        for offset in [0, 100_001, 200_002] {
            let (content, octets) = (&content, &octets);
            scope.spawn(move || {
                for _ in 0..200 {
                    let part = content(offset, 90_000).expect("it can be read");
                    assert!(part == octets[offset..offset + 90_000], "{offset}");
                }
            });
        }
    });
    let error = content(299_999, 2).expect_err("one byte is there, of two");
    assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
}
