//! The memory of a listing, counted byte by byte: a program of its own, because every allocation in
//! it counts.
#![cfg(feature = "files")]

mod support;

use doorstep::internals::files::listing;
use doorstep::internals::files::listing::budget::MemoryBudget;
use doorstep::internals::files::resolve::{PathRules, resolve};
use doorstep::internals::files::respond::error_page;
use doorstep::internals::sys::beneath::Root;
use doorstep::{Request, Response, Server};
use std::alloc::{GlobalAlloc, Layout, System};
use std::fs::File;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use support::temporary::Temporary;

/// The system's allocator, with a count.
struct Counting;

/// Allocated bytes now, and the most so far.
static HELD: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);

// SAFETY: everything is done by the system's allocator, which is one.
#[allow(unsafe_code, reason = "an allocator is unsafe to implement")]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let held = HELD.fetch_add(layout.size(), Ordering::Relaxed) + layout.size();
        MOST.fetch_max(held, Ordering::Relaxed);
        // SAFETY: the caller's promises are those that it asks for.
        unsafe { System.alloc(layout) }
    }

    // `realloc` is left to the trait, which holds both blocks at once: the worst that a system may
    // do.
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        HELD.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

const ENTRIES: usize = 10_000;
const MOST_ADDED: usize = 8 << 20;

#[test]
fn ten_thousand_entries_add_at_most_8_mib() {
    let folder = Temporary::folder();
    for number in 0..ENTRIES {
        // As long as names can be, on nearly all file systems.
        if let Err(error) = File::create(folder.join(format!("{number:x<255}"))) {
            support::skipped(
                "ten_thousand_entries_add_at_most_8_mib",
                &format!("no such name: {error}"),
            );
            return;
        }
    }
    let root = Root::open(&folder).expect("it can be opened");
    let list = move |request: &mut Request<'_>| {
        if request.path() != "/" {
            return Response::text("a");
        }
        let resolved = resolve(b"/", PathRules::default()).expect("the root");
        let folder = root.open_beneath(b"").expect("it can be opened");
        listing::respond(
            &root,
            &resolved,
            &folder,
            request,
            PathRules::default(),
            &MemoryBudget::default(),
        )
        .unwrap_or_else(error_page)
    };
    let server = Server::bind("127.0.0.1:0").expect("a free port");
    let running = server.workers(1).spawn(list).expect("it runs");
    let mut client = TcpStream::connect(running.addr()).expect("it listens");
    // Everything that one request needs is allocated by now.
    let (head, _) = ask(&mut client, "/warm", 0);
    assert!(head.contains("Content-Length: 1\r\n"), "{head}");
    let before = HELD.load(Ordering::Relaxed);
    MOST.store(before, Ordering::Relaxed);
    let (head, lines) = ask(&mut client, "/?sort=size&order=desc", 2 * 255 * ENTRIES);
    let added = MOST.load(Ordering::Relaxed) - before;
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
    assert!(lines > ENTRIES, "{lines} lines: not all");
    println!("{added} octets at most");
    assert!(added <= MOST_ADDED, "{added} octets");
    assert!(added > 255 * ENTRIES, "{added} octets: it counts nothing");
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
