//! Clients whose every act is written in the test, now or at a time of its own.

use super::{Outside, State, System};
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

/// Something that happens on a connection.
#[derive(Clone, Debug)]
pub enum Act {
    /// The client has sent these bytes.
    Sends(Vec<u8>),
    /// It sends these after those, over and over, as fast as they are read.
    Floods(Vec<u8>),
    /// Its socket takes this many more.
    Takes(usize),
    /// It has closed its sending side.
    Finishes,
    Resets,
}

/// What is still to happen: when, on which link, and what.
#[derive(Default)]
pub struct Timed(BTreeMap<Duration, VecDeque<(usize, Act)>>);

impl Outside for Timed {
    fn pass(state: &mut State<Timed>, end: Duration) {
        let next = state.outside.next().filter(|next| *next <= end);
        state.set(next.unwrap_or(end));
    }
}

impl Timed {
    fn next(&self) -> Option<Duration> {
        self.0.keys().next().copied()
    }
}

impl<O> State<O> {
    /// Something happens now.
    pub fn act(&mut self, link: usize, act: Act) {
        let link = &mut self.links[link];
        match act {
            // Sent after the end of a connection, it is lost.
            Act::Sends(bytes) => link.sent.extend(bytes),
            Act::Floods(bytes) => link.flood = bytes,
            Act::Takes(count) => link.room = link.room.saturating_add(count),
            Act::Finishes => link.half_closed = true,
            Act::Resets => link.reset = true,
        }
    }
}

impl State<Timed> {
    /// Something happens then.
    pub fn act_at(&mut self, at: Duration, link: usize, act: Act) {
        let then = self.outside.0.entry(at).or_default();
        then.push_back((link, act));
    }

    /// The clock shows this, with all that happens meanwhile. It may be set back.
    pub fn set(&mut self, now: Duration) {
        while self.outside.next().is_some_and(|at| at <= now) {
            if let Some((at, acts)) = self.outside.0.pop_first() {
                self.now = self.now.max(at);
                acts.into_iter().for_each(|(link, act)| self.act(link, act));
            }
        }
        self.now = now;
    }
}

impl System<Timed> {
    pub fn timed() -> System<Timed> {
        System::new(super::Policy::plain(), Timed::default())
    }
}
