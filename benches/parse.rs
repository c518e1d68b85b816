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

const WRK: &str =
    "GET /index.html HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nConnection: keep-alive\r\n\r\n";

const CURL: &str = "GET /index.html HTTP/1.1\r\nHost: localhost:8080\r\nUser-Agent: curl/8.14.1\r\nAccept: */*\r\n\r\n";

const BROWSER: &str = "GET /assets/2024/images/header-large@2x.png?v=3f9a1c HTTP/1.1\r\n\
    Host: www.example.com\r\n\
    User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\r\n\
    Accept: image/avif,image/webp,image/png,image/svg+xml,image/*;q=0.8,*/*;q=0.5\r\n\
    Accept-Language: en-GB,en;q=0.7,de;q=0.3\r\n\
    Accept-Encoding: gzip, deflate, br, zstd\r\n\
    Referer: https://www.example.com/articles/on-the-weather.html\r\n\
    Connection: keep-alive\r\n\
    Cookie: session=9c2f4b8a1d7e4f60b3a5; theme=dark; consent=1%2C2%2C5\r\n\
    Sec-Fetch-Dest: image\r\n\
    Sec-Fetch-Mode: no-cors\r\n\
    Sec-Fetch-Site: same-origin\r\n\
    Priority: u=5, i\r\n\
    If-None-Match: \"5f3a-17c2b9e4d1\"\r\n\
    Cache-Control: max-age=0\r\n\r\n";

/// A browser's head with four cookies of 1 KiB.
fn cookies() -> String {
    let start = BROWSER.trim_end_matches("\r\n");
    let cookie = "k=".to_owned() + &"0123456789abcdefghijklmnopqrstuv".repeat(32);
    let cookies = [&cookie[..]; 4].join("; ");
    format!("{start}\r\nCookie: {cookies}\r\n\r\n")
}

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

fn heads(criterion: &mut Criterion) {
    let limits = Limits::default();
    let mut table = FieldTable::with_capacity(limits.headers);
    let mut group = criterion.benchmark_group("head");
    for (name, head) in [
        ("wrk", WRK.to_owned()),
        ("curl", CURL.to_owned()),
        ("browser", BROWSER.to_owned()),
        ("cookies", cookies()),
    ] {
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
    targets = heads, chunks, answers
}
criterion_main!(benches);
