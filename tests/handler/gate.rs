//! A gate by itself: who is let in, who is called and in which order, and where values are dropped.

use crate::support::PATIENCE;
use crate::support::random::Random;
use doorstep::Status;
use doorstep::internals::handler::gate::{Called, GATE_QUEUE, Gate, Pass, Ticket};
use doorstep::internals::handler::queued;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;

/// The names of waiters, in the order in which they were called.
#[derive(Clone, Default)]
struct Calls(Arc<Mutex<Vec<usize>>>);

impl Calls {
    /// Waits under this name.
    fn wait(&self, gate: &Arc<Gate>, name: usize) -> Option<Ticket> {
        self.wait_again(gate, name, None)
    }

    fn wait_again(&self, gate: &Arc<Gate>, name: usize, before: Option<Ticket>) -> Option<Ticket> {
        let calls = self.0.clone();
        gate.wait(before, Box::new(move || calls.lock().unwrap().push(name)))
    }

    /// Who was called since the last look.
    fn take(&self) -> Vec<usize> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

/// A gate with so many inside.
fn full(most: usize) -> (Arc<Gate>, Vec<Pass>) {
    let gate = Arc::new(Gate::default());
    let inside: Vec<_> = (0..most).map_while(|_| gate.enter(most)).collect();
    assert_eq!(inside.len(), most);
    assert!(gate.enter(most).is_none());
    (gate, inside)
}

#[test]
fn as_many_are_inside_as_may_be() {
    for most in [1, 2, 64] {
        let (gate, mut inside) = full(most);
        assert!(gate.enter(most + 1).is_some(), "there is room for one more");
        inside.pop();
        let again = gate.enter(most);
        assert!(again.is_some());
        assert!(gate.enter(most).is_none(), "{most}");
    }
    let gate = Arc::new(Gate::default());
    assert!(gate.enter(0).is_none(), "nobody may");
    assert!(gate.enter(1).is_some());
}

#[test]
fn each_that_leaves_calls_the_first_who_waits() {
    let (gate, mut inside) = full(2);
    let calls = Calls::default();
    for name in 0..5 {
        assert!(calls.wait(&gate, name).is_some());
    }
    assert_eq!((gate.waiting(), calls.take()), (5, vec![]));
    inside.pop();
    assert_eq!((gate.waiting(), calls.take()), (4, vec![0]));
    inside.pop();
    assert_eq!((gate.waiting(), calls.take()), (3, vec![1]));
    // Whoever comes and goes in between calls as well.
    drop(gate.enter(2));
    assert_eq!(calls.take(), [2]);
}

#[test]
fn a_wait_with_room_is_called_at_once() {
    for (most, inside) in [(1, 0), (2, 0), (2, 1), (64, 63)] {
        let (gate, mut passes) = full(most);
        let calls = Calls::default();
        // They leave between the look at the gate and the wait.
        passes.truncate(inside);
        assert!(calls.wait(&gate, 7).is_some());
        assert_eq!(calls.take(), [7], "{inside} of {most}");
    }
    // A gate that nobody has found full.
    let (gate, calls) = (Arc::new(Gate::default()), Calls::default());
    assert!(calls.wait(&gate, 7).is_some());
    assert_eq!(calls.take(), [7]);
}

#[test]
fn who_was_called_in_vain_keeps_its_place() {
    let (gate, mut inside) = full(3);
    let calls = Calls::default();
    let tickets: Vec<_> = (0..5).map(|name| calls.wait(&gate, name)).collect();
    inside.truncate(1);
    assert_eq!(calls.take(), [0, 1]);
    // Others were faster.
    inside.extend([gate.enter(3).unwrap(), gate.enter(3).unwrap()]);
    for name in [0, 1] {
        let called = gate.end_wait(tickets[name].unwrap());
        assert_eq!(calls.wait_again(&gate, name, tickets[name]), tickets[name]);
        drop(called);
    }
    assert_eq!(calls.take(), [0; 0]);
    for name in 0..5 {
        drop(inside.remove(0));
        inside.push(gate.enter(3).unwrap());
        assert_eq!(calls.take(), [name]);
    }
    assert_eq!(gate.waiting(), 0);
}

#[test]
fn a_wait_that_is_given_up_is_not_called() {
    let (gate, mut inside) = full(1);
    let calls = Calls::default();
    let tickets: Vec<_> = (0..3)
        .map(|name| calls.wait(&gate, name).unwrap())
        .collect();
    assert!(gate.end_wait(tickets[1]).is_none());
    assert_eq!(gate.waiting(), 2);
    inside.clear();
    assert_eq!(calls.take(), [0]);
    drop(gate.end_wait(tickets[0]));
    assert_eq!((gate.waiting(), calls.take()), (0, vec![2]));
    assert!(gate.end_wait(tickets[2]).is_some(), "called already");
}

#[test]
fn who_was_called_and_does_not_enter_calls_the_next() {
    for most in [1, 2, 3] {
        let (gate, mut inside) = full(most);
        let calls = Calls::default();
        let first = calls.wait(&gate, 0).unwrap();
        let second = calls.wait(&gate, 1).unwrap();
        inside.pop();
        assert_eq!(calls.take(), [0]);
        let called: Called = gate.end_wait(first).expect("called");
        assert_eq!(calls.take(), [0; 0], "not before it has tried");
        drop(called);
        assert_eq!(calls.take(), [1], "{most}");
        // Who enters has no room to pass on.
        let third = calls.wait(&gate, 2).unwrap();
        assert_eq!(calls.take(), [2], "there is room");
        let called = gate.end_wait(second);
        inside.push(gate.enter(most).unwrap());
        assert_eq!(calls.wait_again(&gate, 2, Some(third)), Some(third));
        drop(called);
        assert_eq!((gate.waiting(), calls.take()), (1, vec![]), "{most}");
    }
}

#[test]
fn the_queue_is_bounded() {
    let (gate, mut inside) = full(1);
    let calls = Calls::default();
    let tickets: Vec<_> = (0..GATE_QUEUE)
        .map(|name| calls.wait(&gate, name))
        .collect();
    assert!(tickets.iter().all(Option::is_some));
    assert_eq!(calls.wait(&gate, GATE_QUEUE), None);
    assert_eq!(gate.waiting(), GATE_QUEUE);
    // One goes, and one may come.
    inside.clear();
    inside.push(gate.enter(1).unwrap());
    assert_eq!(calls.take(), [0]);
    assert!(calls.wait(&gate, GATE_QUEUE).is_some());
    assert_eq!(calls.wait(&gate, GATE_QUEUE + 1), None);
    // The one that was called in vain was there before.
    assert_eq!(calls.wait_again(&gate, 0, tickets[0]), tickets[0]);
    inside.clear();
    assert_eq!(calls.take(), [0]);
    assert!(gate.end_wait(tickets[1].unwrap()).is_none());
    assert!(calls.wait(&gate, GATE_QUEUE + 2).is_some());
}

/// A value that counts itself as it is dropped, inside of its gate, which lets in one.
struct Counted(Arc<Gate>, Arc<AtomicUsize>);

impl Drop for Counted {
    fn drop(&mut self) {
        assert!(self.0.enter(1).is_none(), "nobody is inside");
        self.1.fetch_add(1, Ordering::SeqCst);
    }
}

#[test]
fn a_value_is_dropped_inside_of_the_gate() {
    let gate = Arc::new(Gate::default());
    let count = Arc::new(AtomicUsize::new(0));
    let discard = || gate.discard(1, Counted(gate.clone(), count.clone()));
    let dropped = || count.load(Ordering::SeqCst);
    discard();
    assert_eq!(dropped(), 1, "at once");
    let pass = gate.enter(1).unwrap();
    discard();
    discard();
    assert_eq!(dropped(), 1, "left behind");
    drop(pass);
    assert_eq!(dropped(), 3);
    assert!(gate.enter(1).is_some(), "nobody is left inside");
    // A value is not taken for a waiter, nor a waiter for a value.
    let calls = Calls::default();
    let pass = gate.enter(1).unwrap();
    discard();
    let ticket = calls.wait(&gate, 0).unwrap();
    assert_eq!(gate.waiting(), 1);
    drop(pass);
    assert_eq!((dropped(), calls.take()), (4, vec![0]));
    drop(gate.end_wait(ticket));
    // Nobody may be inside: the next that enters under another rule drops it, or it does itself.
    gate.discard(0, Counted(gate.clone(), count.clone()));
    assert_eq!(dropped(), 5);
}

/// What many threads do at one gate, each by its seed.
struct Crowd {
    gate: Arc<Gate>,
    inside: Arc<AtomicUsize>,
    discarded: AtomicUsize,
    dropped: Arc<AtomicUsize>,
    given_up: AtomicUsize,
}

const MOST: usize = 2;

/// Counts those inside while it lives.
struct Inside<'a>(&'a AtomicUsize);

impl<'a> Inside<'a> {
    fn of(count: &'a AtomicUsize) -> Inside<'a> {
        assert!(count.fetch_add(1, Ordering::SeqCst) < MOST, "too many");
        Inside(count)
    }
}

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// A value whose end takes a while.
struct Slow(Arc<AtomicUsize>, Arc<AtomicUsize>);

impl Drop for Slow {
    fn drop(&mut self) {
        let _inside = Inside::of(&self.0);
        thread::yield_now();
        self.1.fetch_add(1, Ordering::SeqCst);
    }
}

impl Crowd {
    fn work(&self, random: &mut Random) {
        if random.one_in(4) {
            self.discarded.fetch_add(1, Ordering::SeqCst);
            let value = Slow(self.inside.clone(), self.dropped.clone());
            return self.gate.discard(MOST, value);
        }
        let (mut before, mut called) = (None, None);
        loop {
            let pass = self.gate.enter(MOST);
            if let Some(pass) = pass {
                drop(called);
                let inside = Inside::of(&self.inside);
                (0..random.between(0, 3)).for_each(|_| thread::yield_now());
                drop(inside);
                return drop(pass);
            }
            let (tell, told) = mpsc::channel();
            let waker = Box::new(move || tell.send(()).expect("called once, while it waits"));
            let ticket = self.gate.wait(before, waker).expect("a place");
            drop(called.take());
            if random.one_in(8) {
                // It goes, called or not.
                self.given_up.fetch_add(1, Ordering::SeqCst);
                if let Some(called) = self.gate.end_wait(ticket) {
                    told.recv_timeout(PATIENCE).expect("a call");
                    drop(called);
                }
                return;
            }
            told.recv_timeout(PATIENCE).expect("a call");
            called = self.gate.end_wait(ticket);
            assert!(called.is_some());
            before = Some(ticket);
        }
    }
}

#[test]
fn nothing_is_lost_between_many_threads() {
    const THREADS: usize = 6;
    const ROUNDS: usize = 3_000;
    let crowd = Crowd {
        gate: Arc::default(),
        inside: Arc::default(),
        discarded: AtomicUsize::new(0),
        dropped: Arc::default(),
        given_up: AtomicUsize::new(0),
    };
    thread::scope(|scope| {
        for seed in 0..THREADS {
            let crowd = &crowd;
            scope.spawn(move || {
                let mut random = Random::new(seed as u64);
                (0..ROUNDS).for_each(|_| crowd.work(&mut random));
            });
        }
    });
    let discarded = crowd.discarded.load(Ordering::SeqCst);
    assert_eq!(crowd.dropped.load(Ordering::SeqCst), discarded);
    assert!(discarded > ROUNDS && crowd.given_up.load(Ordering::SeqCst) > 0);
    assert_eq!(crowd.gate.waiting(), 0);
    assert!(full_again(&crowd.gate), "somebody is left inside");
}

fn full_again(gate: &Arc<Gate>) -> bool {
    let all: Vec<_> = (0..MOST).map_while(|_| gate.enter(MOST)).collect();
    all.len() == MOST
}

/// What the server sends after a wait in vain, and a test of a handler sees.
#[test]
fn a_response_that_waits_is_503() {
    let response = queued(&Arc::new(Gate::default()));
    assert_eq!(response.status(), Status::SERVICE_UNAVAILABLE);
    assert_eq!(response.header_value("Retry-After"), Some("1"));
}
