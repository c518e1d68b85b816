//! The overloads that an observer hears of, and their texts.

use crate::sys::shortage::{Shortage, shortage};
use std::fmt;
use std::io;

/// What the server has run out of, and what it does about that. Its text is one line for a log.
#[derive(Debug)]
#[non_exhaustive]
pub enum Overload {
    /// All connections are taken: those that have been idle longest are closed for new ones.
    IdleClosed {
        /// The most connections.
        limit: usize,
        /// The limit of open files, where that is the cause.
        open_files: Option<u64>,
    },
    /// All connections are taken and none is idle: those get a 503 that have been sending a request
    /// longest.
    SlowClosed {
        /// The most connections.
        limit: usize,
        /// The limit of open files, where that is the cause.
        open_files: Option<u64>,
    },
    /// All connections are taken, and none is idle or slow: new ones get a 503.
    ConnectionsRefused {
        /// The most connections.
        limit: usize,
        /// The limit of open files, where that is the cause.
        open_files: Option<u64>,
    },
    /// One address has as many connections as it may: more get a 503.
    AddressRefused {
        /// The address; for IPv6 its network.
        address: String,
        /// The most connections of one address.
        limit: usize,
    },
    /// No connection can be accepted.
    Accept {
        /// The error of the system.
        error: io::Error,
        /// The limit of open files, where it is known.
        open_files: Option<u64>,
        /// What is done about it.
        remedy: AcceptRemedy,
    },
    /// Connections that wait hold too many bytes: those are closed whose clients have taken nothing
    /// for longest.
    Parked {
        /// The most bytes.
        limit: usize,
    },
    /// A thread could not be started.
    Thread {
        /// The error of the system.
        error: io::Error,
        /// Whether it was to be a worker, without which requests wait; otherwise a response was
        /// aborted that was to have a thread of its own.
        is_worker: bool,
    },
    /// Requests have waited for a second because handlers block all workers.
    WorkersBlocked {
        /// The most workers.
        limit: usize,
    },
    /// Requests of one method and path have waited for a second, because their handlers hold as
    /// many workers as they may.
    ShareBlocked {
        /// The most workers for requests of one method and path.
        limit: usize,
    },
    /// No worker has returned from its handler for 5 s: requests get a 503 until one does.
    Exhausted {
        /// The most workers.
        limit: usize,
    },
}

/// What the server does when no connection can be accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AcceptRemedy {
    /// Idle or slow connections are closed for new ones.
    CloseOthers,
    /// New connections get a 503.
    TurnAway,
    /// New connections wait.
    Wait,
}

impl fmt::Display for Overload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Overload::IdleClosed { limit, open_files } => {
                write_full(f, *limit, *open_files)?;
                f.write_str(": idle ones are closed")
            }
            Overload::SlowClosed { limit, open_files } => {
                write_full(f, *limit, *open_files)?;
                f.write_str(": slow ones are turned away")
            }
            Overload::ConnectionsRefused { limit, open_files } => {
                write_full(f, *limit, *open_files)?;
                f.write_str(": new ones are turned away")
            }
            Overload::AddressRefused { address, limit } => write!(
                f,
                "too many connections from {address} (limit {limit}): more are turned away"
            ),
            Overload::Accept {
                error,
                open_files,
                remedy,
            } => {
                write_cause(f, error, *open_files)?;
                f.write_str(match remedy {
                    AcceptRemedy::CloseOthers => ": other connections are closed",
                    AcceptRemedy::TurnAway => ": new connections are turned away",
                    AcceptRemedy::Wait => ": new connections wait",
                })
            }
            Overload::Parked { limit } => write!(
                f,
                "too much is kept for connections that wait (limit {limit} bytes): those are closed whose clients take nothing"
            ),
            Overload::Thread {
                error,
                is_worker: true,
            } => write!(f, "cannot start one more worker, requests wait: {error}"),
            Overload::Thread { error, .. } => {
                write!(f, "cannot start a thread for a detached answer: {error}")
            }
            Overload::WorkersBlocked { limit } => {
                write!(
                    f,
                    "handlers block all workers (limit {limit}): requests wait"
                )
            }
            Overload::ShareBlocked { limit } => write!(
                f,
                "handlers of one path block their share of the workers (limit {limit}): more of these requests wait"
            ),
            Overload::Exhausted { limit } => write!(
                f,
                "handlers have blocked all workers for 5 s (limit {limit}): requests get 503"
            ),
        }
    }
}

/// The limit of connections, with the limit of open files where that is the cause: a user who reads
/// 960 has configured 10,000.
fn write_full(f: &mut fmt::Formatter<'_>, limit: usize, open_files: Option<u64>) -> fmt::Result {
    write!(f, "too many connections (limit {limit}")?;
    match open_files {
        Some(files) => write!(f, ", with {files} open files)"),
        None => f.write_str(")"),
    }
}

fn write_cause(
    f: &mut fmt::Formatter<'_>,
    error: &io::Error,
    open_files: Option<u64>,
) -> fmt::Result {
    match (shortage(error), open_files) {
        (Some(Shortage::Process), Some(limit)) => {
            write!(f, "too many open files (limit {limit})")
        }
        (Some(Shortage::Process), None) => f.write_str("too many open files"),
        (Some(Shortage::System), _) => f.write_str("too many open files on this system"),
        (Some(Shortage::Memory), _) => f.write_str("too little memory for connections"),
        (None, _) => write!(f, "cannot accept ({error})"),
    }
}
