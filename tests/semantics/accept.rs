//! Media types and how much a client prefers them.

use crate::lines::with_headers;
use doorstep::internals::semantics::accept::{Weight, weight};

/// A name, the values of the field's lines, a media type, and its weight: thousandths and
/// precision.
type Row = (
    &'static str,
    &'static [&'static str],
    &'static str,
    (u16, u8),
);

#[rustfmt::skip]
const ROWS: &[Row] = &[
    ("RFC 9110 §12.4.1: no field", &[], "text/html", (1000, 0)),
    ("RFC 9110 §12.4.1: an empty field", &[""], "text/html", (1000, 0)),
    ("RFC 9110 §12.4.1: no valid member", &["text, */html, ;q=1, a/b;q=2"], "text/html", (1000, 0)),

    ("RFC 9110 §12.5.1: any audio", &["audio/*; q=0.2, audio/basic"], "audio/mpeg", (200, 1)),
    ("RFC 9110 §12.5.1: the one", &["audio/*; q=0.2, audio/basic"], "audio/basic", (1000, 2)),
    ("RFC 9110 §12.5.1: no audio", &["audio/*; q=0.2, audio/basic"], "text/html", (0, 0)),
    ("RFC 9110 §12.5.1: more elaborate, text/plain", &["text/plain; q=0.5, text/html, text/x-dvi; q=0.8, text/x-c"], "text/plain", (500, 2)),
    ("RFC 9110 §12.5.1: more elaborate, text/x-dvi", &["text/plain; q=0.5, text/html, text/x-dvi; q=0.8, text/x-c"], "text/x-dvi", (800, 2)),
    ("RFC 9110 §12.5.1: table 5, text/plain", &[TABLE_5], "text/plain", (700, 2)),
    ("RFC 9110 §12.5.1: table 5, text/html", &[TABLE_5], "text/html", (300, 1)),
    ("RFC 9110 §12.5.1: table 5, image/jpeg", &[TABLE_5], "image/jpeg", (500, 0)),
    ("RFC 9110 §12.4.3: nothing", &["*/*;q=0"], "text/html", (0, 0)),

    ("a browser's, HTML", &[BROWSER], "text/html", (1000, 2)),
    ("a browser's, JSON", &[BROWSER], "application/json", (800, 0)),
    ("curl's", &["*/*"], "application/json", (1000, 0)),
    ("a program's, JSON", &["application/json, text/plain, */*"], "application/json", (1000, 2)),
    ("a program's, HTML", &["application/json, text/plain, */*"], "text/html", (1000, 0)),
    ("JSON alone", &["application/json"], "text/html", (0, 0)),

    ("the order means nothing", &["*/*;q=0.1, text/html;q=0.3, text/*;q=0.2"], "text/html", (300, 2)),
    ("precise and refused", &["text/html;q=0, */*"], "text/html", (0, 2)),
    ("a range refused", &["text/*;q=0, */*"], "text/html", (0, 1)),
    ("the first of two that are equally precise", &["text/html;q=0.5, text/html"], "text/html", (500, 2)),
    ("on several lines", &["text/*;q=0.2", "text/html;q=0.4"], "text/html", (400, 2)),
    ("RFC 9110 §8.3.1: case means nothing", &["Text/HTML"], "text/html", (1000, 2)),
    ("RFC 9110 §8.3.1: nor in the type asked about", &["text/html"], "TEXT/Html", (1000, 2)),
    ("RFC 9110 §5.6.1.2: empty elements", &[", ,text/html,,"], "text/html", (1000, 2)),
    ("another subtype that begins so", &["text/htmlx, text/htm"], "text/html", (0, 0)),
    ("another type that begins so", &["tex/*, textx/*"], "text/html", (0, 0)),

    ("RFC 9110 §12.5.1: a parameter is of another type", &["text/html;level=1"], "text/html", (0, 0)),
    ("RFC 9110 §12.5.1: a parameter, and any", &["text/html;level=1, */*;q=0.5"], "text/html", (500, 0)),
    ("RFC 9110 §12.5.1: a parameter and a weight", &["text/html;level=1;q=0, text/html;q=0.7"], "text/html", (700, 2)),
    ("RFC 9110 §12.5.1: a weight in front", &["text/html;q=0.3;level=1, text/*;q=0.6"], "text/html", (600, 1)),
    ("RFC 9110 §12.5.1: a range with a parameter", &["text/*;level=1"], "text/html", (0, 0)),
    ("RFC 9110 §5.6.6: a quoted parameter", &["text/html;a=\"x;q=0.1, y\";q=0.2, */*;q=0.4"], "text/html", (400, 0)),
    ("RFC 9110 §5.6.6: empty parameters", &["text/html; ;q=0.5;"], "text/html", (500, 2)),
    ("RFC 9110 §12.4.2: Q, and white space", &["text/html \t;\tQ=0.25"], "text/html", (250, 2)),
    ("RFC 9110 §12.4.2: two weights", &["text/html;q=0.5;q=0.5, */*;q=0.1"], "text/html", (100, 0)),
    ("RFC 9110 §12.4.2: a weight that is none", &["text/html;q=1.5, */*;q=0.1"], "text/html", (100, 0)),
    ("RFC 9110 §12.4.2: white space within", &["text/html;q= 1, */*;q=0.1"], "text/html", (100, 0)),

    ("a type alone", &["text, */*;q=0.1"], "text/html", (100, 0)),
    ("an asterisk alone", &["*;q=0.2, */*;q=0.1"], "text/html", (100, 0)),
    ("any type of one subtype", &["*/html, */*;q=0.1"], "text/html", (100, 0)),
    ("no subtype", &["text/, */*;q=0.1"], "text/html", (100, 0)),
    ("no type", &["/html, */*;q=0.1"], "text/html", (100, 0)),
    ("two slashes", &["text/html/x, */*;q=0.1"], "text/html", (100, 0)),
    ("white space around the slash", &["text /html, text/ html, */*;q=0.1"], "text/html", (100, 0)),
    ("a semicolon in front", &[";text/html, */*;q=0.1"], "text/html", (100, 0)),
    ("a part of an asterisk", &["text/*l, */*;q=0.1"], "text/html", (100, 0)),
];

const TABLE_5: &str = "text/*;q=0.3, text/plain;q=0.7, text/plain;format=flowed, text/plain;format=fixed;q=0.4, */*;q=0.5";
const BROWSER: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8,application/signed-exchange;v=b3;q=0.7";

#[test]
fn each_value() {
    for &(name, values, essence, (thousandths, precision)) in ROWS {
        let expected = Weight {
            thousandths,
            precision,
        };
        assert_eq!(weighed(values, essence), expected, "{name}");
    }
}

#[test]
fn more_is_greater_and_then_the_more_precise() {
    let compared = |value| {
        let [json, html] =
            ["application/json", "text/html"].map(|essence| weighed(&[value], essence));
        json.cmp(&html)
    };
    for (value, expected) in [
        (BROWSER, std::cmp::Ordering::Less),
        ("*/*", std::cmp::Ordering::Equal),
        ("application/json", std::cmp::Ordering::Greater),
        ("application/json, */*", std::cmp::Ordering::Greater),
        ("application/json;q=0.5, */*", std::cmp::Ordering::Less),
        ("text/*, application/json", std::cmp::Ordering::Greater),
    ] {
        assert_eq!(compared(value), expected, "{value}");
    }
}

fn weighed(values: &[&str], essence: &str) -> Weight {
    let lines: Vec<_> = values.iter().map(|&value| ("ACCEPT", value)).collect();
    with_headers(&lines, |headers| weight(headers, essence))
}
