//! The slots: which thread owns which connection.
//!
//! A connection lives in a slot. Its ownership is one atomic word: a generation and a state
//! (Vacant, Idle, Owned, OwnedDirty; the transitions are in [`ownership`](super::ownership)). An
//! event, the deadline sweep, an eviction and the shutdown all take a connection by
//! compare-and-swap from Idle to Owned, so exactly one of them wins. An event that finds it Owned
//! sets OwnedDirty and goes on.
//!
//! The owner arms the poller *while it still owns*, and then releases by compare-and-swap from
//! Owned to Idle; when that finds OwnedDirty, an event came in between and only left its mark, so
//! the owner serves again. The two steps may not swap: between a release and a late arming, the
//! sweep could take and close the descriptor, an accept could be given the same number, and the
//! arming would hit a stranger.
//!
//! The owner moves the connection out of the slot and back in before the release, under a lock that
//! the word keeps free of contention.
//!
//! Slots are allocated in chunks as they are needed, so that a server for ten thousand connections
//! is small while it has ten.

use crate::conn::Moment;
use crate::server::base::lock::lock;
use crate::server::base::token::{EventSource, SLOTS_MAX};
use crate::server::client::Client;
use crate::server::client::ownership::{OnEvent, OnRelease, Ownership, SlotState};
use crate::server::client::wait_state::WaitState;
use std::collections::BinaryHeap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock};

const CHUNK: usize = 256;

struct Slot {
    ownership: AtomicU64,
    /// When the wait ends, in milliseconds, so that the sweep need not own a connection to see that
    /// it is in time.
    deadline: AtomicU64,
    /// The connection's [`WaitState`], so that an eviction need not own it to see how long it has
    /// been idle. It is valid only while the word is idle, and a hint even then.
    wait_state: AtomicU64,
    client: Mutex<Option<Box<Client>>>,
}

impl Slot {
    fn new() -> Slot {
        Slot {
            ownership: AtomicU64::new(Ownership::NEW.0),
            deadline: AtomicU64::new(Moment::NEVER.0),
            wait_state: AtomicU64::new(0),
            client: Mutex::new(None),
        }
    }

    /// Writes the word that `transition` makes of the present one, or nothing when it returns
    /// `None`.
    fn transition(&self, transition: impl Fn(Ownership) -> Option<Ownership>) -> Option<Ownership> {
        // Each failure means that another thread made progress on this word.
        let step = |ownership| transition(Ownership(ownership)).map(|next| next.0);
        let order = Ordering::SeqCst;
        let before = self.ownership.fetch_update(order, order, step);
        before.ok().map(Ownership)
    }
}

/// A connection, and the right to touch it. It ends with [`Slots::release`] or [`Slots::vacate`].
#[derive(Debug)]
pub struct Owned {
    pub source: EventSource,
    index: u32,
    pub client: Box<Client>,
}

pub struct Slots {
    chunks: Box<[OnceLock<Box<[Slot]>>]>,
    /// Vacant slots; the one vacated last is used first.
    vacant: Mutex<Vec<u32>>,
    /// Slots that have been handed out at least once.
    touched: AtomicUsize,
    occupied: AtomicUsize,
    capacity: usize,
}

impl Slots {
    pub fn new(capacity: usize) -> Slots {
        let capacity = capacity.clamp(1, SLOTS_MAX);
        Slots {
            chunks: (0..capacity.div_ceil(CHUNK))
                .map(|_| OnceLock::new())
                .collect(),
            vacant: Mutex::new(Vec::new()),
            touched: AtomicUsize::new(0),
            occupied: AtomicUsize::new(0),
            capacity,
        }
    }

    pub fn occupied(&self) -> usize {
        self.occupied.load(Ordering::SeqCst)
    }

    /// Moves a connection in, owned by the caller. Returns it when all slots are taken.
    pub fn occupy(&self, client: Box<Client>) -> Result<Owned, Box<Client>> {
        let mut vacant = lock(&self.vacant);
        let index = match vacant.pop() {
            Some(index) => index,
            None => {
                let index = self.touched.load(Ordering::SeqCst);
                if index == self.capacity {
                    return Err(client);
                }
                self.chunks[index / CHUNK]
                    .get_or_init(|| (0..CHUNK).map(|_| Slot::new()).collect());
                self.touched.store(index + 1, Ordering::SeqCst);
                index as u32
            }
        };
        drop(vacant);
        self.occupied.fetch_add(1, Ordering::SeqCst);
        let slot = self.slot(index);
        let generation = match slot.transition(|ownership| Some(ownership.occupied())) {
            Some(ownership) => ownership.generation(),
            None => 0,
        };
        Ok(Owned {
            source: EventSource::Slot { index, generation },
            index,
            client,
        })
    }

    /// An event for a connection: the connection, if it was idle. Otherwise its owner will see the
    /// mark, or the connection is gone.
    pub fn on_event(&self, index: u32, generation: u32) -> Option<Owned> {
        let slot = self.existing(index)?;
        let before = slot.transition(|ownership| match ownership.on_event(generation) {
            OnEvent::Take(next) | OnEvent::Mark(next) => Some(next),
            OnEvent::Marked | OnEvent::Stale => None,
        })?;
        match before.on_event(generation) {
            OnEvent::Take(_) => self.take(slot, index, generation),
            _ => None,
        }
    }

    /// Takes a connection that is idle and whose deadline `due` accepts.
    pub fn claim(&self, index: usize, due: impl Fn(Moment) -> bool) -> Option<Owned> {
        let index = u32::try_from(index).ok()?;
        let slot = self.existing(index)?;
        if !due(Moment(slot.deadline.load(Ordering::SeqCst))) {
            return None;
        }
        let before = slot.transition(Ownership::claimed)?;
        self.take(slot, index, before.generation())
    }

    /// Up to `max` slots of connections that nobody owns and that have a place in this order of
    /// their waits, the first of them first.
    pub fn first_by<K: Ord>(
        &self,
        max: usize,
        order: impl Fn(WaitState) -> Option<K>,
    ) -> Vec<(usize, WaitState)> {
        let mut first: BinaryHeap<(K, usize, WaitState)> = BinaryHeap::with_capacity(max + 1);
        for index in 0..self.touched() {
            let Some(wait_state) = self.wait_state(index as u32) else {
                continue;
            };
            if let Some(key) = order(wait_state) {
                first.push((key, index, wait_state));
                if first.len() > max {
                    first.pop();
                }
            }
        }
        let in_order = first.into_sorted_vec().into_iter();
        in_order.map(|(_, index, wait)| (index, wait)).collect()
    }

    /// The wait of the connection in a slot, if there is one that nobody owns.
    fn wait_state(&self, index: u32) -> Option<WaitState> {
        let slot = self.existing(index)?;
        let is_idle = Ownership(slot.ownership.load(Ordering::SeqCst)).state() == SlotState::Idle;
        is_idle.then(|| WaitState(slot.wait_state.load(Ordering::Relaxed)))
    }

    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// The number of slots that a scan has to look at.
    pub fn touched(&self) -> usize {
        self.touched.load(Ordering::SeqCst)
    }

    /// Releases a connection that the poller is armed for. `Some` when an event came meanwhile: the
    /// caller still owns it and serves again.
    pub fn release(&self, owned: Owned, deadline: Moment) -> Option<Owned> {
        let Owned { index, client, .. } = owned;
        let slot = self.slot(index);
        slot.deadline.store(deadline.0, Ordering::SeqCst);
        slot.wait_state
            .store(client.wait_state.0, Ordering::Relaxed);
        *lock(&slot.client) = Some(client);
        let before = slot.transition(|ownership| match ownership.on_release() {
            OnRelease::Idle(next) | OnRelease::Again(next) => Some(next),
        })?;
        match before.on_release() {
            OnRelease::Idle(_) => None,
            OnRelease::Again(_) => self.take(slot, index, before.generation()),
        }
    }

    /// Vacates the slot: events for its connection are stale from here on. The connection is
    /// returned so that its descriptor is closed after that, and not before.
    pub fn vacate(&self, owned: Owned) -> Box<Client> {
        let slot = self.slot(owned.index);
        slot.deadline.store(Moment::NEVER.0, Ordering::SeqCst);
        slot.transition(|ownership| Some(ownership.vacated()));
        self.occupied.fetch_sub(1, Ordering::SeqCst);
        lock(&self.vacant).push(owned.index);
        owned.client
    }

    fn take(&self, slot: &Slot, index: u32, generation: u32) -> Option<Owned> {
        let client = lock(&slot.client).take()?;
        Some(Owned {
            source: EventSource::Slot { index, generation },
            index,
            client,
        })
    }

    fn existing(&self, index: u32) -> Option<&Slot> {
        let index = index as usize;
        self.chunks.get(index / CHUNK)?.get()?.get(index % CHUNK)
    }

    fn slot(&self, index: u32) -> &Slot {
        // Only indices that `occupy` handed out come here, and their chunk exists from then on.
        self.existing(index)
            .expect("a slot that was handed out exists")
    }
}
