//! The end of a connection's wait: what its deadline means once the bytes that are here have been
//! read and sent.
//!
//! The housekeeper looks at a connection whose body lies in memory. One whose body is a file, or
//! the program's, is left to a worker, because a disk may hang and a program may block.

use crate::conn::{CloseReason, Phase};
use crate::server::client::output::Progress;
use crate::server::worker::turn::{Step, Turn, TurnEnd};
use crate::sys::Interest;
use std::time::Duration;

impl Turn<'_> {
    /// Whether its deadline is over and a worker has to see to that.
    pub(super) fn is_overdue(&self) -> bool {
        self.client.needs_worker() && self.client.deadline <= self.moment
    }

    /// Handles a deadline that may be over.
    pub(super) fn on_deadline(&mut self) -> Step {
        if self.moment < self.client.deadline {
            return Step::End(TurnEnd::Wait(self.client.interest()));
        }
        // The peer is not to blame for bytes that are here and that no worker has read yet.
        if self.server_is_behind() {
            return Step::End(TurnEnd::Wait(Interest::Read));
        }
        if self.client.waits_to_write {
            return self.write_once_more();
        }
        match self.client.conn.on_deadline(self.moment) {
            Some(_) => Step::Go,
            None => Step::End(TurnEnd::Wait(Interest::Read)),
        }
    }

    /// Refuses a message that is not complete although its time is over and all that came has been
    /// read: the sweep leaves it to the worker while there is something to read, which could go on
    /// forever.
    pub(super) fn reject_late(&mut self) -> Option<Step> {
        match self.client.conn.phase() {
            Phase::Head | Phase::Prefetch | Phase::Discard => {
                self.client.conn.on_deadline(self.moment).map(|_| Step::Go)
            }
            _ => None,
        }
    }

    /// Whether bytes of the peer lie unread, because every worker is busy or all threads were
    /// paused.
    fn server_is_behind(&mut self) -> bool {
        let client = &mut *self.client;
        matches!(
            client.conn.phase(),
            Phase::Idle | Phase::Head | Phase::Prefetch | Phase::Discard
        ) && !client.waits_to_write
            && matches!(client.stream.wait(Interest::Read, Duration::ZERO), Ok(true))
    }

    /// Tries to write before a connection is closed for not being writable: a socket is reported so
    /// only when a third of its buffer is free (tcp(7), epoll(7) on EPOLLOUT), which can be more
    /// than a steady reader takes in the whole wait.
    fn write_once_more(&mut self) -> Step {
        let before = self.moved;
        let sent = self.send_pending();
        let client = &mut *self.client;
        let keeps_up = match sent {
            // Nothing was owed: with room in its socket, the connection waits for a worker and not
            // for its client.
            Ok(Progress::Done) if self.moved == before => {
                let ready = client.stream.wait(Interest::Write, Duration::ZERO);
                matches!(ready, Ok(true))
            }
            Ok(Progress::Done) => true,
            // The bytes taken may have earned less than the time that is used up.
            Ok(Progress::Blocked | Progress::Yield) => {
                let deadline = client.conn.write_deadline(self.moment, &self.shared.config);
                self.moved > before && deadline > self.moment
            }
            // Not the client's fault: the disk hangs.
            Ok(Progress::Full(_)) => return Step::End(TurnEnd::Close(CloseReason::Overload)),
            Err(_) => false,
        };
        Step::End(match keeps_up {
            true => TurnEnd::Wait(Interest::Write),
            false => TurnEnd::Close(CloseReason::WriteTimeout),
        })
    }
}
