//! The writing side: how an answer is framed, and what follows it.

use super::receive::drain_most;
use super::{CloseReason, Connection, Content, Moment, Phase, Rules, Stage};
use crate::h1::Reject;
use crate::h1::write::{CONTINUE, ConnectionField, LengthField, ResponseHead, push_head};
use crate::semantics::{Status, Version};

/// An answer to be framed.
#[derive(Clone, Copy, Debug)]
pub struct Answer<'a> {
    /// The status; never an interim one, save for 101 with `upgrade`.
    pub status: Status,
    /// Serialised field lines.
    pub fields: &'a [u8],
    /// The Date field's value, if the fields have none.
    pub date: Option<&'a str>,
    /// The Server field's value, if it is wanted and the fields have none.
    pub server: Option<&'a str>,
    /// The content's length, if it is known.
    pub length: Option<u64>,
    /// Why no answer is to follow this one; `None` lets the connection live on.
    pub last: Option<CloseReason>,
    /// With 101, the protocol that the connection goes on in: this is the last answer, whatever `last` says. Only for a
    /// request that [`offers`](crate::semantics::upgrade::offers) it and whose content has been read to its end; behind the
    /// answer comes [`upgraded`](Connection::upgraded). With any other status, a protocol that is asked for.
    pub upgrade: Option<&'a str>,
}

impl Answer<'_> {
    /// Whether another protocol takes over behind it.
    fn switches(&self) -> bool {
        self.status == Status::SWITCHING_PROTOCOLS
    }
}

/// What follows the head that was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// No content: by the status, or because the request was HEAD.
    NoContent,
    /// Exactly so many octets.
    Length(u64),
    /// Chunks, then the last chunk.
    Chunked,
    /// Octets until the connection closes.
    UntilClose,
}

/// What follows an answer whose last octet is framed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finished {
    /// The next request, or unread content.
    Continue,
    /// The end: send what is left, close the write side, drop what still comes until the peer closes or the time is over.
    Linger,
    /// The end: send what is left and close.
    Close(CloseReason),
}

impl Connection {
    /// Writes an answer's head into `out` and decides how its content is delimited and whether the connection lives on.
    pub fn answer(&mut self, answer: &Answer<'_>, rules: &Rules, out: &mut Vec<u8>) -> Delivery {
        debug_assert_eq!(self.phase(), Phase::Handle);
        debug_assert!(!answer.switches() || answer.upgrade.is_some());
        self.stage = Stage::Send;
        self.writing.begin();
        if answer.switches() {
            self.before_upgrade(out);
        }
        let delivery = self.delivery(answer);
        self.last = self.last_reason(answer, delivery, rules);
        let length = match (delivery, answer.length) {
            // RFC 9110 §8.6: "A server MUST NOT send a Content-Length header field in any 2xx (Successful) response to a
            // CONNECT request", nor with 1xx and 204; 304 may carry one, but only that of a 200, which is not known here.
            _ if !answer.status.allows_content() || self.is_tunnel(answer.status) => {
                LengthField::Absent
            }
            // RFC 9110 §15.3.6: "a server MUST NOT generate content in a 205 response", which is framed as empty all the same.
            _ if answer.status == Status::RESET_CONTENT => LengthField::Length(0),
            // RFC 9110 §9.3.2: HEAD is answered with the fields that GET would have had.
            (Delivery::NoContent, Some(length)) | (Delivery::Length(length), _) => {
                LengthField::Length(length)
            }
            (Delivery::Chunked, _) => LengthField::Chunked,
            (Delivery::NoContent, None) if self.version == Version::Http11 => LengthField::Chunked,
            (Delivery::NoContent, None) | (Delivery::UntilClose, _) => LengthField::Absent,
        };
        let connection = match (self.last, self.version) {
            // HTTP ends here, and with it what there is to say of it.
            _ if answer.switches() => ConnectionField::Absent,
            (Some(_), _) => ConnectionField::Close,
            (None, Version::Http10) => ConnectionField::KeepAlive,
            (None, Version::Http11) => ConnectionField::Absent,
        };
        let Answer {
            status,
            fields,
            date,
            server,
            upgrade,
            ..
        } = *answer;
        push_head(
            out,
            &ResponseHead {
                status,
                date,
                server,
                fields,
                length,
                connection,
                upgrade,
            },
        );
        delivery
    }

    /// What has to hold before another protocol takes over, and what has to be sent.
    fn before_upgrade(&mut self, out: &mut Vec<u8>) {
        debug_assert_eq!(self.version, Version::Http11);
        // Octets of content behind a 101 would be the new protocol's first.
        debug_assert!(self.content_is_read());
        debug_assert_eq!(self.last, None);
        // RFC 9110 §7.8: "If a server receives both an Upgrade and an Expect header field with the "100-continue" expectation
        // …, the server MUST send a 100 (Continue) response before sending a 101 (Switching Protocols) response."
        if std::mem::take(&mut self.continue_due) {
            out.extend_from_slice(CONTINUE);
        }
    }

    fn delivery(&self, answer: &Answer<'_>) -> Delivery {
        let empty = answer.status == Status::RESET_CONTENT;
        if self.is_head || empty || !answer.status.allows_content() || self.is_tunnel(answer.status)
        {
            return Delivery::NoContent;
        }
        match answer.length {
            Some(length) => Delivery::Length(length),
            None if self.version == Version::Http11 => Delivery::Chunked,
            // RFC 9112 §6.1: "A server MUST NOT send a response containing Transfer-Encoding unless the corresponding
            // request indicates HTTP/1.1 (or later minor revisions)."
            None => Delivery::UntilClose,
        }
    }

    /// RFC 9110 §9.3.6: a 2xx answer to CONNECT turns the connection into a tunnel. This server opens none: such an
    /// answer has no content and is the last.
    fn is_tunnel(&self, status: Status) -> bool {
        self.is_connect && status.is_successful()
    }

    fn last_reason(
        &self,
        answer: &Answer<'_>,
        delivery: Delivery,
        rules: &Rules,
    ) -> Option<CloseReason> {
        let upgraded = answer.switches().then_some(CloseReason::Upgraded);
        // What was abandoned stays abandoned for its own reason.
        if let Some(reason) = self.last.or(upgraded).or(answer.last) {
            return Some(reason);
        }
        let too_much = self
            .content_left()
            .is_some_and(|left| left > u64::from(drain_most(&rules.limits)));
        // Whether a client that was not told to continue sends its content or not cannot be known, so neither can the
        // start of its next request.
        if !self.content_is_read() && (self.continue_due || too_much) {
            return Some(CloseReason::UnreadContent);
        }
        let at_limit = rules
            .limits
            .requests_per_connection
            .is_some_and(|most| self.requests >= most);
        let ends = !self.keep_alive
            || at_limit
            || delivery == Delivery::UntilClose
            || self.is_tunnel(answer.status);
        ends.then_some(CloseReason::Answered)
    }

    /// An answer's last octet is framed, if not sent: what follows. `in_doubt` says whether octets lie behind the request, or so
    /// many of the answer's are on their way that some may come before those are read.
    pub fn finish(&mut self, in_doubt: bool, now: Moment, rules: &Rules) -> Finished {
        debug_assert_eq!(self.phase(), Phase::Send);
        match self.last {
            // The client asked for the end and has said nothing more, so closing does not reset what it has not read.
            // RFC 9112 §9.6: a client that sends "close" "MUST NOT send further requests on that connection".
            Some(CloseReason::Answered)
                if !self.keep_alive && !in_doubt && self.content_is_read() =>
            {
                self.stage = Stage::Closed;
                Finished::Close(CloseReason::Answered)
            }
            Some(reason) => {
                self.linger(reason, now, rules);
                Finished::Linger
            }
            None if self.content_is_read() => {
                self.rest(now, rules);
                Finished::Continue
            }
            None => {
                self.stage = Stage::Drain(0);
                self.content_deadline(now, rules);
                Finished::Continue
            }
        }
    }

    /// A 101 is framed: from its last octet on the connection is another protocol's, and HTTP ends here. Nothing more is
    /// parsed; what is here behind the request is the new protocol's.
    pub fn upgraded(&mut self, now: Moment, rules: &Rules) {
        debug_assert_eq!(self.phase(), Phase::Send);
        debug_assert_eq!(self.last, Some(CloseReason::Upgraded));
        self.linger(CloseReason::Upgraded, now, rules);
    }

    /// The other protocol has failed: the connection, whose end has begun, ends for this reason.
    pub fn upgrade_failed(&mut self, reason: CloseReason) {
        debug_assert_eq!(self.phase(), Phase::Linger);
        self.last = Some(reason);
    }

    /// Refuses the message in progress: the answer that follows is the last one, and nothing more is parsed.
    pub fn refuse(&mut self, reject: Reject) {
        self.abandon(CloseReason::Rejected(reject));
    }

    /// Makes the answer that follows the last one, whatever the phase; nothing more is parsed.
    pub fn abandon(&mut self, reason: CloseReason) {
        if matches!(self.phase(), Phase::Idle | Phase::Head) {
            // No head was complete: what is known of the request before this one says nothing about the refused one.
            self.version = Version::Http11;
            self.is_head = false;
            self.is_connect = false;
        }
        self.stage = Stage::Handle;
        self.content = Content::Done;
        self.continue_due = false;
        self.last = Some(reason);
    }

    /// The last answer is framed, and the write side is to be closed behind it.
    pub(super) fn linger(&mut self, reason: CloseReason, now: Moment, rules: &Rules) {
        self.last = Some(reason);
        self.stage = Stage::Linger;
        self.deadline = now.after(rules.timeouts.linger);
    }

    /// The last answer is with the system as a whole: the peer has this long from now to read it, however long it took to
    /// get there.
    pub fn last_octet_sent(&mut self, now: Moment, rules: &Rules) {
        debug_assert_eq!(self.phase(), Phase::Linger);
        self.deadline = now.after(rules.timeouts.linger);
    }

    /// Why the connection ends, once it is known.
    pub fn last(&self) -> Option<CloseReason> {
        self.last
    }
}
