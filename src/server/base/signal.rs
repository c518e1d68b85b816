//! Where a shutdown is requested, and what wakes the housekeeper.

use crate::conn::Moment;
use crate::server::base::lock::lock;
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

/// Where a shutdown is asked for and waited for.
#[derive(Debug, Default)]
pub struct Signal {
    asked: Mutex<Asked>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Asked {
    /// When the grace is over, once a shutdown has been asked for.
    until: Option<Moment>,
    /// When the drain is over, once one has been asked for, and the grace that follows.
    drain: Option<(Moment, Duration)>,
    /// The housekeeper is to look after the workers, or the listeners.
    alarm: bool,
}

/// What ended a housekeeper's sleep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Woken {
    /// A shutdown has been asked for.
    Shutdown,
    /// It is to look after the others.
    Alarm,
    /// The time is over.
    Time,
}

impl Signal {
    /// Nobody has asked yet.
    pub fn new() -> Signal {
        Signal::default()
    }

    /// Asks for a shutdown that lasts until this moment at most. A later call can only make it shorter.
    pub fn ask(&self, until: Moment) {
        let mut asked = lock(&self.asked);
        asked.until = Some(asked.until.map_or(until, |before| before.min(until)));
        self.changed.notify_all();
    }

    /// Asks for a shutdown that begins at this moment and lasts for `grace`. A later call can only make it begin sooner.
    pub fn ask_from(&self, begin: Moment, grace: Duration) {
        let mut asked = lock(&self.asked);
        let sooner = asked.drain.is_none_or(|(before, _)| begin < before);
        if sooner {
            asked.drain = Some((begin, grace));
        }
        asked.alarm = true;
        self.changed.notify_all();
    }

    /// When the shutdown begins that has been asked for, and with what grace.
    pub fn drain(&self) -> Option<(Moment, Duration)> {
        lock(&self.asked).drain
    }

    /// Whether a shutdown, or the drain before one, has been asked for.
    pub fn is_asked(&self) -> bool {
        let asked = lock(&self.asked);
        asked.until.is_some() || asked.drain.is_some()
    }

    /// Ends the housekeeper's sleep, the present or the next.
    pub fn alarm(&self) {
        lock(&self.asked).alarm = true;
        self.changed.notify_all();
    }

    /// Sleeps for this long, or until there is something to do.
    pub fn wait(&self, timeout: Duration) -> Woken {
        let sleeps = |asked: &mut Asked| asked.until.is_none() && !asked.alarm;
        let waited = self
            .changed
            .wait_timeout_while(lock(&self.asked), timeout, sleeps);
        let mut asked = waited.unwrap_or_else(PoisonError::into_inner).0;
        match (asked.until, std::mem::take(&mut asked.alarm)) {
            (Some(_), _) => Woken::Shutdown,
            (None, true) => Woken::Alarm,
            (None, false) => Woken::Time,
        }
    }

    /// PeerWait for this long, or until the grace is made shorter.
    pub fn pause(&self, timeout: Duration) {
        let asked = lock(&self.asked);
        drop(self.changed.wait_timeout(asked, timeout));
    }

    /// When the grace is over; `now` when nobody has asked.
    pub fn deadline(&self, now: Moment) -> Moment {
        lock(&self.asked).until.unwrap_or(now)
    }
}
