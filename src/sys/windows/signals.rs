//! Ctrl-C and its relatives: `SetConsoleCtrlHandler`. The system calls the handler on a thread of
//! its own, so it may take locks.

use crate::sys::signals::{Signal, Signals};
use std::collections::VecDeque;
use std::io;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Signals that are kept until somebody waits; more of them would say nothing new.
const PENDING_MAX: usize = 64;

/// When the console's window closes, the process ends as soon as the handler returns, or after five
/// seconds. The handler stays until then, so that the program has that time.
const CLOSE_GRACE: Duration = Duration::from_secs(10);

const CTRL_C_EVENT: u32 = 0;
const CTRL_BREAK_EVENT: u32 = 1;

static PENDING: Mutex<VecDeque<Signal>> = Mutex::new(VecDeque::new());
static ARRIVED: Condvar = Condvar::new();

#[link(name = "kernel32")]
unsafe extern "system" {
    fn SetConsoleCtrlHandler(
        handler: Option<unsafe extern "system" fn(u32) -> i32>,
        add: i32,
    ) -> i32;
}

impl Signals {
    /// Installs the handler. Doing it twice is harmless: each signal then goes to one of the
    /// waiting threads.
    pub fn install() -> io::Result<Signals> {
        // SAFETY: the handler is a function with the signature that the system expects. It fails
        // when the handler was not installed, which is fine: it is taken out first, so that it is
        // there once.
        unsafe { SetConsoleCtrlHandler(Some(on_event), 0) };
        // SAFETY: as above; the function lives as long as the process.
        let is_installed = unsafe { SetConsoleCtrlHandler(Some(on_event), 1) };
        if is_installed == 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(Signals { _installed: () })
    }

    /// Blocks until a signal comes. Earlier signals are not lost: each ends one wait.
    pub fn wait(&mut self) -> io::Result<Signal> {
        let mut pending = lock();
        loop {
            if let Some(signal) = pending.pop_front() {
                return Ok(signal);
            }
            pending = ARRIVED
                .wait(pending)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }
}

fn lock() -> MutexGuard<'static, VecDeque<Signal>> {
    // Nothing in this file panics while it holds the lock.
    PENDING.lock().unwrap_or_else(PoisonError::into_inner)
}

unsafe extern "system" fn on_event(event: u32) -> i32 {
    let signal = if event == CTRL_C_EVENT {
        Signal::Interrupt
    } else {
        Signal::Terminate
    };
    let mut pending = lock();
    if pending.len() < PENDING_MAX {
        pending.push_back(signal);
    }
    drop(pending);
    ARRIVED.notify_one();
    if event != CTRL_C_EVENT && event != CTRL_BREAK_EVENT {
        std::thread::sleep(CLOSE_GRACE);
    }
    1 // handled: the process goes on
}
