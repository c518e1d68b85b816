//! Many connections on sockets, a poller, a listener and a clock made up: who is ready when, and what the time is, is chosen.

use crate::stage::{Event, Recorder};
use doorstep::internals::conn::Rules;
use doorstep::internals::server::{Housekeeper, Listeners, Shared, Worker};
use doorstep::internals::sys::{
    Accept, Clock, Interest, Listener, Poller, Socket, Source, Stream, Token, Wake,
};
use doorstep::{CloseReason, Handler, Limits, Now};
use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::marker::PhantomData;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

/// The listener's number; connections count from 0.
const DOOR: u64 = u64::MAX;

#[derive(Default)]
struct Link {
    /// Octets that the client has sent and the server has not read.
    sent: Vec<u8>,
    has_closed: bool,
    /// Octets that its socket still takes.
    room: usize,
    taken: Vec<u8>,
    armed: Option<Token>,
    is_gone: bool,
}

#[derive(Default)]
struct Inside {
    ms: u64,
    links: Vec<Link>,
    /// Who waits to be accepted.
    queue: VecDeque<SocketAddr>,
    /// What the next accepts fail with.
    failures: VecDeque<io::Error>,
    accepts: usize,
    door: Option<Token>,
}

/// Everything that is made up.
#[derive(Clone, Default)]
struct World(Arc<Mutex<Inside>>);

impl World {
    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn connection(&self) -> (usize, Stream) {
        let mut inside = self.inside();
        inside.links.push(Link {
            room: usize::MAX,
            ..Link::default()
        });
        let number = inside.links.len() - 1;
        let end = End(self.clone(), number);
        (number, Stream::Other(Box::new(end)))
    }
}

impl std::fmt::Debug for World {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("World")
    }
}

/// The server's end of a connection.
struct End(World, usize);

impl Read for End {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let link = &mut self.0.inside().links[self.1];
        if link.sent.is_empty() {
            return match link.has_closed {
                true => Ok(0),
                false => Err(io::ErrorKind::WouldBlock.into()),
            };
        }
        let count = link.sent.len().min(buffer.len());
        buffer[..count].copy_from_slice(&link.sent[..count]);
        link.sent.drain(..count);
        Ok(count)
    }
}

impl Write for End {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        let link = &mut self.0.inside().links[self.1];
        let count = link.room.min(octets.len());
        if count == 0 {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        link.room -= count;
        link.taken.extend_from_slice(&octets[..count]);
        Ok(count)
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Socket for End {
    fn source(&self) -> Source<'_> {
        Source::Named(self.1 as u64, PhantomData)
    }
    fn shutdown_write(&mut self) -> io::Result<()> {
        Ok(())
    }
    fn wait(&mut self, _: Interest, _: Duration) -> io::Result<bool> {
        let link = &self.0.inside().links[self.1];
        Ok(!link.sent.is_empty() || link.has_closed)
    }
}

impl Drop for End {
    fn drop(&mut self) {
        self.0.inside().links[self.1].is_gone = true;
    }
}

struct Door(World);

impl Accept for Door {
    fn source(&self) -> Source<'_> {
        Source::Named(DOOR, PhantomData)
    }
    fn accept(&self) -> io::Result<(Stream, Option<SocketAddr>)> {
        let peer = {
            let mut inside = self.0.inside();
            inside.accepts += 1;
            if let Some(failure) = inside.failures.pop_front() {
                return Err(failure);
            }
            inside.queue.pop_front()
        };
        match peer {
            Some(peer) => Ok((self.0.connection().1, Some(peer))),
            None => Err(io::ErrorKind::WouldBlock.into()),
        }
    }
}

impl Poller for World {
    fn add(&self, source: Source<'_>, token: Token, _: Interest) -> io::Result<()> {
        let mut inside = self.inside();
        match source {
            Source::Named(DOOR, _) => inside.door = Some(token),
            Source::Named(number, _) => inside.links[number as usize].armed = Some(token),
            Source::Descriptor(_) => unreachable!("every source here has a name"),
        }
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
        let elapsed = Duration::from_millis(self.inside().ms);
        (elapsed, SystemTime::UNIX_EPOCH + elapsed)
    }
}

/// A server of one worker, and its clients by number in the order in which they were accepted.
pub struct Crowd {
    world: World,
    pub recorder: Recorder,
    pub shared: Arc<Shared>,
    worker: Worker,
    housekeeper: Housekeeper,
}

impl Crowd {
    pub fn new(limits: Limits, handler: impl Handler) -> Crowd {
        let (world, recorder) = (World::default(), Recorder::default());
        let (poller, clock) = (Box::new(world.clone()), Box::new(world.clone()));
        let listeners = Listeners::new(vec![Listener::Other(Box::new(Door(world.clone())))]);
        let rules = Rules {
            limits,
            ..Rules::default()
        };
        let mut shared = Shared::new(poller, clock, Box::new(handler), rules, listeners);
        shared.observer = Some(Box::new(recorder.clone()));
        let shared = Arc::new(shared);
        shared.listeners.register(&shared).expect("the listener");
        Crowd {
            worker: Worker::new(shared.clone()),
            housekeeper: Housekeeper::new(shared.clone()),
            world,
            recorder,
            shared,
        }
    }

    /// The clock shows this.
    pub fn at(&self, ms: u64) {
        self.world.inside().ms = ms;
    }

    /// A client comes, and is accepted.
    pub fn comes(&mut self, peer: Option<SocketAddr>) -> usize {
        let (number, stream) = self.world.connection();
        let (monotonic, wall) = self.world.now();
        self.worker.admit(stream, peer, &Now { monotonic, wall });
        number
    }

    /// The address of a client that has none of its own choice: its port is its number.
    pub fn peer(number: usize) -> Option<SocketAddr> {
        Some(SocketAddr::from(([127, 0, 0, 1], number as u16)))
    }

    /// As many clients come, one a millisecond.
    pub fn come(&mut self, count: usize) {
        for _ in 0..count {
            let number = self.world.inside().links.len();
            self.comes(Crowd::peer(number));
            self.world.inside().ms += 1;
        }
    }

    /// The client sends, and the poller has not said so yet.
    pub fn sends(&self, number: usize, octets: impl AsRef<[u8]>) {
        let octets = octets.as_ref();
        self.world.inside().links[number]
            .sent
            .extend_from_slice(octets);
    }

    /// The client has closed, and the poller has not said so yet.
    pub fn closes(&self, number: usize) {
        self.world.inside().links[number].has_closed = true;
    }

    /// Its socket takes so many octets from now on.
    pub fn takes(&self, number: usize, room: usize) {
        self.world.inside().links[number].room = room;
    }

    /// The poller reports what the connection waits for.
    #[track_caller]
    pub fn is_ready(&mut self, number: usize) {
        let token = self.world.inside().links[number].armed.take();
        self.worker.turn(token.expect("the connection waits"));
    }

    /// It sends, and that is served.
    #[track_caller]
    pub fn asks(&mut self, number: usize, octets: impl AsRef<[u8]>) {
        self.sends(number, octets);
        self.is_ready(number);
    }

    /// What its socket has taken since the last look.
    pub fn got(&self, number: usize) -> String {
        let taken = std::mem::take(&mut self.world.inside().links[number].taken);
        String::from_utf8_lossy(&taken).into_owned()
    }

    /// Whether the server has let go of it.
    pub fn is_gone(&self, number: usize) -> bool {
        self.world.inside().links[number].is_gone
    }

    /// The housekeeper's look at deadlines and listeners.
    pub fn is_swept(&mut self) {
        self.housekeeper.sweep();
    }

    /// A client waits to be accepted.
    pub fn knocks(&self, peer: Option<SocketAddr>) {
        self.world.inside().queue.extend(peer);
    }

    /// The next accepts fail.
    pub fn fails(&self, failures: impl IntoIterator<Item = io::Error>) {
        self.world.inside().failures.extend(failures);
    }

    /// The listener is reported ready, if it is armed; whether it was.
    pub fn door(&mut self) -> bool {
        let token = self.world.inside().door.take();
        if let Some(token) = token {
            self.worker.turn(token);
        }
        token.is_some()
    }

    /// Accepts so far.
    pub fn accepts(&self) -> usize {
        self.world.inside().accepts
    }

    /// The numbers of the clients whose connections have ended, in that order, and why.
    pub fn ends(&self) -> Vec<(usize, CloseReason)> {
        let end = |event: &Event| match event {
            Event::Closed(Some(peer), reason) => Some((usize::from(peer.port()), *reason)),
            _ => None,
        };
        self.recorder.events().iter().filter_map(end).collect()
    }

    /// What has been said of an overload.
    pub fn said(&self) -> Vec<String> {
        let overload = |event: &Event| match event {
            Event::Overload(why) => Some(why.clone()),
            _ => None,
        };
        self.recorder.events().iter().filter_map(overload).collect()
    }
}
