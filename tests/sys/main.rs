//! The contract of the room `sys`, asked of every backend and every strategy of this system.

mod agreement;
mod beneath;
mod file_identity;
mod harness;
mod listener;
mod machine;
mod metadata;
mod poller;
mod race;
mod read_dir;
mod special;
mod stream;
#[path = "../support/mod.rs"]
mod support;
mod symlinks;
