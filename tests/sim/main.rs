//! The real server over the simulated system: one seed decides what every client sends and when,
//! how much each read and write moves, in which order events are handed out, which worker takes
//! them and how late it looks at them, and what the clocks show. Nothing waits for real time.
//!
//! 200 seeds run by default; `DOORSTEP_SEEDS=n` runs more, `DOORSTEP_SEED=s` runs one.

mod clients;
mod hanging;
mod run;
mod single;
#[path = "../support/mod.rs"]
mod support;

use run::run;
use support::simulated::InjectedFault;

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

#[test]
fn every_seed_is_served() {
    serve(match number("DOORSTEP_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("DOORSTEP_SEEDS").unwrap_or(200),
    });
}

#[test]
#[ignore = "takes minutes"]
fn ten_thousand_seeds_are_served() {
    serve(0..10_000);
}

fn serve(seeds: std::ops::Range<u64>) {
    let mut answers = 0;
    for seed in seeds {
        match run(seed, None) {
            Ok(told) => answers += told.answers,
            Err(why) => panic!("DOORSTEP_SEED={seed}: {why}"),
        }
    }
    assert!(answers > 0, "no client was answered");
}

/// The simulation sees what it is there to see.
#[test]
fn a_planted_fault_is_found() {
    for (name, fault) in InjectedFault::ALL {
        let found = (0..100).find_map(|seed| run(seed, Some(fault)).err());
        let why = found.unwrap_or_else(|| panic!("{name}: not found in 100 seeds"));
        println!("{name}: {why}");
    }
}
