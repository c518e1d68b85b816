//! The clients, the clock, and what of the system is state: what the script acts upon, and what the server's calls find.

use super::answers::Call;
use super::link::Link;
use super::script::{FILLER, FILLERS_MOST, Op};
use super::system::LISTENER;
use doorstep::internals::limits::PREFETCH_BYTES;
use doorstep::internals::server::Shared;
use doorstep::internals::sys::{Clock, Interest, Token};
use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, SystemTime};

/// Clients that may be connected at the same time; one more than the server has room for.
const CLIENTS: usize = 3;
/// Calls of the system in one turn: more, and it would never end.
const CALLS_MOST: u32 = 500_000;
/// Octets of content that all answers of one run may have together, so that no input is slow.
const BUDGET: usize = 2_500_000;
/// How long the shutdown waits for what runs.
const GRACE: Duration = Duration::from_secs(20);

pub struct Registration {
    pub token: Token,
    pub interest: Interest,
    pub armed: bool,
}

/// What will go wrong next.
#[derive(Default)]
pub struct Trouble {
    pub interrupted: bool,
    pub nothing: bool,
    pub half_read: bool,
    pub half_write: bool,
    pub unarmed: bool,
    pub accept: Option<Option<i32>>,
    pub thread: bool,
}

pub struct World {
    pub script: VecDeque<Op>,
    /// What the clients send, and how much of it they have sent.
    pub octets: Vec<u8>,
    pub given: usize,
    pub fillers: usize,
    pub now: Duration,
    pub wall: SystemTime,
    pub links: Vec<Link>,
    pub queue: VecDeque<usize>,
    pub clients: [Option<usize>; CLIENTS],
    pub current: usize,
    /// Which link each descriptor is.
    pub numbers: Vec<Option<usize>>,
    pub registrations: Vec<Option<Registration>>,
    pub last: (usize, Option<Token>),
    pub trouble: Trouble,
    /// The present turn met with trouble.
    pub hindered: bool,
    /// Octets that moved, connections that came and went, handlers called.
    pub progress: u64,
    /// Handlers called in this turn.
    pub calls_in_turn: usize,
    pub system_calls: u32,
    pub budget: usize,
    pub calls: Vec<Call>,
    /// What the server did that no system would forgive.
    pub breaches: Vec<String>,
    pub shared: Weak<Shared>,
    /// When the grace is over, once the shutdown has begun.
    pub until: Option<Duration>,
    /// Every worker is at work, elsewhere.
    pub held: bool,
    /// There was no thread, or no descriptor.
    pub lacks: bool,
    /// The fault that is planted, if any.
    pub fault: &'static str,
}

impl World {
    pub fn next_op(&mut self) -> Option<Op> {
        self.script.pop_front()
    }

    /// The system or a client does something.
    pub fn act(&mut self, op: Op) {
        match op {
            Op::Send(count) => self.send(count),
            Op::SendFiller => {
                if self.fillers < FILLERS_MOST {
                    self.fillers += 1;
                    if let Some(link) = self.sender() {
                        let filler = FILLER.repeat(PREFETCH_BYTES.div_ceil(FILLER.len()));
                        self.links[link]
                            .sent
                            .extend_from_slice(&filler[..PREFETCH_BYTES]);
                    }
                }
            }
            Op::Room(room) => {
                if let Some(link) = self.clients[self.current] {
                    self.links[link].room = room;
                }
            }
            Op::NextClient => {
                self.current = (self.current + 1) % CLIENTS;
                self.connect();
            }
            Op::HalfClose => {
                if let Some(link) = self.sender() {
                    self.links[link].half_closed = true;
                }
            }
            Op::Reset => {
                if let Some(link) = self.clients[self.current] {
                    self.links[link].reset |= !self.links[link].dropped;
                }
            }
            Op::Wait(time) => self.now += time,
            Op::SetWall(seconds) => self.wall = from_unix(seconds),
            Op::Stop => self.stop(),
            Op::Interrupt => self.trouble.interrupted = true,
            // The last look at what has arrived finds it.
            Op::FindNothing => self.trouble.nothing = self.until.is_none(),
            Op::HalfRead => self.trouble.half_read = true,
            Op::HalfWrite => self.trouble.half_write = true,
            Op::FailToArm => self.trouble.unarmed = true,
            Op::FailToAccept(number) => self.trouble.accept = Some(number),
            Op::FailToStart => self.trouble.thread = true,
            Op::Hold | Op::Resume | Op::Sweep | Op::OldEvent => {}
        }
    }

    /// The shutdown begins. From now on nobody connects, and what has arrived can be read.
    fn stop(&mut self) {
        if self.until.is_some() {
            return;
        }
        self.until = Some(self.now + GRACE);
        self.trouble = Trouble::default();
        for link in &mut self.links {
            link.owed = link.sent.len();
        }
        if let Some(shared) = self.shared.upgrade() {
            shared.stop();
        }
    }

    /// From now on nothing stands in the server's way: the client sends what is left, everybody reads.
    pub fn finish(&mut self) {
        self.script.clear();
        self.held = false;
        self.trouble = Trouble::default();
        for link in &mut self.links {
            link.room = usize::MAX;
        }
        self.send(usize::MAX);
    }

    fn send(&mut self, count: usize) {
        self.connect();
        let rest = &self.octets[self.given..];
        let octets = &rest[..count.min(rest.len())];
        self.given += octets.len();
        if let Some(link) = self.clients[self.current] {
            let link = &mut self.links[link];
            // What is sent behind the end of a connection is lost.
            if link.can_send() {
                link.sent.extend_from_slice(octets);
            }
        }
    }

    /// The present client's link, if it can still send on it.
    fn sender(&mut self) -> Option<usize> {
        self.connect();
        self.clients[self.current].filter(|&link| self.links[link].can_send())
    }

    /// Connects the present client, if it has no connection and the server takes any.
    pub fn connect(&mut self) {
        if self.until.is_some() {
            return;
        }
        if let Some(link) = self.clients[self.current] {
            if !self.links[link].dropped && !self.links[link].reset {
                return;
            }
        }
        self.clients[self.current] = Some(self.links.len());
        self.queue.push_back(self.links.len());
        self.links.push(Link::new());
    }

    pub fn is_ready(&self, number: usize, interest: Interest) -> bool {
        if number == LISTENER {
            return !self.queue.is_empty();
        }
        let Some(link) = self.numbers[number] else {
            return false;
        };
        let link = &self.links[link];
        match interest {
            _ if link.reset => true,
            Interest::Read => link.read < link.sent.len() || link.half_closed,
            Interest::Write => link.room > 0,
        }
    }

    /// An event that is due, disarmed; each descriptor in its turn.
    pub fn take_event(&mut self) -> Option<Token> {
        let count = self.registrations.len();
        let in_turn = (1..=count).map(|offset| (self.last.0 + offset) % count);
        for number in in_turn {
            let due = |known: &Registration| known.armed && self.is_ready(number, known.interest);
            if self.registrations[number].as_ref().is_some_and(due) {
                let known = self.registrations[number].as_mut()?;
                known.armed = false;
                let token = known.token;
                self.last = (number, Some(token));
                return Some(token);
            }
        }
        None
    }

    /// The event that was handed out last.
    pub fn old_event(&self) -> Option<Token> {
        self.last.1
    }

    /// What it was about, for a person.
    pub fn last_event(&self) -> String {
        let number = self.last.0;
        let known = self.registrations.get(number).and_then(Option::as_ref);
        let interest = known.map(|known| known.interest);
        let link = self.numbers[number].map(|link| self.links[link].shown());
        format!("{interest:?}, {link:?}")
    }

    /// Another turn begins.
    pub fn begin_turn(&mut self) {
        self.hindered = false;
        self.calls_in_turn = 0;
        self.system_calls = 0;
    }

    /// The server waits for this client to send: for its handler, while that has not returned. After that the server looks at
    /// the socket for reasons of its own, such as whether the connection is idle when a shutdown begins.
    pub fn note_wait(&mut self, link: usize) {
        let taken = self.links[link].taken.len();
        let runs = |call: &&mut Call| call.link == link && call.given.is_none();
        if let Some(call) = self.calls.last_mut().filter(runs) {
            call.waited.get_or_insert(taken);
        }
    }

    /// So much of this content the present run may still have.
    pub fn spend(&mut self, length: usize) -> usize {
        let length = length.min(self.budget);
        self.budget -= length;
        length
    }

    /// Octets of content that all answers have together.
    pub fn spent(&self) -> usize {
        BUDGET - self.budget
    }

    /// Descriptors, besides the listener's, that the poller knows.
    pub fn registered(&self) -> usize {
        self.registrations.iter().skip(1).flatten().count()
    }

    /// No connection waits to be accepted.
    pub fn is_queue_empty(&self) -> bool {
        self.queue.is_empty()
    }

    pub fn breach(&mut self, what: &str) -> io::Error {
        self.breaches.push(what.to_string());
        io::ErrorKind::InvalidInput.into()
    }

    /// A call of the system by the server. An error is what the call ends with.
    pub fn call(&mut self) -> io::Result<()> {
        self.system_calls += 1;
        if self.system_calls > CALLS_MOST {
            // A call that fails ends every loop around it.
            self.progress += 1;
            return Err(self.breach("makes calls of the system without an end"));
        }
        if std::mem::take(&mut self.trouble.interrupted) {
            return Err(io::ErrorKind::Interrupted.into());
        }
        if std::mem::take(&mut self.trouble.nothing) {
            self.hindered = true;
            return Err(io::ErrorKind::WouldBlock.into());
        }
        Ok(())
    }

    /// Whether the planted fault is this one, and its time has come.
    pub fn has(&mut self, fault: &str) -> bool {
        self.fault == fault && self.progress % 3 == 2
    }
}

fn from_unix(seconds: i64) -> SystemTime {
    let distance = Duration::from_secs(seconds.unsigned_abs());
    match seconds < 0 {
        true => SystemTime::UNIX_EPOCH - distance,
        false => SystemTime::UNIX_EPOCH + distance,
    }
}

/// The one world of a run, shared by everything that stands in for a part of it.
#[derive(Clone)]
pub struct Network(Arc<Mutex<World>>);

impl Network {
    pub fn new(script: VecDeque<Op>, octets: &[u8], fault: &'static str) -> Network {
        Network(Arc::new(Mutex::new(World {
            script,
            octets: octets.to_vec(),
            given: 0,
            fillers: 0,
            now: Duration::from_secs(1),
            wall: from_unix(784_111_777),
            links: Vec::new(),
            queue: VecDeque::new(),
            clients: [None; CLIENTS],
            current: 0,
            numbers: vec![None],
            registrations: Vec::new(),
            last: (LISTENER, None),
            trouble: Trouble::default(),
            hindered: false,
            progress: 0,
            calls_in_turn: 0,
            system_calls: 0,
            budget: BUDGET,
            calls: Vec::new(),
            breaches: Vec::new(),
            shared: Weak::new(),
            until: None,
            held: false,
            lacks: false,
            fault,
        })))
    }

    pub fn world(&self) -> MutexGuard<'_, World> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Network {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Network")
    }
}

impl Clock for Network {
    fn now(&self) -> (Duration, SystemTime) {
        let world = self.world();
        (world.now, world.wall)
    }
}
