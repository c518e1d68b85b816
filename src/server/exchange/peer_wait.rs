//! A thread's wait for its peer: it ends with the socket, a deadline, or when others need the thread.

use crate::conn::{CloseReason, Moment};
use crate::server::pool::heartbeat::Heartbeat;
use crate::server::shared::Shared;
use crate::sys::{Interest, Stream};
use std::io;
use std::time::Duration;

/// How soon a thread that waits for its peer hears that it is to stop.
pub const WAIT_SLICE: Duration = Duration::from_millis(100);

/// The same for a thread of a detached response. There may be a thousand of them, and each look
/// costs a wake-up. It is less than the second that the end of a server waits for its workers, so
/// that the end finds these threads gone.
const DETACHED_WAIT_SLICE: Duration = Duration::from_millis(500);

/// How a wait for a peer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WaitOutcome {
    /// The socket is ready.
    Ready,
    /// The time is over.
    TimedOut,
    /// It was cut: the server needs the thread for others, or has ended.
    Cancelled(CloseReason),
}

/// The waits of one request for its peer, and how long they have been in all.
pub struct PeerWait<'a> {
    shared: &'a Shared,
    heartbeat: &'a Heartbeat,
    waited: Duration,
    /// How soon a cut is heard of.
    slice: Duration,
    /// Whether the thread may not be lent to a peer's content when too many are: until the first such wait.
    is_new: bool,
}

impl<'a> PeerWait<'a> {
    /// Nobody has been waited for yet.
    pub fn new(shared: &'a Shared, heartbeat: &'a Heartbeat) -> PeerWait<'a> {
        PeerWait {
            shared,
            heartbeat,
            waited: Duration::ZERO,
            slice: WAIT_SLICE,
            is_new: true,
        }
    }

    /// The same on a thread of which there may be many, and that nobody cuts before the server's end.
    pub fn detached(shared: &'a Shared, heartbeat: &'a Heartbeat) -> PeerWait<'a> {
        PeerWait {
            slice: DETACHED_WAIT_SLICE,
            is_new: false,
            ..PeerWait::new(shared, heartbeat)
        }
    }

    /// The time.
    pub fn now(&self) -> Moment {
        Moment::at(self.shared.clock.now().0)
    }

    /// Blocks until the socket is ready, the deadline is over, or somebody cuts it.
    ///
    /// # Errors
    /// Those of poll(2).
    pub fn wait(
        &mut self,
        stream: &mut Stream,
        interest: Interest,
        deadline: Moment,
    ) -> io::Result<WaitOutcome> {
        // Whoever has begun goes on; content that is asked for now, and is not here, finds no worker to spare.
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

    /// A blocked poll(2) hears of nothing but its socket, on any system; so it is begun anew often enough to hear of a cut.
    fn wait_in_slices(
        &self,
        stream: &mut Stream,
        interest: Interest,
        deadline: Moment,
        number: u64,
    ) -> io::Result<WaitOutcome> {
        let mut is_ready = false;
        // Ends with the deadline, which every wait has.
        loop {
            if self.shared.has_ended() {
                return Ok(WaitOutcome::Cancelled(CloseReason::Shutdown));
            }
            // Also when the socket is ready: a peer that sends an octet within each slice would never be cut, and as the one that
            // waits longest would keep all others from it.
            if self.heartbeat.is_cancelled(number) {
                return Ok(WaitOutcome::Cancelled(CloseReason::Overload));
            }
            if is_ready {
                return Ok(WaitOutcome::Ready);
            }
            let now = self.now();
            if deadline <= now {
                return Ok(WaitOutcome::TimedOut);
            }
            is_ready = stream.wait(interest, self.slice.min(deadline.since(now)))?;
        }
    }
}
