//! Arm, release, close: the only ways out of ownership.
//!
//! A connection is armed while it is still owned, and released after that; `slots` says why. It is
//! closed in this order: its slot, its registration, its descriptor; then the observer is told.

use crate::conn::{CloseReason, Moment};
use crate::server::base::catch_panic::catch_panic;
use crate::server::client::slots::Owned;
use crate::server::shared::Shared;
use crate::sys::Interest;
use std::io;

impl Shared {
    /// Arms the poller for a connection that is still owned.
    pub(crate) fn arm(&self, owned: &mut Owned, interest: Interest) -> io::Result<()> {
        let token = owned.source.token();
        let client = &mut owned.client;
        client.waits_to_write = interest == Interest::Write;
        if client.registered {
            return self.poller.arm(client.stream.source(), token, interest);
        }
        self.poller.add(client.stream.source(), token, interest)?;
        client.registered = true;
        Ok(())
    }

    /// Releases a connection that is armed, for any thread to take.
    pub fn release(&self, mut owned: Owned) {
        let deadline = owned.client.deadline;
        // Each round is due to an event that came while the connection was owned here, and that has
        // used up the arming.
        while let Some(again) = self.slots.release(owned, deadline) {
            owned = again;
            let interest = owned.client.interest();
            // It waits for a gate, and the event was its call; or it cannot be armed, and a worker
            // tries again or closes it: this thread may be the housekeeper, which closes no file.
            if owned.client.is_queued() || self.arm(&mut owned, interest).is_err() {
                return self.hand_over(owned);
            }
        }
    }

    /// Gives a connection to the next free worker. Its deadline does not count until that worker
    /// has set another one.
    pub(crate) fn hand_over(&self, mut owned: Owned) {
        let token = owned.source.token();
        // Each round is due to an event, which the posted one stands for as well.
        while let Some(again) = self.slots.release(owned, Moment::NEVER) {
            owned = again;
        }
        self.poller.post(token);
    }

    pub(crate) fn close(&self, owned: Owned, reason: CloseReason) {
        let token = owned.source.token();
        let mut client = self.slots.vacate(owned);
        self.per_ip.remove(client.peer);
        self.budget.uncount(&client);
        if client.registered {
            // The descriptor is closed right after, which ends the registration in any case.
            let _ = self.poller.remove(client.stream.source(), token);
        }
        let pending = client.pending.take();
        let access = pending.as_ref().and_then(|pending| pending.access.as_ref());
        if let (Some(record), Some(observer)) = (access, &self.observer) {
            let time = self.clock.now();
            let event = record.event(client.peer, client.sent, false, time);
            catch_panic(|| observer.request(&event));
        }
        if let Some(observer) = &self.observer {
            catch_panic(|| observer.closed(client.peer, reason));
        }
        // The socket first: the body may be on a disk that hangs, and its client sees its end.
        drop(client);
        if let Some(mut pending) = pending {
            // The body may be a program's reader, whose Drop is the program's as well.
            catch_panic(|| {
                if let Some(wait) = pending.queue.take() {
                    drop(wait.gate.end_wait(wait.ticket));
                }
                pending.drop_body();
                drop(pending);
            });
        }
        self.descriptor_closed();
    }

    /// Lets resting listeners try again, now that there may be a descriptor for an accept.
    pub(crate) fn descriptor_closed(&self) {
        if self.listeners.is_resting() {
            let now = Moment::at(self.clock.monotonic());
            self.listeners
                .wake_rested(true, now, &*self.poller, &self.signal);
        }
    }
}
