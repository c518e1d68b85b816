//! The settings that all connections of a server share.

use crate::limits::{Limits, Timeouts};

/// Limits, timeouts and how a loop works: the same for all connections of a server, so that no
/// connection carries a copy.
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
/// A connection obeys those of messages and of single connections (`head_bytes`, `headers`,
/// `target_bytes`, `chunk_line_bytes`, `trailer_bytes`, `discard_bytes`, `requests_per_connection`;
/// all timeouts but `shutdown`). The others are for whoever owns the connections.
#[derive(Clone, Debug)]
pub struct Config {
    /// How much.
    pub limits: Limits,
    /// How long.
    pub timeouts: Timeouts,
    /// Bytes of a request's body, framing included, that are awaited before
    /// [`Event::Head`](super::Event::Head): all of a body that is shorter, and the beginning of a
    /// longer one. So a slow client keeps no thread waiting until that much is here. A body that
    /// the client holds back for `100 Continue` is not awaited. 0, the default: the body comes as
    /// it is sent. Above 65,535 counts as that.
    pub prefetch_bytes: usize,
    /// Whether [`next_event`](super::Connection::next_event) looks at deadlines itself: true by
    /// default. A loop whose stream may hold bytes that it has not read when it asks, as one that
    /// serves many streams does, sets this to false, and asks
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
