//! Starting threads.
//!
//! In: a name, and what the thread is to do. Out: whether it was started. Never: a thread that somebody waits for here; who needs
//! the end of one counts it.

use std::io;
use std::thread;

/// What a thread does.
pub type Work = Box<dyn FnOnce() + Send>;

/// Starts threads; in a simulation, whatever stands for them.
pub trait Threads: Send + Sync {
    /// Starts a thread that does this.
    ///
    /// # Errors
    /// Those of pthread_create(3): mostly EAGAIN, when the process or the user has too many threads, or no memory is left for a stack.
    fn start(&self, name: &str, work: Work) -> io::Result<()>;
}

/// The operating system's threads.
#[derive(Debug)]
pub struct SystemThreads;

impl Threads for SystemThreads {
    fn start(&self, name: &str, work: Work) -> io::Result<()> {
        thread::Builder::new()
            .name(name.to_string())
            .spawn(work)
            .map(drop)
    }
}
