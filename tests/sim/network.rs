//! What stands in for the system: links between clients and the server, a clock, a one-shot poller, a listener.
//!
//! Descriptor numbers are used again as soon as they are free. Reads and writes move a part of what they could, are interrupted, or
//! find nothing although there is something. A close with octets unread resets the link, and what the client has not read is lost.

use super::clients::Client;
use super::random::Random;
use super::run::Planted;
use doorstep::internals::sys::{
    Accept, Clock, Interest, Poller, Socket, Source, Stream, Token, Wake,
};
use std::collections::{BTreeMap, VecDeque};
use std::io::{self, IoSlice, Read, Write};
use std::marker::PhantomData;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

/// The listener's number; links have others.
const LISTENER: u64 = 0;
/// Reads and writes in one turn: more than this, and it would never end.
const CALLS_MOST: u32 = 20_000;

/// One connection, as the network sees it.
pub struct Link {
    /// The server's descriptor, while it is open.
    number: Option<u64>,
    pub to_server: VecDeque<u8>,
    /// Octets that the client has not read.
    pub to_client: VecDeque<u8>,
    /// How many of them there can be.
    room: usize,
    /// The client closed its side.
    pub client_closed: bool,
    /// The client, or the server's close with octets unread, reset the link.
    pub reset: bool,
    /// The server closed its write side, or all.
    pub server_closed: bool,
    /// The server closed all.
    pub dropped: bool,
    /// There is always more to read.
    pub floods: bool,
}

struct Registration {
    token: Token,
    interest: Interest,
    armed: bool,
}

pub struct World {
    pub random: Random,
    pub now: Duration,
    wall: SystemTime,
    pub links: Vec<Link>,
    queue: VecDeque<(usize, SocketAddr)>,
    /// A read may find nothing of what has been sent, as if that were still on its way.
    pub late_octets: bool,
    /// Which link a number is.
    numbers: BTreeMap<u64, usize>,
    registrations: BTreeMap<u64, Registration>,
    pub clients: Vec<Client>,
    /// What the server did that no system would forgive.
    pub breaches: Vec<String>,
    /// Calls since the last turn began.
    pub calls: u32,
    planted: Planted,
}

impl World {
    pub fn connect(&mut self, client: usize, room: Option<usize>) -> usize {
        let link = self.links.len();
        let chosen = match self.random.between(0, 2) {
            0 => self.random.between(50, 500),
            _ => self.random.between(1_000, 60_000),
        };
        let room = room.unwrap_or(chosen);
        self.links.push(Link {
            number: None,
            to_server: VecDeque::new(),
            to_client: VecDeque::new(),
            room,
            client_closed: false,
            reset: false,
            server_closed: false,
            dropped: false,
            floods: false,
        });
        // The port says which client it is, for the observer.
        let peer = SocketAddr::from(([127, 0, 0, 1], client as u16));
        self.queue.push_back((link, peer));
        link
    }

    /// Whether the server has taken a client's connection out of its queue.
    pub fn is_accepted(&self, client: &Client) -> bool {
        let link = client.link.map(|link| &self.links[link]);
        link.is_some_and(|link| link.number.is_some() || link.dropped)
    }

    /// The wall clock may be set at any time.
    pub fn set_wall(&mut self) {
        let seconds = self.random.next() % 4_000_000_000;
        self.wall = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
    }

    /// Time passes, but not beyond the moment at which a client has something to do.
    pub fn jump(&mut self, step: Duration) {
        let next = self
            .clients
            .iter()
            .filter_map(|client| client.wakes(self.now));
        self.now = next.fold(self.now + step, Duration::min);
    }

    fn is_ready(&self, number: u64, interest: Interest) -> bool {
        if number == LISTENER {
            return !self.queue.is_empty();
        }
        let Some(&link) = self.numbers.get(&number) else {
            return false;
        };
        let link = &self.links[link];
        match interest {
            _ if link.reset => true,
            Interest::Read => !link.to_server.is_empty() || link.client_closed || link.floods,
            Interest::Write => link.to_client.len() < link.room,
        }
    }

    /// One of the events that are due, disarmed.
    pub fn take_event(&mut self) -> Option<Token> {
        let due: Vec<u64> = self
            .registrations
            .iter()
            .filter(|(number, known)| known.armed && self.is_ready(**number, known.interest))
            .map(|(number, _)| *number)
            .collect();
        if due.is_empty() {
            return None;
        }
        let number = due[self.random.between(0, due.len() - 1)];
        let known = self.registrations.get_mut(&number)?;
        known.armed = false;
        Some(known.token)
    }

    /// One client does one thing. False when it has nothing to do.
    pub fn step_client(&mut self, index: usize) -> bool {
        if self.clients[index].late && !self.is_quiet_for(index) {
            return false;
        }
        let blank = Client::blank();
        let mut client = std::mem::replace(&mut self.clients[index], blank);
        let acted = client.step(index, self);
        self.clients[index] = client;
        acted
    }

    /// A client that makes a handler wait holds up both workers here, so it comes when nobody else is to be served.
    fn is_quiet_for(&self, late: usize) -> bool {
        let mut others = self.clients.iter().enumerate();
        others.all(|(index, client)| client.finished || client.late && index >= late)
    }

    fn breach(&mut self, what: &str) -> io::Error {
        self.breaches.push(what.to_string());
        io::ErrorKind::InvalidInput.into()
    }

    fn call(&mut self) {
        self.calls += 1;
        // A system call takes time, so that a server that is always busy does not stop the clock.
        self.now += Duration::from_micros(100);
        assert!(self.calls <= CALLS_MOST, "a turn that does not end");
    }
}

/// The one simulated system, shared by everything that stands in for a part of it.
#[derive(Clone)]
pub struct Network(Arc<Mutex<World>>);

impl Network {
    pub fn new(seed: u64, planted: Planted) -> Network {
        Network(Arc::new(Mutex::new(World {
            random: Random::new(seed),
            now: Duration::from_secs(1),
            wall: SystemTime::UNIX_EPOCH,
            links: Vec::new(),
            queue: VecDeque::new(),
            late_octets: true,
            numbers: BTreeMap::new(),
            registrations: BTreeMap::new(),
            clients: Vec::new(),
            breaches: Vec::new(),
            calls: 0,
            planted,
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

fn number_of(source: Source<'_>) -> u64 {
    match source {
        Source::Named(number, _) => number,
        Source::Descriptor(_) => unreachable!("every source here has a name"),
    }
}

impl Poller for Network {
    fn add(&self, source: Source<'_>, token: Token, interest: Interest) -> io::Result<()> {
        let number = number_of(source);
        let known = Registration {
            token,
            interest,
            armed: true,
        };
        let mut world = self.world();
        match world.registrations.insert(number, known) {
            None => Ok(()),
            Some(_) => Err(world.breach("added twice")),
        }
    }

    fn arm(&self, source: Source<'_>, token: Token, interest: Interest) -> io::Result<()> {
        let number = number_of(source);
        let mut world = self.world();
        let lost = world.planted == Planted::LostArm && world.random.one_in(50);
        match world.registrations.get_mut(&number) {
            Some(known) if known.token == token => {
                known.interest = interest;
                known.armed = !lost;
                Ok(())
            }
            Some(_) => Err(world.breach("armed a stranger")),
            None => Err(world.breach("armed what is not registered")),
        }
    }

    fn remove(&self, source: Source<'_>, token: Token) -> io::Result<()> {
        let number = number_of(source);
        let mut world = self.world();
        match world.registrations.remove(&number) {
            Some(known) if known.token == token => Ok(()),
            Some(_) => Err(world.breach("removed a stranger")),
            None => Err(world.breach("removed what is not registered")),
        }
    }

    fn wait(&self, _timeout: Option<Duration>) -> io::Result<Wake> {
        Ok(Wake::TimedOut)
    }

    fn waiting(&self) -> usize {
        0
    }
    fn pending(&self) -> io::Result<bool> {
        Ok(false)
    }
    fn wake(&self) {}
}

pub struct Door(pub Network);

impl Accept for Door {
    fn source(&self) -> Source<'_> {
        Source::Named(LISTENER, PhantomData)
    }

    fn accept(&self) -> io::Result<(Stream, Option<SocketAddr>)> {
        let mut world = self.0.world();
        if world.random.one_in(20) {
            // The client went away while it was queued, or nothing was there after all.
            return Err(io::ErrorKind::ConnectionAborted.into());
        }
        let Some((link, peer)) = world.queue.pop_front() else {
            return Err(io::ErrorKind::WouldBlock.into());
        };
        let number = (LISTENER + 1..)
            .find(|number| !world.numbers.contains_key(number))
            .expect("a number that is free");
        world.numbers.insert(number, link);
        world.links[link].number = Some(number);
        let socket = Plug {
            network: self.0.clone(),
            link,
            number,
        };
        Ok((Stream::Other(Box::new(socket)), Some(peer)))
    }
}

/// The server's end of a link.
struct Plug {
    network: Network,
    link: usize,
    number: u64,
}

impl Read for Plug {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut world = self.network.world();
        world.call();
        if world.random.one_in(16) {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let World {
            links,
            random,
            planted,
            late_octets,
            ..
        } = &mut *world;
        let link = &mut links[self.link];
        if link.reset {
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        if link.floods && link.to_server.is_empty() {
            buffer.fill(b'x');
            return Ok(buffer.len());
        }
        if link.to_server.is_empty() {
            return match link.client_closed {
                true => Ok(0),
                false => Err(io::ErrorKind::WouldBlock.into()),
            };
        }
        if *late_octets && random.one_in(16) {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let count = random.part(link.to_server.len().min(buffer.len()));
        for (place, octet) in buffer.iter_mut().zip(link.to_server.drain(..count)) {
            *place = octet;
        }
        if *planted == Planted::SwappedOctets && count > 1 && random.one_in(50) {
            buffer.swap(0, 1);
        }
        Ok(count)
    }
}

impl Write for Plug {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.write_vectored(&[IoSlice::new(octets)])
    }

    fn write_vectored(&mut self, pieces: &[IoSlice<'_>]) -> io::Result<usize> {
        let mut world = self.network.world();
        world.call();
        if world.random.one_in(16) {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let World {
            links,
            random,
            planted,
            breaches,
            ..
        } = &mut *world;
        let link = &mut links[self.link];
        if link.server_closed {
            breaches.push("wrote behind the end".to_string());
        }
        if link.reset {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        let whole: usize = pieces.iter().map(|piece| piece.len()).sum();
        if whole == 0 {
            breaches.push("wrote nothing".to_string());
        }
        let room = link.room.saturating_sub(link.to_client.len());
        if room == 0 {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let count = random.part(whole.min(room));
        let lost = *planted == Planted::LostOctet && random.one_in(50);
        let octets = pieces.iter().flat_map(|piece| piece.iter()).take(count);
        link.to_client.extend(octets.skip(usize::from(lost)));
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Socket for Plug {
    fn source(&self) -> Source<'_> {
        Source::Named(self.number, PhantomData)
    }

    fn shutdown_write(&mut self) -> io::Result<()> {
        self.network.world().links[self.link].server_closed = true;
        Ok(())
    }

    /// Blocks one worker, not the world: the clients go on, and when none of them has anything to do, time passes.
    fn wait(&mut self, interest: Interest, timeout: Duration) -> io::Result<bool> {
        let mut world = self.network.world();
        let end = world.now + timeout;
        loop {
            if world.is_ready(self.number, interest) {
                return Ok(true);
            }
            if world.now >= end {
                return Ok(false);
            }
            let count = world.clients.len();
            let first = world.random.between(0, count - 1);
            let acted = (0..count).any(|offset| world.step_client((first + offset) % count));
            if !acted {
                let step = Duration::from_millis(world.random.between(100, 5_000) as u64);
                world.jump(step);
                world.now = world.now.min(end);
            }
        }
    }
}

impl Drop for Plug {
    fn drop(&mut self) {
        let mut world = self.network.world();
        if world.registrations.remove(&self.number).is_some() {
            world.breach("closed while registered");
        }
        world.numbers.remove(&self.number);
        let link = &mut world.links[self.link];
        link.number = None;
        link.server_closed = true;
        link.dropped = true;
        // RFC 1122 §4.2.2.13: a host that closes with data unread "SHOULD send a RST to show that data was lost".
        if !link.to_server.is_empty() || link.floods {
            link.reset = true;
            link.to_client.clear();
        }
    }
}
