//! What all workers of one server share.

pub mod budget;
pub mod listeners;
pub mod per_ip;

use crate::conn::{Config, Moment};
use crate::handler::{Handler, Now};
use crate::limits::{DESCRIPTORS_RESERVED, PREFETCH_BYTES};
use crate::server::base::catch_panic::catch_panic;
use crate::server::base::observer::Observer;
use crate::server::base::permits::Semaphore;
use crate::server::base::signal::Signal;
use crate::server::client::slots::Slots;
use crate::server::pool::Pool;
use crate::server::shared::budget::{MemoryBudget, OverloadKind, OverloadReports};
use crate::server::shared::listeners::Listeners;
use crate::server::shared::per_ip::PerIp;
use crate::sys::{Clock, Poller, SystemThreads, Threads};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

/// What all workers of one server share.
pub struct Shared {
    /// Who is ready.
    pub poller: Box<dyn Poller>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Who starts threads.
    pub threads: Box<dyn Threads>,
    /// Who answers.
    pub handler: Box<dyn Handler>,
    /// Who watches.
    pub observer: Option<Box<dyn Observer>>,
    /// How much and how long.
    pub config: Config,
    /// The connections.
    pub slots: Slots,
    /// How many connections each address has.
    pub per_ip: PerIp,
    /// The memory that connections hold.
    pub budget: MemoryBudget,
    /// Which overload was reported when.
    pub reports: OverloadReports,
    /// Where connections come from.
    pub listeners: Listeners,
    /// The workers.
    pub pool: Arc<Pool>,
    /// The threads of detached answers.
    pub permits: Arc<Semaphore>,
    /// Where a shutdown is asked for.
    pub signal: Arc<Signal>,
    /// The Server field's value.
    pub server_name: Option<&'static str>,
    draining: AtomicBool,
    stopping: AtomicBool,
    ended: AtomicBool,
}

impl Shared {
    /// Everything that a server needs, before its first connection.
    pub fn new(
        poller: Box<dyn Poller>,
        clock: Arc<dyn Clock>,
        handler: Box<dyn Handler>,
        mut config: Config,
        listeners: Listeners,
    ) -> Shared {
        config.prefetch_bytes = PREFETCH_BYTES;
        // A worker asks before it reads, and a connection may have waited for a worker.
        config.checks_deadlines = false;
        let slots = Slots::new(config.limits.connections);
        let per_ip = PerIp::new(config.limits.connections_per_ip);
        let processors = thread::available_parallelism().map_or(1, usize::from);
        let pool = Arc::new(Pool::new(processors, config.limits.workers_max));
        Shared {
            poller,
            clock,
            threads: Box::new(SystemThreads),
            handler,
            observer: None,
            config,
            slots,
            per_ip,
            budget: MemoryBudget::default(),
            reports: OverloadReports::new(),
            listeners,
            pool,
            permits: Arc::default(),
            signal: Arc::new(Signal::new()),
            server_name: Some("doorstep"),
            draining: AtomicBool::new(false),
            stopping: AtomicBool::new(false),
            ended: AtomicBool::new(false),
        }
    }

    /// The time, as a handler sees it.
    pub fn now(&self) -> Now {
        let (monotonic, wall) = self.clock.now();
        Now { monotonic, wall }
    }

    /// Tells the observer of an overload, once a minute for each kind.
    pub fn report(&self, kind: OverloadKind, now: Moment, why: impl FnOnce() -> String) {
        let Some(observer) = &self.observer else {
            return;
        };
        if self.reports.is_due(kind, now) {
            // The caller has no connection that a panic could end: the thread goes on.
            catch_panic(|| observer.overload(&why()));
        }
    }

    /// Whether it is about to shut down, or does: answers are the last ones of their connections.
    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::SeqCst) || self.stopping.load(Ordering::SeqCst)
    }

    /// From now on it is about to shut down.
    pub fn begin_drain(&self) {
        self.draining.store(true, Ordering::SeqCst);
    }

    /// Whether it is shutting down: idle connections are closed.
    pub fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::SeqCst)
    }

    /// From now on it is shutting down.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::SeqCst);
    }

    /// Whether the grace is over: no thread waits for a peer any more.
    pub fn has_ended(&self) -> bool {
        self.ended.load(Ordering::SeqCst)
    }

    /// From now on nobody is waited for.
    pub fn end(&self) {
        self.ended.store(true, Ordering::SeqCst);
    }
}

/// How many connections this limit of open files leaves room for.
pub fn connections_within(open_files: u64) -> usize {
    let descriptors = open_files.saturating_sub(DESCRIPTORS_RESERVED);
    usize::try_from(descriptors).unwrap_or(usize::MAX).max(1)
}
