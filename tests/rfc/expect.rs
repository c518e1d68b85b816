//! RFC 9110 §10.1.1: the Expect field.

use crate::harness::{Row, accept, field, refuse, run};
use doorstep::internals::h1::Reject::UnknownExpectation;

#[rustfmt::skip]
pub fn rows() -> Vec<Row> {
    let mut rows = vec![
        accept("none", field("Content-Length: 1"), "expect=nothing"),
        accept("hyper#3137: 100-continue", field("Content-Length: 1\r\nExpect: 100-continue"), "expect=continue framing=1"),
        accept("without regard to case", field("expect: 100-Continue"), "expect=continue"),
        accept("without content", field("Expect: 100-continue"), "expect=continue framing=none"),
        accept("hyper#3137: ignored in 1.0", "POST / HTTP/1.0\r\nExpect: 100-continue\r\n\r\n", "expect=nothing"),
        accept("an unknown one is ignored in 1.0", "POST / HTTP/1.0\r\nExpect: x\r\n\r\n", "expect=nothing"),
        refuse("two fields", field("Expect: 100-continue\r\nExpect: 100-continue"), UnknownExpectation),
        refuse("a second field that is unknown", field("Expect: 100-continue\r\nExpect: x"), UnknownExpectation),
    ];
    for value in ["", "100", "100-continued", "x", "100-continue, x", "100-continue,", ", 100-continue", "100-continue;x", "\"100-continue\"", "100-continue, 100-continue"] {
        rows.push(refuse(&format!("hyper#3137: Expect: {value}"), field(format!("Expect: {value}")), UnknownExpectation));
    }
    rows
}

#[test]
fn expectations() {
    run(rows());
}
