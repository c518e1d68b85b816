//! The pool: the threads around the workers.

use super::shared::Shared;
use super::shutdown::Signal;
use super::slots::lock;
use super::worker::Worker;
use crate::conn::Moment;
use crate::limits::WORKERS_END_WITHIN;
use std::io;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;

/// The running workers of a server.
pub struct Pool {
    state: Arc<State>,
}

struct State {
    running: Mutex<Running>,
    changed: Condvar,
}

struct Running {
    count: usize,
    failure: Option<io::Error>,
}

impl Pool {
    /// Starts so many workers. When one cannot be started, the others are still running and end with the poller.
    ///
    /// # Errors
    /// Those of starting a thread.
    pub fn start(
        shared: &Arc<Shared>,
        signal: &Arc<Signal>,
        count: usize,
    ) -> (Pool, io::Result<()>) {
        let running = Mutex::new(Running {
            count: 0,
            failure: None,
        });
        let pool = Pool {
            state: Arc::new(State {
                running,
                changed: Condvar::new(),
            }),
        };
        let started = (0..count).try_for_each(|number| pool.start_one(shared, signal, number));
        (pool, started)
    }

    fn start_one(
        &self,
        shared: &Arc<Shared>,
        signal: &Arc<Signal>,
        number: usize,
    ) -> io::Result<()> {
        let mut worker = Worker::new(shared.clone());
        let signal = signal.clone();
        let presence = Presence::new(self.state.clone());
        let work = move || {
            // The count goes down after the worker has let go of what it shares: who waited for the workers finds every
            // descriptor closed.
            let presence = presence;
            let failure = worker.run().err();
            drop(worker);
            if let Some(error) = failure {
                // Without its poller a server is deaf: it ends, and `join` tells why.
                presence.fail(error);
                signal.ask(Moment(0));
            }
        };
        thread::Builder::new()
            .name(format!("doorstep-{number}"))
            .spawn(work)
            .map(drop)
    }

    /// Waits for the workers, whose poller has been woken. One that is inside a handler that does not return is left behind.
    ///
    /// # Errors
    /// What ended a worker before its time.
    pub fn end(&self) -> io::Result<()> {
        let running = lock(&self.state.running);
        let waited =
            self.state
                .changed
                .wait_timeout_while(running, WORKERS_END_WITHIN, |running| running.count > 0);
        let mut running = waited.unwrap_or_else(PoisonError::into_inner).0;
        running.failure.take().map_or(Ok(()), Err)
    }
}

/// One worker's place in the count, from before its thread starts until it ends, in whatever way.
struct Presence {
    state: Arc<State>,
}

impl Presence {
    fn new(state: Arc<State>) -> Presence {
        lock(&state.running).count += 1;
        Presence { state }
    }

    fn fail(&self, error: io::Error) {
        lock(&self.state.running).failure.get_or_insert(error);
    }
}

impl Drop for Presence {
    fn drop(&mut self) {
        lock(&self.state.running).count -= 1;
        self.state.changed.notify_all();
    }
}
