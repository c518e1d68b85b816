//! What stands in for the system's calls: a one-shot poller, a listener, sockets, threads. Everything that they know is in the
//! [`World`].

use super::world::{Network, Registration, World};
use doorstep::internals::sys::{
    Accept, Interest, Poller, Socket, Source, Stream, Threads, Token, Wake, Work,
};
use std::collections::VecDeque;
use std::io::{self, IoSlice, Read, Write};
use std::marker::PhantomData;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// The listener's descriptor; links have the numbers behind it, the lowest that is free.
pub const LISTENER: usize = 0;

/// Faults of the system that can be planted.
const LOST_ARMING: &str = "an arming is lost";
const LOST_OCTET: &str = "an octet of an answer is lost";
const SWAPPED_OCTETS: &str = "two octets change places on their way in";
#[cfg(test)]
pub const FAULTS: [&str; 3] = [LOST_ARMING, LOST_OCTET, SWAPPED_OCTETS];

fn number_of(source: Source<'_>) -> usize {
    match source {
        Source::Named(number, _) => number as usize,
        Source::Descriptor(_) => unreachable!("every source here has a name"),
    }
}

impl World {
    fn arm_fails(&mut self, number: usize) -> bool {
        let fails = std::mem::take(&mut self.trouble.unarmed);
        if fails {
            self.hindered = true;
            if let Some(link) = self.numbers.get(number).copied().flatten() {
                self.links[link].unarmed = true;
            }
        }
        fails
    }
}

impl Poller for Network {
    fn add(&self, source: Source<'_>, token: Token, interest: Interest) -> io::Result<()> {
        let number = number_of(source);
        let mut world = self.world();
        if world.arm_fails(number) {
            return Err(io::ErrorKind::OutOfMemory.into());
        }
        let most = world.registrations.len().max(number + 1);
        world.registrations.resize_with(most, || None);
        if world.registrations[number].is_some() {
            return Err(world.breach("adds what is registered"));
        }
        world.registrations[number] = Some(Registration {
            token,
            interest,
            armed: true,
        });
        Ok(())
    }

    fn arm(&self, source: Source<'_>, token: Token, interest: Interest) -> io::Result<()> {
        let number = number_of(source);
        let mut world = self.world();
        if world.arm_fails(number) {
            return Err(io::ErrorKind::OutOfMemory.into());
        }
        let lost = world.has(LOST_ARMING);
        match world.registrations.get_mut(number) {
            Some(Some(known)) if known.token == token => {
                known.interest = interest;
                known.armed = !lost;
                Ok(())
            }
            _ => Err(world.breach("arms a stranger")),
        }
    }

    fn remove(&self, source: Source<'_>, token: Token) -> io::Result<()> {
        let number = number_of(source);
        let mut world = self.world();
        let known = world.registrations.get_mut(number).and_then(Option::take);
        if known.is_none_or(|known| known.token != token) {
            return Err(world.breach("removes a stranger"));
        }
        Ok(())
    }

    fn wait(&self, _: Option<Duration>) -> io::Result<Wake> {
        Ok(Wake::TimedOut)
    }

    fn waiting(&self) -> usize {
        usize::from(!self.world().held)
    }

    fn pending(&self) -> io::Result<bool> {
        // Nobody else would take it, so the pool has no reason to grow.
        Ok(false)
    }

    fn wake(&self) {}
}

/// Threads that have been started and have not run yet.
#[derive(Clone)]
pub struct Later(pub Network, pub Arc<Mutex<VecDeque<Work>>>);

impl Threads for Later {
    fn start(&self, _: &str, work: Work) -> io::Result<()> {
        let mut world = self.0.world();
        if std::mem::take(&mut world.trouble.thread) {
            world.lacks = true;
            return Err(io::ErrorKind::WouldBlock.into());
        }
        world.progress += 1;
        let mut waiting = self.1.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.push_back(work);
        Ok(())
    }
}

pub struct Door(pub Network);

impl Accept for Door {
    fn source(&self) -> Source<'_> {
        Source::Named(LISTENER as u64, PhantomData)
    }

    fn accept(&self) -> io::Result<(Stream, Option<SocketAddr>)> {
        let mut world = self.0.world();
        if let Some(number) = world.trouble.accept.take() {
            world.hindered = true;
            world.lacks |= number.is_some();
            let gone = io::ErrorKind::ConnectionAborted.into();
            return Err(number.map_or(gone, io::Error::from_raw_os_error));
        }
        let Some(link) = world.queue.pop_front() else {
            return Err(io::ErrorKind::WouldBlock.into());
        };
        world.progress += 1;
        let free = (1..world.numbers.len()).find(|&number| world.numbers[number].is_none());
        let number = free.unwrap_or(world.numbers.len());
        let most = world.numbers.len().max(number + 1);
        world.numbers.resize(most, None);
        world.numbers[number] = Some(link);
        let socket = Plug {
            network: self.0.clone(),
            link,
            number,
        };
        // The port says which link it is, for the handler and the observer.
        let peer = SocketAddr::from(([127, 0, 0, 1], link as u16));
        Ok((Stream::Other(Box::new(socket)), Some(peer)))
    }
}

/// The server's end of a link.
struct Plug {
    network: Network,
    link: usize,
    number: usize,
}

impl Read for Plug {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut world = self.network.world();
        world.call()?;
        if buffer.is_empty() {
            return Err(world.breach("reads into no room"));
        }
        let is_half = std::mem::take(&mut world.trouble.half_read);
        let swapped = world.has(SWAPPED_OCTETS);
        let link = &mut world.links[self.link];
        if link.reset {
            world.progress += 1;
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        let here = &link.sent[link.read..];
        let mut count = here.len().min(buffer.len());
        if is_half {
            count = count.div_ceil(2);
        }
        let is_short = count < here.len().min(buffer.len());
        if count == 0 && !link.half_closed {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        buffer[..count].copy_from_slice(&here[..count]);
        if swapped && count > 1 {
            buffer.swap(0, 1);
        }
        link.read += count;
        // As if the rest had come since.
        world.hindered |= is_short;
        world.progress += 1;
        Ok(count)
    }
}

impl Write for Plug {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.write_vectored(&[IoSlice::new(octets)])
    }

    fn write_vectored(&mut self, pieces: &[IoSlice<'_>]) -> io::Result<usize> {
        let mut world = self.network.world();
        world.call()?;
        let is_half = std::mem::take(&mut world.trouble.half_write);
        let lost = world.has(LOST_OCTET);
        let whole: usize = pieces.iter().map(|piece| piece.len()).sum();
        if whole == 0 {
            return Err(world.breach("writes nothing"));
        }
        let link = &mut world.links[self.link];
        if link.write_closed {
            return Err(world.breach("writes behind the end"));
        }
        if link.reset {
            world.progress += 1;
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        let mut count = whole.min(link.room);
        if is_half {
            count = count.div_ceil(2);
        }
        if count == 0 {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let mut left = count;
        for piece in pieces {
            let part = &piece[..left.min(piece.len())];
            link.taken.extend_from_slice(part);
            left -= part.len();
        }
        if lost {
            link.taken.pop();
        }
        if link.room != usize::MAX {
            link.room -= count;
        }
        world.progress += 1;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Socket for Plug {
    fn source(&self) -> Source<'_> {
        Source::Named(self.number as u64, PhantomData)
    }

    fn shutdown_write(&mut self) -> io::Result<()> {
        let mut world = self.network.world();
        if world.links[self.link].write_closed {
            return Err(world.breach("closes its write side twice"));
        }
        world.links[self.link].write_closed = true;
        Ok(())
    }

    fn is_reset(&mut self) -> bool {
        self.network.world().links[self.link].reset
    }

    /// Blocks the only worker, not the world: the script goes on, and when it is at its end, the time is soon over.
    fn wait(&mut self, interest: Interest, timeout: Duration) -> io::Result<bool> {
        let mut world = self.network.world();
        if interest == Interest::Read {
            world.note_wait(self.link);
        }
        let end = world.now + timeout;
        loop {
            if world.is_ready(self.number, interest) {
                return Ok(true);
            }
            if world.now >= end {
                return Ok(false);
            }
            match world.next_op() {
                Some(op) => world.act(op),
                None => {
                    world.finish();
                    if !world.is_ready(self.number, interest) {
                        world.now = end;
                    }
                }
            }
        }
    }
}

impl Drop for Plug {
    fn drop(&mut self) {
        let mut world = self.network.world();
        if matches!(world.registrations.get(self.number), Some(Some(_))) {
            world.breach("closes what is registered");
        }
        world.numbers[self.number] = None;
        world.links[self.link].dropped = true;
        world.progress += 1;
    }
}
