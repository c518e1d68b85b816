//! Request content, pulled by the handler through the connection.

use super::input::Rest;
use super::output::{Broken, Output, Progress, transmit};
use super::station::{Waited, Waits};
use crate::conn::{CloseReason, Connection, Moment, Rules};
use crate::h1::Reject;
use crate::h1::write::CONTINUE;
use crate::handler::BodySource;
use crate::sys::{Interest, Stream};
use std::io;
use std::ops::Range;

/// The content of the request that a handler is working on.
///
/// What is in the buffer is decoded where it lies. When more is needed, what was answered so far is sent, then
/// `100 Continue` if the client waits for it, and the worker waits for the socket under the connection's deadlines.
pub struct Pull<'a> {
    conn: &'a mut Connection,
    stream: &'a mut Stream,
    output: &'a mut Output,
    rest: Rest<'a>,
    waits: Waits<'a>,
    rules: &'a Rules,
    /// Data that is decoded and not consumed, as a range of `rest.octets`.
    data: Range<usize>,
    length: Option<u64>,
    failure: Option<Failure>,
}

/// Why content could not be read to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The client's fault: the message is refused, whatever the handler answers.
    Refused(Reject),
    /// The connection is gone.
    Lost,
    /// The wait for the client was cut, for this reason.
    Cut(CloseReason),
}

impl<'a> Pull<'a> {
    /// The content that follows the head in front of `rest`.
    pub fn new(
        conn: &'a mut Connection,
        stream: &'a mut Stream,
        output: &'a mut Output,
        rest: Rest<'a>,
        waits: Waits<'a>,
        rules: &'a Rules,
    ) -> Pull<'a> {
        let length = conn.content_left();
        Pull {
            conn,
            stream,
            output,
            rest,
            waits,
            rules,
            data: 0..0,
            length,
            failure: None,
        }
    }

    /// The marks of what is unread behind the head now, and what went wrong. Data that was decoded and not
    /// consumed by the handler counts as read: it is content, and its place in the framing is behind.
    pub fn end(self) -> (usize, usize, Option<Failure>) {
        (self.rest.start, self.rest.end, self.failure)
    }

    fn fail(&mut self, failure: Failure) -> io::Error {
        self.failure = Some(failure);
        match failure {
            Failure::Refused(reject) => io::Error::new(io::ErrorKind::InvalidData, reject),
            Failure::Lost => io::ErrorKind::ConnectionReset.into(),
            Failure::Cut(_) => io::ErrorKind::ConnectionAborted.into(),
        }
    }

    /// Waits for more octets behind the ones that are here, all of which are decoded.
    fn read_more(&mut self) -> io::Result<()> {
        self.rest.start = 0;
        self.rest.end = 0;
        if self.conn.take_continue() {
            self.output.octets.extend_from_slice(CONTINUE);
        }
        // The client may be waiting for these octets before it sends any.
        self.flush()?;
        loop {
            match self.stream.read(self.rest.octets) {
                Ok(0) => return Err(self.fail(Failure::Refused(Reject::TruncatedContent))),
                Ok(count) => {
                    self.rest.end = count;
                    return Ok(());
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    let now = self.waits.now();
                    let deadline = self.conn.content_deadline(now, self.rules);
                    if !self.wait(Interest::Read, deadline)? {
                        return Err(self.fail(Failure::Refused(Reject::ContentTimeout)));
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return Err(self.fail(Failure::Lost)),
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        loop {
            let mut moved = 0;
            let progress = transmit(self.output, &mut None, self.stream, u64::MAX, &mut moved);
            let now = self.waits.now();
            if moved > 0 {
                self.conn.wrote(now, moved, self.rules);
            }
            match progress {
                Ok(Progress::Done) => return Ok(()),
                Ok(Progress::Blocked | Progress::Yield) => {
                    let deadline = self.conn.write_deadline(now, self.rules);
                    if !self.wait(Interest::Write, deadline)? {
                        return Err(self.fail(Failure::Lost));
                    }
                }
                Err(Broken::Socket | Broken::Content) => return Err(self.fail(Failure::Lost)),
            }
        }
    }

    fn wait(&mut self, interest: Interest, deadline: Moment) -> io::Result<bool> {
        match self.waits.wait(self.stream, interest, deadline) {
            Ok(Waited::Ready) => Ok(true),
            Ok(Waited::TimedOut) => Ok(false),
            Ok(Waited::Cut(reason)) => Err(self.fail(Failure::Cut(reason))),
            Err(_) => Err(self.fail(Failure::Lost)),
        }
    }
}

impl BodySource for Pull<'_> {
    fn content_length(&self) -> Option<u64> {
        self.length
    }

    fn collect_limit(&self) -> usize {
        self.rules.limits.body_bytes
    }

    fn fill(&mut self) -> io::Result<&[u8]> {
        if let Some(failure) = self.failure {
            return Err(self.fail(failure));
        }
        // Each round decodes at least one octet, reads at least one, or returns.
        while self.data.is_empty() && !self.conn.content_is_read() {
            if self.rest.start == self.rest.end {
                self.read_more()?;
            }
            let start = self.rest.start;
            let now = self.waits.now();
            let step =
                self.conn
                    .take_content(&self.rest.octets[start..self.rest.end], now, self.rules);
            match step {
                Ok(step) => {
                    self.rest.start += step.used;
                    self.data = start + step.data.start..start + step.data.end;
                }
                Err(reject) => return Err(self.fail(Failure::Refused(reject))),
            }
        }
        Ok(&self.rest.octets[self.data.clone()])
    }

    fn consume(&mut self, count: usize) {
        self.data.start = self.data.end.min(self.data.start + count);
    }
}
