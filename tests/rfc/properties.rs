//! What holds for any bytes: how they are split does not matter, encoding and decoding are each
//! other's inverse.

use crate::harness::{Outcome, decode, feed};
use doorstep::Limits;
use doorstep::internals::h1::chunked::{push_chunk, push_last_chunk};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

/// Heads with something of everything in them, to be changed here and there.
const HEADS: [&str; 4] = [
    "GET /a/b?c=d HTTP/1.1\r\nHost: example.com:80\r\nConnection: keep-alive, x\r\n\r\n",
    "\r\nPOST http://b/c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n",
    "PUT / HTTP/1.0\r\nContent-Length: 12\r\nX:\ty \r\nConnection: keep-alive\r\n\r\n",
    "OPTIONS * HTTP/1.1\r\nhost:\r\nContent-Length: 0\r\n\r\n",
];

/// Bytes that a grammar of lines turns on, more often than others.
fn octet() -> impl Strategy<Value = u8> {
    prop_oneof![
        3 => select(b"\r\n\r\n: \t\0/*HTP1.0;,\"GETchunked5aF\x7f\x80\xff".to_vec()),
        1 => any::<u8>(),
    ]
}

/// A head with a few bytes replaced, put in or taken out.
fn mutated() -> impl Strategy<Value = Vec<u8>> {
    let change = (any::<Index>(), octet(), 0..3_u8);
    (select(HEADS.to_vec()), vec(change, 0..4)).prop_map(|(head, changes)| {
        let mut octets = head.as_bytes().to_vec();
        for (at, octet, kind) in changes {
            let at = at.index(octets.len());
            match kind {
                0 => octets[at] = octet,
                1 => octets.insert(at, octet),
                _ => drop(octets.remove(at)),
            }
        }
        octets
    })
}

/// Ends of pieces within `len` bytes, in order, the last of them at `len`.
fn ends(cuts: &[Index], len: usize) -> Vec<usize> {
    let mut ends: Vec<usize> = cuts.iter().map(|cut| cut.index(len + 1)).collect();
    ends.sort_unstable();
    ends.push(len);
    ends
}

fn tight() -> Limits {
    let mut limits = Limits::default();
    limits.head_bytes = 90;
    limits.headers = 3;
    limits.target_bytes = 9;
    limits.chunk_line_bytes = 4;
    limits.trailer_bytes = 8;
    limits
}

proptest! {
    #[test]
    fn a_split_never_changes_a_head(
        octets in prop_oneof![vec(octet(), 0..80), mutated()],
        cuts in vec(any::<Index>(), 0..6),
    ) {
        for limits in [Limits::default(), tight()] {
            let whole = feed(&octets, [octets.len()], &limits);
            let pieces = feed(&octets, ends(&cuts, octets.len()), &limits);
            prop_assert_eq!(&pieces, &whole);
            let each = feed(&octets, 0..=octets.len(), &limits);
            prop_assert_eq!(&each, &whole);
            if let Outcome::Done { used, .. } = whole {
                prop_assert!(used <= octets.len());
                prop_assert_eq!(feed(&octets, [used], &limits), each);
            }
        }
    }

    #[test]
    fn a_split_never_changes_a_body(
        body in vec(octet(), 0..60),
        start in select(vec!["", "5\r\nhello\r\n", "1;a\r\n", "0\r\n", "0\r\nA: b\r\n"]),
        cuts in vec(any::<Index>(), 0..6),
    ) {
        let octets = [start.as_bytes(), &body].concat();
        for limits in [Limits::default(), tight()] {
            let whole = decode(&octets, [octets.len()], &limits);
            let pieces = decode(&octets, ends(&cuts, octets.len()), &limits);
            prop_assert_eq!(&pieces, &whole);
            let each = decode(&octets, 0..=octets.len(), &limits);
            prop_assert_eq!(each, whole);
        }
    }

    #[test]
    fn decoding_undoes_encoding(
        chunks in vec(vec(any::<u8>(), 0..300), 0..8),
        cuts in vec(any::<Index>(), 0..6),
    ) {
        let mut octets = Vec::new();
        for chunk in &chunks {
            push_chunk(&mut octets, chunk);
        }
        push_last_chunk(&mut octets);
        let expected = Ok(Some((chunks.concat(), octets.len())));
        octets.extend_from_slice(b"GET / HTTP/1.1\r\n");
        let decoded = decode(&octets, ends(&cuts, octets.len()), &Limits::default());
        prop_assert_eq!(decoded, expected);
    }
}
