//! The entries of a listing, packed: names in blocks, and a small record for each, so that no entry
//! has an allocation of its own and none is copied when more come.

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
/// 20 MB, more than a browser likes.
pub const LISTING_ENTRIES: usize = 100_000;
/// Blocks of names in a listing; beyond that it says that there are more. That is 8 MiB: as many
/// entries of 80 bytes, or 33,000 of the longest names.
const NAME_BLOCKS: usize = 256;
/// Bytes of names in one block.
const NAME_BLOCK: usize = 32 * 1024;
/// Records in one block.
const RECORD_BLOCK: usize = 1024;

/// Entries of one folder, at most [`LISTING_ENTRIES`] and 8 MiB of names.
#[derive(Debug, Default)]
pub struct Entries {
    names: Vec<Vec<u8>>,
    records: Vec<Vec<Record>>,
    count: usize,
    is_truncated: bool,
}

/// 24 bytes for each entry.
#[derive(Clone, Copy, Debug)]
struct Record {
    /// [`FOLDER`] for a folder.
    size: u64,
    /// [`NO_TIME`] for none.
    modified: u64,
    /// Where its name begins, if all blocks before were full: 32 bits are enough for
    /// [`NAME_BLOCKS`].
    start: u32,
    len: u16,
}

/// No file is that long: systems count in 63 bits.
const FOLDER: u64 = u64::MAX;
/// No time is that late.
const NO_TIME: u64 = u64::MAX;

impl Entries {
    /// The bytes of memory that [`push`](Entries::push) would take for a name of this length.
    pub fn needs(&self, name_len: usize) -> usize {
        let names = if self.has_room(name_len) {
            0
        } else {
            NAME_BLOCK
        };
        let records = match self.count % RECORD_BLOCK {
            0 => RECORD_BLOCK * size_of::<Record>(),
            _ => 0,
        };
        names + records
    }

    fn has_room(&self, name_len: usize) -> bool {
        let last = self.names.last();
        last.is_some_and(|block| block.len() + name_len < NAME_BLOCK)
    }

    /// Adds an entry. Breaks when it has no place, which [`is_truncated`](Entries::is_truncated)
    /// then tells.
    pub fn push(&mut self, entry: &Entry<'_>) -> ControlFlow<()> {
        let name = entry.name;
        let has_block = self.has_room(name.len()) || self.names.len() < NAME_BLOCKS;
        if self.count == LISTING_ENTRIES || !has_block || name.len() > NAME_BLOCK {
            self.truncate();
            return ControlFlow::Break(());
        }
        if !self.has_room(name.len()) {
            self.names.push(Vec::with_capacity(NAME_BLOCK));
        }
        if self.count % RECORD_BLOCK == 0 {
            self.records.push(Vec::with_capacity(RECORD_BLOCK));
        }
        let before = self.names.len() - 1;
        let (Some(names), Some(records)) = (self.names.last_mut(), self.records.last_mut()) else {
            return ControlFlow::Break(());
        };
        records.push(Record {
            size: entry.size.unwrap_or(FOLDER),
            modified: entry.modified.unwrap_or(NO_TIME),
            start: (before * NAME_BLOCK + names.len()) as u32,
            len: name.len() as u16,
        });
        names.extend_from_slice(name);
        self.count += 1;
        ControlFlow::Continue(())
    }

    /// Gives back the memory that no entry uses.
    pub fn finish(&mut self) {
        if let Some(names) = self.names.last_mut() {
            names.shrink_to_fit();
        }
        if let Some(records) = self.records.last_mut() {
            records.shrink_to_fit();
        }
    }

    /// The memory that they take, in bytes.
    pub fn bytes(&self) -> usize {
        let names: usize = self.names.iter().map(Vec::capacity).sum();
        let records: usize = self.records.iter().map(Vec::capacity).sum();
        let blocks = self.names.capacity() + self.records.capacity();
        names + records * size_of::<Record>() + blocks * size_of::<Vec<u8>>()
    }

    /// Notes that the folder has more entries than these.
    pub fn truncate(&mut self) {
        self.is_truncated = true;
    }

    /// Whether the folder has more entries than these.
    pub fn is_truncated(&self) -> bool {
        self.is_truncated
    }

    /// The entry at this index, in the order in which they came.
    pub fn get(&self, index: usize) -> Option<Entry<'_>> {
        let record = self.records.get(index / RECORD_BLOCK)?;
        let record = record.get(index % RECORD_BLOCK)?;
        let start = record.start as usize;
        let names = self
            .names
            .get(start / NAME_BLOCK)?
            .get(start % NAME_BLOCK..)?;
        Some(Entry {
            name: names.get(..usize::from(record.len))?,
            size: (record.size != FOLDER).then_some(record.size),
            modified: (record.modified != NO_TIME).then_some(record.modified),
        })
    }

    /// The number of entries.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }
}
