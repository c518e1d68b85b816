//! What connections make a server hold, counted byte by byte: a program of its own, because every
//! allocation in it counts.
//!
//! Each row opens many connections that take nothing. At the peak, what was allocated since before
//! the first of them is what the server's budget has counted, apart from a little for each
//! connection.
#![cfg(all(target_os = "linux", feature = "files"))]

mod support;

use doorstep::internals::conn::Config;
use doorstep::internals::files::CACHE_BYTES;
use doorstep::internals::files::listing::budget::LISTING_BYTES;
use doorstep::internals::handler::gate::Gate;
use doorstep::internals::limits::{DETACHED_BYTES, PREFETCH_BYTES, RANGES_MAX, WORKER_BYTES};
use doorstep::internals::server::{Listeners, Pool, Shared, Worker};
use doorstep::internals::sys::{Backend, Listener, SystemClock};
use doorstep::{Files, Handler, Limits, Method, Observer, Request, Response, Server, Status};
use std::ffi::c_int;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::{AsRawFd, RawFd};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};
use support::counting::{self, Counting};
use support::temporary::Temporary;
use support::{PATIENCE, eventually};

#[global_allocator]
static COUNTING: Counting = Counting;

/// One test at a time.
static ALONE: Mutex<()> = Mutex::new(());

/// What a connection may hold uncounted: its state and its slot.
const EACH_UNCOUNTED: usize = 256;
/// What all of them may: buffers of the workers that have grown, maps, errors of the test itself.
const ALL_UNCOUNTED: usize = 64 * 1024;
/// What the system takes of a response for a client that reads nothing, at the most.
const SYSTEM: usize = 320 * 1024;

/// One kind of memory.
struct Row {
    name: &'static str,
    connections: usize,
    workers: usize,
    handler: Box<dyn Handler>,
    /// What the client of this number sends.
    sends: fn(usize) -> Vec<u8>,
    /// What each makes the server hold at the least, in bytes,
    each: usize,
    /// what is bounded elsewhere, of all together,
    beside: usize,
    /// and what is counted for the stacks of threads.
    on_stacks: usize,
}

fn row<H: Handler>(
    name: &'static str,
    connections: usize,
    each: usize,
    handler: H,
    sends: fn(usize) -> Vec<u8>,
) -> Row {
    Row {
        name,
        connections,
        workers: 1,
        handler: Box::new(handler),
        sends,
        each,
        beside: 0,
        on_stacks: 0,
    }
}

fn rows(site: &Path) -> Vec<Row> {
    let static_body = |_: &mut Request<'_>| Response::new(Status::OK).body(&[b'x'; 2 * SYSTEM][..]);
    let made = |_: &mut Request<'_>| Response::new(Status::OK).body(vec![b'x'; SYSTEM]);
    let text = |_: &mut Request<'_>| Response::text("x".repeat(15_000));
    let own =
        |_: &mut Request<'_>| Response::new(Status::OK).body(Arc::<[u8]>::from(vec![1; SYSTEM]));
    // The program lets go of it with the last request; the first of all is not one of the row's.
    let common = Mutex::new((0, Arc::<[u8]>::from([])));
    let common = move |_: &mut Request<'_>| {
        let mut common = common.lock().expect("no panic");
        common.0 += 1;
        if common.0 == 2 {
            common.1 = vec![1; 8 << 20].into();
        }
        let content = common.1.clone();
        if common.0 == 301 {
            common.1 = Arc::from([]);
        }
        Response::new(Status::OK).body(content)
    };
    let wide = |_: &mut Request<'_>| Response::new(Status::OK).stream(None, Wide([1; 20_000]));
    let collects = |request: &mut Request<'_>| match request.body().collect() {
        Ok(body) => body.len().to_string(),
        Err(error) => error.to_string(),
    };
    let detached = |_: &mut Request<'_>| {
        Response::new(Status::OK).detached(|out| out.write_all(&[b'x'; 2 * SYSTEM]))
    };
    // The first does nothing, and so its connection ends.
    let count = AtomicUsize::new(0);
    let upgraded = move |_: &mut Request<'_>| {
        let reads_nothing = count.fetch_add(1, Ordering::Relaxed) > 0;
        Response::new(Status::OK).upgrade("echo", move |peer| {
            while reads_nothing && !peer.disconnected() {
                std::thread::sleep(Duration::from_millis(1));
            }
            Ok(())
        })
    };
    let files = || Files::new(site).expect("a folder").file_cache(1 << 20);
    vec![
        row(
            "idle",
            300,
            0,
            |_: &mut Request<'_>| Response::new(Status::OK),
            |_| vec![],
        ),
        row("unsent output", 300, 11_000, text, |_| get("/").repeat(32)),
        row("unread input", 300, 15_000, text, |_| {
            format!("GET / HTTP/1.1\r\nHost: a\r\nX: {}", "a".repeat(15_000)).into_bytes()
        }),
        row("made bodies", 150, SYSTEM, made, |_| get("/").repeat(3)),
        row("bodies of one holder", 150, SYSTEM, own, |_| {
            get("/").repeat(3)
        }),
        row("one body of all", 300, (8 << 20) / 300, common, |_| {
            get("/")
        }),
        row("targets for the log", 300, 7_900, static_body, |_| {
            get(&format!("/{}", "a".repeat(7_900)))
        }),
        row("boxes", 400, 500, static_body, |_| get("/")),
        row("readers", 300, 20_000, wide, |_| get("/")),
        row("small files", 150, 50_000, files(), |number| {
            get(&format!("/{number}.bin")).repeat(8)
        }),
        row("parts of small files", 150, 60_000, files(), |number| {
            let path = format!("GET /{number}.bin HTTP/1.1\r\nHost: a\r\nRange: ");
            format!("{path}bytes=0-40000,50000-\r\n\r\n")
                .repeat(8)
                .into_bytes()
        }),
        Row {
            // The entries of a folder are made once for all who ask, and have a bound of their own.
            beside: 1 << 20,
            ..row("listings", 300, 500, files(), |_| get("/many/").repeat(4))
        },
        Row {
            workers: 40,
            ..row("collected bodies", 30, 900_000, collects, |_| {
                let head = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n";
                [head.as_bytes(), &[b'x'; 950_000]].concat()
            })
        },
        Row {
            // What a thread and the framing of a block take.
            beside: 200 * 1024,
            ..row("detached responses", 200, 16 * 1024, detached, |_| get("/"))
        },
        Row {
            on_stacks: 100 * DETACHED_BYTES,
            ..row("upgraded connections", 100, 30_000, upgraded, |_| {
                let head =
                    "GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n";
                [head.as_bytes(), &[b'x'; 30_000]].concat()
            })
        },
    ]
}

/// README's table of what takes memory: each number is that of the code, and all together are what
/// the sentence before the table promises.
#[test]
fn the_table_of_memory_adds_up() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    const MIB: usize = 1 << 20;
    let limits = Limits::default();
    let rows = [
        ("what is held for all connections", limits.parked_bytes),
        ("listings", LISTING_BYTES),
        ("small files", CACHE_BYTES),
        // tests/files looks at their number.
        ("missing paths", CACHE_BYTES / 16),
        // The program's: tests/cli looks at it.
        ("unread log lines", MIB),
        (
            "buffers of the workers, 112 KiB each",
            limits.workers_max * WORKER_BYTES,
        ),
    ];
    let readme = include_str!("../README.md");
    let (_, table) = readme
        .split_once("at most 128 MiB and 1 KiB a connection")
        .expect("the promise");
    for (what, bytes) in rows {
        let row = table
            .lines()
            .find(|line| line.starts_with(&format!("| {what}")));
        let row = row.unwrap_or_else(|| panic!("no row {what}"));
        let value = row.split(" | ").nth(1).expect("a second column");
        assert!(
            value.starts_with(&format!("{} MiB", bytes / MIB)),
            "{what}: {bytes}, {value}"
        );
    }
    let sum: usize = rows.iter().map(|(_, bytes)| bytes).sum();
    assert!(sum <= 128 * MIB, "{sum}");
    // The input has room for a head, a body's beginning and as much again; the output is as long as
    // it may become.
    let worker = limits.head_bytes + 2 * PREFETCH_BYTES + limits.write_buffer_bytes;
    assert_eq!(WORKER_BYTES, worker);
}

/// Whatever a worker has sent before its handler blocks, it holds the buffers of the table.
#[test]
fn workers_whose_handlers_block_hold_their_buffers() {
    const CLIENTS: usize = 60;
    /// The parts of a head, and what the system asks for a thread.
    const EACH_BESIDE: usize = 8 * 1024;
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let (blocked, released) = (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
    let (inside, ends) = (blocked.clone(), released.clone());
    // Five of these leave a buffer of 120 KiB.
    let content: &'static [u8] = &[b'x'; 15_000];
    let handler = move |request: &mut Request<'_>| {
        if request.path() == "/block" {
            inside.fetch_add(1, Ordering::SeqCst);
            eventually(|| ends.load(Ordering::SeqCst) > 0);
        }
        Response::new(Status::OK).body(content)
    };
    let server = Server::bind("127.0.0.1:0").expect("a free port");
    let server = server.spawn(handler).expect("threads");
    let before = counting::held();
    let asked = [get("/").repeat(5), get("/block")].concat();
    let clients: Vec<_> = (0..CLIENTS)
        .map(|_| connect(server.addr(), &asked))
        .collect();
    assert!(eventually(|| blocked.load(Ordering::SeqCst) == CLIENTS));
    let held = counting::held() - before;
    // One that was not needed waits.
    let most = (CLIENTS + 40) * EACH_BESIDE + server.stats().workers * WORKER_BYTES;
    assert!(held <= most, "{held} bytes of {most}");
    released.store(1, Ordering::SeqCst);
    drop(clients);
}

#[test]
fn what_is_held_is_counted() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let site = Temporary::folder();
    make_site(&site);
    for row in rows(&site) {
        let (shared, address, _) = serve(row.handler, row.workers);
        let mut clients = Vec::with_capacity(row.connections);
        // Everything that one connection needs is there from here on.
        let mut first = connect(address, &(row.sends)(0));
        let patience = Some(Duration::from_millis(100));
        first.set_read_timeout(patience).expect("a time");
        // Nothing comes where half a request is sent.
        let _ = first.read(&mut [0; 1000]);
        drop(first);
        assert!(eventually(|| shared.slots.occupied() == 0), "{}", row.name);
        let before = counting::held();
        for number in 0..row.connections {
            clients.push(connect(address, &(row.sends)(number)));
        }
        let uncounted = ALL_UNCOUNTED + row.connections * EACH_UNCOUNTED + row.beside;
        let look = || {
            let held = counting::held().saturating_sub(before);
            (held, shared.budget.held().saturating_sub(row.on_stacks))
        };
        let is_so = eventually(|| {
            let (held, counted) = look();
            shared.slots.occupied() == row.connections
                && held >= row.connections * row.each
                && held <= counted + uncounted
                && counted <= held + ALL_UNCOUNTED
                && counted <= Limits::default().parked_bytes
        });
        let (held, counted) = look();
        let shown = format!(
            "{}: {held} bytes are held, {counted} counted, {uncounted} may be uncounted, {} connections",
            row.name,
            shared.slots.occupied()
        );
        assert!(is_so, "{shown}");
        drop(clients);
        end(&shared, row.name);
        assert_eq!(shared.budget.held(), 0, "{}", row.name);
    }
}

/// Twice as much as the limit is asked for: at no time is more held, and what is given up is freed.
#[test]
fn no_more_is_held_than_the_limit() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let limit = Limits::default().parked_bytes;
    let each = 1 << 20;
    let made = move |_: &mut Request<'_>| Response::new(Status::OK).body(vec![b'x'; each]);
    let (shared, address, accepts) = serve(Box::new(made), 1);
    let before = counting::restart();
    let count = 2 * limit / each;
    let clients: Vec<_> = (0..count).map(|_| connect(address, &get("/"))).collect();
    let is_so = || {
        let left = shared.slots.occupied();
        (limit / each - 1..=limit / each).contains(&left)
            && accepts.load(Ordering::Relaxed) == count
    };
    assert!(eventually(is_so), "{} are left", shared.slots.occupied());
    let most = counting::most() - before;
    // One is made before another is given up.
    assert!(most <= limit + each + (1 << 20), "{most} bytes at the most");
    drop(clients);
    end(&shared, "made bodies");
}

/// A body whose client has gone while its disk hangs is not counted, so it must be small.
#[test]
fn little_is_left_at_a_full_gate() {
    const EACH: usize = 3 * 1024;
    // Fewer than descriptors.
    const COUNT: usize = 250;
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let site = Temporary::folder();
    let file = std::fs::File::create(site.join("large")).expect("a file");
    file.set_len(1 << 20).expect("its length");
    // Changed in the future, it is not cached: no two responses share anything.
    let tomorrow = SystemTime::now() + Duration::from_secs(86_400);
    file.set_modified(tomorrow).expect("its time");
    let files = Files::new(&*site).expect("a folder");
    let ranges: Vec<String> = (0..RANGES_MAX)
        .map(|part| format!("{}-{}", part * 10_000, part * 10_000))
        .collect();
    let parts = format!("bytes={}", ranges.join(","));
    for range in ["bytes=0-", "bytes=1-99999", &parts] {
        let gate = Arc::new(Gate::default());
        let full = gate.enter(1).expect("nobody is inside");
        let before = counting::held();
        for _ in 0..COUNT {
            let request = Request::test(Method::Get, "/large").header("Range", range);
            let response = request.send(&files);
            assert_eq!(response.status(), Status::PARTIAL_CONTENT);
            gate.discard(1, response);
        }
        let left = counting::held() - before;
        assert!(left <= COUNT * EACH, "{range}: {left}");
        drop(full);
        // The gate keeps its list.
        let left = counting::held() - before;
        assert!(left <= ALL_UNCOUNTED, "{range}: {left} are not dropped");
    }
}

/// A server whose threads are workers alone.
fn serve(handler: Box<dyn Handler>, workers: usize) -> (Arc<Shared>, SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    // Accepted sockets have the buffer of the listener.
    set_buffer(listener.as_raw_fd(), SO_SNDBUF);
    let address = listener.local_addr().expect("an address");
    let listener = Listener::from_tcp(listener, 512).expect("a listener");
    let mut shared = Shared::new(
        Backend::Epoll.open().expect("a poller"),
        Arc::new(SystemClock::start()),
        handler,
        Config::default(),
        Listeners::new(vec![listener]),
    );
    let accepts = Accepts::default();
    shared.observer = Some(Box::new(accepts.clone()));
    shared.pool = Arc::new(Pool::new(workers, workers));
    let shared = Arc::new(shared);
    shared
        .listeners
        .register(&*shared.poller)
        .expect("it is new");
    let started = shared.pool.start(|| Worker::start(&shared));
    started.expect("threads");
    (shared, address, accepts.0)
}

fn end(shared: &Arc<Shared>, name: &str) {
    // Whoever waits for a client that has gone notices that.
    assert!(eventually(|| shared.slots.occupied() == 0), "{name}");
    shared.end();
    shared.poller.wake();
    shared.pool.end().expect("the workers end");
}

/// Counts connections. Wherever there is an observer, the targets of requests are kept for it.
#[derive(Clone, Default)]
struct Accepts(Arc<AtomicUsize>);

impl Observer for Accepts {
    fn accepted(&self, _peer: Option<SocketAddr>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// A reader that is as large as this, and has no end.
struct Wide([u8; 20_000]);

impl Read for Wide {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = buffer.len().min(self.0.len());
        buffer[..count].copy_from_slice(&self.0[..count]);
        Ok(count)
    }
}

fn make_site(site: &Path) {
    let long_ago = SystemTime::now() - Duration::from_secs(3600);
    for number in 0..150 {
        let path = site.join(format!("{number}.bin"));
        std::fs::write(&path, [number as u8; 64_000]).expect("a file");
        let file = std::fs::File::options().append(true).open(&path);
        file.and_then(|file| file.set_modified(long_ago))
            .expect("its time");
    }
    std::fs::create_dir(site.join("many")).expect("a folder");
    for number in 0..500 {
        std::fs::write(site.join(format!("many/{number:0>60}")), "").expect("a file");
    }
}

fn get(target: &str) -> Vec<u8> {
    format!("GET {target} HTTP/1.1\r\nHost: a\r\n\r\n").into_bytes()
}

fn connect(address: SocketAddr, bytes: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(address).expect("a connection");
    set_buffer(stream.as_raw_fd(), SO_RCVBUF);
    stream.set_write_timeout(Some(PATIENCE)).expect("a time");
    stream.write_all(bytes).expect("it is read");
    stream
}

const SOL_SOCKET: c_int = 1;
const SO_SNDBUF: c_int = 7;
const SO_RCVBUF: c_int = 8;

/// A small one, so that little of a response is with the system.
#[allow(unsafe_code, reason = "std cannot set it")]
fn set_buffer(socket: RawFd, name: c_int) {
    unsafe extern "C" {
        fn setsockopt(
            fd: c_int,
            level: c_int,
            name: c_int,
            value: *const c_int,
            length: u32,
        ) -> c_int;
    }
    let bytes: c_int = 4096;
    // SAFETY: the value is a number of the length that is given.
    let result = unsafe { setsockopt(socket, SOL_SOCKET, name, &bytes, 4) };
    assert_eq!(result, 0, "setsockopt");
}
