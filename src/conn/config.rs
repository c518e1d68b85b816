//! What bounds the connections of a server.

use crate::limits::{Limits, Timeouts};

/// Limits and timeouts: the same for all connections of a server, so that no connection carries a copy.
///
/// ```
/// use doorstep::conn::Config;
/// use std::time::Duration;
///
/// let mut rules = Config::default();
/// rules.limits.head_bytes = 4 * 1024;
/// rules.timeouts.keep_alive = Duration::from_secs(5);
/// ```
///
/// A connection obeys those of messages and of single connections (`head_bytes`, `headers`, `target_bytes`, `chunk_line_bytes`,
/// `trailer_bytes`, `drain`, `requests_per_connection`; all timeouts but `shutdown`). The others are for whoever owns the
/// connections.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// How much.
    pub limits: Limits,
    /// How long.
    pub timeouts: Timeouts,
}
