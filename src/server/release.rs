//! Arm, release, close: the only ways out of ownership.
//!
//! A connection is armed while it is still owned, and released after that; `slots` says why. It is
//! closed in this order: its slot, its registration, its descriptor; then the observer is told.

use crate::conn::CloseReason;
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
    pub(crate) fn release(&self, mut owned: Owned) {
        let deadline = owned.client.deadline;
        // Each round is due to an event that came while the connection was owned here, and that has
        // used up the arming.
        while let Some(again) = self.slots.release(owned, deadline) {
            owned = again;
            let interest = owned.client.interest();
            if self.arm(&mut owned, interest).is_err() {
                return self.close(owned, CloseReason::Failed);
            }
        }
    }

    pub(crate) fn close(&self, owned: Owned, reason: CloseReason) {
        let token = owned.source.token();
        let client = self.slots.vacate(owned);
        self.per_ip.remove(client.peer);
        self.budget.uncount(&client);
        if client.registered {
            // The descriptor is closed right after, which ends the registration in any case.
            let _ = self.poller.remove(client.stream.source(), token);
        }
        catch_panic(|| {
            let pending = client.pending.as_ref();
            let access = pending.and_then(|pending| pending.access.as_ref());
            if let (Some(record), Some(observer)) = (access, &self.observer) {
                let time = self.clock.now();
                observer.request(&record.event(client.peer, client.sent, false, time));
            }
        });
        if let Some(observer) = &self.observer {
            catch_panic(|| observer.closed(client.peer, reason));
        }
        // The body may be a program's reader, whose Drop is the program's as well.
        catch_panic(|| drop(client));
    }
}
