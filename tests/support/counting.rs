//! The system's allocator with a count, for programs in which every allocation counts: they make it
//! their `#[global_allocator]`.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

/// The system's allocator, with a count.
pub struct Counting;

static HELD: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);

/// The bytes that are allocated.
pub fn held() -> usize {
    HELD.load(Ordering::Relaxed)
}

/// The most that was allocated at a time since [`restart`].
pub fn most() -> usize {
    MOST.load(Ordering::Relaxed)
}

/// Starts anew to look for the most. Returns the bytes that are allocated.
pub fn restart() -> usize {
    let held = held();
    MOST.store(held, Ordering::Relaxed);
    held
}

// SAFETY: everything is done by the system's allocator, which is one.
#[allow(unsafe_code, reason = "an allocator is unsafe to implement")]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let held = HELD.fetch_add(layout.size(), Ordering::Relaxed) + layout.size();
        MOST.fetch_max(held, Ordering::Relaxed);
        // SAFETY: the caller's promises are those that it asks for.
        unsafe { System.alloc(layout) }
    }

    // `realloc` is left to the trait, which holds both blocks at once: the worst that a system may
    // do.
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        HELD.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }
}
