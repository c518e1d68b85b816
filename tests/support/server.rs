//! The server's parts put together, without threads of their own: the one place where the tests
//! reach into `server`.

use super::simulated::{Outside, System};
use doorstep::internals::conn::Config;
use doorstep::internals::sys::Threads;
use doorstep::{Handler, Observer};
use std::sync::Arc;

pub use doorstep::internals::server::{Housekeeper, Listeners, Pool, Shared, WatchOutcome, Worker};

/// A server over a simulated system, its listener registered.
pub fn put_together<O: Outside>(
    system: &System<O>,
    handler: impl Handler,
    config: Config,
    observer: Option<Box<dyn Observer>>,
    threads: Box<dyn Threads>,
) -> Arc<Shared> {
    let mut shared = Shared::new(
        Box::new(system.clone()),
        Arc::new(system.clone()),
        Box::new(handler),
        config,
        Listeners::new(vec![system.listener()]),
    );
    shared.observer = observer;
    shared.threads = threads;
    let shared = Arc::new(shared);
    let registered = shared.listeners.register(&*shared.poller);
    registered.expect("a simulated listener");
    shared
}
