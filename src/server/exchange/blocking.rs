//! Blocking IO on a connection, for the thread that runs the program's code: while a handler reads
//! the request body, or a writer writes the response body. Every wait has a deadline.

use crate::conn::{CloseReason, Config, Connection, Moment};
use crate::h1::Reject;
use crate::server::client::output::{Output, Progress, transmit};
use crate::server::exchange::peer_wait::{PeerWait, WaitOutcome};
use crate::sys::{Interest, Stream};
use std::io;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BlockingError {
    /// The client's fault: the message is refused, and the handler's response is ignored.
    Refused(Reject),
    Lost,
    TimedOut,
    /// The wait for the client was cancelled, for this reason.
    Cancelled(CloseReason),
}

impl BlockingError {
    /// The error that the program sees.
    pub fn error(self) -> io::Error {
        match self {
            BlockingError::Refused(reject) => io::Error::new(io::ErrorKind::InvalidData, reject),
            BlockingError::Lost => io::ErrorKind::ConnectionReset.into(),
            BlockingError::TimedOut => io::ErrorKind::TimedOut.into(),
            BlockingError::Cancelled(_) => io::ErrorKind::ConnectionAborted.into(),
        }
    }

    pub fn reason(self) -> CloseReason {
        match self {
            BlockingError::Refused(reject) => CloseReason::Rejected(reject),
            BlockingError::Lost => CloseReason::Failed,
            BlockingError::TimedOut => CloseReason::WriteTimeout,
            BlockingError::Cancelled(reason) => reason,
        }
    }
}

/// A connection lent to a thread that may wait for the peer.
pub struct BlockingIo<'a> {
    pub conn: &'a mut Connection,
    pub stream: &'a mut Stream,
    pub output: &'a mut Output,
    pub waits: PeerWait<'a>,
    pub config: &'a Config,
    /// Bytes that the socket has taken so far: counted at once, as a program may panic later.
    pub sent: &'a mut u64,
}

impl BlockingIo<'_> {
    /// Hands the whole output to the system.
    ///
    /// # Errors
    /// Why that failed.
    pub fn flush(&mut self) -> Result<(), BlockingError> {
        // Each round sends bytes, or waits within a deadline that only bytes move.
        loop {
            let mut moved = 0;
            let progress = transmit(self.output, &mut None, self.stream, u64::MAX, &mut moved);
            let now = self.waits.now();
            *self.sent += moved;
            if moved > 0 {
                self.conn.wrote(now, moved, self.config);
            }
            match progress {
                Ok(Progress::Done) => return Ok(()),
                Ok(Progress::Blocked | Progress::Yield | Progress::Full(_)) => {
                    let deadline = self.conn.write_deadline(now, self.config);
                    if !self.wait(Interest::Write, deadline)? {
                        return Err(BlockingError::TimedOut);
                    }
                }
                Err(_) => return Err(BlockingError::Lost),
            }
        }
    }

    /// Waits until the socket is ready (`true`) or the deadline is over (`false`).
    ///
    /// # Errors
    /// Why the wait ended early.
    pub fn wait(&mut self, interest: Interest, deadline: Moment) -> Result<bool, BlockingError> {
        match self.waits.wait(self.stream, interest, deadline) {
            Ok(WaitOutcome::Ready) => Ok(true),
            Ok(WaitOutcome::TimedOut) => Ok(false),
            Ok(WaitOutcome::Cancelled(reason)) => Err(BlockingError::Cancelled(reason)),
            Err(_) => Err(BlockingError::Lost),
        }
    }
}
