//! The entries of a folder as they were read, shared by all responses that send them.

use super::budget::Reservation;
use super::entries::{Entries, Entry};
use super::escape::has_timestamp;
use super::order::{Key, Order};
use super::{html, json, sort};
use std::ops::ControlFlow;
use std::sync::OnceLock;

/// The form of a listing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A page.
    Html,
    /// A JSON object.
    Json,
}

/// A folder at one time.
#[derive(Debug)]
pub struct Snapshot {
    /// Of the folder, decoded, without a slash at either end.
    path: Box<[u8]>,
    entries: Entries,
    lengths: [Lengths; 2],
    orders: [OnceLock<Sorted>; ORDERS],
    reservation: Reservation,
}

/// The lengths of the rows in one form.
#[derive(Debug)]
struct Lengths {
    /// Of a row without its name and its size, by [`frame_of`].
    frames: [u64; 4],
    /// All rows.
    sum: u64,
}

/// The places of the entries in one order.
#[derive(Debug)]
struct Sorted {
    places: Vec<u32>,
    _memory: Reservation,
}

/// Three keys, in two directions.
const ORDERS: usize = 6;
/// What a snapshot takes besides its entries and its path: the structure, its place among those
/// that are kept, and its allocations.
const OVERHEAD: usize = 1024;

impl Snapshot {
    /// A folder of this path without entries. The memory that they take belongs to the reservation.
    pub fn new(path: &[u8], reservation: Reservation) -> Snapshot {
        Snapshot {
            path: path.into(),
            entries: Entries::default(),
            lengths: [Form::Html, Form::Json].map(Lengths::of),
            orders: [const { OnceLock::new() }; ORDERS],
            reservation,
        }
    }

    /// The bytes that a folder of this path takes before its first entry.
    pub fn overhead(path: &[u8]) -> usize {
        // The path stands in the key of those that are kept as well.
        OVERHEAD + 2 * path.len()
    }

    /// Takes the memory that [`push`](Snapshot::push) needs for this entry; false when there is
    /// none.
    pub fn reserve(&mut self, entry: &Entry<'_>) -> bool {
        let needed = self.entries.needs(entry.name.len());
        needed == 0 || self.reservation.grow(needed)
    }

    /// Adds an entry. Breaks when it has no place.
    pub fn push(&mut self, entry: &Entry<'_>) -> ControlFlow<()> {
        self.entries.push(entry)?;
        for (form, lengths) in [Form::Html, Form::Json].into_iter().zip(&mut self.lengths) {
            lengths.sum += lengths.frames[frame_of(entry)] + form.variable_len(entry);
        }
        ControlFlow::Continue(())
    }

    /// Notes that the folder has more entries than these.
    pub fn truncate(&mut self) {
        self.entries.truncate();
    }

    /// Gives back the memory that no entry uses.
    pub fn finish(&mut self) {
        self.entries.finish();
        let bytes = Snapshot::overhead(&self.path) + self.entries.bytes();
        self.reservation.shrink_to(bytes);
    }

    /// Whether it was sorted in this order.
    pub fn is_sorted(&self, order: Order) -> bool {
        self.orders[index_of(order)].get().is_some()
    }

    /// The memory that [`sort`](Snapshot::sort) takes.
    pub fn bytes_to_sort(&self) -> usize {
        sort::bytes(self.entries.len())
    }

    /// Sorts it in this order. False when `goes_on` has said no.
    pub fn sort(
        &self,
        order: Order,
        mut memory: Reservation,
        goes_on: &mut dyn FnMut() -> bool,
    ) -> bool {
        let compare = |left: u32, right: u32| {
            let entry = |place: u32| self.entries.get(place as usize);
            match (entry(left), entry(right)) {
                (Some(left), Some(right)) => order.compare(&left, &right),
                (left, right) => left.is_some().cmp(&right.is_some()),
            }
        };
        let places = sort::sorted(self.entries.len() as u32, compare, goes_on);
        let Some(places) = places else {
            return false;
        };
        memory.shrink_to(places.capacity() * size_of::<u32>());
        let sorted = Sorted {
            places,
            _memory: memory,
        };
        // Two threads may have sorted it; either has the same.
        let _ = self.orders[index_of(order)].set(sorted);
        true
    }

    /// The number of pieces of a body: the entries, and one before and one after them.
    pub fn pieces(&self) -> usize {
        self.entries.len() + 2
    }

    /// Appends one piece. Where the order was not made, entries are in the order of the system.
    pub fn push_piece(&self, form: Form, order: Order, index: usize, out: &mut Vec<u8>) {
        let Some(index) = index.checked_sub(1) else {
            return match form {
                Form::Html => html::push_top(&self.path, order, out),
                Form::Json => json::push_top(&self.path, &self.entries, out),
            };
        };
        let sorted = self.orders[index_of(order)].get();
        let place = sorted.and_then(|sorted| sorted.places.get(index));
        let place = place.map_or(index, |place| *place as usize);
        match (form, self.entries.get(place)) {
            (Form::Html, Some(entry)) => html::push_row(&entry, out),
            (Form::Html, None) => html::push_bottom(&self.entries, out),
            (Form::Json, Some(entry)) => json::push_entry(&entry, index == 0, out),
            (Form::Json, None) => json::push_bottom(out),
        }
    }

    /// The length of a body in bytes. No row is made for it.
    pub fn length(&self, form: Form, order: Order) -> u64 {
        let mut ends = Vec::new();
        self.push_piece(form, order, 0, &mut ends);
        self.push_piece(form, order, self.pieces() - 1, &mut ends);
        let lengths = match form {
            Form::Html => &self.lengths[0],
            Form::Json => &self.lengths[1],
        };
        // The first entry of an array has no comma before it.
        let comma = u64::from(form == Form::Json && !self.entries.is_empty());
        ends.len() as u64 + lengths.sum - comma
    }
}

impl Lengths {
    fn of(form: Form) -> Lengths {
        let mut frames = [0; 4];
        for has in [(false, false), (false, true), (true, false), (true, true)] {
            let (name, size, modified) = (&b""[..], has.0.then_some(0), has.1.then_some(0));
            let entry = Entry {
                name,
                size,
                modified,
            };
            let mut row = Vec::new();
            match form {
                Form::Html => html::push_row(&entry, &mut row),
                Form::Json => json::push_entry(&entry, false, &mut row),
            }
            frames[frame_of(&entry)] = row.len() as u64 - form.variable_len(&entry);
        }
        Lengths { frames, sum: 0 }
    }
}

impl Form {
    fn variable_len(self, entry: &Entry<'_>) -> u64 {
        let len = match self {
            Form::Html => html::variable_len(entry),
            Form::Json => json::variable_len(entry),
        };
        len as u64
    }
}

/// Rows differ by whether there is a size and a time to show.
fn frame_of(entry: &Entry<'_>) -> usize {
    let has_time = entry.modified.is_some_and(has_timestamp);
    2 * usize::from(entry.size.is_some()) + usize::from(has_time)
}

fn index_of(order: Order) -> usize {
    let key = match order.key {
        Key::Name => 0,
        Key::Size => 1,
        Key::Time => 2,
    };
    2 * key + usize::from(order.descending)
}
