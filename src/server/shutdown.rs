//! Stopping a server.

use crate::conn::Moment;
use crate::server::base::signal::Signal;
use crate::sys::Clock;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// Stops a server from any thread.
#[derive(Clone)]
pub struct Shutdown {
    pub(crate) signal: Arc<Signal>,
    pub(crate) clock: Arc<dyn Clock>,
}

impl Shutdown {
    /// Begins a graceful shutdown and returns at once. New connections are no longer accepted, idle
    /// ones are closed, and running requests have `grace` to finish, with `Connection: close` in
    /// their responses; what is left then is aborted. A second call can only shorten the grace.
    ///
    /// A request may be on its way on a connection that seems idle. So a connection has half a
    /// second from its accept for its first request, and one whose last response is younger than a
    /// second has half a second, of the grace, for the next one.
    pub fn begin(&self, grace: Duration) {
        self.signal
            .request_shutdown(Moment::at(self.clock.monotonic()).after(grace));
    }

    /// Like [`begin`](Shutdown::begin), but only after `time`; this also returns at once. Until
    /// then connections are accepted and requests served as before, except that every response says
    /// `Connection: close`. So clients, such as a load balancer that asks a health page (see
    /// [`is_begun`](Shutdown::is_begun)), move to another server, and nobody is turned away. A
    /// second call can only make the shutdown begin sooner.
    ///
    /// ```
    /// use doorstep::{Request, Server, Status};
    /// use std::time::Duration;
    ///
    /// let server = Server::bind("127.0.0.1:0")?;
    /// let stop = server.shutdown_handle();
    /// let health = stop.clone();
    /// let running = server.spawn(move |_: &mut Request<'_>| match health.is_begun() {
    ///     true => (Status::SERVICE_UNAVAILABLE, "going"),
    ///     false => (Status::OK, "here"),
    /// })?;
    /// stop.drain(Duration::from_millis(10), Duration::from_secs(1));
    /// assert!(stop.is_begun());
    /// assert_eq!(running.join()?.aborted, 0);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn drain(&self, time: Duration, grace: Duration) {
        let begin = Moment::at(self.clock.monotonic()).after(time);
        self.signal.request_drain(begin, grace);
    }

    /// True once a shutdown, or the drain before it, has begun: a health page then responds with
    /// 503.
    pub fn is_begun(&self) -> bool {
        self.signal.is_requested()
    }
}

impl fmt::Debug for Shutdown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shutdown").finish_non_exhaustive()
    }
}

/// How a server ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ShutdownReport {
    /// Connections closed in the middle of a request or its response when the grace was over.
    pub aborted: usize,
}
