//! The clients: what the script makes them, the system and the clock do, and what is known of each
//! of their connections.

use super::answers::Call;
use super::link::Notes;
use super::script::{FILLER, FILLERS_MOST, Op, TOO_MANY_FILES};
use crate::support::server::Shared;
use crate::support::simulated::{InjectedFault, Outside, Policy, Script, State, System};
use doorstep::internals::limits::PREFETCH_BYTES;
use std::collections::VecDeque;
use std::io;
use std::sync::Weak;
use std::time::{Duration, SystemTime};

/// Clients that may be connected at the same time; one more than the server has room for.
const CLIENTS: usize = 3;
/// Bytes of content that all answers of one run may have together, so that no input is slow.
const BUDGET: usize = 2_500_000;
/// How long the shutdown waits for what runs.
const GRACE: Duration = Duration::from_secs(20);

/// A system with these clients.
pub type World = State<Clients>;

pub struct Clients {
    pub script: VecDeque<Op>,
    /// What the clients send, and how much of it they have sent.
    bytes: Vec<u8>,
    given: usize,
    fillers: usize,
    clients: [Option<usize>; CLIENTS],
    current: usize,
    /// What is known of each link.
    pub notes: Vec<Notes>,
    /// Handlers called in this turn.
    pub calls_in_turn: usize,
    budget: usize,
    pub calls: Vec<Call>,
    pub shared: Weak<Shared>,
    /// When the grace is over, once the shutdown has begun.
    pub until: Option<Duration>,
    /// When the housekeeper has begun it.
    pub stopped: Option<Duration>,
    is_finished: bool,
}

impl Clients {
    pub fn new(script: VecDeque<Op>, bytes: &[u8]) -> Clients {
        Clients {
            script,
            bytes: bytes.to_vec(),
            given: 0,
            fillers: 0,
            clients: [None; CLIENTS],
            current: 0,
            notes: Vec::new(),
            calls_in_turn: 0,
            budget: BUDGET,
            calls: Vec::new(),
            shared: Weak::new(),
            until: None,
            stopped: None,
            is_finished: false,
        }
    }

    /// So much of this content the present run may still have.
    pub fn spend(&mut self, length: usize) -> usize {
        let length = length.min(self.budget);
        self.budget -= length;
        length
    }

    /// Bytes of content that all answers have together.
    pub fn spent(&self) -> usize {
        BUDGET - self.budget
    }
}

impl Outside for Clients {
    /// Blocks the only worker: the script goes on, and when it is at its end, the time is soon
    /// over.
    fn pass(world: &mut World, end: Duration) {
        match world.outside.script.pop_front() {
            Some(op) => world.perform(op),
            None if world.outside.is_finished => world.now = end,
            None => world.finish(),
        }
    }
}

/// A system with these clients, the first of which has connected.
pub fn system(script: VecDeque<Op>, bytes: &[u8], fault: Option<InjectedFault>) -> System<Clients> {
    let policy = Policy::Script(Script {
        fault,
        ..Script::default()
    });
    let system = System::new(policy, Clients::new(script, bytes));
    let mut world = system.state();
    world.now = Duration::from_secs(1);
    world.wall = Some(from_unix(784_111_777));
    world.connect_client();
    drop(world);
    system
}

impl World {
    /// The system or a client does something.
    pub fn perform(&mut self, op: Op) {
        match op {
            Op::Send(count) => self.send(count),
            Op::SendFiller => {
                if self.outside.fillers < FILLERS_MOST {
                    self.outside.fillers += 1;
                    if let Some(link) = self.sender() {
                        let filler = FILLER.iter().cycle().take(PREFETCH_BYTES);
                        self.links[link].sent.extend(filler);
                    }
                }
            }
            Op::Room(room) => {
                if let Some(link) = self.outside.clients[self.outside.current] {
                    self.links[link].room = room;
                }
            }
            Op::NextClient => {
                self.outside.current = (self.outside.current + 1) % CLIENTS;
                self.connect_client();
            }
            Op::HalfClose => {
                if let Some(link) = self.sender() {
                    self.links[link].half_closed = true;
                }
            }
            Op::Reset => {
                if let Some(link) = self.outside.clients[self.outside.current] {
                    self.links[link].reset |= !self.links[link].dropped;
                }
            }
            Op::Wait(time) => self.now += time,
            Op::SetWall(seconds) => self.wall = Some(from_unix(seconds)),
            Op::Stop => self.stop(),
            Op::Interrupt => self.policy.script().interrupted = true,
            // The last look at what has arrived finds it.
            Op::FindNothing => self.policy.script().nothing = self.outside.until.is_none(),
            Op::HalfRead => self.policy.script().half_read = true,
            Op::HalfWrite => self.policy.script().half_write = true,
            Op::FailToArm => self.policy.script().unarmed = true,
            Op::FailToAccept { lacks: false } => {
                self.policy.script().accept = Some(|| io::ErrorKind::ConnectionAborted.into());
            }
            Op::FailToAccept { lacks: true } => {
                let error = || io::Error::from_raw_os_error(TOO_MANY_FILES);
                self.policy.script().accept = Some(error);
            }
            Op::FailToStart => self.policy.script().thread = true,
            Op::Hold | Op::Resume | Op::Sweep | Op::OldEvent => {}
        }
    }

    /// The shutdown begins. From now on nobody connects, and what has arrived can be read.
    fn stop(&mut self) {
        if self.outside.until.is_some() {
            return;
        }
        self.outside.until = Some(self.now + GRACE);
        self.policy.script().clear();
        for (link, notes) in self.links.iter().zip(&mut self.outside.notes) {
            notes.owed = link.sent.len();
        }
        if let Some(shared) = self.outside.shared.upgrade() {
            shared.begin_drain();
        }
    }

    /// From now on nothing stands in the server's way: the client sends what is left, everybody
    /// reads.
    pub fn finish(&mut self) {
        self.outside.is_finished = true;
        self.outside.script.clear();
        self.busy = false;
        self.policy.script().clear();
        for link in &mut self.links {
            link.room = usize::MAX;
        }
        self.send(usize::MAX);
    }

    fn send(&mut self, count: usize) {
        self.connect_client();
        let rest = &self.outside.bytes[self.outside.given..];
        let octets = &rest[..count.min(rest.len())];
        self.outside.given += octets.len();
        if let Some(link) = self.outside.clients[self.outside.current] {
            let link = &mut self.links[link];
            // What is sent after the end of a connection is lost.
            if link.can_send() {
                link.sent.extend_from_slice(octets);
            }
        }
    }

    /// The present client's link, if it can still send on it.
    fn sender(&mut self) -> Option<usize> {
        self.connect_client();
        self.outside.clients[self.outside.current].filter(|&link| self.links[link].can_send())
    }

    /// Connects the present client, if it has no connection and the server takes any.
    fn connect_client(&mut self) {
        if self.outside.until.is_some() {
            return;
        }
        if let Some(link) = self.outside.clients[self.outside.current] {
            if !self.links[link].dropped && !self.links[link].reset {
                return;
            }
        }
        // The port says which link it is, for the handler and the observer.
        let port = self.links.len() as u16;
        let link = self.connect(Some(([127, 0, 0, 1], port).into()));
        self.knock(link);
        self.outside.notes.push(Notes::default());
        self.outside.clients[self.outside.current] = Some(link);
    }
}

fn from_unix(seconds: i64) -> SystemTime {
    let distance = Duration::from_secs(seconds.unsigned_abs());
    match seconds < 0 {
        true => SystemTime::UNIX_EPOCH - distance,
        false => SystemTime::UNIX_EPOCH + distance,
    }
}
