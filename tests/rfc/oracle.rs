//! Whatever bytes come, however they are split: the parser of heads, the decoder of chunks and a
//! whole connection agree with a naive reading of all of them (`tests/oracle`) in every message and
//! in all that is said of it, in where it ends, and in what is refused: with which status, and at
//! which byte; as soon as that is there, and no sooner.

mod meter;
#[path = "../oracle/mod.rs"]
mod naive;
pub mod served;
pub mod streams;

use crate::harness::decode;
use crate::{chunked, rejects::head_rows};
use doorstep::Limits;
use doorstep::internals::conn::Config;
use doorstep::internals::h1::{Parsed, Reject, Resume, parse_head};
use doorstep::internals::limits::{
    CHUNK_OVERHEAD, CHUNK_OVERHEAD_FREE, METHOD_BYTES, PREFETCH_BYTES,
};
use doorstep::internals::semantics::FieldTable;
use naive::{End, Message, Refusal, Stop};
use proptest::collection;
use proptest::prelude::*;
use proptest::sample::Index;
use served::{Said, Served, said};

/// The numbers of these limits, as the naive reader wants them.
fn numbers(limits: &Limits) -> naive::Limits {
    naive::Limits {
        method_bytes: METHOD_BYTES,
        target_bytes: limits.target_bytes,
        head_bytes: limits.head_bytes,
        headers: limits.headers,
        chunk_line_bytes: limits.chunk_line_bytes,
        trailer_bytes: limits.trailer_bytes,
        chunk_overhead: CHUNK_OVERHEAD as usize,
        chunk_overhead_free: CHUNK_OVERHEAD_FREE as usize,
    }
}

/// The defaults, and two sets that short inputs reach.
pub fn all_limits() -> [Limits; 3] {
    let mut tight = Limits::default();
    tight.head_bytes = 90;
    tight.headers = 3;
    tight.target_bytes = 9;
    tight.chunk_line_bytes = 4;
    tight.trailer_bytes = 8;
    let mut tighter = Limits::default();
    tighter.head_bytes = 40;
    tighter.headers = 1;
    tighter.target_bytes = 12;
    tighter.chunk_line_bytes = 2;
    tighter.trailer_bytes = 0;
    [Limits::default(), tight, tighter]
}

/// Ends of pieces within `len` bytes, in order, the last of them at `len`.
fn ends(cuts: &[Index], len: usize) -> Vec<usize> {
    let mut ends: Vec<usize> = cuts.iter().map(|cut| cut.index(len + 1)).collect();
    ends.sort_unstable();
    ends.push(len);
    ends
}

/// These pieces, and byte by byte; of many bytes 61 pieces only, and by itself the byte that
/// decides, if there is one.
pub fn ways(cuts: &[Index], len: usize, decides: Option<usize>) -> [Vec<usize>; 2] {
    let step = if len < 2_000 { 1 } else { len / 61 };
    let decides = decides.map_or(0..1, |after| after.saturating_sub(1)..after + 1);
    let mut pieces: Vec<usize> = (0..=len).step_by(step).chain(decides).collect();
    pieces.sort_unstable();
    [ends(cuts, len), [pieces, vec![len]].concat()]
}

/// The first of these pieces' ends at which so many bytes are there.
fn first(ends: &[usize], count: usize) -> usize {
    let reached = ends.iter().find(|&&end| end >= count);
    *reached.expect("the last piece ends with the bytes")
}

/// What becomes of the head at the start: all that is said of it, or the status; and with how many
/// bytes that is known.
type Head = Option<(Result<(Said, usize), u16>, usize)>;

fn parsed(octets: &[u8], ends: &[usize], limits: &Limits) -> Head {
    let mut table = FieldTable::default();
    let mut resume = Resume::default();
    for &end in ends {
        let input = &octets[..end];
        match parse_head(input, resume, limits, &mut table) {
            Ok(Parsed::Done { value, used }) => {
                return Some((Ok((said(&value, &table, input), used)), end));
            }
            Ok(Parsed::More { resume: next }) => resume = next,
            Err(reject) => return Some((Err(status(reject)), end)),
        }
    }
    None
}

fn status(reject: Reject) -> u16 {
    reject.status().code()
}

fn head_agrees(octets: &[u8], cuts: &[Index], limits: &Limits) -> Result<(), TestCaseError> {
    let wanted = naive::read_head(octets, &numbers(limits));
    let decides = match &wanted {
        Err(Stop::Cut) => None,
        Err(Stop::Refused(refusal)) => Some(refusal.after),
        Ok(message) => Some(message.head_end),
    };
    for ends in ways(cuts, octets.len(), decides) {
        let expected = match &wanted {
            Err(Stop::Cut) => None,
            Err(Stop::Refused(refusal)) => Some((Err(refusal.status), first(&ends, refusal.after))),
            Ok(message) => {
                let end = first(&ends, message.head_end);
                Some((Ok((Said::of(message), message.head_end)), end))
            }
        };
        prop_assert_eq!(parsed(octets, &ends, limits), expected);
    }
    Ok(())
}

fn body_agrees(octets: &[u8], cuts: &[Index], limits: &Limits) -> Result<(), TestCaseError> {
    let wanted = naive::read_chunked(octets, &numbers(limits));
    let whole = |end| decode(octets, [end], limits);
    for ends in ways(cuts, octets.len(), None) {
        let got = decode(octets, ends, limits).map_err(status);
        match wanted.end {
            Ok(end) => prop_assert_eq!(got, Ok(Some((wanted.content.clone(), end)))),
            Err(Stop::Cut) => prop_assert_eq!(got, Ok(None)),
            Err(Stop::Refused(Refusal { status, .. })) => prop_assert_eq!(got, Err(status)),
        }
    }
    if let Err(Stop::Refused(Refusal { after, .. })) = wanted.end {
        prop_assert!(whole(after).is_err(), "not refused when it is known");
        prop_assert_eq!(whole(after - 1), Ok(None), "refused before that");
    }
    if let Ok(end) = wanted.end {
        prop_assert_eq!(whole(end - 1), Ok(None), "complete before its end");
    }
    Ok(())
}

/// Whether the answer of a handler that reads none of this message's content ends the connection;
/// it is called when as much as is awaited is here, or when the client holds it back.
fn leaves_too_much(message: &Message, limits: &Limits) -> bool {
    let is_held_back = message.expects && message.length != Some(0);
    let is_long = message
        .length
        .is_some_and(|length| length > limits.discard_bytes as u64);
    is_held_back || is_long && message.content.len() >= PREFETCH_BYTES
}

fn connection_agrees(
    octets: &[u8],
    cuts: &[Index],
    limits: &Limits,
    reads: bool,
) -> Result<(), TestCaseError> {
    let mut wanted = naive::read(octets, &numbers(limits));
    if !reads {
        let is_last = |message: &Message| leaves_too_much(message, limits);
        if let Some(at) = wanted.messages.iter().position(is_last) {
            wanted.messages.truncate(at + 1);
            wanted.end = End::Last;
        }
    }
    let config = Config {
        limits: limits.clone(),
        prefetch_bytes: PREFETCH_BYTES,
        ..Config::default()
    };
    let decides = match wanted.end {
        End::Refused(refusal) => Some(refusal.after),
        End::Open | End::Last => None,
    };
    for ends in ways(cuts, octets.len(), decides) {
        let mut served = Served::new(config.clone(), reads);
        let mut before = 0;
        for &end in &ends {
            served.comes(&octets[before..end]);
            before = end;
        }
        let got: Vec<&Said> = served
            .messages
            .iter()
            .map(|message| &message.said)
            .collect();
        let expected: Vec<Said> = wanted.messages.iter().map(Said::of).collect();
        prop_assert_eq!(got, expected.iter().collect::<Vec<_>>());
        for (got, expected) in served.messages.iter().zip(&wanted.messages) {
            prop_assert!(expected.content.starts_with(&got.content), "other content");
            prop_assert_eq!(got.begun, first(&ends, expected.head_end));
            if let (Some(end), true) = (expected.end, reads) {
                prop_assert_eq!(got.ended, Some(first(&ends, end)));
                prop_assert_eq!(&got.content, &expected.content);
            }
        }
        match wanted.end {
            End::Open => prop_assert!(!served.is_over() && served.refused.is_none()),
            End::Last => prop_assert!(served.is_over() && served.refused.is_none()),
            End::Refused(Refusal { status, after }) => {
                prop_assert_eq!(served.refused, Some((status, first(&ends, after))));
            }
        }
    }
    Ok(())
}

/// The naive reader's own word: what it says of all bytes it says of as many as it needs for that,
/// and not of fewer.
fn oracle_is_consistent(octets: &[u8], limits: &Limits) -> Result<(), TestCaseError> {
    let numbers = numbers(limits);
    let whole = naive::read(octets, &numbers);
    if let End::Refused(refusal) = whole.end {
        prop_assert!(refusal.after <= octets.len());
        let exact = naive::read(&octets[..refusal.after], &numbers);
        prop_assert_eq!(exact.end, whole.end);
        let short = naive::read(&octets[..refusal.after - 1], &numbers);
        prop_assert_eq!(short.end, End::Open);
    }
    Ok(())
}

/// Every row of the tables, good and bad.
#[test]
fn each_row_is_what_a_naive_reading_finds() {
    for row in head_rows() {
        let agrees = head_agrees(&row.octets, &[], &row.limits);
        agrees.unwrap_or_else(|why| panic!("{}: {why}", row.name));
    }
    for row in chunked::rows() {
        let agrees = body_agrees(&row.octets, &[], &row.limits);
        agrees.unwrap_or_else(|why| panic!("{}: {why}", row.name));
    }
}

proptest! {
    #[test]
    fn a_head_is_what_a_naive_reading_finds(
        octets in streams::head(),
        cuts in collection::vec(any::<Index>(), 0..6),
    ) {
        for limits in all_limits() {
            head_agrees(&octets.0, &cuts, &limits)?;
        }
    }

    #[test]
    fn a_chunked_body_is_what_a_naive_reading_finds(
        octets in streams::body(),
        cuts in collection::vec(any::<Index>(), 0..6),
    ) {
        for limits in all_limits() {
            body_agrees(&octets.0, &cuts, &limits)?;
        }
    }

    #[test]
    fn a_conversation_is_what_a_naive_reading_finds(
        octets in streams::stream(),
        cuts in collection::vec(any::<Index>(), 0..9),
        reads in any::<bool>(),
    ) {
        for limits in all_limits() {
            oracle_is_consistent(&octets.0, &limits)?;
            connection_agrees(&octets.0, &cuts, &limits, reads)?;
        }
    }
}

proptest! {
    // Long inputs, byte by byte.
    #![proptest_config(ProptestConfig { cases: cases(8), ..ProptestConfig::default() })]

    #[test]
    fn a_head_at_its_limits_is_what_a_naive_reading_finds(octets in streams::long_head()) {
        head_agrees(&octets.0, &[], &Limits::default())?;
    }

    #[test]
    fn a_costly_body_is_what_a_naive_reading_finds(octets in streams::costly_body()) {
        body_agrees(&octets.0, &[], &Limits::default())?;
    }

    #[test]
    fn long_content_is_what_a_naive_reading_finds(
        octets in streams::long_content(),
        cuts in collection::vec(any::<Index>(), 0..9),
        reads in any::<bool>(),
    ) {
        connection_agrees(&octets.0, &cuts, &Limits::default(), reads)?;
    }
}

/// One in so many of the cases that a property has otherwise.
pub fn cases(share: u32) -> u32 {
    ProptestConfig::default().cases.div_ceil(share)
}
