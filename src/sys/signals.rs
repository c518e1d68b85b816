//! The signals that ask a program to stop. Each system has its own `Signals::install` and
//! `Signals::wait`.

/// A signal that asks the program to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// SIGINT: Ctrl-C.
    Interrupt,
    /// SIGTERM; on Windows Ctrl-Break, or the console's window being closed.
    Terminate,
    /// SIGHUP: the terminal has been closed, perhaps with more than one of these. Not on Windows.
    Hangup,
}

/// Receives SIGINT, SIGTERM and SIGHUP from now until the process ends, so that they no longer end
/// it.
///
/// SIGINT and SIGHUP stay ignored if they are at that time, as a shell's `&` and `nohup` make them.
/// All three are unblocked for the calling thread and those that it starts from then on: a parent
/// may have left them blocked, and then they would never arrive.
#[derive(Debug)]
pub struct Signals {
    pub(super) _installed: (),
}
