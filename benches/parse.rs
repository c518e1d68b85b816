//! What a head costs to parse: heads as common clients send them, whole and in pieces.
//!
//! `whole` is what nearly every request is; `pieces` hands the same bytes in eight reads of equal
//! size, `octets` one by one.
#![allow(missing_docs, reason = "criterion_group! makes public functions")]

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use doorstep::internals::h1::chunked::{Decoder, push_chunk, push_last_chunk};
use doorstep::internals::h1::write::{ConnectionField, LengthField, ResponseHead, push_head};
use doorstep::internals::h1::{Head, Parsed, Resume, parse_head};
use doorstep::internals::semantics::{FieldTable, Status};
use doorstep::{HttpDate, Limits};
use std::hint::black_box;
use std::time::Duration;

#[path = "heads/mod.rs"]
mod heads;

/// Parses a head that comes in reads of `piece` bytes.
fn parse(octets: &[u8], piece: usize, limits: &Limits, table: &mut FieldTable) -> Option<Head> {
    let mut resume = Resume::default();
    let mut end = 0;
    while end < octets.len() {
        end = octets.len().min(end + piece);
        match parse_head(black_box(&octets[..end]), resume, limits, table) {
            Ok(Parsed::Done { value, .. }) => return Some(value),
            Ok(Parsed::More { resume: next }) => resume = next,
            Err(_) => return None,
        }
    }
    None
}

fn parsing(criterion: &mut Criterion) {
    let limits = Limits::default();
    let mut table = FieldTable::with_capacity(limits.headers);
    let mut group = criterion.benchmark_group("head");
    for (name, head) in heads::heads() {
        let octets = head.as_bytes();
        group.throughput(Throughput::Bytes(octets.len() as u64));
        for (way, piece) in [
            ("whole", octets.len()),
            ("pieces", octets.len().div_ceil(8)),
            ("octets", 1),
        ] {
            assert!(parse(octets, piece, &limits, &mut table).is_some());
            group.bench_function(format!("{name}/{way}"), |bencher| {
                bencher.iter(|| black_box(parse(octets, piece, &limits, &mut table)));
            });
        }
    }
    group.finish();
}

/// A chunked body with this many bytes of content, in chunks of `len`.
fn chunked(content: usize, len: usize) -> Vec<u8> {
    let mut body = Vec::new();
    for chunk in vec![b'x'; content].chunks(len) {
        push_chunk(&mut body, chunk);
    }
    push_last_chunk(&mut body);
    body
}

/// Decodes a whole body, and gives each run of its content to `take`.
fn decode<'a>(body: &'a [u8], limits: &Limits, mut take: impl FnMut(&'a [u8])) -> usize {
    let mut decoder = Decoder::default();
    let mut used = 0;
    while !decoder.is_done() {
        let rest = &body[used..];
        match decoder.decode(rest, limits) {
            Ok(decoded) => {
                take(&rest[decoded.data]);
                used += decoded.used;
            }
            Err(reject) => panic!("{reject}"),
        }
    }
    used
}

/// `decode` looks at framing alone: its time is that of the chunks, however long they are. `copy`
/// puts the content together, as whoever collects it does.
fn chunks(criterion: &mut Criterion) {
    let limits = Limits::default();
    let mut group = criterion.benchmark_group("chunked");
    let content = 1024 * 1024;
    let body = chunked(content, 16 * 1024);
    group.throughput(Throughput::Bytes(content as u64));
    group.bench_function("16 KiB/decode", |bencher| {
        bencher.iter(|| {
            decode(black_box(&body), &limits, |run| {
                black_box(run);
            })
        });
    });
    let mut collected = Vec::with_capacity(content);
    group.bench_function("16 KiB/copy", |bencher| {
        bencher.iter(|| {
            collected.clear();
            decode(black_box(&body), &limits, |run| {
                collected.extend_from_slice(run);
            });
            black_box(collected.len())
        });
    });
    // One element is one chunk.
    let body = chunked(4096, 1);
    group.throughput(Throughput::Elements(4096));
    group.bench_function("one octet/decode", |bencher| {
        bencher.iter(|| {
            decode(black_box(&body), &limits, |run| {
                black_box(run);
            })
        });
    });
    group.finish();
}

fn answers(criterion: &mut Criterion) {
    let date = HttpDate::from_unix(784_111_777).expect("Sun, 06 Nov 1994 08:49:37 GMT");
    let head = ResponseHead {
        status: Status::OK,
        date: Some(&date),
        server: Some("doorstep"),
        fields: b"Content-Type: text/html; charset=utf-8\r\nLast-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\nETag: \"400-17c2b9e4d1f00000\"\r\n",
        length: LengthField::Length(1024),
        connection: ConnectionField::Absent,
        upgrade: None,
    };
    criterion.bench_function("answer/file", |bencher| {
        bencher.iter_batched_ref(
            || Vec::with_capacity(1024),
            |out| push_head(out, black_box(&head)),
            BatchSize::SmallInput,
        );
    });
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2));
    targets = parsing, chunks, answers
}
criterion_main!(benches);
