//! What a whole head costs to parse, beside httparse on the same bytes in the same run.
//!
//! Each does what its users get from one call. doorstep's `parse_head` also takes the target apart,
//! finds host, framing, persistence and expectation, and refuses what is wrong with them; httparse
//! finds the lines, by its fastest entry, which initialises no memory.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use doorstep::Limits;
use doorstep::internals::h1::{Parsed, Resume, parse_head};
use doorstep::internals::semantics::FieldTable;
use std::hint::black_box;
use std::mem::MaybeUninit;

#[path = "../../heads/mod.rs"]
mod heads;

/// Octets of the head, by doorstep.
fn by_doorstep(octets: &[u8], limits: &Limits, table: &mut FieldTable) -> Option<usize> {
    let outcome = parse_head(octets, Resume::default(), limits, table);
    match black_box(&outcome) {
        Ok(Parsed::Done { used, .. }) => Some(*used),
        _ => None,
    }
}

/// Octets of the head, by httparse.
fn by_httparse(octets: &[u8], lines: usize) -> Option<usize> {
    let mut headers = [const { MaybeUninit::uninit() }; 100];
    let mut request = httparse::Request::new(&mut []);
    let status = request.parse_with_uninit_headers(octets, headers.get_mut(..lines)?);
    match black_box(&request).method.and(status.ok())? {
        httparse::Status::Complete(used) => Some(used),
        httparse::Status::Partial => None,
    }
}

fn parsing(criterion: &mut Criterion) {
    let limits = Limits::default();
    let mut table = FieldTable::with_capacity(limits.headers);
    for (name, head) in heads::heads() {
        let octets = head.as_bytes();
        assert_eq!(by_doorstep(octets, &limits, &mut table), Some(octets.len()));
        assert_eq!(by_httparse(octets, limits.headers), Some(octets.len()));
        let mut group = criterion.benchmark_group(name);
        group.throughput(Throughput::Bytes(octets.len() as u64));
        group.bench_function("doorstep", |bencher| {
            bencher.iter(|| by_doorstep(black_box(octets), &limits, &mut table));
        });
        group.bench_function("httparse", |bencher| {
            bencher.iter(|| by_httparse(black_box(octets), black_box(limits.headers)));
        });
        group.finish();
    }
}

criterion_group!(benches, parsing);
criterion_main!(benches);
