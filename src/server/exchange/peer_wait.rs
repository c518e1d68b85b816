//! A thread's wait for its peer. It ends with the socket, at a deadline, or when other connections
//! need the thread.

use crate::conn::{CloseReason, Moment};
use crate::server::pool::heartbeat::Heartbeat;
use crate::server::shared::Shared;
use crate::sys::{Interest, Stream};
use std::io;
use std::time::Duration;

/// How soon a thread that waits for its peer notices that it is to stop.
pub const WAIT_SLICE: Duration = Duration::from_millis(100);

/// The same for a thread of a detached response. There may be a thousand of them, and each look
/// costs a wake-up. It is less than the second that the end of a server waits for its workers, so
/// that the end finds these threads gone.
const DETACHED_WAIT_SLICE: Duration = Duration::from_millis(500);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WaitOutcome {
    Ready,
    TimedOut,
    /// It was cancelled: the server needs the thread for others, or has ended.
    Cancelled(CloseReason),
}

/// The waits of one request for its peer, and their sum.
pub struct PeerWait<'a> {
    pub shared: &'a Shared,
    heartbeat: &'a Heartbeat,
    waited: Duration,
    /// How soon a cancellation is noticed.
    slice: Duration,
    /// Until the first wait: a wait for a request body then needs a worker to spare.
    is_new: bool,
}

impl<'a> PeerWait<'a> {
    pub fn new(shared: &'a Shared, heartbeat: &'a Heartbeat) -> PeerWait<'a> {
        PeerWait {
            shared,
            heartbeat,
            waited: Duration::ZERO,
            slice: WAIT_SLICE,
            is_new: true,
        }
    }

    /// The same on a detached thread: there may be many of them, and only the end of the server
    /// cancels their waits.
    pub fn detached(shared: &'a Shared, heartbeat: &'a Heartbeat) -> PeerWait<'a> {
        PeerWait {
            slice: DETACHED_WAIT_SLICE,
            is_new: false,
            ..PeerWait::new(shared, heartbeat)
        }
    }

    pub fn now(&self) -> Moment {
        Moment::at(self.monotonic())
    }

    pub fn monotonic(&self) -> Duration {
        self.shared.clock.monotonic()
    }

    /// Blocks until the socket is ready, the deadline is over, or the wait is cancelled.
    ///
    /// # Errors
    /// Those of poll(2).
    pub fn wait(
        &mut self,
        stream: &mut Stream,
        interest: Interest,
        deadline: Moment,
    ) -> io::Result<WaitOutcome> {
        // A request that has waited before goes on; one that first waits for its body now needs a
        // worker to spare.
        let is_new = std::mem::take(&mut self.is_new);
        if is_new && interest == Interest::Read && self.shared.pool.has_none_to_spare() {
            return Ok(WaitOutcome::Cancelled(CloseReason::Overload));
        }
        let begun = self.now();
        let since = Moment(begun.0.saturating_sub(Moment::at(self.waited).0));
        let number = self.heartbeat.begin_wait(since);
        let waited = self.wait_in_slices(stream, interest, deadline, number);
        self.heartbeat.end_wait();
        self.waited += self.now().since(begun);
        waited
    }

    /// A blocked poll(2) notices nothing but its socket, on any system; so it is begun anew often
    /// enough to notice a cancellation.
    fn wait_in_slices(
        &self,
        stream: &mut Stream,
        interest: Interest,
        deadline: Moment,
        number: u64,
    ) -> io::Result<WaitOutcome> {
        let (mut is_ready, mut is_over) = (false, false);
        // Ends with the deadline, which every wait has.
        loop {
            if self.shared.has_ended() {
                return Ok(WaitOutcome::Cancelled(CloseReason::Shutdown));
            }
            // Checked even if the socket is ready: a peer that sends a byte within each slice would
            // never be cancelled, and as the longest wait would keep all others from it.
            if self.heartbeat.is_cancelled(number) {
                return Ok(WaitOutcome::Cancelled(CloseReason::Overload));
            }
            if is_ready {
                return Ok(WaitOutcome::Ready);
            }
            if is_over {
                return Ok(WaitOutcome::TimedOut);
            }
            let now = self.now();
            // One more look at the socket when the time is over: this thread may not have run for
            // long, and what has arrived meanwhile has arrived in time.
            is_over = deadline <= now;
            is_ready = stream.wait(interest, self.slice.min(deadline.since(now)))?;
        }
    }
}
