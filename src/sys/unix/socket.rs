//! Listening sockets set up by hand, because std's have a backlog of 128 and no options; and the
//! encoding of socket addresses, which differs a little between systems.

use super::{check, ffi};
use std::ffi::{c_int, c_void};
use std::io;
use std::mem;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6, TcpListener};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

/// Bytes that a socket holds unsent.
#[cfg(target_os = "linux")]
const UNSENT_MAX: c_int = 128 << 10;
/// Bytes of `struct sockaddr_in`.
const LENGTH_V4: usize = 16;
/// Bytes of `struct sockaddr_in6`.
const LENGTH_V6: usize = 28;

/// A listening TCP socket: close-on-exec, non-blocking, SO_REUSEADDR (so that a restart need not
/// wait for connections in TIME_WAIT), IPV6_V6ONLY for IPv6, TCP_NODELAY.
pub fn listen_tcp(address: SocketAddr, backlog: u32) -> io::Result<TcpListener> {
    let family = match address {
        SocketAddr::V4(_) => ffi::AF_INET,
        SocketAddr::V6(_) => ffi::AF_INET6,
    };
    let socket = open_stream_socket(family)?;
    switch_on(socket.as_fd(), ffi::SOL_SOCKET, ffi::SO_REUSEADDR)?;
    if address.is_ipv6() {
        // Without it `[::]` would also take the IPv4 port on some systems and not on others.
        switch_on(socket.as_fd(), ffi::IPPROTO_IPV6, ffi::IPV6_V6ONLY)?;
    }
    prepare(socket.as_fd())?;
    bind(socket.as_fd(), address)?;
    listen(socket.as_fd(), backlog)?;
    let listener = TcpListener::from(socket);
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// The options that accepted sockets inherit.
pub fn prepare(socket: BorrowedFd<'_>) -> io::Result<()> {
    // macOS has no MSG_NOSIGNAL: the socket itself has to be told not to raise SIGPIPE.
    #[cfg(target_vendor = "apple")]
    switch_on(socket, ffi::SOL_SOCKET, ffi::SO_NOSIGPIPE)?;
    // Bytes that wait in the system beyond those on their way (tcp(7)). Without this a socket takes
    // some megabytes for a client that does not read, which no limit of this server would see, and
    // is reported writable only when a third of them is gone. ENOPROTOOPT, ENOSYS: a system without
    // this option serves all the same, with its own bounds.
    #[cfg(target_os = "linux")]
    let _ = set(socket, ffi::IPPROTO_TCP, ffi::TCP_NOTSENT_LOWAT, UNSENT_MAX);
    switch_on(socket, ffi::IPPROTO_TCP, ffi::TCP_NODELAY)
}

/// Sets what an accepted socket may not have inherited: writing to a peer that has gone is an error
/// and not a signal.
#[cfg(target_vendor = "apple")]
pub fn silence(socket: &impl AsFd) {
    // EINVAL: the peer has gone already. Then the signal cannot be turned off, but nothing will be
    // written either, because a read comes first and finds the end.
    let _ = switch_on(socket.as_fd(), ffi::SOL_SOCKET, ffi::SO_NOSIGPIPE);
}

/// `listen(2)`: also changes the backlog of a listening socket.
pub fn listen(socket: BorrowedFd<'_>, backlog: u32) -> io::Result<()> {
    let backlog = c_int::try_from(backlog).unwrap_or(c_int::MAX);
    // SAFETY: the call takes two integers and touches no memory of ours.
    check(unsafe { ffi::listen(socket.as_raw_fd(), backlog) }).map(drop)
}

/// The address in a `struct sockaddr`, if it is an IP address.
pub fn decode(address: &ffi::SocketAddress) -> Option<SocketAddr> {
    let bytes = &address.bytes;
    let port = u16::from_be_bytes([bytes[2], bytes[3]]);
    let family = family(bytes);
    if family == u16::from(ffi::AF_INET) {
        let ip = Ipv4Addr::new(bytes[4], bytes[5], bytes[6], bytes[7]);
        return Some(SocketAddr::V4(SocketAddrV4::new(ip, port)));
    }
    if family == u16::from(ffi::AF_INET6) {
        let flow = u32::from_be_bytes([bytes[4], bytes[5], bytes[6], bytes[7]]);
        let mut ip = [0; 16];
        ip.copy_from_slice(&bytes[8..24]);
        let zone = u32::from_ne_bytes([bytes[24], bytes[25], bytes[26], bytes[27]]);
        let address = SocketAddrV6::new(Ipv6Addr::from(ip), port, flow, zone);
        return Some(SocketAddr::V6(address));
    }
    None
}

/// The length of a `struct sockaddr` of this family in bytes, if it is an IP address. `start` is
/// its first two bytes.
pub fn length_of(start: [u8; 2]) -> Option<usize> {
    let family = family(&start);
    if family == u16::from(ffi::AF_INET) {
        Some(LENGTH_V4)
    } else if family == u16::from(ffi::AF_INET6) {
        Some(LENGTH_V6)
    } else {
        None
    }
}

pub fn blank_address() -> ffi::SocketAddress {
    ffi::SocketAddress { bytes: [0; 128] }
}

#[cfg(any(target_os = "linux", target_os = "freebsd"))]
fn open_stream_socket(family: u8) -> io::Result<OwnedFd> {
    let kind = ffi::SOCK_STREAM | ffi::SOCK_CLOEXEC | ffi::SOCK_NONBLOCK;
    socket(family, kind)
}

#[cfg(target_vendor = "apple")]
fn open_stream_socket(family: u8) -> io::Result<OwnedFd> {
    let socket = socket(family, ffi::SOCK_STREAM)?;
    // SAFETY: the call takes three integers and touches no memory of ours.
    check(unsafe { ffi::fcntl(socket.as_raw_fd(), ffi::F_SETFD, ffi::FD_CLOEXEC) })?;
    Ok(socket)
}

fn socket(family: u8, kind: c_int) -> io::Result<OwnedFd> {
    // SAFETY: the call takes three integers and touches no memory of ours.
    let fd = check(unsafe { ffi::socket(c_int::from(family), kind, 0) })?;
    // SAFETY: the call made this descriptor, and nobody else knows its number.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

fn bind(socket: BorrowedFd<'_>, address: SocketAddr) -> io::Result<()> {
    let (encoded, length) = encode(address);
    let bytes = (&raw const encoded).cast::<c_void>();
    // SAFETY: `bytes` points to a live, aligned address of at least `length` bytes, only read.
    check(unsafe { ffi::bind(socket.as_raw_fd(), bytes, length as u32) }).map(drop)
}

fn switch_on(socket: BorrowedFd<'_>, level: c_int, name: c_int) -> io::Result<()> {
    set(socket, level, name, 1)
}

/// `setsockopt(2)` with an int.
fn set(socket: BorrowedFd<'_>, level: c_int, name: c_int, number: c_int) -> io::Result<()> {
    let value = (&raw const number).cast::<c_void>();
    let length = mem::size_of::<c_int>() as u32;
    // SAFETY: `value` points to a live int of `length` bytes, only read.
    check(unsafe { ffi::setsockopt(socket.as_raw_fd(), level, name, value, length) }).map(drop)
}

/// The bytes of `struct sockaddr_in` or `struct sockaddr_in6`, and their number.
fn encode(address: SocketAddr) -> (ffi::SocketAddress, usize) {
    let mut encoded = blank_address();
    let bytes = &mut encoded.bytes;
    bytes[2..4].copy_from_slice(&address.port().to_be_bytes());
    let (family, length) = match address {
        SocketAddr::V4(address) => {
            bytes[4..8].copy_from_slice(&address.ip().octets());
            (ffi::AF_INET, LENGTH_V4)
        }
        SocketAddr::V6(address) => {
            bytes[4..8].copy_from_slice(&address.flowinfo().to_be_bytes());
            bytes[8..24].copy_from_slice(&address.ip().octets());
            bytes[24..28].copy_from_slice(&address.scope_id().to_ne_bytes());
            (ffi::AF_INET6, LENGTH_V6)
        }
    };
    write_family(bytes, family, length);
    (encoded, length)
}

#[cfg(target_os = "linux")]
fn write_family(bytes: &mut [u8; 128], family: u8, _length: usize) {
    bytes[..2].copy_from_slice(&u16::from(family).to_ne_bytes());
}

#[cfg(not(target_os = "linux"))]
fn write_family(bytes: &mut [u8; 128], family: u8, length: usize) {
    // BSD's addresses begin with their own length, in one byte, before a family of one byte.
    bytes[0] = length as u8;
    bytes[1] = family;
}

#[cfg(target_os = "linux")]
fn family(bytes: &[u8]) -> u16 {
    u16::from_ne_bytes([bytes[0], bytes[1]])
}

#[cfg(not(target_os = "linux"))]
fn family(bytes: &[u8]) -> u16 {
    u16::from(bytes[1])
}
