//! A call of the handler, seen from its turn: few of those that compute run at a time, those that
//! may are measured, and those that block leave workers for other requests.

use crate::h1::{Framing, Head};
use crate::handler::gate::{Gate, Pass};
use crate::server::exchange::gate_wait::QUEUE_FOR;
use crate::server::pool::computing::{self, LONG_CALL, Lookup};
use crate::server::pool::shares::Share;
use crate::server::worker::turn::{Step, Turn};
use crate::sys::Usage;
use std::sync::Arc;
use std::time::Duration;

/// A call in progress, while requests are looked up.
pub(super) struct Call<'a> {
    request: Lookup,
    before: Option<Usage>,
    /// The right to compute, until the end of the call.
    pass: Option<Pass>,
    /// The right to a worker, until the end of the call.
    share: Option<Share<'a>>,
    /// It has waited for a worker in vain.
    pub(super) is_refused: bool,
}

impl<'a> Turn<'a> {
    /// Begins a call, for the request whose head, `used` bytes, is at the start of the input.
    ///
    /// # Errors
    /// What is next instead: the request waits until fewer of its kind run.
    pub(super) fn begin_call(
        &mut self,
        head: &Head,
        used: usize,
    ) -> Result<Option<Box<Call<'a>>>, Step> {
        let pool = &self.shared.pool;
        match pool.computing.is_idle() && !pool.is_crowded() {
            true => Ok(None),
            // It calls no handler.
            false if self.heartbeat.rejects => Ok(None),
            false => self.begin_watched(head, used).map(Some),
        }
    }

    #[cold]
    fn begin_watched(&mut self, head: &Head, used: usize) -> Result<Box<Call<'a>>, Step> {
        let shared = self.shared;
        if shared.pool.is_grown() {
            let limits = &shared.config.limits;
            self.buffers.output.shrink_to(limits.write_buffer_bytes);
        }
        let (computing, shares) = (&shared.pool.computing, &shared.pool.shares);
        let input = self.buffers.input.unread();
        let path = head.parts.path_of(head.target.text(input));
        let request = computing.lookup(head.method.as_str(), path);
        // While a client has yet to send a body, its call says nothing, and may keep no other from
        // running.
        let is_here = match head.framing {
            Framing::None => true,
            Framing::Length(length) => length <= (input.len() - used) as u64,
            Framing::Chunked => false,
        };
        let mut call = Box::new(Call {
            request,
            before: None,
            pass: None,
            share: None,
            is_refused: false,
        });
        if is_here && request.computes() {
            call.pass = computing.gate.enter(computing.most);
            // When too many wait already, it runs at once.
            if call.pass.is_none() && self.queues(&computing.gate, Duration::MAX) {
                return Err(self.end_queued());
            }
        } else if shared.pool.is_crowded() {
            match shares.enter(request.key, self.now.monotonic) {
                Ok(share) => call.share = Some(share),
                // It waits for as long as others get on.
                Err((gate, entered)) => {
                    let begun = self.queue.begun(&self.now).monotonic;
                    let time = QUEUE_FOR + entered.saturating_sub(begun);
                    if self.queues(&gate, time) {
                        return Err(self.end_queued());
                    }
                    call.is_refused = true;
                }
            }
        }
        self.queue.pass_on();
        self.heartbeat
            .set_call(call.pass.is_some(), call.share.is_some());
        if is_here && !call.is_refused && request.is_measured() {
            call.before = shared.threads.usage();
        }
        Ok(call)
    }

    /// Has the request wait in front of a gate. False when it has done so for this long, or too
    /// many wait.
    fn queues(&mut self, gate: &Arc<Gate>, time: Duration) -> bool {
        let wait = self.queue.wait(gate, self.now.monotonic, time);
        wait.map(|wait| self.client.queue(wait)).is_some()
    }

    /// Ends a call that has taken this long.
    pub(super) fn end_call(&self, call: Option<Box<Call<'_>>>, took: Duration) {
        if took >= LONG_CALL || call.is_some() {
            self.learn(call.as_deref(), took);
        }
    }

    #[cold]
    fn learn(&self, call: Option<&Call<'_>>, took: Duration) {
        let computing = &self.shared.pool.computing;
        let is_long = took >= LONG_CALL && self.shared.pool.can_grow();
        let before = call.and_then(|call| call.before);
        let (Some(call), Some(before)) = (call, before) else {
            // Of a pool that cannot grow nobody could run beside them.
            if is_long && !call.is_some_and(|call| call.request.is_measured()) {
                computing.look_up_more();
            }
            return;
        };
        // A quick call says nothing of a request that is not known, and of another only that.
        let after = match (is_long, call.request.is_known()) {
            (true, _) => self.shared.threads.usage().unwrap_or(before),
            (false, true) => before,
            (false, false) => return,
        };
        let used = Usage {
            time: after.time.saturating_sub(before.time),
            waits: after.waits.saturating_sub(before.waits),
        };
        computing.learn(call.request, computing::Call::of(took, used));
    }
}
