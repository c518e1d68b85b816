//! Shared by the test programs, each of which includes this folder: the simulated system, the
//! server's parts put together, an observer that remembers, temporary folders, byte patterns.

// Each program uses a part of it only.
#![allow(dead_code, unused_imports)]

pub mod bytes;
pub mod random;
pub mod recorder;
pub mod server;
pub mod simulated;
pub mod temporary;

use std::time::Duration;

/// No single wait of a test is longer. Only a fault comes near it.
pub const PATIENCE: Duration = Duration::from_secs(10);
