//! How a connection ends, whoever owns it: its slot first, then its registration, then its descriptor, and the observer is told.

use super::catch_panic::catch_panic;
use super::client::{Client, Record};
use super::observer::RequestEvent;
use super::shared::Shared;
use super::slots::Owned;
use crate::conn::CloseReason;
use crate::handler::Now;

impl Shared {
    /// Ends a connection.
    pub(super) fn close(&self, owned: Owned, reason: CloseReason) {
        let token = owned.source.token();
        let client = self.slots.vacate(owned);
        self.give_back(&client);
        if client.registered {
            // The descriptor is closed right after, which ends the registration in any case.
            let _ = self.poller.remove(client.stream.source(), token);
        }
        catch_panic(|| {
            let record = client
                .pending
                .as_ref()
                .and_then(|pending| pending.record.as_ref());
            if let (Some(record), Some(observer)) = (record, &self.observer) {
                observer.request(&self.event(record, &client, false));
            }
        });
        catch_panic(|| {
            self.observer
                .iter()
                .for_each(|observer| observer.closed(client.peer, reason));
        });
        // The content may be a program's reader, whose Drop is the program's as well.
        catch_panic(|| drop(client));
    }

    /// What the observer hears of a request whose answer did not fit into the output, when that has ended.
    pub(super) fn event<'r>(
        &self,
        record: &'r Record,
        client: &Client,
        complete: bool,
    ) -> RequestEvent<'r> {
        let now = self.now();
        RequestEvent {
            method: record.method,
            target: &record.target,
            version: record.version,
            status: record.status,
            bytes: client.sent.saturating_sub(record.content_from),
            complete,
            duration: now.monotonic.saturating_sub(record.begun),
            time: now.wall,
            peer: client.peer,
            reason: record.reason,
        }
    }

    /// The time, as a handler sees it.
    pub(super) fn now(&self) -> Now {
        let (monotonic, wall) = self.clock.now();
        Now { monotonic, wall }
    }
}
