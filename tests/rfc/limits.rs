//! RFC 9112 §3, RFC 9110 §15.5.15 and RFC 6585 §5: each limit of a head at its number, one below
//! and one above.

use crate::harness::{Outcome, Row, accept, feed, field, line, refuse, run};
use doorstep::Limits;
use doorstep::internals::h1::Reject::{
    self, HeadTooLarge, MethodTooLong, RequestLineTooLong, TargetTooLong, TooManyFields,
};

#[rustfmt::skip]
pub fn rows() -> Vec<Row> {
    let mut rows = small();
    rows.extend(request_lines());
    rows.extend(defaults());
    rows
}

/// Limits that are small enough to be cut at every offset.
#[rustfmt::skip]
fn small() -> Vec<Row> {
    // 16 bytes of request line, 9 of a field, 2 of an empty line.
    const LEN: usize = 27;
    let head = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    assert_eq!(head.len(), LEN);
    let within = |bytes: usize| move |limits: &mut Limits| limits.head_bytes = bytes;
    let fields = |count: usize| move |limits: &mut Limits| limits.headers = count;
    let three = || field("X: y\r\nX: y");
    vec![
        accept("a head below its limit", head, "host=a").limited(within(LEN + 1)),
        accept("a head at its limit", head, "host=a").limited(within(LEN)),
        refuse("a head of one byte too many", head, HeadTooLarge).limited(within(LEN - 1)),
        refuse("a head that is full without an end", &head[..LEN - 1], HeadTooLarge).limited(within(LEN - 1)),
        refuse("a head that is full at the end of a line", head, HeadTooLarge).limited(within(25)),
        refuse("a head that is full at a line's CR", head, HeadTooLarge).limited(within(24)),
        refuse("a head that is full at its request line", head, HeadTooLarge).limited(within(16)),
        refuse("a head that is full in its request line", head, RequestLineTooLong).limited(within(15)),
        refuse("a head that is full in its method", head, RequestLineTooLong).limited(within(2)),
        refuse("a limit of nothing", head, RequestLineTooLong).limited(within(0)),
        accept("the empty line before it counts", format!("\r\n{head}"), "host=a").limited(within(LEN + 2)),
        refuse("the empty line before it counts, one above", format!("\r\n{head}"), HeadTooLarge).limited(within(LEN + 1)),
        refuse("a wrong byte within the limit is told before the limit", "GET / HTTP/1.1\r\nHost : a", Reject::SpaceBeforeColon).limited(within(21)),
        refuse("a wrong byte beyond the limit is not told", "GET / HTTP/1.1\r\nHost : a", HeadTooLarge).limited(within(20)),
        accept("fields below their limit", three(), "host=a").limited(fields(4)),
        accept("fields at their limit", three(), "host=a").limited(fields(3)),
        refuse("one field too many", three(), TooManyFields).limited(fields(2)),
        refuse("one field too many is told before its name is read", "GET / HTTP/1.1\r\nHost: a\r\nX", TooManyFields).limited(fields(1)),
        refuse("a fold is told even where there is no room for a field", field(" X: y"), Reject::ObsoleteFold).limited(fields(1)),
    ]
}

#[rustfmt::skip]
fn request_lines() -> Vec<Row> {
    let method = |len: usize| line(format!("{} / HTTP/1.1", "M".repeat(len)));
    let target = |len: usize| line(format!("GET /{} HTTP/1.1", "t".repeat(len - 1)));
    let ten = |limits: &mut Limits| limits.target_bytes = 10;
    vec![
        accept("a method below its limit", method(22), "target=/"),
        accept("a method at its limit", method(23), "target=/"),
        refuse("RFC 9112 §3: a method of one byte too many", method(24), MethodTooLong),
        refuse("a method of 1 KB", method(1024), MethodTooLong),
        refuse("a method that is too long, without an end", "M".repeat(24), MethodTooLong),
        accept("a target below its limit", target(9), "method=GET").limited(ten),
        accept("a target at its limit", target(10), "method=GET").limited(ten),
        refuse("RFC 9110 §15.5.15: a target of one byte too many", target(11), TargetTooLong).limited(ten),
        refuse("a target that is too long and wrong after that", "GET /tttttttttt\0", TargetTooLong).limited(ten),
        refuse("a target that is wrong where it would be too long", "GET /ttttttttt\0", Reject::InvalidTarget).limited(ten),
        accept("a target at the default limit", target(8 * 1024), "method=GET"),
        refuse("a target of 9 KB", target(9 * 1024), TargetTooLong),
    ]
}

#[rustfmt::skip]
fn defaults() -> Vec<Row> {
    let fields = |count: usize| field(vec!["X: y"; count].join("\r\n"));
    let large = |len: usize| field(format!("Cookie: {}", "c".repeat(len)));
    let around = large(0).len();
    vec![
        accept("100 fields", fields(99), "host=a"),
        refuse("101 fields (RFC 6585 §5)", fields(100), TooManyFields),
        refuse("1,000 fields", fields(999), TooManyFields),
        accept("hyper#3764, httparse#162: a head of 16 KiB", large(16 * 1024 - around), "host=a"),
        refuse("a head of 16 KiB and one byte", large(16 * 1024 - around + 1), HeadTooLarge),
        refuse("one field of 64 KB", large(64 * 1024), HeadTooLarge),
    ]
}

#[test]
fn limits_of_a_head() {
    run(rows());
}

/// The refusal comes with the first byte that does not fit, not with the end of the line or of the
/// head.
#[test]
fn a_limit_is_told_at_once() {
    for (name, start, octet, reject, at) in [
        ("method", "", b'M', MethodTooLong, 24),
        ("target", "GET /", b't', TargetTooLong, 4 + 8 * 1024 + 1),
        (
            "head",
            "GET / HTTP/1.1\r\nX: ",
            b'v',
            HeadTooLarge,
            16 * 1024,
        ),
    ] {
        let limits = Limits::default();
        let mut octets = start.as_bytes().to_vec();
        octets.resize(at, octet);
        let whole = |octets: &[u8]| feed(octets, [octets.len()], &limits);
        assert_eq!(whole(&octets), Outcome::Refused(reject), "{name}");
        assert_eq!(whole(&octets[..at - 1]), Outcome::More, "{name}");
    }
}
