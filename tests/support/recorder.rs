//! An observer that remembers everything it hears, and waits for more.

use super::PATIENCE;
use doorstep::{CloseReason, Method, Observer, Overload, Reject, RequestEvent, Status, Version};
use std::net::SocketAddr;
use std::sync::{Arc, Condvar, Mutex, PoisonError};

/// What an observer heard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A connection was accepted.
    Accepted(Option<SocketAddr>),
    /// It ended.
    Closed(Option<SocketAddr>, CloseReason),
    /// A request was answered.
    Request {
        /// Who asked.
        peer: Option<SocketAddr>,
        /// How.
        method: Method,
        /// For what.
        target: String,
        /// In which version.
        version: Version,
        /// The answer's status.
        status: Status,
        /// Bytes of content.
        bytes: u64,
        /// Why it was answered so.
        reason: Option<&'static str>,
    },
    /// A message was refused.
    Rejected(Option<SocketAddr>, Reject, Status),
    /// The server is overloaded.
    Overload(String),
}

/// An observer that remembers everything.
#[derive(Clone, Default)]
pub struct Recorder(Arc<(Mutex<Vec<Event>>, Condvar)>);

impl Recorder {
    fn add(&self, event: Event) {
        self.0
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(event);
        self.0.1.notify_all();
    }

    /// Everything so far.
    pub fn events(&self) -> Vec<Event> {
        self.0
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Why connections ended, so far.
    pub fn reasons(&self) -> Vec<CloseReason> {
        let reason = |event: &Event| match event {
            Event::Closed(_, reason) => Some(*reason),
            _ => None,
        };
        self.0
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .iter()
            .filter_map(reason)
            .collect()
    }

    /// Waits until the events are such.
    #[track_caller]
    pub fn hears(&self, what: &str, is_so: impl Fn(&[Event]) -> bool) {
        let events = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self
            .0
            .1
            .wait_timeout_while(events, PATIENCE, |events| !is_so(events));
        let (events, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
        assert!(!timeout.timed_out(), "{what} was never heard: {events:#?}");
    }

    /// Waits until a connection ended for this reason.
    #[track_caller]
    pub fn hears_closed(&self, wanted: CloseReason) {
        self.hears(&format!("closed: {wanted:?}"), |events| {
            events
                .iter()
                .any(|event| matches!(event, Event::Closed(_, reason) if *reason == wanted))
        });
    }

    /// Waits until so many connections have ended.
    #[track_caller]
    pub fn hears_ends(&self, count: usize) {
        self.hears(&format!("{count} ends"), |events| {
            let ends = events
                .iter()
                .filter(|event| matches!(event, Event::Closed(..)));
            ends.count() >= count
        });
    }
}

impl Observer for Recorder {
    fn accepted(&self, peer: Option<SocketAddr>) {
        self.add(Event::Accepted(peer));
    }
    fn closed(&self, peer: Option<SocketAddr>, reason: CloseReason) {
        self.add(Event::Closed(peer, reason));
    }
    fn request(&self, event: &RequestEvent<'_>) {
        self.add(Event::Request {
            peer: event.peer,
            method: event.method,
            target: event.target.to_string(),
            version: event.version,
            status: event.status,
            bytes: event.bytes,
            reason: event.reason,
        });
    }
    fn rejected(&self, peer: Option<SocketAddr>, reject: Reject, status: Status) {
        self.add(Event::Rejected(peer, reject, status));
    }
    fn overload(&self, why: &Overload) {
        self.add(Event::Overload(why.to_string()));
    }
}
