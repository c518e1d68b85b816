//! When each wait ends, and what happens then.

use super::close_reason::CloseReason;
use super::config::Config;
use super::event::Event;
use super::moment::Moment;
use super::state::{Connection, Phase};
use crate::h1::Reject;

impl Connection {
    /// When the wait for the peer's bytes ends. It runs from [`Event::Read`] to the next event.
    pub fn read_deadline(&self) -> Moment {
        self.deadline
    }

    /// Begins or continues the wait for the peer to read a response, and returns its end
    /// ([`Timeouts::write`](crate::Timeouts::write), and the minimum rate). After that, close the
    /// connection for [`CloseReason::WriteTimeout`].
    pub fn write_deadline(&mut self, now: Moment, config: &Config) -> Moment {
        self.writing.wait(now, config.timeouts.write)
    }

    /// Begins or continues the wait for the next bytes of the body, and returns its end
    /// ([`Timeouts::body`](crate::Timeouts::body), and the minimum rate).
    /// [`next_event`](Connection::next_event) does this itself where it [checks
    /// deadlines](Config::checks_deadlines).
    pub fn content_deadline(&mut self, now: Moment, config: &Config) -> Moment {
        self.deadline = self.reading.wait(now, config.timeouts.body);
        self.deadline
    }

    /// Tells the connection that n bytes of the output have been sent, as far as this end can tell.
    pub fn wrote(&mut self, now: Moment, bytes: u64, config: &Config) {
        // The idle time runs from when the client could read the response, not from when that was
        // framed.
        if self.phase() == Phase::Idle && self.writing.is_waiting() {
            self.deadline = now.after(config.timeouts.keep_alive);
        }
        // So does the time for the last response.
        if self.phase() == Phase::Linger && bytes > 0 {
            self.deadline = now.after(config.timeouts.linger);
        }
        let min_rate = config.timeouts.min_rate;
        self.writing.progress(now, bytes, min_rate);
    }

    /// What a deadline means when no more bytes have come: [`Event::Refuse`] or [`Event::Close`]
    /// once the wait is over, which [`next_event`](Connection::next_event) repeats. `None` before
    /// that, and where the peer is not waited for.
    pub fn on_deadline(&mut self, now: Moment) -> Option<Event> {
        if now < self.deadline {
            return None;
        }
        match self.phase() {
            Phase::Idle => Some(self.closed(CloseReason::IdleTimeout)),
            // RFC 9110 §15.5.9: "the server did not receive a complete request message within the
            // time that it was prepared to wait".
            Phase::Head => Some(self.refused(Reject::HeadTimeout)),
            Phase::Prefetch => Some(self.refused(Reject::ContentTimeout)),
            Phase::Handle if self.reading.is_waiting() => {
                Some(self.refused(Reject::ContentTimeout))
            }
            Phase::Handle | Phase::Send => None,
            Phase::Discard => Some(self.closed(CloseReason::UnreadContent)),
            Phase::Linger | Phase::Closed => Some(self.closed(self.last_reason())),
        }
    }
}
