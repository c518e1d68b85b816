//! What the loop that owns a stream has to do next.

use super::close_reason::CloseReason;
use crate::h1::{Head, Reject};
use std::ops::Range;

/// What the loop does next: see [`Connection::next_event`](super::Connection::next_event).
///
/// A new variant would be a breaking change: a loop that does not know it stands still.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a connection goes on only when the loop does its part"]
pub enum Event {
    /// Send the output, then read more bytes after those that are here, or wait for them until
    /// [`read_deadline`](super::Connection::read_deadline), and ask again.
    ///
    /// In [`Phase::Linger`](super::Phase::Linger), when everything is sent, a stream that can close
    /// its sending side does so first: a peer that waits for the end need not wait for the
    /// deadline.
    Read,
    /// A request has begun: read what is needed of the head, then take `used` bytes off the start
    /// of the input.
    ///
    /// The loop may respond at once, or after any part of the body, which the next events bring.
    Head {
        /// The head; its spans are relative to the input's first byte.
        head: Head,
        /// Bytes of the input that belong to the head.
        used: usize,
    },
    /// A part of the body has come: take `data` out of the input, then `used` bytes off its start.
    /// `data` is empty when these bytes were framing, or are to be discarded.
    Content {
        /// Bytes of the input to take off, the data included.
        used: usize,
        /// The data, as a range of the input.
        data: Range<usize>,
    },
    /// The request is complete and its body has been taken:
    /// [`respond`](super::Connection::respond).
    Respond,
    /// The message was refused: [`respond`](super::Connection::respond) with [`Reject::status`].
    /// This is the last response, and nothing more is parsed.
    Refuse(Reject),
    /// A response's head is in the output: append its body as the
    /// [`BodyFraming`](super::BodyFraming) says, then [`finish`](super::Connection::finish).
    Send,
    /// The connection is over: send the output and close. For [`CloseReason::Upgraded`], send the
    /// output and go on in the other protocol, whose first bytes are the rest of the input.
    Close(CloseReason),
}
