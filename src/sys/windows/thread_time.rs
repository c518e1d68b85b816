//! The processor time of threads: `QueryThreadCycleTime`. `GetThreadTimes` moves every 15.6 ms
//! only.

use crate::sys::threads::{ThreadProbe, Usage};
use std::ffi::c_void;
use std::os::windows::io::{AsRawHandle, FromRawHandle, OwnedHandle};
use std::time::Duration;

/// Cycles in a microsecond, roughly: good enough to tell a thread that computes from one that does
/// not.
const CYCLES_PER_MICROSECOND: u64 = 2_000;
const THREAD_QUERY_LIMITED_INFORMATION: u32 = 0x0800;

#[link(name = "kernel32")]
unsafe extern "system" {
    fn GetCurrentProcess() -> *mut c_void;
    fn GetCurrentThread() -> *mut c_void;
    fn DuplicateHandle(
        process: *mut c_void,
        handle: *mut c_void,
        to_process: *mut c_void,
        to: *mut *mut c_void,
        access: u32,
        inherit: i32,
        options: u32,
    ) -> i32;
    fn QueryThreadCycleTime(thread: *mut c_void, cycles: *mut u64) -> i32;
}

/// A handle of a thread.
pub struct Probe(OwnedHandle);

impl Probe {
    pub fn of_this_thread() -> Option<Probe> {
        // SAFETY: takes nothing; the result stands for this process.
        let process = unsafe { GetCurrentProcess() };
        // SAFETY: takes nothing; the result stands for the thread that uses it.
        let thread = unsafe { GetCurrentThread() };
        let mut handle = std::ptr::null_mut();
        let access = THREAD_QUERY_LIMITED_INFORMATION;
        // SAFETY: both handles are valid here, and the new one is written to a local.
        let done =
            unsafe { DuplicateHandle(process, thread, process, &raw mut handle, access, 0, 0) };
        if done == 0 {
            return None;
        }
        // SAFETY: a new handle that nobody else has.
        Some(Probe(unsafe { OwnedHandle::from_raw_handle(handle) }))
    }
}

impl ThreadProbe for Probe {
    fn time(&self) -> Option<Duration> {
        let mut cycles = 0;
        // SAFETY: the handle is open, also after the thread's end; the result goes to a local.
        let done = unsafe { QueryThreadCycleTime(self.0.as_raw_handle(), &raw mut cycles) };
        (done != 0).then(|| Duration::from_micros(cycles / CYCLES_PER_MICROSECOND))
    }

    fn is_runnable(&self) -> Option<bool> {
        None
    }
}

/// Windows counts no waits of a thread.
pub fn usage() -> Option<Usage> {
    None
}
