//! What came back on a link, against what its handlers gave.

use super::answers::{Body, Call, Content, Given, Head, Pulled, body, head};
use super::judge::Case;
use super::oracle::Message;
use doorstep::internals::sys::Interest;

/// The client offers to go on in the protocol that the handlers know.
fn offers_echo(message: &Message) -> bool {
    let is_echo = |protocol: &Vec<u8>| protocol.eq_ignore_ascii_case(b"echo");
    message.upgrades.iter().any(is_echo)
}

/// What came back on a link, as far as it could be told.
pub struct Heard {
    /// Calls whose answer was heard of at least in part.
    pub begun: usize,
    /// Calls whose answer came to its end.
    pub whole: usize,
    /// The last answer was the last.
    pub is_last: bool,
    /// Everything that came is whole answers.
    pub is_even: bool,
    /// The status of each.
    pub statuses: Vec<u16>,
    /// The connection has gone on in another protocol: bytes of that which came back.
    pub echoed: Option<usize>,
}

impl Case<'_> {
    /// Takes apart what came back, and compares it with what the handlers gave.
    pub fn heard(&self) -> Result<Heard, String> {
        let taken = &self.link.taken;
        let mut heard = Heard {
            begun: 0,
            whole: 0,
            is_last: false,
            is_even: true,
            statuses: Vec::new(),
            echoed: None,
        };
        let (mut at, mut before, mut interims) = (0, Some(0), 0);
        while at < taken.len() {
            if heard.is_last {
                return Err(format!("{} bytes after the last answer", taken.len() - at));
            }
            heard.is_even = false;
            let Some(head) = head(taken, at)? else {
                break;
            };
            if head.status == 101 {
                self.upgraded(&mut heard, &head)?;
                return Ok(heard);
            }
            if head.status < 200 {
                self.invited(heard.begun, &head, &mut interims)?;
                at = head.end;
                heard.is_even = true;
                continue;
            }
            let number = heard.begun;
            self.waited(number, at, interims)?;
            interims = 0;
            let call = self.answered(number, &head)?;
            let context = |why: String| format!("answer {number}: {why}");
            let part = match call {
                Some(call) => {
                    heard.begun += 1;
                    heard.statuses.push(head.status);
                    self.held(call, before).map_err(context)?;
                    self.answer(number, call, &head).map_err(context)?
                }
                None => self.page(&head).map_err(context)?,
            };
            heard.is_last = head.says_close()?;
            before = part.is_whole.then_some(part.end);
            at = part.end;
            if !part.is_whole {
                break;
            }
            heard.is_even = true;
            heard.whole += usize::from(call.is_some());
        }
        Ok(heard)
    }

    /// An interim answer: one, to a client that waits for it, from a handler that reads.
    fn invited(&self, number: usize, head: &Head<'_>, interims: &mut usize) -> Result<(), String> {
        *interims += 1;
        let waits = self.reading.messages.get(number);
        let waits = waits.is_some_and(|message| message.expects);
        // RFC 9110 §7.8: who expects 100 and offers another protocol is sent 100 first.
        let upgrades = |call: &Call| call.given.as_ref().is_some_and(|given| given.is_upgrade);
        let reads = self.calls.get(number);
        let reads = reads.is_some_and(|(_, call)| call.pulled != Pulled::Nothing || upgrades(call));
        match head.status == 100 && *interims == 1 && waits && reads {
            true => Ok(()),
            false => Err(format!(
                "interim answer {} to request {number}",
                head.status
            )),
        }
    }

    /// Before a handler waits for content, the client has been sent all that it may be waiting for:
    /// the answers before this request, and the invitation.
    fn waited(&self, number: usize, at: usize, interims: usize) -> Result<(), String> {
        let Some((_, call)) = self.calls.get(number) else {
            return Ok(());
        };
        let all = &self.link.waits;
        let waits = &all[call.waits.start..call.waits.end.min(all.len())];
        let mut waits = waits.iter().filter(|wait| wait.interest == Interest::Read);
        let Some(waited) = waits.next().map(|wait| wait.taken) else {
            return Ok(());
        };
        let expects = self.reading.messages[number].expects;
        match at <= waited && (interims == 1 || !expects) {
            true => Ok(()),
            false => Err(format!("request {number} waits, and so does its client")),
        }
    }

    /// Which call is answered by this; none when it is a refusal's page.
    fn answered(&self, number: usize, head: &Head<'_>) -> Result<Option<&Call>, String> {
        let tag = head.value("X-Call")?;
        let call = self.calls.get(number);
        let given = call.and_then(|(_, call)| call.given.as_ref());
        if let Some(tag) = tag {
            return match call {
                Some((index, call)) if *tag == index.to_string() => Ok(Some(call)),
                _ => Err(format!("answer {number} is to call {tag}")),
            };
        }
        let refusal = self.notes.refusals.first();
        if refusal.is_some_and(|refusal| refusal.status == head.status)
            && number == self.refused_at()
        {
            return Ok(None);
        }
        // What has been sent of a request for more than a second made room for a new client.
        if head.status == 503 && call.is_none() && self.is_overloaded() && self.is_half(number) {
            return Ok(None);
        }
        match (call, given) {
            (Some((_, call)), Some(given))
                if !given.is_tagged() || self.is_replaced(number, given, head.status) =>
            {
                Ok(Some(call))
            }
            _ => Err(format!("{} to nothing, at {number}", head.status)),
        }
    }

    /// Whether a part of the request at this place has been read, and not all of it.
    fn is_half(&self, number: usize) -> bool {
        let messages = &self.reading.messages;
        let before = number.checked_sub(1).map(|before| messages[before].end);
        let begins = before.unwrap_or(Some(0));
        let ends = messages.get(number).and_then(|message| message.end);
        begins.is_some_and(|begins| begins < self.link.read)
            && ends.is_none_or(|end| end > self.link.read)
    }

    /// Whether the server answers in place of the handler, which cannot be given what it wants.
    pub fn is_replaced(&self, number: usize, given: &Given, status: u16) -> bool {
        let message = &self.reading.messages[number];
        match status {
            426 => given.is_upgrade && !offers_echo(message),
            // What is left of its content would be taken for the other protocol.
            500 => given.is_upgrade && offers_echo(message) && message.length != Some(0),
            503 => {
                self.lacks_seat(number) && (given.is_detached || self.may_upgrade(number, given))
            }
            _ => false,
        }
    }

    /// Whether another connection may have the thread that this call needs. What an earlier call on
    /// this one had is free again.
    fn lacks_seat(&self, number: usize) -> bool {
        let (index, call) = self.calls[number];
        let needs = |given: &Given| given.is_detached || given.is_upgrade;
        let before = self.world.outside.calls[..index].iter();
        before
            .filter(|other| other.link != call.link)
            .any(|other| other.given.as_ref().is_some_and(needs))
    }

    fn may_upgrade(&self, number: usize, given: &Given) -> bool {
        let message = &self.reading.messages[number];
        given.is_upgrade && offers_echo(message) && message.length == Some(0)
    }

    /// A 101: what comes after it is what the client sent after its request.
    fn upgraded(&self, heard: &mut Heard, head: &Head<'_>) -> Result<(), String> {
        let number = heard.begun;
        let call = self.answered(number, head)?.ok_or("101 to nothing")?;
        let given = call.given.as_ref().ok_or("101 from nobody")?;
        if !self.may_upgrade(number, given) || number + 1 != self.calls.len() {
            return Err(format!("101 to request {number}, which may not have it"));
        }
        if head.value("Upgrade")? != Some("echo") || head.value("Connection")? != Some("upgrade") {
            return Err("101 to nowhere".into());
        }
        let end = self.reading.messages[number].head_end;
        let echo = &self.link.taken[head.end..];
        if !self.link.sent[end..self.link.read].starts_with(echo) {
            return Err("another echo than what was sent".into());
        }
        heard.begun += 1;
        heard.whole += 1;
        heard.statuses.push(101);
        heard.is_last = true;
        heard.is_even = true;
        heard.echoed = Some(echo.len());
        Ok(())
    }

    /// A request was begun only while little output was held back for its client.
    fn held(&self, call: &Call, before: Option<usize>) -> Result<(), String> {
        let held = before.map_or(0, |before| before.saturating_sub(call.taken));
        match held < self.config.limits.write_buffer_bytes {
            true => Ok(()),
            false => Err(format!("begun while {held} bytes were held back")),
        }
    }

    /// The answer to a call is what its handler gave.
    fn answer(&self, number: usize, call: &Call, head: &Head<'_>) -> Result<Body<'_>, String> {
        let mut given = call.given.as_ref().ok_or("the handler gave none")?;
        let page;
        if head.value("X-Call")?.is_none() && self.is_replaced(number, given, head.status) {
            page = Given {
                status: head.status,
                is_bodiless: call.method == "HEAD",
                ..Given::fault()
            };
            given = &page;
        }
        if head.status != given.status {
            return Err(format!("{} in place of {}", head.status, given.status));
        }
        if let Some((name, value)) = &given.line {
            if !head.values(name).contains(&value.as_str()) {
                return Err(format!("without {name}: {value}"));
            }
        }
        let message = &self.reading.messages[number];
        let closes = head.says_close()?;
        if (given.closes || !message.keeps_alive) && !closes {
            return Err("it does not say that it is the last".into());
        }
        let held_back =
            message.expects && call.pulled == Pulled::Nothing && message.length != Some(0);
        if held_back && !closes {
            return Err("whether the content follows that was not asked for, nobody knows".into());
        }
        let keeps = head.value("Connection")? == Some("keep-alive");
        if message.minor == 0 && !closes && !keeps {
            return Err("HTTP/1.0 that is not told that the connection lives on".into());
        }
        if message.minor == 0 && head.value("Transfer-Encoding")?.is_some() {
            return Err("chunks in HTTP/1.0".into());
        }
        let part = self.part(given, head)?;
        if part.until_close && !closes {
            return Err("until the end, which is not to come".into());
        }
        if let Content::Known(content) = &given.content {
            let content: &[u8] = if given.is_bodiless { b"" } else { content };
            let same = match part.is_whole {
                true => *part.content == *content,
                false => content.starts_with(&part.content),
            };
            if !same {
                let (got, wanted) = (part.content.len(), content.len());
                return Err(format!("{got} bytes in place of {wanted}, or others"));
            }
        }
        if given.breaks && !given.is_bodiless && part.is_whole && !part.until_close {
            return Err("content that broke off looks whole".into());
        }
        Ok(part)
    }

    /// The content of an answer to a call, framed as it should be.
    fn part(&self, given: &Given, head: &Head<'_>) -> Result<Body<'_>, String> {
        let link = self.link;
        if !given.is_bodiless {
            let part = body(&link.taken, head, link.write_closed)?;
            let is_measured = head.value("Content-Length")?.is_some();
            if is_measured == given.is_unmeasured {
                return Err("measured wrongly".into());
            }
            return Ok(part);
        }
        let allows_length = !matches!(head.status, 204 | 304);
        if head.value("Content-Length")?.is_some() && !allows_length {
            return Err("a length that its status does not allow".into());
        }
        Ok(Body {
            content: Default::default(),
            is_whole: true,
            until_close: false,
            end: head.end,
        })
    }

    /// A refusal's page, or the head of one if HEAD was refused.
    fn page(&self, head: &Head<'_>) -> Result<Body<'_>, String> {
        if !head.says_close()? {
            return Err("a refusal that does not say that it is the last answer".into());
        }
        let read = self
            .notes
            .refusals
            .first()
            .map_or(0, |refusal| refusal.read);
        let message = self.reading.messages.get(self.refused_at());
        let is_head =
            message.is_some_and(|message| message.method == b"HEAD" && message.head_end <= read);
        if is_head {
            let given = Given {
                is_bodiless: true,
                ..Given::default()
            };
            return self.part(&given, head);
        }
        body(&self.link.taken, head, self.link.write_closed)
    }
}
