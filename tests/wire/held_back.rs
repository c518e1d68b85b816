//! Answers that their socket takes in parts: on a socket, a poller and a clock made up, so that each part is chosen.

use crate::client::get;
use crate::stage::{Event, Recorder};
use doorstep::internals::conn::Rules;
use doorstep::internals::server::{Housekeeper, Listeners, Shared, Worker};
use doorstep::internals::sys::{
    Clock, Interest, Poller, Socket, Source, Stream, SystemThreads, Threads, Token, Wake,
};
use doorstep::{CloseReason, Handler, Now, Request, Response, Status};
use std::io::{self, Read, Write};
use std::marker::PhantomData;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

/// Everything that is made up, seen from outside.
#[derive(Clone, Debug, Default)]
struct World {
    /// Octets that the client has sent and the server has not read.
    sent: Arc<Mutex<Vec<u8>>>,
    /// Octets that the socket still takes.
    room: Arc<AtomicUsize>,
    /// Octets that it has taken.
    taken: Arc<AtomicUsize>,
    armed: Arc<Mutex<Option<Token>>>,
    ms: Arc<AtomicU64>,
}

impl Read for World {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut sent = self.sent.lock().unwrap();
        if sent.is_empty() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let count = sent.len().min(buffer.len());
        buffer[..count].copy_from_slice(&sent[..count]);
        sent.drain(..count);
        Ok(count)
    }
}

impl Write for World {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        let count = self.room.load(Ordering::SeqCst).min(octets.len());
        if count == 0 {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        self.room.fetch_sub(count, Ordering::SeqCst);
        self.taken.fetch_add(count, Ordering::SeqCst);
        Ok(count)
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Socket for World {
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

impl Poller for World {
    fn add(&self, _: Source<'_>, token: Token, _: Interest) -> io::Result<()> {
        *self.armed.lock().unwrap() = Some(token);
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

impl Clock for World {
    fn now(&self) -> (Duration, SystemTime) {
        let elapsed = Duration::from_millis(self.ms.load(Ordering::SeqCst));
        (elapsed, SystemTime::UNIX_EPOCH + elapsed)
    }
}

/// A server with one connection.
struct Stage {
    world: World,
    recorder: Recorder,
    shared: Arc<Shared>,
    worker: Worker,
}

impl Stage {
    fn new(handler: impl Handler) -> Stage {
        Stage::with_threads(handler, Box::new(SystemThreads))
    }

    fn with_threads(handler: impl Handler, threads: Box<dyn Threads>) -> Stage {
        let (world, recorder) = (World::default(), Recorder::default());
        let (poller, clock) = (Box::new(world.clone()), Box::new(world.clone()));
        let listeners = Listeners::new(Vec::new());
        let rules = Rules::default();
        let mut shared = Shared::new(poller, clock, Box::new(handler), rules, listeners);
        shared.observer = Some(Box::new(recorder.clone()));
        shared.threads = threads;
        let shared = Arc::new(shared);
        let worker = Worker::new(shared.clone());
        Stage {
            world,
            recorder,
            shared,
            worker,
        }
    }

    /// The client connects and asks; the socket takes so many octets of the answer.
    fn connects_and_asks(&mut self, room: usize) {
        self.asks(room);
        let (monotonic, wall) = self.world.now();
        let stream = Stream::Other(Box::new(self.world.clone()));
        self.worker.admit(stream, None, &Now { monotonic, wall });
    }

    fn asks(&self, room: usize) {
        self.world.room.store(room, Ordering::SeqCst);
        self.world.sent.lock().unwrap().extend(get("/").bytes());
    }

    /// The poller reports what is armed.
    fn is_ready(&mut self) {
        let token = self.world.armed.lock().unwrap().take();
        self.worker.turn(token.expect("the connection waits"));
    }

    fn takes(&self, room: usize) {
        self.world.room.store(room, Ordering::SeqCst);
    }

    /// So much later, the housekeeper looks at the deadlines.
    fn is_swept_after(&self, seconds: u64) {
        self.world.ms.fetch_add(seconds * 1_000, Ordering::SeqCst);
        Housekeeper::new(self.shared.clone()).sweep();
    }

    fn answered(&self) -> usize {
        let is_request = |event: &&Event| matches!(event, Event::Request { .. });
        self.recorder.events().iter().filter(is_request).count()
    }
}

/// A reader's end may come before the socket has taken its last octets.
#[test]
fn each_streamed_answer_is_told_of_when_it_is_out() {
    let mut stage = Stage::new(|_: &mut Request<'_>| {
        Response::new(Status::OK).stream(Some(100), io::repeat(b'x').take(100))
    });
    stage.connects_and_asks(150);
    for number in 1..=3 {
        assert_eq!(
            stage.answered(),
            number - 1,
            "a part of answer {number} is held back"
        );
        stage.takes(100_000);
        stage.is_ready();
        assert_eq!(stage.answered(), number);
        stage.asks(150);
        stage.is_ready();
    }
}

/// A socket is reported writable when a third of its buffer is free (tcp(7)), which may be more than a reader who keeps far
/// above the least rate takes in the time of one wait.
#[test]
fn a_steady_reader_is_not_cut_because_its_socket_is_not_reported() {
    static CONTENT: [u8; 1 << 20] = [b'x'; 1 << 20];
    let mut stage = Stage::new(|_: &mut Request<'_>| &CONTENT[..]);
    stage.connects_and_asks(100_000);
    for round in 1..=5 {
        stage.takes(100_000);
        stage.is_swept_after(31);
        let taken = stage.world.taken.load(Ordering::SeqCst);
        assert_eq!(taken, 100_000 * (round + 1), "round {round}");
        assert!(stage.recorder.reasons().is_empty(), "round {round}");
    }
    // One who takes nothing is.
    stage.is_swept_after(31);
    assert_eq!(stage.recorder.reasons(), [CloseReason::WriteTimeout]);
}

/// A system that has no thread left.
struct NoThreads;

impl Threads for NoThreads {
    fn start(&self, _: &str, _: Box<dyn FnOnce() + Send>) -> io::Result<()> {
        Err(io::ErrorKind::WouldBlock.into())
    }
}

#[test]
fn a_detached_answer_that_gets_no_thread_ends_its_connection() {
    let mut stage = Stage::with_threads(
        |_: &mut Request<'_>| Response::new(Status::OK).detached(|_| Ok(())),
        Box::new(NoThreads),
    );
    for number in 1..=3 {
        stage.connects_and_asks(10_000);
        assert_eq!(
            stage.recorder.reasons(),
            vec![CloseReason::Overload; number]
        );
        assert_eq!(stage.shared.slots.occupied(), 0);
    }
    let why = "cannot start a thread for a detached answer: ";
    let said = |event: &Event| matches!(event, Event::Overload(this) if this.starts_with(why));
    assert!(stage.recorder.events().iter().any(said));
}

/// Until the head has gone out, a slow client holds up no thread, neither a worker nor one of its own.
#[test]
fn a_writer_waits_for_its_head() {
    for is_detached in [false, true] {
        let runs = Arc::new(AtomicUsize::new(0));
        let count = runs.clone();
        let mut stage = Stage::with_threads(
            move |_: &mut Request<'_>| {
                let count = count.clone();
                let write = move |out: &mut doorstep::Writer<'_>| {
                    count.fetch_add(1, Ordering::SeqCst);
                    out.write_all(&[b'x'; 100])
                };
                match is_detached {
                    false => Response::new(Status::OK).writer(write),
                    true => Response::new(Status::OK).detached(write),
                }
            },
            Box::new(AtOnce),
        );
        stage.connects_and_asks(50);
        assert_eq!(runs.load(Ordering::SeqCst), 0);
        // A look at the deadline lets none run either: the housekeeper has no time for that.
        stage.takes(60);
        stage.is_swept_after(31);
        assert_eq!(runs.load(Ordering::SeqCst), 0);
        stage.takes(200);
        stage.is_ready();
        assert_eq!(runs.load(Ordering::SeqCst), 1);
        if is_detached {
            assert_eq!(stage.answered(), 0, "the worker sends what is left");
            stage.is_ready();
        }
        assert_eq!(stage.answered(), 1);
    }
}

/// Threads that do their work where they are started.
struct AtOnce;

impl Threads for AtOnce {
    fn start(&self, _: &str, work: Box<dyn FnOnce() + Send>) -> io::Result<()> {
        work();
        Ok(())
    }
}
