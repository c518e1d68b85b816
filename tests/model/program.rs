//! What each thread does: the server's steps, one atomic action at a time, with room for a planted
//! fault.
//!
//! The actions stand in the order of `server::worker` (`turn`, `serve`, `occupy`),
//! `server::housekeeper` (`sweep`, `close_idle`, `take_in`), `server::overload` (`evict`,
//! `relieve`), `server::leaving` (`arm`, `leave`), `server::ending` (`close`) and `server::slots`
//! (`occupy`, `on_event`, `claim`, `release`, `vacate`): arm, then release; vacate, hand the index
//! out, remove the registration, close. Moving the connection object out of its slot belongs to the
//! action that wins the word, and moving it in to the one that gives it up: between the two nobody
//! but the owner looks there, which the checks hold.

use super::world::{
    Broken, CLOSED, Descriptor, Held, Position, Registration, SLOTS, SWEEPER, Why, World,
};
use doorstep::internals::server::ownership::{OnEvent, OnRelease, Ownership, SlotState};
use std::fmt;

/// What a thread does wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    None,
    ReleaseBeforeArm,
    NoMark,
    NoGeneration,
    CloseBeforeRemove,
    ClaimOwned,
    HandOutBeforeVacate,
    MarkIgnored,
    ForgetMarked,
    LeaveMarked,
    ForgetIndex,
}

/// What is held against the invariants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checks {
    All,
    /// Only what the kernel would see.
    Kernel,
}

pub struct Program {
    pub fault: Fault,
    pub checks: Checks,
    /// How many clients come.
    pub clients: u8,
    /// How many of them send bytes before they close.
    pub senders: u8,
    /// Whether the server is shut down, at any time.
    pub stops: bool,
}

/// One action, for a trace.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    /// `None` for what comes from outside.
    pub thread: Option<usize>,
    what: &'static str,
    slot: Option<u8>,
    client: Option<u8>,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let who = match self.thread {
            None => "world",
            Some(SWEEPER) => "sweeper",
            Some(0) => "worker A",
            Some(_) => "worker B",
        };
        write!(f, "{who:8}  {}", self.what)?;
        if let Some(client) = self.client {
            write!(f, ", client {client}")?;
        }
        if let Some(slot) = self.slot {
            write!(f, ", slot {slot}")?;
        }
        Ok(())
    }
}

/// Where one action leads.
pub type Next = (Step, Result<World, Broken>);

impl Program {
    /// Every action that some thread, or the world, can do now.
    pub fn successors(&self, world: &World, next: &mut Vec<Next>) {
        next.clear();
        self.outside(world, next);
        for thread in 0..world.threads.len() {
            let mut out = Actions {
                world,
                thread,
                next,
            };
            self.thread(&mut out);
        }
        for (_, result) in next.iter_mut() {
            if let (Checks::All, Ok(after)) = (self.checks, &*result) {
                if let Err(broken) = after.check() {
                    *result = Err(broken);
                }
            }
        }
        if self.checks == Checks::Kernel {
            next.retain(|(_, result)| matches!(result, Ok(_) | Err(Broken::Stranger)));
        }
    }

    /// What comes from outside: bytes, a close, the shutdown.
    fn outside(&self, world: &World, next: &mut Vec<Next>) {
        let step = |what, client| Step {
            thread: None,
            what,
            slot: None,
            client,
        };
        for number in 0..world.files.len() {
            let mut after = *world;
            let Some(file) = &mut after.files[number] else {
                continue;
            };
            if file.done == CLOSED {
                continue;
            }
            // A client that sends nothing only closes.
            file.done = if file.client < self.senders {
                file.done + 1
            } else {
                CLOSED
            };
            file.unread = true;
            let what = if file.done == CLOSED {
                "closes"
            } else {
                "sends"
            };
            next.push((step(what, Some(file.client)), Ok(after)));
        }
        if self.stops && !world.stopping {
            let mut after = *world;
            after.stopping = true;
            next.push((step("shutdown begins", None), Ok(after)));
        }
    }

    fn thread(&self, out: &mut Actions<'_>) {
        match out.world.threads[out.thread].at {
            Position::Wait if out.thread == SWEEPER => self.keep_house(out),
            Position::Wait => self.wait(out),
            Position::Accepted(descriptor) => self.accepted(out, descriptor),
            Position::Event { slot, generation } => self.event(out, slot, generation),
            Position::Serve(held, why) => self.serve(out, held, why),
            Position::Arm(held) => {
                // The housekeeper serves nothing: whatever comes meanwhile is for a worker.
                let to = match out.thread {
                    SWEEPER => Position::Leave(held),
                    _ => Position::Release(held),
                };
                out.held("arms", held, to, |world| arm(world, held));
            }
            Position::Release(held) => self.release(out, held),
            Position::Leave(held) => self.leave(out, held),
            Position::ArmAgain(held) => {
                out.held("arms again", held, Position::Leave(held), |world| {
                    arm(world, held)
                });
            }
            Position::LateArm(held) => {
                out.held("arms late", held, Position::Wait, |world| arm(world, held))
            }
            Position::Vacate(held) => self.vacate(out, held),
            Position::HandOut(held) => self.hand_out(out, held),
            Position::Remove(held) => self.remove(out, held),
            Position::LateRemove(held) => late_remove(out, held),
        }
    }

    /// The sweep, which may find anything idle; in a shutdown also the listener's queue, and what
    /// is left of it closed.
    fn keep_house(&self, out: &mut Actions<'_>) {
        self.claim(out, Why::Deadline);
        if !out.world.stopping {
            return;
        }
        self.accept(out);
        self.claim(out, Why::Shutdown);
        if out.world.queued > 0 {
            out.act("closes the listener", None, None, Position::Wait, |world| {
                world.queued = 0;
                Ok(())
            });
        }
    }

    /// A worker's wait ends with any event that the kernel has, or with a connection.
    fn wait(&self, out: &mut Actions<'_>) {
        for number in 0..out.world.files.len() {
            let Some(file) = out.world.files[number] else {
                continue;
            };
            let Some(known) = file.registration.filter(|known| known.armed && file.unread) else {
                continue;
            };
            let to = Position::Event {
                slot: known.slot,
                generation: known.generation,
            };
            let (slot, client) = (Some(known.slot), Some(file.client));
            out.act("takes an event", slot, client, to, |world| {
                if let Some(file) = &mut world.files[number] {
                    file.registration = Some(Registration {
                        armed: false,
                        ..known
                    });
                }
                Ok(())
            });
        }
        self.accept(out);
        // At any time: when an accept finds no descriptor, or when too much is kept for those that
        // wait.
        self.claim(out, Why::Eviction);
    }

    fn accept(&self, out: &mut Actions<'_>) {
        if out.world.queued > 0 {
            let thread = out.thread;
            out.act("accepts", None, None, Position::Wait, |world| {
                let descriptor = world.accept(self.clients - world.queued);
                world.threads[thread].at = Position::Accepted(descriptor);
                Ok(())
            });
        }
    }

    /// A slot from the list; with none, an idle connection is evicted, or the newcomer turned away.
    fn accepted(&self, out: &mut Actions<'_>, descriptor: Descriptor) {
        let client = Some(descriptor.client);
        let thread = out.thread;
        if let Some(left) = out.world.vacancies.checked_sub(1) {
            let slot = out.world.vacant[left as usize];
            let word = out.world.words[slot as usize];
            let held = Held {
                slot,
                generation: word.generation() as u8,
                descriptor,
            };
            // No event and no claim can find a difference between a vacant word and one that was
            // occupied a moment ago.
            let to = match thread {
                // The housekeeper calls no handler: it arms, and a worker serves.
                SWEEPER => Position::Arm(held),
                _ => Position::Serve(held, Why::Event),
            };
            out.held("occupies", held, to, |world| {
                if word.state() != SlotState::Vacant {
                    return Err(Broken::TwoOwners);
                }
                world.words[slot as usize] = word.occupied();
                world.vacancies = left;
                // Two lists that differ only after their end are one state.
                world.vacant[left as usize] = u8::MAX;
                world.threads[thread].newcomer = None;
                Ok(())
            });
            return;
        }
        self.claim(out, Why::Eviction);
        out.act("turns away", None, client, Position::Wait, |world| {
            world.threads[thread].newcomer = None;
            world.close(descriptor)
        });
    }

    /// The sweep or an eviction: any slot whose word can be had.
    fn claim(&self, out: &mut Actions<'_>, why: Why) {
        let thread = out.thread;
        let newcomer = match out.world.threads[thread].at {
            Position::Accepted(descriptor) => Some(descriptor),
            _ => None,
        };
        for slot in 0..SLOTS as u8 {
            let word = out.world.words[slot as usize];
            let claimed = match (self.fault, word.state()) {
                (Fault::ClaimOwned, SlotState::Owned) => Some(word),
                _ => word.claimed(),
            };
            let Some(claimed) = claimed else {
                continue;
            };
            out.act("claims", Some(slot), None, Position::Wait, |world| {
                world.words[slot as usize] = claimed;
                world.threads[thread].newcomer = newcomer;
                take(world, thread, slot, word.generation() as u8, why)
            });
        }
    }

    fn event(&self, out: &mut Actions<'_>, slot: u8, generation: u8) {
        let thread = out.thread;
        let word = out.world.words[slot as usize];
        let token = match self.fault {
            Fault::NoGeneration => word.generation(),
            _ => u32::from(generation),
        };
        let (what, written) = match word.on_event(token) {
            OnEvent::Take(owned) => ("takes it", owned),
            OnEvent::Mark(_) if self.fault == Fault::NoMark => ("leaves no mark", word),
            OnEvent::Mark(marked) => ("marks it", marked),
            OnEvent::Marked => ("finds it marked", word),
            OnEvent::Stale => ("finds its event stale", word),
        };
        let taken = matches!(word.on_event(token), OnEvent::Take(_));
        out.act(what, Some(slot), None, Position::Wait, |world| {
            world.words[slot as usize] = written;
            if !taken {
                return Ok(());
            }
            if token != u32::from(generation) {
                return Err(Broken::StaleEvent);
            }
            take(world, thread, slot, generation, Why::Event)
        });
    }

    /// What an owner does before it lets go.
    fn serve(&self, out: &mut Actions<'_>, held: Held, why: Why) {
        let ends = match self.fault {
            Fault::HandOutBeforeVacate => Position::HandOut(held),
            _ => Position::Vacate(held),
        };
        let waits = match self.fault {
            Fault::ReleaseBeforeArm => Position::Release(held),
            _ => Position::Arm(held),
        };
        let read = |world: &mut World| {
            world.file(held.descriptor)?.unread = false;
            Ok(())
        };
        let look = |world: &mut World| world.file(held.descriptor).map(drop);
        let (unread, closed) = match out.world.files[held.descriptor.number as usize] {
            Some(file) => (file.unread, file.done == CLOSED),
            None => (false, false),
        };
        match why {
            Why::Eviction => {
                out.held("evicts", held, ends, read);
                out.held("leaves it", held, Position::Leave(held), look);
            }
            Why::Deadline => {
                out.held("finds the time over", held, ends, read);
                out.held("refuses, and drops what comes", held, waits, read);
                out.held("finds it in time", held, waits, look);
            }
            // It was armed when it was taken, so it is left as it is.
            Why::Shutdown if unread => out.held("leaves it", held, Position::Leave(held), look),
            Why::Shutdown => out.held("finds it silent", held, ends, look),
            Why::Event if unread && closed => out.held("reads the end", held, ends, read),
            Why::Event if unread => {
                out.held("answers the last request", held, ends, read);
                out.held("answers a request", held, waits, read);
            }
            Why::Event if out.world.stopping => {
                out.held("finds nothing, and the server stopping", held, ends, read);
            }
            Why::Event => out.held("finds nothing", held, waits, read),
        }
    }

    /// What `leaving` does with a connection that is left as it is. Whoever leaves one goes on with
    /// what it was taken for.
    fn leave(&self, out: &mut Actions<'_>, held: Held) {
        let slot = held.slot as usize;
        match out.world.words[slot].on_release() {
            OnRelease::Idle(idle) => {
                let to = after(out);
                out.held("leaves it as it was", held, to, |world| {
                    world.words[slot] = idle;
                    match world.descriptors[slot].replace(held.descriptor) {
                        None => Ok(()),
                        Some(_) => Err(Broken::TwoOwners),
                    }
                });
            }
            OnRelease::Again(owned) => {
                // The event has used up the arming.
                let (what, to) = match self.fault {
                    Fault::LeaveMarked => ("finds the mark, does not arm", Position::Leave(held)),
                    _ => ("finds the mark", Position::ArmAgain(held)),
                };
                out.held(what, held, to, |world| {
                    world.words[slot] = owned;
                    Ok(())
                });
            }
        }
    }

    fn release(&self, out: &mut Actions<'_>, held: Held) {
        let slot = held.slot as usize;
        let word = out.world.words[slot];
        let to = match self.fault {
            Fault::ReleaseBeforeArm => Position::LateArm(held),
            _ => Position::Wait,
        };
        let freely = |written: Ownership| {
            move |world: &mut World| {
                world.words[slot] = written;
                match world.descriptors[slot].replace(held.descriptor) {
                    None => Ok(()),
                    Some(_) => Err(Broken::TwoOwners),
                }
            }
        };
        match word.on_release() {
            OnRelease::Idle(idle) => out.held("releases", held, to, freely(idle)),
            OnRelease::Again(_) if self.fault == Fault::MarkIgnored => {
                // What a plain store would do.
                let idle = Ownership(word.0 & !3 | SlotState::Idle as u64);
                out.held("releases over the mark", held, to, freely(idle));
            }
            OnRelease::Again(_) if self.fault == Fault::ForgetMarked => {
                out.held("forgets it", held, Position::Wait, |_| Ok(()));
            }
            OnRelease::Again(owned) => {
                let again = Position::Serve(held, Why::Event);
                out.held("finds the mark, serves again", held, again, |world| {
                    world.words[slot] = owned;
                    Ok(())
                });
            }
        }
    }

    fn vacate(&self, out: &mut Actions<'_>, held: Held) {
        let to = match self.fault {
            Fault::HandOutBeforeVacate => Position::Remove(held),
            _ => Position::HandOut(held),
        };
        out.held("vacates", held, to, |world| {
            let word = &mut world.words[held.slot as usize];
            *word = word.vacated();
            Ok(())
        });
    }

    fn hand_out(&self, out: &mut Actions<'_>, held: Held) {
        let to = match self.fault {
            Fault::HandOutBeforeVacate => Position::Vacate(held),
            _ => Position::Remove(held),
        };
        let forgotten = self.fault == Fault::ForgetIndex;
        out.held("gives the index back", held, to, |world| {
            if !forgotten {
                let free = world.vacant.get_mut(world.vacancies as usize);
                *free.ok_or(Broken::TwoOwners)? = held.slot;
                world.vacancies += 1;
            }
            Ok(())
        });
    }

    /// Without a registration nothing can reach the descriptor any more, so that the close that
    /// follows is one action with it.
    fn remove(&self, out: &mut Actions<'_>, held: Held) {
        if self.fault == Fault::CloseBeforeRemove {
            out.held("closes", held, Position::LateRemove(held), |world| {
                world.close(held.descriptor)
            });
            return;
        }
        let to = after(out);
        out.held("removes the registration and closes", held, to, |world| {
            world.file(held.descriptor)?.registration = None;
            world.close(held.descriptor)
        });
    }
}

/// The winner of the word moves the connection out of the slot.
fn take(
    world: &mut World,
    thread: usize,
    slot: u8,
    generation: u8,
    why: Why,
) -> Result<(), Broken> {
    let Some(descriptor) = world.descriptors[slot as usize].take() else {
        return Err(Broken::Missing);
    };
    let held = Held {
        slot,
        generation,
        descriptor,
    };
    world.threads[thread].at = Position::Serve(held, why);
    Ok(())
}

/// The planted swap: the number is free by now, or a stranger's, which is no error to the kernel.
fn late_remove(out: &mut Actions<'_>, held: Held) {
    let to = after(out);
    out.held(
        "removes the registration late",
        held,
        to,
        |world| match world.files[held.descriptor.number as usize] {
            None => Ok(()),
            Some(_) => Err(Broken::Stranger),
        },
    );
}

/// epoll_ctl(2), to add or to arm again: by number.
fn arm(world: &mut World, held: Held) -> Result<(), Broken> {
    world.file(held.descriptor)?.registration = Some(Registration {
        slot: held.slot,
        generation: held.generation,
        armed: true,
    });
    Ok(())
}

/// After the end of a connection: the newcomer that it was evicted for, or the next event.
fn after(out: &Actions<'_>) -> Position {
    match out.world.threads[out.thread].newcomer {
        Some(descriptor) => Position::Accepted(descriptor),
        None => Position::Wait,
    }
}

/// Collects the actions of one thread.
struct Actions<'a> {
    world: &'a World,
    thread: usize,
    next: &'a mut Vec<Next>,
}

impl Actions<'_> {
    /// An action: the thread goes on at `to`, unless `change` sends it elsewhere.
    fn act(
        &mut self,
        what: &'static str,
        slot: Option<u8>,
        client: Option<u8>,
        to: Position,
        change: impl FnOnce(&mut World) -> Result<(), Broken>,
    ) {
        let mut after = *self.world;
        after.threads[self.thread].at = to;
        let result = change(&mut after).map(|()| after);
        let step = Step {
            thread: Some(self.thread),
            what,
            slot,
            client,
        };
        self.next.push((step, result));
    }

    /// An action on a connection that this thread holds.
    fn held(
        &mut self,
        what: &'static str,
        held: Held,
        to: Position,
        change: impl FnOnce(&mut World) -> Result<(), Broken>,
    ) {
        self.act(
            what,
            Some(held.slot),
            Some(held.descriptor.client),
            to,
            change,
        );
    }
}
