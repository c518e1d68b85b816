//! Upgraded connections: the bytes of another protocol after the 101, none of which is read as
//! HTTP.

use crate::conn::{CloseReason, Moment};
use crate::handler::{Duplex, Speak, Upgraded};
use crate::server::base::catch_panic::catch_panic;
use crate::server::client::Client;
use crate::server::exchange::blocking::BlockingError;
use crate::server::exchange::peer_wait::{PeerWait, WaitOutcome};
use crate::server::pool::heartbeat::Heartbeat;
use crate::server::shared::Shared;
use crate::server::shared::budget::Hold;
use crate::sys::{Interest, Stream};
use core::net::SocketAddr;
use std::io;
use std::time::Duration;

/// Runs the program's side of the other protocol; the 101 has been sent. After `Ok` the connection
/// is to be closed in good order.
///
/// # Errors
/// Why it has to be closed at once.
pub(crate) fn run_protocol(
    shared: &Shared,
    client: &mut Client,
    speak: Speak,
) -> Result<(), CloseReason> {
    // In no list, so that its waits are not cancelled for the sake of others: it holds up no
    // worker.
    let heartbeat = Heartbeat::default();
    let timeouts = &shared.config.timeouts;
    let leftover = std::mem::take(&mut client.pending().unread);
    // The thread holds the bytes now, and seldom for long; the connection, which may live for
    // hours, holds none any more.
    shared.budget.count(client);
    let mut hold = shared.budget.hold();
    hold.set(leftover.capacity());
    let mut stream = UpgradedStream {
        shared,
        leftover,
        hold,
        stream: &mut client.stream,
        peer: client.peer,
        waits: PeerWait::detached(shared, &heartbeat),
        place: 0,
        read_timeout: timeouts.keep_alive,
        write_timeout: timeouts.write,
        failure: None,
    };
    let spoken = catch_panic(|| speak(&mut Upgraded::new(&mut stream)));
    if let Some(failure) = stream.failure {
        return Err(failure.reason());
    }
    let reason = match spoken {
        Some(_) => CloseReason::Upgraded,
        None => CloseReason::Panicked,
    };
    let now = Moment::at(shared.clock.monotonic());
    client.conn.linger(reason, now, &shared.config);
    Ok(())
}

struct UpgradedStream<'a> {
    shared: &'a Shared,
    stream: &'a mut Stream,
    peer: Option<SocketAddr>,
    waits: PeerWait<'a>,
    /// Bytes that came after the request, of which `place` have been read.
    leftover: Vec<u8>,
    hold: Hold<'a>,
    place: usize,
    read_timeout: Duration,
    write_timeout: Duration,
    /// Why the connection is not to be closed in good order.
    failure: Option<BlockingError>,
}

impl UpgradedStream<'_> {
    /// Repeats the attempt until the socket has done something, or the time is over.
    fn wait_for(
        &mut self,
        interest: Interest,
        timeout: Duration,
        mut attempt: impl FnMut(&mut Stream) -> io::Result<usize>,
    ) -> io::Result<usize> {
        let deadline = self.waits.now().after(timeout);
        // Ends with the deadline, which nothing moves.
        loop {
            // Checked even if the socket is always ready: otherwise a program that ignores it would
            // never end.
            if self.shared.has_ended() {
                return Err(self.fail(BlockingError::Cancelled(CloseReason::Shutdown)));
            }
            match attempt(self.stream) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                // A later read may still find bytes that came before the failure.
                Err(_) => return Err(self.fail(BlockingError::Lost)),
                done => return done,
            }
            match self.waits.wait(self.stream, interest, deadline) {
                Ok(WaitOutcome::Ready) => {}
                Ok(WaitOutcome::TimedOut) => return Err(io::ErrorKind::TimedOut.into()),
                Ok(WaitOutcome::Cancelled(reason)) => {
                    return Err(self.fail(BlockingError::Cancelled(reason)));
                }
                Err(_) => return Err(self.fail(BlockingError::Lost)),
            }
        }
    }

    fn fail(&mut self, failure: BlockingError) -> io::Error {
        self.failure.insert(failure).error()
    }
}

impl Duplex for UpgradedStream<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let rest = &self.leftover[self.place..];
        if rest.is_empty() {
            let timeout = self.read_timeout;
            return self.wait_for(Interest::Read, timeout, |stream| stream.read(buffer));
        }
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        self.place += count;
        if self.place == self.leftover.len() {
            // A connection that lives for hours need not hold its first bytes.
            self.leftover = Vec::new();
            self.hold.set(0);
            self.place = 0;
        }
        Ok(count)
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let timeout = self.write_timeout;
        self.wait_for(Interest::Write, timeout, |stream| stream.write(bytes))
    }

    fn set_read_timeout(&mut self, timeout: Duration) {
        self.read_timeout = timeout;
    }

    fn is_disconnected(&mut self) -> bool {
        self.failure.is_some() || self.shared.has_ended() || self.stream.is_reset()
    }

    fn peer_addr(&self) -> Option<SocketAddr> {
        self.peer
    }
}
