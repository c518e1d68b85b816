//! Which connections are closed when all of them make the server hold too much memory.
//!
//! The order is that of [`WaitState::shed_order`]. A connection that a thread owns is passed over:
//! its turn ends with a look at the limit as well.

use crate::conn::{CloseReason, Moment};
use crate::limits::CLOSED_AT_ONCE;
use crate::server::base::overload::Overload;
use crate::server::client::wait_state::WaitState;
use crate::server::shared::Shared;
use crate::server::shared::budget::OverloadKind;

impl Shared {
    /// Closes connections until all that are left hold no more than
    /// [`Limits::parked_bytes`](crate::Limits::parked_bytes).
    #[inline]
    pub(crate) fn enforce_memory_limit(&self) {
        if self.budget.is_over() {
            self.shed_all();
        }
    }

    #[cold]
    fn shed_all(&self) {
        self.report_memory();
        // Each round closes at least one.
        while self.shed() > 0 {}
    }

    /// Tells the observer that too much memory is held.
    pub(crate) fn report_memory(&self) {
        let limit = self.config.limits.parked_bytes;
        self.report(
            OverloadKind::Parked,
            Moment::at(self.clock.monotonic()),
            || Overload::Parked { limit },
        );
    }

    /// Closes the first connections of one scan until the limit holds, and returns how many.
    fn shed(&self) -> usize {
        let mut closed = 0;
        for (index, wait_state) in self.slots.first_by(CLOSED_AT_ONCE, WaitState::shed_order) {
            if !self.budget.is_over() {
                return 0;
            }
            match self.slots.claim(index, |_| true) {
                Some(owned) if owned.client.wait_state == wait_state => {
                    self.close(owned, CloseReason::Overload);
                    closed += 1;
                }
                Some(owned) => self.release(owned),
                None => {}
            }
        }
        closed
    }
}
