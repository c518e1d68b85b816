//! How long a request's path takes to be resolved.
#![allow(missing_docs, reason = "criterion_group! makes public functions")]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use doorstep::internals::files::{media_types, resolve};
use std::hint::black_box;

fn resolving(criterion: &mut Criterion) {
    let deep = format!("/{}index.html", "folder/".repeat(40));
    let hostile = format!("/{}", "%2e%2e%2f".repeat(800));
    let long = format!("/{}", "%61%2E".repeat(1300));
    let rows = [
        ("plain", "/assets/app.4f2a91.js"),
        ("root", "/"),
        ("escaped", "/gr%C3%BC%C3%9Fe/a%20b.html"),
        ("deep", deep.as_str()),
        ("hostile", hostile.as_str()),
        ("eight kilobytes of escapes", long.as_str()),
    ];
    let mut group = criterion.benchmark_group("resolve");
    for (name, path) in rows {
        group.throughput(Throughput::Bytes(path.len() as u64));
        let rules = resolve::PathRules::default();
        group.bench_function(name, |bencher| {
            bencher.iter(|| resolve::resolve(black_box(path.as_bytes()), rules));
        });
    }
    group.finish();
}

fn typing(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("media type");
    for name in ["assets/app.4f2a91.js", "index.html", "a/b/no-extension"] {
        group.bench_function(name, |bencher| {
            bencher.iter(|| media_types::of(black_box(name.as_bytes())));
        });
    }
    group.finish();
}

criterion_group!(benches, resolving, typing);
criterion_main!(benches);
