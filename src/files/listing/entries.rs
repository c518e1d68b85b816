//! The entries of a listing, packed: all names in one buffer, and a small record for each, so that
//! no entry has an allocation of its own.

use std::cmp::Ordering;
use std::ops::ControlFlow;

/// One entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry<'a> {
    /// Any bytes that the system takes for a name.
    pub name: &'a [u8],
    /// In bytes; `None` for a folder.
    pub size: Option<u64>,
    /// In whole seconds since 1970; `None` before that, or if unknown.
    pub modified: Option<u64>,
}

/// Entries of a folder's listing; beyond that it says that there are more. A page of that length is
/// 20 MB, more than a browser likes; with the longest names they take 40 MiB while the listing is
/// sent.
pub const LISTING_ENTRIES: usize = 100_000;

/// Entries of one folder, at most [`LISTING_ENTRIES`].
#[derive(Debug, Default)]
pub struct Entries {
    names: Vec<u8>,
    records: Vec<Record>,
    is_truncated: bool,
}

/// 24 bytes for each entry.
#[derive(Clone, Copy, Debug)]
struct Record {
    /// [`FOLDER`] for a folder.
    size: u64,
    /// [`NO_TIME`] for none.
    modified: u64,
    /// Where its name begins: 32 bits are enough for [`LISTING_ENTRIES`] names, as long as a system
    /// lets names be.
    start: u32,
    len: u16,
}

/// No file is that long: systems count in 63 bits.
const FOLDER: u64 = u64::MAX;
/// No time is that late.
const NO_TIME: u64 = u64::MAX;

impl Entries {
    /// Adds an entry. Breaks when it has no place, which [`is_truncated`](Entries::is_truncated)
    /// then tells.
    pub fn push(&mut self, entry: &Entry<'_>) -> ControlFlow<()> {
        let start = u32::try_from(self.names.len());
        let len = u16::try_from(entry.name.len());
        let (Ok(start), Ok(len), true) = (start, len, self.len() < LISTING_ENTRIES) else {
            self.truncate();
            return ControlFlow::Break(());
        };
        self.names.extend_from_slice(entry.name);
        self.records.push(Record {
            size: entry.size.unwrap_or(FOLDER),
            modified: entry.modified.unwrap_or(NO_TIME),
            start,
            len,
        });
        ControlFlow::Continue(())
    }

    /// Gives back the memory that no entry uses.
    pub fn finish(&mut self) {
        self.names.shrink_to_fit();
        self.records.shrink_to_fit();
    }

    /// The memory that they take, in bytes.
    pub fn bytes(&self) -> usize {
        self.names.capacity() + self.records.capacity() * size_of::<Record>()
    }

    /// Notes that the folder has more entries than these.
    pub fn truncate(&mut self) {
        self.is_truncated = true;
    }

    /// Whether the folder has more entries than these.
    pub fn is_truncated(&self) -> bool {
        self.is_truncated
    }

    /// Sorts them in place.
    pub fn sort_by(&mut self, compare: impl Fn(&Entry<'_>, &Entry<'_>) -> Ordering) {
        let names = &self.names;
        self.records
            .sort_unstable_by(|left, right| compare(&left.entry(names), &right.entry(names)));
    }

    /// The entry at this index.
    pub fn get(&self, index: usize) -> Option<Entry<'_>> {
        Some(self.records.get(index)?.entry(&self.names))
    }

    /// The number of entries.
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }
}

impl Record {
    fn entry<'a>(&self, names: &'a [u8]) -> Entry<'a> {
        let start = self.start as usize;
        Entry {
            name: &names[start..start + usize::from(self.len)],
            size: (self.size != FOLDER).then_some(self.size),
            modified: (self.modified != NO_TIME).then_some(self.modified),
        }
    }
}
