//! What the loop that owns a stream has to do next.

use super::close_reason::CloseReason;
use crate::h1::{Head, Reject};
use std::ops::Range;

/// What a loop does next: see [`Connection::next_event`].
///
/// New ones would be a breaking change: a loop that does not know one stands still.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a connection goes on only when the loop does its part"]
pub enum Event {
    /// Send what is framed, then read more bytes behind those that are here, or wait for them until
    /// [`read_deadline`](Connection::read_deadline), and ask again.
    ///
    /// In [`Phase::Linger`], when everything is sent, a stream that can close its sending side does
    /// so first: a peer that waits for the end need not wait for the deadline.
    Read,
    /// A request has begun: take `used` bytes off the start of the input, when what is needed of
    /// the head has been read.
    ///
    /// It may be answered at once, or after any part of its content. What is asked next brings that
    /// content.
    Head {
        /// The head; its spans are relative to the input's first byte.
        head: Head,
        /// Bytes of the input that belong to it.
        used: usize,
    },
    /// Content of the request has come: take `data` out of the input, then `used` bytes off its
    /// start. `data` is empty when these bytes were framing, or are to be dropped.
    Content {
        /// Bytes of the input that are dealt with, the data included.
        used: usize,
        /// The content, as a range of the input.
        data: Range<usize>,
    },
    /// The request is complete, its content has been taken: [`respond`](Connection::respond) it.
    Respond,
    /// The message was refused: [`respond`](Connection::respond) with [`Reject::status`]. It will
    /// be the last answer, and nothing more is parsed.
    Refuse(Reject),
    /// An answer's head is framed: frame its content as [`BodyFraming`](super::BodyFraming) said,
    /// and then [`finish`](Connection::finish).
    Send,
    /// The connection is over: send what is framed and close. [`CloseReason::Upgraded`]: send what
    /// is framed, and go on in the other protocol, whose first bytes the rest of the input is.
    Close(CloseReason),
}
