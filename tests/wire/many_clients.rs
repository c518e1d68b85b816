//! Many connections by number, on the simulated system: who is ready when, and what the time is, is
//! chosen.

use crate::simulated::{Scene, Wire};
use crate::support::recorder::Event;
use doorstep::internals::conn::Config;
use doorstep::internals::server::EVICTED_AFTER;
use doorstep::{CloseReason, Handler, Limits};
use std::net::SocketAddr;

/// A server of one worker, and its clients by number in the order in which they came.
pub struct Crowd {
    pub scene: Scene,
    pub wires: Vec<Wire>,
}

impl Crowd {
    pub fn new(limits: Limits, handler: impl Handler) -> Crowd {
        let config = Config {
            limits,
            ..Config::default()
        };
        let scene = Scene::with(config, handler);
        // Nobody waits for an event: what has arrived counts, whoever has come to read it.
        scene.system.state().busy = true;
        Crowd {
            wires: Vec::new(),
            scene,
        }
    }

    /// A client comes, and is accepted.
    pub fn comes(&mut self, peer: Option<SocketAddr>) -> usize {
        let wire = self.scene.wire();
        wire.link(|link| link.peer = peer);
        self.scene.admits(&wire);
        self.wires.push(wire);
        self.wires.len() - 1
    }

    /// As many clients come, one a millisecond.
    pub fn come(&mut self, count: usize) {
        for _ in 0..count {
            let port = self.wires.len() as u16;
            self.comes(Some(SocketAddr::from(([127, 0, 0, 1], port))));
            self.scene.set(self.scene.ms() + 1);
        }
    }

    /// Whoever is idle now has been so for long when this returns.
    pub fn ages(&self) {
        let long = EVICTED_AFTER.as_millis() as u64;
        self.scene.set(self.scene.ms() + long);
    }

    /// It sends this, which may be nothing, and the poller reports what the connection waits for.
    #[track_caller]
    pub fn asks(&self, number: usize, bytes: impl AsRef<[u8]>) {
        let wire = &self.wires[number];
        wire.sends(bytes);
        assert!(self.scene.reports(Some(wire)), "the connection waits");
    }

    /// The numbers of the clients whose connections have ended, in that order, and why.
    pub fn ends(&self) -> Vec<(usize, CloseReason)> {
        let end = |event: &Event| match event {
            Event::Closed(Some(peer), reason) => Some((usize::from(peer.port()), *reason)),
            _ => None,
        };
        self.scene
            .recorder
            .events()
            .iter()
            .filter_map(end)
            .collect()
    }
}
