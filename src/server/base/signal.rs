//! The shutdown request, and the housekeeper's alarm.

use crate::conn::Moment;
use crate::server::base::lock::lock;
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

/// Requests for the housekeeper, which sleeps on it.
#[derive(Debug, Default)]
pub struct Signal {
    requested: Mutex<Requested>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Requested {
    /// When the grace is over, once a shutdown has been requested.
    until: Option<Moment>,
    /// When the drain is over, once one has been requested, and the grace that follows.
    drain: Option<(Moment, Duration)>,
    /// Whether the housekeeper has to check the workers or the listeners.
    alarm: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Woken {
    Shutdown,
    /// The workers or the listeners need a check.
    Alarm,
    Time,
}

impl Signal {
    /// Requests a shutdown that lasts until this moment at most. A later call can only make it
    /// shorter.
    pub fn request_shutdown(&self, until: Moment) {
        let mut requested = lock(&self.requested);
        requested.until = Some(requested.until.map_or(until, |before| before.min(until)));
        self.changed.notify_all();
    }

    /// Requests a shutdown that begins at this moment and lasts for `grace`. A later call can only
    /// make it begin sooner.
    pub fn request_drain(&self, begin: Moment, grace: Duration) {
        let mut requested = lock(&self.requested);
        let sooner = requested.drain.is_none_or(|(before, _)| begin < before);
        if sooner {
            requested.drain = Some((begin, grace));
        }
        requested.alarm = true;
        self.changed.notify_all();
    }

    /// When the requested drain ends and the shutdown begins, and with what grace.
    pub fn requested_drain(&self) -> Option<(Moment, Duration)> {
        lock(&self.requested).drain
    }

    /// Whether a shutdown, or the drain before it, has been requested.
    pub fn is_requested(&self) -> bool {
        let requested = lock(&self.requested);
        requested.until.is_some() || requested.drain.is_some()
    }

    /// Ends the housekeeper's sleep, the present or the next.
    pub fn alarm(&self) {
        lock(&self.requested).alarm = true;
        self.changed.notify_all();
    }

    /// Sleeps for this long, or until there is something to do.
    pub fn wait(&self, timeout: Duration) -> Woken {
        let sleeps = |requested: &mut Requested| requested.until.is_none() && !requested.alarm;
        let waited = self
            .changed
            .wait_timeout_while(lock(&self.requested), timeout, sleeps);
        let mut requested = waited.unwrap_or_else(PoisonError::into_inner).0;
        match (requested.until, std::mem::take(&mut requested.alarm)) {
            (Some(_), _) => Woken::Shutdown,
            (None, true) => Woken::Alarm,
            (None, false) => Woken::Time,
        }
    }

    /// Waits for this long, or until the grace is made shorter.
    pub fn pause(&self, timeout: Duration) {
        let requested = lock(&self.requested);
        drop(self.changed.wait_timeout(requested, timeout));
    }

    /// When the grace is over; `now` when no shutdown has been requested.
    pub fn deadline(&self, now: Moment) -> Moment {
        lock(&self.requested).until.unwrap_or(now)
    }
}
