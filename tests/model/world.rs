//! The state that the threads share: slots, kernel, clients. Small and comparable, so that states
//! can be told apart.

use doorstep::internals::server::ownership::{Ownership, SlotState};

pub const SLOTS: usize = 2;
/// As many as clients at most.
pub const DESCRIPTORS: usize = 3;
pub const THREADS: usize = 3;
/// The thread that sweeps; the others are workers.
pub const SWEEPER: usize = 2;

/// What has gone wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Broken {
    /// Two threads own one slot.
    TwoOwners,
    /// A thread is about to touch a connection that it does not own.
    NotTheOwner,
    /// A system call is made with a descriptor number that is nobody's.
    NoDescriptor,
    /// A system call is made with a descriptor number that is another connection's by now.
    Stranger,
    /// An event is served for a connection other than the one it was for.
    StaleEvent,
    /// A connection is free to be taken, but no event can come for it any more.
    LostWakeUp,
    /// The slot of a connection that was taken is empty.
    Missing,
    /// A state from which the connections cannot all end.
    NeverEnds,
    /// All connections have ended and a slot is not vacant.
    Leak,
}

/// The server's connection object: its descriptor's number, and, for the checks, whose it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Descriptor {
    pub client: u8,
    pub number: u8,
}

/// A connection that a thread holds, and the token that it is registered under.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Held {
    pub slot: u8,
    pub generation: u8,
    pub descriptor: Descriptor,
}

/// What the poller knows of a descriptor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Registration {
    pub slot: u8,
    pub generation: u8,
    pub armed: bool,
}

/// An open descriptor, and the client at its other end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct File {
    pub client: u8,
    pub registration: Option<Registration>,
    /// What the client has done: nothing, sent bytes, closed.
    pub done: u8,
    /// There is something to read.
    pub unread: bool,
}

/// The client has closed.
pub const CLOSED: u8 = 2;

/// Where a thread is in its program: the action that it does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Position {
    /// Waiting for an event, a connection, or the next tick.
    Wait,
    /// Holds a new connection that has no slot.
    Accepted(Descriptor),
    /// Has taken an event from the kernel, which is disarmed since.
    Event {
        slot: u8,
        generation: u8,
    },
    Serve(Held, Why),
    Arm(Held),
    Release(Held),
    /// Gives back as it was taken, still armed; `ArmAgain` when an event has used that up
    /// meanwhile.
    Leave(Held),
    ArmAgain(Held),
    /// Only with a planted fault.
    LateArm(Held),
    Vacate(Held),
    HandOut(Held),
    Remove(Held),
    /// Only with a planted fault.
    LateRemove(Held),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Why {
    Event,
    Deadline,
    /// Another is to have its slot, its descriptor, or the memory that is kept for it, if it may be
    /// had.
    Eviction,
    /// A shutdown looks whether it is silent.
    Shutdown,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Thread {
    pub at: Position,
    /// A connection that waits, with this thread, until another has been evicted.
    pub newcomer: Option<Descriptor>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct World {
    pub words: [Ownership; SLOTS],
    pub descriptors: [Option<Descriptor>; SLOTS],
    /// Indices that can be handed out, the next one last.
    pub vacant: [u8; SLOTS],
    pub vacancies: u8,
    pub files: [Option<File>; DESCRIPTORS],
    /// Clients that have not been accepted.
    pub queued: u8,
    pub threads: [Thread; THREADS],
    pub stopping: bool,
}

impl World {
    pub fn start(clients: u8) -> World {
        let waiting = Thread {
            at: Position::Wait,
            newcomer: None,
        };
        World {
            words: [Ownership::NEW; SLOTS],
            descriptors: [None; SLOTS],
            vacant: [1, 0],
            vacancies: SLOTS as u8,
            files: [None; DESCRIPTORS],
            queued: clients,
            threads: [waiting; THREADS],
            stopping: false,
        }
    }

    /// The workers run one program, so states in which they have changed places are one. Whether
    /// they have been changed.
    pub fn canonical(mut self) -> (World, bool) {
        let swaps = self.threads[0] > self.threads[1];
        if swaps {
            self.threads.swap(0, 1);
        }
        (self, swaps)
    }

    /// accept(2): the lowest number that is free.
    pub fn accept(&mut self, client: u8) -> Descriptor {
        let number = self
            .files
            .iter()
            .position(Option::is_none)
            .expect("a descriptor for each client");
        self.queued -= 1;
        self.files[number] = Some(File {
            client,
            registration: None,
            done: 0,
            unread: false,
        });
        Descriptor {
            client,
            number: number as u8,
        }
    }

    /// The descriptor after the number that a connection object holds, if it is still that
    /// connection's.
    pub fn file(&mut self, descriptor: Descriptor) -> Result<&mut File, Broken> {
        match &mut self.files[descriptor.number as usize] {
            Some(file) if file.client == descriptor.client => Ok(file),
            Some(_) => Err(Broken::Stranger),
            None => Err(Broken::NoDescriptor),
        }
    }

    /// close(2): the registration goes with the descriptor.
    pub fn close(&mut self, descriptor: Descriptor) -> Result<(), Broken> {
        self.file(descriptor)?;
        self.files[descriptor.number as usize] = None;
        Ok(())
    }

    /// Everything is over, and nobody is in the middle of something.
    pub fn is_end(&self) -> bool {
        self.queued == 0
            && self.files.iter().all(Option::is_none)
            && self
                .threads
                .iter()
                .all(|thread| thread.at == Position::Wait)
    }

    /// What must hold between any two actions.
    pub fn check(&self) -> Result<(), Broken> {
        self.check_owners()?;
        for (slot, word) in self.words.iter().enumerate() {
            if word.state() == SlotState::Idle && !self.can_be_woken(slot, *word) {
                return Err(Broken::LostWakeUp);
            }
        }
        let all_vacant = self
            .words
            .iter()
            .all(|word| word.state() == SlotState::Vacant)
            && usize::from(self.vacancies) == SLOTS
            && self.descriptors.iter().all(Option::is_none);
        if self.is_end() && !all_vacant {
            return Err(Broken::Leak);
        }
        Ok(())
    }

    /// A thread between taking and giving back owns its slot alone, and the word says so.
    fn check_owners(&self) -> Result<(), Broken> {
        let mut owned = [false; SLOTS];
        for thread in &self.threads {
            let held = match thread.at {
                Position::Serve(held, _)
                | Position::Arm(held)
                | Position::Release(held)
                | Position::Leave(held)
                | Position::ArmAgain(held)
                | Position::Vacate(held) => held,
                Position::LateArm(_) => return Err(Broken::NotTheOwner),
                _ => continue,
            };
            if std::mem::replace(&mut owned[held.slot as usize], true) {
                return Err(Broken::TwoOwners);
            }
            let word = self.words[held.slot as usize];
            let is_owned = matches!(word.state(), SlotState::Owned | SlotState::OwnedDirty);
            if !is_owned || word.generation() != u32::from(held.generation) {
                return Err(Broken::NotTheOwner);
            }
        }
        Ok(())
    }

    /// Armed, or an event is on its way: else bytes that come, or are here, stay unread until a
    /// deadline.
    fn can_be_woken(&self, slot: usize, word: Ownership) -> bool {
        let is_it = |of: u8, generation: u8| {
            usize::from(of) == slot && u32::from(generation) == word.generation()
        };
        let armed = self.files.iter().flatten().any(|file| {
            file.registration
                .is_some_and(|known| known.armed && is_it(known.slot, known.generation))
        });
        armed
            || self.threads.iter().any(|thread| {
                matches!(thread.at, Position::Event { slot, generation } if is_it(slot, generation))
            })
    }
}
