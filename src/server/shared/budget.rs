//! The memory that all connections hold together, and when each kind of overload was last reported.

use crate::conn::Moment;
use crate::server::client::Client;
use crate::server::client::pending::HeldBytes;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

const OVERLOAD_REPORT_EVERY: Duration = Duration::from_secs(60);

/// A kind of overload. Each is reported once a minute, so that none hides another.
#[derive(Clone, Copy, Debug)]
pub enum OverloadKind {
    /// A new connection got a 503.
    Full,
    /// Idle connections were closed for the sake of a new one.
    Evicts,
    /// An address has as many connections as it may.
    Address,
    /// A listener rests.
    Accept,
    /// Connections that wait hold too many bytes.
    Parked,
    /// A thread could not be started.
    Threads,
    /// Requests wait for workers that handlers hold.
    Workers,
    /// No worker has returned for long.
    Exhausted,
}

const OVERLOAD_KINDS: usize = OverloadKind::Exhausted as usize + 1;

#[derive(Debug)]
pub struct OverloadReports([AtomicU64; OVERLOAD_KINDS]);

impl OverloadReports {
    pub fn new() -> OverloadReports {
        OverloadReports([const { AtomicU64::new(Moment::NEVER.0) }; OVERLOAD_KINDS])
    }

    /// Whether to report this kind now. Of several threads that ask at once, one gets true.
    pub fn is_due(&self, kind: OverloadKind, now: Moment) -> bool {
        let clock = &self.0[kind as usize];
        let last = clock.load(Ordering::Relaxed);
        if last != Moment::NEVER.0 && now < Moment(last).after(OVERLOAD_REPORT_EVERY) {
            return false;
        }
        let order = Ordering::Relaxed;
        clock.compare_exchange(last, now.0, order, order).is_ok()
    }
}

#[derive(Debug, Default)]
pub struct MemoryBudget {
    parked: AtomicUsize,
    made: AtomicUsize,
}

impl MemoryBudget {
    /// Counts the bytes that a connection holds after a turn. True when it holds more than before.
    pub fn count(&self, client: &mut Client) -> bool {
        let (before, now) = client.count();
        self.recount(before, now);
        now.parked > before.parked || now.made > before.made
    }

    /// Takes off the bytes of a connection that has ended.
    pub fn uncount(&self, client: &Client) {
        self.recount(client.counted(), HeldBytes::default());
    }

    /// Bytes that the server holds: unsent output, and input that is not a whole message.
    pub fn parked(&self) -> usize {
        self.parked.load(Ordering::SeqCst)
    }

    /// Bytes of response bodies that programs built in memory.
    pub fn made(&self) -> usize {
        self.made.load(Ordering::SeqCst)
    }

    fn recount(&self, before: HeldBytes, now: HeldBytes) {
        // Most connections hold nothing, and then there is nothing to count.
        recount(&self.parked, before.parked, now.parked);
        recount(&self.made, before.made, now.made);
    }
}

fn recount(count: &AtomicUsize, before: usize, now: usize) {
    match now.checked_sub(before) {
        Some(0) => {}
        Some(more) => drop(count.fetch_add(more, Ordering::SeqCst)),
        None => drop(count.fetch_sub(before - now, Ordering::SeqCst)),
    }
}
