//! The listeners: accepting, and what a failed accept means.

use crate::conn::Moment;
use crate::server::base::lock::lock;
use crate::server::base::signal::Signal;
use crate::server::base::token::EventSource;
use crate::sys::shortage::spare_descriptor;
use crate::sys::{Interest, Listener, Poller, Stream};
use core::net::SocketAddr;
use std::fs::File;
use std::io::{self, ErrorKind::*};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError, RwLock};
use std::time::Duration;

/// How long a listener rests after an accept failed for lack of descriptors or memory. A client
/// hardly notices such a delay, and ten tries a second cost nothing.
pub const ACCEPT_REST: Duration = Duration::from_millis(100);

/// The listeners of a server, until its shutdown closes them.
pub struct Listeners {
    open: RwLock<Vec<Listener>>,
    /// Listeners that are not armed, because there was no descriptor left, and until when; the
    /// housekeeper arms them again.
    resting: Mutex<Vec<(usize, Moment)>>,
    is_resting: AtomicBool,
    /// Kept open, so that there is a descriptor for a connection that is only told to come later.
    spare: Mutex<Option<File>>,
    /// Connections that have been accepted, or may be at this moment, and have no slot yet.
    admitting: AtomicUsize,
}

#[derive(Debug)]
pub enum Accepted {
    Connection(Stream, Option<SocketAddr>),
    Empty,
    /// This one failed, or was gone before it was accepted; the next may be fine.
    Lost,
    /// No connection can be accepted for now: mostly, the process or the system has no descriptor,
    /// or no memory, left.
    Exhausted(io::Error),
    Closed,
}

impl Listeners {
    /// Listeners that are bound, and not registered yet.
    pub fn new(open: Vec<Listener>) -> Listeners {
        Listeners {
            open: RwLock::new(open),
            resting: Mutex::new(Vec::new()),
            is_resting: AtomicBool::new(false),
            spare: Mutex::new(spare_descriptor()),
            admitting: AtomicUsize::new(0),
        }
    }

    /// Tries to accept one connection. A [`Connection`](Accepted::Connection) counts as on its way
    /// to a slot until [`admitted`](Listeners::admitted) is called.
    pub fn accept(&self, number: usize) -> Accepted {
        let open = self.open.read().unwrap_or_else(PoisonError::into_inner);
        let Some(listener) = open.get(number) else {
            return Accepted::Closed;
        };
        // Before the connection exists and under the lock that `close` takes: a shutdown that has
        // closed the listeners sees every connection in this count or in a slot.
        self.admitting.fetch_add(1, Ordering::SeqCst);
        let accepted = accept_from(listener);
        if !matches!(accepted, Accepted::Connection(..)) {
            self.admitted();
        }
        accepted
    }

    /// Accepts one connection with the spare descriptor, for the caller to close. Then it calls
    /// [`keep_spare`](Listeners::keep_spare).
    pub fn accept_with_spare(&self, number: usize) -> Accepted {
        *lock(&self.spare) = None;
        self.accept(number)
    }

    /// Opens a spare descriptor, if there is none and another one can be had.
    pub fn keep_spare(&self) {
        let mut spare = lock(&self.spare);
        if spare.is_none() {
            *spare = spare_descriptor();
        }
    }

    /// An accepted connection has its slot, or has been turned away.
    pub fn admitted(&self) {
        self.admitting.fetch_sub(1, Ordering::SeqCst);
    }

    /// Whether a connection is on its way to a slot.
    pub fn is_admitting(&self) -> bool {
        self.admitting.load(Ordering::SeqCst) > 0
    }

    /// The number of listeners.
    pub fn count(&self) -> usize {
        let open = self.open.read();
        open.unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Registers all listeners.
    pub fn register(&self, poller: &dyn Poller) -> io::Result<()> {
        let open = self.open.read().unwrap_or_else(PoisonError::into_inner);
        for (number, listener) in open.iter().enumerate() {
            let token = EventSource::Listener(number).token();
            poller.add(listener.source(), token, Interest::Read)?;
        }
        Ok(())
    }

    /// Arms a listener again.
    pub fn arm(&self, number: usize, now: Moment, poller: &dyn Poller, signal: &Signal) {
        let open = self.open.read().unwrap_or_else(PoisonError::into_inner);
        let Some(listener) = open.get(number) else {
            return;
        };
        let token = EventSource::Listener(number).token();
        let armed = poller.arm(listener.source(), token, Interest::Read);
        if armed.is_err() {
            // ENOMEM is all that is left: the descriptor is open and registered.
            self.rest(number, now, signal);
        }
    }

    /// Lets a listener rest for a while.
    pub fn rest(&self, number: usize, now: Moment, signal: &Signal) {
        let mut resting = lock(&self.resting);
        resting.push((number, now.after(ACCEPT_REST)));
        self.is_resting.store(true, Ordering::SeqCst);
        drop(resting);
        // The housekeeper's sleep may be longer than that.
        signal.alarm();
    }

    /// When the first resting listener has rested enough.
    pub fn next_rested(&self) -> Moment {
        let resting = lock(&self.resting);
        let first = resting.iter().map(|(_, until)| *until).min();
        first.unwrap_or(Moment::NEVER)
    }

    /// Whether a listener rests, which the next free descriptor may end.
    pub fn is_resting(&self) -> bool {
        self.is_resting.load(Ordering::SeqCst)
    }

    /// Arms the listeners that have rested enough, or all that rest.
    pub fn wake_rested(&self, all: bool, now: Moment, poller: &dyn Poller, signal: &Signal) {
        if !self.is_resting() {
            return;
        }
        self.keep_spare();
        let mut rested = Vec::new();
        let mut resting = lock(&self.resting);
        resting.retain(|&(number, until)| {
            let rests = !all && now < until;
            if !rests {
                rested.push(number);
            }
            rests
        });
        self.is_resting.store(!resting.is_empty(), Ordering::SeqCst);
        drop(resting);
        for number in rested {
            self.arm(number, now, poller, signal);
        }
    }

    /// Closes all listeners.
    pub fn close(&self, poller: &dyn Poller) {
        let closed =
            std::mem::take(&mut *self.open.write().unwrap_or_else(PoisonError::into_inner));
        for (number, listener) in closed.iter().enumerate() {
            // Fails only for a listener that was never registered; the descriptor is closed right
            // after.
            let _ = poller.remove(listener.source(), EventSource::Listener(number).token());
        }
    }
}

fn accept_from(listener: &Listener) -> Accepted {
    match listener.accept() {
        Ok((stream, peer)) => Accepted::Connection(stream, peer),
        Err(error) => match error.kind() {
            WouldBlock => Accepted::Empty,
            // ECONNABORTED: the client reset the connection while it was queued; ENOTCONN and
            // ECONNRESET on other systems.
            ConnectionAborted | ConnectionReset | NotConnected | Interrupted => Accepted::Lost,
            // EMFILE, ENFILE, ENOBUFS, ENOMEM, and any other error that a listener may return again
            // at once: later is soon enough.
            _ => Accepted::Exhausted(error),
        },
    }
}
