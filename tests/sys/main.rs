//! What the room `sys` promises, asked of every backend and every strategy that this system has.

mod agreement;
mod beneath;
mod file_identity;
mod listener;
mod machine;
mod metadata;
mod poller;
mod race;
mod read_dir;
mod special;
mod stream;
mod support;
mod symlinks;
