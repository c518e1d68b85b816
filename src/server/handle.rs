//! A server that runs in the background, and what it is doing.

use crate::conn::Moment;
use crate::server::shared::Shared;
use crate::server::shutdown::{Shutdown, ShutdownReport};
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock, Weak};
use std::thread::JoinHandle;
use std::time::Duration;

/// A server that runs in the background. Dropping it stops the server at once and waits for its
/// end.
pub struct ServerHandle {
    pub(crate) addr: Option<SocketAddr>,
    pub(crate) shutdown: Shutdown,
    pub(crate) shared: Arc<OnceLock<Weak<Shared>>>,
    pub(crate) thread: Option<JoinHandle<io::Result<ShutdownReport>>>,
}

impl ServerHandle {
    /// The address of the first listener.
    ///
    /// # Panics
    /// When that is a Unix-domain socket, which has no such address.
    pub fn addr(&self) -> SocketAddr {
        self.addr
            .expect("this server listens on a Unix-domain socket, which has no internet address")
    }

    /// A handle that stops this server from any thread.
    pub fn shutdown_handle(&self) -> Shutdown {
        self.shutdown.clone()
    }

    /// What the server is doing now. All zero before it has started, and after its end.
    pub fn stats(&self) -> ServerStats {
        let shared = self.shared.get().and_then(Weak::upgrade);
        shared.map(|shared| shared.stats()).unwrap_or_default()
    }

    /// Stops the server gracefully and waits for its end, for `grace` at most.
    ///
    /// # Errors
    /// Those that ended the server.
    pub fn shutdown(self, grace: Duration) -> io::Result<ShutdownReport> {
        self.shutdown.begin(grace);
        self.join()
    }

    /// Waits until the server ends.
    ///
    /// # Errors
    /// Those that ended the server.
    pub fn join(mut self) -> io::Result<ShutdownReport> {
        match self.thread.take().map(JoinHandle::join) {
            Some(Ok(ended)) => ended,
            // The thread catches panics in a program's code; any other is a fault of this crate.
            Some(Err(_)) => Err(io::Error::other("the server's own thread panicked")),
            None => Ok(ShutdownReport { aborted: 0 }),
        }
    }
}

impl fmt::Debug for ServerHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerHandle")
            .field("addr", &self.addr)
            .finish_non_exhaustive()
    }
}

impl Drop for ServerHandle {
    fn drop(&mut self) {
        if let Some(thread) = self.thread.take() {
            self.shutdown.begin(Duration::ZERO);
            let _ = thread.join();
        }
    }
}

/// What a server is doing at this moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServerStats {
    /// Open connections.
    pub connections: usize,
    /// Worker threads.
    pub workers: usize,
    /// Workers that were inside a handler when the server last looked: up to a second ago on an
    /// idle server, five milliseconds on a busy one.
    pub workers_in_handlers: usize,
    /// Requests that wait without a worker, until fewer of their kind run: of those that are known
    /// to compute, or of those of one method and path that block.
    pub queued: usize,
    /// For how long requests have waited for workers, all of which handlers hold.
    pub behind: Option<Duration>,
}

impl Shared {
    pub(crate) fn stats(&self) -> ServerStats {
        let now = Moment::at(self.clock.monotonic());
        ServerStats {
            connections: self.slots.occupied(),
            workers: self.pool.counts().all(),
            workers_in_handlers: self.pool.held(),
            queued: self.pool.computing.gate.waiting() + self.pool.shares.waiting(),
            behind: self.pool.behind().map(|since| now.since(since)),
        }
    }
}
