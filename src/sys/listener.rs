//! Listening sockets.

use super::platform::socket;
use super::poller::Source;
#[cfg(not(any(target_os = "linux", target_os = "freebsd")))]
use super::retry::uninterrupted;
use super::stream::Stream;
use std::fmt;
use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
#[cfg(unix)]
use std::os::unix::net::{UnixListener, UnixStream};

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
    Unix(UnixListener),
    /// A listener of the program's own.
    Other(Box<dyn Accept>),
}

impl Listener {
    /// Binds and listens: SO_REUSEADDR (not on Windows, where it would let a second server take the
    /// port), IPV6_V6ONLY for IPv6, TCP_NODELAY (inherited by accepted sockets on systems that do
    /// so), close-on-exec, non-blocking, with the given backlog (Windows: std's).
    pub fn bind_tcp(address: SocketAddr, backlog: u32) -> io::Result<Listener> {
        socket::listen_tcp(address, backlog).map(Listener::Tcp)
    }

    /// Takes over a bound listener, and gives it the backlog (Windows: it keeps its own).
    pub fn from_tcp(listener: TcpListener, backlog: u32) -> io::Result<Listener> {
        listener.set_nonblocking(true)?;
        #[cfg(unix)]
        {
            use std::os::fd::AsFd;
            socket::prepare(listener.as_fd())?;
            socket::listen(listener.as_fd(), backlog)?;
        }
        #[cfg(not(unix))]
        let _ = backlog;
        Ok(Listener::Tcp(listener))
    }

    /// Accepts one connection: non-blocking, close-on-exec, no delay. The address is the peer's, if
    /// it is an IP address.
    pub fn accept(&self) -> io::Result<(Stream, Option<SocketAddr>)> {
        match self {
            Listener::Tcp(listener) => {
                let (stream, peer) = accept_tcp(listener)?;
                Ok((Stream::Tcp(stream), peer))
            }
            #[cfg(unix)]
            Listener::Unix(listener) => Ok((Stream::Unix(accept_unix(listener)?), None)),
            Listener::Other(listener) => listener.accept(),
        }
    }

    /// The address of a TCP listener; [`io::ErrorKind::Unsupported`] for others.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        match self {
            Listener::Tcp(listener) => listener.local_addr(),
            _ => Err(io::ErrorKind::Unsupported.into()),
        }
    }

    /// What the poller watches.
    pub fn source(&self) -> Source<'_> {
        match self {
            #[cfg(unix)]
            Listener::Tcp(listener) => Source::Descriptor(std::os::fd::AsFd::as_fd(listener)),
            #[cfg(windows)]
            Listener::Tcp(listener) => {
                Source::Descriptor(std::os::windows::io::AsSocket::as_socket(listener))
            }
            #[cfg(unix)]
            Listener::Unix(listener) => Source::Descriptor(std::os::fd::AsFd::as_fd(listener)),
            Listener::Other(listener) => listener.source(),
        }
    }
}

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listener").finish_non_exhaustive()
    }
}

/// TCP_NODELAY comes from the listener.
#[cfg(any(target_os = "linux", target_os = "freebsd"))]
fn accept_tcp(listener: &TcpListener) -> io::Result<(TcpStream, Option<SocketAddr>)> {
    use std::os::fd::AsFd;
    let (descriptor, peer) = super::unix::accept::accept(listener.as_fd())?;
    Ok((TcpStream::from(descriptor), peer))
}

#[cfg(not(any(target_os = "linux", target_os = "freebsd")))]
fn accept_tcp(listener: &TcpListener) -> io::Result<(TcpStream, Option<SocketAddr>)> {
    let (stream, peer) = uninterrupted(|| listener.accept())?;
    stream.set_nonblocking(true)?;
    // EINVAL (macOS): the peer has gone already, which the first read will find out.
    let _ = stream.set_nodelay(true);
    socket::silence(&stream);
    Ok((stream, Some(peer)))
}

#[cfg(any(target_os = "linux", target_os = "freebsd"))]
fn accept_unix(listener: &UnixListener) -> io::Result<UnixStream> {
    use std::os::fd::AsFd;
    let (descriptor, _) = super::unix::accept::accept(listener.as_fd())?;
    Ok(UnixStream::from(descriptor))
}

#[cfg(all(unix, not(any(target_os = "linux", target_os = "freebsd"))))]
fn accept_unix(listener: &UnixListener) -> io::Result<UnixStream> {
    let (stream, _) = uninterrupted(|| listener.accept())?;
    stream.set_nonblocking(true)?;
    socket::silence(&stream);
    Ok(stream)
}
