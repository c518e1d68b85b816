//! The reading side: heads, content, surplus.

use super::deadline::Patience;
use super::{CloseReason, Connection, Content, Moment, Phase, Rules};
use crate::h1::{self, Expect, Framing, Head, Parsed, Reject, chunked};
use crate::limits::GATHER_BYTES;
use crate::semantics::{FieldTable, Method};

/// What the octets so far are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Received {
    /// Not a whole head: read on.
    More,
    /// A head, which took `used` octets.
    Head {
        /// The head.
        head: Head,
        /// Octets that belong to it.
        used: usize,
    },
}

/// Whether the content that is awaited before the handler runs is here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gathered {
    /// Not yet: read on.
    More,
    /// All of it, or as much as is awaited: call the handler.
    Ready,
}

/// How far gathering has come.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Gather {
    /// Octets of the head, in front of the content.
    head: usize,
    /// Octets behind the head, as far as they have been held in the client's favour.
    here: usize,
    /// Octets of chunked content that `decoder` has seen.
    seen: usize,
    /// Looks for the end of chunked content; the handler's own decoding starts afresh.
    decoder: chunked::Decoder,
}

impl Connection {
    /// Looks for a head at the start of `input`, which holds everything that came since the last message.
    /// Field lines go into `table`.
    ///
    /// # Errors
    /// The reason to refuse the message; the connection is to be ended with [`refuse`](Connection::refuse).
    pub fn receive(
        &mut self,
        input: &[u8],
        table: &mut FieldTable,
        now: Moment,
        rules: &Rules,
    ) -> Result<Received, Reject> {
        debug_assert!(matches!(self.phase, Phase::Idle | Phase::Head));
        if input.is_empty() {
            return Ok(Received::More);
        }
        match h1::parse_head(input, self.resume, &rules.limits, table)? {
            Parsed::More { resume } => {
                // The time for a head is counted in all, not from octet to octet; before the first request it began
                // with the accept, and that deadline stands.
                if self.phase == Phase::Idle && self.requests > 0 {
                    self.deadline = now.after(rules.timeouts.head);
                }
                self.phase = Phase::Head;
                self.resume = resume;
                Ok(Received::More)
            }
            Parsed::Done { value: head, used } => {
                self.begin(&head, used);
                Ok(Received::Head { head, used })
            }
        }
    }

    /// A head is complete: the request begins.
    fn begin(&mut self, head: &Head, used: usize) {
        self.phase = Phase::Gather;
        self.resume = h1::Resume::default();
        self.requests = self.requests.saturating_add(1);
        self.version = head.version;
        self.is_head = head.method == Method::Head;
        self.is_connect = head.method == Method::Connect;
        self.keep_alive = head.keep_alive;
        self.continue_due = head.expect == Expect::Continue;
        self.content = match head.framing {
            Framing::None | Framing::Length(0) => Content::Done,
            Framing::Length(length) => Content::Length(length),
            Framing::Chunked => Content::Chunked(chunked::Decoder::default()),
        };
        self.gather = Gather {
            head: used,
            ..Gather::default()
        };
        self.reading = Patience::default();
        self.drained = 0;
    }

    /// Whether the content that is awaited before the handler runs is in `input`, which starts with the head's first octet.
    ///
    /// Content of up to [`GATHER_BYTES`], framing included, is awaited in full, and of longer content as much, so that a slow
    /// client costs no worker until then; the handler pulls the rest. Content that the client holds back until a
    /// `100 Continue` is not awaited at all.
    ///
    /// # Errors
    /// Chunked content that is malformed.
    pub fn gather(&mut self, input: &[u8], now: Moment, rules: &Rules) -> Result<Gathered, Reject> {
        debug_assert_eq!(self.phase, Phase::Gather);
        let here = input.get(self.gather.head..).unwrap_or_default();
        let ready = self.continue_due
            || match self.content {
                Content::Done => true,
                Content::Length(length) => here.len() as u64 >= length.min(GATHER_BYTES as u64),
                Content::Chunked(_) => {
                    here.len() >= GATHER_BYTES || self.look_for_end(here, rules)?
                }
            };
        if ready {
            // The wait is over, however long the handler takes; the octets count again when it takes them.
            self.reading.progress(now, 0);
            self.reading.forget(self.gather.here as u64);
            self.phase = Phase::Handle;
            return Ok(Gathered::Ready);
        }
        // An event that brings nothing is no progress.
        if here.len() > self.gather.here {
            self.reading
                .progress(now, (here.len() - self.gather.here) as u64);
            self.gather.here = here.len();
        }
        self.content_deadline(now, rules);
        Ok(Gathered::More)
    }

    fn look_for_end(&mut self, here: &[u8], rules: &Rules) -> Result<bool, Reject> {
        let gather = &mut self.gather;
        // Each step uses at least one octet or ends, so the loop is bounded by what is here.
        while gather.seen < here.len() && !gather.decoder.is_done() {
            let step = gather.decoder.decode(&here[gather.seen..], &rules.limits)?;
            if step.used == 0 {
                break;
            }
            gather.seen += step.used;
        }
        Ok(gather.decoder.is_done())
    }

    /// Whether the present request's content has been read to its end.
    pub fn content_is_read(&self) -> bool {
        match &self.content {
            Content::Done => true,
            Content::Length(left) => *left == 0,
            Content::Chunked(decoder) => decoder.is_done(),
        }
    }

    /// The length of the content that is left, if the client declared one.
    pub fn content_left(&self) -> Option<u64> {
        match self.content {
            Content::Done => Some(0),
            Content::Length(left) => Some(left),
            Content::Chunked(_) => None,
        }
    }

    /// Takes content from the start of `input`: framing up to the next run of data, and that run. Data is handed
    /// out once. Uses nothing when the content is at its end.
    ///
    /// # Errors
    /// Malformed chunked content.
    pub fn take_content(
        &mut self,
        input: &[u8],
        now: Moment,
        rules: &Rules,
    ) -> Result<chunked::Decoded, Reject> {
        let taken = match &mut self.content {
            Content::Done => chunked::Decoded {
                used: 0,
                data: 0..0,
            },
            Content::Length(left) => {
                let count = usize::try_from(*left)
                    .unwrap_or(usize::MAX)
                    .min(input.len());
                *left -= count as u64;
                chunked::Decoded {
                    used: count,
                    data: 0..count,
                }
            }
            Content::Chunked(decoder) => decoder.decode(input, &rules.limits)?,
        };
        self.reading.progress(now, taken.used as u64);
        Ok(taken)
    }

    /// Whether `100 Continue` is to be sent now, before content is waited for. True once.
    ///
    /// RFC 9110 §10.1.1: "A server MAY omit sending a 100 (Continue) response if it has already received some or all of
    /// the content"; never after an answer was begun.
    pub fn take_continue(&mut self) -> bool {
        self.phase == Phase::Handle && std::mem::take(&mut self.continue_due)
    }

    /// Drops content that nobody read, from the start of `input`, and answers how many octets that were. At the content's
    /// end the connection is idle again.
    ///
    /// # Errors
    /// The reason to end the connection: malformed, or more than the limit.
    pub fn drain(&mut self, input: &[u8], now: Moment, rules: &Rules) -> usize {
        debug_assert_eq!(self.phase, Phase::Drain);
        let mut used = 0;
        while used < input.len() && !self.content_is_read() {
            let step = match self.take_content(&input[used..], now, rules) {
                Ok(step) if step.used == 0 => break,
                Ok(step) => step,
                Err(reject) => {
                    self.linger(CloseReason::Rejected(reject), now, rules);
                    return used;
                }
            };
            used += step.used;
            self.drained = self.drained.saturating_add(step.used);
            if self.drained > rules.limits.drain {
                self.linger(CloseReason::UnreadContent, now, rules);
                return used;
            }
        }
        if self.content_is_read() {
            self.rest(now, rules);
        } else {
            self.content_deadline(now, rules);
        }
        used
    }

    /// Between two requests.
    pub(super) fn rest(&mut self, now: Moment, rules: &Rules) {
        self.phase = Phase::Idle;
        self.content = Content::Done;
        self.deadline = now.after(rules.timeouts.keep_alive);
    }
}
