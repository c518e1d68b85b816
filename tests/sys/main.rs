//! What the room `sys` promises, asked of every backend and every strategy that this system has.

mod agreement;
mod beneath;
mod entries;
mod file;
mod listener;
mod look;
mod machine;
mod poller;
mod race;
mod special;
mod stream;
mod support;
mod symlinks;
