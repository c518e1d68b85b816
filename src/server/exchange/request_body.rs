//! Request content, pulled by the handler through the connection.

use crate::h1::Reject;
use crate::h1::write::CONTINUE;
use crate::handler::BodySource;
use crate::server::client::input::Rest;
use crate::server::exchange::blocking::{BlockingError, BlockingIo};
use crate::sys::Interest;
use std::io;
use std::ops::Range;

/// The content of the request that a handler is working on.
///
/// What is in the buffer is decoded where it lies. When more is needed, what was answered so far is sent, then
/// `100 Continue` if the client waits for it, and the worker waits for the socket under the connection's deadlines.
pub struct RequestBody<'a> {
    link: BlockingIo<'a>,
    rest: Rest<'a>,
    /// Data that is decoded and not consumed, as a range of `rest.octets`.
    data: Range<usize>,
    length: Option<u64>,
    failure: Option<BlockingError>,
}

impl<'a> RequestBody<'a> {
    /// The content that follows the head in front of `rest`.
    pub fn new(link: BlockingIo<'a>, rest: Rest<'a>) -> RequestBody<'a> {
        let length = link.conn.content_left();
        RequestBody {
            link,
            rest,
            data: 0..0,
            length,
            failure: None,
        }
    }

    /// The marks of what is unread behind the head now, and what went wrong. Data that was decoded and not
    /// consumed by the handler counts as read: it is content, and its place in the framing is behind.
    pub fn end(self) -> (usize, usize, Option<BlockingError>) {
        (self.rest.start, self.rest.end, self.failure)
    }

    fn fail(&mut self, failure: BlockingError) -> io::Error {
        self.failure = Some(failure);
        failure.error()
    }

    /// PeerWait for more octets behind the ones that are here, all of which are decoded.
    fn read_more(&mut self) -> io::Result<()> {
        self.rest.start = 0;
        self.rest.end = 0;
        if self.link.conn.take_continue() {
            self.link.output.bytes.extend_from_slice(CONTINUE);
        }
        // The client may be waiting for these octets before it sends any.
        self.link.flush().map_err(|failure| self.fail(failure))?;
        loop {
            match self.link.stream.read(self.rest.octets) {
                Ok(0) => return Err(self.fail(BlockingError::Refused(Reject::TruncatedContent))),
                Ok(count) => {
                    self.rest.end = count;
                    return Ok(());
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    let now = self.link.waits.now();
                    let deadline = self.link.conn.content_deadline(now, self.link.config);
                    match self.link.wait(Interest::Read, deadline) {
                        Ok(true) => {}
                        Ok(false) => {
                            return Err(self.fail(BlockingError::Refused(Reject::ContentTimeout)));
                        }
                        Err(failure) => return Err(self.fail(failure)),
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return Err(self.fail(BlockingError::Lost)),
            }
        }
    }
}

impl BodySource for RequestBody<'_> {
    fn content_length(&self) -> Option<u64> {
        self.length
    }

    fn collect_limit(&self) -> usize {
        self.link.config.limits.body_bytes
    }

    fn fill(&mut self) -> io::Result<&[u8]> {
        if let Some(failure) = self.failure {
            return Err(self.fail(failure));
        }
        // Each round decodes at least one octet, reads at least one, or returns.
        while self.data.is_empty() && !self.link.conn.content_is_read() {
            if self.rest.start == self.rest.end {
                self.read_more()?;
            }
            let start = self.rest.start;
            let now = self.link.waits.now();
            let here = &self.rest.octets[start..self.rest.end];
            let step = self.link.conn.take_content(here, now, self.link.config);
            match step {
                Ok(step) => {
                    self.rest.start += step.used;
                    self.data = start + step.data.start..start + step.data.end;
                }
                Err(reject) => return Err(self.fail(BlockingError::Refused(reject))),
            }
        }
        Ok(&self.rest.octets[self.data.clone()])
    }

    fn consume(&mut self, count: usize) {
        self.data.start = self.data.end.min(self.data.start + count);
    }
}
