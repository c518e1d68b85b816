//! RFC 9110 §6.4: a request's content, as a handler reads it.

use doorstep::{BodyError, IntoResponse, Method, Request, Status};
use std::io::{BufRead, Read};

/// The content of the answer to a POST of `content`.
fn answered<R: IntoResponse>(
    content: &[u8],
    handler: impl Fn(&mut Request<'_>) -> R + Send + Sync + 'static,
) -> (u16, Vec<u8>) {
    let answer = Request::test(Method::Post, "/")
        .body(content)
        .send(&handler);
    (
        answer.status().code(),
        answer.into_content().expect("in memory"),
    )
}

#[test]
fn the_limit_of_collecting() {
    // name, length of the content, limit, status
    let rows = [
        ("nothing", 0, 0, 200),
        ("one below", 9, 10, 200),
        ("the limit", 10, 10, 200),
        ("one above", 11, 10, 413),
        ("nothing is allowed", 1, 0, 413),
    ];
    for (name, length, limit, status) in rows {
        let content = vec![b'x'; length];
        let (got, echoed) = answered(&content, move |request: &mut Request<'_>| {
            request.body().collect_up_to(limit)
        });
        assert_eq!(got, status, "{name}");
        assert_eq!(echoed == content, status == 200, "{name}");
    }
}

#[test]
fn content_is_read_once_and_in_pieces() {
    let (_, echoed) = answered(b"first line\nsecond line\n", |request: &mut Request<'_>| {
        let body = request.body();
        let mut line = String::new();
        let mut three = [0; 3];
        body.read_line(&mut line)
            .and_then(|_| body.read_exact(&mut three))
            .expect("it is there");
        let rest = body.collect().expect("it is there");
        [line.as_bytes(), b"|", &three, b"|", &rest].concat()
    });
    assert_eq!(echoed, b"first line\n|sec|ond line\n");
}

#[test]
fn why_content_was_not_collected() {
    let rows = [
        ("too large", BodyError::TooLarge, Status::CONTENT_TOO_LARGE),
        (
            "nonsense",
            BodyError::Io(std::io::ErrorKind::InvalidData.into()),
            Status::BAD_REQUEST,
        ),
    ];
    for (name, error, status) in rows {
        assert!(!error.to_string().is_empty(), "{name}");
        assert_eq!(error.into_response().status(), status, "{name}");
    }
}
