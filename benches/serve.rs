//! Serving over loopback: one request, its answer, on a connection that lives on.
//!
//! The client runs in the same process, so these figures compare one version of doorstep with
//! another. Beside other servers, with the client on a processor of its own, it is measured by
//! `benches/peers/serve.sh`.
#![allow(missing_docs, reason = "criterion_group! makes public functions")]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use doorstep::{Handler, Server};
use std::hint::black_box;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

const REQUEST: &[u8] = b"GET /1k.bin HTTP/1.1\r\nHost: localhost\r\nUser-Agent: bench\r\n\r\n";

/// One connection to a server, and a buffer for its answers.
struct Client {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Client {
    fn connect(address: std::net::SocketAddr) -> Client {
        let stream = TcpStream::connect(address).expect("loopback accepts");
        stream.set_nodelay(true).expect("TCP has no-delay");
        stream
            .set_read_timeout(Some(Duration::from_secs(10)))
            .expect("ten seconds are not zero");
        Client {
            stream,
            buffer: vec![0; 256 * 1024],
        }
    }

    /// Sends `request` and reads a response of `length` bytes.
    fn exchange(&mut self, request: &[u8], length: usize) {
        self.stream.write_all(request).expect("the server reads");
        self.stream
            .read_exact(&mut self.buffer[..length])
            .expect("the server answers");
        black_box(&self.buffer[..length]);
    }

    /// The length of the answer to `request`: every answer to it is as long.
    fn measure(&mut self, request: &[u8]) -> usize {
        self.stream.write_all(request).expect("the server reads");
        let mut got = 0;
        loop {
            got += self
                .stream
                .read(&mut self.buffer[got..])
                .expect("the server answers");
            let head = self.buffer[..got]
                .windows(4)
                .position(|end| end == b"\r\n\r\n");
            let Some(head) = head else { continue };
            let text = String::from_utf8_lossy(&self.buffer[..head]).to_lowercase();
            let length = text
                .split("content-length: ")
                .nth(1)
                .expect("the length is known");
            let length: usize = length
                .lines()
                .next()
                .unwrap_or("")
                .trim()
                .parse()
                .expect("a number");
            let whole = head + 4 + length;
            while got < whole {
                got += self
                    .stream
                    .read(&mut self.buffer[got..])
                    .expect("the server answers");
            }
            return whole;
        }
    }
}

fn serve(criterion: &mut Criterion, name: &str, handler: impl Handler) {
    let server = Server::bind("127.0.0.1:0")
        .expect("loopback binds")
        .workers(1);
    let running = server.spawn(handler).expect("a thread starts");
    let mut client = Client::connect(running.addr());
    let length = client.measure(REQUEST);
    let mut group = criterion.benchmark_group(name);
    group.throughput(Throughput::Elements(1));
    group.bench_function("one at a time", |bencher| {
        bencher.iter(|| client.exchange(REQUEST, length))
    });
    let sixteen = REQUEST.repeat(16);
    group.throughput(Throughput::Elements(16));
    group.bench_function("sixteen pipelined", |bencher| {
        bencher.iter(|| client.exchange(&sixteen, 16 * length));
    });
    group.finish();
}

fn text(criterion: &mut Criterion) {
    serve(
        criterion,
        "text",
        |_: &mut doorstep::Request<'_>| "Hello, world!",
    );
}

fn file(criterion: &mut Criterion) {
    let folder = std::env::temp_dir().join(format!("doorstep-bench-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("the temporary folder is writable");
    std::fs::write(folder.join("1k.bin"), vec![b'x'; 1024])
        .expect("the temporary folder is writable");
    serve(
        criterion,
        "file of 1 KiB",
        doorstep::Files::new(&folder).expect("the folder is there"),
    );
    std::fs::remove_dir_all(&folder).expect("it is ours");
}

criterion_group!(benches, text, file);
criterion_main!(benches);
