//! What a listing looks like, in which order, and what is in it.

mod answered;
mod order;
mod page;

use doorstep::internals::files::listing::entries::Entry;

/// A file of that size, modified at that time.
fn file(name: &[u8], size: u64, modified: u64) -> Entry<'_> {
    Entry {
        name,
        size: Some(size),
        modified: Some(modified),
    }
}

/// A folder, modified at that time.
fn folder(name: &[u8], modified: u64) -> Entry<'_> {
    Entry {
        name,
        size: None,
        modified: Some(modified),
    }
}
