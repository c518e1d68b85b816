//! However a head is split into reads, it has one outcome, which says nothing about bytes outside
//! it.

use crate::support::bytes::pieces;
use doorstep::Limits;
use doorstep::internals::h1::{Framing, Head, Parsed, Reject, Resume, parse_head};
use doorstep::internals::semantics::{FieldTable, Span};

/// What became of the bytes. `More` is not compared further: only where it leads counts.
#[derive(Clone, Debug, PartialEq)]
enum Outcome {
    Done {
        head: Head,
        fields: Vec<(Span, Span)>,
        used: usize,
    },
    Refused(Reject),
    More,
}

/// Panics when `bytes`, as a head, break the sentence above.
pub fn check(octets: &[u8]) {
    for limits in [Limits::default(), tight()] {
        let len = octets.len();
        let whole = feed(octets, [len], &limits);
        assert_eq!(feed(octets, pieces(octets), &limits), whole, "in pieces");
        assert_eq!(
            feed(octets, 0..=len.min(600), &limits),
            feed(octets, [len.min(600)], &limits),
            "byte by byte"
        );
        match &whole {
            Outcome::Done { head, fields, used } => {
                assert!(*used <= len.min(limits.head_bytes));
                assert_eq!(
                    feed(octets, [*used], &limits),
                    whole,
                    "without the bytes after it"
                );
                assert_eq!(
                    feed(octets, [*used - 1], &limits),
                    Outcome::More,
                    "without its last byte"
                );
                check_spans(head, fields, &octets[..*used]);
            }
            Outcome::Refused(reject) => {
                assert!(reject.status().code() >= 400);
                let longer = [octets, b"\r\n\r\n"].concat();
                assert_eq!(
                    feed(&longer, [longer.len()], &limits),
                    whole,
                    "with bytes after it"
                );
            }
            Outcome::More => assert!(len < limits.head_bytes),
        }
    }
}

/// Everything that a head says lies within it, and says what the bytes there say.
fn check_spans(head: &Head, fields: &[(Span, Span)], octets: &[u8]) {
    let text = |span: Span| {
        let (start, end) = (span.start as usize, span.end as usize);
        assert!(start <= end, "a span that ends before it starts");
        octets.get(start..end).expect("a span lies within the head")
    };
    let target = text(head.target);
    assert!(!target.is_empty());
    let parts = [
        Some(head.parts.path),
        head.parts.query,
        head.parts.authority,
    ];
    for part in parts.into_iter().flatten() {
        assert!(part.start <= part.end && part.end as usize <= target.len());
    }
    if let Some(host) = head.host {
        assert!(!text(host).iter().any(u8::is_ascii_control));
    }
    let mut before = head.target.end;
    for (name, value) in fields {
        assert!(before < name.start, "a field line within what is before it");
        assert!(name.start < name.end, "an empty name");
        assert!(name.end < value.start, "no room for a colon");
        assert!(!text(*name).contains(&b':'));
        before = value.end;
        let value = text(*value);
        assert!(!value.iter().any(|octet| b"\r\n\0".contains(octet)));
        assert!(!value.starts_with(b" ") && !value.ends_with(b" "));
    }
    assert_ne!(head.framing, Framing::Length(0));
}

fn feed(octets: &[u8], ends: impl IntoIterator<Item = usize>, limits: &Limits) -> Outcome {
    let mut table = FieldTable::default();
    let mut resume = Resume::default();
    for end in ends {
        match parse_head(&octets[..end], resume, limits, &mut table) {
            Ok(Parsed::Done { value: head, used }) => {
                let fields = table
                    .lines()
                    .iter()
                    .map(|line| (line.name, line.value))
                    .collect();
                return Outcome::Done { head, fields, used };
            }
            Ok(Parsed::More { resume: next }) => resume = next,
            Err(reject) => return Outcome::Refused(reject),
        }
    }
    Outcome::More
}

/// Limits that short inputs reach.
fn tight() -> Limits {
    let mut limits = Limits::default();
    limits.head_bytes = 64;
    limits.headers = 2;
    limits.target_bytes = 12;
    limits
}
