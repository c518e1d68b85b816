//! The body of a listing, made piece by piece while it is sent.

use super::budget::Reservation;
use super::entries::Entries;
use super::order::Order;
use super::{html, json};
use std::io::{self, Read};

/// The form of a listing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A page.
    Html,
    /// A JSON object.
    Json,
}

/// A listing that is read like a file.
#[derive(Debug)]
pub struct ListingReader {
    form: Form,
    path: Vec<u8>,
    entries: Entries,
    order: Order,
    /// The next piece to be made.
    next: usize,
    /// The last piece, if a part of it is unread,
    piece: Vec<u8>,
    /// and how many bytes of it have been read.
    read: usize,
    /// Its share of the memory for listings.
    reservation: Option<Reservation>,
}

impl ListingReader {
    /// The entries in this order and form. `path` is the folder's, decoded, without a slash at
    /// either end.
    pub fn new(form: Form, path: &[u8], mut entries: Entries, order: Order) -> ListingReader {
        entries.sort_by(|left, right| order.compare(left, right));
        ListingReader {
            form,
            path: path.to_vec(),
            entries,
            order,
            next: 0,
            piece: Vec::new(),
            read: 0,
            reservation: None,
        }
    }

    /// The same, with its share of the memory for listings.
    pub fn with(mut self, reservation: Reservation) -> ListingReader {
        self.reservation = Some(reservation);
        self
    }

    /// The length in bytes. Each piece is made for that and thrown away, so that the count is that
    /// of the bytes sent.
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

    /// The number of pieces: the entries, and one before and one after them.
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
}

impl Read for ListingReader {
    /// Fills the whole buffer. What is held between two calls is the rest of one piece.
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let mut piece = std::mem::take(&mut self.piece);
        let mut filled = 0;
        loop {
            let rest = &piece[self.read..];
            let count = rest.len().min(out.len() - filled);
            out[filled..filled + count].copy_from_slice(&rest[..count]);
            filled += count;
            self.read += count;
            if self.read < piece.len() {
                self.piece = piece;
                return Ok(filled);
            }
            piece.clear();
            self.read = 0;
            if self.next == self.pieces() {
                return Ok(filled);
            }
            self.push_piece(self.next, &mut piece);
            self.next += 1;
        }
    }
}
