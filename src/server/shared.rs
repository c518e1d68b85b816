//! What all workers of one server share.

use super::listen::Listeners;
use super::observer::Observer;
use super::slots::Slots;
use crate::conn::Rules;
use crate::handler::Handler;
use crate::sys::{Clock, Poller};
use std::sync::atomic::{AtomicBool, Ordering};

/// What all workers of one server share.
pub struct Shared {
    /// Who is ready.
    pub poller: Box<dyn Poller>,
    /// What time it is.
    pub clock: Box<dyn Clock>,
    /// Who answers.
    pub handler: Box<dyn Handler>,
    /// Who watches.
    pub observer: Option<Box<dyn Observer>>,
    /// How much and how long.
    pub rules: Rules,
    /// The connections.
    pub slots: Slots,
    /// Where connections come from.
    pub listeners: Listeners,
    /// The Server field's value.
    pub server_name: Option<&'static str>,
    stopping: AtomicBool,
}

impl Shared {
    /// Everything that a server needs, before its first connection.
    pub fn new(
        poller: Box<dyn Poller>,
        clock: Box<dyn Clock>,
        handler: Box<dyn Handler>,
        rules: Rules,
        listeners: Listeners,
    ) -> Shared {
        let slots = Slots::new(rules.limits.connections);
        Shared {
            poller,
            clock,
            handler,
            observer: None,
            rules,
            slots,
            listeners,
            server_name: Some("doorstep"),
            stopping: AtomicBool::new(false),
        }
    }

    /// Whether the server is shutting down: answers are the last ones, and idle connections are closed.
    pub fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::SeqCst)
    }

    /// From now on it is shutting down.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::SeqCst);
    }
}
