//! Writes a response into the output: its head, its body or the pending rest of it, its record.

use crate::conn::{BodyFraming, CloseReason, ResponsePlan, offers_upgrade};
use crate::h1::Head;
use crate::handler::{Now, Payload, RequestParts, Response, ResponseParts, Takeover};
use crate::limits::SENDFILE_FROM;
use crate::semantics::date::HttpDate;
use crate::semantics::{Headers, Status};
use crate::server::base::descriptors::Descriptors;
use crate::server::base::observer::Observer;
use crate::server::base::permits::{Permit, Semaphore};
use crate::server::client::Client;
use crate::server::client::access_record::AccessRecord;
use crate::server::client::output::{Output, copy_file, in_memory};
use crate::server::client::pending::{PendingBody, PendingTakeover};
use crate::server::shared::Shared;
use core::net::SocketAddr;
use std::borrow::Cow;
use std::mem;
use std::time::{Duration, SystemTime};

/// A body in memory up to this size is copied after its head and shares its write; a longer one is
/// handed to the system where it lies. A second piece costs more than the copy of 8 KiB saves.
pub const COPY_BYTES: usize = 16 * 1024;

#[derive(Clone, Copy)]
pub struct RequestView<'a> {
    pub head: Head,
    pub bytes: &'a [u8],
    pub headers: Headers<'a>,
    /// How long the request has waited for its handler to be called.
    pub waited: Duration,
}

impl<'a> RequestView<'a> {
    /// The request, as a handler sees it.
    pub fn parts(
        &self,
        peer: Option<SocketAddr>,
        now: Now,
        blocking_share: usize,
    ) -> RequestParts<'a> {
        let head = &self.head;
        RequestParts {
            method: head.method,
            target: head.target.text(self.bytes),
            parts: head.parts,
            host: head.host.map(|host| host.text(self.bytes)),
            version: head.version,
            headers: self.headers,
            peer,
            now,
            blocking_share,
        }
    }
}

pub struct ResponseWriter<'a> {
    pub shared: &'a Shared,
    pub output: &'a mut Output,
    pub date: &'a mut DateCache,
    pub client: &'a mut Client,
    pub now: &'a Now,
}

/// The Date header's value, made once a second.
#[derive(Debug, Default)]
pub struct DateCache(Option<(u64, HttpDate)>);

impl DateCache {
    fn at(&mut self, wall: SystemTime) -> Option<&HttpDate> {
        // A clock before 1970 or after 9999 has no honest date: RFC 9110 §6.6.1 lets a server
        // without a clock leave it out.
        let second = wall.duration_since(SystemTime::UNIX_EPOCH).ok()?.as_secs();
        if self.0.as_ref().is_none_or(|(made, _)| *made != second) {
            self.0 = Some((second, HttpDate::from_unix(second)?));
        }
        self.0.as_ref().map(|(_, date)| date)
    }
}

/// Why the body of a response cannot be sent.
enum Unplaced {
    /// Its file ended before its length.
    EndedEarly,
    /// It would hold one descriptor too many until it is sent.
    NoDescriptor,
}

impl ResponseWriter<'_> {
    /// Frames a response into the output. What does not fit there becomes pending.
    ///
    /// `request` is `None` when no valid head was received: such a response has no record.
    pub fn write_response(
        &mut self,
        response: Response,
        request: Option<RequestView<'_>>,
        close_after: Option<CloseReason>,
    ) {
        let mut parts = response.take_apart();
        if let Some(Takeover::Upgrade { protocol, .. }) = &parts.takeover {
            let offers = |request: RequestView<'_>| {
                offers_upgrade(request.head.version, request.headers, protocol)
            };
            if !request.is_some_and(offers) {
                parts = upgrade_required(protocol);
            }
        }
        if let Err(error) = self.client.conn.check(parts.status, parts.upgrade) {
            parts = fault(error.as_str());
        }
        let permit = match &parts.takeover {
            None
            | Some(Takeover::Writer {
                is_detached: false, ..
            }) => None,
            Some(_) => {
                let most = self.shared.config.limits.detached_threads;
                let permit = Semaphore::take(&self.shared.permits, most);
                if permit.is_none() {
                    let response =
                        Response::unavailable().with_log_reason("too many detached answers");
                    parts = response.take_apart();
                }
                permit
            }
        };
        let before = self.output.bytes.len();
        let framing = self.write_head(&parts, close_after);
        let mut body_at = self.output.bytes.len();
        if let Err(unplaced) = self.place_body(&mut parts, framing, permit) {
            // No byte of its response is out.
            self.output.bytes.truncate(before);
            let (reason, instead) = match unplaced {
                Unplaced::EndedEarly => {
                    let page = fault("the content ended early");
                    (CloseReason::ContentFailed, page)
                }
                Unplaced::NoDescriptor => {
                    let page = Response::unavailable().with_log_reason("too many open files");
                    (CloseReason::Overload, page.take_apart())
                }
            };
            self.client.conn.abandon(reason);
            parts = instead;
            let framing = self.write_head(&parts, None);
            body_at = self.output.bytes.len();
            // The page lies in memory.
            let _ = self.place_body(&mut parts, framing, None);
        }
        if let (Some(request), Some(observer)) = (request, &self.shared.observer) {
            self.record(&**observer, request, &parts, body_at);
        }
    }

    fn write_head(
        &mut self,
        parts: &ResponseParts,
        close_after: Option<CloseReason>,
    ) -> BodyFraming {
        let plan = ResponsePlan {
            status: parts.status,
            fields: &parts.fields,
            date: self.date.at(self.now.wall),
            server: self.shared.server_name,
            length: parts.content_length,
            close_after: close_after.or(parts.close.then_some(CloseReason::Answered)),
            upgrade: parts.upgrade,
        };
        let bytes = &mut self.output.bytes;
        self.client.conn.respond(&plan, &self.shared.config, bytes)
    }

    /// Puts the body into the output or leaves it pending.
    fn place_body(
        &mut self,
        parts: &mut ResponseParts,
        framing: BodyFraming,
        permit: Option<Permit>,
    ) -> Result<(), Unplaced> {
        let is_chunked = framing == BodyFraming::Chunked;
        let is_upgrade = matches!(parts.takeover, Some(Takeover::Upgrade { .. }));
        if framing == BodyFraming::NoContent && !is_upgrade {
            // Dropped before the record: the body may be the program's, and so its Drop.
            discard_body(parts);
            parts.takeover = None;
            return Ok(());
        }
        if let Some(takeover) = parts.takeover.take() {
            self.client.pending().takeover = Some(PendingTakeover {
                takeover,
                is_chunked,
                permit,
            });
            return Ok(());
        }
        match &parts.payload {
            Payload::Empty => return Ok(()),
            Payload::File {
                file,
                offset,
                length,
            } if *length < SENDFILE_FROM => {
                let pass = parts.gate.as_ref().map(|rule| rule.enter());
                // When the gate is full, the file is sent later.
                if !matches!(pass, Some(None)) {
                    let is_whole = copy_file(&mut self.output.bytes, file, *offset, *length);
                    // Closed inside as well.
                    parts.payload = Payload::Empty;
                    return match is_whole {
                        true => Ok(()),
                        false => Err(Unplaced::EndedEarly),
                    };
                }
            }
            payload => match in_memory(payload) {
                Some(bytes) if bytes.len() <= COPY_BYTES => {
                    self.output.bytes.extend_from_slice(bytes);
                    return Ok(());
                }
                _ => {}
            },
        }
        let held_file = match &parts.payload {
            Payload::File { file, .. } => {
                let connections = self.shared.slots.occupied();
                let held = Descriptors::hold(&self.shared.descriptors, file, connections);
                if held.is_none() {
                    discard_body(parts);
                    return Err(Unplaced::NoDescriptor);
                }
                held
            }
            _ => None,
        };
        self.client.pending().body = Some(PendingBody {
            payload: mem::replace(&mut parts.payload, Payload::Empty),
            sent: 0,
            is_chunked,
            gate: parts.gate.take(),
            held_file,
        });
        Ok(())
    }

    /// Tells the observer of a response that is in the output as a whole. Otherwise the record
    /// waits with the rest of the response.
    fn record(
        &mut self,
        observer: &dyn Observer,
        request: RequestView<'_>,
        parts: &ResponseParts,
        body_at: usize,
    ) {
        let sent = self.client.sent + self.output.unsent().len() as u64;
        let body_in_output = (self.output.bytes.len() - body_at) as u64;
        let record = AccessRecord {
            method: request.head.method,
            target: Cow::Borrowed(request.head.target.text(request.bytes)),
            version: request.head.version,
            status: parts.status,
            log_reason: parts.log_reason,
            begun: self.now.monotonic,
            waited: request.waited,
            body_from: sent - body_in_output,
            error: None,
        };
        match &mut self.client.pending {
            Some(pending) if pending.has_content() => pending.access = Some(record.into_owned()),
            _ => {
                let time = self.shared.clock.now();
                observer.request(&record.event(self.client.peer, sent, true, time));
            }
        }
    }
}

/// Drops a body that is not sent, inside of its gate if it has one.
fn discard_body(parts: &mut ResponseParts) {
    let payload = mem::replace(&mut parts.payload, Payload::Empty);
    if let Some(rule) = &parts.gate {
        rule.discard(payload);
    }
}

/// The response in place of one that cannot be given.
fn fault(reason: &'static str) -> ResponseParts {
    let page = Response::status_page(Status::INTERNAL_SERVER_ERROR);
    page.with_log_reason(reason).take_apart()
}

/// The response in place of a 101 for a protocol that the client does not offer.
fn upgrade_required(protocol: &'static str) -> ResponseParts {
    // RFC 9110 §15.5.22: "The server MUST send an Upgrade header field in a 426 response to
    // indicate the required protocol(s)".
    let mut parts = Response::status_page(Status::UPGRADE_REQUIRED)
        .with_log_reason("the client does not offer this protocol")
        .take_apart();
    parts.upgrade = Some(protocol);
    parts
}
