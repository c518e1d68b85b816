//! The memory of a listing, counted byte by byte: a program of its own, because every allocation in
//! it counts.
#![cfg(feature = "files")]

mod support;

use doorstep::internals::files::disk::Disk;
use doorstep::internals::files::listing;
use doorstep::internals::files::listing::budget::MemoryBudget;
use doorstep::internals::files::listing::kept::Listings;
use doorstep::internals::files::listing::order::Order;
use doorstep::internals::files::listing::read_dir::{OpenFolder, read_dir};
use doorstep::internals::files::resolve::{PathRules, resolve};
use doorstep::internals::files::respond::error_page;
use doorstep::internals::sys::beneath::Root;
use doorstep::{Request, Response, Server};
use std::fs::File;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, Instant};
use support::counting::{self, Counting};
use support::temporary::Temporary;

#[global_allocator]
static COUNTING: Counting = Counting;

const ENTRIES: usize = 10_000;
/// Their names, their records, and the order.
const MOST_ADDED: usize = 3 << 20;
/// What one name and one record are rounded up to, and what nobody counts.
const UNCOUNTED: usize = 64 * 1024;

#[test]
fn the_memory_of_ten_thousand_entries_is_counted() {
    let folder = Temporary::folder();
    for number in 0..ENTRIES {
        // As long as names can be, on nearly all file systems.
        if let Err(error) = File::create(folder.join(format!("{number:x<255}"))) {
            support::skipped(
                "the_memory_of_ten_thousand_entries_is_counted",
                &format!("no such name: {error}"),
            );
            return;
        }
    }
    everything_that_is_allocated_was_reserved(&folder);
    one_response_adds_little(&folder);
}

/// While the entries come, sorted, kept, and after that.
fn everything_that_is_allocated_was_reserved(folder: &Temporary) {
    let root = Arc::new(Root::open(folder).expect("it can be opened"));
    let rules = PathRules::default();
    let budget = MemoryBudget::default();
    let listings = Listings::of(1, budget.clone());
    let gate = Arc::default();
    let disk = Disk::of(&gate, 1);
    let opened = disk.open(&root, b"").expect("it can be opened");
    let pass = disk.enter().expect("it is inside");
    let path = resolve(b"/", rules).expect("the root");
    let open = OpenFolder {
        root: &root,
        path: &path,
        folder: &opened.file,
        rules,
    };
    let before = counting::held();
    let looks = std::cell::Cell::new(0);
    let check = || {
        looks.set(looks.get() + 1);
        let held = counting::held() - before;
        let reserved = budget.reserved();
        assert!(
            held <= reserved + UNCOUNTED,
            "{held} bytes, {reserved} counted"
        );
        assert!(
            reserved <= held + 2 * UNCOUNTED,
            "{held} bytes, {reserved} counted"
        );
    };
    let goes_on = &mut || {
        check();
        true
    };
    let snapshot = read_dir(pass, &open, &listings, goes_on).expect("it can be read");
    check();
    assert!(looks.get() > ENTRIES / 256);
    for query in ["", "order=desc", "sort=size"] {
        let order = Order::of_query(Some(query));
        let sorted = listings.sort(&snapshot, order, goes_on);
        sorted.expect("there is memory");
        check();
    }
    drop(snapshot);
    check();
    assert_eq!(budget.reserved(), 0);
}

fn one_response_adds_little(folder: &Temporary) {
    let root = Arc::new(Root::open(folder).expect("it can be opened"));
    let listings = Arc::new(Listings::default());
    let list = move |request: &mut Request<'_>| {
        if request.path() != "/" {
            return Response::text("a");
        }
        let path = resolve(b"/", PathRules::default()).expect("the root");
        let gate = Arc::default();
        let disk = Disk::of(&gate, 1);
        let opened = disk.open(&root, b"").expect("it can be opened");
        let pass = disk.enter().expect("it is inside");
        let open = OpenFolder {
            root: &root,
            path: &path,
            folder: &opened.file,
            rules: PathRules::default(),
        };
        let listed = listing::respond(&listings, pass, &open, request, "no-cache");
        listed.unwrap_or_else(error_page)
    };
    let server = Server::bind("127.0.0.1:0").expect("a free port");
    let running = server.workers(1).spawn(list).expect("it runs");
    let mut client = TcpStream::connect(running.addr()).expect("it listens");
    // Everything that one request needs is allocated by now.
    let (head, _) = ask(&mut client, "/warm", 0);
    assert!(head.contains("Content-Length: 1\r\n"), "{head}");
    let before = counting::restart();
    let (head, lines) = ask(&mut client, "/?sort=size&order=desc", 2 * 255 * ENTRIES);
    let added = counting::most() - before;
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
    assert!(lines > ENTRIES, "{lines} lines: not all");
    println!("{added} octets at most");
    assert!(added <= MOST_ADDED, "{added} octets");
    assert!(added > 255 * ENTRIES, "{added} octets: it counts nothing");
    drop(client);
    // It is kept for five seconds at most, though no request comes any more.
    let begun = Instant::now();
    while counting::held() > before + UNCOUNTED {
        assert!(begun.elapsed() < support::PATIENCE, "it is kept");
        std::thread::sleep(Duration::from_millis(10));
    }
    running.shutdown(Duration::ZERO).expect("it ends");
}

/// Asks for the target, and reads at least `least` bytes of the response: its head, and the lines
/// of its body.
fn ask(client: &mut TcpStream, target: &str, least: usize) -> (String, usize) {
    let request = format!("GET {target} HTTP/1.1\r\nHost: a\r\n\r\n");
    client.write_all(request.as_bytes()).expect("it is read");
    let mut block = [0; 16 * 1024];
    let mut head = Vec::new();
    let end = loop {
        let count = client.read(&mut block).expect("an answer");
        assert!(count > 0, "it ends within the head");
        head.extend_from_slice(&block[..count]);
        if let Some(end) = head.windows(4).position(|four| four == b"\r\n\r\n") {
            break end + 4;
        }
    };
    let content = head.split_off(end);
    let head = String::from_utf8(head).expect("ASCII");
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("Content-Length: "));
    let length: usize = length
        .and_then(|length| length.parse().ok())
        .expect("a length");
    assert!(length >= least, "{length} octets: not all");
    let line_ends = |bytes: &[u8]| bytes.iter().filter(|&&byte| byte == b'\n').count();
    let (mut read, mut lines) = (content.len(), line_ends(&content));
    while read < length {
        let count = client.read(&mut block).expect("the rest");
        assert!(count > 0, "it ends within the content");
        read += count;
        lines += line_ends(&block[..count]);
    }
    assert_eq!(read, length);
    (head, lines)
}
