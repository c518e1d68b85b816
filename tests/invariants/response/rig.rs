//! One connection to the whole server, in memory: all that the client sends is there at once and then its end, and all that comes
//! back is taken.

use doorstep::Handler;
use doorstep::internals::conn::Config;
use doorstep::internals::server::{Listeners, Shared, Worker};
use doorstep::internals::sys::{
    Accept, Clock, Interest, Listener, Poller, Socket, Source, Stream, Threads, Token, Wake, Work,
};
use std::io::{self, Read, Write};
use std::marker::PhantomData;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// More turns than any exchange takes.
const TURNS_MOST: usize = 50;

/// What `handler` answers to `octets`.
pub fn exchange(handler: impl Handler, octets: Vec<u8>) -> Vec<u8> {
    let wire = Wire(Arc::default());
    wire.state().sent = octets;
    let mut config = Config::default();
    config.limits.connections = 1;
    let mut shared = Shared::new(
        Box::new(wire.clone()),
        Box::new(wire.clone()),
        Box::new(handler),
        config,
        Listeners::new(vec![Listener::Other(Box::new(wire.clone()))]),
    );
    shared.threads = Box::new(wire.clone());
    let shared = Arc::new(shared);
    let registered = shared.listeners.register(&*shared.poller);
    registered.expect("nothing stands in its way");
    let mut worker = Worker::new(shared);
    for _ in 0..TURNS_MOST {
        let next = wire.next();
        match next {
            Next::Turn(token) => worker.turn(token),
            Next::Work(work) => work(),
            Next::Nothing => {
                assert!(wire.state().has_ended, "the connection stays open");
                return std::mem::take(&mut wire.state().taken);
            }
        }
    }
    panic!("no end of turns");
}

enum Next {
    Turn(Token),
    Work(Work),
    Nothing,
}

#[derive(Clone)]
struct Wire(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    sent: Vec<u8>,
    read: usize,
    taken: Vec<u8>,
    is_accepted: bool,
    has_ended: bool,
    /// Whom to tell of the listener (0) and of the connection (1), if they are armed.
    armed: [Option<Token>; 2],
    threads: Vec<Work>,
}

impl Wire {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The connection is always ready; the listener is until it has been accepted.
    fn next(&self) -> Next {
        let mut state = self.state();
        let listener = if state.is_accepted {
            None
        } else {
            state.armed[0].take()
        };
        if let Some(token) = state.armed[1].take().or(listener) {
            return Next::Turn(token);
        }
        state.threads.pop().map_or(Next::Nothing, Next::Work)
    }

    fn arm(&self, source: Source<'_>, token: Option<Token>) {
        match source {
            Source::Named(number, _) => self.state().armed[number as usize] = token,
            Source::Descriptor(_) => unreachable!("every source here has a name"),
        }
    }
}

impl std::fmt::Debug for Wire {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Wire")
    }
}

impl Poller for Wire {
    fn add(&self, source: Source<'_>, token: Token, _: Interest) -> io::Result<()> {
        self.arm(source, Some(token));
        Ok(())
    }

    fn arm(&self, source: Source<'_>, token: Token, _: Interest) -> io::Result<()> {
        self.arm(source, Some(token));
        Ok(())
    }

    fn remove(&self, source: Source<'_>, _: Token) -> io::Result<()> {
        self.arm(source, None);
        Ok(())
    }

    fn wait(&self, _: Option<Duration>) -> io::Result<Wake> {
        Ok(Wake::TimedOut)
    }

    fn waiting(&self) -> usize {
        1
    }

    fn pending(&self) -> io::Result<bool> {
        Ok(false)
    }

    fn wake(&self) {}
}

impl Clock for Wire {
    fn now(&self) -> (Duration, SystemTime) {
        (
            Duration::from_secs(1),
            UNIX_EPOCH + Duration::from_secs(784_111_777),
        )
    }
}

impl Threads for Wire {
    fn start(&self, _: &str, work: Work) -> io::Result<()> {
        self.state().threads.push(work);
        Ok(())
    }
}

impl Accept for Wire {
    fn source(&self) -> Source<'_> {
        Source::Named(0, PhantomData)
    }

    fn accept(&self) -> io::Result<(Stream, Option<SocketAddr>)> {
        if std::mem::replace(&mut self.state().is_accepted, true) {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        Ok((Stream::Other(Box::new(Plug(self.clone()))), None))
    }
}

/// The server's end of the connection.
struct Plug(Wire);

impl Read for Plug {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let state = &mut *self.0.state();
        let here = &state.sent[state.read..];
        let count = here.len().min(buffer.len());
        buffer[..count].copy_from_slice(&here[..count]);
        state.read += count;
        Ok(count)
    }
}

impl Write for Plug {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.0.state().taken.extend_from_slice(octets);
        Ok(octets.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Socket for Plug {
    fn source(&self) -> Source<'_> {
        Source::Named(1, PhantomData)
    }

    fn shutdown_write(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn wait(&mut self, _: Interest, _: Duration) -> io::Result<bool> {
        Ok(true)
    }
}

impl Drop for Plug {
    fn drop(&mut self) {
        self.0.state().has_ended = true;
    }
}
