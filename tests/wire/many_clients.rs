//! Many connections by number, on the simulated system: who is ready when, and what the time is, is chosen.

use crate::simulated::{Scene, Wire};
use crate::support::recorder::Event;
use doorstep::internals::conn::Config;
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
        scene.state().busy = true;
        Crowd {
            wires: Vec::new(),
            scene,
        }
    }

    /// The address of a client that has none of its own choice: its port is its number.
    pub fn peer(number: usize) -> Option<SocketAddr> {
        Some(SocketAddr::from(([127, 0, 0, 1], number as u16)))
    }

    /// A client comes, and is accepted.
    pub fn comes(&mut self, peer: Option<SocketAddr>) -> usize {
        let wire = self.scene.wire_from(peer);
        self.scene.admits(&wire);
        self.wires.push(wire);
        self.wires.len() - 1
    }

    /// As many clients come, one a millisecond.
    pub fn come(&mut self, count: usize) {
        for _ in 0..count {
            self.comes(Crowd::peer(self.wires.len()));
            self.scene.set(self.scene.ms() + 1);
        }
    }

    /// A client waits to be accepted.
    pub fn knocks(&mut self, peer: Option<SocketAddr>) {
        let wire = self.scene.wire_from(peer);
        self.scene.knocks(&wire);
        self.wires.push(wire);
    }

    /// The poller reports what the connection waits for.
    #[track_caller]
    pub fn is_ready(&self, number: usize) {
        let wire = Some(&self.wires[number]);
        assert!(self.scene.reports(wire), "the connection waits");
    }

    /// It sends, and that is served.
    #[track_caller]
    pub fn asks(&self, number: usize, bytes: impl AsRef<[u8]>) {
        self.wires[number].sends(bytes);
        self.is_ready(number);
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
