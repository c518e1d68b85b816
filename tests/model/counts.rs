//! The pool's counts: every state that any order of looks, trims, ends and failures can reach.

use doorstep::internals::server::counts::WorkerCounts;
use std::collections::HashSet;

/// The workers' counts, and the threads that there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct World {
    counts: WorkerCounts,
    threads: usize,
}

/// A fault in how the threads use the counts, which the search has to find.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    None,
    /// A worker ends whatever it is told.
    Deserts,
    /// A worker that is told to end goes on.
    Lingers,
    /// A worker that could not be started is not taken off.
    Forgets,
}

struct Bounds {
    base: usize,
    max: usize,
    fault: Fault,
}

impl Bounds {
    fn first(&self) -> World {
        let mut counts = WorkerCounts::new(self.base, self.max);
        let mut threads = 0;
        while counts.start_first() {
            threads += 1;
        }
        World { counts, threads }
    }

    /// Every world that one event makes of this one.
    fn next(&self, world: World) -> Vec<World> {
        let mut all = Vec::new();
        let mut add = |change: &dyn Fn(&mut World)| {
            let mut next = world;
            change(&mut next);
            all.push(next);
        };
        // However many of the held workers wait for peers.
        for waits in 0..=world.threads {
            add(&|next| next.threads += next.counts.grow(waits, world.threads));
        }
        // No thread can be started.
        add(&|next| {
            for _ in 0..next.counts.grow(0, world.threads) {
                match self.fault {
                    Fault::Forgets => {}
                    _ => next.counts.start_failed(),
                }
            }
        });
        add(&|next| next.counts.rest());
        for needed in 0..=world.threads {
            add(&|next| next.counts.trim(needed));
        }
        add(&|next| {
            let ends = next.counts.end_surplus();
            next.threads -= usize::from(ends && self.fault != Fault::Lingers);
        });
        add(&|next| {
            let ends = next.counts.end_spare() || self.fault == Fault::Deserts;
            next.threads -= usize::from(ends);
        });
        all
    }

    /// What holds in every world.
    fn judge(&self, world: World) -> Result<(), String> {
        let World { counts, threads } = world;
        let rules = [
            ("no more threads than allowed", threads <= self.max),
            ("never fewer than at the start", threads >= self.base),
            ("the counts are the threads", counts.all() == threads),
            (
                "the first workers are no surplus",
                counts.surplus() + self.base <= threads.max(self.base),
            ),
            ("growth is told", counts.is_grown() == (threads > self.base)),
            ("all that is held is missed", counts.lacks(threads)),
            (
                "enough is enough",
                !counts.lacks(threads.saturating_sub(self.base)),
            ),
            (
                "the cap is reached soon",
                self.looks_to_cap(world) <= 1 + 12,
            ),
            ("a surplus ends", self.ends(world)),
            ("a share is kept in time", self.keeps(world)),
        ];
        match rules.iter().find(|(_, holds)| !holds) {
            Some((rule, _)) => Err(format!("{rule}: {world:?}")),
            None => Ok(()),
        }
    }

    /// Looks that find all workers held until no more may be started: 2, 4, 8 and so on reach 4,096
    /// with the twelfth.
    fn looks_to_cap(&self, world: World) -> usize {
        let mut counts = world.counts;
        let looks = (0..=20).take_while(|_| grow(&mut counts) > 0);
        looks.count()
    }

    /// However many calls are not counted yet when counting begins, and if all are of one kind,
    /// that kind leaves a worker in eight.
    fn keeps(&self, World { counts, threads }: World) -> bool {
        let needs_not = self.max < 8 || 2 * self.base >= self.max;
        // Of those that do not wait for peers, one is left at the least.
        let least = |waits| if waits == 0 { self.max / 8 } else { 1 };
        needs_not
            || (0..=threads.min(counts.waiting_max())).all(|waits| {
                let others = threads - waits;
                counts.is_crowded(waits)
                    || others + counts.share(threads) <= self.max - waits - least(waits)
            })
    }

    /// Without a load, halves of the surplus end until the first workers are left.
    fn ends(&self, world: World) -> bool {
        let mut counts = world.counts;
        for _ in 0..16 {
            counts.trim(0);
            while counts.end_surplus() {}
        }
        counts.all() == self.base && counts.surplus() == 0
    }

    fn explore(&self) -> Result<usize, String> {
        let first = self.first();
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

/// A look that finds all workers held by handlers.
fn grow(counts: &mut WorkerCounts) -> usize {
    counts.grow(0, counts.all())
}

#[test]
fn the_counts_hold_in_every_history() {
    for (base, max) in [
        (1, 1),
        (1, 2),
        (1, 4),
        (2, 2),
        (2, 3),
        (2, 40),
        (3, 8),
        (3, 9),
        (1, 16),
        (4, 2),
    ] {
        let bounds = Bounds {
            base,
            max: max.max(base),
            fault: Fault::None,
        };
        let worlds = bounds.explore().unwrap_or_else(|why| panic!("{why}"));
        println!("base {base}, max {max}: {worlds} worlds");
    }
}

#[test]
fn a_planted_fault_in_the_counts_use_is_found() {
    for fault in [Fault::Deserts, Fault::Lingers, Fault::Forgets] {
        let bounds = Bounds {
            base: 2,
            max: 9,
            fault,
        };
        let why = bounds.explore().expect_err("a fault that is not found");
        println!("{fault:?}: {why}");
    }
}

#[test]
fn stand_ins_double_with_each_look_that_finds_too_few() {
    let mut counts = WorkerCounts::new(2, 256);
    while counts.start_first() {}
    let grown: Vec<_> = (0..9).map(|_| grow(&mut counts)).collect();
    assert_eq!(grown, [2, 4, 8, 16, 32, 64, 128, 0, 0]);
    assert_eq!(counts.all(), 256);
}

/// Three workers in four may wait for peers: nobody else needs more than those.
#[test]
fn workers_that_wait_for_peers_are_replaced_up_to_their_quota() {
    let mut counts = WorkerCounts::new(2, 256);
    while counts.start_first() {}
    let grown: Vec<_> = (0..7)
        .map(|_| counts.grow(counts.all(), counts.all()))
        .collect();
    assert_eq!(grown, [2, 4, 8, 16, 32, 64, 66]);
    assert_eq!(counts.all(), 192 + 2);
    assert!(!counts.lacks(192));
    // Of 128 held workers, this many wait for peers.
    for (waits, more) in [(107, 127), (106, 128), (105, 128), (127, 67)] {
        let mut counts = WorkerCounts::new(2, 256);
        while counts.start_first() || counts.all() < 128 && grow(&mut counts) > 0 {}
        assert_eq!(counts.grow(waits, 128), more, "{waits}");
    }
    // Of 194.
    for (waits, more) in [(191, 7), (192, 4), (193, 2), (194, 2)] {
        let mut counts = counts;
        assert_eq!(counts.grow(waits, 194), more, "{waits}");
    }
}

/// The calls of one kind are counted once half of the most workers are there, and hold seven in
/// eight of these with those that may be of the same kind.
#[test]
fn one_kind_leaves_a_worker_in_eight() {
    for (base, max, from) in [(2, 256, 128), (2, 8, 4), (3, 9, 5), (200, 256, 202)] {
        let mut counts = WorkerCounts::new(base, max);
        while counts.start_first() {}
        while counts.all() < from {
            assert!(!counts.is_crowded(0), "{counts:?}");
            grow(&mut counts);
        }
        assert!(counts.is_crowded(0), "{counts:?}");
    }
    // None is kept, or nobody stands in.
    for (base, max) in [(2, 7), (256, 256)] {
        let mut counts = WorkerCounts::new(base, max);
        while counts.start_first() || grow(&mut counts) > 0 {}
        assert!(!counts.is_crowded(0), "{counts:?}");
    }
    for (max, uncounted, share) in [
        (256, 0, 224),
        (256, 1, 223),
        (256, 192, 32),
        (256, 193, 32),
        (256, 256, 32),
        (8, 0, 7),
        (8, 7, 1),
        (15, 0, 14),
        (16, 0, 14),
        (1, 1, 1),
    ] {
        let counts = WorkerCounts::new(1, max);
        assert_eq!(counts.share(uncounted), share, "{max} {uncounted}");
    }
    // Those that wait for peers are another matter.
    let mut counts = WorkerCounts::new(4, 256);
    while counts.start_first() || counts.all() < 128 && grow(&mut counts) > 0 {}
    assert_eq!(counts.all(), 130);
    for (waits, is_crowded) in [(0, true), (4, true), (5, false), (130, false), (300, false)] {
        assert_eq!(counts.is_crowded(waits), is_crowded, "{waits}");
    }
}

/// Half of the workers that are neither first nor needed, rounded up.
#[test]
fn a_trim_keeps_those_that_are_needed() {
    let mut counts = WorkerCounts::new(2, 256);
    while counts.start_first() || grow(&mut counts) > 0 {}
    for (needed, surplus) in [(256, 0), (254, 0), (253, 1), (252, 1), (200, 27), (0, 127)] {
        counts.trim(needed);
        assert_eq!(counts.surplus(), surplus, "{needed}");
    }
    // A look that finds too few workers ends it.
    grow(&mut counts);
    assert_eq!(counts.surplus(), 0);
}
