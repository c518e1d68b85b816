//! The read buffer: bytes from a socket, held until they are a whole message.
//!
//! A read is not a message: it may bring a part of one, or several at once. This buffer belongs to
//! a worker and is lent to one connection at a time; the bytes that a connection leaves unread move
//! into its [`Pending`](super::pending::Pending).

use crate::sys::Stream;
use std::io;

/// A buffer whose unread bytes lie between `start` and `end`.
#[derive(Debug)]
pub struct Input {
    bytes: Box<[u8]>,
    start: usize,
    end: usize,
    /// The last read left room, so the socket had no more: another read would only confirm that.
    dry: bool,
}

impl Input {
    pub fn with_capacity(capacity: usize) -> Input {
        Input {
            bytes: vec![0; capacity].into_boxed_slice(),
            start: 0,
            end: 0,
            dry: false,
        }
    }

    /// Starts a connection's turn with the bytes that it left unread the last time.
    pub fn restore(&mut self, leftover: &mut Vec<u8>) {
        self.start = 0;
        self.end = leftover.len().min(self.bytes.len());
        self.bytes[..self.end].copy_from_slice(&leftover[..self.end]);
        // The memory goes as well: most connections have no leftover, and those that had one seldom
        // have another.
        *leftover = Vec::new();
        self.dry = false;
    }

    /// Ends a connection's turn: the unread bytes go back to it.
    pub fn save(&mut self, leftover: &mut Vec<u8>) {
        leftover.extend_from_slice(self.unread());
        self.clear();
    }

    pub fn unread(&self) -> &[u8] {
        &self.bytes[self.start..self.end]
    }

    /// Whether the socket had no more than was read.
    pub fn is_dry(&self) -> bool {
        self.dry
    }

    /// Marks the first `count` unread bytes as read.
    pub fn consume(&mut self, count: usize) {
        self.start = self.end.min(self.start + count);
        if self.start == self.end {
            self.start = 0;
            self.end = 0;
        }
    }

    pub fn clear(&mut self) {
        self.start = 0;
        self.end = 0;
    }

    /// Moves the unread bytes to the front, which leaves the most room after them.
    pub fn compact(&mut self) {
        self.bytes.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
    }

    /// Reads once, after the unread bytes. `Ok(0)` is the end of the stream.
    ///
    /// # Errors
    /// Those of the stream; [`io::ErrorKind::OutOfMemory`] when the buffer is full of unread bytes,
    /// which the limits on a message rule out.
    pub fn fill(&mut self, stream: &mut Stream) -> io::Result<usize> {
        if self.end == self.bytes.len() {
            self.compact();
        }
        let room = &mut self.bytes[self.end..];
        if room.is_empty() {
            return Err(io::ErrorKind::OutOfMemory.into());
        }
        let count = stream.read(room)?;
        self.dry = count < room.len();
        self.end += count;
        Ok(count)
    }

    /// Splits the first `head` unread bytes off from the rest of the buffer, whose marks the caller
    /// may move.
    pub fn split(&mut self, head: usize) -> (&[u8], Rest<'_>) {
        let end = self.end;
        let (before, bytes) = self.bytes.split_at_mut(end.min(self.start + head));
        let (start, end) = (0, end - before.len());
        (&before[self.start..], Rest { bytes, start, end })
    }

    /// Sets the marks to where a [`Rest`] after `head` bytes left them.
    pub fn rejoin(&mut self, head: usize, start: usize, end: usize) {
        let boundary = self.end.min(self.start + head);
        // An empty buffer has all of its room at its start.
        (self.start, self.end) = match start == end {
            true => (0, 0),
            false => (boundary + start, boundary + end),
        };
    }
}

/// The part of the buffer after a request's head.
#[derive(Debug)]
pub struct Rest<'a> {
    pub bytes: &'a mut [u8],
    pub start: usize,
    pub end: usize,
}
