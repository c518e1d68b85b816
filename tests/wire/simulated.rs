//! A server of one worker on the simulated system, with clients whose every act the test chooses.
//!
//! For what no real system can be relied on to do: a client that is always ready, a moment that is
//! exactly a deadline. The worker and the housekeeper take their turns one after the other, and no
//! test waits for real time.

use crate::support::PATIENCE;
use crate::support::recorder::{Event, Recorder};
use crate::support::server::{Housekeeper, Shared, Worker, put_together};
use crate::support::simulated::{Act, LISTENER, Link, System, Timed};
use doorstep::internals::conn::{Config, Moment};
use doorstep::internals::sys::Clock;
use doorstep::{CloseReason, Handler, Now};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::Duration;

/// Events in a row: more of them, and the server is busy with nothing.
const EVENTS_MOST: usize = 10_000;

/// One connection, seen from the client.
#[derive(Clone)]
pub struct Wire {
    pub system: System<Timed>,
    pub index: usize,
}

impl Wire {
    /// What the system knows of it.
    pub fn link<T>(&self, look: impl FnOnce(&mut Link) -> T) -> T {
        look(&mut self.system.state().links[self.index])
    }

    /// Something happens on it now.
    pub fn does(&self, act: Act) {
        self.system.state().act(self.index, act);
    }

    pub fn sends(&self, bytes: impl AsRef<[u8]>) {
        self.does(Act::Sends(bytes.as_ref().to_vec()));
    }

    /// Its socket takes this many bytes in all from now on.
    pub fn room(&self, room: usize) {
        self.link(|link| link.room = room);
    }

    /// What its socket has taken since the last call of this.
    pub fn got(&self) -> String {
        self.link(|link| {
            let new = &link.taken[link.heard..];
            link.heard = link.taken.len();
            String::from_utf8_lossy(new).into_owned()
        })
    }

    /// The server's descriptor.
    fn number(&self) -> usize {
        self.link(|link| link.number).expect("it is open")
    }
}

/// A server of one worker, and what its observer hears.
pub struct Scene {
    pub system: System<Timed>,
    pub recorder: Recorder,
    pub shared: Arc<Shared>,
    housekeeper: Arc<Mutex<Housekeeper>>,
    /// What the worker is to do, on a thread of its own: so a turn without an end is seen.
    jobs: mpsc::Sender<Job>,
    done: mpsc::Receiver<()>,
}

type Job = Box<dyn FnOnce(&mut Worker) + Send>;

impl Scene {
    pub fn new(handler: impl Handler) -> Scene {
        Scene::with(Config::default(), handler)
    }

    pub fn with(config: Config, handler: impl Handler) -> Scene {
        let (system, recorder) = (System::timed(), Recorder::default());
        let observer = Box::new(recorder.clone());
        let threads = Box::new(system.clone());
        let shared = put_together(&system, handler, config, Some(observer), threads);
        let mut worker = Worker::new(shared.clone());
        let housekeeper = Arc::new(Mutex::new(Housekeeper::new(shared.clone())));
        let (jobs, work) = mpsc::channel::<Job>();
        let (tell, done) = mpsc::channel();
        // Ends with the scene.
        thread::spawn(move || {
            for job in work {
                job(&mut worker);
                if tell.send(()).is_err() {
                    return;
                }
            }
        });
        Scene {
            system,
            recorder,
            shared,
            housekeeper,
            jobs,
            done,
        }
    }

    /// A client, not accepted yet, whose socket takes everything. Its port says which one it is,
    /// counted from 0.
    pub fn wire(&self) -> Wire {
        let mut state = self.system.state();
        let port = state.links.len() as u16;
        Wire {
            index: state.connect(Some(SocketAddr::from(([127, 0, 0, 1], port)))),
            system: self.system.clone(),
        }
    }

    /// Has the worker do something, which has to end.
    #[track_caller]
    pub fn works(&self, work: impl FnOnce(&mut Worker) + Send + 'static) {
        self.jobs.send(Box::new(work)).expect("a worker");
        self.done.recv_timeout(PATIENCE).expect("a turn that ends");
    }

    /// A client that has done nothing yet is accepted, and gets its first turn.
    #[track_caller]
    pub fn accepts(&self) -> Wire {
        let wire = self.wire();
        self.admits(&wire);
        wire
    }

    /// A client is accepted, and gets its first turn.
    #[track_caller]
    pub fn admits(&self, wire: &Wire) {
        let (monotonic, wall) = self.system.now();
        let stream = self.system.stream(wire.index);
        let peer = wire.link(|link| link.peer);
        self.works(move |worker| worker.serve_new(stream, peer, &Now { monotonic, wall }));
    }

    /// The first event that is due gets its turn. False when there is none.
    #[track_caller]
    pub fn turn(&self) -> bool {
        let event = self.system.state().take_event();
        if let Some(token) = event {
            self.works(move |worker| worker.turn(token));
        }
        event.is_some()
    }

    /// Events get their turns until none is due; how many that were.
    #[track_caller]
    pub fn runs(&self) -> usize {
        let mut turns = 0;
        while self.turn() {
            turns += 1;
            assert!(turns < EVENTS_MOST, "there is always something to do");
        }
        turns
    }

    /// The poller reports what this connection waits for, or the listener, due or not. False when
    /// it waits for nothing.
    #[track_caller]
    pub fn reports(&self, wire: Option<&Wire>) -> bool {
        let number = wire.map_or(LISTENER, Wire::number);
        let token = self.system.state().disarm(number);
        if let Some(token) = token {
            self.works(move |worker| worker.turn(token));
        }
        token.is_some()
    }

    /// Milliseconds on the clock.
    pub fn ms(&self) -> u64 {
        self.system.state().now.as_millis() as u64
    }

    /// Time passes until the clock shows this; nobody looks at a deadline. It may be set back.
    pub fn set(&self, ms: u64) {
        self.system.state().set(Duration::from_millis(ms));
    }

    /// The clock shows this, and the housekeeper looks at the deadlines.
    #[track_caller]
    pub fn at(&self, ms: u64) {
        self.set(ms);
        self.keeps(Housekeeper::sweep);
    }

    /// The shutdown begins.
    #[track_caller]
    pub fn stops(&self) {
        self.keeps(Housekeeper::stop);
    }

    /// The clock shows this, and the housekeeper takes a step of the shutdown, whose grace is over
    /// much later. The number of requests that were aborted, when it has ended.
    #[track_caller]
    pub fn stopped(&self, ms: u64) -> Option<usize> {
        self.set(ms);
        self.stopped_in(1_000_000)
    }

    /// The same now, with a grace that is over in so many milliseconds.
    #[track_caller]
    pub fn stopped_in(&self, ms: u64) -> Option<usize> {
        let until = Moment(self.ms() + ms);
        let (tell, told) = mpsc::channel();
        self.keeps(move |keeper| {
            let ended = keeper.finish(until);
            let _ = tell.send(ended.map(|report| report.aborted));
        });
        told.recv().expect("a step that was taken")
    }

    /// Has the housekeeper do something, which has to end.
    #[track_caller]
    fn keeps(&self, work: impl FnOnce(&mut Housekeeper) + Send + 'static) {
        let housekeeper = self.housekeeper.clone();
        self.works(move |_| work(&mut housekeeper.lock().expect("no panic")));
    }

    /// Why this connection ended, if it did.
    #[track_caller]
    pub fn reason(&self, wire: &Wire) -> Option<CloseReason> {
        let (peer, is_dropped) = wire.link(|link| (link.peer, link.dropped));
        let mut reasons = Vec::new();
        for event in self.recorder.events() {
            match event {
                Event::Closed(of, reason) if of == peer => reasons.push(reason),
                _ => {}
            }
        }
        assert!(reasons.len() <= 1, "ended more than once: {reasons:?}");
        assert_eq!(is_dropped, !reasons.is_empty(), "freed as it ends");
        reasons.pop()
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        let breaches = std::mem::take(&mut self.system.state().breaches);
        if !thread::panicking() {
            assert_eq!(breaches, [""; 0]);
        }
    }
}
