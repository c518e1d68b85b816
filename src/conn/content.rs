//! A request's body, as the connection takes it: awaited with the head, handed to the program, or
//! discarded unread.

use super::close_reason::CloseReason;
use super::config::Config;
use super::event::Event;
use super::moment::Moment;
use super::state::{Connection, Content, Phase, Prefetch, Stage};
use crate::h1::write::CONTINUE;
use crate::h1::{Reject, chunked};
use crate::limits::Limits;

/// The largest unread body that is discarded: the limit, as far as a `u32` counts.
pub(super) fn discard_max(limits: &Limits) -> u32 {
    // One less than the largest count, so that exceeding it can be told.
    u32::try_from(limits.discard_bytes)
        .unwrap_or(u32::MAX)
        .min(u32::MAX - 1)
}

impl Connection {
    /// The part of [`next_event`](Connection::next_event) that is about the current request's body,
    /// for a program that pulls the body while it holds the head, whose field lines are in the
    /// table. Returns [`Event::Content`], [`Event::Read`] or [`Event::Refuse`]; [`Event::Respond`]
    /// at the end of the body, and in every phase but [`Phase::Handle`].
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
        if self.input_ended {
            return self.truncated();
        }
        if config.checks_deadlines && now >= self.content_deadline(now, config) {
            return self.refused(Reject::ContentTimeout);
        }
        if std::mem::take(&mut self.continue_due) {
            out.extend_from_slice(CONTINUE);
        }
        Event::Read
    }

    /// The peer has closed its side within the current request's body.
    pub(super) fn truncated(&mut self) -> Event {
        // RFC 9112 §8: "A server that receives an incomplete request message, usually due to a
        // canceled request or a triggered timeout exception, MAY send an error response prior to
        // closing the connection."
        self.refused(Reject::TruncatedContent)
    }

    /// Whether the body that is awaited with a head is in `input`, which starts with the head's
    /// first byte: all of it, or as much as is awaited.
    pub(super) fn prefetch(
        &mut self,
        mut prefetch: Prefetch,
        input: &[u8],
        now: Moment,
        config: &Config,
    ) -> Result<bool, Reject> {
        self.stage = Stage::Prefetch(prefetch);
        let awaited = config.prefetch_bytes.min(usize::from(u16::MAX));
        let min_rate = config.timeouts.min_rate;
        let here = input.get(prefetch.head as usize..).unwrap_or_default();
        let is_here = match &mut self.content {
            Content::Done => true,
            Content::Length(length) => here.len() as u64 >= (*length).min(awaited as u64),
            Content::Chunked(decoder) => {
                here.len() >= awaited || look_for_end(&mut prefetch, decoder, here, config)?
            }
        };
        if is_here {
            // The wait is over, however long the handler takes. The bytes count again when the
            // handler takes them.
            self.reading.progress(now, 0, min_rate);
            self.reading.forget(u64::from(prefetch.here), min_rate);
            if let Content::Chunked(decoder) = &mut self.content {
                *decoder = chunked::Decoder::default();
            }
            self.stage = Stage::Handle;
            return Ok(true);
        }
        // An event that brings no bytes is no progress.
        let more = here.len().saturating_sub(usize::from(prefetch.here));
        if more > 0 {
            self.reading.progress(now, more as u64, min_rate);
            prefetch.here = below_awaited(here.len());
        }
        self.stage = Stage::Prefetch(prefetch);
        self.content_deadline(now, config);
        Ok(false)
    }

    /// Takes content from the start of `input`: framing up to the next run of data, and that run.
    /// Data is returned once.
    pub(super) fn take_content(
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

    /// Discards unread content from the start of `input` and returns the number of bytes. At the
    /// end of the content the connection is idle again; malformed content, or more than the limit,
    /// begins the end of the connection.
    pub(super) fn discard(
        &mut self,
        mut dropped: u32,
        input: &[u8],
        now: Moment,
        config: &Config,
    ) -> usize {
        let mut used = 0;
        // Each step uses at least one byte, or ends the connection.
        while used < input.len() && self.content_left() != Some(0) {
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
        if self.content_left() == Some(0) {
            self.rest(now, config);
        } else {
            self.stage = Stage::Discard(dropped);
            self.content_deadline(now, config);
        }
        used
    }
}

/// Whether the end of chunked content is `here`. The program's own decoding starts afresh.
fn look_for_end(
    prefetch: &mut Prefetch,
    decoder: &mut chunked::Decoder,
    here: &[u8],
    config: &Config,
) -> Result<bool, Reject> {
    let mut seen = usize::from(prefetch.seen);
    // Each step but the last uses at least one byte, so the loop is bounded by what is here.
    loop {
        let step = decoder.decode(here.get(seen..).unwrap_or_default(), &config.limits)?;
        if step.used == 0 {
            break;
        }
        seen += step.used;
    }
    prefetch.seen = below_awaited(seen);
    Ok(decoder.is_done())
}

fn below_awaited(count: usize) -> u16 {
    u16::try_from(count).unwrap_or(u16::MAX)
}
