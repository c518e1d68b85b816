//! The pool's counts: every state that any order of write-offs, returns, fills, calls and ends can
//! reach.

use doorstep::internals::server::counts::{Fill, WorkerCounts};
use std::collections::HashSet;

/// The workers' counts, and what the threads around it believe: how many of them run, are blocked,
/// rest, and have been called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct World {
    counts: Counts,
    running: usize,
    blocked: usize,
    resting: usize,
    calls: usize,
}

/// What the counts show, for the set of worlds seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Counts(WorkerCounts);

impl std::hash::Hash for Counts {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        (self.0.running(), self.0.missing(), self.0.all()).hash(state);
    }
}

/// A fault in how the threads use the counts, which the search has to find.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    None,
    /// A worker that comes back runs, whatever it is told.
    NeverRests,
    /// A worker that has been called ends because its time is over.
    DeafToCalls,
    /// A worker is started although there are as many as there may be.
    NoCap,
}

struct Bounds {
    base: usize,
    most: usize,
    fault: Fault,
}

impl Bounds {
    /// Every world that one event makes of this one.
    fn next(&self, world: World) -> Vec<World> {
        let mut all = Vec::new();
        if world.running > 0 {
            let mut next = world;
            next.counts.0.mark_blocked();
            next.running -= 1;
            next.blocked += 1;
            all.push(next);
        }
        if world.blocked > 0 {
            let mut next = world;
            next.blocked -= 1;
            match next.counts.0.unblock() || self.fault == Fault::NeverRests {
                true => next.running += 1,
                false => next.resting += 1,
            }
            all.push(next);
        }
        all.extend(self.filled(world));
        if world.resting > 0 {
            let mut next = world;
            next.resting -= 1;
            match next.counts.0.take_wakeup() {
                true if self.fault == Fault::DeafToCalls => {}
                true => {
                    next.calls -= 1;
                    next.running += 1;
                }
                false => next.counts.0.end_resting(),
            }
            all.push(next);
        }
        all
    }

    fn filled(&self, world: World) -> Option<World> {
        let mut next = world;
        match next.counts.0.replace_blocked() {
            Fill::Enough => return None,
            Fill::Wake => next.calls += 1,
            Fill::Start => next.running += 1,
            Fill::AtCap if self.fault == Fault::NoCap => next.running += 1,
            Fill::AtCap => return None,
        }
        Some(next)
    }

    /// What holds in every world.
    fn judge(&self, world: World) -> Result<(), String> {
        let threads = world.running + world.blocked + world.resting;
        let counts = world.counts.0;
        let config = [
            (
                "no more run than there are CPUs",
                world.running <= self.base,
            ),
            ("no more threads than allowed", threads <= self.most),
            ("never fewer than run at the start", threads >= self.base),
            ("the counts are the threads", counts.all() == threads),
            ("who is called has not ended", world.calls <= world.resting),
            (
                "who is called runs, for the counts",
                counts.running() == world.running + world.calls,
            ),
            (
                "what is missing can be had until the cap",
                counts.missing() == 0 || threads == self.most || self.filled(world).is_some(),
            ),
        ];
        match config.iter().find(|(_, holds)| !holds) {
            Some((rule, _)) => Err(format!("{rule}: {world:?}")),
            None => Ok(()),
        }
    }

    fn explore(&self) -> Result<usize, String> {
        let mut counts = WorkerCounts::new(self.base, self.most);
        let mut running = 0;
        while counts.replace_blocked() == Fill::Start {
            running += 1;
        }
        let first = World {
            counts: Counts(counts),
            running,
            blocked: 0,
            resting: 0,
            calls: 0,
        };
        let mut seen = HashSet::from([first]);
        let mut ahead = vec![first];
        while let Some(world) = ahead.pop() {
            self.judge(world)?;
            for next in self.next(world) {
                if seen.insert(next) {
                    ahead.push(next);
                }
            }
        }
        Ok(seen.len())
    }
}

#[test]
fn the_counts_hold_in_every_history() {
    for (base, most) in [
        (1, 1),
        (1, 2),
        (1, 4),
        (2, 2),
        (2, 3),
        (2, 5),
        (3, 8),
        (4, 2),
    ] {
        let bounds = Bounds {
            base,
            most: most.max(base),
            fault: Fault::None,
        };
        let worlds = bounds.explore().unwrap_or_else(|why| panic!("{why}"));
        println!("base {base}, most {most}: {worlds} worlds");
        assert!(worlds > base);
    }
}

#[test]
fn a_planted_fault_in_the_counts_use_is_found() {
    for fault in [Fault::NeverRests, Fault::DeafToCalls, Fault::NoCap] {
        let bounds = Bounds {
            base: 2,
            most: 5,
            fault,
        };
        let why = bounds.explore().expect_err("a fault that is not found");
        println!("{fault:?}: {why}");
    }
}
