//! The signals that ask a program to stop. Each system has its own `Signals::install` and
//! `Signals::wait`.

/// A signal that asks the program to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// SIGINT: Ctrl-C.
    Interrupt,
    /// SIGTERM; on Windows Ctrl-Break, or the console's window being closed.
    Terminate,
}

/// Receives SIGINT and SIGTERM from now until the process ends, so that they no longer end it.
#[derive(Debug)]
pub struct Signals {
    pub(super) _installed: (),
}
