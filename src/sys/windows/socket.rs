//! Listening sockets as std makes them: Windows needs no options set by hand.

use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};

/// A listening TCP socket, non-blocking. IPv6 sockets leave IPv4 alone by default here, and without
/// SO_REUSEADDR (which would let a second server take the port) a port can be bound again at once.
/// The backlog is std's; the option to accept without delay is set on each connection.
pub fn listen_tcp(address: SocketAddr, _backlog: u32) -> io::Result<TcpListener> {
    let listener = TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// There is no SIGPIPE here.
pub fn silence(_stream: &TcpStream) {}
