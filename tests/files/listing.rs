//! A listing: its form, its order and its entries.

mod answered;
mod order;
mod page;
mod shared;

use doorstep::internals::files::listing::entries::Entry;

/// A file of this size and modification time.
fn file(name: &[u8], size: u64, modified: u64) -> Entry<'_> {
    Entry {
        name,
        size: Some(size),
        modified: Some(modified),
    }
}

/// A folder of this modification time.
fn folder(name: &[u8], modified: u64) -> Entry<'_> {
    Entry {
        name,
        size: None,
        modified: Some(modified),
    }
}
