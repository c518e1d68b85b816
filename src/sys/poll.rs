//! The poller on `poll(2)` and `WSAPoll`: one thread polls, the others wait for it.
//!
//! A thread that waits becomes the leader if there is none: it copies the armed entries of the
//! table, polls the copy without the lock, takes the lock again, disarms the ready entries and puts
//! their tokens into a queue. The other threads follow: they wait on a condition variable and take
//! tokens from the queue. A thread that returns from `wait` wakes one follower when there are
//! tokens left, or nobody leads; that one does the same when it returns. So neither the lead nor a
//! token is ever left lying. An event costs no more than `poll(2)` itself, which looks at every
//! armed entry.
//!
//! `add` and `arm` change the table and, if a leader polls an older copy, interrupt it with a
//! datagram on a socket that is connected to itself: plain std, and the same on every system.
//!
//! An entry of the copy may have been removed, armed again, or even closed and its number reused
//! while the leader polled. So each arming has a serial number, and a result counts only if the
//! table still holds that number; otherwise the next poll asks about the entry of now.

use super::platform::poll::{Key, PollEntry, key, poll};
use super::poller::{Deadline, Interest, Poller, RESERVED, Source, Token, Wake};
use std::collections::{HashMap, VecDeque};
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, UdpSocket};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

#[cfg(unix)]
use std::os::fd::{AsFd, BorrowedFd as Borrowed};
#[cfg(windows)]
use std::os::windows::io::{AsSocket, BorrowedSocket as Borrowed};

/// The longest that a leader polls without a look at the table. A datagram, unlike a byte in a
/// pipe, may be lost when the system is out of memory; a change then waits this long at most.
const LEAD_MAX: Duration = Duration::from_secs(1);

/// Posted tokens that come after the events of one poll.
const POSTED_BATCH: usize = 64;

/// Datagrams that a leader takes at once. One is sent for each poll, and one more can be late.
const DATAGRAMS_MAX: u32 = 16;

#[derive(Debug)]
pub(super) struct Poll {
    state: Mutex<State>,
    changed: Condvar,
    // Connected to itself: receives what it sends.
    interrupter: UdpSocket,
}

#[derive(Debug)]
struct State {
    registrations: HashMap<Key, Registration>,
    // What a leader polls: first the interrupter, then the armed entries, in no order.
    entries: Vec<PollEntry>,
    // INVARIANT: as long as `entries`; the serial number of each entry's arming.
    serials: Vec<u64>,
    last_serial: u64,
    ready: VecDeque<Token>,
    // Tokens for `ready` after the next poll: a server that posts all the time would otherwise
    // never hear of its sockets.
    posted: VecDeque<Token>,
    // The last leader's copy, kept for its allocation. `None` while a leader uses it.
    copy: Option<Snapshot>,
    following: usize,
    // A datagram was sent since the leader made its copy.
    is_interrupted: bool,
    is_woken: bool,
}

#[derive(Debug)]
struct Registration {
    token: Token,
    // Its index in `entries`, while it is armed.
    place: Option<usize>,
}

#[derive(Debug, Default)]
struct Snapshot {
    entries: Vec<PollEntry>,
    serials: Vec<u64>,
}

impl Poll {
    pub(super) fn open() -> io::Result<Poll> {
        let interrupter = connected_to_itself()?;
        let state = State {
            registrations: HashMap::new(),
            entries: vec![PollEntry::new(borrow(&interrupter), Interest::Read)],
            serials: vec![0],
            last_serial: 0,
            ready: VecDeque::new(),
            posted: VecDeque::new(),
            copy: Some(Snapshot::default()),
            following: 0,
            is_interrupted: false,
            is_woken: false,
        };
        Ok(Poll {
            state: Mutex::new(state),
            changed: Condvar::new(),
            interrupter,
        })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing in this file panics while it holds the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes the leader copy the table again. Called without the lock.
    fn interrupt(&self) {
        // A full buffer means that a datagram is there already; any other failure is what LEAD_MAX
        // is for.
        let _ = self.interrupter.send(&[0]);
    }

    /// Polls once. Called with the lead, which is the copy.
    fn lead(&self, copy: &mut Snapshot, left: Option<Duration>) -> io::Result<()> {
        let time = left.map_or(LEAD_MAX, |left| left.min(LEAD_MAX));
        poll(&mut copy.entries, Some(time))?;
        if copy.entries[0].is_ready() {
            self.take_datagrams();
        }
        Ok(())
    }

    fn take_datagrams(&self) {
        for _ in 0..DATAGRAMS_MAX {
            // WouldBlock: empty. After any other error there is nothing to read either.
            if self.interrupter.recv(&mut [0]).is_err() {
                return;
            }
        }
    }

    /// Wakes a follower if there are tokens or the lead to be taken.
    fn hand_over(&self, state: &State) {
        let has_leader = state.copy.is_none();
        let is_idle = state.ready.is_empty() && state.posted.is_empty();
        if state.following > 0 && (!has_leader || !is_idle) {
            self.changed.notify_one();
        }
    }

    /// Waits until a leader has found something, or has gone.
    fn follow<'a>(
        &self,
        mut state: MutexGuard<'a, State>,
        left: Option<Duration>,
    ) -> MutexGuard<'a, State> {
        state.following += 1;
        let mut state = match left {
            None => self
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner),
            Some(left) => {
                let waited = self.changed.wait_timeout(state, left);
                waited.unwrap_or_else(PoisonError::into_inner).0
            }
        };
        state.following -= 1;
        state
    }

    /// Waits for one event. The caller hands over afterwards, whatever the result.
    fn wait_for_one<'a>(
        &'a self,
        mut state: MutexGuard<'a, State>,
        deadline: Deadline,
    ) -> (MutexGuard<'a, State>, io::Result<Wake>) {
        let mut has_asked = false;
        // Ends with the deadline; each earlier round was a poll, or a follower's wake-up.
        loop {
            if state.is_woken {
                return (state, Ok(Wake::Woken));
            }
            if let Some(token) = state.ready.pop_front() {
                return (state, Ok(Wake::Ready(token)));
            }
            // The leader waits for the sockets.
            if state.copy.is_none() {
                if let Some(token) = state.posted.pop_front() {
                    return (state, Ok(Wake::Ready(token)));
                }
            }
            // A timeout of zero still polls once.
            if deadline.is_over() && (has_asked || state.copy.is_none()) {
                return (state, Ok(Wake::TimedOut));
            }
            let Some(mut copy) = state.begin_lead() else {
                state = self.follow(state, deadline.left());
                continue;
            };
            let left = match state.posted.is_empty() {
                true => deadline.left(),
                false => Some(Duration::ZERO),
            };
            drop(state);
            let polled = self.lead(&mut copy, left);
            has_asked = true;
            state = self.lock();
            let found = state.end_lead(copy, polled.is_ok());
            match polled {
                Ok(()) => self.announce(&state, found),
                // EINTR: a signal handler ran in this thread, or the process was stopped and
                // continued (signal(7)). Go on, however often: a wait has no end of its own.
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return (state, Err(error)),
            }
        }
    }

    /// The leader takes one of the events that it found; the others are for followers.
    fn announce(&self, state: &State, found: usize) {
        let others = found.saturating_sub(1).min(state.following);
        for _ in 0..others {
            self.changed.notify_one();
        }
    }
}

impl State {
    /// Takes the lead, if nobody has it: a fresh copy of the armed entries.
    fn begin_lead(&mut self) -> Option<Snapshot> {
        let mut copy = self.copy.take()?;
        copy.entries.clone_from(&self.entries);
        copy.serials.clone_from(&self.serials);
        self.is_interrupted = false;
        Some(copy)
    }

    /// Gives back the lead, disarms the ready entries, and puts a batch of posted tokens after
    /// them. Returns how many there are.
    fn end_lead(&mut self, copy: Snapshot, has_polled: bool) -> usize {
        let before = self.ready.len();
        if has_polled {
            for (entry, &serial) in copy.entries.iter().zip(&copy.serials).skip(1) {
                if entry.is_ready() {
                    self.disarm(entry, serial);
                }
            }
        }
        let batch = self.posted.len().min(POSTED_BATCH);
        self.ready.extend(self.posted.drain(..batch));
        self.copy = Some(copy);
        self.ready.len() - before
    }

    /// Turns the result for one arming into an event, if that arming still counts.
    fn disarm(&mut self, entry: &PollEntry, serial: u64) {
        let Some(registration) = self.registrations.get_mut(&entry.key()) else {
            return;
        };
        let Some(place) = registration.place else {
            return;
        };
        if self.serials[place] != serial {
            return;
        }
        if entry.is_closed() {
            // Closed without `remove`. epoll forgets such a source by itself, and so does this
            // table: poll would report it at once, forever.
            self.registrations.remove(&entry.key());
        } else {
            registration.place = None;
            self.ready.push_back(registration.token);
        }
        self.vacate(place);
    }

    /// Arms a registered source; returns whether a leader must be interrupted.
    fn arm(&mut self, source: Borrowed<'_>, token: Token, interest: Interest) -> io::Result<bool> {
        let next = self.entries.len();
        let Some(registration) = self.registrations.get_mut(&key(source)) else {
            return Err(io::ErrorKind::NotFound.into());
        };
        registration.token = token;
        let place = *registration.place.get_or_insert(next);
        let entry = PollEntry::new(source, interest);
        self.last_serial += 1;
        if place == next {
            self.entries.push(entry);
            self.serials.push(self.last_serial);
        } else {
            self.entries[place] = entry;
            self.serials[place] = self.last_serial;
        }
        Ok(self.must_interrupt())
    }

    /// Removes one entry from the list; the last one moves to its place.
    fn vacate(&mut self, place: usize) {
        self.entries.swap_remove(place);
        self.serials.swap_remove(place);
        let Some(moved) = self.entries.get(place) else {
            return;
        };
        if let Some(registration) = self.registrations.get_mut(&moved.key()) {
            registration.place = Some(place);
        }
    }

    /// Whether a leader polls an older copy and has not been interrupted; notes that it will be.
    fn must_interrupt(&mut self) -> bool {
        let is_led = self.copy.is_none();
        is_led && !std::mem::replace(&mut self.is_interrupted, true)
    }
}

impl Poller for Poll {
    fn add(&self, source: Source<'_>, token: Token, interest: Interest) -> io::Result<()> {
        let source = checked(source, token)?;
        let mut state = self.lock();
        // An old source of this number was closed without `remove`: it is replaced.
        let registration = Registration { token, place: None };
        if let Some(Registration {
            place: Some(place), ..
        }) = state.registrations.insert(key(source), registration)
        {
            state.vacate(place);
        }
        let must_interrupt = state.arm(source, token, interest)?;
        drop(state);
        if must_interrupt {
            self.interrupt();
        }
        Ok(())
    }

    fn arm(&self, source: Source<'_>, token: Token, interest: Interest) -> io::Result<()> {
        let source = checked(source, token)?;
        let must_interrupt = self.lock().arm(source, token, interest)?;
        if must_interrupt {
            self.interrupt();
        }
        Ok(())
    }

    fn remove(&self, source: Source<'_>, token: Token) -> io::Result<()> {
        let source = checked(source, token)?;
        let mut state = self.lock();
        let Some(registration) = state.registrations.remove(&key(source)) else {
            return Err(io::ErrorKind::NotFound.into());
        };
        // A leader that polls an older copy need not be interrupted: what it finds there is void.
        if let Some(place) = registration.place {
            state.vacate(place);
        }
        Ok(())
    }

    fn wait(&self, timeout: Option<Duration>) -> io::Result<Wake> {
        let deadline = Deadline::after(timeout);
        let (state, wake) = self.wait_for_one(self.lock(), deadline);
        self.hand_over(&state);
        wake
    }

    fn waiting(&self) -> usize {
        let state = self.lock();
        state.following + usize::from(state.copy.is_none())
    }

    fn pending(&self) -> io::Result<bool> {
        let mut state = self.lock();
        if !(state.ready.is_empty() && state.posted.is_empty()) {
            return Ok(true);
        }
        // A leader takes its events itself.
        let Some(mut copy) = state.begin_lead() else {
            return Ok(false);
        };
        // With the lock: this poll does not wait, and nobody can find the lead taken by a thread
        // that takes no event.
        let polled = poll(&mut copy.entries, Some(Duration::ZERO));
        let found = state.end_lead(copy, polled.is_ok());
        polled?;
        Ok(found > 0)
    }

    fn post(&self, token: Token) {
        let mut state = self.lock();
        state.posted.push_back(token);
        // A leader looks at the tokens after its poll, a follower when it is woken.
        let must_interrupt = state.following == 0 && state.must_interrupt();
        self.hand_over(&state);
        drop(state);
        if must_interrupt {
            self.interrupt();
        }
    }

    fn wake(&self) {
        self.lock().is_woken = true;
        self.changed.notify_all();
        self.interrupt();
    }
}

fn checked(source: Source<'_>, token: Token) -> io::Result<Borrowed<'_>> {
    if token.0 >= RESERVED {
        let kind = io::ErrorKind::InvalidInput;
        return Err(io::Error::new(kind, "a reserved token"));
    }
    match source {
        Source::Descriptor(descriptor) => Ok(descriptor),
        Source::Named(..) => Err(io::ErrorKind::Unsupported.into()),
    }
}

/// A socket on loopback that receives what it sends, by IPv4 or, on a machine without it, by IPv6.
fn connected_to_itself() -> io::Result<UdpSocket> {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))
        .or_else(|_| UdpSocket::bind((Ipv6Addr::LOCALHOST, 0)))?;
    // From now on only its own datagrams arrive.
    socket.connect(socket.local_addr()?)?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}

#[cfg(unix)]
fn borrow(socket: &UdpSocket) -> Borrowed<'_> {
    socket.as_fd()
}

#[cfg(windows)]
fn borrow(socket: &UdpSocket) -> Borrowed<'_> {
    socket.as_socket()
}
