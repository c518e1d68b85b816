//! What the handlers were asked, and what was refused, against a naive reading of what the client
//! sent.

use super::answers::{Call, Pulled};
use super::judge::Case;
use super::oracle::{End, Form, Message};
use doorstep::Reject;
use doorstep::internals::limits::PREFETCH_BYTES;
use std::time::Duration;

/// The path as a handler gets it: where the target has none, what it stands for.
fn path(message: &Message) -> &[u8] {
    match message.form {
        Form::Asterisk => b"*",
        Form::Absolute if message.path.is_empty() => b"/",
        Form::Absolute | Form::Origin | Form::Authority => &message.path,
    }
}

impl Case<'_> {
    /// A request is what the client's bytes say, and there is no other.
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
            ("path", call.path.as_bytes() == path(message)),
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
        if !self.is_gathered(call, message) {
            return Err("handled before its content was there".into());
        }
        let content = &message.content;
        let is_last = at + 1 == self.calls.len();
        let unread =
            call.pulled == Pulled::Nothing && content.len() > self.config.limits.discard_bytes;
        if unread && !is_last {
            return Err("another request after more content than is dropped".into());
        }
        let fine = match &call.pulled {
            Pulled::Nothing => true,
            Pulled::Whole(octets) => octets == content && message.end.is_some(),
            Pulled::Part(octets) => content.starts_with(octets),
            Pulled::Failed(octets) => is_last && content.starts_with(octets),
        };
        if !fine {
            let wanted = message.shown();
            return Err(format!("other content than that of {wanted}"));
        }
        Ok(())
    }

    /// Whether as much of the content was there as is awaited from a client that does not hold it
    /// back.
    fn is_gathered(&self, call: &Call, message: &Message) -> bool {
        let here = call.read - message.head_end;
        let is_all = message.end.is_some_and(|end| end <= call.read);
        is_all || here >= PREFETCH_BYTES || message.expects
    }

    /// What was refused deserved it, and nothing followed.
    pub fn refused(&self) -> Result<(), String> {
        let refusal = match self.notes.refusals[..] {
            [] => return Ok(()),
            [refusal] => refusal,
            _ => return Err("more than one".into()),
        };
        if refusal.calls != self.calls.len() {
            return Err("a request was handled after it".into());
        }
        let at = self.refused_at();
        self.deserves(refusal.reject, at, refusal.read)
    }

    /// Which message was refused: the one whose handler could not read its content, or the next.
    pub fn refused_at(&self) -> usize {
        match self.calls.last() {
            Some((_, call)) if matches!(call.pulled, Pulled::Failed(_)) => self.calls.len() - 1,
            _ => self.calls.len(),
        }
    }

    /// Whether the message at this place may be refused for this, by when so many bytes have been
    /// read.
    pub fn deserves(&self, reject: Reject, at: usize, read: usize) -> Result<(), String> {
        let message = self.reading.messages.get(at);
        let waited = |least: Duration| self.world.now >= least;
        let timeouts = &self.config.timeouts;
        let is_fine = match reject {
            // What was sent after it came too late.
            Reject::HeadTimeout => {
                waited(timeouts.head) && message.is_none_or(|message| message.head_end > read)
            }
            Reject::ContentTimeout => {
                waited(timeouts.body) && message.is_some_and(|message| message.head_end <= read)
            }
            Reject::TruncatedContent => {
                self.link.half_closed && message.is_some_and(|message| message.end.is_none())
            }
            // Of the bytes: for the first that no valid message has at its place, if it has come.
            _ => match self.reading.end {
                End::Refused(due) => {
                    let is_here = match message {
                        Some(message) => message.end.is_none(),
                        None => at == self.reading.messages.len(),
                    };
                    is_here && due.status == reject.status().code() && due.after <= read
                }
                End::Open | End::Last => false,
            },
        };
        match is_fine {
            true => Ok(()),
            false => Err(format!(
                "{reject:?} at {read}, of {:?}, for {:?}",
                self.reading.end,
                message.map(Message::shown)
            )),
        }
    }
}
