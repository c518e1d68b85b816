//! What a handler sees of a request.

use doorstep::{Method, Request, Response};

/// What a handler sees in `look` of a request for `target`.
fn seen(
    method: Method,
    target: &str,
    look: impl Fn(&Request<'_>) -> String + Send + Sync + 'static,
) -> String {
    let handler = move |request: &mut Request<'_>| Response::text(look(request));
    let content = Request::test(method, target)
        .header("X-Tea", "green")
        .send(&handler)
        .into_content();
    String::from_utf8(content.expect("in memory")).expect("text")
}

#[test]
fn the_parts_of_a_target() {
    // name, method, target, path, query
    let rows = [
        ("a path", Method::Get, "/a/b", "/a/b", None),
        (
            "a path and a query",
            Method::Get,
            "/a?b=c?d",
            "/a",
            Some("b=c?d"),
        ),
        ("an empty query", Method::Get, "/a?", "/a", Some("")),
        ("escapes stay", Method::Get, "/%61%2fb", "/%61%2fb", None),
        (
            "an absolute target",
            Method::Get,
            "http://example.org/a?b",
            "/a",
            Some("b"),
        ),
        (
            "an absolute target without a path",
            Method::Get,
            "http://example.org",
            "/",
            None,
        ),
        ("the asterisk", Method::Options, "*", "*", None),
        ("an authority", Method::Connect, "example.org:443", "", None),
    ];
    for (name, method, target, path, query) in rows {
        let expected = format!("{target} {path} {query:?}");
        let look = |request: &Request<'_>| {
            format!(
                "{} {} {:?}",
                request.target(),
                request.path(),
                request.query()
            )
        };
        assert_eq!(seen(method, target, look), expected, "{name}");
    }
}

#[test]
fn fields_without_regard_to_case() {
    let look = |request: &Request<'_>| {
        let get = |name| request.header(name).unwrap_or("-").to_string();
        [get("x-tea"), get("X-TEA"), get("x-te"), get("host")].join(" ")
    };
    assert_eq!(seen(Method::Get, "/", look), "green green - localhost");
}

/// The bytes of a request outlive the borrow of the request itself.
#[test]
fn a_path_is_held_while_content_is_read() {
    let handler = |request: &mut Request<'_>| {
        let path = request.path();
        let content = request.body().collect().unwrap_or_default();
        format!("{path} {}", content.len())
    };
    let answer = Request::test(Method::Post, "/tea")
        .body("hot")
        .send(&handler);
    assert_eq!(answer.into_content().expect("in memory"), b"/tea 3");
}
