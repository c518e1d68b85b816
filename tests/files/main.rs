//! The file service, asked without a socket or a thread.
#![cfg(feature = "files")]

// Only on Unix can an open file be replaced by renaming.
#[cfg(unix)]
mod agreement;
mod cache;
mod conditions;
mod disks;
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
#[path = "../support/mod.rs"]
mod support;
mod times;
mod tree;
