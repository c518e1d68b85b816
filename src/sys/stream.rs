//! One connected socket, never blocking: TCP, Unix-domain, or the caller's own.

use super::platform::poll::{PollEntry, poll};
use super::poller::{Deadline, Interest, Source};
use super::retry::uninterrupted;
use std::fmt;
use std::fs::File;
use std::io::{self, IoSlice, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

/// Bytes of a file that are copied at once where there is no sendfile: larger blocks gain little.
const COPY_BLOCK: usize = 64 << 10;

/// A stream that the program brings along: TLS over a socket, or a simulation.
///
/// `read` and `write` fail with [`io::ErrorKind::WouldBlock`] in place of waiting.
pub trait Socket: Read + Write + Send {
    /// What the poller watches.
    fn source(&self) -> Source<'_>;
    /// Tells the peer that this was the last byte.
    fn shutdown_write(&mut self) -> io::Result<()>;
    /// Blocks until the stream is ready in the given direction (`true`) or the time is over
    /// (`false`).
    fn wait(&mut self, interest: Interest, timeout: Duration) -> io::Result<bool>;
    /// Whether it is known that nothing more can reach the peer. A peer that closed its own sending
    /// side can still be reached.
    fn is_reset(&mut self) -> bool {
        false
    }
    /// The time since data was last received, where that is known.
    fn since_last_data(&self) -> Option<Duration> {
        None
    }
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
    /// Reads what is available, up to `buffer.len()` bytes; 0 is the end of the stream.
    pub fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        uninterrupted(|| match self {
            Stream::Tcp(stream) => stream.read(buffer),
            #[cfg(unix)]
            Stream::Unix(stream) => stream.read(buffer),
            Stream::Other(stream) => stream.read(buffer),
        })
    }

    /// Writes as much as fits. A peer that has gone is an error and never a signal: std's sockets
    /// write with `MSG_NOSIGNAL`, and where a system has no such flag they carry `SO_NOSIGPIPE`.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        uninterrupted(|| match self {
            Stream::Tcp(stream) => stream.write(bytes),
            #[cfg(unix)]
            Stream::Unix(stream) => stream.write(bytes),
            Stream::Other(stream) => stream.write(bytes),
        })
    }

    /// Writes as much as fits of several pieces.
    pub fn write_vectored(&mut self, pieces: &[IoSlice<'_>]) -> io::Result<usize> {
        uninterrupted(|| match self {
            Stream::Tcp(stream) => send_pieces(stream, pieces),
            #[cfg(unix)]
            Stream::Unix(stream) => send_pieces(stream, pieces),
            Stream::Other(stream) => stream.write_vectored(pieces),
        })
    }

    /// Sends up to `length` bytes of `file` from `offset`, without moving the file's own position
    /// (Windows has no such read: there the position moves, and nothing here depends on it). 0
    /// means that the file ends there. `sendfile(2)` on Linux, at most 2 MiB a call; elsewhere, or
    /// where the file system has no sendfile, one block of 64 KiB is copied through `scratch`.
    pub fn send_file(
        &mut self,
        file: &File,
        offset: u64,
        length: u64,
        scratch: &mut Vec<u8>,
    ) -> io::Result<usize> {
        #[cfg(target_os = "linux")]
        {
            use super::linux::sendfile::send_file;
            use std::os::fd::AsFd;
            let sent = match self {
                Stream::Tcp(stream) => send_file(stream.as_fd(), file.as_fd(), offset, length)?,
                Stream::Unix(stream) => send_file(stream.as_fd(), file.as_fd(), offset, length)?,
                Stream::Other(_) => None,
            };
            if let Some(sent) = sent {
                return Ok(sent);
            }
        }
        self.copy_file(file, offset, length, scratch)
    }

    /// Tells the peer that this was the last byte.
    pub fn shutdown_write(&mut self) -> io::Result<()> {
        match self {
            Stream::Tcp(stream) => stream.shutdown(Shutdown::Write),
            #[cfg(unix)]
            Stream::Unix(stream) => stream.shutdown(Shutdown::Write),
            Stream::Other(stream) => stream.shutdown_write(),
        }
    }

    /// Blocks until the stream is ready in the given direction (`true`) or the time is over
    /// (`false`).
    pub fn wait(&mut self, interest: Interest, timeout: Duration) -> io::Result<bool> {
        match self {
            Stream::Other(stream) => stream.wait(interest, timeout),
            _ => match self.source() {
                Source::Descriptor(descriptor) => {
                    wait_for(PollEntry::new(descriptor, interest), timeout)
                }
                Source::Named(..) => Err(io::ErrorKind::Unsupported.into()),
            },
        }
    }

    /// Whether it is known, without waiting or reading, that nothing more can reach the peer: it
    /// has reset the connection. A peer that closed its own sending side can still be reached.
    pub fn is_reset(&mut self) -> bool {
        match self {
            Stream::Other(stream) => stream.is_reset(),
            _ => match self.source() {
                Source::Descriptor(descriptor) => {
                    // For writing, because some systems report nothing at all when asked for
                    // nothing.
                    let mut entry = [PollEntry::new(descriptor, Interest::Write)];
                    let looked = uninterrupted(|| poll(&mut entry, Some(Duration::ZERO)));
                    looked.is_ok() && entry[0].is_hung_up()
                }
                Source::Named(..) => false,
            },
        }
    }

    /// The time since data was last received, where that is known: for TCP on Linux.
    pub fn since_last_data(&self) -> Option<Duration> {
        match self {
            #[cfg(target_os = "linux")]
            Stream::Tcp(stream) => {
                use std::os::fd::AsFd;
                super::linux::tcp_info::since_last_data(stream.as_fd())
            }
            Stream::Other(stream) => stream.since_last_data(),
            _ => None,
        }
    }

    /// Whether a read would find the end, `Some(Ok(()))`, or that the connection is lost; nothing
    /// is read. `None` if neither, or if that cannot be told: std can only peek at TCP.
    pub fn end(&self) -> Option<io::Result<()>> {
        let Stream::Tcp(stream) = self else {
            return None;
        };
        match uninterrupted(|| stream.peek(&mut [0])) {
            Ok(0) => Some(Ok(())),
            Ok(_) => None,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => None,
            Err(error) => Some(Err(error)),
        }
    }

    /// What the poller watches.
    pub fn source(&self) -> Source<'_> {
        match self {
            #[cfg(unix)]
            Stream::Tcp(stream) => Source::Descriptor(std::os::fd::AsFd::as_fd(stream)),
            #[cfg(windows)]
            Stream::Tcp(stream) => {
                Source::Descriptor(std::os::windows::io::AsSocket::as_socket(stream))
            }
            #[cfg(unix)]
            Stream::Unix(stream) => Source::Descriptor(std::os::fd::AsFd::as_fd(stream)),
            Stream::Other(stream) => stream.source(),
        }
    }

    /// Sends one block through memory. Bytes that were read but not sent are read again the next
    /// time.
    fn copy_file(
        &mut self,
        file: &File,
        offset: u64,
        length: u64,
        scratch: &mut Vec<u8>,
    ) -> io::Result<usize> {
        let block = length.min(COPY_BLOCK as u64) as usize;
        if scratch.len() < block {
            scratch.resize(block, 0);
        }
        let read = uninterrupted(|| read_at(file, &mut scratch[..block], offset))?;
        if read == 0 {
            return Ok(0);
        }
        self.write(&scratch[..read])
    }
}

#[cfg(any(target_os = "linux", target_os = "freebsd"))]
fn send_pieces(stream: &impl std::os::fd::AsFd, pieces: &[IoSlice<'_>]) -> io::Result<usize> {
    super::unix::send::send_pieces(stream.as_fd(), pieces)
}

/// std's call raises no signal here: macOS's sockets carry `SO_NOSIGPIPE`, and Windows has no
/// signals.
#[cfg(not(any(target_os = "linux", target_os = "freebsd")))]
fn send_pieces(stream: &mut impl Write, pieces: &[IoSlice<'_>]) -> io::Result<usize> {
    /// More are an error on some of these systems; the rest waits for the next call.
    const PIECES_MAX: usize = 1024;
    stream.write_vectored(&pieces[..pieces.len().min(PIECES_MAX)])
}

#[cfg(unix)]
fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, buffer, offset)
}

#[cfg(windows)]
fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, buffer, offset)
}

/// Polls one descriptor.
fn wait_for(entry: PollEntry, timeout: Duration) -> io::Result<bool> {
    let deadline = Deadline::after(Some(timeout));
    // EINTR: waits for the rest of the time.
    uninterrupted(|| {
        loop {
            // `poll` takes 24 days at most; only then does the loop go on.
            let ready = poll(&mut [entry], deadline.left())?;
            if ready > 0 || deadline.is_over() {
                return Ok(ready > 0);
            }
        }
    })
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stream").finish_non_exhaustive()
    }
}

/// Fills `buffer` from `offset` on; the file's own position is not used.
///
/// # Errors
/// [`io::ErrorKind::UnexpectedEof`] when the file ends before that; those of reading it.
pub fn read_exact_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<()> {
    let mut filled = 0;
    // Each round reads at least one byte.
    while filled < buffer.len() {
        let at = offset + filled as u64;
        match uninterrupted(|| read_at(file, &mut buffer[filled..], at))? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            count => filled += count,
        }
    }
    Ok(())
}
