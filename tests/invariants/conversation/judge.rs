//! What must be so of one link when nothing is left to happen on it: of what it was asked, of what
//! it heard, and of its end.

use super::answers::{Call, Content, Pulled, body, head};
use super::clients::World;
use super::link::{Notes, Refusal};
use super::oracle::{End, Limits, Message, Reading, read};
use super::responses::Heard;
use crate::support::simulated::Link;
use doorstep::internals::conn::Config;
use doorstep::internals::limits::{CHUNK_OVERHEAD, CHUNK_OVERHEAD_FREE, METHOD_BYTES};
use doorstep::internals::server::REQUEST_WITHIN;
use doorstep::{CloseReason, Reject};
use std::time::Duration;

/// One link, and everything that is known of it.
pub struct Case<'a> {
    pub link: &'a Link,
    pub notes: &'a Notes,
    pub calls: Vec<(usize, &'a Call)>,
    pub reading: Reading,
    pub config: &'a Config,
    pub world: &'a World,
}

/// Judges one link; `is_open`: the server has not been made to end it yet, and has nothing to do.
pub fn judge(world: &World, number: usize, config: &Config, is_open: bool) -> Result<(), String> {
    let link = &world.links[number];
    let of_link = |(_, call): &(usize, &Call)| call.link == number;
    let case = Case {
        link,
        notes: &world.outside.notes[number],
        calls: world
            .outside
            .calls
            .iter()
            .enumerate()
            .filter(of_link)
            .collect(),
        reading: read(&link.sent, &numbers(config)),
        config,
        world,
    };
    case.judge(is_open)
        .map_err(|why| format!("link {number}: {why}"))
}

/// The limits, as the naive reader wants them.
fn numbers(config: &Config) -> Limits {
    let limits = &config.limits;
    Limits {
        method_bytes: METHOD_BYTES,
        target_bytes: limits.target_bytes,
        head_bytes: limits.head_bytes,
        headers: limits.headers,
        chunk_line_bytes: limits.chunk_line_bytes,
        trailer_bytes: limits.trailer_bytes,
        chunk_overhead: CHUNK_OVERHEAD as usize,
        chunk_overhead_free: CHUNK_OVERHEAD_FREE as usize,
    }
}

impl Case<'_> {
    fn judge(&self, is_open: bool) -> Result<(), String> {
        if self.notes.accepted.is_none() {
            return self.turned_away();
        }
        for at in 0..self.calls.len() {
            self.asked(at)
                .map_err(|why| format!("request {at}: {why}"))?;
        }
        self.refused().map_err(|why| format!("refusal: {why}"))?;
        let heard = self.heard()?;
        self.told(&heard)?;
        match self.notes.closed[..] {
            [] if self.link.dropped => Err("its end was not told of".into()),
            [] if is_open => self.waits(&heard),
            [] => Err("it did not end".into()),
            [(reason, when)] => self
                .ended(&heard, reason, when)
                .map_err(|why| format!("ended, {reason:?}: {why}")),
            _ => Err("it ended twice".into()),
        }
    }

    /// A connection for which there was no room hears of that at most.
    fn turned_away(&self) -> Result<(), String> {
        let link = self.link;
        let is_silent = self.notes.closed.is_empty()
            && self.notes.told.is_empty()
            && self.notes.refusals.is_empty();
        if !is_silent || !self.calls.is_empty() {
            return Err("a connection that nobody accepted was served".into());
        }
        let Some(head) = head(&link.taken, 0)? else {
            return Ok(());
        };
        let page = body(&link.taken, &head, true)?;
        let is_fine = head.status == 503 && head.says_close()? && page.end == link.taken.len();
        is_fine.then_some(()).ok_or("turned away strangely".into())
    }

    /// The observer has heard of each answer once, in order.
    fn told(&self, heard: &Heard) -> Result<(), String> {
        let told = &self.notes.told;
        let is_over = !self.notes.closed.is_empty();
        let refused = !self.notes.refusals.is_empty() && self.refused_at() < self.calls.len();
        // A handler that lost its client has no answer to tell of.
        let lost = matches!(self.calls.last(), Some((_, call)) if matches!(call.pulled, Pulled::Failed(_)));
        let all = self.calls.len() - usize::from(refused || lost);
        if told.len() > all || is_over && told.len() < all || told.len() < heard.whole {
            return Err(format!("told of {} answers of {all}", told.len()));
        }
        for (number, (told, (_, call))) in told.iter().zip(&self.calls).enumerate() {
            let given = call.given.as_ref().ok_or("told of no answer")?;
            let status = heard.statuses.get(number);
            let is_page = told.status != given.status;
            if told.target != call.target
                || status.is_some_and(|status| *status != told.status)
                || is_page && !self.is_replaced(number, given, told.status)
            {
                return Err(format!("told of {told:?}, not of answer {number}"));
            }
            if is_page {
                continue;
            }
            if !told.complete && number < heard.whole && !given.breaks {
                return Err(format!("answer {number} was whole, not {told:?}"));
            }
            let Content::Known(content) = &given.content else {
                continue;
            };
            let length = if given.is_bodiless { 0 } else { content.len() };
            // What frames chunks is counted as well.
            let is_plain = !given.is_unmeasured && !given.breaks;
            if told.complete && is_plain && told.bytes != length as u64 {
                return Err(format!("{told:?} of {length} bytes"));
            }
        }
        Ok(())
    }

    /// A connection on which nothing happens has answered everything, or has come to its end as far
    /// as its client can see.
    fn waits(&self, heard: &Heard) -> Result<(), String> {
        if self.link.reset || self.link.write_closed {
            return Ok(());
        }
        if self.link.read < self.link.sent.len() {
            return Err("bytes lie unread".into());
        }
        if heard.echoed.is_some() {
            return self.all_echoed(heard);
        }
        if let End::Refused(refusal) = self.reading.end {
            return Err(format!("bytes that deserve {refusal:?} are not refused"));
        }
        // Whoever has nothing under way is sent away by a shutdown.
        let is_idle = match self.reading.messages.last() {
            Some(message) => message.end == Some(self.link.sent.len()),
            None => self.link.sent.is_empty(),
        };
        // But a first request has its time from the accept on, and a next one may have it from the
        // beginning of the shutdown on.
        let since = match self.link.sent.is_empty() {
            true => self.notes.accepted,
            false => self.world.outside.stopped,
        };
        let is_awaited = self.world.now < since.unwrap_or_default() + REQUEST_WITHIN;
        if is_idle && !is_awaited && self.world.outside.until.is_some() {
            return Err("idle in spite of the shutdown".into());
        }
        self.all_answered(heard)
    }

    /// The other protocol has given back all that was read.
    fn all_echoed(&self, heard: &Heard) -> Result<(), String> {
        let head_end = self.reading.messages[heard.begun - 1].head_end;
        let echoed = heard.echoed.unwrap_or_default();
        match head_end + echoed == self.link.read {
            true => Ok(()),
            false => Err(format!("{echoed} bytes of an echo")),
        }
    }

    /// Every message that was read to its end has been answered to its end.
    fn all_answered(&self, heard: &Heard) -> Result<(), String> {
        let is_read = |message: &&Message| message.end.is_some_and(|end| end <= self.link.read);
        let whole = self.reading.messages.iter().filter(is_read).count();
        let due = whole.max(self.calls.len());
        if heard.is_last && heard.is_even {
            return Ok(());
        }
        if heard.whole < due || !heard.is_even {
            return Err(format!("{} answers to {due} requests", heard.whole));
        }
        Ok(())
    }

    /// A connection ends for a reason that is true.
    fn ended(&self, heard: &Heard, reason: CloseReason, when: Duration) -> Result<(), String> {
        let link = self.link;
        let since = when.saturating_sub(self.notes.accepted.unwrap_or_default());
        let timeouts = &self.config.timeouts;
        let last = self.calls.last().map(|(_, call)| *call);
        let given = last.and_then(|call| call.given.as_ref());
        let breaks = given.is_some_and(|given| (given.breaks || given.fails) && !given.is_bodiless);
        let is_true = match reason {
            CloseReason::PeerClosed | CloseReason::PeerClosedEarly => link.half_closed,
            CloseReason::Failed => link.reset || link.unarmed,
            CloseReason::Answered => heard.is_last,
            CloseReason::Rejected(reject) => self.was_refused(reject, heard)?,
            CloseReason::IdleTimeout => since >= timeouts.head,
            CloseReason::WriteTimeout => since >= timeouts.write,
            CloseReason::UnreadContent => !self.calls.is_empty(),
            CloseReason::ContentFailed => breaks,
            CloseReason::Upgraded => heard.echoed.is_some(),
            CloseReason::Panicked => false,
            CloseReason::Shutdown => self.world.outside.until.is_some(),
            CloseReason::Overload => self.is_overloaded(),
            _ => true,
        };
        if !is_true {
            return Err("which is not so".into());
        }
        let grace_is_over = self.world.outside.until.is_some_and(|until| when >= until);
        let may_cut = reason == CloseReason::Shutdown && grace_is_over
            || matches!(
                reason,
                CloseReason::Failed
                    | CloseReason::WriteTimeout
                    | CloseReason::ContentFailed
                    | CloseReason::Overload
            );
        if !heard.is_even && !may_cut && !link.reset {
            return Err("its last answer was cut".into());
        }
        match reason {
            CloseReason::PeerClosed | CloseReason::PeerClosedEarly | CloseReason::IdleTimeout => {
                self.all_answered(heard)
            }
            CloseReason::Overload => self.was_dispensable(heard),
            // Too early for a wait of the other protocol to be over.
            CloseReason::Upgraded if link.half_closed && !link.reset && since < timeouts.write => {
                self.all_echoed(heard)
            }
            CloseReason::Shutdown if grace_is_over => Ok(()),
            CloseReason::Shutdown => self.owed_answered(heard),
            CloseReason::Rejected(_) | CloseReason::Answered => self.all_answered(heard),
            _ => Ok(()),
        }
    }

    /// Whether anything is scarce.
    pub fn is_overloaded(&self) -> bool {
        let limits = &self.config.limits;
        let links = &self.world.links;
        let sent: usize = links.iter().map(|link| link.sent.len()).sum();
        links.len() > limits.connections
            || sent + self.world.outside.spent() > limits.parked_bytes
            || self.world.lacks
    }

    /// Whoever has nothing under way may go for the sake of others, but not when the next request
    /// has arrived.
    fn was_dispensable(&self, heard: &Heard) -> Result<(), String> {
        let link = self.link;
        let is_between = match self.reading.messages.get(self.calls.len().wrapping_sub(1)) {
            Some(message) => message.end == Some(link.read),
            None => link.read == 0,
        };
        let is_quiet = heard.is_even && heard.whole == self.calls.len() && !heard.is_last;
        match is_between && is_quiet && link.read < link.sent.len() {
            true => Err("a request had arrived".into()),
            false => Ok(()),
        }
    }

    /// A connection that the shutdown has ended had been sent all the answers that it was owed: to
    /// each request that was with the system when the shutdown began, unless one before it said
    /// that it is the last.
    fn owed_answered(&self, heard: &Heard) -> Result<(), String> {
        let owed = self.notes.owed;
        let is_owed = |message: &&Message| message.end.is_some_and(|end| end <= owed);
        let due = self.reading.messages.iter().filter(is_owed).count();
        match heard.is_last || heard.whole >= due {
            true => self.all_answered(heard),
            false => Err(format!("{} answers of {due} that were owed", heard.whole)),
        }
    }

    /// Whether a connection may end with this refusal.
    fn was_refused(&self, reject: Reject, heard: &Heard) -> Result<bool, String> {
        let same = |refusal: &Refusal| refusal.reject == reject;
        if let [refusal] = &self.notes.refusals[..] {
            let told = heard.is_last || self.link.reset;
            return Ok(same(refusal) && told);
        }
        // Content that nobody read was wrong: its request had been answered.
        let number = self.calls.len().checked_sub(1).ok_or("of nothing")?;
        self.deserves(reject, number, self.link.read)?;
        Ok(true)
    }
}
