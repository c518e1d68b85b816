//! The body of a listing, made piece by piece while it is sent.

use super::order::Order;
use super::snapshot::{Form, Snapshot};
use std::io::{self, Read};
use std::sync::Arc;

/// A listing that is read like a file. Between two reads it holds no part of the body.
#[derive(Debug)]
pub struct ListingReader {
    snapshot: Arc<Snapshot>,
    form: Form,
    order: Order,
    /// The next piece,
    next: usize,
    /// and how many bytes of it have been read.
    read: usize,
}

impl ListingReader {
    /// A folder's entries in this form and order.
    pub fn new(snapshot: Arc<Snapshot>, form: Form, order: Order) -> ListingReader {
        ListingReader {
            snapshot,
            form,
            order,
            next: 0,
            read: 0,
        }
    }
}

impl Read for ListingReader {
    /// Fills the whole buffer.
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let mut piece = Vec::new();
        let mut filled = 0;
        while filled < out.len() && self.next < self.snapshot.pieces() {
            piece.clear();
            self.snapshot
                .push_piece(self.form, self.order, self.next, &mut piece);
            let rest = piece.get(self.read..).unwrap_or_default();
            let count = rest.len().min(out.len() - filled);
            out[filled..filled + count].copy_from_slice(&rest[..count]);
            filled += count;
            self.read += count;
            if self.read >= piece.len() {
                (self.next, self.read) = (self.next + 1, 0);
            }
        }
        Ok(filled)
    }
}
