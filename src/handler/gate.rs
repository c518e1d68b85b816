//! A bound on the threads that do one kind of work at a time: work that grows with what is served,
//! or that a slow disk may hold up.
//!
//! A request that finds the gate full waits in its queue without a thread: the server calls the
//! handler again when there is room. The queue is in the order of arrival: each waiter has a
//! ticket, and one that was called in vain keeps its place.
//!
//! Each thread that leaves calls the first waiter. One that was called owes the others a look
//! ([`Called`]): it may not enter after all, and then the next is called, so that no room is lost.

use std::collections::VecDeque;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The most requests that wait at one gate: as many as there are connections by default. Beyond:
/// 503.
pub const GATE_QUEUE: usize = 10_000;

/// A value that is dropped inside of a gate.
type Discarded = Box<dyn Send>;

/// See the [module](self).
#[derive(Default)]
pub struct Gate {
    inside: AtomicUsize,
    /// The bound that the last thread was told which found the gate full.
    most: AtomicUsize,
    /// The number of waiters and discarded values, so that a thread that leaves seldom locks.
    left_behind: AtomicUsize,
    queue: Mutex<Queue>,
}

#[derive(Default)]
struct Queue {
    last_ticket: u64,
    /// In the order of their tickets.
    waiters: VecDeque<(Ticket, Waker)>,
    /// No more than there were when the gate filled: to open a file takes a pass.
    discarded: Vec<Discarded>,
}

/// A place in the queue of a gate, which no other waiter of that gate has had.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ticket(u64);

/// Called when a waiter may try to enter.
pub type Waker = Box<dyn FnOnce() + Send>;

/// The right to be inside, until it is dropped.
#[must_use = "the gate is left when this is dropped"]
pub struct Pass {
    gate: Arc<Gate>,
}

/// The duty of a waiter that was called. To be dropped once it has entered or has not: the next
/// waiter is called then, if there is room.
#[derive(Debug)]
#[must_use = "the next waiter is called when this is dropped"]
pub struct Called(Arc<Gate>);

/// A gate, and the number of threads that may be inside.
#[derive(Clone, Debug)]
pub struct GateRule {
    /// The gate.
    pub gate: Arc<Gate>,
    /// The number of threads.
    pub most: usize,
}

impl GateRule {
    /// A rule for one use of a gate.
    pub fn of(gate: &Arc<Gate>, most: usize) -> GateRule {
        let gate = gate.clone();
        GateRule { gate, most }
    }

    /// Enters; `None` when the gate is full.
    pub fn enter(&self) -> Option<Pass> {
        self.gate.enter(self.most)
    }

    /// Drops a value inside: see [`Gate::discard`].
    pub fn discard(&self, value: impl Send + 'static) {
        self.gate.discard(self.most, value);
    }
}

impl Gate {
    /// Enters; `None` when `most` threads are inside.
    pub fn enter(self: &Arc<Gate>, most: usize) -> Option<Pass> {
        let more = |inside| (inside < most).then_some(inside + 1);
        let order = Ordering::SeqCst;
        match self.inside.fetch_update(order, order, more) {
            Ok(_) => Some(Pass { gate: self.clone() }),
            Err(_) => {
                self.most.store(most, order);
                None
            }
        }
    }

    /// Drops a value whose Drop may block, such as an open file, inside of the gate: here if fewer
    /// than `most` threads are inside, or else by the next that leaves.
    pub fn discard(self: &Arc<Gate>, most: usize, value: impl Send + 'static) {
        match self.enter(most) {
            Some(_pass) => drop(value),
            None => {
                self.lock().discarded.push(Box::new(value));
                self.left_behind.fetch_add(1, Ordering::SeqCst);
                if self.enter_empty() {
                    drop(Pass { gate: self.clone() });
                }
            }
        }
    }

    /// Waits for room: `waker` is called when a thread has left, at once if there is room already.
    /// A waiter that was called in vain shows its ticket, and gets its place back. `None`, and
    /// nothing waits, when the queue is full.
    pub fn wait(&self, before: Option<Ticket>, waker: Waker) -> Option<Ticket> {
        let mut queue = self.lock();
        // Who has a ticket was counted when he got it.
        if before.is_none() && queue.waiters.len() >= GATE_QUEUE {
            return None;
        }
        let ticket = before.unwrap_or(Ticket(queue.last_ticket + 1));
        queue.last_ticket = queue.last_ticket.max(ticket.0);
        let place = queue.waiters.partition_point(|(other, _)| *other < ticket);
        queue.waiters.insert(place, (ticket, waker));
        drop(queue);
        self.left_behind.fetch_add(1, Ordering::SeqCst);
        self.pass_on();
        Some(ticket)
    }

    /// Ends a wait. `Some` when the waiter was called already.
    pub fn end_wait(self: &Arc<Gate>, ticket: Ticket) -> Option<Called> {
        let mut queue = self.lock();
        let place = queue
            .waiters
            .binary_search_by_key(&ticket, |(other, _)| *other);
        let waker = place.ok().and_then(|place| queue.waiters.remove(place));
        drop(queue);
        match waker {
            Some(_) => {
                self.left_behind.fetch_sub(1, Ordering::SeqCst);
                None
            }
            None => Some(Called(self.clone())),
        }
    }

    /// This many threads may be inside from now on, more than before: the next waiters are called.
    pub fn widen(&self, most: usize) {
        self.most.store(most, Ordering::SeqCst);
        self.pass_on();
    }

    /// The number of requests that wait.
    pub fn waiting(&self) -> usize {
        self.lock().waiters.len()
    }

    /// Calls the next waiter when there is room.
    fn pass_on(&self) {
        // After a waiter has been counted, never before it: a thread that leaves looks at the count
        // after it has left, so one of the two sees the other. With nobody inside there is room,
        // whatever the bound: nobody's leaving would call the waiter.
        let most = self.most.load(Ordering::SeqCst).max(1);
        if self.inside.load(Ordering::SeqCst) < most {
            self.call_next();
        }
    }

    /// Enters for values that were left behind, when no other thread is inside to drop them.
    fn enter_empty(&self) -> bool {
        let order = Ordering::SeqCst;
        self.inside.compare_exchange(0, 1, order, order).is_ok()
    }

    fn has_discarded(&self) -> bool {
        self.left_behind.load(Ordering::SeqCst) > 0 && !self.lock().discarded.is_empty()
    }

    fn call_next(&self) {
        if self.left_behind.load(Ordering::SeqCst) == 0 {
            return;
        }
        let next = self.lock().waiters.pop_front();
        if let Some((_, waker)) = next {
            self.left_behind.fetch_sub(1, Ordering::SeqCst);
            waker();
        }
    }

    /// Drops the values that were left behind, one after the other.
    fn drop_discarded(&self) {
        // Ends with the values, each of which took a descriptor or memory of its own.
        while self.left_behind.load(Ordering::SeqCst) > 0 {
            let Some(value) = self.lock().discarded.pop() else {
                return;
            };
            self.left_behind.fetch_sub(1, Ordering::SeqCst);
            drop(value);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        // Nothing in this file panics while it holds the lock.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        let gate = &self.gate;
        // Each later round is due to a value that came while the last thread left.
        loop {
            gate.drop_discarded();
            gate.inside.fetch_sub(1, Ordering::SeqCst);
            if !gate.has_discarded() || !gate.enter_empty() {
                break;
            }
        }
        gate.call_next();
    }
}

impl Drop for Called {
    fn drop(&mut self) {
        self.0.pass_on();
    }
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gate")
            .field("inside", &self.inside.load(Ordering::Relaxed))
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Pass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pass")
    }
}
