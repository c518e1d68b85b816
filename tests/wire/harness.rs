//! What the tests share: a server on each backend, handlers that can be held, an observer that
//! remembers, a process of one's own.

use crate::support::client::Client;
use crate::support::{PATIENCE, eventually};
use doorstep::internals::sys::Backend;
use doorstep::{Request, Server};
use std::collections::HashSet;
use std::fs;
use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// What most handlers here answer.
pub const PAGE: &str = "the same page for every request\n";

/// The handler that answers [`PAGE`].
pub fn page(_: &mut Request<'_>) -> &'static str {
    PAGE
}

/// One backend, on which servers are started.
#[derive(Clone, Copy)]
pub struct Stage {
    /// The backend.
    pub backend: Backend,
}

impl Stage {
    /// A server on a free port of loopback.
    pub fn server(self) -> Server {
        Server::bind("127.0.0.1:0")
            .expect("a free port")
            .backend(self.backend)
    }
}

/// Runs a test once on each backend that this system has.
pub fn on_each_backend(test: impl Fn(Stage)) {
    for &backend in Backend::ALL {
        // Shown only when the test fails.
        println!("backend: {backend:?}");
        test(Stage { backend });
    }
}

/// A place where handlers wait until the test lets them go on. Bounded, so that a failing test
/// ends.
#[derive(Clone, Default)]
pub struct Gate(Arc<(Mutex<GateState>, Condvar)>);

#[derive(Default)]
struct GateState {
    inside: usize,
    open: bool,
    /// One of those inside may go on.
    one_goes: bool,
}

impl Gate {
    /// A handler waits here.
    pub fn pass(&self) {
        let mut state = lock(&self.0.0);
        state.inside += 1;
        self.0.1.notify_all();
        let limit = 6 * PATIENCE;
        let waited = self
            .0
            .1
            .wait_timeout_while(state, limit, |state| !state.open && !state.one_goes);
        let mut state = waited.unwrap_or_else(PoisonError::into_inner).0;
        state.inside -= 1;
        state.one_goes = false;
        self.0.1.notify_all();
    }

    /// Holds those that come from now on.
    pub fn shut(&self) {
        lock(&self.0.0).open = false;
    }

    /// Lets go of one of those that are here, and waits until it has gone.
    pub fn lets_one_go(&self) {
        let mut state = lock(&self.0.0);
        state.one_goes = true;
        self.0.1.notify_all();
        let waited = self
            .0
            .1
            .wait_timeout_while(state, PATIENCE, |state| state.one_goes);
        drop(waited);
    }

    /// The test waits until so many handlers are here.
    #[track_caller]
    pub fn holds(&self, count: usize) {
        let state = lock(&self.0.0);
        let waited = self
            .0
            .1
            .wait_timeout_while(state, PATIENCE, |state| state.inside < count);
        let inside = waited.unwrap_or_else(PoisonError::into_inner).0.inside;
        assert!(inside >= count, "{inside} handlers wait instead of {count}");
    }

    /// Lets go of all, also of those that come later.
    pub fn open(&self) {
        lock(&self.0.0).open = true;
        self.0.1.notify_all();
    }
}

impl Drop for Gate {
    /// A test that fails must not leave its server's end waiting for a handler.
    fn drop(&mut self) {
        if thread::panicking() {
            self.open();
        }
    }
}

/// Does something when a test's scope ends, also when it fails there: otherwise the scope would
/// wait for its threads forever.
pub struct AtTheEnd<F: FnMut()>(pub F);

impl<F: FnMut()> Drop for AtTheEnd<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

/// Waits until what these clients have sent lies with the server's sockets: on a busy machine that
/// is a little after it was taken from the clients. Nobody may have read it.
pub fn await_arrival(server: SocketAddr, clients: &[&Client]) {
    let clients: Vec<_> = clients.iter().map(|client| client.address()).collect();
    match have_arrived(server, &clients) {
        Some(_) => assert!(eventually(|| have_arrived(server, &clients) == Some(true))),
        // A system that does not list its sockets.
        None => thread::sleep(Duration::from_millis(100)),
    }
}

fn have_arrived(server: SocketAddr, clients: &[SocketAddr]) -> Option<bool> {
    let table = fs::read_to_string("/proc/net/tcp").ok()?;
    let port = |address: &SocketAddr| format!(":{:04X}", address.port());
    let server = port(&server);
    let mut waited_for: HashSet<_> = clients.iter().map(port).collect();
    for line in table.lines() {
        let mut columns = line.split_whitespace().skip(1);
        let (local, remote) = (columns.next()?, columns.next()?);
        let queues = columns.nth(1)?;
        if local.ends_with(&server) && !queues.ends_with(":00000000") {
            waited_for.remove(&remote[remote.len() - 5..]);
        }
    }
    Some(waited_for.is_empty())
}

const ALONE: &str = "DOORSTEP_WIRE_ALONE";
/// A process of its own that takes longer is ended.
const ALONE_MOST: Duration = Duration::from_secs(120);

/// Runs a test in a process of its own, which may open `most` descriptors, or as many as this one:
/// `name` is the test's full name in this binary.
pub fn alone(name: &str, most: Option<u32>, test: impl FnOnce()) {
    if std::env::var_os(ALONE).is_some_and(|this| this == name) {
        return test();
    }
    let exe = std::env::current_exe().expect("this program");
    let arguments = [name, "--exact", "--nocapture", "--test-threads=1"];
    let Some(most) = most else {
        return watch(name, Command::new(exe).args(arguments));
    };
    let script = format!("ulimit -n {most} && exec \"$0\" \"$@\"");
    let mut command = Command::new("sh");
    watch(name, command.arg("-c").arg(script).arg(exe).args(arguments));
}

fn watch(name: &str, command: &mut Command) {
    let mut child = command
        .env(ALONE, name)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("a process of its own");
    let out = collect(child.stdout.take().expect("its output"));
    let err = collect(child.stderr.take().expect("its messages"));
    let succeeded = ends_well(&mut child);
    let text = out.join().expect("its output") + &err.join().expect("its messages");
    for line in text.lines().filter(|line| line.starts_with("SKIPPED ")) {
        let _ = writeln!(io::stderr(), "{line}");
    }
    // A name that fits no test would run none, and succeed.
    assert!(
        succeeded && text.contains("1 passed"),
        "{name}, alone:\n{text}"
    );
}

fn collect(mut from: impl Read + Send + 'static) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut octets = Vec::new();
        let _ = from.read_to_end(&mut octets);
        String::from_utf8_lossy(&octets).into_owned()
    })
}

fn ends_well(child: &mut Child) -> bool {
    let end = Instant::now() + ALONE_MOST;
    loop {
        if let Some(status) = child.try_wait().expect("its state") {
            return status.success();
        }
        if Instant::now() >= end {
            let _ = child.kill();
            let _ = child.wait();
            return false;
        }
        thread::sleep(Duration::from_millis(10));
    }
}

/// How many of these this process has, of `fd` (descriptors) and `task` (threads); `None` where the
/// system does not tell.
pub fn own(what: &str) -> Option<usize> {
    // The listing itself holds a descriptor, in each count.
    let entries = fs::read_dir(format!("/proc/self/{what}"));
    Some(entries.ok()?.count())
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
