//! The only place of the library that reads a clock.

use std::sync::OnceLock;
use std::time::{Duration, Instant, SystemTime};

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
    origin: Instant,
}

impl SystemClock {
    /// A clock whose origin is that of the process's first clock, so that two servers that share a
    /// handler tell it the same time.
    pub fn start() -> SystemClock {
        static ORIGIN: OnceLock<Instant> = OnceLock::new();
        SystemClock {
            origin: *ORIGIN.get_or_init(Instant::now),
        }
    }
}

impl Clock for SystemClock {
    fn now(&self) -> (Duration, SystemTime) {
        (self.origin.elapsed(), SystemTime::now())
    }

    fn monotonic(&self) -> Duration {
        self.origin.elapsed()
    }
}
