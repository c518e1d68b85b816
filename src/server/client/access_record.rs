//! A request and its response for the log, and the only place that builds the event.

use crate::semantics::{Method, Status, Version};
use crate::server::base::observer::RequestEvent;
use core::net::SocketAddr;
use std::borrow::Cow;
use std::io;
use std::time::{Duration, SystemTime};

#[derive(Debug)]
pub struct AccessRecord<'a> {
    pub method: Method,
    pub target: Cow<'a, str>,
    pub version: Version,
    pub status: Status,
    pub log_reason: Option<&'static str>,
    /// When the request had arrived, on the monotonic clock.
    pub begun: Duration,
    /// How long it then waited for its handler to be called.
    pub waited: Duration,
    /// The connection's count of sent bytes at which the body begins.
    pub body_from: u64,
    /// Why the body failed.
    pub error: Option<io::Error>,
}

impl AccessRecord<'_> {
    /// The event of a response that ends at byte `sent` of the connection's output.
    pub fn event(
        &self,
        peer: Option<SocketAddr>,
        sent: u64,
        complete: bool,
        (monotonic, wall): (Duration, SystemTime),
    ) -> RequestEvent<'_> {
        RequestEvent {
            method: self.method,
            target: &self.target,
            version: self.version,
            status: self.status,
            bytes: sent.saturating_sub(self.body_from),
            complete,
            duration: monotonic.saturating_sub(self.begun),
            waited: self.waited,
            time: wall,
            peer,
            reason: self.log_reason,
            error: self.error.as_ref(),
        }
    }

    /// The record of a response that is still on its way, and so outlives the request's bytes.
    pub fn into_owned(self) -> AccessRecord<'static> {
        let target = Cow::Owned(self.target.into_owned());
        AccessRecord { target, ..self }
    }
}
