//! How a response is framed, and what follows it.

use super::close_reason::CloseReason;
use super::config::Config;
use super::content::discard_max;
use super::min_rate::MinRate;
use super::moment::Moment;
use super::response_plan::{BodyFraming, PlanError, ResponsePlan};
use super::state::{Connection, Content, Phase, Stage};
use crate::h1::write::{CONTINUE, ConnectionField, LengthField, ResponseHead, push_head};
use crate::semantics::{Status, Version};

/// What the client gets when a response cannot end the request.
static FAULT: ResponsePlan<'static> = ResponsePlan::new(Status::INTERNAL_SERVER_ERROR).length(0);

impl Connection {
    /// Appends a response's head to `out`, and decides how its body is delimited and whether the
    /// connection is kept. The part of the request body that was not taken is discarded after the
    /// response, up to [`Limits::discard_bytes`](crate::Limits::discard_bytes), or ends the
    /// connection.
    ///
    /// The order of the head: Date, Server, Connection, Upgrade, Content-Length or
    /// Transfer-Encoding, the response's own lines.
    ///
    /// # Panics
    /// With debug assertions, when no response is due (there is no request, or it has its
    /// response), and when the status cannot end a request (see [`check`](Connection::check)).
    /// Without them nothing is written in the first case ([`BodyFraming::NoContent`]), and 500 in
    /// the second.
    pub fn respond(
        &mut self,
        plan: &ResponsePlan<'_>,
        config: &Config,
        out: &mut Vec<u8>,
    ) -> BodyFraming {
        if !matches!(self.stage, Stage::Handle) {
            debug_assert!(false, "no response is due in {:?}", self.phase());
            return BodyFraming::NoContent;
        }
        let plan = match self.check(plan.status, plan.upgrade) {
            Ok(()) => plan,
            Err(error) => {
                debug_assert!(false, "{:?}: {error}", plan.status);
                &FAULT
            }
        };
        let ResponsePlan { status, fields, .. } = *plan;
        let switches = status == Status::SWITCHING_PROTOCOLS;
        self.stage = Stage::Send;
        // Another transfer begins, after one that may still keep the server waiting.
        self.writing = MinRate {
            since: self.writing.since,
            ..MinRate::NEW
        };
        // RFC 9110 §7.8: "If a server receives both an Upgrade and an Expect header field with the
        // "100-continue" expectation …, the server MUST send a 100 (Continue) response before
        // sending a 101 (Switching Protocols) response."
        if switches && std::mem::take(&mut self.continue_due) {
            out.extend_from_slice(CONTINUE);
        }
        let (framing, length) = self.framing(plan);
        self.close_reason = self.close_reason_after(plan, framing, config);
        let connection = match (self.close_reason, self.version) {
            // HTTP ends here, and persistence with it.
            _ if switches => ConnectionField::Absent,
            (Some(_), _) => ConnectionField::Close,
            (None, Version::Http10) => ConnectionField::KeepAlive,
            (None, Version::Http11) => ConnectionField::Absent,
        };
        // RFC 9110 §6.6.1: a server "MAY generate a Date header field in 1xx (Informational)"; here
        // it does not.
        let is_dated = fields.has_date || switches;
        push_head(
            out,
            &ResponseHead {
                status,
                date: plan.date.filter(|_| !is_dated),
                server: plan.server.filter(|_| !fields.has_server),
                fields: &fields.bytes,
                length,
                connection,
                upgrade: plan.upgrade,
            },
        );
        framing
    }

    /// As [`respond`](Connection::respond), with a complete body: sets its length and appends it
    /// after the head, unless the status allows no body or the request was HEAD. A [`Status`] alone
    /// is a response, too.
    ///
    /// # Panics
    /// As [`respond`](Connection::respond) does.
    pub fn respond_full<'a>(
        &mut self,
        plan: impl Into<ResponsePlan<'a>>,
        content: &[u8],
        config: &Config,
        out: &mut Vec<u8>,
    ) {
        let plan = plan.into().length(content.len() as u64);
        if self.respond(&plan, config, out) == BodyFraming::Length(content.len() as u64) {
            out.extend_from_slice(content);
        }
    }

    /// Whether the present request can end with a response of this status, which names this
    /// protocol in its Upgrade field.
    ///
    /// ```
    /// use doorstep::conn::{Config, Connection, Moment, PlanError};
    /// use doorstep::Status;
    ///
    /// let conn = Connection::new(Moment(0), &Config::default());
    /// assert_eq!(conn.check(Status::EARLY_HINTS, None), Err(PlanError::Interim));
    /// assert_eq!(conn.check(Status::SWITCHING_PROTOCOLS, None), Err(PlanError::Interim));
    /// assert_eq!(conn.check(Status::SWITCHING_PROTOCOLS, Some("websocket")), Ok(()));
    /// ```
    ///
    /// # Errors
    /// Why not: [`respond`](Connection::respond) would panic, or write a 500 instead.
    pub fn check(&self, status: Status, upgrade: Option<&str>) -> Result<(), PlanError> {
        if status.allows_content() {
            return Ok(());
        }
        if status != Status::SWITCHING_PROTOCOLS {
            return match status.is_informational() {
                true => Err(PlanError::Interim),
                false => Ok(()),
            };
        }
        if upgrade.is_none() {
            return Err(PlanError::Interim);
        }
        if self.content_left() != Some(0) {
            return Err(PlanError::UnreadContent);
        }
        match self.version == Version::Http11 && self.close_reason.is_none() {
            true => Ok(()),
            false => Err(PlanError::NoUpgrade),
        }
    }

    /// How the body of a response is delimited, and what its head says of that.
    fn framing(&self, plan: &ResponsePlan<'_>) -> (BodyFraming, LengthField) {
        let status = plan.status;
        // RFC 9110 §9.3.6: a 2xx response to CONNECT turns the connection into a tunnel. This
        // server opens none, but such a response has no content all the same.
        let is_tunnel = self.is_connect && status.is_successful();
        // RFC 9110 §8.6: "A server MUST NOT send a Content-Length header field in any 2xx
        // (Successful) response to a CONNECT request", nor with 1xx and 204; 304 may carry one, but
        // only that of a 200, which is not known here.
        if !status.allows_content() || is_tunnel {
            return (BodyFraming::NoContent, LengthField::Absent);
        }
        // RFC 9110 §15.3.6: "a server MUST NOT generate content in a 205 response", which is framed
        // as empty all the same.
        if status == Status::RESET_CONTENT {
            return (BodyFraming::NoContent, LengthField::Length(0));
        }
        let (framing, length) = match plan.length {
            Some(length) => (BodyFraming::Length(length), LengthField::Length(length)),
            None if self.version == Version::Http11 => (BodyFraming::Chunked, LengthField::Chunked),
            // RFC 9112 §6.1: "A server MUST NOT send a response containing Transfer-Encoding unless
            // the corresponding request indicates HTTP/1.1 (or later minor revisions)."
            None => (BodyFraming::UntilClose, LengthField::Absent),
        };
        match self.is_head {
            // RFC 9110 §9.3.2: HEAD is answered with the fields that GET would have had.
            true => (BodyFraming::NoContent, length),
            false => (framing, length),
        }
    }

    fn close_reason_after(
        &self,
        plan: &ResponsePlan<'_>,
        framing: BodyFraming,
        config: &Config,
    ) -> Option<CloseReason> {
        let switches = plan.status == Status::SWITCHING_PROTOCOLS;
        let upgraded = switches.then_some(CloseReason::Upgraded);
        // An abandoned connection keeps its reason.
        if let Some(reason) = self.close_reason.or(upgraded).or(plan.close_after) {
            return Some(reason);
        }
        match self.content_left() {
            Some(0) => {}
            // Whether a client that was not told to continue sends its content or not cannot be
            // known, so neither can the start of its next request.
            _ if self.continue_due => return Some(CloseReason::UnreadContent),
            Some(left) if left > u64::from(discard_max(&config.limits)) => {
                return Some(CloseReason::UnreadContent);
            }
            Some(_) | None => {}
        }
        let at_limit = config
            .limits
            .requests_per_connection
            .is_some_and(|most| self.requests >= most);
        let ends = !self.keep_alive
            || at_limit
            || framing == BodyFraming::UntilClose
            // RFC 9110 §9.3.6: "A CONNECT request message does not have content. The interpretation
            // of data sent immediately after the header section of the CONNECT request message is
            // specific to the version of HTTP in use."
            // STRICTER: whatever the response, nothing more is read. A client that did not wait for
            // the tunnel has sent bytes meant for its other end, which may look like a request; and
            // an intermediary may count them with the content, or not.
            || self.is_connect;
        ends.then_some(CloseReason::Answered)
    }

    /// The last byte of a response is framed, if not sent. `in_doubt` says whether bytes are here
    /// after the request (the input is not empty), or so much of the response is on its way that
    /// some may come before it is read.
    ///
    /// After a last response the connection is closed at once only when nothing is in doubt.
    /// Otherwise input is discarded until the peer closes or
    /// [`Timeouts::linger`](crate::Timeouts::linger) is over: closing with unread bytes would reset
    /// the connection, and the peer could lose the response.
    ///
    /// # Panics
    /// With debug assertions, when no response is in progress. Without them nothing happens then.
    pub fn finish(&mut self, in_doubt: bool, now: Moment, config: &Config) {
        if !matches!(self.stage, Stage::Send) {
            debug_assert!(false, "no response is in progress in {:?}", self.phase());
            return;
        }
        let is_read = self.content_left() == Some(0);
        match self.close_reason {
            // HTTP ends here. The bytes that come belong to the other protocol.
            Some(CloseReason::Upgraded) => self.stage = Stage::Closed,
            // The client asked for the end and has said nothing more, so closing does not reset
            // what it has not read.
            // RFC 9112 §9.6: a client that sends "close" "MUST NOT send further requests on that
            // connection".
            Some(CloseReason::Answered) if !self.keep_alive && !in_doubt && is_read => {
                self.stage = Stage::Closed;
            }
            Some(reason) => self.linger(reason, now, config),
            None if is_read => self.rest(now, config),
            None => {
                self.stage = Stage::Discard(0);
                self.content_deadline(now, config);
            }
        }
    }

    /// Between two requests.
    pub(super) fn rest(&mut self, now: Moment, config: &Config) {
        self.stage = Stage::Idle;
        self.content = Content::Done;
        self.deadline = now.after(config.timeouts.keep_alive);
    }

    /// Makes the next response the last one, for this reason, and makes one due where none was: the
    /// response to a refused message, or a 503 to a client that cannot be served. Nothing more is
    /// parsed; a response that is being framed stays framed so far.
    pub fn abandon(&mut self, reason: CloseReason) {
        if matches!(self.phase(), Phase::Idle | Phase::Head) {
            // No head was complete: what is known of the request before says nothing about this
            // one.
            self.version = Version::Http11;
            self.is_head = false;
            self.is_connect = false;
        }
        self.stage = Stage::Handle;
        self.content = Content::Done;
        self.continue_due = false;
        self.close_reason = Some(reason);
    }

    /// Begins the end: the last response is framed, and the write side is to be closed after it, or
    /// has been. Input is discarded until the peer closes or
    /// [`Timeouts::linger`](crate::Timeouts::linger), counted from now, is over. Then the
    /// connection ends for this reason.
    ///
    /// [`finish`](Connection::finish) does this itself. A loop may repeat it when it closes its
    /// write side, as the peer's time to read begins then, and calls it when another protocol has
    /// ended.
    pub fn linger(&mut self, reason: CloseReason, now: Moment, config: &Config) {
        self.close_reason = Some(reason);
        self.stage = Stage::Linger;
        self.deadline = now.after(config.timeouts.linger);
    }
}
