//! A disk that hangs for a minute, on demand: it costs the workers that wait for it, which are a
//! share of all, and nobody else anything.
//!
//! Several workers of one server, each on a thread of its own, take their turns one after the
//! other; those that hang in a turn stay in it. The time is the test's.

use crate::support::PATIENCE;
use crate::support::recorder::{Event, Recorder};
use crate::support::server::{Housekeeper, Shared, Worker, put_together};
use crate::support::simulated::{Act, System, Timed};
use doorstep::internals::conn::{Config, Moment};
use doorstep::internals::handler::gate::Gate;
use doorstep::internals::handler::{queued, within};
use doorstep::internals::limits::STREAM_BLOCK;
use doorstep::{CloseReason, IntoResponse, Request, Response, ShutdownReport, Status};
use std::io::{self, Read};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError, mpsc};
use std::thread;
use std::time::Duration;

const WORKERS: usize = 8;
/// The share of them that may wait for the disk.
const SHARE: usize = WORKERS / 4;
/// Requests for the disk beside those that hang.
const QUEUED: usize = 20;
/// Blocks of a file.
const BLOCKS: usize = 2;

/// The call that hangs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Call {
    Open,
    Read,
    Close,
}

/// What a thread has to say.
#[derive(Debug, PartialEq, Eq)]
enum News {
    Done(usize),
    Hangs,
}

/// A disk whose calls hang from when the test says so until it says otherwise.
struct Disk {
    hangs: Mutex<Option<Call>>,
    changed: Condvar,
    news: Mutex<mpsc::Sender<News>>,
    /// Files that are open.
    open: AtomicUsize,
}

impl Disk {
    fn call(&self, call: Call) {
        let hangs = self.hangs.lock().unwrap_or_else(PoisonError::into_inner);
        if *hangs != Some(call) {
            return;
        }
        let _ = self.news.lock().unwrap().send(News::Hangs);
        // Bounded, so that a test that fails ends.
        let hanging = |hangs: &mut Option<Call>| hangs.is_some();
        let waited = self
            .changed
            .wait_timeout_while(hangs, 6 * PATIENCE, hanging);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }

    fn set(&self, hangs: Option<Call>) {
        *self.hangs.lock().unwrap_or_else(PoisonError::into_inner) = hangs;
        self.changed.notify_all();
    }
}

/// A file on it.
struct OpenFile(Arc<Disk>, usize);

impl OpenFile {
    fn open(disk: &Arc<Disk>) -> OpenFile {
        disk.call(Call::Open);
        disk.open.fetch_add(1, Ordering::SeqCst);
        OpenFile(disk.clone(), BLOCKS * STREAM_BLOCK)
    }
}

impl Read for OpenFile {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.call(Call::Read);
        let count = buffer.len().min(self.1);
        self.1 -= count;
        buffer[..count].fill(b'x');
        Ok(count)
    }
}

impl Drop for OpenFile {
    fn drop(&mut self) {
        self.0.call(Call::Close);
        self.0.open.fetch_sub(1, Ordering::SeqCst);
    }
}

type Job = Box<dyn FnOnce() + Send>;

/// A thread that does what it is given, and says when it has done it.
fn crew_member(name: usize, news: mpsc::Sender<News>) -> mpsc::Sender<Job> {
    let (jobs, work) = mpsc::channel::<Job>();
    // Ends with the test.
    thread::spawn(move || {
        for job in work {
            job();
            if news.send(News::Done(name)).is_err() {
                return;
            }
        }
    });
    jobs
}

/// The housekeeper, and a thread that the server starts.
const KEEPER: usize = WORKERS;
const ANOTHER: usize = WORKERS + 1;

struct Server {
    system: System<Timed>,
    shared: Arc<Shared>,
    recorder: Recorder,
    disk: Arc<Disk>,
    gate: Arc<Gate>,
    workers: Vec<(mpsc::Sender<Job>, Arc<Mutex<Worker>>)>,
    others: [mpsc::Sender<Job>; 2],
    news: mpsc::Receiver<News>,
    hung: Vec<usize>,
}

impl Server {
    /// Everything below `/disk` is a file on the disk.
    fn new() -> Server {
        let (system, recorder) = (System::timed(), Recorder::default());
        let (tell, news) = mpsc::channel();
        let disk = Arc::new(Disk {
            hangs: Mutex::default(),
            changed: Condvar::new(),
            news: Mutex::new(tell.clone()),
            open: AtomicUsize::new(0),
        });
        let gate = Arc::<Gate>::default();
        let (door, files) = (gate.clone(), disk.clone());
        let handler = move |request: &mut Request<'_>| {
            if !request.path().starts_with("/disk") {
                return "a page".into_response();
            }
            let Some(pass) = door.enter(SHARE) else {
                return queued(&door);
            };
            let file = OpenFile::open(&files);
            drop(pass);
            let length = file.1 as u64;
            let response = Response::new(Status::OK).stream(Some(length), file);
            within(response, &door, SHARE)
        };
        let observer = Box::new(recorder.clone());
        let threads = Box::new(system.clone());
        let config = Config::default();
        let shared = put_together(&system, handler, config, Some(observer), threads);
        let worker = |_| Arc::new(Mutex::new(Worker::new(shared.clone())));
        let workers = (0..WORKERS).map(|name| (crew_member(name, tell.clone()), worker(name)));
        let workers = workers.collect();
        Server {
            others: [KEEPER, ANOTHER].map(|name| crew_member(name, tell.clone())),
            system,
            shared,
            recorder,
            disk,
            gate,
            workers,
            news,
            hung: Vec::new(),
        }
    }

    /// A thread does this, or hangs in it. True when it has done it.
    fn is_done(&self, jobs: &mpsc::Sender<Job>, name: usize, job: Job) -> bool {
        jobs.send(job).expect("a thread");
        match self.news.recv_timeout(PATIENCE).expect("an end of a turn") {
            News::Hangs => false,
            done => {
                assert_eq!(done, News::Done(name));
                true
            }
        }
    }

    /// Workers that do not hang take the events that are due.
    fn runs(&mut self) {
        loop {
            let event = self.system.state().take_event();
            let Some(token) = event else {
                return;
            };
            let free = (0..WORKERS).find(|name| !self.hung.contains(name));
            let name = free.expect("a worker for the others");
            let (jobs, worker) = &self.workers[name];
            let worker = worker.clone();
            let job = move || worker.lock().unwrap().turn(token);
            if !self.is_done(jobs, name, Box::new(job)) {
                self.hung.push(name);
            }
        }
    }

    /// The housekeeper does something, which may not hang.
    fn keeps<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Housekeeper) -> T + Send + 'static,
    ) -> T {
        let (shared, (tell, told)) = (self.shared.clone(), mpsc::channel());
        let job = move || {
            let _ = tell.send(work(&mut Housekeeper::new(shared)));
        };
        let is_done = self.is_done(&self.others[0], KEEPER, Box::new(job));
        assert!(is_done, "the housekeeper hangs");
        told.recv().expect("a result")
    }

    /// Threads that the server has started do their work. True when none of them hangs.
    fn threads_end(&self) -> bool {
        loop {
            let system = self.system.clone();
            let (tell, told) = mpsc::channel();
            let job = move || {
                let _ = tell.send(system.run_thread());
            };
            if !self.is_done(&self.others[1], ANOTHER, Box::new(job)) {
                return false;
            }
            if told.recv() == Ok(false) {
                return true;
            }
        }
    }

    /// It is this second: the housekeeper looks, and the workers work.
    fn at(&mut self, second: u64) {
        self.system.state().set(Duration::from_secs(second));
        self.keeps(Housekeeper::sweep);
        self.runs();
    }

    /// A client comes, by the listener, and asks for this.
    fn asks(&mut self, path: &str) -> usize {
        let link = self.sends(&format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n"));
        self.runs();
        link
    }

    fn sends(&self, bytes: &str) -> usize {
        let mut state = self.system.state();
        let port = state.links.len() as u16;
        let link = state.connect(Some(([127, 0, 0, 1], port).into()));
        state.act(link, Act::Sends(bytes.into()));
        state.knock(link);
        link
    }

    /// What a client has got since the last look.
    fn got(&self, link: usize) -> String {
        let link = &mut self.system.state().links[link];
        let new = link.taken[link.heard..].to_vec();
        link.heard = link.taken.len();
        String::from_utf8(new).expect("text")
    }

    fn reason(&self, link: usize) -> Option<CloseReason> {
        let peer = self.system.state().links[link].peer;
        self.recorder.events().iter().find_map(|event| match event {
            Event::Closed(of, reason) if *of == peer => Some(*reason),
            _ => None,
        })
    }

    /// The disk answers again, and all that hung goes on.
    fn recovers(&mut self) {
        self.disk.set(None);
        for _ in 0..self.hung.len() {
            let done = self.news.recv_timeout(PATIENCE).expect("the end of a turn");
            let hung = self.hung.iter().position(|name| done == News::Done(*name));
            self.hung.remove(hung.expect("one that hung"));
        }
        self.runs();
    }

    /// Nothing of all that is left.
    fn is_clean(&self) {
        assert_eq!(self.gate.waiting(), 0);
        assert_eq!(self.disk.open.load(Ordering::SeqCst), 0, "open files");
        let all: Vec<_> = (0..SHARE).map_while(|_| self.gate.enter(SHARE)).collect();
        assert_eq!(all.len(), SHARE, "somebody is inside");
        assert_eq!(self.shared.budget.held(), 0);
        assert_eq!(self.system.state().breaches, [""; 0]);
    }
}

/// Clients of the disk and others, as the disk has begun to hang.
struct Crowd {
    stuck: Vec<usize>,
    queued: Vec<usize>,
    /// One that reads nothing of its file, which was opened in time.
    deaf: usize,
    /// One that has sent half a head.
    slow: usize,
    /// One that asks now and then.
    good: usize,
}

fn crowd(server: &mut Server, call: Call) -> Crowd {
    let deaf = server.sends("");
    server.system.state().links[deaf].room = 10;
    let get = "GET /disk HTTP/1.1\r\nHost: a\r\n\r\n";
    server.system.state().act(deaf, Act::Sends(get.into()));
    let good = server.asks("/");
    assert!(server.got(good).ends_with("a page"));
    server.disk.set(Some(call));
    let stuck: Vec<_> = (0..SHARE).map(|_| server.asks("/disk/stuck")).collect();
    assert_eq!(server.hung.len(), SHARE, "the share is used up");
    let queued = (0..QUEUED).map(|_| server.asks("/disk/queued")).collect();
    assert_eq!(server.hung.len(), SHARE, "the others wait without a worker");
    let slow = server.sends("GET / HT");
    server.runs();
    Crowd {
        stuck,
        queued,
        deaf,
        slow,
        good,
    }
}

/// A second of the hang.
fn second_of_a_hang(server: &mut Server, crowd: &Crowd, second: u64) {
    server.at(second);
    // Whoever asks for something else is served, an old client as well as a new one.
    let request = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    server
        .system
        .state()
        .act(crowd.good, Act::Sends(request.into()));
    server.runs();
    assert!(server.got(crowd.good).ends_with("a page"), "{second} s");
    let new = server.asks("/");
    assert!(server.got(new).ends_with("a page"), "{second} s");
    server.system.state().act(new, Act::Finishes);
    server.runs();
    assert_eq!(server.reason(new), Some(CloseReason::PeerClosed));
    assert_eq!(server.hung.len(), SHARE);
}

fn minute_of_a_hang(server: &mut Server, crowd: &Crowd) {
    for second in 1..60 {
        second_of_a_hang(server, crowd, second);
        match second {
            4 => assert_eq!(server.gate.waiting(), QUEUED),
            5 => {
                assert_eq!(server.gate.waiting(), 0);
                for &link in &crowd.queued {
                    let got = server.got(link);
                    assert!(got.starts_with("HTTP/1.1 503 "), "{got}");
                    assert!(got.contains("\r\nRetry-After: 1\r\n"));
                }
            }
            _ => {}
        }
        // The head in 10 s, the file in 30 s.
        let is_over = |at: u64| second >= at;
        let refused = server.system.state().links[crowd.slow].write_closed;
        assert_eq!(refused, is_over(10), "{second} s: half a head");
        assert_eq!(
            server.reason(crowd.deaf).is_some(),
            is_over(30),
            "{second} s"
        );
    }
    assert!(server.got(crowd.slow).starts_with("HTTP/1.1 408 "));
    assert_eq!(server.reason(crowd.deaf), Some(CloseReason::WriteTimeout));
    for &link in &crowd.stuck {
        assert_eq!(server.reason(link), None);
    }
}

#[test]
fn a_disk_that_hangs_costs_its_share_and_nobody_else_anything() {
    for call in [Call::Open, Call::Read, Call::Close] {
        let mut server = Server::new();
        let crowd = crowd(&mut server, call);
        minute_of_a_hang(&mut server, &crowd);
        let late: Vec<_> = (0..QUEUED).map(|_| server.asks("/disk/late")).collect();
        server.recovers();
        // Everybody gets what it asked for.
        for &link in crowd.stuck.iter().chain(&late) {
            let got = server.got(link);
            assert!(got.starts_with("HTTP/1.1 200 "), "{call:?}: {got}");
            assert_eq!(got.matches('x').count(), BLOCKS * STREAM_BLOCK, "{call:?}");
        }
        let last = server.asks("/disk/last");
        assert!(server.got(last).ends_with('x'));
        server.is_clean();
    }
}

#[test]
fn a_server_ends_in_time_whatever_its_disk_does() {
    for call in [Call::Open, Call::Read, Call::Close] {
        let mut server = Server::new();
        let crowd = crowd(&mut server, call);
        for second in 1..=3 {
            second_of_a_hang(&mut server, &crowd, second);
        }
        server.keeps(|keeper| keeper.stop());
        let finish = |server: &Server, second| -> Option<ShutdownReport> {
            let now = Duration::from_secs(second);
            server.system.state().set(now);
            server.keeps(|keeper| keeper.finish(Moment::at(Duration::from_secs(8))))
        };
        for second in 3..8 {
            assert_eq!(finish(&server, second), None, "{second} s");
            server.runs();
        }
        // Two hang; those in the queue got their 503, and close when their clients do; one reads
        // nothing, and one has sent half a head.
        let report = finish(&server, 8).expect("an end with the grace");
        assert_eq!(report.aborted, SHARE + 2, "{call:?}");
        assert!(server.threads_end());
        server.runs();
        assert_eq!(server.shared.slots.occupied(), SHARE, "those that hang");
        server.recovers();
        assert!(server.threads_end());
        assert_eq!(server.shared.slots.occupied(), 0);
        server.is_clean();
    }
}
