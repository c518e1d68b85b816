//! The only place of the library that reads a clock.

use std::sync::OnceLock;
use std::time::{Duration, SystemTime};

/// Monotonic and wall time, read together.
pub trait Clock: Send + Sync {
    /// Time since an origin of the clock's own (never goes back), and wall time.
    fn now(&self) -> (Duration, SystemTime);

    /// The first of the two alone.
    fn monotonic(&self) -> Duration {
        self.now().0
    }
}

/// The machine's clocks.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock {
    origin: Duration,
}

impl SystemClock {
    /// A clock whose origin is that of the process's first clock, so that two servers that share a
    /// handler tell it the same time.
    pub fn start() -> SystemClock {
        static ORIGIN: OnceLock<Duration> = OnceLock::new();
        SystemClock {
            origin: *ORIGIN.get_or_init(monotonic),
        }
    }
}

impl Clock for SystemClock {
    fn now(&self) -> (Duration, SystemTime) {
        (self.monotonic(), SystemTime::now())
    }

    fn monotonic(&self) -> Duration {
        monotonic().saturating_sub(self.origin)
    }
}

/// On 32 bits the C library may have another form of the time.
#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
use super::linux::monotonic::monotonic;

#[cfg(not(all(target_os = "linux", target_pointer_width = "64")))]
fn monotonic() -> Duration {
    use std::time::Instant;
    static START: OnceLock<Instant> = OnceLock::new();
    START.get_or_init(Instant::now).elapsed()
}
