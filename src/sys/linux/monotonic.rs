//! `CLOCK_MONOTONIC`, the clock of std's `Instant`, as a plain number: a difference of two numbers
//! takes half as long as one of two `Instant`s, and each request takes two.

use crate::sys::unix::ffi;
use std::time::Duration;

/// linux/time.h.
const CLOCK_MONOTONIC: i32 = 1;

/// The time since the machine's start or so.
pub fn monotonic() -> Duration {
    let mut time = ffi::Time::default();
    // Every Linux has this clock, and the address is valid: no error is left (clock_gettime(2)).
    // SAFETY: the time is written to a local of the type that the system expects.
    unsafe { ffi::clock_gettime(CLOCK_MONOTONIC, &raw mut time) };
    Duration::new(time.seconds as u64, time.fraction as u32)
}
