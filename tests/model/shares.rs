//! How many workers the requests of one kind hold: calls that begin and end, requests that wait,
//! and a share that becomes smaller and larger.

use doorstep::internals::conn::Moment;
use doorstep::internals::handler::gate::{Gate, Ticket};
use doorstep::internals::server::shares::{Share, Shares};
use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

/// Numbers without an obvious order, the same ones in each run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005);
        self.0 = self.0.wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % bound
    }
}

/// Calls of a few kinds, and those that wait, as the table has to have them.
struct World<'a> {
    shares: &'a Shares,
    running: Vec<(u64, Share<'a>)>,
    /// Those that wait, by kind, in their order.
    waiting: HashMap<u64, BTreeSet<usize>>,
    places: HashMap<usize, (Arc<Gate>, Ticket)>,
    /// Those that were called.
    called: Arc<Mutex<VecDeque<(u64, usize)>>>,
    clock: Duration,
}

impl World<'_> {
    fn inside(&self, kind: u64) -> usize {
        self.running.iter().filter(|(of, _)| *of == kind).count()
    }

    /// A request tries to begin, for the first time or because it was called.
    fn tries(&mut self, kind: u64, number: usize, most: usize) {
        let inside = self.inside(kind);
        match self.shares.enter(kind, self.clock) {
            Ok(share) => {
                assert!(inside < most, "{inside} of {most} ran");
                self.running.push((kind, share));
            }
            Err((gate, _)) => {
                assert!(inside >= most, "{inside} of {most} run");
                let called = self.called.clone();
                let waker = move || called.lock().unwrap().push_back((kind, number));
                let before = self.places.remove(&number);
                let before = before.filter(|(of, _)| Arc::ptr_eq(of, &gate));
                let before = before.map(|(_, ticket)| ticket);
                let ticket = gate.wait(before, Box::new(waker)).expect("a place");
                self.places.insert(number, (gate, ticket));
                self.waiting.entry(kind).or_default().insert(number);
            }
        }
    }

    /// Those that were called try again, which are the first of their kinds.
    fn answers_calls(&mut self, most: usize) {
        loop {
            let next = self.called.lock().unwrap().pop_front();
            let Some((kind, number)) = next else { return };
            let waiting = self.waiting.get_mut(&kind).expect("somebody waits");
            assert_eq!(waiting.pop_first(), Some(number), "in the order of arrival");
            let (gate, ticket) = self.places[&number].clone();
            let called = gate.end_wait(ticket).expect("it was called");
            // Now and then it has gone.
            match number % 10 {
                0 => assert!(self.places.remove(&number).is_some()),
                _ => self.tries(kind, number, most),
            }
            drop(called);
        }
    }
}

#[test]
fn one_kind_holds_its_share_and_the_others_do_not_wait_for_it() {
    let shares = Shares::default();
    let mut numbers = Numbers(1);
    let mut world = World {
        shares: &shares,
        running: Vec::new(),
        waiting: HashMap::new(),
        places: HashMap::new(),
        called: Arc::default(),
        clock: Duration::ZERO,
    };
    let mut most = 3;
    shares.set_most(most);
    for number in 0..20_000 {
        world.clock += Duration::from_millis(1);
        // Half of all are of one kind.
        let kind = numbers.below(6).saturating_sub(2) as u64;
        match numbers.below(100) {
            0 => {
                most = 1 + numbers.below(6);
                shares.set_most(most);
            }
            1..=49 => world.tries(kind, number, most),
            _ if world.running.is_empty() => {}
            _ => {
                let place = numbers.below(world.running.len());
                drop(world.running.swap_remove(place));
            }
        }
        world.answers_calls(most);
        let waiting: usize = world.waiting.values().map(BTreeSet::len).sum();
        assert_eq!(shares.waiting(), waiting);
        let mut kinds = 0;
        for kind in 0..4 {
            let has_room = world.inside(kind) < most;
            let waits = world.waiting.get(&kind).is_some_and(|all| !all.is_empty());
            assert!(!(has_room && waits), "{kind}: somebody waits for nothing");
            kinds += usize::from(waits || world.inside(kind) > 0);
        }
        shares.is_full_for(SECOND, Moment::at(world.clock));
        assert_eq!(shares.kinds(), kinds);
    }
    // All get on in the end, and nothing is kept.
    while let Some(share) = world.running.pop() {
        drop(share);
        world.answers_calls(most);
    }
    assert_eq!((shares.kinds(), shares.waiting()), (0, 0));
    assert!(world.waiting.values().all(BTreeSet::is_empty));
}

#[test]
fn a_share_that_is_used_up_is_told_after_its_time() {
    let shares = Shares::default();
    // Never none.
    shares.set_most(0);
    let at = |ms| Duration::from_millis(ms);
    let is_full = |ms| shares.is_full_for(SECOND, Moment(ms));
    let first = shares.enter(7, at(100)).expect("a share");
    let (gate, entered) = shares.enter(7, at(200)).expect_err("used up");
    assert_eq!(entered, at(100));
    assert!(!is_full(5_000), "nobody waits");
    let ticket = gate.wait(None, Box::new(|| {})).expect("a place");
    assert_eq!((is_full(1_199), is_full(1_200)), (false, true));
    // Another has had to wait meanwhile.
    assert!(shares.enter(7, at(1_000)).is_err());
    assert!(is_full(1_200));
    drop(shares.enter(8, at(1_000)).expect("another kind"));
    assert_eq!(shares.waiting(), 1);
    drop(gate.end_wait(ticket));
    assert!(!is_full(1_200));
    drop(first);
    // A new beginning.
    let first = shares.enter(7, at(2_000)).expect("a share");
    let (gate, _) = shares.enter(7, at(2_000)).expect_err("used up");
    let _ticket = gate.wait(None, Box::new(|| {}));
    assert_eq!((is_full(2_999), is_full(3_000)), (false, true));
    drop(first);
}
