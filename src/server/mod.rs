//! The engine: the only room with threads and sockets.
//!
//! In: a pool of workers that share one poller, the slots that say who owns which connection, the deadlines' sweep, shutdown.
//! The kernel's ready list is the pool's work queue: whichever worker is free takes the next ready connection, reads what
//! is there, calls the handler on the same thread, writes, and gives the connection back. An idle, slow or waiting
//! connection costs no thread.
//! Out: what octets mean. Never: a decision that another room owns; a wait without a deadline.
#![forbid(unsafe_code)]

mod base;
pub mod client;
pub mod evict;
pub mod exchange;
pub mod pool;
mod release;
pub mod shared;
mod shutdown;
pub mod worker;

pub use base::observer::{Observer, RequestEvent};
pub use base::signal::Signal;
pub use pool::{Pool, WatchOutcome};
pub use shared::Shared;
pub use shared::listeners::Listeners;
pub use shutdown::{ServerHandle, Shutdown, ShutdownReport};
pub use worker::Worker;
pub use worker::housekeeper::Housekeeper;

use crate::conn::Config;
use crate::handler::{Handler, IntoResponse, Request};
use crate::limits::{BACKLOG, Limits, Timeouts};
use crate::semantics::fields::valid_value;
use crate::sys::{Backend, Clock, Listener, SystemClock, limits::open_files};
use shared::connections_within;
use std::fmt;
use std::io;
use std::net::{SocketAddr, TcpListener, ToSocketAddrs};
use std::sync::Arc;
use std::thread;

/// A server that is bound but does not serve yet.
///
/// ```no_run
/// use doorstep::Server;
///
/// fn main() -> std::io::Result<()> {
///     Server::bind("127.0.0.1:8080")?.serve(|_req| "Hello, world!")
/// }
/// ```
pub struct Server {
    listeners: Vec<Listener>,
    workers: Option<usize>,
    config: Config,
    observer: Option<Box<dyn Observer>>,
    server_name: Option<&'static str>,
    backend: Backend,
    signal: Arc<Signal>,
    clock: Arc<dyn Clock>,
}

impl Server {
    /// Binds and listens at once, so that [`local_addr`](Server::local_addr) answers; clients that connect are served
    /// from [`serve`](Server::serve), [`run`](Server::run) or [`spawn`](Server::spawn) on. Port 0 takes any free one.
    ///
    /// # Errors
    /// Those of bind(2) and listen(2). When the name stands for several addresses, the first that can be bound is taken.
    pub fn bind(addresses: impl ToSocketAddrs) -> io::Result<Server> {
        bind(addresses).map(Server::with)
    }

    /// Takes over a listener that is bound already.
    ///
    /// # Errors
    /// Those of setting it up: it becomes non-blocking.
    pub fn from_listener(listener: TcpListener) -> io::Result<Server> {
        Listener::from_tcp(listener, BACKLOG).map(Server::with)
    }

    fn with(listener: Listener) -> Server {
        Server {
            listeners: vec![listener],
            workers: None,
            config: Config::default(),
            observer: None,
            server_name: Some("doorstep"),
            backend: Backend::ALL[0],
            signal: Arc::new(Signal::new()),
            clock: Arc::new(SystemClock::start()),
        }
    }

    /// Listens on one more address.
    ///
    /// # Errors
    /// As [`bind`](Server::bind).
    pub fn bind_also(mut self, addresses: impl ToSocketAddrs) -> io::Result<Server> {
        self.listeners.push(bind(addresses)?);
        Ok(self)
    }

    /// The address of the first listener.
    ///
    /// # Errors
    /// Those of getsockname(2).
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        match self.listeners.first() {
            Some(listener) => listener.local_addr(),
            None => Err(io::ErrorKind::NotConnected.into()),
        }
    }

    /// The addresses of all listeners.
    pub fn local_addrs(&self) -> Vec<SocketAddr> {
        self.listeners
            .iter()
            .filter_map(|listener| listener.local_addr().ok())
            .collect()
    }

    /// Sets the number of worker threads, from 1 to 4,096: so many run, and never more.
    ///
    /// Otherwise as many run as there are CPUs, and while handlers block, up to
    /// [`Limits::workers_max`](crate::Limits::workers_max) stand in for them. With a fixed number, handlers that all block hold up
    /// every other request; what ends that is only the cut of a client that has kept its handler waiting for more than a second.
    pub fn workers(mut self, count: usize) -> Server {
        self.workers = Some(count);
        self
    }

    /// Sets the limits.
    pub fn limits(mut self, limits: Limits) -> Server {
        self.config.limits = limits;
        self
    }

    /// Sets the timeouts.
    pub fn timeouts(mut self, timeouts: Timeouts) -> Server {
        self.config.timeouts = timeouts;
        self
    }

    /// Watches the server.
    pub fn observer(mut self, observer: impl Observer) -> Server {
        self.observer = Some(Box::new(observer));
        self
    }

    /// Sets the Server field's value, `doorstep` otherwise; `None` leaves the field out.
    ///
    /// # Panics
    /// When the value holds a control character: it is the program's own, so that is a fault of the program.
    pub fn server_name(mut self, name: Option<&'static str>) -> Server {
        assert!(
            name.is_none_or(|name| valid_value(name.as_bytes())),
            "the server's name holds a control character"
        );
        self.server_name = name;
        self
    }

    /// Sets the poller to use; otherwise it is the best that the system has.
    #[doc(hidden)]
    pub fn backend(mut self, backend: Backend) -> Server {
        self.backend = backend;
        self
    }

    /// Stops this server from another thread.
    pub fn shutdown_handle(&self) -> Shutdown {
        Shutdown {
            signal: self.signal.clone(),
            clock: self.clock.clone(),
        }
    }

    /// Serves with a closure until the server is shut down.
    ///
    /// # Errors
    /// Those of starting threads and of the poller.
    pub fn serve<F, R>(self, answer: F) -> io::Result<()>
    where
        F: Fn(&mut Request<'_>) -> R + Send + Sync + 'static,
        R: IntoResponse,
    {
        self.run(answer)
    }

    /// Serves with a handler until the server is shut down. What was cut then, [`spawn`](Server::spawn) tells.
    ///
    /// A closure that is given here, or to `spawn`, names the type of its argument: `|_: &mut Request<'_>| "Hello"`.
    /// [`serve`](Server::serve) does without.
    ///
    /// # Errors
    /// As [`serve`](Server::serve).
    pub fn run(self, handler: impl Handler) -> io::Result<()> {
        self.run_to_end(Box::new(handler)).map(|_| ())
    }

    /// Serves in the background.
    ///
    /// ```
    /// use doorstep::{Request, Server};
    /// use std::time::Duration;
    ///
    /// let server = Server::bind("127.0.0.1:0")?;
    /// let running = server.spawn(|request: &mut Request<'_>| request.path().to_string())?;
    /// println!("listening on {}", running.addr());
    /// let report = running.shutdown(Duration::from_secs(1))?;
    /// assert_eq!(report.aborted, 0);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    /// Those of starting a thread.
    pub fn spawn(self, handler: impl Handler) -> io::Result<ServerHandle> {
        let addr = self.local_addr().ok();
        let shutdown = self.shutdown_handle();
        let builder = thread::Builder::new().name("doorstep".to_string());
        let thread = builder.spawn(move || self.run_to_end(Box::new(handler)))?;
        Ok(ServerHandle {
            addr,
            shutdown,
            thread: Some(thread),
        })
    }

    /// Starts the workers, keeps house until the end, and waits for the workers.
    fn run_to_end(mut self, handler: Box<dyn Handler>) -> io::Result<ShutdownReport> {
        let most = connections_within(open_files().unwrap_or(u64::MAX));
        self.config.limits.connections = self.config.limits.connections.clamp(1, most);
        let listeners = Listeners::new(self.listeners);
        let poller = self.backend.open()?;
        let mut shared = Shared::new(poller, self.clock, handler, self.config, listeners);
        shared.observer = self.observer;
        shared.server_name = self.server_name;
        shared.signal = self.signal;
        if let Some(count) = self.workers {
            shared.pool = Arc::new(Pool::new(count, count));
        }
        let shared = Arc::new(shared);
        shared.listeners.register(&*shared.poller)?;
        let mut housekeeper = Housekeeper::new(shared.clone());
        let started = shared.pool.start(|| Worker::start(&shared));
        let ended = started.map(|()| housekeeper.run());
        shared.end();
        shared.poller.wake();
        let workers = shared.pool.end();
        // What a thread let go of in between is nobody's.
        housekeeper.close_all();
        let ended = ended?;
        workers.map(|()| ended)
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("addresses", &self.local_addrs())
            .finish_non_exhaustive()
    }
}

fn bind(addresses: impl ToSocketAddrs) -> io::Result<Listener> {
    let mut failure = io::Error::new(
        io::ErrorKind::InvalidInput,
        "the name stands for no address",
    );
    for address in addresses.to_socket_addrs()? {
        match Listener::bind_tcp(address, BACKLOG) {
            Ok(listener) => return Ok(listener),
            Err(error) => failure = error,
        }
    }
    Err(failure)
}
