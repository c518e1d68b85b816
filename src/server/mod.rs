//! The engine: threads, sockets, and who owns which connection. What the bytes mean is decided in
//! [`conn`](crate::conn), which has no threads and no sockets.
//!
//! # One connection's life
//!
//! ```text
//!  listener ─▶ accept ─▶ slot ─▶ turn ─▶ handler ─▶ response ─┬─▶ arm ─▶ release ─┐
//!                │                ▲ ▲                         │                   │
//!             no room             │ └────── next request ─────┤                   │
//!                ▼                │                           ├─ last ─▶ close    │
//!            503, close           │                           │                   │
//!                                 │      a thread of its own ◀┘                   │
//!                                 │              └─▶ arm ─▶ release ──────────────┤
//!                                 │                                               │
//!                                 └─ event or deadline ── waits, owned by nobody ◀┘
//!                                                           └─ eviction, shutdown ─▶ close
//! ```
//!
//! | a connection | its owner | what it costs |
//! |---|---|---|
//! | in a turn | the worker that took its event | that worker, as long as it need not wait |
//! | whose handler or writer waits | the same worker | that worker; the pool adds another |
//! | detached or upgraded | a thread of its own | that thread |
//! | in front of a gate that is full | nobody | a slot, and the bytes of its request |
//! | between turns | nobody | a slot, and its buffered bytes if there are any |
//!
//! The workers of the pool share one poller. The kernel's list of ready sockets is their work
//! queue: whichever worker is free takes the next event. An idle, slow or waiting connection costs
//! no thread.
//!
//! - **accept** (`worker/accept`, `shared/listeners`): the worker with a listener's event accepts
//!   one connection and arms the listener again, so that another worker takes the next. While the
//!   server is behind it accepts up to 32, and leaves all but the first to the poller.
//! - **slot** (`client/slots`, `evict`): the connection gets a slot, owned by this worker. If all
//!   slots are taken, idle connections are closed, or else those that are slow to send a request;
//!   if there are none, the client gets a 503.
//! - **turn** (`worker/turn`): the owner lends the connection a worker's buffers, reads, and does
//!   what `conn` asks for next, until the connection has to wait, ends, or has used up its share.
//! - **handler** (`exchange`): a request whose body has arrived, or its first 16 KiB, is handed to
//!   the program on the same thread. Only here can a peer or a program hold up a worker; the
//!   housekeeper then starts others that stand in for it (`pool`).
//! - **response** (`exchange/respond`, `client/output`): head and body go into the output, and out
//!   at the end of the input that is here. A detached writer or an upgraded connection moves to a
//!   thread of its own, which then owns it (`worker/detached`).
//! - **gate** (`exchange/gate_wait`, [`handler::gate`](crate::handler::gate)): work that grows with
//!   what is served, or that a slow disk holds up, is done by a bounded number of workers. A
//!   request that finds them all busy goes back to where its head had just come, and waits without
//!   a worker; a worker that leaves the gate posts its token to the poller.
//! - **arm, release** (`release`): the owner arms the poller for the next event while it still
//!   owns, then releases. From here on nobody owns the connection. An event gives it to a worker,
//!   and a deadline to the housekeeper, for a turn in which no handler runs. When the connection
//!   holds a file, or something of the program's, the housekeeper leaves it to a worker: nothing
//!   that may block runs on the one thread that looks after all the others.
//! - **close** (`release`): only an owner closes: first the slot, then the registration, then the
//!   descriptor. An event that comes late meets another generation of the slot, and has no effect.
#![forbid(unsafe_code)]

mod base;
pub mod client;
pub mod evict;
pub mod exchange;
mod handle;
pub mod pool;
mod release;
pub mod shared;
mod shed;
mod shutdown;
pub mod worker;

pub use base::observer::{Observer, RequestEvent};
pub use base::overload::{AcceptRemedy, Overload};
pub use base::signal::Signal;
pub use handle::{ServerHandle, ServerStats};
pub use pool::{Pool, WatchOutcome};
pub use shared::Shared;
pub use shared::listeners::Listeners;
pub use shutdown::{Shutdown, ShutdownReport};
pub use worker::Worker;
pub use worker::housekeeper::Housekeeper;

use crate::conn::Config;
use crate::handler::{Handler, IntoResponse, Request};
use crate::limits::{BACKLOG, Limits, Timeouts};
use crate::semantics::fields::valid_value;
use crate::sys::limits::open_files;
use crate::sys::{Backend, Clock, Listener, SystemClock, SystemThreads, Threads};
use base::descriptors::Descriptors;
use pool::thread_guard::ThreadGuard;
use shared::connections_within;
use std::fmt;
use std::io;
use std::net::{SocketAddr, TcpListener, ToSocketAddrs};
use std::sync::{Arc, OnceLock, Weak};
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
    /// Binds and listens at once, so [`local_addr`](Server::local_addr) works. Clients can connect
    /// from now on, and are served from [`serve`](Server::serve), [`run`](Server::run) or
    /// [`spawn`](Server::spawn) on. Port 0 takes any free port.
    ///
    /// # Errors
    /// Those of bind(2) and listen(2). When the name has several addresses, the first that can be
    /// bound is taken.
    pub fn bind(addresses: impl ToSocketAddrs) -> io::Result<Server> {
        bind(addresses).map(Server::with)
    }

    /// Uses a listener that is bound already.
    ///
    /// # Errors
    /// Those of making it non-blocking.
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
            signal: Arc::default(),
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
        let addresses = self.listeners.iter().map(Listener::local_addr);
        addresses.flatten().collect()
    }

    /// Fixes the number of worker threads, from 1 to 4,096.
    ///
    /// Otherwise one runs per CPU, and while handlers block, others stand in for them, up to
    /// [`Limits::workers_max`](crate::Limits::workers_max) in all. With a fixed number, handlers
    /// that all block hold up every other request, unless a client has kept its handler waiting for
    /// more than a second: that wait is cancelled. With four or more, requests get a 503 while none
    /// of those handlers returns for 5 s.
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

    /// Sets the observer, for logging and metrics.
    pub fn observer(mut self, observer: impl Observer) -> Server {
        self.observer = Some(Box::new(observer));
        self
    }

    /// Sets the value of the Server header, `doorstep` by default; `None` omits the header.
    ///
    /// # Panics
    /// When the value holds a control character: it is the program's own, so that is a fault of the
    /// program.
    pub fn server_name(mut self, name: Option<&'static str>) -> Server {
        assert!(
            name.is_none_or(|name| valid_value(name.as_bytes())),
            "the server's name holds a control character"
        );
        self.server_name = name;
        self
    }

    /// Sets the poller to use; otherwise it is the best that the system has. Hidden: `Backend` is
    /// private, and the tests run on every backend.
    #[doc(hidden)]
    pub fn backend(mut self, backend: Backend) -> Server {
        self.backend = backend;
        self
    }

    /// A handle that stops this server from any thread.
    pub fn shutdown_handle(&self) -> Shutdown {
        let (signal, clock) = (self.signal.clone(), self.clock.clone());
        Shutdown { signal, clock }
    }

    /// Serves with a closure until the server is shut down.
    ///
    /// # Errors
    /// Those of starting threads and of the poller.
    pub fn serve<F, R>(self, handler: F) -> io::Result<()>
    where
        F: Fn(&mut Request<'_>) -> R + Send + Sync + 'static,
        R: IntoResponse,
    {
        self.run(handler)
    }

    /// Serves with a handler until the server is shut down. To learn how many requests were aborted
    /// then, use [`spawn`](Server::spawn).
    ///
    /// A closure that is given here, or to `spawn`, has to name the type of its argument: `|_: &mut
    /// Request<'_>| "Hello"`. For [`serve`](Server::serve) it need not.
    ///
    /// # Errors
    /// As [`serve`](Server::serve).
    pub fn run(self, handler: impl Handler) -> io::Result<()> {
        self.run_to_end(Box::new(handler), &OnceLock::new())
            .map(|_| ())
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
        self.spawn_boxed(Box::new(handler))
    }

    /// One copy of the code for all types of handlers.
    fn spawn_boxed(self, handler: Box<dyn Handler>) -> io::Result<ServerHandle> {
        let addr = self.local_addr().ok();
        let shutdown = self.shutdown_handle();
        let builder = thread::Builder::new().name("doorstep".to_string());
        let shared = Arc::new(OnceLock::new());
        let begun = shared.clone();
        let thread = builder.spawn(move || self.run_to_end(handler, &begun))?;
        Ok(ServerHandle {
            addr,
            shutdown,
            shared,
            thread: Some(thread),
        })
    }

    /// Starts the workers, runs the housekeeper until the end, and waits for the workers.
    fn run_to_end(
        mut self,
        handler: Box<dyn Handler>,
        begun: &OnceLock<Weak<Shared>>,
    ) -> io::Result<ShutdownReport> {
        let max = connections_within(open_files().unwrap_or(u64::MAX));
        self.config.limits.connections = self.config.limits.connections.clamp(1, max);
        let listeners = Listeners::new(self.listeners);
        let poller = self.backend.open()?;
        let mut shared = Shared::new(poller, self.clock, handler, self.config, listeners);
        shared.observer = self.observer;
        shared.server_name = self.server_name;
        shared.signal = self.signal;
        shared.descriptors = Arc::new(Descriptors::new(max));
        if let Some(count) = self.workers {
            shared.pool = Arc::new(Pool::new(count, count));
        }
        let shared = Arc::new(shared);
        // The cell is empty: this is called once.
        let _ = begun.set(Arc::downgrade(&shared));
        shared.listeners.register(&*shared.poller)?;
        let mut housekeeper = Housekeeper::new(shared.clone());
        let started = shared.pool.start(|| Worker::start(&shared));
        let ended = started.map(|()| housekeeper.run());
        shared.end();
        shared.poller.wake();
        let workers = shared.pool.end();
        // Connections that a thread released in between.
        housekeeper.close_all();
        drop(housekeeper);
        let pool = shared.pool.clone();
        let has_stuck = pool.has_threads();
        let guard = ThreadGuard::of(&pool, None);
        let work = move || {
            // The handler may hold files, and a disk may hang: the end does not wait for that for
            // long. When the last thread has been counted off, every descriptor is closed.
            drop(shared);
            drop(guard);
        };
        // Without a thread, all of that is dropped here.
        let _ = SystemThreads.start("doorstep-end", Box::new(work));
        // A thread that is stuck has been waited for, and keeps the handler.
        let closed = if has_stuck { Ok(()) } else { pool.end() };
        let ended = ended?;
        workers.and(closed).map(|()| ended)
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
    let nowhere = "the name stands for no address";
    let mut failure = io::Error::new(io::ErrorKind::InvalidInput, nowhere);
    for address in addresses.to_socket_addrs()? {
        match Listener::bind_tcp(address, BACKLOG) {
            Ok(listener) => return Ok(listener),
            Err(error) => failure = error,
        }
    }
    Err(failure)
}
