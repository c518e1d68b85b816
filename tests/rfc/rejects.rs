//! Every reason to refuse a message: its status, its section, its sentence, and a row that brings
//! it about.
//!
//! Sections that no other table names: RFC 9112 §8, RFC 9110 §15.5.9, §15.5.14.

use crate::harness::{Expected, Row};
use crate::{
    chunked, expect, fields, framing, host, limits, persistence, request_line, targets, versions,
};
use doorstep::internals::h1::Reject;
use std::collections::HashSet;
use std::fs;
use std::path::Path;

/// Those that come from waiting or gathering, which no parser does; the file below `tests/` and the
/// row that bring each about.
const FOUND_ELSEWHERE: [(Reject, &str, &str); 3] = [
    (
        Reject::HeadTimeout,
        "conn/head.rs",
        "the first head's time counts from the accept",
    ),
    (
        Reject::ContentTimeout,
        "conn/prefetch.rs",
        "30 seconds for the next bytes",
    ),
    (
        Reject::TruncatedContent,
        "wire/half_close.rs",
        "Handle, pulling content",
    ),
];

/// The rows of all tables of heads.
pub fn head_rows() -> Vec<Row> {
    let tables = [
        expect::rows(),
        fields::rows(),
        framing::rows(),
        host::rows(),
        limits::rows(),
        persistence::rows(),
        request_line::rows(),
        targets::rows(),
        versions::rows(),
    ];
    tables.into_iter().flatten().collect()
}

#[test]
fn each_is_brought_about_by_a_row() {
    let mut found: HashSet<Reject> = HashSet::new();
    for row in head_rows() {
        if let Expected::Refused(reject) = row.expected {
            found.insert(reject);
        }
    }
    found.extend(
        chunked::rows()
            .into_iter()
            .filter_map(|row| row.expected.err()),
    );
    for reject in Reject::ALL {
        let elsewhere = FOUND_ELSEWHERE.iter().any(|(this, ..)| this == reject);
        assert_ne!(found.contains(reject), elsewhere, "{reject:?}");
    }
}

#[test]
fn each_of_the_others_has_a_row_elsewhere() {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    for (reject, path, row) in FOUND_ELSEWHERE {
        let text = fs::read_to_string(tests.join(path)).expect(path);
        let row = format!("\"{row}\"");
        let (_, behind) = text.split_once(&row).expect(&row);
        // A row ends within a few lines.
        let is_named = behind
            .lines()
            .take(15)
            .any(|line| line.contains(&format!("Reject::{reject:?}")));
        assert!(is_named, "{path}: {row} does not say {reject:?}");
    }
}

#[test]
fn each_says_what_it_is() {
    let mut sentences = HashSet::new();
    for reject in Reject::ALL {
        let code = reject.status().code();
        assert!((400..600).contains(&code), "{reject:?}: {code}");
        assert_ne!(reject.status().reason(), "", "{reject:?}: {code}");
        let section = reject.section();
        assert!(section.starts_with("RFC "), "{reject:?}: {section}");
        assert!(section.contains(" §"), "{reject:?}: {section}");
        let sentence = reject.sentence();
        assert!(!sentence.ends_with('.'), "{reject:?}: {sentence}");
        assert!(sentences.insert(sentence), "{reject:?}: {sentence}");
        assert_eq!(reject.to_string(), sentence);
    }
}

#[test]
fn statuses_other_than_400() {
    let mut others: Vec<(u16, Reject)> = Reject::ALL
        .iter()
        .map(|reject| (reject.status().code(), *reject))
        .filter(|(code, _)| *code != 400)
        .collect();
    others.sort_by_key(|(code, reject)| (*code, format!("{reject:?}")));
    let expected = [
        (408, Reject::ContentTimeout),
        (408, Reject::HeadTimeout),
        (414, Reject::RequestLineTooLong),
        (414, Reject::TargetTooLong),
        (417, Reject::UnknownExpectation),
        (431, Reject::HeadTooLarge),
        (431, Reject::TooManyFields),
        (431, Reject::TrailerTooLarge),
        (501, Reject::MethodTooLong),
        (501, Reject::UnknownTransferCoding),
        (505, Reject::Http2Preface),
        (505, Reject::UnsupportedVersion),
    ];
    assert_eq!(others, expected);
}
