//! SIGINT, SIGTERM and SIGHUP through a pipe to ourselves: one byte each, read by whoever waits.
//! The handler does what a handler may do (`signal-safety(7)`): one `write(2)`.

use super::ffi;
use crate::sys::signals::{Signal, Signals};
use std::ffi::{c_int, c_void};
use std::io::{self, Read};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicI32, Ordering};

/// The two ends (written, read). Both live as long as the process: a handler may run at any time,
/// and writing to a pipe without a reader would raise SIGPIPE.
static PIPE: OnceLock<(UnixStream, UnixStream)> = OnceLock::new();

/// The written end's number, where a handler may read it.
// INVARIANT: -1, or the descriptor of `PIPE.0`, which is never closed.
static WRITTEN_END: AtomicI32 = AtomicI32::new(-1);

impl Signals {
    /// Installs the handlers. Doing it twice is harmless: each signal then goes to one of the
    /// waiting threads.
    pub fn install() -> io::Result<Signals> {
        let (written, _) = match PIPE.get() {
            Some(ends) => ends,
            None => {
                let ends = UnixStream::pair()?;
                // A handler must not wait: when 100,000 signals are unread, the next says nothing
                // new.
                ends.0.set_nonblocking(true)?;
                PIPE.get_or_init(|| ends)
            }
        };
        // Before the handlers, which would otherwise find no pipe.
        WRITTEN_END.store(written.as_raw_fd(), Ordering::SeqCst);
        for number in [ffi::SIGINT, ffi::SIGHUP] {
            // POSIX.1-2017, Shell Command Language, 2.11: "If job control is disabled […] when the
            // shell executes an asynchronous list, the commands in the list shall inherit from the
            // shell a signal action of ignored (SIG_IGN) for the SIGINT and SIGQUIT signals."
            // nohup(1) does the same with SIGHUP.
            if handle(number, handler())? == ffi::SIG_IGN {
                handle(number, ffi::SIG_IGN)?;
            }
        }
        // Never ignored: it is how programs ask a program to end.
        handle(ffi::SIGTERM, handler())?;
        unblock(&[ffi::SIGINT, ffi::SIGTERM, ffi::SIGHUP])?;
        Ok(Signals { _installed: () })
    }

    /// Blocks until a signal comes. Earlier signals are not lost: each ends one wait.
    pub fn wait(&mut self) -> io::Result<Signal> {
        let ends = PIPE.get().ok_or(io::ErrorKind::NotConnected)?;
        let mut read = &ends.1;
        let mut byte = [0];
        read.read_exact(&mut byte)?;
        Ok(match c_int::from(byte[0]) {
            ffi::SIGINT => Signal::Interrupt,
            ffi::SIGHUP => Signal::Hangup,
            _ => Signal::Terminate,
        })
    }
}

/// `signal(3)`: returns what the signal led to before. On these systems it has BSD's meaning: the
/// handler stays installed, and interrupted calls go on (SA_RESTART). `sigaction(2)` would say so
/// itself, but its structure differs between systems, C libraries and processors, and a wrong
/// layout would be silent.
fn handle(number: c_int, handler: usize) -> io::Result<usize> {
    // SAFETY: `handler` is SIG_IGN, or a function with the signature that the system expects, which
    // does only what a signal handler may do.
    let before = unsafe { ffi::signal(number, handler) };
    if before == ffi::SIG_ERR {
        return Err(io::Error::last_os_error());
    }
    Ok(before)
}

fn handler() -> usize {
    on_signal as extern "C" fn(c_int) as usize
}

/// `pthread_sigmask(3)`. A mask survives `execve(2)`, so the parent's is ours.
fn unblock(numbers: &[c_int]) -> io::Result<()> {
    let mut set = ffi::SignalSet::default();
    // SAFETY: `set` is at least as large and as aligned as the system's own, and ours alone.
    super::check(unsafe { ffi::sigemptyset(&mut set) })?;
    for &number in numbers {
        // SAFETY: `set` was initialised above.
        super::check(unsafe { ffi::sigaddset(&mut set, number) })?;
    }
    // SAFETY: `set` is initialised and only read; the old mask is not asked for.
    let error = unsafe { ffi::pthread_sigmask(ffi::SIG_UNBLOCK, &set, std::ptr::null_mut()) };
    match error {
        0 => Ok(()),
        error => Err(io::Error::from_raw_os_error(error)),
    }
}

extern "C" fn on_signal(number: c_int) {
    let byte = number as u8;
    let from = (&raw const byte).cast::<c_void>();
    // SAFETY: the address of this thread's own errno, which lives as long as the thread.
    let errno = unsafe { ffi::errno_location() };
    // SAFETY: `errno` is valid, aligned, and only this thread uses it.
    let before = unsafe { errno.read() };
    // SAFETY: `from` points to one live byte, only read. A failure (EAGAIN: the pipe is full)
    // leaves the signals before it to be read.
    unsafe { ffi::write(WRITTEN_END.load(Ordering::SeqCst), from, 1) };
    // The code that was interrupted may stand between a call and the look at its errno.
    // SAFETY: as above.
    unsafe { errno.write(before) };
}
