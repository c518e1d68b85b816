//! One request, one answer: where the three families of failure meet.
//!
//! What the peer did wrong becomes its status, what the system did wrong ends the connection, what the program did wrong becomes
//! a 500.

pub mod blocking;
pub mod body_writer;
pub mod peer_wait;
pub mod request_body;
pub mod upgraded;

use crate::conn::{BodyFraming, CloseReason, ResponsePlan};
use crate::h1::{Head, Parsed, Reject, Resume, parse_head};
use crate::handler::{Now, Payload, Request, RequestParts, Response, ResponseParts, Takeover};
use crate::limits::{COPY_BYTES, SENDFILE_FROM};
use crate::semantics::date::HttpDate;
use crate::semantics::{Headers, Method, Status, Version};
use crate::server::base::observer::RequestEvent;
use crate::server::base::permits::{Permit, Semaphore};
use crate::server::client::output::{Output, PendingBody, copy_file, memory};
use crate::server::client::{Client, Record};
use crate::server::exchange::blocking::{BlockingIo, Failure};
use crate::server::exchange::peer_wait::PeerWait;
use crate::server::exchange::request_body::RequestBody;
use crate::server::exchange::upgraded::refusal;
use crate::server::shared::Shared;
use crate::server::worker::Worker;
use crate::server::worker::turn::Step;
use crate::sys::Stream;
use std::time::SystemTime;

/// What an answer is an answer to.
#[derive(Clone, Copy)]
struct Asked<'a> {
    method: Method,
    target: &'a str,
    version: Version,
    headers: Headers<'a>,
}

/// What an answer is written with.
struct ResponseWriter<'a> {
    shared: &'a Shared,
    output: &'a mut Output,
    date: &'a mut DateCache,
}

/// The Date field's value, made once a second.
#[derive(Debug, Default)]
pub struct DateCache(Option<(u64, HttpDate)>);

impl DateCache {
    fn at(&mut self, wall: SystemTime) -> Option<&HttpDate> {
        // A clock before 1970 or after 9999 has no honest date: RFC 9110 §6.6.1 lets a server without a clock leave it out.
        let second = wall.duration_since(SystemTime::UNIX_EPOCH).ok()?.as_secs();
        if self.0.as_ref().is_none_or(|(made, _)| *made != second) {
            self.0 = Some((second, HttpDate::from_unix(second)?));
        }
        self.0.as_ref().map(|(_, date)| date)
    }
}

impl Worker {
    /// Has the request at the start of the input answered.
    pub(crate) fn exchange(&mut self, client: &mut Client, now: &Now) -> Step {
        // The octets of its head may have come in an earlier turn.
        self.head = self.head.or_else(|| self.head_again());
        let Some((head, used)) = self.head else {
            // The same octets were a whole head before, so this cannot be.
            return Step::Close(CloseReason::Failed);
        };
        if !client.conn.content_is_read() {
            self.input.compact();
        }
        let shared = &*self.shared;
        let (octets, rest) = self.input.split(used);
        let target = head.target_text(octets);
        let parts = RequestParts {
            method: head.method,
            target,
            parts: head.parts,
            host: head.host_text(octets),
            version: head.version,
            headers: self.table.headers(octets),
            peer: client.peer,
            now: *now,
        };
        let link = BlockingIo {
            conn: &mut client.conn,
            stream: &mut client.stream,
            output: &mut self.output,
            waits: PeerWait::new(shared, &self.heartbeat),
            config: &shared.config,
            sent: &mut client.sent,
        };
        let mut body = RequestBody::new(link, rest);
        let response = shared.handler.handle(&mut Request::new(parts, &mut body));
        self.heartbeat.progress();
        let (start, end, failure) = body.end();
        let asked = Asked {
            method: head.method,
            target,
            version: head.version,
            headers: self.table.headers(octets),
        };
        let mut writer = ResponseWriter {
            shared,
            output: &mut self.output,
            date: &mut self.date,
        };
        let cut = Failure::Cut(CloseReason::Overload);
        if failure.is_none() {
            let close_after = shared.is_draining().then_some(CloseReason::Shutdown);
            writer.write_response(client, response, Some(asked), close_after, now);
        } else if failure == Some(cut) {
            client.conn.abandon(CloseReason::Overload);
            let answer = unavailable().with_log_reason("the worker was needed for others");
            writer.write_response(client, answer, Some(asked), None, now);
        }
        self.input.rejoin(used, start, end);
        match failure {
            None => Step::Go,
            Some(Failure::Refused(reject)) => self.refuse(client, reject, now),
            Some(failure) if failure == cut => {
                self.input.clear();
                Step::Go
            }
            Some(failure) => Step::Close(failure.reason()),
        }
    }

    fn head_again(&mut self) -> Option<(Head, usize)> {
        let limits = &self.shared.config.limits;
        match parse_head(
            self.input.unread(),
            Resume::default(),
            limits,
            &mut self.table,
        ) {
            Ok(Parsed::Done { value, used }) => Some((value, used)),
            Ok(Parsed::More { .. }) | Err(_) => None,
        }
    }

    /// Refuses the message in progress: its status, and nothing more is parsed.
    pub(crate) fn refuse(&mut self, client: &mut Client, reject: Reject, now: &Now) -> Step {
        self.input.clear();
        client.conn.refuse(reject);
        if let Some(observer) = &self.shared.observer {
            observer.rejected(client.peer, reject, reject.status());
        }
        self.last_answer(client, Response::status_page(reject.status()), now);
        Step::Go
    }

    /// Answers 500, because something of the program's panicked before an answer was begun.
    pub(crate) fn answer_panic(&mut self, client: &mut Client, now: &Now) {
        client.conn.abandon(CloseReason::Panicked);
        let page = Response::status_page(Status::INTERNAL_SERVER_ERROR);
        let asked = self.head.map(|(head, _)| Asked {
            method: head.method,
            target: head.target_text(self.input.unread()),
            version: head.version,
            headers: self.table.headers(self.input.unread()),
        });
        let mut writer = ResponseWriter {
            shared: &self.shared,
            output: &mut self.output,
            date: &mut self.date,
        };
        writer.write_response(
            client,
            page.with_log_reason("the handler panicked"),
            asked,
            None,
            now,
        );
    }

    /// Tells a client that there is no room, in one write that does not wait, and closes.
    pub(crate) fn reject_503(&mut self, mut client: Client, now: &Now) {
        self.output.clear();
        client.conn.abandon(CloseReason::Overload);
        self.last_answer(&mut client, unavailable(), now);
        answer_and_close(&mut client.stream, self.output.unsent());
        self.output.clear();
    }

    fn last_answer(&mut self, client: &mut Client, response: Response, now: &Now) {
        let mut writer = ResponseWriter {
            shared: &self.shared,
            output: &mut self.output,
            date: &mut self.date,
        };
        writer.write_response(client, response, None, None, now);
    }
}

impl ResponseWriter<'_> {
    /// Frames an answer into the output, and what does not belong there into the guest's tail.
    fn write_response(
        &mut self,
        client: &mut Client,
        response: Response,
        asked: Option<Asked<'_>>,
        close_after: Option<CloseReason>,
        now: &Now,
    ) {
        let mut parts = response.take_apart();
        let request = asked.map(|asked| (asked.version, asked.headers));
        if let Some(instead) = refusal(&parts, request, client.conn.content_is_read()) {
            parts = instead;
        }
        let permit = self.permit(&mut parts);
        let before = self.output.octets.len();
        let mut content_from = self.frame(client, &mut parts, close_after, now);
        if content_from.is_none() {
            // The file ended before its length, and no octet of its answer is out.
            self.output.octets.truncate(before);
            client.conn.abandon(CloseReason::ContentFailed);
            parts = fault("the content ended early");
            content_from = self.frame(client, &mut parts, None, now);
        }
        let body = client
            .pending
            .as_mut()
            .and_then(|pending| pending.body.as_mut());
        if let Some(
            PendingBody::Writer { permit: place, .. } | PendingBody::Upgrade { permit: place, .. },
        ) = body
        {
            *place = permit;
        }
        if let (Some(asked), Some(content_from)) = (asked, content_from) {
            self.record(client, asked, &parts, content_from, now);
        }
    }

    /// The seat for an answer that wants one. When all are taken, it becomes one that says so.
    fn permit(&self, parts: &mut ResponseParts) -> Option<Permit> {
        match &parts.takeover {
            Some(Takeover::Upgrade { .. }) => {}
            Some(Takeover::Writer { is_detached, .. }) if *is_detached => {}
            Some(Takeover::Writer { .. }) | None => return None,
        }
        let permit = Semaphore::take(
            &self.shared.permits,
            self.shared.config.limits.detached_threads,
        );
        if permit.is_none() {
            *parts = unavailable()
                .with_log_reason("too many detached answers")
                .take_apart();
        }
        permit
    }

    /// Writes the head of an answer and puts its content where it is sent from; answers where in the output the content
    /// begins, or `None` when it could not be had.
    fn frame(
        &mut self,
        client: &mut Client,
        parts: &mut ResponseParts,
        close_after: Option<CloseReason>,
        now: &Now,
    ) -> Option<usize> {
        let framing = self.head(client, parts, close_after, now);
        let content_from = self.output.octets.len();
        let is_here = match parts.takeover.take() {
            Some(takeover) => {
                take_over(client, framing, takeover);
                true
            }
            None => {
                let payload = std::mem::replace(&mut parts.payload, Payload::Empty);
                self.content(client, framing, payload)
            }
        };
        is_here.then_some(content_from)
    }

    /// Writes the head of an answer.
    fn head(
        &mut self,
        client: &mut Client,
        parts: &ResponseParts,
        close_after: Option<CloseReason>,
        now: &Now,
    ) -> BodyFraming {
        let answer = ResponsePlan {
            status: parts.status,
            fields: &parts.fields,
            date: self.date.at(now.wall),
            server: self.shared.server_name,
            length: parts.content_length(),
            close_after: close_after.or(parts.close.then_some(CloseReason::Answered)),
            upgrade: parts.upgrade,
        };
        client
            .conn
            .respond(&answer, &self.shared.config, &mut self.output.octets)
    }

    /// Tells the observer of an answer that is in the output as a whole; otherwise keeps what it will be told.
    fn record(
        &self,
        client: &mut Client,
        asked: Asked<'_>,
        parts: &ResponseParts,
        content_from: usize,
        now: &Now,
    ) {
        let Some(observer) = &self.shared.observer else {
            return;
        };
        let Asked {
            method,
            target,
            version,
            ..
        } = asked;
        let (status, peer, reason) = (parts.status, client.peer, parts.log_reason);
        let content = (self.output.octets.len() - content_from) as u64;
        if client.body().is_some() {
            let queued = self.output.unsent().len() as u64;
            let content_from = client.sent + queued - content;
            client.pending().record = Some(Record {
                method,
                target: target.to_string(),
                version,
                status,
                begun: now.monotonic,
                reason,
                content_from,
            });
            return;
        }
        let (end, time) = self.shared.clock.now();
        observer.request(&RequestEvent {
            method,
            target,
            version,
            status,
            bytes: content,
            complete: true,
            duration: end.saturating_sub(now.monotonic),
            time,
            peer,
            reason,
        });
    }

    /// Puts content where it is sent from. False when it could not be had.
    fn content(&mut self, client: &mut Client, framing: BodyFraming, payload: Payload) -> bool {
        if framing == BodyFraming::NoContent {
            return true;
        }
        match payload {
            Payload::Empty => {}
            Payload::Static(_) | Payload::Bytes(_) | Payload::Shared(_) => {
                let octets = memory(&payload);
                if octets.len() > COPY_BYTES {
                    client.pending().body = Some(PendingBody::Memory { payload, sent: 0 });
                } else {
                    self.output.octets.extend_from_slice(octets);
                }
            }
            Payload::File {
                file,
                offset,
                length,
            } if length < SENDFILE_FROM => {
                return copy_file(&mut self.output.octets, &file, offset, length);
            }
            Payload::File {
                file,
                offset,
                length,
            } => {
                client.pending().body = Some(PendingBody::File {
                    file,
                    offset,
                    left: length,
                });
            }
            Payload::Stream { length, reader } => {
                let chunked = framing == BodyFraming::Chunked;
                client.pending().body = Some(PendingBody::Stream {
                    reader,
                    left: length,
                    chunked,
                });
            }
        }
        true
    }
}

/// Lets the program go on with the connection when the head is sent.
fn take_over(client: &mut Client, framing: BodyFraming, takeover: Takeover) {
    let body = match takeover {
        Takeover::Upgrade { speak, .. } => PendingBody::Upgrade {
            speak,
            permit: None,
        },
        Takeover::Writer { .. } if framing == BodyFraming::NoContent => return,
        Takeover::Writer { write, .. } => PendingBody::Writer {
            write,
            is_chunked: framing == BodyFraming::Chunked,
            permit: None,
        },
    };
    client.pending().body = Some(body);
}

/// What a client is told for which there is no room.
fn unavailable() -> Response {
    // RFC 9110 §15.6.4: "The server MAY send a Retry-After header field".
    Response::status_page(Status::SERVICE_UNAVAILABLE).header("Retry-After", "1")
}

/// What is answered in place of an answer that cannot be given.
pub(crate) fn fault(reason: &'static str) -> ResponseParts {
    Response::status_page(Status::INTERNAL_SERVER_ERROR)
        .with_log_reason(reason)
        .take_apart()
}

/// One read, one write, and the end of a connection that no slot holds.
fn answer_and_close(stream: &mut Stream, answer: &[u8]) {
    // Octets that lie unread when a socket is closed make it send a reset, which would overtake the answer.
    let mut request = [0; 4096];
    let _ = stream.read(&mut request);
    // Nothing is owed to a client that does not take a few hundred octets at once.
    let _ = stream.write(answer);
    let _ = stream.shutdown_write();
}
