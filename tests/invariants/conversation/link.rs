//! One connection as the outside sees it: what its client sent, what came back, and what the server
//! said of it.

use super::clients::Clients;
use crate::support::simulated::{Link, System};
use doorstep::{CloseReason, Observer, Reject, RequestEvent, Status};
use std::net::SocketAddr;
use std::time::Duration;

/// What the observer heard of one request.
#[derive(Debug)]
pub struct Told {
    pub target: String,
    pub status: u16,
    pub bytes: u64,
    pub complete: bool,
}

/// A refusal that the observer heard of.
#[derive(Clone, Copy, Debug)]
pub struct Refusal {
    pub reject: Reject,
    pub status: u16,
    /// Bytes that the server had read.
    pub read: usize,
    /// Handlers that had been called for this link.
    pub calls: usize,
}

/// What is known of one connection besides its bytes.
#[derive(Debug, Default)]
pub struct Notes {
    /// What had been sent when the shutdown began.
    pub owed: usize,
    /// The observer has heard of it,
    pub accepted: Option<Duration>,
    /// and of its end, once.
    pub closed: Vec<(CloseReason, Duration)>,
    pub refusals: Vec<Refusal>,
    pub told: Vec<Told>,
    /// Handlers called for it so far.
    pub calls: usize,
}

/// Writes down, link by link, what the server says of itself.
pub struct Log(pub System<Clients>);

impl Log {
    /// A client is not to blame for what no worker has had the time to read. One that has just read
    /// had the time.
    fn must_be_read(&self, peer: Option<SocketAddr>) {
        let held = {
            let world = self.0.state();
            world.busy && !world.hindered
        };
        let mut is_behind = false;
        self.note(peer, |_, link, _| is_behind = link.read < link.sent.len());
        if held && is_behind {
            self.0.state().breach("ends a wait for what is there");
        }
    }

    fn note(&self, peer: Option<SocketAddr>, note: impl FnOnce(&mut Notes, &Link, Duration)) {
        let world = &mut *self.0.state();
        let link = peer.map_or(usize::MAX, |peer| usize::from(peer.port()));
        match (world.outside.notes.get_mut(link), world.links.get(link)) {
            (Some(notes), Some(link)) => note(notes, link, world.now),
            _ => drop(world.breach("tells of a stranger")),
        }
    }
}

impl Observer for Log {
    fn accepted(&self, peer: Option<SocketAddr>) {
        self.note(peer, |notes, _, now| notes.accepted = Some(now));
    }

    fn closed(&self, peer: Option<SocketAddr>, reason: CloseReason) {
        if reason == CloseReason::IdleTimeout {
            self.must_be_read(peer);
        }
        self.note(peer, |notes, _, now| notes.closed.push((reason, now)));
    }

    fn request(&self, event: &RequestEvent<'_>) {
        let told = Told {
            target: event.target.to_string(),
            status: event.status.code(),
            bytes: event.bytes,
            complete: event.complete,
        };
        self.note(event.peer, |notes, _, _| notes.told.push(told));
    }

    fn rejected(&self, peer: Option<SocketAddr>, reject: Reject, status: Status) {
        if matches!(reject, Reject::HeadTimeout | Reject::ContentTimeout) {
            self.must_be_read(peer);
        }
        self.note(peer, |notes, link, _| {
            notes.refusals.push(Refusal {
                reject,
                status: status.code(),
                read: link.read,
                calls: notes.calls,
            });
        });
    }
}
