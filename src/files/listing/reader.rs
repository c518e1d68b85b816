//! The content of an answer with a listing, made while it is sent.
//!
//! In: entries in order, and a form. Out: bytes, block by block, and how many they will be. Never: the whole of it in memory.

use super::budget::Reservation;
use super::entries::Entries;
use super::order::Order;
use super::{html, json};
use crate::limits::STREAM_BLOCK;
use std::io::{self, Read};

/// In which form a listing is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A page.
    Html,
    /// An object.
    Json,
}

/// A listing that is read like a file.
#[derive(Debug)]
pub struct ListingReader {
    form: Form,
    path: Vec<u8>,
    entries: Entries,
    order: Order,
    /// The piece that follows behind the block.
    next: usize,
    /// Whole pieces: as many as it takes for one block, and one at least.
    block: Vec<u8>,
    /// Bytes of the block that were read.
    read: usize,
    /// Its share of the memory that listings may take.
    reservation: Option<Reservation>,
}

impl ListingReader {
    /// The entries in this order and form. `path` is the folder's, decoded, without a slash at either end.
    pub fn new(form: Form, path: &[u8], mut entries: Entries, order: Order) -> ListingReader {
        entries.sort_by(|left, right| order.compare(left, right));
        ListingReader {
            form,
            path: path.to_vec(),
            entries,
            order,
            next: 0,
            block: Vec::new(),
            read: 0,
            reservation: None,
        }
    }

    /// The same, with its share of the memory that listings may take.
    pub fn with(mut self, reservation: Reservation) -> ListingReader {
        self.reservation = Some(reservation);
        self
    }

    /// How many bytes it is in all. Each piece is made once for that, and thrown away: what is counted is what will be sent.
    pub fn length(&self) -> u64 {
        let mut piece = Vec::new();
        let mut length = 0;
        for index in 0..self.pieces() {
            piece.clear();
            self.push_piece(index, &mut piece);
            length += piece.len() as u64;
        }
        length
    }

    /// Those in front of and behind the entries, and the entries.
    fn pieces(&self) -> usize {
        self.entries.len() + 2
    }

    fn push_piece(&self, index: usize, out: &mut Vec<u8>) {
        let Some(entry_index) = index.checked_sub(1) else {
            return match self.form {
                Form::Html => html::push_top(&self.path, self.order, out),
                Form::Json => json::push_top(&self.path, &self.entries, out),
            };
        };
        match (self.form, self.entries.get(entry_index)) {
            (Form::Html, Some(entry)) => html::push_row(&entry, out),
            (Form::Html, None) => html::push_bottom(&self.entries, out),
            (Form::Json, Some(entry)) => json::push_entry(&entry, entry_index == 0, out),
            (Form::Json, None) => json::push_bottom(out),
        }
    }

    fn make_block(&mut self) {
        let mut block = std::mem::take(&mut self.block);
        block.clear();
        while block.len() < STREAM_BLOCK && self.next < self.pieces() {
            self.push_piece(self.next, &mut block);
            self.next += 1;
        }
        (self.block, self.read) = (block, 0);
    }
}

impl Read for ListingReader {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.read == self.block.len() {
            self.make_block();
        }
        let count = out.len().min(self.block.len() - self.read);
        out[..count].copy_from_slice(&self.block[self.read..self.read + count]);
        self.read += count;
        Ok(count)
    }
}
