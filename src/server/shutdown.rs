//! Stopping.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

/// Stops a server from any thread.
#[derive(Clone, Debug)]
pub struct Shutdown {}

impl Shutdown {
    /// Begins a graceful shutdown: no new connections, idle ones closed, running requests finished within `grace`
    /// (what is left then is cut). Returns at once; a second call can only shorten the grace.
    pub fn begin(&self, grace: Duration) {
        todo!()
    }
}

/// How a server ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Ended {
    /// Connections that were cut when the grace was over.
    pub cut: usize,
}

/// A server that runs in the background. Dropping it stops the server at once.
#[derive(Debug)]
pub struct Running {}

impl Running {
    /// The address of its first listener.
    pub fn addr(&self) -> SocketAddr {
        todo!()
    }
    /// Stops it from another thread.
    pub fn shutdown_handle(&self) -> Shutdown {
        todo!()
    }
    /// Stops it and waits for its end.
    pub fn shutdown(self, grace: Duration) -> io::Result<Ended> {
        todo!()
    }
    /// Waits for its end.
    pub fn join(self) -> io::Result<Ended> {
        todo!()
    }
}
