//! The settings that all connections of a server share.

use crate::limits::{Limits, Timeouts};

/// Limits, timeouts and the way the loop works. All connections of a server share them, so that
/// none carries a copy.
///
/// ```
/// use doorstep::conn::Config;
/// use std::time::Duration;
///
/// let mut config = Config::default();
/// config.limits.head_bytes = 4 * 1024;
/// config.timeouts.keep_alive = Duration::from_secs(5);
/// ```
///
/// A connection obeys the limits of messages and of single connections (`head_bytes`, `headers`,
/// `target_bytes`, `chunk_line_bytes`, `trailer_bytes`, `discard_bytes`, `requests_per_connection`)
/// and all timeouts but `shutdown`. The others are for the owner of the connections.
#[derive(Clone, Debug)]
pub struct Config {
    /// Sizes and counts.
    pub limits: Limits,
    /// Times.
    pub timeouts: Timeouts,
    /// Bytes of a request body, framing included, that are awaited before
    /// [`Event::Head`](super::Event::Head): all of a shorter body, or the beginning of a longer
    /// one. So a slow client keeps no thread waiting until that much is here. A body that the
    /// client holds back for `100 Continue` is not awaited. With 0, the default, the body comes as
    /// it is sent. Values above 65,535 count as 65,535.
    pub prefetch_bytes: usize,
    /// Whether [`next_event`](super::Connection::next_event) checks deadlines itself: true by
    /// default. A loop that asks before it has read all that lies in the stream, such as one that
    /// serves many streams, sets this to false and calls
    /// [`on_deadline`](super::Connection::on_deadline) when a read has found nothing.
    pub checks_deadlines: bool,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            limits: Limits::default(),
            timeouts: Timeouts::default(),
            prefetch_bytes: 0,
            checks_deadlines: true,
        }
    }
}
