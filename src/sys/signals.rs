//! The signals that ask a program to stop.

use super::platform;
use std::io;

/// A signal that asks the program to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// SIGINT: Ctrl-C.
    Interrupt,
    /// SIGTERM; on Windows Ctrl-Break, or the console's window being closed.
    Terminate,
}

/// Receives SIGINT and SIGTERM from now on, instead of dying of them, until the process ends.
#[derive(Debug)]
pub struct Signals {
    _installed: (),
}

impl Signals {
    /// Installs the handlers. Doing it twice is harmless: each signal then goes to one of those who
    /// wait.
    pub fn install() -> io::Result<Signals> {
        platform::signals::install()?;
        Ok(Signals { _installed: () })
    }

    /// Blocks until a signal comes. Signals that came before are not lost: each is one wait's answer.
    pub fn wait(&mut self) -> io::Result<Signal> {
        platform::signals::wait()
    }
}
