//! One request, one response: where the three families of failure meet.
//!
//! The client's fault becomes its status, the system's fault ends the connection, and the program's
//! fault becomes a 500.

pub mod blocking;
pub mod body_writer;
pub mod gate_wait;
pub mod peer_wait;
pub mod request_body;
pub mod respond;
pub mod upgraded;

use crate::conn::{CloseReason, Moment};
use crate::h1::{Framing, Head, Parsed, Reject, Resume, parse_head};
use crate::handler::{Handler, Now, Request, Response};
use crate::semantics::{FieldTable, Status};
use crate::server::client::Client;
use crate::server::client::input::Input;
use crate::server::client::output::Output;
use crate::server::exchange::blocking::{BlockingError, BlockingIo};
use crate::server::exchange::gate_wait::{GateQueue, QUEUE_FOR};
use crate::server::exchange::peer_wait::PeerWait;
use crate::server::exchange::request_body::RequestBody;
use crate::server::exchange::respond::{DateCache, RequestView, ResponseWriter};
use crate::server::pool::heartbeat::Heartbeat;
use crate::server::shared::Shared;
use std::time::Duration;

/// The buffers of a worker, lent to one connection for a turn.
#[derive(Debug)]
pub struct Buffers {
    pub input: Input,
    pub output: Output,
    pub table: FieldTable,
    pub date: DateCache,
}

/// A request in progress, and what its response is made with.
pub struct Exchange<'a> {
    pub shared: &'a Shared,
    pub heartbeat: &'a Heartbeat,
    pub buffers: &'a mut Buffers,
    pub client: &'a mut Client,
    pub now: &'a Now,
}

/// Calls the handler, unless this request is refused.
fn respond(
    shared: &Shared,
    heartbeat: &Heartbeat,
    request: &mut Request<'_>,
    is_refused: bool,
) -> Response {
    let response = if is_refused {
        Response::unavailable().with_log_reason("no worker is free")
    } else {
        heartbeat.enter_program();
        <dyn Handler>::handle(&*shared.handler, request)
    };
    heartbeat.leave_program();
    response
}

/// Has the request wait if the handler has said so, and if there is room for it. The gate, if it
/// has called, hears that the request has entered or has not.
fn waits(
    response: &Response,
    queue: &mut GateQueue<'_>,
    client: &mut Client,
    now: Duration,
) -> bool {
    let gate = response.queued_at();
    let wait = gate.and_then(|gate| queue.wait(gate, now, QUEUE_FOR));
    queue.pass_on();
    queue.forget_wait();
    wait.map(|wait| client.queue(wait)).is_some()
}

/// The time at which the request had arrived that is about to be handled.
fn begun(shared: &Shared, queue: &GateQueue<'_>, client: &Client, now: &Now) -> Now {
    let begun = queue.begun(now);
    let pool = &shared.pool;
    if !pool.was_behind() || shared.observer.is_none() {
        return begun;
    }
    let at_most = || {
        pool.behind()
            .map(|since| Moment::at(now.monotonic).since(since))
    };
    let waited = client.stream.since_last_data().or_else(at_most);
    let arrived = now.monotonic.saturating_sub(waited.unwrap_or_default());
    Now {
        monotonic: begun.monotonic.min(arrived),
        ..begun
    }
}

/// The outcome of a call of the handler.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Handled {
    Responded,
    /// The request waits for room in a gate, and will be handled then.
    Queued,
}

impl Exchange<'_> {
    /// Calls the handler for the request whose head, `used` bytes, is at the start of the input,
    /// and writes the response, unless the request has to wait in this queue. A request that is
    /// refused gets 503 in place of the handler's response.
    ///
    /// # Errors
    /// Why the connection has to end at once.
    pub fn call_handler(
        &mut self,
        head: &Head,
        used: usize,
        queue: &mut GateQueue<'_>,
        is_refused: bool,
    ) -> Result<Handled, CloseReason> {
        let Exchange {
            shared,
            heartbeat,
            buffers,
            client,
            now,
        } = self;
        let has_body = !matches!(head.framing, Framing::None | Framing::Length(0));
        if has_body {
            buffers.input.compact();
        }
        let (bytes, rest) = buffers.input.split(used);
        let begun = begun(shared, queue, client, now);
        let request = RequestView {
            head: *head,
            bytes,
            headers: buffers.table.headers(bytes),
            waited: now.monotonic.saturating_sub(begun.monotonic),
        };
        let parts = request.parts(client.peer, **now, shared.pool.blocking_share());
        let io = BlockingIo {
            conn: &mut client.conn,
            stream: &mut client.stream,
            output: &mut buffers.output,
            waits: PeerWait::new(shared, heartbeat),
            config: &shared.config,
            sent: &mut client.sent,
        };
        let mut body = RequestBody::new(io, rest, head.framing, shared.budget.hold());
        let mut called = Request::new(parts, &mut body);
        let response = respond(shared, heartbeat, &mut called, is_refused);
        // What was decoded counts as read, taken or not: the framing has moved past it.
        let (start, end, failure) = (body.rest.start, body.rest.end, body.failure);
        drop(body);
        // A body may have been read, and is not kept.
        if !has_body && waits(&response, queue, client, now.monotonic) {
            return Ok(Handled::Queued);
        }
        let mut writer = ResponseWriter {
            shared,
            output: &mut buffers.output,
            date: &mut buffers.date,
            client,
            now: &begun,
        };
        match failure {
            None => {
                let close_after = shared.is_draining().then_some(CloseReason::Shutdown);
                writer.write_response(response, Some(request), close_after);
                buffers.input.rejoin(used, start, end);
            }
            Some(BlockingError::Refused(reject)) => self.refuse(reject),
            Some(BlockingError::Cancelled(CloseReason::Overload)) => {
                writer.client.conn.abandon(CloseReason::Overload);
                let response =
                    Response::unavailable().with_log_reason("the worker was needed for others");
                writer.write_response(response, Some(request), None);
                buffers.input.clear();
            }
            Some(failure) => return Err(failure.reason()),
        }
        Ok(Handled::Responded)
    }

    pub fn refuse(&mut self, reject: Reject) {
        self.buffers.input.clear();
        if let Some(observer) = &self.shared.observer {
            observer.rejected(self.client.peer, reject, reject.status());
        }
        let page = Response::status_page(reject.status());
        self.writer().write_response(page, None, None);
    }

    /// Responds with 500, because the program panicked before a response was begun.
    pub fn respond_500(&mut self) {
        self.client.conn.abandon(CloseReason::Panicked);
        let page = Response::status_page(Status::INTERNAL_SERVER_ERROR)
            .with_log_reason("the handler panicked");
        // The head is where it was: the bytes of a request are consumed after its handler.
        let Buffers {
            input,
            output,
            table,
            date,
        } = &mut *self.buffers;
        let limits = &self.shared.config.limits;
        let bytes = input.unread();
        let request = match parse_head(bytes, Resume::default(), limits, table) {
            Ok(Parsed::Done { value: head, .. }) => Some(RequestView {
                head,
                bytes,
                headers: table.headers(bytes),
                waited: Duration::ZERO,
            }),
            Ok(Parsed::More { .. }) | Err(_) => None,
        };
        let mut writer = ResponseWriter {
            shared: self.shared,
            output,
            date,
            client: self.client,
            now: self.now,
        };
        writer.write_response(page, request, None);
    }

    fn writer(&mut self) -> ResponseWriter<'_> {
        ResponseWriter {
            shared: self.shared,
            output: &mut self.buffers.output,
            date: &mut self.buffers.date,
            client: self.client,
            now: self.now,
        }
    }
}
