//! How a connection is given back, by whoever owns it: armed while it is still owned, and let go of after that. See `slots`.

use super::shared::Shared;
use super::slots::Owned;
use crate::conn::CloseReason;
use crate::sys::Interest;
use std::io;

impl Shared {
    /// Arms the poller for a connection that is still owned.
    pub(super) fn arm(&self, owned: &mut Owned, interest: Interest) -> io::Result<()> {
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

    /// Lets go of a connection that is armed, for others to serve.
    pub(super) fn leave(&self, mut owned: Owned) {
        let deadline = owned.client.deadline;
        // Each round is due to an event, which came while it was owned here and has used up the arming.
        while let Some(again) = self.slots.release(owned, deadline) {
            owned = again;
            let interest = owned.client.interest();
            if self.arm(&mut owned, interest).is_err() {
                return self.close(owned, CloseReason::Failed);
            }
        }
    }
}
