//! Content codings and how much a client prefers them.

use crate::lines::with_headers;
use doorstep::internals::semantics::accept_encoding::{Coding, ranking};

/// A name, the values of the field's lines, and the codings in the order in which they are
/// preferred.
#[rustfmt::skip]
const ROWS: &[(&str, &[&str], &[&str])] = &[
    ("RFC 9110 §12.5.3: no field", &[], &["identity"]),
    ("RFC 9110 §12.5.3: its examples, none of ours but one", &["compress, gzip"], &["gzip", "identity"]),
    ("RFC 9110 §12.5.3: its examples, empty", &[""], &["identity"]),
    ("RFC 9110 §12.5.3: its examples, any", &["*"], &["br", "zstd", "gzip", "identity"]),
    ("RFC 9110 §12.5.3: its examples, weighed", &["compress;q=0.5, gzip;q=1.0"], &["gzip", "identity"]),
    ("RFC 9110 §12.5.3: its examples, nothing else", &["gzip;q=1.0, identity; q=0.5, *;q=0"], &["gzip", "identity"]),

    ("a browser's", &["gzip, deflate, br, zstd"], &["br", "zstd", "gzip", "identity"]),
    ("one", &["zstd"], &["zstd", "identity"]),
    ("on several lines", &["gzip", "deflate", "br;q=0.9"], &["gzip", "br", "identity"]),
    ("an empty line first", &["", "gzip"], &["gzip", "identity"]),
    ("RFC 9110 §8.4.1: case means nothing", &["GZip, BR"], &["br", "gzip", "identity"]),
    ("RFC 9110 §8.4.1.3: an old name", &["x-gzip"], &["gzip", "identity"]),
    ("RFC 9110 §8.4.1.3: an old name, refused", &["*, X-GZIP;q=0"], &["br", "zstd", "identity"]),
    ("RFC 9110 §5.6.1.2: empty elements", &[", ,gzip,,br ,"], &["br", "gzip", "identity"]),
    ("a part of a name", &["gzi, gzipp, b, r, x-br"], &["identity"]),
    ("other codings", &["deflate, compress, x-compress, dcb, exi"], &["identity"]),

    ("the client's order", &["br;q=0.1, zstd;q=0.2, gzip;q=0.3"], &["gzip", "zstd", "br", "identity"]),
    ("a thousandth decides", &["br;q=0.899, gzip;q=0.9"], &["gzip", "br", "identity"]),
    ("the server's order where equal", &["gzip;q=0.5, zstd;q=0.50, br;q=0.500"], &["br", "zstd", "gzip", "identity"]),
    ("one refused", &["br;q=0, gzip"], &["gzip", "identity"]),
    ("all refused but identity", &["br;q=0, zstd;q=0, gzip;q=0"], &["identity"]),
    ("the first of two for one coding", &["gzip;q=0, gzip;q=1"], &["identity"]),
    ("the first of two names for one coding", &["x-gzip;q=0.5, br;q=0.7, gzip"], &["br", "gzip", "identity"]),

    ("any other at less", &["gzip, *;q=0.5"], &["gzip", "br", "zstd", "identity"]),
    ("any other but one", &["*, br;q=0"], &["zstd", "gzip", "identity"]),
    ("none other", &["br, *;q=0"], &["br"]),
    ("none at all", &["*;q=0"], &[]),
    ("none but identity", &["identity, *;q=0"], &["identity"]),
    ("none but identity, at less", &["identity;q=0.001, *;q=0"], &["identity"]),
    ("no identity", &["identity;q=0"], &[]),
    ("no identity, but one coding", &["identity;q=0, gzip;q=0.5"], &["gzip"]),
    ("no identity, but any coding", &["identity;q=0, *"], &["br", "zstd", "gzip"]),
    ("no identity, whatever any is", &["*;q=0.5, identity;q=0.0"], &["br", "zstd", "gzip"]),

    ("identity by its own quality", &["identity;q=1, gzip;q=0.5"], &["identity", "gzip"]),
    ("identity between two", &["br, identity;q=0.7, gzip;q=0.5"], &["br", "identity", "gzip"]),
    ("identity where equal", &["identity, gzip"], &["gzip", "identity"]),
    ("identity that is not named, after the least", &["gzip;q=0.001"], &["gzip", "identity"]),
    ("identity that is not named, after any", &["*;q=0.001"], &["br", "zstd", "gzip", "identity"]),

    ("RFC 9110 §12.4.2: Q", &["br;Q=0.5, gzip"], &["gzip", "br", "identity"]),
    ("RFC 9110 §12.4.2: white space around the semicolon", &["br\t; \tq=0.5, gzip ;q=0.7"], &["gzip", "br", "identity"]),
    ("RFC 9110 §12.4.2: a point alone", &["br;q=0., gzip;q=1."], &["gzip", "identity"]),
    ("RFC 9110 §12.4.2: three zeros", &["br;q=0.000, gzip;q=1.000"], &["gzip", "identity"]),
    ("RFC 9110 §12.4.2: four digits", &["br;q=0.0000, gzip;q=1.0000"], &["identity"]),
    ("RFC 9110 §12.4.2: more than 1", &["br;q=1.001, gzip;q=1.1, zstd;q=2"], &["identity"]),
    ("RFC 9110 §12.4.2: 10", &["br;q=10"], &["identity"]),
    ("RFC 9110 §12.4.2: 00", &["br;q=00.5, gzip;q=01"], &["identity"]),
    ("RFC 9110 §12.4.2: no digit before the point", &["br;q=.5"], &["identity"]),
    ("RFC 9110 §12.4.2: a comma for the point", &["br;q=0,5"], &["identity"]),
    ("RFC 9110 §12.4.2: signs", &["br;q=-0, gzip;q=+1, zstd;q=0.+1"], &["identity"]),
    ("RFC 9110 §12.4.2: an exponent", &["br;q=1e0"], &["identity"]),
    ("RFC 9110 §12.4.2: words", &["br;q=nan, gzip;q=inf"], &["identity"]),
    ("RFC 9110 §12.4.2: no value", &["br;q=, gzip;q"], &["identity"]),
    ("RFC 9110 §12.4.2: quotes", &["br;q=\"1\""], &["identity"]),
    ("RFC 9110 §12.4.2: white space within", &["br;q =1, gzip;q= 1, zstd;q=0. 5"], &["identity"]),
    ("RFC 9110 §12.4.2: two weights", &["br;q=1;q=1"], &["identity"]),
    ("RFC 9110 §12.4.2: something after", &["br;q=1;x=2, gzip;q=0.5 x"], &["identity"]),
    ("RFC 9110 §12.4.2: another parameter", &["br;level=5, gzip;x;q=1"], &["identity"]),
    ("RFC 9110 §12.4.2: a semicolon alone", &["br;, gzip;;q=1"], &["identity"]),
    ("an invalid member alone is ignored", &["br;q=2, gzip"], &["gzip", "identity"]),
    ("an invalid member names nothing, so that any is it", &["br;q=2, *;q=0.5, gzip"], &["gzip", "br", "zstd", "identity"]),
    ("an invalid member refuses nothing", &["identity;q=0.0000"], &["identity"]),
    ("a comma within quotes", &["x;q=\"a, br\", gzip"], &["gzip", "identity"]),
    ("two names without a comma", &["br gzip"], &["identity"]),
    ("a slash", &["br/gzip, */*"], &["identity"]),
    ("bytes above ASCII", &["br\u{e9}, gzip"], &["gzip", "identity"]),
];

#[test]
fn each_value() {
    for &(name, values, expected) in ROWS {
        assert_eq!(ranked(values), expected, "{name}");
    }
}

#[test]
fn codings_have_names_and_places() {
    for (place, (coding, name)) in [
        (Coding::Brotli, "br"),
        (Coding::Zstd, "zstd"),
        (Coding::Gzip, "gzip"),
    ]
    .into_iter()
    .enumerate()
    {
        assert_eq!((coding.index(), coding.name()), (place, name));
        assert_eq!(Coding::ALL[place], coding);
    }
}

/// Every quality value that the grammar has, and no other, each beside the next.
#[test]
fn every_quality_value_is_a_number_of_its_own() {
    for thousandths in 0..1000 {
        let members = format!(
            "br;q=0.{thousandths:03}, gzip;q={}",
            written(thousandths + 1)
        );
        let expected: &[&str] = if thousandths == 0 {
            &["gzip", "identity"]
        } else {
            &["gzip", "br", "identity"]
        };
        assert_eq!(ranked(&[&members]), expected, "{members}");
    }
}

fn written(thousandths: u32) -> String {
    format!("{}.{:03}", thousandths / 1000, thousandths % 1000)
}

fn ranked(values: &[&str]) -> Vec<&'static str> {
    let lines: Vec<_> = values
        .iter()
        .map(|&value| ("accept-Encoding", value))
        .collect();
    let ranking = with_headers(&lines, ranking);
    let name = |coding: Option<Coding>| coding.map_or("identity", Coding::name);
    ranking.iter().map(name).collect()
}
