//! A bound on the threads that do one kind of work at a time: work that grows with what is served,
//! or that a slow disk may hold up.
//!
//! A request that finds the gate full waits in its queue without a thread: the server calls the
//! handler again when a thread has left. Each thread that leaves calls one of them, the first; one
//! that was called and does not enter calls the next when nobody is inside, so that no wake-up is
//! lost.

use std::collections::VecDeque;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The most requests that wait at one gate. Beyond: 503.
pub const GATE_QUEUE: usize = 1024;

/// A value that is dropped inside of a gate.
type Discarded = Box<dyn Send>;

/// See the [module](self).
#[derive(Default)]
pub struct Gate {
    inside: AtomicUsize,
    /// The number of waiters and discarded values, so that a thread that leaves seldom locks.
    left_behind: AtomicUsize,
    queue: Mutex<Queue>,
}

#[derive(Default)]
struct Queue {
    waiters: VecDeque<(u64, Waker)>,
    discarded: Vec<Discarded>,
}

/// Called when a waiter may try to enter.
pub type Waker = Box<dyn FnOnce() + Send>;

/// The right to be inside, until it is dropped.
#[must_use = "the gate is left when this is dropped"]
pub struct Pass {
    gate: Arc<Gate>,
}

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
}

impl Gate {
    /// Enters; `None` when `most` threads are inside.
    pub fn enter(self: &Arc<Gate>, most: usize) -> Option<Pass> {
        let more = |inside| (inside < most).then_some(inside + 1);
        let order = Ordering::SeqCst;
        let entered = self.inside.fetch_update(order, order, more);
        entered.ok().map(|_| Pass { gate: self.clone() })
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

    /// Waits for the next thread that leaves: `waker` is called then, at once if all have left
    /// already. `again` puts a waiter that was called in vain first. False, and nothing waits, when
    /// the queue is full. `key` names the waiter for [`forget`](Gate::forget).
    pub fn wait(self: &Arc<Gate>, key: u64, again: bool, waker: Waker) -> bool {
        let mut queue = self.lock();
        if queue.waiters.len() >= GATE_QUEUE {
            return false;
        }
        match again {
            true => queue.waiters.push_front((key, waker)),
            false => queue.waiters.push_back((key, waker)),
        }
        drop(queue);
        self.left_behind.fetch_add(1, Ordering::SeqCst);
        self.pass_on();
        true
    }

    /// Ends a wait. False when the waiter was called already: it then owes the others a
    /// [`pass_on`](Gate::pass_on) once it has entered or has not.
    pub fn forget(&self, key: u64) -> bool {
        let mut queue = self.lock();
        let place = queue.waiters.iter().position(|(waiter, _)| *waiter == key);
        let waker = place.and_then(|place| queue.waiters.remove(place));
        drop(queue);
        if waker.is_some() {
            self.left_behind.fetch_sub(1, Ordering::SeqCst);
        }
        waker.is_some()
    }

    /// Calls the next waiter when nobody is inside, whose leaving would call it.
    pub fn pass_on(&self) {
        // After the waiter has been counted, never before it: a thread that leaves looks at the
        // count after it has left, so one of the two sees the other.
        if self.inside.load(Ordering::SeqCst) == 0 {
            self.call_next();
        }
    }

    /// The number of requests that wait.
    pub fn waiting(&self) -> usize {
        self.lock().waiters.len()
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
