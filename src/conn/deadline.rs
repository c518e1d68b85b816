//! Which wait ends when. Pure: a state and a time in, a deadline or a verdict out.

use super::{CloseReason, Config, Connection, Phase};
use crate::h1::Reject;
use std::time::Duration;

/// A point in time: milliseconds since an origin of the caller's own, on a clock that never goes back, such as the elapsed time of
/// a [`std::time::Instant`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(pub u64);

impl Moment {
    /// Later than every time that a clock gives.
    pub const NEVER: Moment = Moment(u64::MAX);

    /// The moment at which a monotonic clock shows `elapsed`.
    pub fn at(elapsed: Duration) -> Moment {
        Moment(u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX))
    }

    /// This long after.
    pub fn after(self, wait: Duration) -> Moment {
        Moment(self.0.saturating_add(Moment::at(wait).0))
    }

    /// How long from `now` until this moment; zero when it is over.
    pub fn since(self, now: Moment) -> Duration {
        Duration::from_millis(self.0.saturating_sub(now.0))
    }
}

/// How long one transfer may still keep the server waiting: a bound on each single wait, and one on all of them that grows
/// with what was moved. Without the second, an octet every 29 seconds would hold a connection for ever.
///
/// Small, as each connection has two of them: what was earned and what was waited are kept as their difference. It counts up
/// to 24 days, in either direction; a transfer that is owed more than that, or owes more, is owed or owes that.
#[derive(Clone, Copy, Debug)]
pub(super) struct MinRate {
    /// When the present wait began; [`Moment::NEVER`] while there is none.
    since: Moment,
    /// Milliseconds that were earned, less those that were waited.
    credit: i32,
    /// Octets that were moved and have not earned a second yet.
    odd: u32,
}

impl MinRate {
    /// Of a transfer that has not begun.
    pub(super) const NEW: MinRate = MinRate {
        since: Moment::NEVER,
        credit: 0,
        odd: 0,
    };

    /// Octets have moved.
    pub(super) fn progress(&mut self, now: Moment, octets: u64, min_rate: u32) {
        if self.is_waiting() {
            let waited = now.0.saturating_sub(self.since.0);
            self.credit = self.credit.saturating_sub(milliseconds(waited));
            self.since = Moment::NEVER;
        }
        let rate = u64::from(min_rate.max(1));
        let octets = octets.saturating_add(u64::from(self.odd));
        // The rest of a division by a `u32` is one.
        self.odd = (octets % rate) as u32;
        self.credit = self.credit.saturating_add(earned(octets, min_rate));
    }

    /// Another transfer begins, behind one that may still keep the server waiting.
    pub(super) fn begin(&mut self) {
        self.credit = 0;
        self.odd = 0;
    }

    /// Whether a wait has begun and not ended.
    pub(super) fn is_waiting(&self) -> bool {
        self.since != Moment::NEVER
    }

    /// Octets that have been counted, and were all, are to be counted once more, elsewhere.
    pub(super) fn forget(&mut self, octets: u64, min_rate: u32) {
        self.credit = self.credit.saturating_sub(earned(octets, min_rate));
        self.odd = 0;
    }

    /// A wait begins, or goes on: its deadline.
    pub(super) fn wait(&mut self, now: Moment, idle: Duration) -> Moment {
        if !self.is_waiting() {
            self.since = now;
        }
        let idle = Moment::at(idle).0;
        let in_all = idle.saturating_add_signed(i64::from(self.credit));
        Moment(self.since.0.saturating_add(idle.min(in_all)))
    }
}

/// What so many octets earn: a second for each time the least rate.
fn earned(octets: u64, min_rate: u32) -> i32 {
    let seconds = octets / u64::from(min_rate.max(1));
    milliseconds(seconds.saturating_mul(1_000))
}

/// As many as can be counted.
fn milliseconds(count: u64) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

/// What to do with a connection whose deadline is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expiry {
    /// Not over yet.
    NotYet,
    /// Refuse what was begun with this (a 408), then close.
    Refuse(Reject),
    /// Close without a word.
    Close(CloseReason),
}

impl Connection {
    /// When the wait for the peer's octets ends. It counts from [`Event::Read`](super::Event::Read) to the next event.
    pub fn read_deadline(&self) -> Moment {
        self.deadline
    }

    /// An answer's octets wait for the peer to read: when that wait ends ([`Timeouts::write`](crate::Timeouts::write), and the least
    /// rate). Beyond, the connection is to be closed, for [`CloseReason::WriteTimeout`].
    pub fn write_deadline(&mut self, now: Moment, config: &Config) -> Moment {
        self.writing.wait(now, config.timeouts.write)
    }

    /// So many octets of what was framed have been sent, as far as this end can tell.
    pub fn wrote(&mut self, now: Moment, octets: u64, config: &Config) {
        // The idle time is the client's from when it could read the answer, not from when that was framed.
        if self.phase() == Phase::Idle && self.writing.is_waiting() {
            self.deadline = now.after(config.timeouts.keep_alive);
        }
        // So is the time for the last answer.
        if self.phase() == Phase::Linger && octets > 0 {
            self.deadline = now.after(config.timeouts.linger);
        }
        let min_rate = config.timeouts.min_rate;
        self.writing.progress(now, octets, min_rate);
    }

    /// The wait for content that is needed now: when it ends.
    #[doc(hidden)]
    pub fn content_deadline(&mut self, now: Moment, config: &Config) -> Moment {
        self.deadline = self.reading.wait(now, config.timeouts.body);
        self.deadline
    }

    /// What the time means for a connection that waits for its peer.
    #[doc(hidden)]
    pub fn expire(&self, now: Moment, waits_to_write: bool, deadline: Moment) -> Expiry {
        if now < deadline {
            return Expiry::NotYet;
        }
        if waits_to_write {
            return Expiry::Close(CloseReason::WriteTimeout);
        }
        match self.phase() {
            Phase::Idle => Expiry::Close(CloseReason::IdleTimeout),
            // RFC 9110 §15.5.9: "the server did not receive a complete request message within the time that it was
            // prepared to wait".
            Phase::Head => Expiry::Refuse(Reject::HeadTimeout),
            Phase::Prefetch => Expiry::Refuse(Reject::ContentTimeout),
            Phase::Handle => Expiry::NotYet,
            Phase::Send => Expiry::Close(CloseReason::WriteTimeout),
            Phase::Discard => Expiry::Close(CloseReason::UnreadContent),
            Phase::Linger | Phase::Closed => {
                Expiry::Close(self.close_reason.unwrap_or(CloseReason::Answered))
            }
        }
    }
}
