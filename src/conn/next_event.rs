//! The connection as the loop drives it: the loop asks what is next, does it, and asks again.
//!
//! The body is not held back until there is more of it, unless the settings say so, and bytes that
//! are here and can be read are never left for a deadline.

use super::close_reason::CloseReason;
use super::config::Config;
use super::event::Event;
use super::min_rate::MinRate;
use super::moment::Moment;
use super::state::{Connection, Content, Phase, Prefetch, Stage};
use crate::h1::{self, Expect, Framing, Parsed, Reject, Resume, chunked};
use crate::semantics::{FieldTable, Method};

impl Connection {
    /// What to do next, at this time. `input` holds the bytes that have come and that no event has
    /// taken yet.
    ///
    /// Field lines of a head go into `table`. If the client waits for `100 Continue`, that is
    /// appended to `out` when the body is asked for and none of it is here (RFC 9110 §10.1.1); to
    /// keep it from being sent, respond before.
    ///
    /// Bytes come before time: a deadline counts only when the next event would be [`Event::Read`],
    /// which is then a refusal (408) or the end. Each byte of the input is read once, those of a
    /// head at most twice, and once more when the body had to be [awaited](Config::prefetch_bytes).
    pub fn next_event(
        &mut self,
        input: &[u8],
        table: &mut FieldTable,
        now: Moment,
        config: &Config,
        out: &mut Vec<u8>,
    ) -> Event {
        match self.stage {
            Stage::Idle | Stage::Head(_) if input.is_empty() => self.wait(now, config),
            Stage::Idle | Stage::Head(_) => self.receive(input, table, now, config),
            Stage::Prefetch(prefetch) => self.receive_awaited(prefetch, input, table, now, config),
            Stage::Handle => self.next_content(input, now, config, out),
            Stage::Send => Event::Send,
            Stage::Discard(before) => match self.discard(before, input, now, config) {
                0 if self.phase() == Phase::Discard => self.wait(now, config),
                used => dropped(used),
            },
            Stage::Linger if input.is_empty() => self.wait(now, config),
            Stage::Linger => dropped(input.len()),
            Stage::Closed => Event::Close(self.last_reason()),
        }
    }

    /// Looks for a head, and for the body that is awaited with it, at the start of `input`.
    fn receive(
        &mut self,
        input: &[u8],
        table: &mut FieldTable,
        now: Moment,
        config: &Config,
    ) -> Event {
        let resume = match self.stage {
            Stage::Head(resume) => resume,
            _ => Resume::START,
        };
        let (head, used) = match h1::parse_head(input, resume, &config.limits, table) {
            Ok(Parsed::Done { value: head, used }) => (head, used),
            Ok(Parsed::More { resume }) => {
                // The time for a head is counted in all, not per byte. Before the first request it
                // began with the accept, and that deadline stands.
                if self.phase() == Phase::Idle && self.requests > 0 {
                    self.deadline = now.after(config.timeouts.head);
                }
                self.stage = Stage::Head(resume);
                return self.wait(now, config);
            }
            Err(reject) => return self.refused(reject),
        };
        self.stage = Stage::Handle;
        self.requests = self.requests.saturating_add(1);
        self.version = head.version;
        self.is_head = head.method == Method::Head;
        self.is_connect = head.method == Method::Connect;
        self.keep_alive = head.keep_alive;
        self.continue_due = head.expect == Expect::Continue;
        self.reading = MinRate::NEW;
        self.content = match head.framing {
            Framing::None | Framing::Length(0) => Content::Done,
            Framing::Length(length) => Content::Length(length),
            Framing::Chunked => Content::Chunked(chunked::Decoder::default()),
        };
        if config.prefetch_bytes > 0 && !self.continue_due && !matches!(self.content, Content::Done)
        {
            let prefetch = Prefetch {
                // No head is longer: a span counts in `u32`.
                head: u32::try_from(used).unwrap_or(u32::MAX),
                here: 0,
                seen: 0,
            };
            match self.prefetch(prefetch, input, now, config) {
                Ok(true) => {}
                Ok(false) => return self.wait(now, config),
                Err(reject) => return self.refused(reject),
            }
        }
        Event::Head { head, used }
    }

    /// The head has come before; more of the body that is awaited with it may be here now.
    fn receive_awaited(
        &mut self,
        prefetch: Prefetch,
        input: &[u8],
        table: &mut FieldTable,
        now: Moment,
        config: &Config,
    ) -> Event {
        match self.prefetch(prefetch, input, now, config) {
            Ok(true) => {}
            Ok(false) => return self.wait(now, config),
            Err(reject) => return self.refused(reject),
        }
        // Only the bytes are kept during the wait, so the head is parsed again, with the same
        // outcome.
        match h1::parse_head(input, Resume::START, &config.limits, table) {
            Ok(Parsed::Done { value: head, used }) => Event::Head { head, used },
            // Not with the same input.
            Ok(Parsed::More { .. }) => self.wait(now, config),
            Err(reject) => self.refused(reject),
        }
    }

    /// Tells the connection that the peer has closed its side. The bytes that are here are still
    /// served, as a half-close is no abort; then comes [`Event::Close`].
    pub fn input_ended(&mut self) {
        self.input_ended = true;
    }

    /// Nothing can be done with the bytes that are here.
    fn wait(&mut self, now: Moment, config: &Config) -> Event {
        if self.input_ended {
            return match self.phase() {
                Phase::Idle => self.closed(self.close_reason.unwrap_or(CloseReason::PeerClosed)),
                Phase::Linger => self.closed(self.last_reason()),
                // The same as for a body that a handler reads: the peer cannot know which it is.
                Phase::Prefetch => self.truncated(),
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

fn dropped(used: usize) -> Event {
    Event::Content {
        used,
        data: used..used,
    }
}
