//! Whatever comes, and in whatever pieces, at most twice as many bytes are looked at as have come:
//! each once when it comes, and once more when the head is complete, or when the handler reads the
//! content that was awaited for it. A head that has come before the content that is awaited with it
//! is looked at a third time.
//!
//! A call is taken to look once at each byte that it has to be given (`oracle/meter.rs`). What a
//! server keeps for a client that sends slowly, or does not read, is bounded in
//! `tests/wire/memory.rs` and `tests/wire/slow_socket.rs`.

use crate::chunked;
use crate::oracle::served::Served;
use crate::oracle::{all_limits, cases, streams, ways};
use crate::rejects::head_rows;
use doorstep::Limits;
use doorstep::internals::conn::Config;
use doorstep::internals::limits::PREFETCH_BYTES;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

const CHUNKED: &[u8] = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";

/// A connection that awaits bodies has been given these bytes in these pieces, and has looked at
/// each twice at most, but for the heads that had to wait; and so has one that awaits none, without
/// exception.
#[track_caller]
fn looks_twice(name: &str, octets: &[u8], ends: &[usize], limits: &Limits, reads: bool) -> Served {
    let awaiting = serve(octets, ends, limits, reads, PREFETCH_BYTES);
    let (scanned, come) = awaiting.scanned();
    assert!(
        scanned <= 2 * come + awaiting.awaited,
        "{name}: {scanned} bytes looked at, {come} have come, {} waited",
        awaiting.awaited
    );
    // Without a head that had to wait, both do the same.
    if awaiting.awaited > 0 {
        // Of long bodies, seven bytes at a time: that is as good, and less to do.
        let step = if ends.len() > 4_000 { 7 } else { 1 };
        let mut ends: Vec<usize> = ends.iter().copied().step_by(step).collect();
        ends.push(octets.len());
        let served = serve(octets, &ends, limits, reads, 0);
        let (scanned, come) = served.scanned();
        assert!(
            scanned <= 2 * come,
            "{name}: {scanned} bytes looked at, {come} have come"
        );
    }
    awaiting
}

fn serve(
    octets: &[u8],
    ends: &[usize],
    limits: &Limits,
    reads: bool,
    prefetch_bytes: usize,
) -> Served {
    let config = Config {
        limits: limits.clone(),
        prefetch_bytes,
        ..Config::default()
    };
    let mut served = Served::metered(config, reads);
    let mut before = 0;
    for &end in ends {
        served.comes(&octets[before..end]);
        before = end;
    }
    served
}

/// Byte by byte.
fn each(octets: &[u8]) -> Vec<usize> {
    (0..=octets.len()).collect()
}

#[test]
fn each_row_is_looked_at_twice_at_most() {
    for row in head_rows() {
        for ends in ways(&[], row.octets.len(), None) {
            looks_twice(&row.name, &row.octets, &ends, &row.limits, true);
        }
    }
    // Long bodies have a test of their own.
    for row in chunked::rows()
        .iter()
        .filter(|row| row.octets.len() < 3_000)
    {
        let octets = [CHUNKED, &row.octets].concat();
        for ends in ways(&[], octets.len(), None) {
            looks_twice(&row.name, &octets, &ends, &row.limits, true);
            looks_twice(&row.name, &octets, &ends, &row.limits, false);
        }
    }
}

/// hyper#3764, httparse#162: a head of 16 KiB, byte by byte; complete, and refused at its last
/// byte.
#[test]
fn a_long_head_is_looked_at_twice() {
    let limits = Limits::default();
    let fill = |end: &str| {
        let start = "GET / HTTP/1.1\r\nHost: a\r\nCookie: ";
        let length = limits.head_bytes - start.len() - end.len();
        format!("{start}{}{end}", "c".repeat(length)).into_bytes()
    };
    for (end, refused, looks) in [
        ("\r\n\r\n", None, 2),
        ("\r\n\rX", Some(400), 1),
        ("c", Some(431), 1),
        ("\r\nContent-Length: x\r\n\r\n", Some(400), 2),
        ("\r\nExpect: x\r\n\r\n", Some(417), 2),
    ] {
        let octets = fill(end);
        let served = looks_twice(end, &octets, &each(&octets), &limits, true);
        let (scanned, come) = served.scanned();
        assert_eq!(come, limits.head_bytes);
        assert_eq!(scanned, looks * come, "{end:?}");
        assert_eq!(served.refused.map(|(status, _)| status), refused, "{end:?}");
    }
}

/// What is awaited before the handler is called is looked at when it comes, and when it is read or
/// dropped.
#[test]
fn content_is_looked_at_twice() {
    let small = "1\r\nx\r\n".repeat(2_700);
    let large = format!("400\r\n{}\r\n", "x".repeat(0x400)).repeat(20);
    for (name, chunks) in [("small chunks", small), ("large chunks", large)] {
        for (end, is_fine) in [
            ("0\r\n\r\n", true),
            ("0\r\nA: b\r\n\r\n", true),
            ("0\r\n\rX", false),
        ] {
            let octets = [CHUNKED, chunks.as_bytes(), end.as_bytes()].concat();
            for reads in [true, false] {
                let served = looks_twice(name, &octets, &each(&octets), &Limits::default(), reads);
                assert_eq!(served.refused.is_none(), is_fine, "{name}, {end:?}");
                let (scanned, come) = served.scanned();
                // Data is not looked at, whatever it is; what frames it is, and small chunks are
                // hardly anything else.
                assert!(name == "large chunks" || !is_fine || scanned > come);
            }
        }
    }
    // Content of a known length is not looked at.
    let head = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 20000\r\n\r\n";
    let octets = [&head[..], &[b'x'; 20_000]].concat();
    for reads in [true, false] {
        let ends = each(&octets);
        let limits = Limits::default();
        let awaiting = looks_twice("a length", &octets, &ends, &limits, reads);
        assert_eq!(awaiting.scanned().0, 3 * head.len());
        let served = serve(&octets, &ends, &limits, reads, 0);
        assert_eq!(served.scanned().0, 2 * head.len());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(4), ..ProptestConfig::default() })]

    #[test]
    fn nothing_is_looked_at_more_than_twice(
        octets in streams::stream(),
        cuts in vec(any::<Index>(), 0..9),
        reads in any::<bool>(),
    ) {
        for limits in all_limits() {
            for ends in ways(&cuts, octets.0.len(), None) {
                looks_twice("a stream", &octets.0, &ends, &limits, reads);
            }
        }
    }
}
