//! SIGINT, SIGTERM and SIGHUP: the first signal stops the server gracefully, the second ends the
//! process.

use crate::log::say;
use doorstep::Shutdown;
use doorstep::os::{Signal, Signals};
use std::io::IsTerminal as _;
use std::time::Duration;

/// Starts a thread that waits for signals until the process ends.
///
/// # Errors
/// When the thread cannot be started.
pub fn on_signal(
    mut signals: Signals,
    stop: Shutdown,
    drain: Duration,
    grace: Duration,
    quiet: bool,
) -> std::io::Result<()> {
    let wait = move || {
        if signals.wait().is_err() {
            // Keep serving: the program can still be killed.
            return;
        }
        match drain {
            Duration::ZERO => stop.begin(grace),
            drain => stop.drain(drain, grace),
        }
        if !quiet && std::io::stderr().is_terminal() {
            let (drain, grace) = (drain.as_secs(), grace.as_secs());
            let first = match drain {
                0 => "stopping".to_string(),
                drain => format!("stopping in {drain} s"),
            };
            say(&format!(
                "{first}; running requests have {grace} s, or press Ctrl-C again"
            ));
        }
        // Ends with the process, or with the first signal that is another.
        while let Ok(second) = signals.wait() {
            // The shell and the kernel may each send one when a terminal is closed: the second is
            // no wish to end sooner.
            if second != Signal::Hangup {
                std::process::exit(status_of(second));
            }
        }
    };
    let thread = std::thread::Builder::new().name("signals".to_string());
    thread.spawn(wait).map(drop)
}

/// The status that a shell reports for a process ended by a signal: 128 plus the signal's number
/// (POSIX.1-2017, Shell Command Language, 2.8.2: "greater than 128").
fn status_of(signal: Signal) -> i32 {
    match signal {
        Signal::Interrupt => 130,
        Signal::Terminate => 143,
        Signal::Hangup => 129,
    }
}
