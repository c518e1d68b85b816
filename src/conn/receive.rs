//! The reading side: heads, content, surplus.

use super::close_reason::CloseReason;
use super::config::Config;
use super::min_rate::MinRate;
use super::moment::Moment;
use super::state::{Connection, Content, Phase, Prefetch, Stage};
use crate::h1::{self, Expect, Framing, Head, Parsed, Reject, Resume, chunked};
use crate::limits::{Limits, PREFETCH_BYTES};
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
pub enum Prefetched {
    /// Not yet: read on.
    More,
    /// All of it, or as much as is awaited: call the handler.
    Ready,
}

/// A count of octets of content that are here, fewer than are awaited.
fn below_prefetched(count: usize) -> u16 {
    const { assert!(PREFETCH_BYTES <= u16::MAX as usize) };
    count as u16
}

/// The most unread content that is dropped: the limit, as far as a connection counts.
pub(super) fn discard_max(limits: &Limits) -> u32 {
    // One octet less than can be counted, so that one too many can be told.
    u32::try_from(limits.discard_bytes)
        .unwrap_or(u32::MAX)
        .min(u32::MAX - 1)
}

impl Connection {
    /// Looks for a head at the start of `input`, which holds everything that came since the last message.
    /// Field lines go into `table`.
    ///
    /// # Errors
    /// The reason to refuse the message; the connection is to be ended with [`refuse`](Connection::refuse).
    #[doc(hidden)]
    pub fn receive(
        &mut self,
        input: &[u8],
        table: &mut FieldTable,
        now: Moment,
        config: &Config,
    ) -> Result<Received, Reject> {
        let resume = match self.stage {
            Stage::Head(resume) => resume,
            Stage::Idle => Resume::default(),
            stage => {
                debug_assert!(false, "no head is looked for in {stage:?}");
                return Ok(Received::More);
            }
        };
        if input.is_empty() {
            return Ok(Received::More);
        }
        match h1::parse_head(input, resume, &config.limits, table)? {
            Parsed::More { resume } => {
                // The time for a head is counted in all, not from octet to octet; before the first request it began
                // with the accept, and that deadline stands.
                if self.phase() == Phase::Idle && self.requests > 0 {
                    self.deadline = now.after(config.timeouts.head);
                }
                self.stage = Stage::Head(resume);
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
        self.stage = Stage::Prefetch(Prefetch {
            // No head is longer: a span counts in `u32`.
            head: u32::try_from(used).unwrap_or(u32::MAX),
            here: 0,
            seen: 0,
        });
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
        self.reading = MinRate::NEW;
    }

    /// Whether the content that is awaited before the handler runs is in `input`, which starts with the head's first octet.
    ///
    /// Content of up to [`PREFETCH_BYTES`], framing included, is awaited in full, and of longer content as much, so that a slow
    /// client costs no worker until then; the handler pulls the rest. Content that the client holds back until a
    /// `100 Continue` is not awaited at all.
    ///
    /// # Errors
    /// Chunked content that is malformed.
    #[doc(hidden)]
    pub fn prefetch(
        &mut self,
        input: &[u8],
        now: Moment,
        config: &Config,
    ) -> Result<Prefetched, Reject> {
        let Stage::Prefetch(mut prefetch) = self.stage else {
            debug_assert!(false, "nothing is gathered in {:?}", self.stage);
            return Ok(Prefetched::More);
        };
        let min_rate = config.timeouts.min_rate;
        let here = input.get(prefetch.head as usize..).unwrap_or_default();
        let ready = self.continue_due
            || match &mut self.content {
                Content::Done => true,
                Content::Length(length) => {
                    here.len() as u64 >= (*length).min(PREFETCH_BYTES as u64)
                }
                Content::Chunked(decoder) => {
                    here.len() >= PREFETCH_BYTES
                        || look_for_end(&mut prefetch, decoder, here, config)?
                }
            };
        if ready {
            // The wait is over, however long the handler takes; the octets count again when it takes them.
            self.reading.progress(now, 0, min_rate);
            self.reading.forget(u64::from(prefetch.here), min_rate);
            if let Content::Chunked(decoder) = &mut self.content {
                *decoder = chunked::Decoder::default();
            }
            self.stage = Stage::Handle;
            return Ok(Prefetched::Ready);
        }
        // An event that brings nothing is no progress.
        let more = here.len().saturating_sub(usize::from(prefetch.here));
        if more > 0 {
            self.reading.progress(now, more as u64, min_rate);
            prefetch.here = below_prefetched(here.len());
        }
        self.stage = Stage::Prefetch(prefetch);
        self.content_deadline(now, config);
        Ok(Prefetched::More)
    }

    /// Whether the present request's content has been read to its end.
    #[doc(hidden)]
    pub fn content_is_read(&self) -> bool {
        match &self.content {
            Content::Done => true,
            Content::Length(left) => *left == 0,
            Content::Chunked(decoder) => decoder.is_done(),
        }
    }

    /// The length of the content that is left, if the client declared one.
    pub(crate) fn content_left(&self) -> Option<u64> {
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
    #[doc(hidden)]
    pub fn take_content(
        &mut self,
        input: &[u8],
        now: Moment,
        config: &Config,
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
            Content::Chunked(decoder) => decoder.decode(input, &config.limits)?,
        };
        let min_rate = config.timeouts.min_rate;
        self.reading.progress(now, taken.used as u64, min_rate);
        Ok(taken)
    }

    /// Whether `100 Continue` is to be sent now, before content is waited for. True once.
    ///
    /// RFC 9110 §10.1.1: "A server MAY omit sending a 100 (Continue) response if it has already received some or all of
    /// the content"; never after an answer was begun.
    #[doc(hidden)]
    pub fn take_continue(&mut self) -> bool {
        self.phase() == Phase::Handle && std::mem::take(&mut self.continue_due)
    }

    /// Drops content that nobody read, from the start of `input`, and answers how many octets that were. At the content's
    /// end the connection is idle again.
    ///
    /// # Errors
    /// The reason to end the connection: malformed, or more than the limit.
    #[doc(hidden)]
    pub fn discard(&mut self, input: &[u8], now: Moment, config: &Config) -> usize {
        let Stage::Discard(mut dropped) = self.stage else {
            debug_assert!(false, "nothing is dropped in {:?}", self.stage);
            return 0;
        };
        let mut used = 0;
        // Each step uses at least one octet, or ends the connection.
        while used < input.len() && !self.content_is_read() {
            let step = match self.take_content(&input[used..], now, config) {
                Ok(step) => step,
                Err(reject) => {
                    self.linger(CloseReason::Rejected(reject), now, config);
                    return used;
                }
            };
            used += step.used;
            dropped = dropped.saturating_add(u32::try_from(step.used).unwrap_or(u32::MAX));
            if dropped > discard_max(&config.limits) {
                self.linger(CloseReason::UnreadContent, now, config);
                return used;
            }
        }
        if self.content_is_read() {
            self.rest(now, config);
        } else {
            self.stage = Stage::Discard(dropped);
            self.content_deadline(now, config);
        }
        used
    }

    /// Between two requests.
    pub(super) fn rest(&mut self, now: Moment, config: &Config) {
        self.stage = Stage::Idle;
        self.content = Content::Done;
        self.deadline = now.after(config.timeouts.keep_alive);
    }
}

/// Whether the end of chunked content is `here`. The handler's own decoding starts afresh.
fn look_for_end(
    prefetch: &mut Prefetch,
    decoder: &mut chunked::Decoder,
    here: &[u8],
    config: &Config,
) -> Result<bool, Reject> {
    let mut seen = usize::from(prefetch.seen);
    // Each step but the last uses at least one octet, so the loop is bounded by what is here.
    loop {
        let step = decoder.decode(&here[seen..], &config.limits)?;
        if step.used == 0 {
            break;
        }
        seen += step.used;
    }
    prefetch.seen = below_prefetched(seen);
    Ok(decoder.is_done())
}
