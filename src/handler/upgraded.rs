//! A connection that has gone on in another protocol.

use core::net::SocketAddr;
use std::fmt;
use std::io::{self, Read, Write};
use std::time::Duration;

/// The bytes of another protocol: the connection in a server, memory in a test.
pub trait Duplex {
    /// The next bytes, at least one; 0 at the end. May wait for the peer.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize>;

    /// Passes bytes to the system, at least one. May wait for the peer.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize>;

    /// Sets how long a read waits.
    fn set_read_timeout(&mut self, timeout: Duration);

    /// Whether nothing that is written can reach the peer any more.
    fn is_disconnected(&mut self) -> bool;

    /// The other end; `None` for a Unix-domain socket.
    fn peer_addr(&self) -> Option<SocketAddr>;
}

/// The program's closure for the other protocol.
pub type Speak = Box<dyn FnOnce(&mut Upgraded<'_>) -> io::Result<()> + Send>;

/// A connection that has gone on in another protocol: [`Read`] and [`Write`], which wait for the
/// peer, on a thread of its own.
///
/// Reads return the bytes that came after the request first. They wait for
/// [`Timeouts::keep_alive`](crate::Timeouts::keep_alive), unless
/// [`set_read_timeout`](Upgraded::set_read_timeout) says otherwise, and writes for
/// [`Timeouts::write`](crate::Timeouts::write); then they fail with [`io::ErrorKind::TimedOut`],
/// and may be tried again. When the peer has gone both fail with
/// [`io::ErrorKind::ConnectionReset`], and when the server has ended with
/// [`io::ErrorKind::ConnectionAborted`]. Each write goes to the system at once, so small ones need
/// a [`BufWriter`](io::BufWriter); there is nothing to flush.
pub struct Upgraded<'a> {
    duplex: &'a mut dyn Duplex,
}

impl<'a> Upgraded<'a> {
    pub(crate) fn new(duplex: &'a mut dyn Duplex) -> Upgraded<'a> {
        Upgraded { duplex }
    }

    /// The address of the other end; `None` for a Unix-domain socket.
    pub fn peer_addr(&self) -> Option<SocketAddr> {
        self.duplex.peer_addr()
    }

    /// Sets how long each read from now on waits for the peer.
    pub fn set_read_timeout(&mut self, timeout: Duration) {
        self.duplex.set_read_timeout(timeout);
    }

    /// Whether nothing more can reach the peer: it has reset the connection, or the server has
    /// ended. A peer that has merely closed its sending side, which a read shows, is there until a
    /// write fails.
    pub fn disconnected(&mut self) -> bool {
        self.duplex.is_disconnected()
    }
}

impl Read for Upgraded<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        self.duplex.read(buffer)
    }
}

impl Write for Upgraded<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if bytes.is_empty() {
            return Ok(0);
        }
        self.duplex.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl fmt::Debug for Upgraded<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upgraded")
            .field("peer", &self.peer_addr())
            .finish_non_exhaustive()
    }
}
