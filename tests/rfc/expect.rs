//! RFC 9110 §10.1.1 and §5.6.1.2: the Expect field.

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
        accept("two fields are one list", field("Expect: 100-continue\r\nExpect: 100-continue"), "expect=continue"),
        accept("an empty field and another", field("Expect:\r\nExpect: 100-continue"), "expect=continue"),
        accept("another name of as many bytes", field("Expecs: x"), "expect=nothing"),
        refuse("a second field that is unknown", field("Expect: 100-continue\r\nExpect: x"), UnknownExpectation),
        refuse("a first field that is unknown", field("Expect: x\r\nExpect: 100-continue"), UnknownExpectation),
    ];
    for value in ["100-continue,", ", 100-continue", ",,\t,100-continue , ,", "100-continue, 100-continue"] {
        rows.push(accept(&format!("RFC 9110 §5.6.1.2: Expect: {value}"), field(format!("Expect: {value}")), "expect=continue"));
    }
    for value in ["", ",", " , ,\t,"] {
        rows.push(accept(&format!("RFC 9110 §5.6.1.2: Expect: {value}: nothing"), field(format!("Expect: {value}")), "expect=nothing"));
    }
    for value in ["100", "100-continued", "x", "100-continue, x", "x, 100-continue", "100-continue;x", "\"100-continue\"", "100-continue 100-continue", "\"\"", ",x,"] {
        rows.push(refuse(&format!("hyper#3137: Expect: {value}"), field(format!("Expect: {value}")), UnknownExpectation));
    }
    rows
}

#[test]
fn expectations() {
    run(rows());
}
