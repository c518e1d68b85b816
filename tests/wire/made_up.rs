//! A system made up: a clock that shows what it is set to, a poller that reports one event at a time, and sockets whose every
//! octet the test chooses. The worker and the housekeeper on it are the real ones, and take their turns one after the other.
//!
//! In: what no real system can be relied on to do, such as a client that is always ready, or a moment that is exactly a deadline.
//! Out: real sockets and threads (`stage`, `engine`); chance (`tests/sim`). Never: a wait of real time.

use crate::client::PATIENCE;
use crate::stage::{Event, Recorder};
use doorstep::internals::conn::Config;
use doorstep::internals::server::{Housekeeper, Listeners, Shared, Worker};
use doorstep::internals::sys::{
    Accept, Clock, Interest, Listener, Poller, Socket, Source, Stream, SystemThreads, Threads,
    Token, Wake,
};
use doorstep::{CloseReason, Handler, Now};
use std::collections::VecDeque;
use std::fmt;
use std::io::{self, IoSlice, Read, Write};
use std::marker::PhantomData;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, SystemTime};

/// The listener's number; links count from 0.
const DOOR: usize = u32::MAX as usize;
/// Events in a row: more of them, and the server is busy with nothing.
const EVENTS_MOST: usize = 10_000;

/// What happens on a link when its time has come.
#[derive(Clone, Debug)]
pub enum Act {
    /// The client has sent these octets.
    Sends(Vec<u8>),
    /// Its socket takes so many more.
    Takes(usize),
    /// It sends nothing more.
    Finishes,
    /// It has reset the connection.
    Resets,
}

/// One wait of a worker's for a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waited {
    /// When it began, in milliseconds.
    pub at: u64,
    /// How long it would have lasted at most.
    pub most: u64,
    /// For what.
    pub interest: Interest,
    /// Octets that the socket had taken by then.
    pub taken: usize,
}

/// One connection, both ends of it.
#[derive(Default)]
struct Link {
    peer: Option<SocketAddr>,
    /// Octets that the client has sent and the server has not read,
    sent: VecDeque<u8>,
    /// and those that it sends over and over behind them.
    flood: Vec<u8>,
    place: usize,
    later: VecDeque<(u64, Act)>,
    finished: bool,
    reset: bool,
    /// Octets that the socket still takes; `None` is no end of them.
    room: Option<usize>,
    taken: Vec<u8>,
    writes: Vec<usize>,
    reads: usize,
    waited: Vec<Waited>,
    write_closed: bool,
    dropped: bool,
    registration: Option<Registration>,
}

struct Registration {
    token: Token,
    interest: Interest,
    armed: bool,
}

#[derive(Default)]
struct Inside {
    ms: u64,
    links: Vec<Link>,
    /// Sources that are armed and ready, the first to be so first: a kernel's ready list.
    ready: VecDeque<usize>,
    queue: VecDeque<Wire>,
    /// What the next accepts fail with, whoever waits;
    failures: VecDeque<io::Error>,
    /// and what all of them fail with behind those, while it is set.
    refusal: Option<fn() -> io::Error>,
    accepts: usize,
    door: Option<Registration>,
    /// No worker waits for an event.
    is_busy: bool,
    /// What happens when something has been armed, before the worker that did it goes on.
    when_armed: Option<Box<dyn FnOnce() + Send>>,
    /// What the server did that no system would forgive.
    breaches: Vec<String>,
}

/// Everything that is made up, seen from outside.
#[derive(Clone, Default)]
pub struct World(Arc<Mutex<Inside>>);

/// One connection, seen from the client.
#[derive(Clone)]
pub struct Wire {
    world: World,
    number: usize,
}

/// The same, seen from the server.
struct Plug(Wire);

/// The listener.
struct Door(World);

impl Link {
    /// The first thing whose time has come.
    fn due(&mut self, ms: u64) -> Option<Act> {
        let (at, _) = self.later.front()?;
        (*at <= ms)
            .then(|| self.later.pop_front())?
            .map(|(_, act)| act)
    }
}

impl Inside {
    fn is_ready(&self, number: usize, interest: Interest) -> bool {
        if number == DOOR {
            return !self.queue.is_empty() || !self.failures.is_empty();
        }
        let link = &self.links[number];
        match interest {
            _ if link.reset => true,
            Interest::Read => !link.sent.is_empty() || !link.flood.is_empty() || link.finished,
            Interest::Write => link.room != Some(0),
        }
    }

    fn registration(&mut self, number: usize) -> &mut Option<Registration> {
        match number {
            DOOR => &mut self.door,
            number => &mut self.links[number].registration,
        }
    }

    /// Puts a source into the ready list if it belongs there and is not in it.
    fn look_at(&mut self, number: usize) {
        let armed = match self.registration(number) {
            Some(known) if known.armed => Some(known.interest),
            _ => None,
        };
        let due = armed.is_some_and(|interest| self.is_ready(number, interest));
        if due && !self.ready.contains(&number) {
            self.ready.push_back(number);
        }
    }

    /// The token of a source that is armed, which it is no more.
    fn disarm(&mut self, number: usize) -> Option<Token> {
        self.ready.retain(|ready| *ready != number);
        let known = self.registration(number).as_mut()?;
        std::mem::replace(&mut known.armed, false).then_some(known.token)
    }

    fn act(&mut self, number: usize, act: Act) {
        let link = &mut self.links[number];
        match act {
            Act::Sends(octets) => link.sent.extend(octets),
            Act::Takes(count) => link.room = link.room.map(|room| room + count),
            Act::Finishes => link.finished = true,
            Act::Resets => link.reset = true,
        }
        self.look_at(number);
    }

    /// The next moment at which something happens by itself.
    fn next(&self) -> Option<u64> {
        let firsts = self.links.iter().filter_map(|link| link.later.front());
        firsts.map(|(at, _)| *at).min()
    }

    /// Time passes, with all that happens meanwhile.
    fn set(&mut self, ms: u64) {
        while let Some(at) = self.next().filter(|at| *at <= ms) {
            self.ms = self.ms.max(at);
            for number in 0..self.links.len() {
                while let Some(act) = self.links[number].due(at) {
                    self.act(number, act);
                }
            }
        }
        self.ms = ms;
    }

    fn breach(&mut self, what: &str) -> io::Error {
        self.breaches.push(what.to_string());
        io::ErrorKind::InvalidInput.into()
    }
}

impl World {
    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A client, not accepted yet, whose socket takes everything. Its port says which one it is, counted from 0.
    pub fn wire(&self) -> Wire {
        let number = self.inside().links.len();
        self.wire_from(Some(SocketAddr::from(([127, 0, 0, 1], number as u16))))
    }

    /// The same from an address of the test's choice, or from none.
    pub fn wire_from(&self, peer: Option<SocketAddr>) -> Wire {
        let mut inside = self.inside();
        inside.links.push(Link {
            peer,
            ..Link::default()
        });
        let number = inside.links.len() - 1;
        let world = self.clone();
        Wire { world, number }
    }

    /// Milliseconds on the clock.
    pub fn ms(&self) -> u64 {
        self.inside().ms
    }

    /// Time passes until the clock shows this; nobody looks at a deadline. It may be set back.
    pub fn set(&self, ms: u64) {
        self.inside().set(ms);
    }

    /// A client waits to be accepted.
    pub fn knocks(&self, wire: &Wire) {
        let mut inside = self.inside();
        inside.queue.push_back(wire.clone());
        inside.look_at(DOOR);
    }

    /// The next accepts fail.
    pub fn fails(&self, failures: impl IntoIterator<Item = io::Error>) {
        let mut inside = self.inside();
        inside.failures.extend(failures);
        inside.look_at(DOOR);
    }

    /// Every accept fails so from now on, whoever waits; or does so no more.
    pub fn refuses(&self, refusal: Option<fn() -> io::Error>) {
        self.inside().refusal = refusal;
    }

    /// Whether every worker is at work all the time.
    pub fn is_busy(&self, is_busy: bool) {
        self.inside().is_busy = is_busy;
    }

    /// Something happens when a connection has been armed again the next time, before the worker that did it goes on.
    pub fn when_armed(&self, act: impl FnOnce() + Send + 'static) {
        self.inside().when_armed = Some(Box::new(act));
    }

    /// How often something was to be accepted.
    pub fn accepts(&self) -> usize {
        self.inside().accepts
    }

    /// The first event that is due.
    fn event(&self) -> Option<Token> {
        let mut inside = self.inside();
        let number = *inside.ready.front()?;
        inside.disarm(number)
    }
}

impl Wire {
    fn link<T>(&self, look: impl FnOnce(&mut Link) -> T) -> T {
        look(&mut self.world.inside().links[self.number])
    }

    /// By this the server knows it.
    pub fn peer(&self) -> Option<SocketAddr> {
        self.link(|link| link.peer)
    }

    /// Something happens on it now.
    pub fn does(&self, act: Act) {
        self.world.inside().act(self.number, act);
    }

    /// Something happens on it then; to be said in the order of time.
    pub fn does_at(&self, ms: u64, act: Act) {
        self.link(|link| link.later.push_back((ms, act)));
    }

    /// The client has sent these octets.
    pub fn sends(&self, octets: impl AsRef<[u8]>) {
        self.does(Act::Sends(octets.as_ref().to_vec()));
    }

    /// It sends these over and over, as fast as they are read.
    pub fn floods(&self, octets: &str) {
        self.link(|link| link.flood = octets.into());
        self.world.inside().look_at(self.number);
    }

    /// Its socket takes so many octets in all from now on; `None` is no end of them.
    pub fn room(&self, room: Option<usize>) {
        self.link(|link| link.room = room);
        self.world.inside().look_at(self.number);
    }

    /// What its socket has taken since it was asked the last time.
    pub fn got(&self) -> String {
        let taken = self.link(|link| std::mem::take(&mut link.taken));
        String::from_utf8_lossy(&taken).into_owned()
    }

    /// How many octets each write brought.
    pub fn writes(&self) -> Vec<usize> {
        self.link(|link| link.writes.clone())
    }

    /// How often something was to be read.
    pub fn reads(&self) -> usize {
        self.link(|link| link.reads)
    }

    /// The waits of workers for it.
    pub fn waited(&self) -> Vec<Waited> {
        self.link(|link| link.waited.clone())
    }

    /// Whether the server has said that no more octets follow.
    pub fn is_write_closed(&self) -> bool {
        self.link(|link| link.write_closed)
    }

    /// Whether the server has let go of it.
    pub fn is_dropped(&self) -> bool {
        self.link(|link| link.dropped)
    }

    /// The token under which it is registered.
    pub fn token(&self) -> Option<Token> {
        self.link(|link| Some(link.registration.as_ref()?.token))
    }

    /// A worker has taken its event from the poller.
    pub fn takes_event(&self) {
        let event = self.world.inside().disarm(self.number);
        assert!(event.is_some(), "it is not armed");
    }

    fn stream(&self) -> Stream {
        Stream::Other(Box::new(Plug(self.clone())))
    }
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("World")
    }
}

impl Clock for World {
    fn now(&self) -> (Duration, SystemTime) {
        let elapsed = Duration::from_millis(self.ms());
        (elapsed, SystemTime::UNIX_EPOCH + elapsed)
    }
}

fn number_of(source: Source<'_>) -> usize {
    match source {
        Source::Named(number, _) => number as usize,
        Source::Descriptor(_) => unreachable!("every source here has a name"),
    }
}

impl Poller for World {
    fn add(&self, source: Source<'_>, token: Token, interest: Interest) -> io::Result<()> {
        let (number, mut inside) = (number_of(source), self.inside());
        let armed = true;
        let known = Registration {
            token,
            interest,
            armed,
        };
        if inside.registration(number).replace(known).is_some() {
            return Err(inside.breach("added twice"));
        }
        inside.look_at(number);
        Ok(())
    }

    fn arm(&self, source: Source<'_>, token: Token, interest: Interest) -> io::Result<()> {
        let (number, mut inside) = (number_of(source), self.inside());
        match inside.registration(number) {
            Some(known) if known.token == token => {
                (known.interest, known.armed) = (interest, true);
                inside.look_at(number);
            }
            Some(_) => return Err(inside.breach("armed a stranger")),
            None => return Err(inside.breach("armed what is not registered")),
        }
        let act = inside.when_armed.take();
        drop(inside);
        if let Some(act) = act {
            act();
        }
        Ok(())
    }

    fn remove(&self, source: Source<'_>, token: Token) -> io::Result<()> {
        let (number, mut inside) = (number_of(source), self.inside());
        inside.ready.retain(|ready| *ready != number);
        match inside.registration(number).take() {
            Some(known) if known.token == token => Ok(()),
            Some(_) => Err(inside.breach("removed a stranger")),
            None => Err(inside.breach("removed what is not registered")),
        }
    }

    fn wait(&self, _: Option<Duration>) -> io::Result<Wake> {
        Ok(Wake::Woken)
    }

    fn waiting(&self) -> usize {
        usize::from(!self.inside().is_busy)
    }

    fn pending(&self) -> io::Result<bool> {
        Ok(!self.inside().ready.is_empty())
    }

    fn wake(&self) {}
}

impl Accept for Door {
    fn source(&self) -> Source<'_> {
        Source::Named(DOOR as u64, PhantomData)
    }

    fn accept(&self) -> io::Result<(Stream, Option<SocketAddr>)> {
        let mut inside = self.0.inside();
        inside.accepts += 1;
        if let Some(failure) = inside.failures.pop_front() {
            return Err(failure);
        }
        if let Some(refusal) = inside.refusal {
            return Err(refusal());
        }
        let wire = inside.queue.pop_front();
        drop(inside);
        match wire {
            Some(wire) => Ok((wire.stream(), wire.peer())),
            None => Err(io::ErrorKind::WouldBlock.into()),
        }
    }
}

impl Read for Plug {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.link(|link| {
            link.reads += 1;
            if link.reset {
                return Err(io::ErrorKind::ConnectionReset.into());
            }
            let count = link.sent.len().min(buffer.len());
            for (place, octet) in buffer.iter_mut().zip(link.sent.drain(..count)) {
                *place = octet;
            }
            if !link.flood.is_empty() {
                for place in &mut buffer[count..] {
                    *place = link.flood[link.place];
                    link.place = (link.place + 1) % link.flood.len();
                }
                return Ok(buffer.len());
            }
            match count {
                0 if link.finished => Ok(0),
                0 => Err(io::ErrorKind::WouldBlock.into()),
                count => Ok(count),
            }
        })
    }
}

impl Write for Plug {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.write_vectored(&[IoSlice::new(octets)])
    }

    fn write_vectored(&mut self, pieces: &[IoSlice<'_>]) -> io::Result<usize> {
        let mut inside = self.0.world.inside();
        let whole: usize = pieces.iter().map(|piece| piece.len()).sum();
        let link = &mut inside.links[self.0.number];
        if link.reset {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        let count = link.room.map_or(whole, |room| room.min(whole));
        if whole == 0 || link.write_closed {
            return Err(inside.breach("wrote nothing, or behind the end"));
        }
        if count == 0 {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        link.room = link.room.map(|room| room - count);
        let mut left = count;
        for piece in pieces {
            let (taken, _) = piece.split_at(left.min(piece.len()));
            link.taken.extend_from_slice(taken);
            left -= taken.len();
        }
        link.writes.push(count);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Socket for Plug {
    fn source(&self) -> Source<'_> {
        Source::Named(self.0.number as u64, PhantomData)
    }

    fn shutdown_write(&mut self) -> io::Result<()> {
        self.0.link(|link| link.write_closed = true);
        Ok(())
    }

    /// Time passes until the socket is ready.
    fn wait(&mut self, interest: Interest, timeout: Duration) -> io::Result<bool> {
        let (number, mut inside) = (self.0.number, self.0.world.inside());
        let most = timeout.as_millis() as u64;
        let (at, taken) = (inside.ms, inside.links[number].writes.iter().sum());
        inside.links[number].waited.push(Waited {
            at,
            most,
            interest,
            taken,
        });
        while !inside.is_ready(number, interest) {
            match inside.next().filter(|next| *next <= at + most) {
                Some(next) => inside.set(next),
                None => {
                    inside.set(at + most);
                    return Ok(inside.is_ready(number, interest));
                }
            }
        }
        Ok(true)
    }
}

impl Drop for Plug {
    fn drop(&mut self) {
        let mut inside = self.0.world.inside();
        let link = &mut inside.links[self.0.number];
        link.dropped = true;
        if link.registration.is_some() {
            inside.breach("closed what is registered");
        }
    }
}

/// A server of one worker in a world, and what its observer hears.
pub struct Scene {
    pub world: World,
    pub recorder: Recorder,
    pub shared: Arc<Shared>,
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
        Scene::build(config, handler, Box::new(SystemThreads))
    }

    pub fn with_threads(handler: impl Handler, threads: Box<dyn Threads>) -> Scene {
        Scene::build(Config::default(), handler, threads)
    }

    fn build(config: Config, handler: impl Handler, threads: Box<dyn Threads>) -> Scene {
        let (world, recorder) = (World::default(), Recorder::default());
        let (poller, clock) = (Box::new(world.clone()), Box::new(world.clone()));
        let door = Listener::Other(Box::new(Door(world.clone())));
        let listeners = Listeners::new(vec![door]);
        let mut shared = Shared::new(poller, clock, Box::new(handler), config, listeners);
        shared.observer = Some(Box::new(recorder.clone()));
        shared.threads = threads;
        let shared = Arc::new(shared);
        shared
            .listeners
            .register(&*shared.poller)
            .expect("the listener");
        let mut worker = Worker::new(shared.clone());
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
            world,
            recorder,
            shared,
            jobs,
            done,
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
    pub fn accepts(&mut self) -> Wire {
        let wire = self.world.wire();
        self.admits(&wire);
        wire
    }

    /// A client is accepted, and gets its first turn.
    #[track_caller]
    pub fn admits(&mut self, wire: &Wire) {
        let (monotonic, wall) = self.world.now();
        let (stream, peer) = (wire.stream(), wire.peer());
        self.works(move |worker| worker.serve_new(stream, peer, &Now { monotonic, wall }));
    }

    /// The first event that is due gets its turn. False when there is none.
    #[track_caller]
    pub fn turn(&mut self) -> bool {
        let event = self.world.event();
        if let Some(token) = event {
            self.works(move |worker| worker.turn(token));
        }
        event.is_some()
    }

    /// Events get their turns until none is due; how many that were.
    #[track_caller]
    pub fn runs(&mut self) -> usize {
        let mut turns = 0;
        while self.turn() {
            turns += 1;
            assert!(turns < EVENTS_MOST, "there is always something to do");
        }
        turns
    }

    /// The poller reports what this connection waits for, ready or not.
    #[track_caller]
    pub fn reports(&self, wire: &Wire) {
        assert!(self.reports_number(wire.number), "the connection waits");
    }

    /// The poller reports the listener, ready or not. False when it rests.
    #[track_caller]
    pub fn reports_door(&self) -> bool {
        self.reports_number(DOOR)
    }

    #[track_caller]
    fn reports_number(&self, number: usize) -> bool {
        let token = self.world.inside().disarm(number);
        if let Some(token) = token {
            self.works(move |worker| worker.turn(token));
        }
        token.is_some()
    }

    /// The clock shows this, and the housekeeper looks at the deadlines.
    #[track_caller]
    pub fn at(&mut self, ms: u64) {
        self.world.set(ms);
        self.sweep();
    }

    /// The housekeeper looks at the deadlines.
    #[track_caller]
    pub fn sweep(&mut self) {
        let shared = self.shared.clone();
        self.works(move |_| Housekeeper::new(shared).sweep());
    }

    /// Why this connection ended, if it did.
    #[track_caller]
    pub fn reason(&self, wire: &Wire) -> Option<CloseReason> {
        let mut reasons = Vec::new();
        for event in self.recorder.events() {
            match event {
                Event::Closed(peer, reason) if peer == wire.peer() => reasons.push(reason),
                _ => {}
            }
        }
        assert!(reasons.len() <= 1, "ended more than once: {reasons:?}");
        assert_eq!(wire.is_dropped(), !reasons.is_empty(), "freed as it ends");
        reasons.pop()
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        let breaches = std::mem::take(&mut self.world.inside().breaches);
        if !thread::panicking() {
            assert_eq!(breaches, [""; 0]);
        }
    }
}
