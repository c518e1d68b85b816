//! Points in time on the caller's clock.

use std::time::Duration;

/// A point in time: milliseconds since an origin of the caller's choice, on a clock that never goes
/// back, such as the elapsed time of a [`std::time::Instant`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(pub u64);

impl Moment {
    /// Later than every time on a clock.
    pub const NEVER: Moment = Moment(u64::MAX);

    /// The moment at which a monotonic clock shows `elapsed`.
    pub fn at(elapsed: Duration) -> Moment {
        let whole = elapsed.as_secs().saturating_mul(1000);
        Moment(whole.saturating_add(u64::from(elapsed.subsec_millis())))
    }

    /// This moment plus a wait.
    pub fn after(self, wait: Duration) -> Moment {
        Moment(self.0.saturating_add(Moment::at(wait).0))
    }

    /// The time from `now` until this moment; zero when it has passed.
    pub fn since(self, now: Moment) -> Duration {
        Duration::from_millis(self.0.saturating_sub(now.0))
    }
}
