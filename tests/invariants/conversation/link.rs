//! One connection as the outside sees it: what its client sent, what came back, and what the server said of it.

use super::world::Network;
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
    /// Octets that the server had read.
    pub read: usize,
    /// Handlers that had been called for this link.
    pub calls: usize,
}

/// One connection, from its client's first octet to its last.
#[derive(Debug)]
pub struct Link {
    /// All that the client has sent,
    pub sent: Vec<u8>,
    /// and how much of it the server has read.
    pub read: usize,
    pub half_closed: bool,
    pub reset: bool,
    /// What had been sent when the shutdown began.
    pub owed: usize,
    /// Octets that the socket takes before the client reads any.
    pub room: usize,
    /// All that the server has written.
    pub taken: Vec<u8>,
    /// The server has closed its write side,
    pub write_closed: bool,
    /// or all.
    pub dropped: bool,
    /// The poller has refused to arm its socket.
    pub unarmed: bool,
    /// The observer has heard of it,
    pub accepted: Option<Duration>,
    /// and of its end, once.
    pub closed: Vec<(CloseReason, Duration)>,
    pub refusals: Vec<Refusal>,
    pub told: Vec<Told>,
    /// Handlers called for it so far.
    pub calls: usize,
}

impl Link {
    /// One on which nothing has happened.
    pub fn new() -> Link {
        Link {
            sent: Vec::new(),
            read: 0,
            half_closed: false,
            reset: false,
            owed: 0,
            room: usize::MAX,
            taken: Vec::new(),
            write_closed: false,
            dropped: false,
            unarmed: false,
            accepted: None,
            closed: Vec::new(),
            refusals: Vec::new(),
            told: Vec::new(),
            calls: 0,
        }
    }

    /// How it stands, for a person.
    pub fn shown(&self) -> String {
        let (sent, taken) = (self.sent.len(), self.taken.len());
        let ends = (self.half_closed, self.write_closed, self.reset);
        format!("read {} of {sent}, wrote {taken}, ends {ends:?}", self.read)
    }

    /// Whether its client can still send on it.
    pub fn can_send(&self) -> bool {
        !self.half_closed && !self.reset && !self.dropped
    }
}

/// Writes down, link by link, what the server says of itself.
pub struct Log(pub Network);

impl Log {
    /// A client is not to blame for what no worker has had the time to read. One that has just read had the time.
    fn must_be_read(&self, peer: Option<SocketAddr>) {
        let held = {
            let world = self.0.world();
            world.held && !world.hindered
        };
        let mut is_behind = false;
        self.link(peer, |link, _| is_behind = link.read < link.sent.len());
        if held && is_behind {
            self.0.world().breach("ends a wait for what is there");
        }
    }

    fn link(&self, peer: Option<SocketAddr>, note: impl FnOnce(&mut Link, Duration)) {
        let mut world = self.0.world();
        let now = world.now;
        let link = peer.map(|peer| usize::from(peer.port()));
        match link.and_then(|link| world.links.get_mut(link)) {
            Some(link) => note(link, now),
            None => drop(world.breach("tells of a stranger")),
        }
    }
}

impl Observer for Log {
    fn accepted(&self, peer: Option<SocketAddr>) {
        self.link(peer, |link, now| link.accepted = Some(now));
    }

    fn closed(&self, peer: Option<SocketAddr>, reason: CloseReason) {
        if reason == CloseReason::IdleTimeout {
            self.must_be_read(peer);
        }
        self.link(peer, |link, now| link.closed.push((reason, now)));
    }

    fn request(&self, event: &RequestEvent<'_>) {
        let told = Told {
            target: event.target.to_string(),
            status: event.status.code(),
            bytes: event.bytes,
            complete: event.complete,
        };
        self.link(event.peer, |link, _| link.told.push(told));
    }

    fn rejected(&self, peer: Option<SocketAddr>, reject: Reject, status: Status) {
        if matches!(reject, Reject::HeadTimeout | Reject::ContentTimeout) {
            self.must_be_read(peer);
        }
        self.link(peer, |link, _| {
            link.refusals.push(Refusal {
                reject,
                status: status.code(),
                read: link.read,
                calls: link.calls,
            });
        });
    }
}
