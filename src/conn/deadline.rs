//! Which wait ends when. Pure: a state and a time in, a deadline or a verdict out.

use super::close_reason::CloseReason;
use super::config::Config;
use super::moment::Moment;
use super::state::{Connection, Phase};
use crate::h1::Reject;

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
