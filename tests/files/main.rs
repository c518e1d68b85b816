//! The file service, asked without a socket or a thread: what is served, what is refused, and how it is said.
#![cfg(feature = "files")]

// An open file can be replaced by renaming on a Unix only.
#[cfg(unix)]
mod agreement;
mod cache;
mod conditions;
mod hashed_name;
mod lessons;
mod listing;
mod media_types;
mod mounts;
mod options;
#[path = "../invariants/path.rs"]
mod path_invariant;
mod race;
mod ranges;
mod replaced_root;
mod representations;
mod resolve;
mod served;
mod statuses;
mod times;
mod tree;

/// Says that a test could not be made here, and why.
fn skip(name: &str, why: &str) {
    println!("SKIPPED {name}: {why}");
}
