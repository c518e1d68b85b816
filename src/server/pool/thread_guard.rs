//! Counts the threads of a server, so that its end can wait for them.

use crate::server::base::lock::lock;
use crate::server::pool::Pool;
use crate::server::pool::heartbeat::Heartbeat;
use std::io;
use std::sync::Arc;

/// Counts one thread, from before it starts until it ends, in whatever way.
#[derive(Debug)]
pub struct ThreadGuard {
    pool: Arc<Pool>,
    heartbeat: Option<Arc<Heartbeat>>,
    /// Its number among the threads started so far.
    pub number: usize,
}

impl ThreadGuard {
    /// A thread that is about to start, with its heartbeat if it is a worker's.
    pub fn of(pool: &Arc<Pool>, heartbeat: Option<Arc<Heartbeat>>) -> ThreadGuard {
        let mut state = lock(&pool.state);
        state.threads += 1;
        state.started += 1;
        state.heartbeats.extend(heartbeat.clone());
        ThreadGuard {
            pool: pool.clone(),
            heartbeat,
            number: state.started,
        }
    }

    pub fn fail(&self, error: io::Error) {
        lock(&self.pool.state).failure.get_or_insert(error);
    }
}

impl Drop for ThreadGuard {
    fn drop(&mut self) {
        let mut state = lock(&self.pool.state);
        state.threads -= 1;
        if let Some(mine) = &self.heartbeat {
            state.heartbeats.retain(|one| !Arc::ptr_eq(one, mine));
        }
        // `Pool::end` waits for the last thread.
        if state.has_ended {
            self.pool.changed.notify_all();
        }
    }
}
