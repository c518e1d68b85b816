//! A connection as a loop drives it that owns its stream: one question, "what now?", and what to do.
//!
//! Content is not held back until there is more of it, unless the settings say so, and an octet that is here and can be read is
//! never left for a deadline.

use super::close_reason::CloseReason;
use super::config::Config;
use super::event::Event;
use super::moment::Moment;
use super::state::{Connection, Phase, Stage};
use crate::h1::write::CONTINUE;
use crate::h1::{Reject, Resume};
use crate::semantics::FieldTable;

impl Connection {
    /// What to do next, at this time, with `input`: the bytes that have come and that no event has taken yet.
    ///
    /// Field lines of a head go into `table`. `100 Continue`, if the client waits for it, is appended to `out` when its body is
    /// asked for and none of it is here (RFC 9110 §10.1.1); so whoever does not want it responds before.
    ///
    /// What is here comes before what the time says: a deadline counts only when the next event would be [`Event::Read`], which
    /// is then a refusal (408) or the end. Each byte of the input is looked at once, those of a head at most twice, and once more
    /// when its body had to be [awaited](Config::prefetch_bytes).
    pub fn next_event(
        &mut self,
        input: &[u8],
        table: &mut FieldTable,
        now: Moment,
        config: &Config,
        out: &mut Vec<u8>,
    ) -> Event {
        let received = match self.stage {
            Stage::Idle | Stage::Head(_) if input.is_empty() => Ok(None),
            Stage::Idle => self.receive(Resume::default(), input, table, now, config),
            Stage::Head(resume) => self.receive(resume, input, table, now, config),
            Stage::Prefetch(prefetch) => self.receive_awaited(prefetch, input, table, now, config),
            Stage::Handle => return self.next_content(input, now, config, out),
            Stage::Send => return Event::Send,
            Stage::Discard(before) => match self.discard(before, input, now, config) {
                0 if self.phase() == Phase::Discard => Ok(None),
                used => return dropped(used),
            },
            Stage::Linger if input.is_empty() => Ok(None),
            Stage::Linger => return dropped(input.len()),
            Stage::Closed => return Event::Close(self.last_reason()),
        };
        match received {
            Ok(Some(event)) => event,
            Ok(None) => self.wait(now, config),
            Err(reject) => self.refused(reject),
        }
    }

    /// The part of [`next_event`](Connection::next_event) that is about the present request's body, for a program that pulls it
    /// while it holds the head, whose field lines lie in the table: [`Event::Content`], [`Event::Read`], or [`Event::Refuse`];
    /// [`Event::Respond`] when it has been taken to its end, and in every phase but [`Phase::Handle`].
    pub fn next_content(
        &mut self,
        input: &[u8],
        now: Moment,
        config: &Config,
        out: &mut Vec<u8>,
    ) -> Event {
        if self.phase() != Phase::Handle {
            return Event::Respond;
        }
        if let Some(CloseReason::Rejected(reject)) = self.close_reason {
            return Event::Refuse(reject);
        }
        if self.content_left() == Some(0) {
            return Event::Respond;
        }
        if !input.is_empty() {
            return match self.take_content(input, now, config) {
                Ok(step) => Event::Content {
                    used: step.used,
                    data: step.data,
                },
                Err(reject) => self.refused(reject),
            };
        }
        // RFC 9112 §8: "A server that receives an incomplete request message, usually due to a canceled request or a triggered
        // timeout exception, MAY send an error response prior to closing the connection."
        if self.input_ended {
            return self.refused(Reject::TruncatedContent);
        }
        if config.checks_deadlines && now >= self.content_deadline(now, config) {
            return self.refused(Reject::ContentTimeout);
        }
        if std::mem::take(&mut self.continue_due) {
            out.extend_from_slice(CONTINUE);
        }
        Event::Read
    }

    /// The peer has closed its side: nothing comes after what is here. What is here is still read and answered, as a half-close is
    /// no abort; then comes [`Event::Close`].
    pub fn input_ended(&mut self) {
        self.input_ended = true;
    }

    /// Nothing can be done with what is here.
    fn wait(&mut self, now: Moment, config: &Config) -> Event {
        if self.input_ended {
            return match self.phase() {
                Phase::Idle => self.closed(self.close_reason.unwrap_or(CloseReason::PeerClosed)),
                Phase::Linger => self.closed(self.last_reason()),
                _ => self.closed(CloseReason::PeerClosedEarly),
            };
        }
        match config.checks_deadlines {
            true => self.on_deadline(now).unwrap_or(Event::Read),
            false => Event::Read,
        }
    }

    pub(super) fn refused(&mut self, reject: Reject) -> Event {
        self.abandon(CloseReason::Rejected(reject));
        Event::Refuse(reject)
    }

    pub(super) fn closed(&mut self, reason: CloseReason) -> Event {
        self.stage = Stage::Closed;
        self.close_reason = Some(reason);
        Event::Close(reason)
    }
}

/// Octets that are to be dropped.
fn dropped(used: usize) -> Event {
    Event::Content {
        used,
        data: used..used,
    }
}
