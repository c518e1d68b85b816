//! How the calls of the simulated system go: as a script says, or at random from a seed.

use super::State;
use crate::support::random::Random;
use std::io;
use std::time::Duration;

/// A fault of the system's that a test plants, to see that it is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InjectedFault {
    LostArming,
    LostByte,
    SwappedBytes,
}

impl InjectedFault {
    pub const ALL: [(&str, InjectedFault); 3] = [
        ("an arming is lost", InjectedFault::LostArming),
        ("a byte of a response is lost", InjectedFault::LostByte),
        (
            "two bytes change places on their way in",
            InjectedFault::SwappedBytes,
        ),
    ];
}

/// How calls go.
pub enum Policy {
    Script(Script),
    Random(Chance),
}

/// Every call does all that it can, but for those that the script spoils: each flag is about the
/// next call of its kind.
#[derive(Default)]
pub struct Script {
    /// The next read or write is interrupted, or finds nothing.
    pub interrupted: bool,
    pub nothing: bool,
    pub half_read: bool,
    pub half_write: bool,
    /// The next arming fails.
    pub unarmed: bool,
    pub accept: Option<fn() -> io::Error>,
    pub thread: bool,
    /// Every accept fails while this is set, whoever waits.
    pub refusal: Option<fn() -> io::Error>,
    /// A write takes its first piece only.
    pub one_piece: bool,
    pub fault: Option<InjectedFault>,
}

impl Script {
    /// Nothing goes wrong any more, but for the planted fault.
    pub fn clear(&mut self) {
        let fault = self.fault;
        *self = Script {
            fault,
            ..Script::default()
        };
    }
}

/// A seed decides.
pub struct Chance {
    pub random: Random,
    /// A read may find nothing of what has been sent, as if that were still on its way.
    pub late_bytes: bool,
    pub fault: Option<InjectedFault>,
}

impl Policy {
    pub fn random(seed: u64, fault: Option<InjectedFault>) -> Policy {
        Policy::Random(Chance {
            random: Random::new(seed),
            late_bytes: true,
            fault,
        })
    }

    /// A script that spoils nothing.
    pub fn plain() -> Policy {
        Policy::Script(Script::default())
    }

    /// The script. A random policy has none.
    pub fn script(&mut self) -> &mut Script {
        match self {
            Policy::Script(script) => script,
            Policy::Random(_) => unreachable!("this policy is random"),
        }
    }

    /// The seed's choices. A script has none.
    pub fn chance(&mut self) -> &mut Chance {
        match self {
            Policy::Script(_) => unreachable!("this policy is a script"),
            Policy::Random(chance) => chance,
        }
    }

    /// One of these, if there is any.
    pub fn choose(&mut self, all: &[usize]) -> Option<usize> {
        let index = match self {
            Policy::Script(_) => 0,
            Policy::Random(chance) => chance.random.between(0, all.len().checked_sub(1)?),
        };
        all.get(index).copied()
    }

    /// Calls in one turn: more, and it would never end.
    fn calls_most(&self) -> u32 {
        match self {
            Policy::Script(_) => 500_000,
            Policy::Random(_) => 20_000,
        }
    }
}

impl<O> State<O> {
    /// A read or a write of the server's. An error is what it ends with.
    pub fn call(&mut self) -> io::Result<()> {
        self.calls += 1;
        if self.calls > self.policy.calls_most() {
            // A call that fails ends every loop around it.
            self.progress += 1;
            return Err(self.breach("makes system calls without an end"));
        }
        match &mut self.policy {
            Policy::Script(script) => {
                if std::mem::take(&mut script.interrupted) {
                    return Err(io::ErrorKind::Interrupted.into());
                }
                if std::mem::take(&mut script.nothing) {
                    self.hindered = true;
                    return Err(io::ErrorKind::WouldBlock.into());
                }
            }
            Policy::Random(chance) => {
                // It takes time, so that a server that is always busy does not stop the clock.
                self.now += Duration::from_micros(100);
                if chance.random.one_in(16) {
                    return Err(io::ErrorKind::Interrupted.into());
                }
            }
        }
        Ok(())
    }

    /// How many of these bytes a read gives; none is `WouldBlock`.
    pub fn read_part(&mut self, whole: usize) -> usize {
        match &mut self.policy {
            Policy::Script(script) => match std::mem::take(&mut script.half_read) {
                true => {
                    // As if the rest had come since.
                    self.hindered |= whole > 1;
                    whole.div_ceil(2)
                }
                false => whole,
            },
            Policy::Random(_) if whole == 0 => 0,
            Policy::Random(chance) => match chance.late_bytes && chance.random.one_in(16) {
                true => 0,
                false => chance.random.part(whole),
            },
        }
    }

    /// How many of these bytes a write takes.
    pub fn write_part(&mut self, whole: usize) -> usize {
        match &mut self.policy {
            Policy::Script(script) => match std::mem::take(&mut script.half_write) {
                true => whole.div_ceil(2),
                false => whole,
            },
            Policy::Random(_) if whole == 0 => 0,
            Policy::Random(chance) => chance.random.part(whole),
        }
    }

    /// Whether a write takes its first piece only.
    pub fn takes_one_piece(&self) -> bool {
        matches!(&self.policy, Policy::Script(script) if script.one_piece)
    }

    /// The error of this accept, if it fails.
    pub fn accept_error(&mut self) -> Option<io::Error> {
        let error = match &mut self.policy {
            Policy::Script(script) => script.accept.take().or(script.refusal)?(),
            // The client went away while it was queued, or nothing was there after all.
            Policy::Random(chance) => match chance.random.one_in(20) {
                true => io::ErrorKind::ConnectionAborted.into(),
                false => return None,
            },
        };
        self.hindered = true;
        self.lacks |= error.kind() != io::ErrorKind::ConnectionAborted;
        Some(error)
    }

    /// Whether this arming fails.
    pub fn arming_fails(&mut self, number: usize) -> bool {
        let Policy::Script(script) = &mut self.policy else {
            return false;
        };
        let fails = std::mem::take(&mut script.unarmed);
        if fails {
            self.hindered = true;
            if let Some(&link) = self.numbers.get(&number) {
                self.links[link].unarmed = true;
            }
        }
        fails
    }

    /// Whether no thread can be started now.
    pub fn thread_fails(&mut self) -> bool {
        let Policy::Script(script) = &mut self.policy else {
            return false;
        };
        let fails = std::mem::take(&mut script.thread);
        self.lacks |= fails;
        fails
    }

    /// Whether this fault is planted, and its time has come.
    pub fn has(&mut self, fault: InjectedFault) -> bool {
        match &mut self.policy {
            Policy::Script(script) => script.fault == Some(fault) && self.progress % 3 == 2,
            Policy::Random(chance) => chance.fault == Some(fault) && chance.random.one_in(50),
        }
    }
}
