//! One connected socket, never blocking: TCP, Unix-domain, or the caller's own.

use super::{Interest, Source};
use std::fmt;
use std::fs::File;
use std::io::{self, IoSlice, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// A stream that the program brings along: TLS over a socket, or a simulation.
///
/// `read` and `write` answer [`io::ErrorKind::WouldBlock`] instead of waiting.
pub trait Socket: Read + Write + Send {
    /// What the poller watches.
    fn source(&self) -> Source<'_>;
    /// Tells the peer that no more octets follow.
    fn shutdown_write(&mut self) -> io::Result<()>;
    /// Blocks until the stream is ready in the given direction (`true`) or the time is over (`false`).
    fn wait(&mut self, interest: Interest, timeout: Duration) -> io::Result<bool>;
}

/// A connected stream.
pub enum Stream {
    /// A TCP connection.
    Tcp(TcpStream),
    /// A Unix-domain connection.
    #[cfg(unix)]
    Unix(std::os::unix::net::UnixStream),
    /// A stream of the program's own.
    Other(Box<dyn Socket>),
}

impl Stream {
    /// Reads what is there, up to `buffer.len()` octets; 0 is the end of the stream.
    pub fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        todo!()
    }
    /// Writes what fits.
    pub fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        todo!()
    }
    /// Writes what fits of several pieces.
    pub fn write_vectored(&mut self, pieces: &[IoSlice<'_>]) -> io::Result<usize> {
        todo!()
    }
    /// Sends up to `length` octets of `file` from `offset`, without moving the file's own position.
    /// 0 means that the file ends there. `sendfile(2)` on Linux; elsewhere, or where the file system
    /// has no sendfile, one block is copied through `scratch`.
    pub fn send_file(
        &mut self,
        file: &File,
        offset: u64,
        length: u64,
        scratch: &mut Vec<u8>,
    ) -> io::Result<usize> {
        todo!()
    }
    /// Tells the peer that no more octets follow.
    pub fn shutdown_write(&mut self) -> io::Result<()> {
        todo!()
    }
    /// Blocks until the stream is ready in the given direction (`true`) or the time is over (`false`).
    pub fn wait(&mut self, interest: Interest, timeout: Duration) -> io::Result<bool> {
        todo!()
    }
    /// What the poller watches.
    pub fn source(&self) -> Source<'_> {
        todo!()
    }
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stream").finish_non_exhaustive()
    }
}
