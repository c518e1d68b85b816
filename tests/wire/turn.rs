//! One turn of a worker at a time, on a socket and a poller made up: a client that is always ready, which no real one can be
//! relied on to be.

use crate::client::{PATIENCE, get};
use crate::stage::{PAGE, Recorder};
use doorstep::internals::conn::Rules;
use doorstep::internals::server::{Listeners, Shared, Worker};
use doorstep::internals::sys::{Clock, Interest, Poller, Socket, Source, Stream, Token, Wake};
use doorstep::{CloseReason, Now, Reject, Request};
use std::io::{self, Read, Write};
use std::marker::PhantomData;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::{Duration, SystemTime};

/// A client that has always sent more than is read, and takes what it is sent, as soon as it takes anything.
struct Flood {
    /// What it sends once.
    start: Vec<u8>,
    /// What it sends over and over behind that.
    rest: Vec<u8>,
    place: usize,
    is_deaf: Arc<AtomicBool>,
}

impl Read for Flood {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        for octet in &mut *buffer {
            let behind = self.place.checked_sub(self.start.len());
            *octet = match behind {
                None => self.start[self.place],
                Some(behind) => self.rest[behind % self.rest.len()],
            };
            self.place += 1;
        }
        Ok(buffer.len())
    }
}

impl Write for Flood {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        match self.is_deaf.load(Ordering::SeqCst) {
            true => Err(io::ErrorKind::WouldBlock.into()),
            false => Ok(octets.len()),
        }
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Socket for Flood {
    fn source(&self) -> Source<'_> {
        Source::Named(1, PhantomData)
    }
    fn shutdown_write(&mut self) -> io::Result<()> {
        Ok(())
    }
    fn wait(&mut self, _: Interest, _: Duration) -> io::Result<bool> {
        Ok(true)
    }
}

/// A poller that remembers what was armed last.
#[derive(Clone, Debug, Default)]
struct Armed(Arc<Mutex<Option<Token>>>);

impl Poller for Armed {
    fn add(&self, _: Source<'_>, token: Token, _: Interest) -> io::Result<()> {
        *self.0.lock().unwrap() = Some(token);
        Ok(())
    }
    fn arm(&self, source: Source<'_>, token: Token, interest: Interest) -> io::Result<()> {
        self.add(source, token, interest)
    }
    fn remove(&self, _: Source<'_>, _: Token) -> io::Result<()> {
        Ok(())
    }
    fn wait(&self, _: Option<Duration>) -> io::Result<Wake> {
        Ok(Wake::Woken)
    }
    fn waiting(&self) -> usize {
        0
    }
    fn pending(&self) -> io::Result<bool> {
        Ok(false)
    }
    fn wake(&self) {}
}

/// A clock that shows what it is set to, in milliseconds.
#[derive(Clone, Default)]
struct Hands(Arc<AtomicU64>);

impl Clock for Hands {
    fn now(&self) -> (Duration, SystemTime) {
        let elapsed = Duration::from_millis(self.0.load(Ordering::SeqCst));
        (elapsed, SystemTime::UNIX_EPOCH + elapsed)
    }
}

/// A worker, and all that it believes in.
struct Scene {
    worker: Option<Worker>,
    armed: Armed,
    hands: Hands,
    recorder: Recorder,
    answered: Arc<AtomicUsize>,
    is_deaf: Arc<AtomicBool>,
}

impl Scene {
    fn new() -> Scene {
        let (armed, hands, recorder) = (Armed::default(), Hands::default(), Recorder::default());
        let answered = Arc::new(AtomicUsize::new(0));
        let counted = answered.clone();
        let handler = move |request: &mut Request<'_>| {
            counted.fetch_add(1, Ordering::SeqCst);
            match request.path() {
                "/big" => "x".repeat(16_000),
                _ => PAGE.to_string(),
            }
        };
        let mut shared = Shared::new(
            Box::new(armed.clone()),
            Box::new(hands.clone()),
            Box::new(handler),
            Rules::default(),
            Listeners::new(Vec::new()),
        );
        shared.observer = Some(Box::new(recorder.clone()));
        let worker = Some(Worker::new(Arc::new(shared)));
        Scene {
            worker,
            armed,
            hands,
            recorder,
            answered,
            is_deaf: Arc::default(),
        }
    }

    /// Has the worker do something, which has to end.
    #[track_caller]
    fn turn(&mut self, work: impl FnOnce(&mut Worker) + Send + 'static) {
        let mut worker = self.worker.take().expect("a worker");
        let (tell, told) = mpsc::channel();
        thread::spawn(move || {
            work(&mut worker);
            // Nobody listens any more when it took too long.
            let _ = tell.send(worker);
        });
        self.worker = told.recv_timeout(PATIENCE).ok();
        assert!(self.worker.is_some(), "the turn does not end");
    }

    #[track_caller]
    fn accept(&mut self, start: &str, rest: &str) {
        let flood = Flood {
            start: start.into(),
            rest: rest.into(),
            place: 0,
            is_deaf: self.is_deaf.clone(),
        };
        let (monotonic, wall) = self.hands.now();
        let stream = Stream::Other(Box::new(flood));
        self.turn(move |worker| worker.admit(stream, None, &Now { monotonic, wall }));
    }

    /// What was armed is ready again. False when nothing is armed.
    #[track_caller]
    fn event(&mut self) -> bool {
        let armed = self.armed.0.lock().unwrap().take();
        if let Some(token) = armed {
            self.turn(move |worker| worker.turn(token));
        }
        armed.is_some()
    }
}

#[test]
fn a_turn_on_endless_requests_ends_for_the_others_sake() {
    let mut scene = Scene::new();
    scene.accept("", &get("/"));
    for turns in 1..10 {
        let answered = scene.answered.load(Ordering::SeqCst);
        assert_eq!(answered, 64 * turns, "64 a turn");
        assert!(scene.event());
    }
    assert_eq!(scene.recorder.reasons(), []);
}

#[test]
fn a_turn_on_an_endless_flood_behind_the_last_answer_ends() {
    let mut scene = Scene::new();
    scene.accept("NOT HTTP\r\n\r\n", "x");
    assert!(scene.event(), "it is dropped for a while");
    assert_eq!(scene.recorder.reasons(), []);
    // The sweep finds only connections that nobody owns; this one is hardly ever such. So its own turns see the deadline.
    scene.hands.0.store(10_000, Ordering::SeqCst);
    assert!(scene.event());
    let refused = CloseReason::Rejected(Reject::RequestLineForm);
    assert_eq!(scene.recorder.reasons(), [refused]);
    assert!(!scene.event());
    assert_eq!(scene.answered.load(Ordering::SeqCst), 0);
}

#[test]
fn a_turn_on_content_that_nobody_reads_ends() {
    let mut scene = Scene::new();
    let head = "POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n";
    scene.accept(head, "1\r\nx\r\n");
    assert_eq!(scene.answered.load(Ordering::SeqCst), 1);
    scene.hands.0.store(10_000, Ordering::SeqCst);
    assert!(scene.event());
    assert_eq!(scene.recorder.reasons(), [CloseReason::UnreadContent]);
}

#[test]
fn the_time_to_read_the_last_answer_begins_when_it_is_sent() {
    let mut scene = Scene::new();
    scene.is_deaf.store(true, Ordering::SeqCst);
    scene.accept("NOT HTTP\r\n\r\n", "x");
    // It waits for the client to take it, which is another deadline.
    scene.hands.0.store(10_000, Ordering::SeqCst);
    scene.is_deaf.store(false, Ordering::SeqCst);
    assert!(scene.event());
    assert_eq!(scene.recorder.reasons(), []);
    scene.hands.0.store(13_000, Ordering::SeqCst);
    assert!(scene.event());
    assert_eq!(scene.recorder.reasons().len(), 1);
}

#[test]
fn answers_that_are_not_taken_hold_back_the_requests_behind_them() {
    let mut scene = Scene::new();
    scene.is_deaf.store(true, Ordering::SeqCst);
    scene.accept("", &get("/big"));
    // 64 KiB of output at most, and the answer that goes beyond.
    assert_eq!(scene.answered.load(Ordering::SeqCst), 5);
    assert!(scene.event());
    assert_eq!(scene.answered.load(Ordering::SeqCst), 5);
    scene.is_deaf.store(false, Ordering::SeqCst);
    assert!(scene.event());
    assert!(scene.answered.load(Ordering::SeqCst) > 5);
}
