//! How a connection waits for room in a gate, without a thread.

use crate::conn::Moment;
use crate::handler::Now;
use crate::handler::gate::{Called, Gate};
use crate::server::client::Client;
use crate::server::client::pending::GateWait;
use crate::server::shared::Shared;
use crate::sys::Token;
use std::sync::Arc;
use std::time::Duration;

/// How long a request waits for room in a gate before it gets 503.
pub const QUEUE_FOR: Duration = Duration::from_secs(5);

/// A connection's place in front of a gate.
pub struct GateQueue<'a> {
    shared: &'a Arc<Shared>,
    /// Names the connection to the poller.
    token: Token,
    /// The wait that ended with this turn, until the request or the body that waited goes on.
    before: Option<Box<GateWait>>,
    /// The gate has called, and is owed a look.
    called: Option<Called>,
}

impl<'a> GateQueue<'a> {
    /// Ends the connection's wait, if it has waited.
    pub fn leave(shared: &'a Arc<Shared>, token: Token, client: &mut Client) -> GateQueue<'a> {
        let pending = client.pending.as_mut();
        let before = pending.and_then(|pending| pending.queue.take());
        let called = before.as_ref();
        let called = called.and_then(|wait| wait.gate.end_wait(wait.ticket));
        GateQueue {
            shared,
            token,
            before,
            called,
        }
    }

    /// Whether the present request, or body, has waited.
    pub fn has_waited(&self) -> bool {
        self.before.is_some()
    }

    /// This time, or the one at which the present request began to wait.
    pub fn begun(&self, now: &Now) -> Now {
        let before = self.before.as_ref();
        Now {
            monotonic: before.map_or(now.monotonic, |before| before.since),
            ..*now
        }
    }

    /// Waits until there is room in the gate, for `time` in all, that for other gates included: the
    /// connection then gets an event. `None` when it has waited in vain, or too many wait.
    pub fn wait(
        &mut self,
        gate: &Arc<Gate>,
        now: Duration,
        time: Duration,
    ) -> Option<Box<GateWait>> {
        let before = self.before.take();
        let since = before.as_ref().map_or(now, |before| before.since);
        let before = before.filter(|before| Arc::ptr_eq(&before.gate, gate));
        let until = Moment::at(since).after(time);
        if until <= Moment::at(now) {
            return None;
        }
        let (shared, token) = (Arc::downgrade(self.shared), self.token);
        let waker = move || {
            if let Some(shared) = shared.upgrade() {
                shared.poller.post(token);
            }
        };
        let ticket = gate.wait(before.map(|before| before.ticket), Box::new(waker))?;
        Some(Box::new(GateWait {
            gate: gate.clone(),
            ticket,
            since,
            until,
        }))
    }

    /// What has waited goes on: the next wait is one of its own.
    pub fn forget_wait(&mut self) {
        self.before = None;
    }

    /// The connection has entered the gate, or has not: it is for the next to try.
    pub fn pass_on(&mut self) {
        self.called = None;
    }
}
