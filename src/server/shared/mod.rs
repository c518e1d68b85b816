//! What all workers of one server share.

pub mod budget;
pub mod listeners;
pub mod per_ip;

use crate::conn::{Config, Moment};
use crate::handler::{Handler, Now};
use crate::limits::{DESCRIPTORS_RESERVED, PREFETCH_BYTES};
use crate::server::base::catch_panic::catch_panic;
use crate::server::base::descriptors::Descriptors;
use crate::server::base::observer::Observer;
use crate::server::base::overload::Overload;
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

#[allow(missing_docs, reason = "the names of the fields say it")]
pub struct Shared {
    pub poller: Box<dyn Poller>,
    pub clock: Arc<dyn Clock>,
    pub threads: Box<dyn Threads>,
    pub handler: Box<dyn Handler>,
    pub observer: Option<Box<dyn Observer>>,
    pub config: Config,
    pub slots: Slots,
    pub per_ip: PerIp,
    pub budget: MemoryBudget,
    pub reports: OverloadReports,
    pub listeners: Listeners,
    pub descriptors: Arc<Descriptors>,
    pub pool: Arc<Pool>,
    /// For the threads of detached responses and upgraded connections.
    pub permits: Arc<Semaphore>,
    pub signal: Arc<Signal>,
    pub server_name: Option<&'static str>,
    draining: AtomicBool,
    ended: AtomicBool,
}

impl Shared {
    /// The state of a server before its first connection.
    pub fn new(
        poller: Box<dyn Poller>,
        clock: Arc<dyn Clock>,
        handler: Box<dyn Handler>,
        mut config: Config,
        listeners: Listeners,
    ) -> Shared {
        config.prefetch_bytes = PREFETCH_BYTES;
        // A worker checks deadlines itself: it reads first, as a connection may have waited for a
        // worker.
        config.checks_deadlines = false;
        let slots = Slots::new(config.limits.connections);
        let per_ip = PerIp::new(config.limits.connections_per_ip);
        let processors = thread::available_parallelism().map_or(1, usize::from);
        let pool = Arc::new(Pool::new(processors, config.limits.workers_max));
        let budget = MemoryBudget::new(config.limits.parked_bytes);
        Shared {
            poller,
            clock,
            threads: Box::new(SystemThreads),
            handler,
            observer: None,
            config,
            slots,
            per_ip,
            budget,
            reports: OverloadReports::new(),
            listeners,
            descriptors: Arc::new(Descriptors::new(usize::MAX)),
            pool,
            permits: Arc::default(),
            signal: Arc::default(),
            server_name: Some("doorstep"),
            draining: AtomicBool::new(false),
            ended: AtomicBool::new(false),
        }
    }

    /// The time, as a handler sees it.
    pub fn now(&self) -> Now {
        let (monotonic, wall) = self.clock.now();
        Now { monotonic, wall }
    }

    /// Tells the observer of an overload, once a minute for each kind.
    pub fn report(&self, kind: OverloadKind, now: Moment, why: impl FnOnce() -> Overload) {
        let Some(observer) = &self.observer else {
            return;
        };
        if self.reports.is_due(kind, now) {
            // The caller has no connection that a panic could end: the thread goes on.
            catch_panic(|| observer.overload(&why()));
        }
    }

    /// True once a drain or shutdown has begun: every response closes its connection.
    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::SeqCst)
    }

    /// Makes every response from now on close its connection.
    pub fn begin_drain(&self) {
        self.draining.store(true, Ordering::SeqCst);
    }

    /// Whether the grace is over: no thread waits for a peer any more.
    pub fn has_ended(&self) -> bool {
        self.ended.load(Ordering::SeqCst)
    }

    /// Ends all waits for peers from now on.
    pub fn end(&self) {
        self.ended.store(true, Ordering::SeqCst);
    }
}

/// The number of connections that a limit of open files allows.
pub fn connections_within(open_files: u64) -> usize {
    let descriptors = open_files.saturating_sub(DESCRIPTORS_RESERVED);
    usize::try_from(descriptors).unwrap_or(usize::MAX).max(1)
}
