//! What the servers do that are compared with handlers that block, and counting how many compute at
//! once.

use rustix::time::{ClockId, clock_gettime};
use std::hint::black_box;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

pub static PAGE: [u8; 1024] = [b'x'; 1024];
/// The longest that one request may take.
const MILLISECONDS_MAX: u64 = 10_000;
/// Between two looks at the thread's clock: some microseconds.
const ROUNDS: u64 = 5_000;

static COMPUTING: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);
/// Nanoseconds.
static COMPUTED: AtomicU64 = AtomicU64::new(0);

/// One request's work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    None,
    Sleep(Duration),
    /// This much processor time of its thread.
    Compute(Duration),
    /// Says how many have computed at once, and for how many milliseconds in all, since this was
    /// asked last.
    Most,
}

impl Work {
    /// `/sleep/N` and `/compute/N` are milliseconds, `/most` is what they did; all else is a page.
    pub fn of(path: &str) -> Work {
        let number = |text: &str| text.parse().unwrap_or(0).min(MILLISECONDS_MAX);
        match (path.strip_prefix("/sleep/"), path.strip_prefix("/compute/")) {
            (Some(text), _) => Work::Sleep(Duration::from_millis(number(text))),
            (_, Some(text)) => Work::Compute(Duration::from_millis(number(text))),
            _ if path == "/most" => Work::Most,
            _ => Work::None,
        }
    }

    /// Whether the thread is kept.
    pub fn blocks(self) -> bool {
        matches!(self, Work::Sleep(_) | Work::Compute(_))
    }

    /// Does it, and gives the body of the response.
    pub fn run(self) -> Vec<u8> {
        match self {
            Work::None => {}
            Work::Sleep(time) => thread::sleep(time),
            Work::Compute(time) => compute(time),
            Work::Most => {
                let most = MOST.swap(0, Ordering::Relaxed);
                let computed = COMPUTED.swap(0, Ordering::Relaxed) / 1_000_000;
                return format!("{most} {computed}\n").into_bytes();
            }
        }
        PAGE.to_vec()
    }
}

fn compute(time: Duration) {
    let now = COMPUTING.fetch_add(1, Ordering::Relaxed) + 1;
    MOST.fetch_max(now, Ordering::Relaxed);
    let (mut state, mut last) = (1u64, spent());
    let until = last + time;
    while last < until {
        for _ in 0..ROUNDS {
            state = black_box(state.wrapping_mul(6364136223846793005).wrapping_add(1));
        }
        let now = spent();
        COMPUTED.fetch_add((now - last).as_nanos() as u64, Ordering::Relaxed);
        last = now;
    }
    COMPUTING.fetch_sub(1, Ordering::Relaxed);
}

/// The processor time of this thread.
fn spent() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}
