//! What must follow: the state of a connection as counts of bytes of messages that are known, and
//! as sums of time.

use super::super::life::{Expiry, Finished};
use super::message::{Does, Framing, Message, Written};
use doorstep::internals::conn::{BodyFraming, CloseReason, Config, Phase};
use doorstep::internals::h1::Reject;
use doorstep::internals::limits::PREFETCH_BYTES;

/// How long one side has been waited for, and what it has moved.
#[derive(Clone, Copy, Debug, Default)]
pub struct Waited {
    /// When the present wait began.
    pub since: Option<u64>,
    /// In all waits before.
    pub before: u64,
    pub moved: u64,
}

impl Waited {
    pub fn progress(&mut self, now: u64, octets: u64) {
        self.before += self.since.take().map_or(0, |since| now - since);
        self.moved += octets;
    }

    /// Each wait is bounded, and so are all together: a second more for each time the least rate.
    pub fn until(&mut self, now: u64, idle: u64, min_rate: u32) -> u64 {
        let since = *self.since.get_or_insert(now);
        let in_all = (idle + self.moved / u64::from(min_rate) * 1_000).saturating_sub(self.before);
        since + idle.min(in_all)
    }
}

/// The state that must be.
pub struct Reference<'a> {
    pub config: &'a Config,
    pub messages: &'a [Message],
    pub written: &'a [Written],
    /// The message that is received or served.
    pub number: usize,
    /// Bytes of it that were read from the socket, and that were used up.
    pub here: usize,
    pub used: usize,
    pub phase: Phase,
    pub begun: u32,
    pub deadline: u64,
    pub reading: Waited,
    pub writing: Waited,
    /// The client waits for `100 Continue`.
    pub holds_back: bool,
    pub last: Option<CloseReason>,
    prefetched: usize,
    /// Bytes of content dropped.
    dropped: usize,
}

fn milliseconds(time: std::time::Duration) -> u64 {
    time.as_millis() as u64
}

impl<'a> Reference<'a> {
    pub fn new(
        config: &'a Config,
        messages: &'a [Message],
        written: &'a [Written],
    ) -> Reference<'a> {
        Reference {
            config,
            messages,
            written,
            number: 0,
            here: 0,
            used: 0,
            phase: Phase::Idle,
            begun: 0,
            deadline: milliseconds(config.timeouts.head),
            reading: Waited::default(),
            writing: Waited::default(),
            holds_back: false,
            last: None,
            prefetched: 0,
            dropped: 0,
        }
    }

    pub fn message(&self) -> &'a Message {
        &self.messages[self.number]
    }

    pub fn text(&self) -> &'a Written {
        &self.written[self.number]
    }

    /// Bytes of the message, all of it.
    pub fn end(&self) -> usize {
        self.text().octets.len()
    }

    pub fn content_is_read(&self) -> bool {
        // What was refused has no content that anybody asks for.
        matches!(
            self.last,
            Some(CloseReason::Rejected(_) | CloseReason::Panicked)
        ) || self.used == self.end()
    }

    fn until_content(&mut self, now: u64) {
        let timeouts = &self.config.timeouts;
        self.deadline = self
            .reading
            .until(now, milliseconds(timeouts.body), timeouts.min_rate);
    }

    /// The wait for content that a handler needs.
    pub fn awaits_content(&mut self, now: u64) -> u64 {
        self.until_content(now);
        self.deadline
    }

    pub fn until_written(&mut self, now: u64) -> u64 {
        let timeouts = &self.config.timeouts;
        self.writing
            .until(now, milliseconds(timeouts.write), timeouts.min_rate)
    }

    /// What is here of a head: whether it is whole, or why it is refused.
    pub fn receive(&mut self, now: u64) -> Result<bool, Reject> {
        if self.here == 0 {
            return Ok(false);
        }
        let text = self.text();
        match text.refused_from {
            Some((from, reject)) if self.here >= from => return Err(reject),
            _ => {}
        }
        if self.here < text.head {
            // From the first byte, in all; the first head's time began with the accept.
            if self.phase == Phase::Idle && self.begun > 0 {
                self.deadline = now + milliseconds(self.config.timeouts.head);
            }
            self.phase = Phase::Head;
            return Ok(false);
        }
        self.phase = Phase::Prefetch;
        self.begun += 1;
        self.holds_back = self.message().holds_back();
        self.reading = Waited::default();
        self.prefetched = 0;
        Ok(true)
    }

    /// Whether so much of the content is here that the handler runs.
    pub fn prefetch(&mut self, now: u64) -> Result<bool, Reject> {
        let text = self.text();
        let here = self.here.min(self.end()) - text.head;
        let is_enough = here >= PREFETCH_BYTES || self.here >= self.end();
        let is_ready = match self.message().framing {
            Framing::None => true,
            _ if self.holds_back => true,
            Framing::Length => is_enough,
            Framing::Chunked(..) => {
                // Once as much is here as is prefetched, nobody looks further: what follows counts
                // as well.
                let is_full = self.here - text.head >= PREFETCH_BYTES;
                match text.bad {
                    Some((bad, reject)) if !is_full && bad < self.here => return Err(reject),
                    _ => is_full || is_enough,
                }
            }
        };
        if is_ready {
            // What came counts again when the handler takes it; the waits for it stay.
            self.reading.progress(now, 0);
            self.reading.moved = 0;
            self.phase = Phase::Handle;
            self.used = text.head;
        } else {
            if here > self.prefetched {
                self.reading.progress(now, (here - self.prefetched) as u64);
                self.prefetched = here;
            }
            self.until_content(now);
        }
        Ok(is_ready)
    }

    /// Bytes from `used` on, up to the bad one, if that is here and no content lies before it.
    fn refusal_next(&self) -> Option<Reject> {
        let text = self.text();
        let (bad, reject) = text.bad?;
        let is_next = !text.is_content[self.used..bad].contains(&true);
        (is_next && bad < self.here).then_some(reject)
    }

    /// The connection used so many bytes of content, of which these were data, or refused the next.
    pub fn takes(&mut self, now: u64, taken: Result<(usize, &[u8]), Reject>) {
        let text = self.text();
        match (taken, self.refusal_next()) {
            (Err(found), Some(due)) => assert_eq!(found, due),
            (Ok((used, data)), None) => {
                assert!(used > 0, "nothing taken of what is here");
                let to = self.used + used;
                let most = text.bad.map_or(self.end(), |(bad, _)| bad);
                assert!(to <= most.min(self.here), "bytes of another message");
                let expected = self.data(self.used, to);
                assert_eq!(data, expected, "content that is none, or not all");
                self.used = to;
                self.reading.progress(now, used as u64);
            }
            (found, due) => panic!("{found:?}, not {due:?}"),
        }
    }

    /// Content among these bytes.
    fn data(&self, from: usize, to: usize) -> Vec<u8> {
        let text = self.text();
        let octets = text.octets[from..to].iter().zip(&text.is_content[from..to]);
        octets
            .filter(|(_, is)| **is)
            .map(|(octet, _)| *octet)
            .collect()
    }

    pub fn refuse(&mut self, reject: Reject) {
        self.abandon(CloseReason::Rejected(reject));
    }

    pub fn abandon(&mut self, reason: CloseReason) {
        self.phase = Phase::Handle;
        self.last = Some(reason);
        self.holds_back = false;
    }

    /// An answer: how it is delivered, and the lines of its head.
    pub fn answer(
        &mut self,
        code: u16,
        length: Option<u64>,
        closes: bool,
        switches: bool,
    ) -> (BodyFraming, Vec<String>) {
        let message = self.message();
        // Of a head that was refused nothing is known.
        let is_known = self.begun as usize > self.number;
        let is_http10 = is_known && message.is_http10;
        let is_success = (200..300).contains(&code);
        let is_tunnel = is_known && message.method == "CONNECT" && is_success;
        let is_bare = matches!(code, 101 | 204 | 304) || is_tunnel;
        let delivery = match length {
            _ if is_bare || code == 205 || is_known && message.method == "HEAD" => {
                BodyFraming::NoContent
            }
            Some(length) => BodyFraming::Length(length),
            None if is_http10 => BodyFraming::UntilClose,
            None => BodyFraming::Chunked,
        };
        let left = match message.framing {
            Framing::Length => self.end().saturating_sub(self.used),
            _ => 0,
        };
        let is_unread = !self.content_is_read();
        let is_in_doubt = is_unread && (self.holds_back || left > self.config.limits.discard_bytes);
        let limit = self.config.limits.requests_per_connection;
        let is_last = is_known && !message.keeps_alive()
            || limit.is_some_and(|limit| self.begun >= limit)
            || delivery == BodyFraming::UntilClose
            || is_known && message.method == "CONNECT";
        let reasons = [
            self.last,
            switches.then_some(CloseReason::Upgraded),
            closes.then_some(CloseReason::Shutdown),
            is_in_doubt.then_some(CloseReason::UnreadContent),
            is_last.then_some(CloseReason::Answered),
        ];
        self.last = reasons.into_iter().flatten().next();
        let mut lines = Vec::new();
        match self.last {
            _ if switches => lines.push("Connection: upgrade".into()),
            Some(_) => lines.push("Connection: close".into()),
            None if is_http10 => lines.push("Connection: keep-alive".into()),
            None => {}
        }
        match length {
            _ if is_bare => {}
            _ if code == 205 => lines.push("Content-Length: 0".into()),
            Some(length) => lines.push(format!("Content-Length: {length}")),
            None if !is_http10 => lines.push("Transfer-Encoding: chunked".into()),
            None => {}
        }
        self.writing.before = 0;
        self.writing.moved = 0;
        self.phase = Phase::Send;
        (delivery, lines)
    }

    /// The answer is framed to its end.
    pub fn finish(&mut self, in_doubt: bool, now: u64) -> Finished {
        let may_close = !self.message().keeps_alive() && !in_doubt && self.content_is_read();
        match self.last {
            Some(CloseReason::Answered) if may_close => {
                self.phase = Phase::Closed;
                Finished::Close(CloseReason::Answered)
            }
            Some(reason) => {
                self.linger(reason, now);
                Finished::Linger
            }
            None => {
                if self.content_is_read() {
                    self.rest(now);
                } else {
                    self.phase = Phase::Discard;
                    self.dropped = 0;
                    self.until_content(now);
                }
                Finished::Continue
            }
        }
    }

    pub fn linger(&mut self, reason: CloseReason, now: u64) {
        self.last = Some(reason);
        self.phase = Phase::Linger;
        self.lingers(now);
    }

    pub fn lingers(&mut self, now: u64) {
        self.deadline = now + milliseconds(self.config.timeouts.linger);
    }

    /// Between this message and the next.
    fn rest(&mut self, now: u64) {
        self.phase = Phase::Idle;
        self.deadline = now + milliseconds(self.config.timeouts.keep_alive);
        self.here -= self.end();
        self.used = 0;
        self.number += 1;
    }

    /// The connection dropped so many bytes and is in this phase now, for that reason.
    pub fn drained(&mut self, now: u64, used: usize, phase: Phase, last: Option<CloseReason>) {
        let limit = self.config.limits.discard_bytes;
        let to = self.used + used;
        let bad = self.text().bad.filter(|(bad, _)| *bad < self.here);
        let is_in_reach = bad.map_or(self.end(), |(bad, _)| bad);
        assert!(to <= is_in_reach.min(self.here), "bytes of another message");
        assert!(self.dropped <= limit);
        if used > 0 {
            self.reading.progress(now, used as u64);
        }
        self.used = to;
        self.dropped += used;
        match phase {
            Phase::Linger if self.dropped > limit => {
                assert_eq!(last, Some(CloseReason::UnreadContent));
                self.linger(CloseReason::UnreadContent, now);
            }
            Phase::Linger => {
                let (_, reject) = bad.expect("the end without a reason");
                assert_eq!(self.refusal_next(), Some(reject));
                assert_eq!(last, Some(CloseReason::Rejected(reject)));
                self.linger(CloseReason::Rejected(reject), now);
            }
            _ => {
                assert!(self.dropped <= limit, "more was dropped than may be");
                assert_eq!(bad, None, "what is wrong was dropped");
                if self.used == self.end() {
                    self.rest(now);
                } else {
                    assert_eq!(self.used, self.here, "bytes are left lying");
                    self.until_content(now);
                }
            }
        }
    }

    /// The system took bytes of answers.
    pub fn wrote(&mut self, now: u64, octets: u64) {
        if self.phase == Phase::Idle && self.writing.since.is_some() {
            self.deadline = now + milliseconds(self.config.timeouts.keep_alive);
        }
        // The client reads: it has the time for the last answer from now on.
        if self.phase == Phase::Linger && octets > 0 {
            self.lingers(now);
        }
        self.writing.progress(now, octets);
    }

    /// The client has closed its side, and everything has been read.
    pub fn closes(&self) -> Option<CloseReason> {
        match self.phase {
            Phase::Idle => Some(CloseReason::PeerClosed),
            Phase::Head | Phase::Discard => Some(CloseReason::PeerClosedEarly),
            // Refused, where a body is due.
            Phase::Prefetch | Phase::Handle | Phase::Send => None,
            Phase::Linger | Phase::Closed => self.last,
        }
    }

    /// What the end of a wait means.
    pub fn expires(&self, is_over: bool, to_write: bool) -> Expiry {
        match self.phase {
            _ if !is_over => Expiry::NotYet,
            _ if to_write => Expiry::Close(CloseReason::WriteTimeout),
            Phase::Idle => Expiry::Close(CloseReason::IdleTimeout),
            Phase::Head => Expiry::Refuse(Reject::HeadTimeout),
            Phase::Prefetch => Expiry::Refuse(Reject::ContentTimeout),
            Phase::Handle => Expiry::Refuse(Reject::ContentTimeout),
            Phase::Send => Expiry::Close(CloseReason::WriteTimeout),
            Phase::Discard => Expiry::Close(CloseReason::UnreadContent),
            Phase::Linger | Phase::Closed => Expiry::Close(self.last.expect("an end has a reason")),
        }
    }

    /// Whether the handler takes up an offer.
    pub fn switches(&self) -> bool {
        self.message().handler.does == Does::Upgrade
            && self.message().offers
            && self.content_is_read()
    }
}
