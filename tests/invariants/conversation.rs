//! Whatever a client sends, however it is cut into reads and writes and whatever the clock does,
//! what comes back is whole answers in order, at most one to each request that a naive reading of
//! its bytes finds, and to no other; a connection ends once, for a reason that is true, and leaves
//! nothing after.

#[path = "conversation/answers.rs"]
mod answers;
#[path = "conversation/clients.rs"]
mod clients;
#[path = "conversation/handler.rs"]
mod handler;
#[path = "conversation/judge.rs"]
mod judge;
#[path = "conversation/link.rs"]
mod link;
#[path = "../oracle/mod.rs"]
mod oracle;
#[path = "conversation/requests.rs"]
mod requests;
#[path = "conversation/responses.rs"]
mod responses;
#[path = "conversation/script.rs"]
mod script;

use crate::support::server::{Housekeeper, Shared, Worker, put_together};
use crate::support::simulated::{InjectedFault, System};
use clients::Clients;
use doorstep::ShutdownReport;
use doorstep::internals::conn::{Config, Moment};
use doorstep::internals::limits::REQUESTS_PER_TURN;
use doorstep::internals::sys::Token;
use handler::Answers;
use link::Log;
use script::Op;
use std::sync::Arc;
use std::time::Duration;

/// How often the clock is put forward, beyond every deadline, until all connections have ended: a
/// deadline that is over may lead to one last wait, that of the client for the last answer.
const ROUNDS: usize = 5;

/// Panics when the sentence above does not hold for this script (see `conversation/script.rs`) and
/// these bytes.
pub fn check(input: &[u8]) {
    if let Err(why) = run(input, None) {
        panic!("{why}");
    }
}

/// Answers why the sentence does not hold, with a fault of the system's that it has to find, if
/// any.
pub fn run(input: &[u8], fault: Option<InjectedFault>) -> Result<(), String> {
    let mut run = Run::new(input, fault);
    run.play()?;
    run.system.state().finish();
    // The second time for what has become idle in the first.
    for _ in 0..2 {
        run.sweep()?;
        run.hand_over()?;
    }
    run.judge(true)?;
    for _ in 0..ROUNDS {
        run.system.state().now += Duration::from_secs(100);
        run.sweep()?;
        run.hand_over()?;
    }
    run.judge(false)?;
    run.leaves_nothing()
}

/// Limits that short inputs reach.
fn config() -> Config {
    let mut config = Config::default();
    let limits = &mut config.limits;
    limits.head_bytes = 400;
    limits.headers = 6;
    limits.target_bytes = 60;
    limits.body_bytes = 1_000;
    limits.chunk_line_bytes = 20;
    limits.trailer_bytes = 40;
    limits.connections = 2;
    limits.requests_per_connection = Some(100);
    limits.discard_bytes = 300;
    limits.write_buffer_bytes = 500;
    limits.parked_bytes = 40_000;
    limits.detached_threads = 1;
    config
}

/// Events in a row that need lead to nothing, one for each connection: what it waited for may have
/// happened in a sweep.
const FRUITLESS_MOST: usize = 3;

struct Run {
    system: System<Clients>,
    shared: Arc<Shared>,
    worker: Worker,
    housekeeper: Housekeeper,
    has_stopped: bool,
    ended: Option<ShutdownReport>,
}

impl Run {
    fn new(input: &[u8], fault: Option<InjectedFault>) -> Run {
        let (script, octets) = script::take_apart(input);
        let system = clients::system(script, octets, fault);
        let handler = Answers(system.clone());
        let log = Box::new(Log(system.clone()));
        let threads = Box::new(system.clone());
        let shared = put_together(&system, handler, config(), Some(log), threads);
        system.state().outside.shared = Arc::downgrade(&shared);
        Run {
            worker: Worker::new(shared.clone()),
            housekeeper: Housekeeper::new(shared.clone()),
            system,
            shared,
            has_stopped: false,
            ended: None,
        }
    }

    /// Plays the script to its end. A handler that waits for its client plays some of it as well.
    fn play(&mut self) -> Result<(), String> {
        loop {
            // In a statement of its own: the world is free again after it.
            let op = self.system.state().outside.script.pop_front();
            let Some(op) = op else {
                return Ok(());
            };
            match op {
                Op::Hold => self.system.state().busy = true,
                Op::Resume => self.system.state().busy = false,
                Op::Sweep => self.sweep()?,
                Op::OldEvent => {
                    let old = self.system.state().old_event();
                    if let Some(token) = old {
                        self.turn(token)?;
                    }
                }
                op => self.system.state().perform(op),
            }
            self.stop();
            // In a statement of its own, too.
            let held = self.system.state().busy;
            if !held {
                self.hand_over()?;
            }
        }
    }

    /// Hands over events until none is due. They lead to something, or the next wait is for
    /// something else.
    fn hand_over(&mut self) -> Result<(), String> {
        let mut fruitless = 0;
        loop {
            let (before, token) = {
                let mut world = self.system.state();
                (world.progress, world.take_event())
            };
            match token {
                Some(token) => self.turn(token)?,
                None if self.system.run_thread() => continue,
                None => return Ok(()),
            }
            self.stop();
            let world = self.system.state();
            let is_fruitless = world.progress == before && !world.hindered;
            fruitless = if is_fruitless { fruitless + 1 } else { 0 };
            if fruitless > FRUITLESS_MOST {
                let about = world.last_event();
                return Err(format!("turns that do nothing, the last one: {about}"));
            }
        }
    }

    fn begin_turn(&self) {
        let mut world = self.system.state();
        world.begin_turn();
        world.outside.calls_in_turn = 0;
    }

    fn turn(&mut self, token: Token) -> Result<(), String> {
        self.begin_turn();
        self.worker.turn(token);
        let kept = self.shared.budget.held();
        if kept > self.shared.config.limits.parked_bytes {
            return Err(format!("{kept} bytes are kept"));
        }
        let world = self.system.state();
        match world.outside.calls_in_turn <= REQUESTS_PER_TURN {
            true => Ok(()),
            false => Err(format!(
                "{} requests in one turn",
                world.outside.calls_in_turn
            )),
        }
    }

    /// Begins the shutdown, if it has been asked for.
    fn stop(&mut self) {
        let is_asked = self.system.state().outside.until.is_some();
        if is_asked && !self.has_stopped {
            self.has_stopped = true;
            self.begin_turn();
            let mut world = self.system.state();
            world.outside.stopped = Some(world.now);
            drop(world);
            self.housekeeper.stop();
        }
    }

    /// What the housekeeper does from time to time.
    fn sweep(&mut self) -> Result<(), String> {
        let until = {
            let mut world = self.system.state();
            world.begin_turn();
            world.outside.until
        };
        match until.map(Moment::at) {
            None => self.housekeeper.sweep(),
            Some(until) if self.ended.is_none() => {
                self.ended = self.housekeeper.finish(until);
                let is_early = Moment::at(self.system.state().now) < until;
                if self.ended.is_some_and(|ended| ended.aborted > 0) && is_early {
                    return Err("somebody was cut before the grace was over".into());
                }
            }
            Some(_) => {}
        }
        Ok(())
    }

    fn judge(&self, is_open: bool) -> Result<(), String> {
        let world = self.system.state();
        if let Some(breach) = world.breaches.first() {
            return Err(format!("the server {breach}"));
        }
        (0..world.links.len())
            .try_for_each(|link| judge::judge(&world, link, &self.shared.config, is_open))
    }

    fn leaves_nothing(&self) -> Result<(), String> {
        let world = self.system.state();
        let left = (
            self.shared.slots.occupied(),
            self.shared.budget.held(),
            self.shared.listeners.is_admitting(),
            world.registered(),
            world.is_queue_empty(),
            world.links.iter().filter(|link| !link.dropped).count(),
        );
        match left {
            (0, 0, false, 0, true, 0) => Ok(()),
            _ => Err(format!("left after: {left:?}")),
        }
    }
}
