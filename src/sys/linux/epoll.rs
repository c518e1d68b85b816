//! The poller on `epoll(7)`.
//!
//! One epoll instance is shared by all threads, with the kernel's list of ready sources as their
//! work queue; every source is registered with `EPOLLONESHOT`.
//!
//! A thread that waits alone takes a batch of events in one call, keeps one, and puts the others
//! into a queue that all threads share and look into first. So a busy server makes fewer calls, and
//! no event waits for the thread that fetched it. The queue is emptied before the kernel is asked
//! again, and both lists are first in, first out, so no source starves; the queue never grows
//! beyond two batches for each thread. Posted tokens wait until the queue is empty and the kernel
//! has been asked: a server that posts all the time would otherwise never hear of its sockets.
//!
//! No event may stay in the queue while a thread sleeps in the kernel. Two counters ensure that,
//! both sequentially consistent: a thread counts itself as waiting and *then* looks at the queue's
//! length; a thread that leaves events in the queue sets the length and *then* looks at the count
//! of waiting threads. At least one of the two sees the other: either the first does not go to
//! sleep, or the second nudges. A nudge wakes one thread, which nudges the next if events are left.

use super::epoll_sys::{
    self as calls, EPOLL_CTL_ADD, EPOLL_CTL_DEL, EPOLL_CTL_MOD, EPOLLIN, EPOLLONESHOT, EPOLLOUT,
    EPOLLRDHUP, Event,
};
use crate::sys::poller::{
    Deadline, Interest, Poller, RESERVED, Source, Token, Wake, whole_milliseconds,
};
use crate::sys::retry::uninterrupted;
use crate::sys::unix::poll::{PollEntry, poll};
use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Events that a thread that waits alone takes in one call. More would not make a call cheaper.
const BATCH: usize = 64;

/// The token of the descriptor that `wake` makes readable.
const WAKER: u64 = u64::MAX;
/// The token of the descriptor that wakes one thread for the queue.
const NUDGE: u64 = RESERVED;

#[derive(Debug)]
pub struct Epoll {
    epoll: OwnedFd,
    // Readable after `wake`, never read, level-triggered: every wait sees it.
    waker: OwnedFd,
    // Always readable, one-shot: arming it makes one event.
    nudge: OwnedFd,
    queue: Mutex<VecDeque<Token>>,
    // INVARIANT: the queue's length, stored before its lock is released.
    queued: AtomicUsize,
    posted: Mutex<VecDeque<Token>>,
    // INVARIANT: the length of `posted`, stored before its lock is released.
    posts: AtomicUsize,
    // Threads that are in `epoll_wait`, or about to be.
    waiting: AtomicUsize,
    woken: AtomicBool,
}

impl Epoll {
    pub fn open() -> io::Result<Epoll> {
        let epoll = calls::create()?;
        let waker = calls::event(0)?;
        let nudge = calls::event(1)?;
        let woken = Event::new(EPOLLIN, WAKER);
        calls::control(epoll.as_fd(), EPOLL_CTL_ADD, waker.as_fd(), woken)?;
        // Not armed yet.
        let silent = Event::new(EPOLLONESHOT, NUDGE);
        calls::control(epoll.as_fd(), EPOLL_CTL_ADD, nudge.as_fd(), silent)?;
        Ok(Epoll {
            epoll,
            waker,
            nudge,
            queue: Mutex::new(VecDeque::with_capacity(BATCH)),
            queued: AtomicUsize::new(0),
            posted: Mutex::default(),
            posts: AtomicUsize::new(0),
            waiting: AtomicUsize::new(0),
            woken: AtomicBool::new(false),
        })
    }

    fn register(
        &self,
        operation: i32,
        source: Source<'_>,
        token: Token,
        interest: Interest,
    ) -> io::Result<()> {
        if token.0 >= RESERVED {
            let kind = io::ErrorKind::InvalidInput;
            return Err(io::Error::new(kind, "a reserved token"));
        }
        let interest = match interest {
            Interest::Read => EPOLLIN | EPOLLRDHUP,
            Interest::Write => EPOLLOUT,
        };
        let event = Event::new(interest | EPOLLONESHOT, token.0);
        calls::control(self.epoll.as_fd(), operation, descriptor(source)?, event)
    }

    /// Takes an event from the queue. An empty queue costs one load.
    fn take(&self) -> Option<Token> {
        if self.queued.load(Ordering::SeqCst) == 0 {
            return None;
        }
        let mut queue = lock(&self.queue);
        let token = queue.pop_front();
        self.queued.store(queue.len(), Ordering::SeqCst);
        drop(queue);
        self.nudge_if_needed();
        token
    }

    /// The number of events that no thread need ask the kernel for.
    fn here(&self) -> usize {
        self.queued.load(Ordering::SeqCst) + self.posts.load(Ordering::SeqCst)
    }

    /// Wakes a thread that sleeps while there are events here.
    fn nudge_if_needed(&self) {
        if self.here() > 0 && self.waiting.load(Ordering::SeqCst) > 0 {
            let once = Event::new(EPOLLIN | EPOLLONESHOT, NUDGE);
            // Changing an existing registration needs no memory, so this cannot fail.
            let _ = calls::control(self.epoll.as_fd(), EPOLL_CTL_MOD, self.nudge.as_fd(), once);
        }
    }

    /// Asks the kernel once.
    fn ask(&self, timeout: Option<Duration>) -> io::Result<Fetched> {
        let mut events = [Event::new(0, 0); BATCH];
        let others = self.waiting.fetch_add(1, Ordering::SeqCst);
        // After the line above, never before it: see the head of this file.
        if self.queued.load(Ordering::SeqCst) > 0 {
            self.waiting.fetch_sub(1, Ordering::SeqCst);
            return Ok(Fetched::TryAgain);
        }
        // With other threads waiting, the kernel hands them the next events itself.
        let capacity = if others == 0 { BATCH } else { 1 };
        let timeout_ms = match self.posts.load(Ordering::SeqCst) {
            0 => whole_milliseconds(timeout),
            _ => 0,
        };
        let count = calls::wait(self.epoll.as_fd(), &mut events[..capacity], timeout_ms);
        // Before the events are shared: this thread needs no nudge.
        self.waiting.fetch_sub(1, Ordering::SeqCst);
        match count {
            Ok(0) if self.posts.load(Ordering::SeqCst) == 0 => Ok(Fetched::Nothing),
            Ok(count) => Ok(self.share(&events[..count])),
            // EINTR: a signal handler ran in this thread, or the process was stopped and continued
            // (signal(7)). Go on, however often that happens: a wait has no end of its own.
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(Fetched::Nothing),
            Err(error) => Err(error),
        }
    }

    /// Keeps one event and puts the others into the queue, and posted tokens after them.
    fn share(&self, events: &[Event]) -> Fetched {
        if events.iter().any(|event| event.token() == WAKER) {
            return Fetched::Event(Wake::Woken);
        }
        let tokens = events
            .iter()
            .map(Event::token)
            .filter(|&token| token != NUDGE);
        let mut tokens = tokens.map(Token).chain(self.take_posted());
        let kept = tokens.next();
        let mut rest = tokens.peekable();
        if rest.peek().is_some() {
            let mut queue = lock(&self.queue);
            queue.extend(rest);
            self.queued.store(queue.len(), Ordering::SeqCst);
        }
        self.nudge_if_needed();
        kept.map_or(Fetched::TryAgain, |token| {
            Fetched::Event(Wake::Ready(token))
        })
    }

    /// A batch of posted tokens, if there are any. None costs one load.
    fn take_posted(&self) -> VecDeque<Token> {
        if self.posts.load(Ordering::SeqCst) == 0 {
            return VecDeque::new();
        }
        let mut posted = lock(&self.posted);
        let batch = posted.len().min(BATCH);
        let taken = posted.drain(..batch).collect();
        self.posts.store(posted.len(), Ordering::SeqCst);
        taken
    }
}

fn lock(tokens: &Mutex<VecDeque<Token>>) -> MutexGuard<'_, VecDeque<Token>> {
    // Nothing in this file panics while it holds a lock.
    tokens.lock().unwrap_or_else(PoisonError::into_inner)
}

enum Fetched {
    Event(Wake),
    // Nothing for this thread, but perhaps something in the queue, or in the next call.
    TryAgain,
    Nothing,
}

impl Poller for Epoll {
    fn add(&self, source: Source<'_>, token: Token, interest: Interest) -> io::Result<()> {
        self.register(EPOLL_CTL_ADD, source, token, interest)
    }

    fn arm(&self, source: Source<'_>, token: Token, interest: Interest) -> io::Result<()> {
        self.register(EPOLL_CTL_MOD, source, token, interest)
    }

    fn remove(&self, source: Source<'_>, _token: Token) -> io::Result<()> {
        // The event is not looked at, but kernels before 2.6.9 wanted one.
        let event = Event::new(0, 0);
        calls::control(
            self.epoll.as_fd(),
            EPOLL_CTL_DEL,
            descriptor(source)?,
            event,
        )
    }

    fn wait(&self, timeout: Option<Duration>) -> io::Result<Wake> {
        if self.woken.load(Ordering::SeqCst) {
            return Ok(Wake::Woken);
        }
        if let Some(token) = self.take() {
            return Ok(Wake::Ready(token));
        }
        let deadline = Deadline::after(timeout);
        // Ends with the deadline; each earlier round has used up an event, a nudge or a signal.
        loop {
            match self.ask(deadline.left())? {
                Fetched::Event(wake) => return Ok(wake),
                Fetched::TryAgain | Fetched::Nothing if self.woken.load(Ordering::SeqCst) => {
                    return Ok(Wake::Woken);
                }
                Fetched::TryAgain => {}
                Fetched::Nothing if deadline.is_over() && self.here() == 0 => {
                    return Ok(Wake::TimedOut);
                }
                // Interrupted, or after the 24 days that a call waits at most: wait for the rest.
                Fetched::Nothing => {}
            }
            if let Some(token) = self.take() {
                return Ok(Wake::Ready(token));
            }
        }
    }

    fn waiting(&self) -> usize {
        self.waiting.load(Ordering::SeqCst)
    }

    fn pending(&self) -> io::Result<bool> {
        if self.here() > 0 {
            return Ok(true);
        }
        // epoll(7): "If an epoll file descriptor has events waiting, then it will indicate as being
        // readable."
        let mut entry = [PollEntry::new(self.epoll.as_fd(), Interest::Read)];
        Ok(uninterrupted(|| poll(&mut entry, Some(Duration::ZERO)))? > 0)
    }

    fn post(&self, token: Token) {
        let mut posted = lock(&self.posted);
        posted.push_back(token);
        self.posts.store(posted.len(), Ordering::SeqCst);
        drop(posted);
        self.nudge_if_needed();
    }

    fn wake(&self) {
        self.woken.store(true, Ordering::SeqCst);
        // Only a counter at its maximum can refuse, and then the descriptor is readable already.
        let _ = calls::signal(self.waker.as_fd());
    }
}

fn descriptor(source: Source<'_>) -> io::Result<BorrowedFd<'_>> {
    match source {
        Source::Descriptor(descriptor) => Ok(descriptor),
        Source::Named(..) => Err(io::ErrorKind::Unsupported.into()),
    }
}
