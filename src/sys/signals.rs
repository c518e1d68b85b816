//! The signals that ask a program to stop.

use std::io;

/// A signal that asks the program to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /** SIGINT: Ctrl-C. */
    Interrupt,
    /** SIGTERM. */
    Terminate,
}

/// Receives SIGINT and SIGTERM from now on, instead of dying of them.
#[derive(Debug)]
pub struct Signals {}

impl Signals {
    /// Installs the handlers.
    pub fn install() -> io::Result<Signals> {
        todo!()
    }
    /// Blocks until a signal comes.
    pub fn wait(&mut self) -> io::Result<Signal> {
        todo!()
    }
}
