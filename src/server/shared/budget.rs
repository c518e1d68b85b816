//! The memory that all connections hold together, and when each kind of overload was last reported.

use crate::conn::Moment;
use crate::server::base::lock::lock;
use crate::server::client::Client;
use crate::server::client::pending::BodyMemory;
use std::collections::HashMap;
use std::sync::Mutex;
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

/// Everything that connections make the server hold, against one limit.
#[derive(Debug)]
pub struct MemoryBudget {
    limit: usize,
    held: AtomicUsize,
    /// The most that was held since it last fell.
    peak: AtomicUsize,
    /// The part of it that threads hold for their connections.
    by_threads: AtomicUsize,
    bodies: Mutex<Bodies>,
}

/// Memory that a thread holds for its connection, given back on drop.
#[derive(Debug)]
pub struct Hold<'a> {
    budget: &'a MemoryBudget,
    bytes: usize,
}

/// The bodies in memory that connections hold, each with the number of them.
#[derive(Debug, Default)]
struct Bodies {
    holders: HashMap<BodyMemory, usize>,
    /// One that alone takes more than half of the limit, and is not counted.
    exempt: Option<BodyMemory>,
}

impl MemoryBudget {
    pub fn new(limit: usize) -> MemoryBudget {
        MemoryBudget {
            limit,
            held: AtomicUsize::new(0),
            peak: AtomicUsize::new(0),
            by_threads: AtomicUsize::new(0),
            bodies: Mutex::default(),
        }
    }

    /// Counts the memory that a connection holds after a turn, and returns it: of a body that
    /// several hold, its share.
    pub fn count(&self, client: &mut Client) -> usize {
        // Most connections hold nothing, and nothing is counted for them.
        if client.pending.is_none() {
            return 0;
        }
        let (before, now) = client.count();
        let is_other = before.body != now.body;
        let mut share = 0;
        if is_other || now.body.is_some() {
            let mut bodies = lock(&self.bodies);
            if is_other {
                before
                    .body
                    .inspect(|body| self.remove_body(&mut bodies, body));
                now.body.inspect(|body| self.add_body(&mut bodies, body));
            }
            share = now.body.map_or(0, |body| bodies.share(&body));
        }
        self.recount(before.own, now.own);
        now.own + share
    }

    /// Takes off the memory of a connection that has ended.
    pub fn uncount(&self, client: &Client) {
        if client.pending.is_none() {
            return;
        }
        let counted = client.counted();
        self.recount(counted.own, 0);
        if let Some(body) = &counted.body {
            self.remove_body(&mut lock(&self.bodies), body);
        }
    }

    /// Bytes that are held for all connections.
    pub fn held(&self) -> usize {
        self.held.load(Ordering::Relaxed)
    }

    pub fn hold(&self) -> Hold<'_> {
        Hold {
            budget: self,
            bytes: 0,
        }
    }

    pub fn is_over(&self) -> bool {
        self.held() > self.limit
    }

    /// Whether so many bytes less are held now than at some time since this was last true.
    pub fn has_fallen_by(&self, bytes: usize) -> bool {
        let held = self.held();
        let has_fallen = self.peak.load(Ordering::Relaxed) >= held.saturating_add(bytes);
        if has_fallen {
            self.peak.store(held, Ordering::Relaxed);
        }
        has_fallen
    }

    fn recount(&self, before: usize, now: usize) {
        recount(&self.held, before, now);
        if now > before && self.held() > self.peak.load(Ordering::Relaxed) {
            self.peak.fetch_max(self.held(), Ordering::Relaxed);
        }
    }

    fn add_body(&self, bodies: &mut Bodies, body: &BodyMemory) {
        let holders = bodies.holders.entry(*body).or_insert(0);
        *holders += 1;
        if *holders > 1 {
            return;
        }
        // A program may need whatever it builds, however large.
        if body.bytes > self.limit / 2 && bodies.exempt.is_none() {
            bodies.exempt = Some(*body);
        } else {
            self.recount(0, body.bytes);
        }
    }

    fn remove_body(&self, bodies: &mut Bodies, body: &BodyMemory) {
        let Some(holders) = bodies.holders.get_mut(body) else {
            return;
        };
        *holders -= 1;
        if *holders > 0 {
            return;
        }
        bodies.holders.remove(body);
        if bodies.holders.is_empty() {
            // The memory of a crowd goes with the crowd.
            bodies.holders = HashMap::new();
        }
        if bodies.exempt == Some(*body) {
            bodies.exempt = None;
        } else {
            self.recount(body.bytes, 0);
        }
    }
}

impl Hold<'_> {
    /// Counts so many bytes from now on. False, and nothing is counted, when all threads would hold
    /// more than half of the limit: what they hold cannot be taken from them.
    pub fn grow(&mut self, bytes: usize) -> bool {
        let before = self.bytes;
        self.set(bytes);
        let fits = self.budget.by_threads.load(Ordering::Relaxed) <= self.budget.limit / 2;
        if !fits {
            self.set(before);
        }
        fits
    }

    pub fn set(&mut self, bytes: usize) {
        self.budget.recount(self.bytes, bytes);
        recount(&self.budget.by_threads, self.bytes, bytes);
        self.bytes = bytes;
    }
}

impl Drop for Hold<'_> {
    fn drop(&mut self) {
        // Few requests collect a long body.
        if self.bytes > 0 {
            self.set(0);
        }
    }
}

fn recount(count: &AtomicUsize, before: usize, now: usize) {
    match now.checked_sub(before) {
        Some(0) => {}
        Some(more) => drop(count.fetch_add(more, Ordering::Relaxed)),
        None => drop(count.fetch_sub(before - now, Ordering::Relaxed)),
    }
}

impl Bodies {
    /// The bytes of a body for each of its holders: none of one that is not counted.
    fn share(&self, body: &BodyMemory) -> usize {
        match self.holders.get(body) {
            Some(holders) if self.exempt != Some(*body) => body.bytes / holders,
            _ => 0,
        }
    }
}
