//! The processor time of threads, and whether they wait for it: `pthread_getcpuclockid(3)`,
//! `proc(5)` and `getrusage(2)`; `thread_info` on macOS.

use super::ffi;
use crate::sys::threads::{ThreadProbe, Usage};
use std::ffi::c_int;
use std::time::Duration;

/// A thread by its numbers, which are no pointers: after its end the system refuses them, or knows
/// another thread by them.
#[cfg(not(target_vendor = "apple"))]
pub struct Probe {
    clock: c_int,
    #[cfg(target_os = "linux")]
    id: c_int,
}

#[cfg(not(target_vendor = "apple"))]
impl Probe {
    pub fn of_this_thread() -> Option<Probe> {
        // On 32 bits, FreeBSD has more than one form of the time.
        if cfg!(all(target_os = "freebsd", target_pointer_width = "32")) {
            return None;
        }
        let mut clock: c_int = 0;
        // SAFETY: takes nothing, and always succeeds.
        let thread = unsafe { ffi::pthread_self() };
        // SAFETY: the calling thread has not ended, and the number is written to a local.
        let failure = unsafe { ffi::pthread_getcpuclockid(thread, &raw mut clock) };
        (failure == 0).then_some(Probe {
            clock,
            // The kernel's form of such a clock, its number inverted above three bits
            // (linux/posix-timers_types.h); gettid(2) has no function in an older glibc.
            #[cfg(target_os = "linux")]
            id: !(clock >> 3),
        })
    }
}

#[cfg(not(target_vendor = "apple"))]
impl ThreadProbe for Probe {
    fn time(&self) -> Option<Duration> {
        let mut time = ffi::Time::default();
        // SAFETY: any number may be asked for; the time is written to a local.
        let result = unsafe { ffi::clock_gettime(self.clock, &raw mut time) };
        // EINVAL: the thread has ended.
        (result == 0).then(|| Duration::new(time.seconds as u64, time.fraction as u32))
    }

    #[cfg(target_os = "linux")]
    fn is_runnable(&self) -> Option<bool> {
        use std::io::Read;
        // Number, name of 15 bytes at most in parentheses, state: "R  Running".
        let mut start = [0; 64];
        let path = format!("/proc/self/task/{}/stat", self.id);
        let length = std::fs::File::open(path).ok()?.read(&mut start).ok()?;
        let name_end = start[..length].iter().rposition(|byte| *byte == b')')?;
        Some(*start[..length].get(name_end + 2)? == b'R')
    }

    #[cfg(not(target_os = "linux"))]
    fn is_runnable(&self) -> Option<bool> {
        None
    }
}

/// A thread by its port, which is a number.
#[cfg(target_vendor = "apple")]
pub struct Probe(u32);

#[cfg(target_vendor = "apple")]
impl Probe {
    pub fn of_this_thread() -> Option<Probe> {
        // SAFETY: takes nothing, and always succeeds.
        let thread = unsafe { ffi::pthread_self() };
        // SAFETY: the calling thread has not ended.
        Some(Probe(unsafe { ffi::pthread_mach_thread_np(thread) }))
    }

    /// `struct thread_basic_info`, in integers.
    fn info(&self) -> Option<[i32; 10]> {
        const THREAD_BASIC_INFO: u32 = 3;
        let mut info = [0; 10];
        let mut length = info.len() as u32;
        let place = info.as_mut_ptr();
        // SAFETY: any number may be asked for; `length` integers are written at most.
        let failure =
            unsafe { ffi::thread_info(self.0, THREAD_BASIC_INFO, place, &raw mut length) };
        (failure == 0).then_some(info)
    }
}

#[cfg(target_vendor = "apple")]
impl ThreadProbe for Probe {
    fn time(&self) -> Option<Duration> {
        // User and system time, each in seconds and microseconds.
        let [user, user_micros, system, system_micros, ..] = self.info()?.map(i64::from);
        let micros = (user + system) * 1_000_000 + user_micros + system_micros;
        Some(Duration::from_micros(micros as u64))
    }

    fn is_runnable(&self) -> Option<bool> {
        const TH_STATE_RUNNING: i32 = 1;
        let [_, _, _, _, _, _, state, ..] = self.info()?;
        Some(state == TH_STATE_RUNNING)
    }
}

/// What the calling thread has used.
#[cfg(all(not(target_vendor = "apple"), target_pointer_width = "64"))]
pub fn usage() -> Option<Usage> {
    const RUSAGE_THREAD: c_int = 1;
    let mut usage = ffi::ResourceUsage::default();
    // SAFETY: the structure is as long as the system's.
    let result = unsafe { ffi::getrusage(RUSAGE_THREAD, &raw mut usage) };
    let [user, system] = usage.times.map(|time| {
        let seconds = Duration::from_secs(time.seconds as u64);
        seconds + Duration::from_micros(time.fraction as u64)
    });
    (result == 0).then(|| Usage {
        time: user + system,
        waits: usage.counts[12] as u64,
    })
}

/// macOS counts no waits of a thread, and on 32 bits the structure has more than one form.
#[cfg(not(all(not(target_vendor = "apple"), target_pointer_width = "64")))]
pub fn usage() -> Option<Usage> {
    None
}
