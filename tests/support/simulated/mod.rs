//! A simulated operating system under the real server: a clock, a one-shot poller, a listener,
//! sockets and threads. `calls` has the system calls, `policy` how they go: as scripted, or at
//! random. What the clients do is the [`Outside`], which each suite writes for itself.
//!
//! Descriptor numbers are used again as soon as they are free. A socket that is closed with bytes
//! unread resets its connection, and what its client has not read is lost.

mod calls;
mod policy;
mod scripted;

pub use policy::{Chance, InjectedFault, Policy, Script};
pub use scripted::{Act, Timed};

use doorstep::internals::sys::{Interest, Listener, Stream, Token, Work};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

/// The listener's descriptor. Connections get the lowest number above it that is free.
pub const LISTENER: usize = 0;

/// What goes on outside the server.
pub trait Outside: Sized + Send + 'static {
    /// A thread of the server waits for a socket. Something happens, or time passes until `end`.
    fn pass(state: &mut State<Self>, end: Duration);
}

/// Nothing happens: the clients have done everything beforehand.
impl Outside for () {
    fn pass(state: &mut State<()>, end: Duration) {
        state.now = end;
    }
}

/// A wait of a server thread for a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wait {
    /// When it began.
    pub since: Duration,
    pub timeout: Duration,
    pub interest: Interest,
    /// Bytes that the socket had taken by then.
    pub taken: usize,
}

/// One connection, both ends of it.
#[derive(Debug, Default)]
pub struct Link {
    pub peer: Option<SocketAddr>,
    /// The server's descriptor, while it is open.
    pub number: Option<usize>,
    /// All that the client has sent, and how much of it the server has read.
    pub sent: Vec<u8>,
    pub read: usize,
    /// The client sends this after `sent`, over and over.
    flood: Vec<u8>,
    flooded: usize,
    /// The client has closed its sending side.
    pub half_closed: bool,
    pub reset: bool,
    /// Bytes that the socket still takes; `usize::MAX` stands for no limit.
    pub room: usize,
    /// All that the server has written,
    pub taken: Vec<u8>,
    /// and how much of it the client has read.
    pub heard: usize,
    pub reads: usize,
    /// How often the server has asked whether it was reset.
    pub looks: usize,
    /// The length of each write.
    pub writes: Vec<usize>,
    pub waits: Vec<Wait>,
    /// The server has closed its write side, or all,
    pub write_closed: bool,
    pub dropped: bool,
    /// with bytes unread. RFC 1122 §4.2.2.13: it "SHOULD send a RST to show that data was lost".
    pub was_cut: bool,
    /// The poller has refused to arm its socket.
    pub unarmed: bool,
}

impl Link {
    /// Whether its client can still send on it.
    pub fn can_send(&self) -> bool {
        !self.half_closed && !self.reset && !self.dropped
    }

    /// For a person.
    pub fn shown(&self) -> String {
        let (sent, taken) = (self.sent.len(), self.taken.len());
        let ends = (self.half_closed, self.write_closed, self.reset);
        format!("read {} of {sent}, wrote {taken}, ends {ends:?}", self.read)
    }
}

struct Registration {
    token: Token,
    interest: Interest,
    armed: bool,
}

/// Everything that the system knows.
pub struct State<O> {
    pub now: Duration,
    /// The wall clock, if it was set. Otherwise it runs with `now`, from 1970 on.
    pub wall: Option<SystemTime>,
    pub links: Vec<Link>,
    /// Connections that wait to be accepted, and accepts that fail.
    queue: VecDeque<io::Result<usize>>,
    /// Which link each descriptor is, and the numbers below the highest that are free.
    numbers: BTreeMap<usize, usize>,
    free: BTreeSet<usize>,
    registrations: BTreeMap<usize, Registration>,
    /// The last event: of which descriptor, and its token.
    last: (usize, Option<Token>),
    /// Tokens that the server has posted and that no worker has taken. They take turns with the
    /// descriptors.
    pub posted: VecDeque<Token>,
    /// The last event was one of them.
    was_posted: bool,
    /// Threads that were started and have not run yet.
    threads: VecDeque<Work>,
    /// No worker waits for an event.
    pub busy: bool,
    /// Happens after the next arming, before the worker that did it goes on.
    pub when_armed: Option<Box<dyn FnOnce() + Send>>,
    /// The process is paused as a thread's next wait for a socket ends in vain: until when, and
    /// what happens meanwhile.
    pub pause: Option<(Duration, usize, Act)>,
    pub accepts: usize,
    /// Calls of the system in this turn.
    calls: u32,
    /// Bytes that moved, connections that came and went.
    pub progress: u64,
    /// The system failed a call of this turn, so that the turn may come to nothing.
    pub hindered: bool,
    /// There was no thread, or no descriptor.
    pub lacks: bool,
    /// Errors of the server that no system would forgive.
    pub breaches: Vec<String>,
    pub policy: Policy,
    pub outside: O,
}

impl<O> State<O> {
    /// A new connection whose socket takes everything. It waits for [`State::knock`].
    pub fn connect(&mut self, peer: Option<SocketAddr>) -> usize {
        self.links.push(Link {
            peer,
            room: usize::MAX,
            ..Link::default()
        });
        self.links.len() - 1
    }

    /// A connection waits to be accepted.
    pub fn knock(&mut self, link: usize) {
        self.queue.push_back(Ok(link));
    }

    /// The next accepts fail, each with one of these.
    pub fn fail_accepts(&mut self, errors: impl IntoIterator<Item = io::Error>) {
        let errors: Vec<_> = errors.into_iter().collect();
        errors
            .into_iter()
            .rev()
            .for_each(|error| self.queue.push_front(Err(error)));
    }

    pub fn is_queue_empty(&self) -> bool {
        self.queue.is_empty()
    }

    fn is_ready(&self, number: usize, interest: Interest) -> bool {
        if number == LISTENER {
            return !self.queue.is_empty();
        }
        let Some(&link) = self.numbers.get(&number) else {
            return false;
        };
        let link = &self.links[link];
        match interest {
            _ if link.reset => true,
            Interest::Read => {
                link.read < link.sent.len() || !link.flood.is_empty() || link.half_closed
            }
            Interest::Write => link.room > 0,
        }
    }

    /// One of the events that are due, disarmed: of each descriptor in its turn, or of any.
    pub fn take_event(&mut self) -> Option<Token> {
        let later = self.registrations.range(self.last.0 + 1..);
        let in_turn = later.chain(self.registrations.range(..=self.last.0));
        let due = in_turn
            .filter(|(number, known)| known.armed && self.is_ready(**number, known.interest))
            .map(|(number, _)| *number);
        let due: Vec<usize> = due.collect();
        self.was_posted = !self.posted.is_empty() && (due.is_empty() || !self.was_posted);
        if self.was_posted {
            return self.posted.pop_front();
        }
        let number = self.policy.choose(&due)?;
        let token = self.disarm(number);
        self.last = (number, token);
        token
    }

    /// The event of this descriptor, due or not, if it is armed.
    pub fn disarm(&mut self, number: usize) -> Option<Token> {
        let known = self.registrations.get_mut(&number)?;
        std::mem::replace(&mut known.armed, false).then_some(known.token)
    }

    /// The event that was handed out last.
    pub fn old_event(&self) -> Option<Token> {
        self.last.1
    }

    /// The last event, for a person.
    pub fn last_event(&self) -> String {
        let number = self.last.0;
        let interest = self.registrations.get(&number).map(|known| known.interest);
        let link = self.numbers.get(&number);
        let link = link.map(|link| self.links[*link].shown());
        format!("{interest:?}, {link:?}")
    }

    /// The token under which a connection is registered.
    pub fn token(&self, link: usize) -> Option<Token> {
        let known = self.registrations.get(&self.links[link].number?)?;
        Some(known.token)
    }

    /// Connections that the poller knows.
    pub fn registered(&self) -> usize {
        self.registrations.range(LISTENER + 1..).count()
    }

    /// A turn begins, of a worker or another thread.
    pub fn begin_turn(&mut self) {
        self.hindered = false;
        self.calls = 0;
    }

    pub fn breach(&mut self, what: &str) -> io::Error {
        self.breaches.push(what.to_string());
        io::ErrorKind::InvalidInput.into()
    }
}

/// A handle of the system, from which the server gets its parts.
pub struct System<O>(Arc<Mutex<State<O>>>);

impl<O> Clone for System<O> {
    fn clone(&self) -> System<O> {
        System(self.0.clone())
    }
}

impl<O: Outside> System<O> {
    pub fn new(policy: Policy, outside: O) -> System<O> {
        System(Arc::new(Mutex::new(State {
            now: Duration::ZERO,
            wall: None,
            links: Vec::new(),
            queue: VecDeque::new(),
            numbers: BTreeMap::new(),
            free: BTreeSet::new(),
            registrations: BTreeMap::new(),
            last: (LISTENER, None),
            posted: VecDeque::new(),
            was_posted: false,
            threads: VecDeque::new(),
            busy: false,
            when_armed: None,
            pause: None,
            accepts: 0,
            calls: 0,
            progress: 0,
            hindered: false,
            lacks: false,
            breaches: Vec::new(),
            policy,
            outside,
        })))
    }

    pub fn state(&self) -> MutexGuard<'_, State<O>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn listener(&self) -> Listener {
        Listener::Other(Box::new(calls::Door(self.clone())))
    }

    /// The server's end of a connection, as an accept would give it.
    pub fn stream(&self, link: usize) -> Stream {
        let mut state = self.state();
        let next = state.numbers.len() + 1;
        let number = state.free.pop_first().unwrap_or(next);
        state.numbers.insert(number, link);
        state.links[link].number = Some(number);
        Stream::Other(Box::new(calls::Plug {
            system: self.clone(),
            link,
            number,
        }))
    }

    /// A thread that was started does all that it has to do. False when there is none.
    pub fn run_thread(&self) -> bool {
        let work = self.state().threads.pop_front();
        let Some(work) = work else {
            return false;
        };
        self.state().begin_turn();
        work();
        true
    }
}
