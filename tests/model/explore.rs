//! The search: breadth first, so that a trace is as short as it can be, then backwards from the
//! ends.

use super::program::{Next, Program, Step};
use super::world::{Broken, World};
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;
use std::hash::{BuildHasherDefault, Hasher};

/// A search that is not over by then is a mistake in the model.
const STATES_MOST: usize = 20_000_000;

pub struct Explored {
    pub states: usize,
    pub steps: usize,
    /// States in which every connection is over.
    pub ends: usize,
    pub counterexample: Option<Trace>,
}

/// How to get from the start to where something breaks.
pub struct Trace {
    pub broken: Broken,
    pub steps: Vec<Step>,
}

impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, step) in self.steps.iter().enumerate() {
            writeln!(f, "{:3}  {step}", number + 1)?;
        }
        write!(f, "     {:?}", self.broken)
    }
}

/// Multiplies and turns: states are no adversary, and there are many of them.
#[derive(Default)]
struct Mix(u64);

impl Hasher for Mix {
    fn write(&mut self, octets: &[u8]) {
        for part in octets.chunks(8) {
            let mut word = [0; 8];
            word[..part.len()].copy_from_slice(part);
            self.write_u64(u64::from_le_bytes(word));
        }
    }
    fn write_u8(&mut self, octet: u8) {
        self.write_u64(octet.into());
    }
    fn write_u64(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(5) ^ word).wrapping_mul(0x517c_c1b7_2722_0a95);
    }
    fn write_isize(&mut self, word: isize) {
        self.write_u64(word as u64);
    }
    fn finish(&self) -> u64 {
        self.0
    }
}

/// From which state, by which step, and whether the workers changed places after it.
#[derive(Clone, Copy)]
struct Reached {
    from: u32,
    step: Step,
    swaps: bool,
}

/// Every state that was seen, in the order of its discovery, and how each was reached first.
#[derive(Default)]
struct Seen {
    numbers: HashMap<World, u32, BuildHasherDefault<Mix>>,
    worlds: Vec<World>,
    reached: Vec<Option<Reached>>,
    /// From, to.
    edges: Vec<(u32, u32)>,
}

impl Seen {
    fn add(&mut self, world: World, from: Option<Reached>) -> u32 {
        let number = self.worlds.len() as u32;
        match self.numbers.entry(world) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(new) => {
                new.insert(number);
                self.worlds.push(world);
                self.reached.push(from);
                number
            }
        }
    }

    fn trace(&self, to: u32, last: Option<Step>, broken: Broken) -> Trace {
        let mut steps: Vec<(Step, bool)> = last.map(|step| (step, false)).into_iter().collect();
        let mut at = to;
        while let Some(Reached { from, step, swaps }) = self.reached[at as usize] {
            steps.push((step, swaps));
            at = from;
        }
        steps.reverse();
        // Each worker keeps its name through the changes of place.
        let mut swapped = false;
        let named = |(mut step, swaps): (Step, bool)| {
            if let (true, Some(worker @ 0..=1)) = (swapped, step.thread) {
                step.thread = Some(1 - worker);
            }
            swapped ^= swaps;
            step
        };
        let steps = steps.into_iter().map(named).collect();
        Trace { broken, steps }
    }

    /// The first state from which no end can be reached.
    fn endless(&self) -> Option<u32> {
        let mut edges = self.edges.clone();
        edges.sort_unstable_by_key(|&(_, to)| to);
        let mut first = vec![0; self.worlds.len() + 1];
        for &(_, to) in &edges {
            first[to as usize + 1] += 1;
        }
        for index in 1..first.len() {
            first[index] += first[index - 1];
        }
        let mut can_end: Vec<bool> = self.worlds.iter().map(World::is_end).collect();
        let mut open: Vec<usize> = (0..can_end.len()).filter(|&at| can_end[at]).collect();
        while let Some(at) = open.pop() {
            for &(from, _) in &edges[first[at]..first[at + 1]] {
                if !can_end[from as usize] {
                    can_end[from as usize] = true;
                    open.push(from as usize);
                }
            }
        }
        can_end.iter().position(|can| !can).map(|at| at as u32)
    }
}

/// Visits every state that can be reached, or stops at the first that breaks an invariant.
pub fn explore(program: &Program) -> Explored {
    let mut seen = Seen::default();
    seen.add(World::start(program.clients), None);
    let mut next: Vec<Next> = Vec::new();
    let mut at = 0;
    let mut counterexample = None;
    'search: while at < seen.worlds.len() {
        assert!(at < STATES_MOST, "the model does not end");
        let world = seen.worlds[at];
        program.successors(&world, &mut next);
        for (step, result) in next.drain(..) {
            match result {
                Ok(after) => {
                    let (after, swaps) = after.canonical();
                    let from = at as u32;
                    let to = seen.add(after, Some(Reached { from, step, swaps }));
                    seen.edges.push((at as u32, to));
                }
                Err(broken) => {
                    counterexample = Some(seen.trace(at as u32, Some(step), broken));
                    break 'search;
                }
            }
        }
        at += 1;
    }
    if counterexample.is_none() {
        counterexample = seen
            .endless()
            .map(|at| seen.trace(at, None, Broken::NeverEnds));
    }
    Explored {
        states: seen.worlds.len(),
        steps: seen.edges.len(),
        ends: seen.worlds.iter().filter(|world| world.is_end()).count(),
        counterexample,
    }
}
