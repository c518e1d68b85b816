//! Threads of their own for the program's part of a connection, so that it holds up no worker:
//! detached responses and upgraded connections.
//!
//! A worker hands over a connection that it owns and whose response head has been sent. The thread
//! owns it from then on: no event, sweep or eviction can take it. Nothing is parsed here: when the
//! program has finished, the workers get the connection back as if its socket had been full until
//! now.

use crate::conn::{CloseReason, Moment};
use crate::handler::Takeover;
use crate::limits::STREAM_BLOCK;
use crate::server::base::catch_panic::catch_panic;
use crate::server::base::lock::lock;
use crate::server::base::overload::Overload;
use crate::server::client::output::Output;
use crate::server::client::pending::PendingTakeover;
use crate::server::client::slots::Owned;
use crate::server::exchange::body_writer::write_content;
use crate::server::exchange::peer_wait::PeerWait;
use crate::server::exchange::upgraded;
use crate::server::pool::heartbeat::Heartbeat;
use crate::server::pool::thread_guard::ThreadGuard;
use crate::server::shared::Shared;
use crate::server::shared::budget::OverloadKind;
use crate::sys::Interest;
use std::sync::{Arc, Mutex};

/// What a thread counts as: a block that its program has written, or that the client has not taken.
/// An upgraded connection has no such block, but more on its stack.
pub const DETACHED_BYTES: usize = STREAM_BLOCK;

/// Moves a connection, which the caller owns, to a thread of its own.
pub(crate) fn detach(shared: &Arc<Shared>, owned: Owned) {
    let guard = ThreadGuard::of(&shared.pool, None);
    // A thread that cannot be started drops its closure, and the connection still has to be closed
    // then.
    let given = Arc::new(Mutex::new(Some((shared.clone(), owned))));
    let taken = given.clone();
    let work = move || {
        // When the last thread has been counted off, every descriptor is closed: `shared` is
        // dropped before the guard.
        let _guard = guard;
        let taken = lock(&taken).take();
        if let Some((shared, owned)) = taken {
            serve(&shared, owned);
        }
    };
    let Err(error) = shared.threads.start("doorstep-detached", Box::new(work)) else {
        return;
    };
    let now = Moment::at(shared.clock.monotonic());
    shared.report(OverloadKind::Threads, now, || Overload::Thread {
        error,
        is_worker: false,
    });
    let left = lock(&given).take();
    if let Some((_, owned)) = left {
        shared.close(owned, CloseReason::Overload);
    }
}

/// Closes connections at the end of a server, on a thread of their own.
pub(crate) fn close_on_thread(shared: &Arc<Shared>, left: Vec<Owned>) {
    if left.is_empty() {
        return;
    }
    let guard = ThreadGuard::of(&shared.pool, None);
    let closing = Closing {
        shared: shared.clone(),
        left,
    };
    let work = move || {
        let _guard = guard;
        drop(closing);
    };
    // Without a thread, the connections are closed here.
    let _ = shared.threads.start("doorstep-close", Box::new(work));
}

/// Connections that are closed when this is dropped.
struct Closing {
    shared: Arc<Shared>,
    left: Vec<Owned>,
}

impl Drop for Closing {
    fn drop(&mut self) {
        for owned in self.left.drain(..) {
            self.shared.close(owned, CloseReason::Shutdown);
        }
    }
}

fn serve(shared: &Shared, mut owned: Owned) {
    match catch_panic(|| perform(shared, &mut owned)) {
        Some(Ok(())) => return_to_workers(shared, owned),
        Some(Err(reason)) => shared.close(owned, reason),
        None => shared.close(owned, CloseReason::Panicked),
    }
}

/// Runs the program's part. Its permit is free when this returns, or panics: before the client can
/// have seen the end.
fn perform(shared: &Shared, owned: &mut Owned) -> Result<(), CloseReason> {
    let client = &mut *owned.client;
    let mut hold = shared.budget.hold();
    hold.set(DETACHED_BYTES);
    // In no list, so that its waits are not cancelled for the sake of others: it holds up no
    // worker.
    let heartbeat = Heartbeat::default();
    let waits = PeerWait::detached(shared, &heartbeat);
    let mut output = Output::default();
    output.restore(&mut client.pending().unsent);
    let result = match client.pending().takeover.take() {
        Some(PendingTakeover {
            takeover: Takeover::Writer { write, .. },
            is_chunked,
            permit: _permit,
        }) => write_content(shared, client, &mut output, waits, write, is_chunked),
        Some(PendingTakeover {
            takeover: Takeover::Upgrade { speak, .. },
            permit: _permit,
            ..
        }) => upgraded::run_protocol(shared, client, speak),
        None => Ok(()),
    };
    output.save(&mut client.pending().unsent);
    result
}

/// Returns a connection to the workers: an event for writing, which follows as soon as the socket
/// has room, brings it to one of them.
fn return_to_workers(shared: &Shared, mut owned: Owned) {
    if shared.has_ended() {
        // No worker is left to serve it.
        return shared.close(owned, CloseReason::Shutdown);
    }
    let now = Moment::at(shared.clock.monotonic());
    owned.client.deadline = owned.client.conn.write_deadline(now, &shared.config);
    let held = shared.budget.count(&mut owned.client);
    owned.client.waits(Interest::Write, held, false, true, now);
    match shared.arm(&mut owned, Interest::Write) {
        Ok(()) => shared.release(owned),
        Err(_) => shared.close(owned, CloseReason::Failed),
    }
    shared.enforce_memory_limit();
}
