//! What the handlers were asked, and what was refused, against a naive reading of what the client sent.

use super::answers::{Call, Pulled};
use super::judge::Case;
use super::reading::{End, Message};
use doorstep::Reject;
use doorstep::internals::limits::GATHER_BYTES;
use std::time::Duration;

/// Octets of a method, as the server limits them.
const METHOD_MOST: usize = 23;

impl Case<'_> {
    /// A request is what the client's octets say, and there is no other.
    pub fn asked(&self, at: usize) -> Result<(), String> {
        let call = self.calls[at].1;
        let message = self
            .reading
            .messages
            .get(at)
            .ok_or_else(|| format!("{:?} was never sent", call.target))?;
        let octets = |text: &Option<String>| text.as_ref().map(|text| text.as_bytes().to_vec());
        let parts = [
            ("method", call.method.as_bytes() == message.method),
            ("target", call.target.as_bytes() == message.target),
            ("path", call.path.as_bytes() == message.path),
            ("query", octets(&call.query) == message.query),
            ("version", call.minor == message.minor),
            ("host", octets(&call.host) == message.host),
            ("fields", call.fields == message.fields),
            ("length", call.length == message.length),
        ];
        if let Some((part, _)) = parts.iter().find(|(_, same)| !same) {
            let wanted = message.shown();
            return Err(format!(
                "the {part} of {} was not sent: {wanted}",
                call.target
            ));
        }
        if call.read < message.head_end {
            return Err("handled before its head was there".into());
        }
        if let Some(limit) = self.beyond_limit(message) {
            return Err(format!("handled beyond the limit of {limit}"));
        }
        if !self.is_gathered(call, message) {
            return Err("handled before its content was there".into());
        }
        let content = &message.content;
        let is_last = at + 1 == self.calls.len();
        let unread = call.pulled == Pulled::Nothing && content.len() > self.rules.limits.drain;
        if unread && !is_last {
            return Err("another request behind more content than is dropped".into());
        }
        let fine = match &call.pulled {
            Pulled::Nothing => true,
            Pulled::Whole(octets) => octets == content && matches!(message.end, End::At(_)),
            Pulled::Part(octets) => content.starts_with(octets),
            Pulled::Failed(octets) => is_last && content.starts_with(octets),
        };
        if !fine {
            let wanted = message.shown();
            return Err(format!("other content than that of {wanted}"));
        }
        Ok(())
    }

    /// Whether as much of the content was there as is awaited from a client that does not hold it back.
    fn is_gathered(&self, call: &Call, message: &Message) -> bool {
        let here = call.read - message.head_end;
        let is_all = matches!(message.end, End::At(end) if end <= call.read);
        is_all || here >= GATHER_BYTES || message.expects
    }

    /// Which limit of a head a message exceeds.
    pub fn beyond_limit(&self, message: &Message) -> Option<&'static str> {
        let limits = &self.rules.limits;
        let found = [
            (
                message.head_end - message.start > limits.head_bytes,
                "a head",
            ),
            (message.target.len() > limits.target_bytes, "a target"),
            (message.method.len() > METHOD_MOST, "a method"),
            (message.fields.len() > limits.headers, "fields"),
        ];
        found.iter().find(|(is, _)| *is).map(|(_, what)| *what)
    }

    /// What was refused deserved it, and nothing followed.
    pub fn refused(&self) -> Result<(), String> {
        let refusal = match self.link.refusals[..] {
            [] => return Ok(()),
            [refusal] => refusal,
            _ => return Err("more than one".into()),
        };
        if refusal.calls != self.calls.len() {
            return Err("a request was handled behind it".into());
        }
        let at = self.refused_at();
        self.deserves(refusal.reject, at)
    }

    /// Which message was refused: the one whose handler could not read its content, or the next.
    pub fn refused_at(&self) -> usize {
        match self.calls.last() {
            Some((_, call)) if matches!(call.pulled, Pulled::Failed(_)) => self.calls.len() - 1,
            _ => self.calls.len(),
        }
    }

    /// Whether the message at this place may be refused for this.
    pub fn deserves(&self, reject: Reject, at: usize) -> Result<(), String> {
        let message = self.reading.messages.get(at);
        let limits = &self.rules.limits;
        let waited = |least: Duration| self.world.now >= least;
        let timeouts = &self.rules.timeouts;
        let is_fine = match (reject, message) {
            (Reject::HeadTimeout, _) => waited(timeouts.head),
            (Reject::ContentTimeout, _) => waited(timeouts.body),
            (Reject::TruncatedContent, Some(message)) => {
                self.link.half_closed && message.end == End::Cut
            }
            (Reject::TruncatedContent, None) => false,
            (Reject::ChunkLineTooLong, Some(message)) => {
                message.chunk_line > limits.chunk_line || !matches!(message.end, End::At(_))
            }
            (Reject::TrailerTooLarge, Some(message)) => {
                message.trailer > limits.trailer_bytes || !matches!(message.end, End::At(_))
            }
            (_, Some(message)) => {
                self.beyond_limit(message).is_some() || !matches!(message.end, End::At(_))
            }
            // Whether a head that is cut could have become valid is not known here, so any reason will do; but something of it
            // must be there.
            (_, None) => match self.reading.messages.last() {
                Some(last) => !matches!(last.end, End::At(end) if end == self.link.sent.len()),
                None => !self.link.sent.is_empty(),
            },
        };
        match is_fine {
            true => Ok(()),
            false => Err(format!("{reject:?} for {:?}", message.map(Message::shown))),
        }
    }
}
