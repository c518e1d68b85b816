//! How a connection waits for room in a gate, without a thread.

use crate::conn::Moment;
use crate::handler::gate::Gate;
use crate::server::client::pending::GateWait;
use crate::server::shared::Shared;
use crate::sys::Token;
use std::sync::Arc;
use std::time::Duration;

/// How long a request waits for room in a gate before it gets 503.
pub const QUEUE_FOR: Duration = Duration::from_secs(5);

/// A connection's place in front of a gate.
pub struct GateQueue<'a> {
    pub shared: &'a Arc<Shared>,
    /// Names the connection, to the gate and to the poller.
    pub token: Token,
    /// Its last wait, which ended with this turn.
    pub before: Option<GateWait>,
}

impl GateQueue<'_> {
    /// Waits until a thread leaves the gate, for `time` in all: the connection then gets an event.
    /// `None` when it has waited in vain, or too many wait.
    pub fn wait(&self, gate: &Arc<Gate>, now: Moment, time: Duration) -> Option<GateWait> {
        let before = self.before.as_ref();
        let before = before.filter(|before| Arc::ptr_eq(&before.gate, gate));
        let until = before.map_or_else(|| now.after(time), |before| before.until);
        if until <= now {
            return None;
        }
        let (shared, token) = (Arc::downgrade(self.shared), self.token);
        let waker = move || {
            if let Some(shared) = shared.upgrade() {
                shared.poller.post(token);
            }
        };
        let waits = gate.wait(token.0, before.is_some(), Box::new(waker));
        let gate = gate.clone();
        waits.then_some(GateWait { gate, until })
    }
}
