//! The housekeeper: the sweep over deadlines, and the shutdown. One thread, with a worker's buffers of its own.

use super::listen::Accepted;
use super::shared::Shared;
use super::shutdown::{Ended, Signal};
use super::worker::Worker;
use crate::conn::Moment;
use crate::limits::{ACCEPTS_AT_SHUTDOWN, LOOK_AGAIN, TICK_LEAST, TICK_MOST};
use std::sync::Arc;
use std::time::Duration;

/// Keeps time for a server.
pub struct Housekeeper {
    shared: Arc<Shared>,
    worker: Worker,
}

impl Housekeeper {
    /// The housekeeper of this server.
    pub fn new(shared: Arc<Shared>) -> Housekeeper {
        Housekeeper {
            worker: Worker::new(shared.clone()),
            shared,
        }
    }

    /// Sweeps until a shutdown is asked for, then carries it out.
    pub fn run(&mut self, signal: &Signal) -> Ended {
        let tick = self.tick();
        while !signal.wait(tick) {
            self.sweep();
        }
        self.shut_down(signal)
    }

    /// How long a deadline may be overdue: a quarter of the shortest wait that is configured, within bounds.
    fn tick(&self) -> Duration {
        let timeouts = &self.shared.rules.timeouts;
        let all = [
            timeouts.head,
            timeouts.body,
            timeouts.write,
            timeouts.keep_alive,
            timeouts.linger,
        ];
        let shortest = all.into_iter().min().unwrap_or(TICK_MOST);
        (shortest / 4).clamp(TICK_LEAST, TICK_MOST)
    }

    /// Ends the waits that are over, and lets listeners that rested try again.
    pub fn sweep(&mut self) {
        let now = self.now();
        for index in 0..self.shared.slots.touched() {
            if let Some(owned) = self.shared.slots.claim(index, |deadline| deadline <= now) {
                self.worker.expire(owned);
            }
        }
        self.shared.listeners.wake_rested(&self.shared);
    }

    /// Takes what is queued, closes the listeners, closes idle connections after one more read, and gives the others
    /// the time that is left.
    fn shut_down(&mut self, signal: &Signal) -> Ended {
        self.shared.stop();
        self.empty_queues();
        self.shared.listeners.close(&self.shared);
        loop {
            self.close_idle();
            let left = self.shared.slots.occupied();
            let now = self.now();
            let until = signal.deadline(now);
            if left == 0 || now >= until {
                return Ended { cut: self.cut() };
            }
            self.sweep();
            signal.pause(LOOK_AGAIN.min(until.since(now)));
        }
    }

    /// Connections that the kernel completed before the shutdown belong to clients that may have sent a request.
    fn empty_queues(&mut self) {
        for number in 0..self.shared.listeners.count() {
            for _ in 0..ACCEPTS_AT_SHUTDOWN {
                match self.shared.listeners.accept(number) {
                    Accepted::Connection(stream, peer) => {
                        let now = self.worker.now();
                        self.worker.admit(stream, peer, &now);
                    }
                    Accepted::Lost => {}
                    Accepted::Empty | Accepted::Exhausted(_) | Accepted::Closed => break,
                }
            }
        }
    }

    /// Has every connection that waits for nothing but a request looked at: one whose request has arrived meanwhile is
    /// served, the others are closed.
    fn close_idle(&mut self) {
        for index in 0..self.shared.slots.touched() {
            if let Some(owned) = self.shared.slots.claim(index, |_| true) {
                self.worker.look_again(owned);
            }
        }
    }

    /// Closes every connection that no worker is serving now, and answers how many requests that cut, or left with a
    /// handler: one that still holds its connection ends with it.
    fn cut(&mut self) -> usize {
        let mut cut = 0;
        for index in 0..self.shared.slots.touched() {
            if let Some(owned) = self.shared.slots.claim(index, |_| true) {
                cut += usize::from(owned.guest.is_unfinished());
                self.worker.cut(owned);
            }
        }
        cut + self.shared.slots.occupied()
    }

    fn now(&self) -> Moment {
        Moment::at(self.shared.clock.now().0)
    }
}
