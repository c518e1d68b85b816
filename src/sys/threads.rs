//! Starts threads. Nobody waits for one here: whoever needs the end of threads counts them.

use std::io;
use std::thread;

/// What a thread does.
pub type Work = Box<dyn FnOnce() + Send>;

/// Starts threads, or what stands for them in a simulation.
pub trait Threads: Send + Sync {
    /// Starts a thread for this work.
    ///
    /// # Errors
    /// Those of pthread_create(3): mostly EAGAIN, when the process or the user has too many
    /// threads, or no memory is left for a stack.
    fn start(&self, name: &str, work: Work) -> io::Result<()>;
}

/// The operating system's threads.
#[derive(Debug)]
pub struct SystemThreads;

impl Threads for SystemThreads {
    fn start(&self, name: &str, work: Work) -> io::Result<()> {
        let builder = thread::Builder::new().name(name.to_string());
        builder.spawn(work).map(drop)
    }
}
