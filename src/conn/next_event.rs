//! A connection as a loop drives it that owns its stream: one question, "what now?", and what to do.
//!
//! In: the octets that have come, the time. Out: the octets themselves, which the caller keeps; the wait. Never: content held
//! back until there is more of it; an octet that is here and can be read left for a deadline.

use super::close_reason::CloseReason;
use super::config::Config;
use super::deadline::Expiry;
use super::event::Event;
use super::moment::Moment;
use super::receive::Received;
use super::state::{Connection, Phase, Stage};
use crate::h1::Reject;
use crate::h1::write::CONTINUE;
use crate::semantics::FieldTable;

impl Connection {
    /// What to do next, at this time, with `input`: the octets that have come and that no event has taken yet.
    ///
    /// Field lines of a head go into `table`. `100 Continue`, if the client waits for it, is appended to `out` when its content is
    /// asked for and none of it is here (RFC 9110 §10.1.1); so whoever does not want it answers before.
    ///
    /// What is here comes before what the time says: a deadline counts only when the next event would be [`Event::Read`], which
    /// is then a refusal (408) or the end. Each octet of the input is looked at once, those of a head at most twice.
    pub fn next_event(
        &mut self,
        input: &[u8],
        table: &mut FieldTable,
        now: Moment,
        config: &Config,
        out: &mut Vec<u8>,
    ) -> Event {
        match self.phase() {
            Phase::Idle | Phase::Head => match self.receive(input, table, now, config) {
                Ok(Received::Head { head, used }) => {
                    // Nothing is gathered: the loop has its content as it comes.
                    self.stage = Stage::Handle;
                    Event::Head { head, used }
                }
                Ok(Received::More) => self.wait(now),
                Err(reject) => self.refused(reject),
            },
            Phase::Handle => self.content(input, now, config, out),
            Phase::Send => Event::Send,
            Phase::Discard => match self.discard(input, now, config) {
                0 if self.phase() == Phase::Discard => self.wait(now),
                used => dropped(used),
            },
            // HTTP has ended here, and the rest is another protocol's.
            Phase::Linger if self.close_reason == Some(CloseReason::Upgraded) => {
                self.closed(CloseReason::Upgraded)
            }
            Phase::Linger if input.is_empty() => self.wait(now),
            Phase::Linger => dropped(input.len()),
            Phase::Closed => Event::Close(self.close_reason.unwrap_or(CloseReason::Answered)),
            // Whoever gathers does not ask here; see `receive` above.
            Phase::Prefetch => Event::Read,
        }
    }

    /// The peer has closed its side: nothing comes behind what is here. What is here is still read and answered, as a half-close is
    /// no abort; then comes [`Event::Close`].
    pub fn input_ended(&mut self) {
        self.input_ended = true;
    }

    /// The handler's turn: its content, or that all of it has been taken.
    fn content(&mut self, input: &[u8], now: Moment, config: &Config, out: &mut Vec<u8>) -> Event {
        if let Some(CloseReason::Rejected(reject)) = self.close_reason {
            return Event::Refuse(reject);
        }
        if self.content_is_read() {
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
        if now >= self.content_deadline(now, config) {
            return self.refused(Reject::ContentTimeout);
        }
        if self.take_continue() {
            out.extend_from_slice(CONTINUE);
        }
        Event::Read
    }

    /// Nothing can be done with what is here.
    fn wait(&mut self, now: Moment) -> Event {
        if self.input_ended {
            let reason = self.peer_closed();
            return self.closed(reason.unwrap_or(CloseReason::PeerClosedEarly));
        }
        match self.expire(now, false, self.deadline) {
            Expiry::NotYet => Event::Read,
            Expiry::Refuse(reject) => self.refused(reject),
            Expiry::Close(reason) => self.closed(reason),
        }
    }

    fn refused(&mut self, reject: Reject) -> Event {
        self.refuse(reject);
        Event::Refuse(reject)
    }

    fn closed(&mut self, reason: CloseReason) -> Event {
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
