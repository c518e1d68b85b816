//! `accept4(2)`: in one call, a connection that is non-blocking and close-on-exec.

use super::{check, ffi, socket};
use crate::sys::retry::uninterrupted;
use std::ffi::c_void;
use std::io;
use std::mem;
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

/// Accepts one connection, with the peer's address if it is an IP address.
pub fn accept(listener: BorrowedFd<'_>) -> io::Result<(OwnedFd, Option<SocketAddr>)> {
    let mut address = socket::blank_address();
    let descriptor = uninterrupted(|| accept4(listener, &mut address))?;
    Ok((descriptor, socket::decode(&address)))
}

fn accept4(listener: BorrowedFd<'_>, address: &mut ffi::SocketAddress) -> io::Result<OwnedFd> {
    let mut length = mem::size_of::<ffi::SocketAddress>() as u32;
    let to = (&raw mut *address).cast::<c_void>();
    let flags = ffi::SOCK_CLOEXEC | ffi::SOCK_NONBLOCK;
    // SAFETY: `to` points to `length` bytes that are ours alone, and `length` lives as long as the
    // call; the kernel writes no more than it says.
    let fd = check(unsafe { ffi::accept4(listener.as_raw_fd(), to, &mut length, flags) })?;
    // SAFETY: the call made this descriptor, and nobody else knows its number.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}
