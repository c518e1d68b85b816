//! What a head costs to parse: heads as common clients send them, whole and in pieces.
//!
//! `whole` is what nearly every request is; `pieces` hands the same octets in eight reads of equal size, `octets` one by one.

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use doorstep::Limits;
use doorstep::internals::h1::chunked::{Decoder, push_chunk, push_last_chunk};
use doorstep::internals::h1::write::{ConnectionField, LengthField, ResponseHead, push_head};
use doorstep::internals::h1::{Head, Parsed, Resume, parse_head};
use doorstep::internals::semantics::{FieldTable, Status};
use std::hint::black_box;
use std::time::Duration;

#[path = "heads/mod.rs"]
mod heads;

/// Parses a head that comes in reads of `piece` octets.
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

fn chunks(criterion: &mut Criterion) {
    let limits = Limits::default();
    let mut group = criterion.benchmark_group("chunked");
    for len in [16, 4096] {
        let mut body = Vec::new();
        for _ in 0..16 {
            push_chunk(&mut body, &vec![b'x'; len]);
        }
        push_last_chunk(&mut body);
        group.bench_function(format!("16 chunks of {len}"), |bencher| {
            bencher.iter(|| {
                let mut decoder = Decoder::default();
                let mut used = 0;
                while !decoder.is_done() {
                    match decoder.decode(black_box(&body[used..]), &limits) {
                        Ok(decoded) => used += decoded.used,
                        Err(reject) => panic!("{reject}"),
                    }
                }
                used
            });
        });
    }
    group.finish();
}

fn answers(criterion: &mut Criterion) {
    let head = ResponseHead {
        status: Status::OK,
        date: Some("Sun, 06 Nov 1994 08:49:37 GMT"),
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
