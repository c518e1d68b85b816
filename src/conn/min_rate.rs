//! The minimum rate of one transfer, and how long it may still keep the server waiting.

use super::moment::Moment;
use std::time::Duration;

/// How long one transfer may still keep the server waiting. Each wait is bounded, and so is their
/// sum, by a bound that grows with the bytes moved. Without the second, a byte every 29 seconds
/// would hold a connection forever.
///
/// Small, as each connection has two: only the difference between time earned and time waited is
/// kept. It saturates at ±24 days.
#[derive(Clone, Copy, Debug)]
pub(super) struct MinRate {
    /// When the current wait began; [`Moment::NEVER`] while there is none.
    pub(super) since: Moment,
    /// Milliseconds earned, less those waited.
    pub(super) credit: i32,
    /// Bytes moved that have not earned a second yet.
    pub(super) odd: u32,
}

impl MinRate {
    pub(super) const NEW: MinRate = MinRate {
        since: Moment::NEVER,
        credit: 0,
        odd: 0,
    };

    pub(super) fn progress(&mut self, now: Moment, bytes: u64, min_rate: u32) {
        if self.is_waiting() {
            let waited = now.0.saturating_sub(self.since.0);
            self.credit = self.credit.saturating_sub(milliseconds(waited));
            self.since = Moment::NEVER;
        }
        let rate = u64::from(min_rate.max(1));
        let bytes = bytes.saturating_add(u64::from(self.odd));
        // The remainder of a division by a `u32` fits a `u32`.
        self.odd = (bytes % rate) as u32;
        self.credit = self.credit.saturating_add(earned(bytes, min_rate));
    }

    pub(super) fn is_waiting(&self) -> bool {
        self.since != Moment::NEVER
    }

    /// Takes back what these bytes, all that were counted, have earned: they are counted again
    /// elsewhere.
    pub(super) fn forget(&mut self, bytes: u64, min_rate: u32) {
        self.credit = self.credit.saturating_sub(earned(bytes, min_rate));
        self.odd = 0;
    }

    /// Begins or continues a wait, and returns its deadline.
    pub(super) fn wait(&mut self, now: Moment, idle: Duration) -> Moment {
        if !self.is_waiting() {
            self.since = now;
        }
        let idle = Moment::at(idle).0;
        let in_all = idle.saturating_add_signed(i64::from(self.credit));
        Moment(self.since.0.saturating_add(idle.min(in_all)))
    }
}

/// What n bytes earn: a second for each multiple of the minimum rate.
fn earned(bytes: u64, min_rate: u32) -> i32 {
    let seconds = bytes / u64::from(min_rate.max(1));
    milliseconds(seconds.saturating_mul(1_000))
}

fn milliseconds(count: u64) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}
