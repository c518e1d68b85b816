//! A server put together from its parts, on a real poller whose events are counted: work that comes
//! to nothing shows in the count, however fast the machine is.
//!
//! Workers and housekeeper are the real ones, on threads of their own; the listener is the test's.
//! How `Server` puts them together is tested through [`Stage`].

use crate::harness::Stage;
use crate::support::recorder::Recorder;
use crate::support::server::{Housekeeper, Listeners, Pool, Shared, Worker};
use doorstep::Handler;
use doorstep::internals::conn::Config;
use doorstep::internals::sys::{
    Accept, Clock, Interest, Listener, Poller, Source, Stream, SystemClock, Token, Wake,
};
use std::collections::VecDeque;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// How often the housekeeper looks.
const TICK: Duration = Duration::from_millis(10);

/// What is counted.
#[derive(Debug, Default)]
pub struct Counts {
    events: AtomicUsize,
    accepts: AtomicUsize,
    pub sweeps: AtomicUsize,
}

/// A poller that counts.
#[derive(Debug)]
struct Counting {
    poller: Box<dyn Poller>,
    counts: Arc<Counts>,
    faults: Arc<Faults>,
}

impl Poller for Counting {
    fn add(&self, source: Source<'_>, token: Token, interest: Interest) -> io::Result<()> {
        self.poller.add(source, token, interest)
    }
    fn arm(&self, source: Source<'_>, token: Token, interest: Interest) -> io::Result<()> {
        self.poller.arm(source, token, interest)
    }
    fn remove(&self, source: Source<'_>, token: Token) -> io::Result<()> {
        self.poller.remove(source, token)
    }
    fn wait(&self, timeout: Option<Duration>) -> io::Result<Wake> {
        if let Some(error) = lock(&self.faults.waits).pop_front() {
            return Err(error);
        }
        let wake = self.poller.wait(timeout);
        if matches!(wake, Ok(Wake::Ready(_))) {
            self.counts.events.fetch_add(1, Ordering::SeqCst);
        }
        wake
    }
    fn waiting(&self) -> usize {
        self.poller.waiting()
    }
    fn pending(&self) -> io::Result<bool> {
        self.poller.pending()
    }
    fn post(&self, token: Token) {
        self.poller.post(token);
    }
    fn wake(&self) {
        self.poller.wake();
    }
}

/// A poller whose waits fail as these faults say.
pub fn failing(poller: Box<dyn Poller>, faults: &Arc<Faults>) -> Box<dyn Poller> {
    Box::new(Counting {
        poller,
        counts: Arc::default(),
        faults: faults.clone(),
    })
}

/// What goes wrong with an accept.
#[derive(Clone, Copy, Debug)]
pub enum Fault {
    /// The connection is lost, and the accept says so.
    Lost(fn() -> io::Error),
    /// The connection is there, and nobody knows any more from where.
    Nameless,
    /// The accept fails, and what waits goes on waiting.
    Refused(fn() -> io::Error),
}

/// What goes wrong next.
#[derive(Debug, Default)]
pub struct Faults {
    pub next: Mutex<VecDeque<Fault>>,
    /// What the next waits for events end with.
    pub waits: Mutex<VecDeque<io::Error>>,
}

/// A real listener with made-up faults.
struct Door {
    listener: Listener,
    faults: Arc<Faults>,
    counts: Arc<Counts>,
}

impl Accept for Door {
    fn source(&self) -> Source<'_> {
        self.listener.source()
    }

    fn accept(&self) -> io::Result<(Stream, Option<SocketAddr>)> {
        self.counts.accepts.fetch_add(1, Ordering::SeqCst);
        let mut next = lock(&self.faults.next);
        if let Some(Fault::Refused(error)) = next.front().copied() {
            next.pop_front();
            return Err(error());
        }
        let (stream, peer) = self.listener.accept()?;
        match next.pop_front() {
            Some(Fault::Lost(error) | Fault::Refused(error)) => Err(error()),
            Some(Fault::Nameless) => Ok((stream, None)),
            None => Ok((stream, peer)),
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A running server.
pub struct Engine {
    pub address: SocketAddr,
    pub recorder: Recorder,
    pub counts: Arc<Counts>,
    pub faults: Arc<Faults>,
    pub shared: Arc<Shared>,
    is_over: Arc<AtomicBool>,
    keeper: Option<thread::JoinHandle<()>>,
}

impl Engine {
    /// So many workers, on a free port of loopback.
    pub fn start(stage: Stage, workers: usize, config: Config, handler: impl Handler) -> Engine {
        Engine::on_clock(
            stage,
            workers,
            config,
            Arc::new(SystemClock::start()),
            handler,
        )
    }

    /// The same with a clock of the test's.
    pub fn on_clock(
        stage: Stage,
        workers: usize,
        config: Config,
        clock: Arc<dyn Clock>,
        handler: impl Handler,
    ) -> Engine {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("its address");
        let (counts, faults) = (Arc::<Counts>::default(), Arc::<Faults>::default());
        let door = Door {
            listener: Listener::from_tcp(listener, 128).expect("a listener"),
            faults: faults.clone(),
            counts: counts.clone(),
        };
        let poller = Counting {
            poller: stage.backend.open().expect("a poller"),
            counts: counts.clone(),
            faults: faults.clone(),
        };
        let recorder = Recorder::default();
        let mut shared = Shared::new(
            Box::new(poller),
            clock,
            Box::new(handler),
            config,
            Listeners::new(vec![Listener::Other(Box::new(door))]),
        );
        shared.observer = Some(Box::new(recorder.clone()));
        shared.pool = Arc::new(Pool::new(workers, workers));
        let shared = Arc::new(shared);
        shared
            .listeners
            .register(&*shared.poller)
            .expect("the listener");
        shared
            .pool
            .start(|| Worker::start(&shared))
            .expect("the workers");
        let mut engine = Engine {
            address,
            recorder,
            counts,
            faults,
            shared,
            is_over: Arc::default(),
            keeper: None,
        };
        engine.keep_house();
        engine
    }

    fn keep_house(&mut self) {
        let mut housekeeper = Housekeeper::new(self.shared.clone());
        let (is_over, counts) = (self.is_over.clone(), self.counts.clone());
        self.keeper = Some(thread::spawn(move || {
            while !is_over.load(Ordering::SeqCst) {
                housekeeper.sweep();
                counts.sweeps.fetch_add(1, Ordering::SeqCst);
                thread::park_timeout(TICK);
            }
        }));
    }

    /// Events that the poller has handed out.
    pub fn events(&self) -> usize {
        self.counts.events.load(Ordering::SeqCst)
    }

    /// Times that something was to be accepted.
    pub fn accepts(&self) -> usize {
        self.counts.accepts.load(Ordering::SeqCst)
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::SeqCst);
        self.shared.end();
        self.shared.poller.wake();
        let keeper = self.keeper.take().map(|keeper| {
            keeper.thread().unpark();
            keeper.join()
        });
        // A worker that a failing test has left in a handler ends with the process.
        let workers = self.shared.pool.end();
        if !thread::panicking() {
            assert!(
                matches!(keeper, Some(Ok(()))),
                "a housekeeper that ends well"
            );
            workers.expect("workers that end well");
        }
    }
}
