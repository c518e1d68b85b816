//! Many connections by number, on a system made up: who is ready when, and what the time is, is chosen.

use crate::made_up::{Act, Scene, Wire};
use crate::stage::{Event, Recorder};
use doorstep::internals::conn::Config;
use doorstep::internals::server::Shared;
use doorstep::{CloseReason, Handler, Limits};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

/// A server of one worker, and its clients by number in the order in which they came.
pub struct Crowd {
    scene: Scene,
    wires: Vec<Wire>,
    pub recorder: Recorder,
    pub shared: Arc<Shared>,
}

impl Crowd {
    pub fn new(limits: Limits, handler: impl Handler) -> Crowd {
        let config = Config {
            limits,
            ..Config::default()
        };
        let scene = Scene::with(config, handler);
        // Nobody waits for an event: what has arrived counts, whoever has come to read it.
        scene.world.is_busy(true);
        Crowd {
            wires: Vec::new(),
            recorder: scene.recorder.clone(),
            shared: scene.shared.clone(),
            scene,
        }
    }

    /// The clock shows this.
    pub fn at(&self, ms: u64) {
        self.scene.world.set(ms);
    }

    /// A client comes, and is accepted.
    pub fn comes(&mut self, peer: Option<SocketAddr>) -> usize {
        let wire = self.scene.world.wire_from(peer);
        self.scene.admits(&wire);
        self.wires.push(wire);
        self.wires.len() - 1
    }

    /// The address of a client that has none of its own choice: its port is its number.
    pub fn peer(number: usize) -> Option<SocketAddr> {
        Some(SocketAddr::from(([127, 0, 0, 1], number as u16)))
    }

    /// As many clients come, one a millisecond.
    pub fn come(&mut self, count: usize) {
        for _ in 0..count {
            self.comes(Crowd::peer(self.wires.len()));
            self.at(self.scene.world.ms() + 1);
        }
    }

    /// The client sends, and the poller has not said so yet.
    pub fn sends(&self, number: usize, octets: impl AsRef<[u8]>) {
        self.wires[number].sends(octets);
    }

    /// The client has closed, and the poller has not said so yet.
    pub fn closes(&self, number: usize) {
        self.wires[number].does(Act::Finishes);
    }

    /// Its socket takes so many octets from now on.
    pub fn takes(&self, number: usize, room: usize) {
        self.wires[number].room(Some(room));
    }

    /// The poller reports what the connection waits for.
    #[track_caller]
    pub fn is_ready(&mut self, number: usize) {
        self.scene.reports(&self.wires[number]);
    }

    /// It sends, and that is served.
    #[track_caller]
    pub fn asks(&mut self, number: usize, octets: impl AsRef<[u8]>) {
        self.sends(number, octets);
        self.is_ready(number);
    }

    /// What its socket has taken since the last look.
    pub fn got(&self, number: usize) -> String {
        self.wires[number].got()
    }

    /// Whether the server has let go of it.
    pub fn is_gone(&self, number: usize) -> bool {
        self.wires[number].is_dropped()
    }

    /// The housekeeper's look at deadlines and listeners.
    pub fn is_swept(&mut self) {
        self.scene.sweep();
    }

    /// A client waits to be accepted.
    pub fn knocks(&mut self, peer: Option<SocketAddr>) {
        let wire = self.scene.world.wire_from(peer);
        self.scene.world.knocks(&wire);
        self.wires.push(wire);
    }

    /// The next accepts fail.
    pub fn fails(&self, failures: impl IntoIterator<Item = io::Error>) {
        self.scene.world.fails(failures);
    }

    /// The listener is reported ready, if it is armed; whether it was.
    pub fn door(&mut self) -> bool {
        self.scene.reports_door()
    }

    /// Accepts so far.
    pub fn accepts(&self) -> usize {
        self.scene.world.accepts()
    }

    /// The numbers of the clients whose connections have ended, in that order, and why.
    pub fn ends(&self) -> Vec<(usize, CloseReason)> {
        let end = |event: &Event| match event {
            Event::Closed(Some(peer), reason) => Some((usize::from(peer.port()), *reason)),
            _ => None,
        };
        self.recorder.events().iter().filter_map(end).collect()
    }

    /// What has been said of an overload.
    pub fn said(&self) -> Vec<String> {
        let overload = |event: &Event| match event {
            Event::Overload(why) => Some(why.clone()),
            _ => None,
        };
        self.recorder.events().iter().filter_map(overload).collect()
    }
}
