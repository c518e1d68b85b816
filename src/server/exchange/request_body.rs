//! The request body, which the handler pulls through the connection.

use crate::conn::{CloseReason, Event};
use crate::h1::Framing;
use crate::handler::BodySource;
use crate::server::client::input::Rest;
use crate::server::exchange::blocking::{BlockingError, BlockingIo};
use crate::server::shared::budget::Hold;
use crate::sys::Interest;
use std::io;
use std::ops::Range;
use std::time::Duration;

/// The body of the request in progress.
///
/// Buffered bytes are decoded where they lie. When more are needed, the buffered output is sent,
/// then `100 Continue` if the client waits for it, and the worker waits for the socket under the
/// connection's deadlines.
pub struct RequestBody<'a> {
    pub io: BlockingIo<'a>,
    /// The part of the buffer after the head. Its marks say where the unread bytes are; data that
    /// was decoded and not consumed by the handler counts as read.
    pub rest: Rest<'a>,
    pub framing: Framing,
    /// Data that is decoded and not consumed, as a range of `rest.bytes`.
    pub data: Range<usize>,
    pub failure: Option<BlockingError>,
    /// The memory of what the handler collects.
    pub hold: Hold<'a>,
}

impl<'a> RequestBody<'a> {
    #[inline]
    pub fn new(
        io: BlockingIo<'a>,
        rest: Rest<'a>,
        framing: Framing,
        hold: Hold<'a>,
    ) -> RequestBody<'a> {
        RequestBody {
            io,
            rest,
            framing,
            data: 0..0,
            failure: None,
            hold,
        }
    }

    fn fail(&mut self, failure: BlockingError) -> io::Error {
        self.failure = Some(failure);
        failure.error()
    }

    /// Reads more bytes, when all buffered ones are decoded. At the end of the stream, the
    /// connection decides what that means.
    fn read_more(&mut self) -> Result<(), BlockingError> {
        let RequestBody { io, rest, .. } = self;
        rest.start = 0;
        rest.end = 0;
        // The client may be waiting for these bytes before it sends any.
        io.flush()?;
        loop {
            match io.stream.read(rest.bytes) {
                Ok(0) => {
                    io.conn.input_ended();
                    return Ok(());
                }
                Ok(count) => {
                    rest.end = count;
                    return Ok(());
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    let now = io.waits.now();
                    let deadline = io.conn.content_deadline(now, io.config);
                    if !io.wait(Interest::Read, deadline)? {
                        io.conn.on_deadline(io.waits.now());
                        return Ok(());
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return Err(BlockingError::Lost),
            }
        }
    }
}

impl BodySource for RequestBody<'_> {
    fn content_length(&self) -> Option<u64> {
        match self.framing {
            Framing::None => Some(0),
            Framing::Length(length) => Some(length),
            Framing::Chunked => None,
        }
    }

    fn collect_limit(&self) -> usize {
        self.io.config.limits.body_bytes
    }

    fn fill(&mut self) -> io::Result<&[u8]> {
        if let Some(failure) = self.failure {
            return Err(self.fail(failure));
        }
        // Each round decodes at least one byte, reads at least one, or returns.
        while self.data.is_empty() {
            let RequestBody { io, rest, .. } = self;
            let (start, now) = (rest.start, io.waits.now());
            let here = &rest.bytes[start..rest.end];
            let out = &mut io.output.bytes;
            let done = match io.conn.next_content(here, now, io.config, out) {
                Event::Content { used, data } => {
                    rest.start += used;
                    self.data = start + data.start..start + data.end;
                    Ok(())
                }
                Event::Read => self.read_more(),
                Event::Refuse(reject) => Err(BlockingError::Refused(reject)),
                Event::Respond | Event::Head { .. } | Event::Send | Event::Close(_) => break,
            };
            if let Err(failure) = done {
                return Err(self.fail(failure));
            }
        }
        Ok(&self.rest.bytes[self.data.clone()])
    }

    fn consume(&mut self, count: usize) {
        self.data.start = self.data.end.min(self.data.start + count);
    }

    fn is_disconnected(&mut self) -> bool {
        self.io.stream.is_reset()
    }

    fn monotonic(&self) -> Duration {
        self.io.waits.monotonic()
    }

    fn hold(&mut self, bytes: usize) -> io::Result<()> {
        if !self.hold.grow(bytes) {
            self.io.waits.shared.report_memory();
            return Err(self.fail(BlockingError::Cancelled(CloseReason::Overload)));
        }
        self.io.waits.shared.enforce_memory_limit();
        Ok(())
    }
}
