//! The engine: the only room with threads and sockets.
#![forbid(unsafe_code)]

mod observer;
mod shutdown;

pub use observer::{Observer, RequestEvent};
pub use shutdown::{Ended, Running, Shutdown};

use crate::handler::{Handler, IntoResponse, Request};
use crate::limits::{Limits, Timeouts};
use crate::sys::{Backend, Listener};
use std::io;
use std::net::{SocketAddr, TcpListener, ToSocketAddrs};

/// A server that is bound but does not serve yet.
///
/// ```no_run
/// use doorstep::Server;
/// fn main() -> std::io::Result<()> {
///     Server::bind("127.0.0.1:8080")?.serve(|_req| "Hello, world!")
/// }
/// ```
pub struct Server {
    listeners: Vec<Listener>,
}

impl Server {
    /// Binds and listens at once; nothing is answered before [`serve`](Server::serve), [`run`](Server::run) or [`spawn`](Server::spawn).
    ///
    /// # Errors
    /// Those of bind(2): the first address that can be bound is taken, and the last error is returned when none can.
    pub fn bind(addresses: impl ToSocketAddrs) -> io::Result<Server> {
        todo!()
    }
    /// Takes over a listener.
    pub fn from_listener(listener: TcpListener) -> io::Result<Server> {
        todo!()
    }
    /// Binds one more address.
    pub fn and_bind(self, addresses: impl ToSocketAddrs) -> io::Result<Server> {
        todo!()
    }
    /// The address of the first listener.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        todo!()
    }
    /// The addresses of all listeners.
    pub fn local_addrs(&self) -> Vec<SocketAddr> {
        todo!()
    }
    /// Worker threads; as many as CPUs otherwise.
    pub fn workers(self, count: usize) -> Server {
        todo!()
    }
    /// Sets the limits.
    pub fn limits(self, limits: Limits) -> Server {
        todo!()
    }
    /// Sets the timeouts.
    pub fn timeouts(self, timeouts: Timeouts) -> Server {
        todo!()
    }
    /// Watches the server.
    pub fn observer(self, observer: impl Observer) -> Server {
        todo!()
    }
    /// The Server field's value; `None` removes it. `doorstep` otherwise. An invalid value panics: it is the program's own.
    pub fn server_name(self, name: Option<&'static str>) -> Server {
        todo!()
    }
    /// The poller to use; the system's best one otherwise.
    #[doc(hidden)]
    pub fn backend(self, backend: Backend) -> Server {
        todo!()
    }
    /// Stops this server from another thread.
    pub fn shutdown_handle(&self) -> Shutdown {
        todo!()
    }
    /// Serves with a closure until it is shut down.
    pub fn serve<F, R>(self, f: F) -> io::Result<()>
    where
        F: Fn(&mut Request<'_>) -> R + Send + Sync + 'static,
        R: IntoResponse,
    {
        todo!()
    }
    /// Serves with a handler until it is shut down.
    pub fn run(self, handler: impl Handler) -> io::Result<()> {
        todo!()
    }
    /// Serves in the background.
    pub fn spawn(self, handler: impl Handler) -> io::Result<Running> {
        todo!()
    }
}
