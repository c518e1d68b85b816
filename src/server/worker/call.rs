//! A call of the handler, seen from its turn: few of those that compute run at a time, and those
//! that may are measured.

use crate::h1::{Framing, Head};
use crate::handler::gate::Pass;
use crate::server::pool::computing::{self, LONG_CALL, Lookup};
use crate::server::worker::turn::{Step, Turn};
use crate::sys::Usage;
use std::time::Duration;

/// A call in progress, while requests are looked up.
pub(super) struct Call {
    request: Lookup,
    before: Option<Usage>,
    /// The right to compute, until the end of the call.
    _pass: Option<Pass>,
}

impl Turn<'_> {
    /// Begins a call, for the request whose head, `used` bytes, is at the start of the input.
    ///
    /// # Errors
    /// What is next instead: the request waits until fewer compute.
    pub(super) fn begin_call(
        &mut self,
        head: &Head,
        used: usize,
    ) -> Result<Option<Box<Call>>, Step> {
        match self.shared.pool.computing.is_idle() {
            true => Ok(None),
            false => self.begin_watched(head, used).map(Some),
        }
    }

    #[cold]
    fn begin_watched(&mut self, head: &Head, used: usize) -> Result<Box<Call>, Step> {
        let computing = &self.shared.pool.computing;
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
        let mut pass = None;
        if is_here && request.computes() {
            pass = computing.gate.enter(computing.most);
            if pass.is_none() {
                let now = self.now.monotonic;
                // When too many wait already, it runs at once.
                if let Some(wait) = self.queue.wait(&computing.gate, now, Duration::MAX) {
                    self.client.conn.postpone();
                    self.client.pending().queue = Some(wait);
                    return Err(self.end_queued());
                }
            }
            self.queue.pass_on();
        }
        self.heartbeat.set_computes(pass.is_some());
        let is_measured = is_here && request.is_known();
        let usage = || self.shared.threads.usage();
        Ok(Box::new(Call {
            request,
            before: is_measured.then(usage).flatten(),
            _pass: pass,
        }))
    }

    /// Ends a call that has taken this long.
    pub(super) fn end_call(&self, call: Option<Box<Call>>, took: Duration) {
        if took >= LONG_CALL || call.is_some() {
            self.learn(call.as_deref(), took);
        }
    }

    #[cold]
    fn learn(&self, call: Option<&Call>, took: Duration) {
        let pool = &self.shared.pool;
        let is_long = took >= LONG_CALL && pool.can_grow();
        match call {
            Some(Call {
                request,
                before: Some(before),
                ..
            }) => {
                let Some(after) = self.shared.threads.usage() else {
                    return;
                };
                let used = Usage {
                    time: after.time.saturating_sub(before.time),
                    waits: after.waits.saturating_sub(before.waits),
                };
                pool.computing
                    .learn(*request, computing::Call::of(took, used));
            }
            // Otherwise nobody could run beside them.
            None if is_long => pool.computing.look_up_more(),
            Some(Call { request, .. }) if is_long && !request.is_known() => {
                pool.computing.enter(*request);
            }
            None | Some(_) => {}
        }
    }
}
