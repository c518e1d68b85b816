//! The pollers of this system, and the choice of one.

#[cfg(target_os = "linux")]
use super::linux::epoll::Epoll;
use super::poll::Poll;
use super::poller::Poller;
use std::io;

/// Which poller to use; a run-time value, so that every test can run on each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Backend {
    /// `epoll(7)`, on Linux.
    #[cfg(target_os = "linux")]
    Epoll,
    /// `poll(2)`, or `WSAPoll` on Windows: one thread polls, the others wait for it.
    Poll,
}

impl Backend {
    /// Every backend that this system has, the preferred one first.
    pub const ALL: &'static [Backend] = &[
        #[cfg(target_os = "linux")]
        Backend::Epoll,
        Backend::Poll,
    ];

    /// Makes a poller.
    pub fn open(self) -> io::Result<Box<dyn Poller>> {
        match self {
            #[cfg(target_os = "linux")]
            Backend::Epoll => Ok(Box::new(Epoll::open()?)),
            Backend::Poll => Ok(Box::new(Poll::open()?)),
        }
    }
}
