//! Shared by the test programs, each of which includes this folder: the simulated system, the
//! server's parts put together, an observer that remembers, a strict client, temporary folders,
//! byte patterns, an allocator that counts.

// Each program uses a part of it only.
#![allow(dead_code, unused_imports)]

pub mod bytes;
pub mod client;
pub mod counting;
pub mod random;
pub mod recorder;
pub mod server;
pub mod simulated;
pub mod temporary;

use std::io::{self, Write};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

/// No single wait of a test is longer. Only a fault comes near it.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// Says why a test proves nothing here; past the harness, which hides what a test that passes
/// prints.
pub fn skipped(name: &str, why: &str) {
    let _ = writeln!(io::stderr(), "SKIPPED {name}: {why}");
}

/// Waits until something is true; false when it never becomes so.
pub fn eventually(mut is_so: impl FnMut() -> bool) -> bool {
    let end = Instant::now() + PATIENCE;
    while !is_so() {
        if Instant::now() >= end {
            return false;
        }
        thread::sleep(Duration::from_millis(1));
    }
    true
}

/// What something gives that has to end in time.
#[track_caller]
pub fn in_time<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let (tell, told) = mpsc::channel();
    thread::spawn(move || tell.send(work()).is_ok());
    told.recv_timeout(PATIENCE).expect("an end in time")
}
