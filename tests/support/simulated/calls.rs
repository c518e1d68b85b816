//! The system calls: what the server finds when it asks.

use super::{InjectedFault, LISTENER, Link, Outside, Registration, System, Wait};
use doorstep::internals::sys::{
    Accept, Clock, Interest, Poller, Socket, Source, Stream, Threads, Token, Wake, Work,
};
use std::io::{self, IoSlice, Read, Write};
use std::marker::PhantomData;
use std::net::SocketAddr;
use std::time::{Duration, SystemTime};

fn number_of(source: Source<'_>) -> usize {
    match source {
        Source::Named(number, _) => number as usize,
        Source::Descriptor(_) => unreachable!("every source here has a name"),
    }
}

impl<O: Outside> std::fmt::Debug for System<O> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("System")
    }
}

impl<O: Outside> Clock for System<O> {
    fn now(&self) -> (Duration, SystemTime) {
        let state = self.state();
        let wall = state.wall.unwrap_or(SystemTime::UNIX_EPOCH + state.now);
        (state.now, wall)
    }
}

impl<O: Outside> Threads for System<O> {
    /// It runs later: see [`System::run_thread`].
    fn start(&self, _: &str, work: Work) -> io::Result<()> {
        let mut state = self.state();
        if state.thread_fails() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        state.progress += 1;
        state.threads.push_back(work);
        Ok(())
    }
}

impl<O: Outside> Poller for System<O> {
    fn add(&self, source: Source<'_>, token: Token, interest: Interest) -> io::Result<()> {
        let (number, mut state) = (number_of(source), self.state());
        if state.arming_fails(number) {
            return Err(io::ErrorKind::OutOfMemory.into());
        }
        let known = Registration {
            token,
            interest,
            armed: true,
        };
        match state.registrations.insert(number, known) {
            None => Ok(()),
            Some(_) => Err(state.breach("adds what is registered")),
        }
    }

    fn arm(&self, source: Source<'_>, token: Token, interest: Interest) -> io::Result<()> {
        let (number, mut state) = (number_of(source), self.state());
        if state.arming_fails(number) {
            return Err(io::ErrorKind::OutOfMemory.into());
        }
        let lost = state.has(InjectedFault::LostArming);
        match state.registrations.get_mut(&number) {
            Some(known) if known.token == token => {
                (known.interest, known.armed) = (interest, !lost);
            }
            Some(_) => return Err(state.breach("arms a stranger")),
            None => return Err(state.breach("arms what is not registered")),
        }
        let act = state.when_armed.take();
        drop(state);
        if let Some(act) = act {
            act();
        }
        Ok(())
    }

    fn remove(&self, source: Source<'_>, token: Token) -> io::Result<()> {
        let (number, mut state) = (number_of(source), self.state());
        match state.registrations.remove(&number) {
            Some(known) if known.token == token => Ok(()),
            Some(_) => Err(state.breach("removes a stranger")),
            None => Err(state.breach("removes what is not registered")),
        }
    }

    fn wait(&self, _: Option<Duration>) -> io::Result<Wake> {
        Ok(Wake::TimedOut)
    }

    fn waiting(&self) -> usize {
        usize::from(!self.state().busy)
    }

    fn pending(&self) -> io::Result<bool> {
        // Nobody else would take an event, so the pool has no reason to grow.
        Ok(false)
    }

    fn post(&self, token: Token) {
        self.state().posted.push_back(token);
    }

    fn wake(&self) {}
}

/// The listener.
pub struct Door<O>(pub System<O>);

impl<O: Outside> Accept for Door<O> {
    fn source(&self) -> Source<'_> {
        Source::Named(LISTENER as u64, PhantomData)
    }

    fn accept(&self) -> io::Result<(Stream, Option<SocketAddr>)> {
        let mut state = self.0.state();
        state.accepts += 1;
        if let Some(error) = state.accept_error() {
            return Err(error);
        }
        let queued = state.queue.pop_front();
        let link = queued.unwrap_or(Err(io::ErrorKind::WouldBlock.into()))?;
        state.progress += 1;
        let peer = state.links[link].peer;
        drop(state);
        Ok((self.0.stream(link), peer))
    }
}

/// The server's end of a link.
pub struct Plug<O: Outside> {
    pub system: System<O>,
    pub link: usize,
    pub number: usize,
}

impl<O: Outside> Read for Plug<O> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut state = self.system.state();
        state.call()?;
        if buffer.is_empty() {
            return Err(state.breach("reads into an empty buffer"));
        }
        let swapped = state.has(InjectedFault::SwappedBytes);
        let link = &mut state.links[self.link];
        link.reads += 1;
        if link.reset {
            state.progress += 1;
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        let (here, ends) = (link.sent.len() - link.read, link.half_closed);
        let (whole, count) = match link.flood.is_empty() {
            true => {
                let whole = here.min(buffer.len());
                (whole, state.read_part(whole))
            }
            // There is always more.
            false => (buffer.len(), buffer.len()),
        };
        if count == 0 && !(whole == 0 && ends) {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        state.links[self.link].give(&mut buffer[..count]);
        if swapped && count > 1 {
            buffer.swap(0, 1);
        }
        state.progress += 1;
        Ok(count)
    }
}

impl Link {
    /// The next bytes on their way to the server, which are there.
    fn give(&mut self, buffer: &mut [u8]) {
        let here = &self.sent[self.read..];
        let count = here.len().min(buffer.len());
        buffer[..count].copy_from_slice(&here[..count]);
        self.read += count;
        let mut rest = &mut buffer[count..];
        while !rest.is_empty() {
            let next = &self.flood[self.flooded..];
            let length = next.len().min(rest.len());
            let (here, later) = rest.split_at_mut(length);
            here.copy_from_slice(&next[..here.len()]);
            self.flooded = (self.flooded + here.len()) % self.flood.len();
            rest = later;
        }
    }
}

impl<O: Outside> Write for Plug<O> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_vectored(&[IoSlice::new(bytes)])
    }

    fn write_vectored(&mut self, pieces: &[IoSlice<'_>]) -> io::Result<usize> {
        let mut state = self.system.state();
        state.call()?;
        let lost = state.has(InjectedFault::LostByte);
        let first = pieces.iter().position(|piece| !piece.is_empty());
        let Some(first) = first else {
            return Err(state.breach("writes nothing"));
        };
        let pieces = match state.takes_one_piece() {
            true => &pieces[first..=first],
            false => pieces,
        };
        let whole: usize = pieces.iter().map(|piece| piece.len()).sum();
        let link = &state.links[self.link];
        if link.write_closed {
            return Err(state.breach("writes after the end"));
        }
        if link.reset {
            state.progress += 1;
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        let room = link.room;
        let count = state.write_part(whole.min(room));
        if count == 0 {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let link = &mut state.links[self.link];
        let mut left = count;
        for piece in pieces {
            let part = &piece[..left.min(piece.len())];
            link.taken.extend_from_slice(part);
            left -= part.len();
        }
        if lost {
            link.taken.pop();
        }
        if room != usize::MAX {
            link.room -= count;
        }
        link.writes.push(count);
        state.progress += 1;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<O: Outside> Socket for Plug<O> {
    fn source(&self) -> Source<'_> {
        Source::Named(self.number as u64, PhantomData)
    }

    fn shutdown_write(&mut self) -> io::Result<()> {
        let mut state = self.system.state();
        if state.links[self.link].write_closed {
            return Err(state.breach("closes its write side twice"));
        }
        state.links[self.link].write_closed = true;
        Ok(())
    }

    fn is_reset(&mut self) -> bool {
        let link = &mut self.system.state().links[self.link];
        link.looks += 1;
        link.reset
    }

    /// Blocks this thread of the server, not the outside.
    fn wait(&mut self, interest: Interest, timeout: Duration) -> io::Result<bool> {
        let mut state = self.system.state();
        let since = state.now;
        let link = &mut state.links[self.link];
        link.waits.push(Wait {
            since,
            timeout,
            interest,
            taken: link.taken.len(),
        });
        loop {
            if state.is_ready(self.number, interest) {
                return Ok(true);
            }
            if state.now >= since + timeout {
                if let Some((until, link, act)) = state.pause.take() {
                    state.now = until;
                    state.act(link, act);
                }
                return Ok(false);
            }
            O::pass(&mut state, since + timeout);
        }
    }
}

impl<O: Outside> Drop for Plug<O> {
    fn drop(&mut self) {
        let mut state = self.system.state();
        if state.registrations.remove(&self.number).is_some() {
            state.breach("closes what is registered");
        }
        state.numbers.remove(&self.number);
        state.free.insert(self.number);
        let link = &mut state.links[self.link];
        link.number = None;
        link.dropped = true;
        link.was_cut = link.read < link.sent.len() || !link.flood.is_empty();
        state.progress += 1;
    }
}
