//! Listening sockets.

use super::{Source, Stream};
use std::io;
use std::net::{SocketAddr, TcpListener};

/// A listener that the program brings along.
pub trait Accept: Send + Sync {
    /// What the poller watches.
    fn source(&self) -> Source<'_>;
    /// Accepts one connection, or [`io::ErrorKind::WouldBlock`].
    fn accept(&self) -> io::Result<(Stream, Option<SocketAddr>)>;
}

/// A listening socket, never blocking.
pub enum Listener {
    /// TCP.
    Tcp(TcpListener),
    /// A Unix-domain socket.
    #[cfg(unix)]
    Unix(std::os::unix::net::UnixListener),
    /// A listener of the program's own.
    Other(Box<dyn Accept>),
}

impl Listener {
    /// Binds and listens: SO_REUSEADDR (not on Windows, where it would let a second server take the
    /// port), IPV6_V6ONLY for IPv6, TCP_NODELAY (inherited by accepted sockets where the system does
    /// so), close-on-exec, non-blocking, with the given backlog.
    pub fn bind_tcp(address: SocketAddr, backlog: u32) -> io::Result<Listener> {
        todo!()
    }
    /// Takes over a listener that is bound already.
    pub fn from_tcp(listener: TcpListener) -> io::Result<Listener> {
        todo!()
    }
    /// Accepts one connection: non-blocking, close-on-exec, no delay.
    pub fn accept(&self) -> io::Result<(Stream, Option<SocketAddr>)> {
        todo!()
    }
    /// The address that it is bound to, for TCP.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        todo!()
    }
    /// What the poller watches.
    pub fn source(&self) -> Source<'_> {
        todo!()
    }
}

/// Whether an accept failed because the process (EMFILE) or the system (ENFILE) has no descriptor, or
/// no memory (ENOBUFS, ENOMEM), left: to be tried again later, not at once.
pub fn is_exhaustion(error: &io::Error) -> bool {
    todo!()
}
