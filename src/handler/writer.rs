//! Bodies that a program writes as they come up: events, reports, whatever has no length yet.

use crate::limits::STREAM_BLOCK;
use std::fmt;
use std::io::{self, Write};

/// Where a written body goes: the connection in a server, memory in a test.
pub trait ContentSink {
    /// Takes bytes of the body, at least one, after those before. They may wait for the next
    /// [`flush`](ContentSink::flush).
    fn take(&mut self, bytes: &[u8]);

    /// Passes everything that was taken to the system. May wait for the client.
    fn flush(&mut self) -> io::Result<()>;

    /// Whether nothing that is written can reach the client any more.
    fn is_disconnected(&mut self) -> bool;
}

/// The program's closure that writes a body.
pub type WriteContent = Box<dyn FnOnce(&mut Writer<'_>) -> io::Result<()> + Send>;

/// Runs `write` on `sink`. Bytes that it has not flushed are taken by the sink and not flushed.
///
/// # Errors
/// Those of `write`; then nothing more is taken.
pub fn run_writer(sink: &mut dyn ContentSink, write: WriteContent) -> io::Result<()> {
    let mut writer = Writer {
        sink,
        collected: Vec::new(),
    };
    write(&mut writer)?;
    writer.hand_on();
    Ok(())
}

/// Where a program writes a response's body: [`io::Write`].
///
/// Bytes are collected up to a block of 16 KiB. A full block, and what is there at a
/// [`flush`](Write::flush), is passed to the system before the call returns, in HTTP/1.1 as one
/// chunk. So a write may wait for a slow client, within [`Timeouts::write`](crate::Timeouts::write)
/// and the minimum rate. When that time is over it fails with [`io::ErrorKind::TimedOut`], when the
/// client has gone with [`io::ErrorKind::ConnectionReset`], and when the server needs the thread
/// for others, or has ended, with [`io::ErrorKind::ConnectionAborted`]. So does every later block,
/// and the connection is closed whatever the program returns.
pub struct Writer<'a> {
    sink: &'a mut dyn ContentSink,
    collected: Vec<u8>,
}

impl Writer<'_> {
    /// Whether nothing more can reach the client: it has reset the connection, a write has failed,
    /// or the server has ended. A client that has merely closed its sending side is there until a
    /// write fails; so is one that vanished silently. That is how most clients go, so a body with
    /// long pauses should send something now and then: an event stream a line `:`.
    pub fn disconnected(&mut self) -> bool {
        self.sink.is_disconnected()
    }

    fn hand_on(&mut self) {
        // The memory goes as well: the sink has a copy, and may wait long for the client.
        let collected = std::mem::take(&mut self.collected);
        if !collected.is_empty() {
            self.sink.take(&collected);
        }
    }
}

impl Write for Writer<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = bytes.len().min(STREAM_BLOCK - self.collected.len());
        self.collected.extend_from_slice(&bytes[..count]);
        if self.collected.len() == STREAM_BLOCK {
            self.flush()?;
        }
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.hand_on();
        self.sink.flush()
    }
}

impl fmt::Debug for Writer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer")
            .field("collected", &self.collected.len())
            .finish_non_exhaustive()
    }
}

/// For [`Response::into_content`](crate::Response::into_content).
impl ContentSink for Vec<u8> {
    fn take(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
    fn is_disconnected(&mut self) -> bool {
        false
    }
}
