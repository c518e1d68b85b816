//! What handlers keep in memory for a moment, given up on time although no request comes: the
//! housekeeper of any server of the process calls what is due.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Gives up what is no longer wanted at this time: how many bytes, and when to call again, if ever.
/// It is called on the housekeeper: it frees memory, and touches no file.
pub type Expire = Box<dyn FnMut(Duration) -> (usize, Option<Duration>) + Send>;

/// With the time of the next call.
static KEPT: Mutex<Vec<(Duration, Expire)>> = Mutex::new(Vec::new());

/// Calls this at a time of the servers' monotonic clock, or soon after it.
#[cfg(feature = "files")]
pub fn expire_at(time: Duration, expire: Expire) {
    let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    kept.push((time, expire));
}

/// Calls what is due. Returns the bytes that were given up.
pub fn expire(now: Duration) -> usize {
    let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    let all = std::mem::take(&mut *kept);
    let (due, later): (Vec<_>, Vec<_>) = all.into_iter().partition(|(time, _)| *time <= now);
    *kept = later;
    drop(kept);
    let mut freed = 0;
    for (_, mut expire) in due {
        let (bytes, next) = expire(now);
        freed += bytes;
        if let Some(time) = next {
            let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
            kept.push((time, expire));
        }
    }
    freed
}
