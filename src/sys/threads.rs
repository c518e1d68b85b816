//! Starts threads, and tells what they use. Nobody waits for one here: whoever needs the end of
//! threads counts them.

use super::platform::thread_time;
use std::io;
use std::thread;
use std::time::Duration;

/// What a thread does.
pub type Work = Box<dyn FnOnce() + Send>;

/// Tells any thread what another one does. To be asked only while that one lives: another thread
/// may get its number afterwards.
pub trait ThreadProbe: Send + Sync {
    /// The processor time that the thread has used.
    fn time(&self) -> Option<Duration>;
    /// Whether the thread would run if it had a processor; otherwise it waits for something else.
    /// Ask seldom: Linux has this in a file.
    fn is_runnable(&self) -> Option<bool>;
}

/// What a thread has used since it began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Processor time.
    pub time: Duration,
    /// How often it gave the processor away because it had to wait.
    pub waits: u64,
}

/// Starts threads, or what stands for them in a simulation.
pub trait Threads: Send + Sync {
    /// Starts a thread for this work.
    ///
    /// # Errors
    /// Those of pthread_create(3): mostly EAGAIN, when the process or the user has too many
    /// threads, or no memory is left for a stack.
    fn start(&self, name: &str, work: Work) -> io::Result<()>;

    /// A probe of the calling thread, if the system has one.
    fn probe(&self) -> Option<Box<dyn ThreadProbe>> {
        None
    }

    /// What the calling thread has used, if that is known.
    fn usage(&self) -> Option<Usage> {
        None
    }
}

/// The operating system's threads.
#[derive(Debug)]
pub struct SystemThreads;

impl Threads for SystemThreads {
    fn start(&self, name: &str, work: Work) -> io::Result<()> {
        let builder = thread::Builder::new().name(name.to_string());
        builder.spawn(work).map(drop)
    }

    fn probe(&self) -> Option<Box<dyn ThreadProbe>> {
        Some(Box::new(thread_time::Probe::of_this_thread()?))
    }

    fn usage(&self) -> Option<Usage> {
        thread_time::usage()
    }
}
