//! One run: the server's parts put together over a system, driven step by step until everything is
//! over.

use super::clients::{Client, Crowd, Wanted, crowd};
use crate::support::bytes::pattern;
use crate::support::random::Random;
use crate::support::recorder::{Event, Recorder};
use crate::support::server::{Housekeeper, Shared, Worker, put_together};
use crate::support::simulated::{InjectedFault, Policy, State, System};
use doorstep::internals::conn::{Config, Moment};
use doorstep::internals::handler::gate::{Gate, Pass};
use doorstep::internals::handler::{queued, within};
use doorstep::internals::sys::Token;
use doorstep::{CloseReason, Handler, Request, Response, ShutdownReport, Status, Writer};
use std::io::{Read, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const WORKERS: usize = 2;
/// Steps of one run. A run has some thousands; a server that spins has no end.
const STEPS_MOST: usize = 400_000;
/// How often nothing may be found to do before everybody is asked.
const IDLE_MOST: usize = 60;

/// What a run has to tell.
#[derive(Debug, Default)]
pub struct Told {
    pub answers: usize,
}

/// Answers by the path's first segment; the second is a number.
struct Answers {
    system: System<Crowd>,
    hall: Hall,
}

/// A gate that lets in one, and a pass with which somebody stays inside.
#[derive(Clone, Default)]
struct Hall {
    gate: Arc<Gate>,
    held: Arc<Mutex<Option<Pass>>>,
}

impl Hall {
    /// Whoever is inside leaves. False when nobody was.
    fn leave(&self) -> bool {
        let pass = self.held.lock().expect("no fault").take();
        pass.is_some()
    }
}

impl Handler for Answers {
    fn handle(&self, request: &mut Request<'_>) -> Response {
        let mut segments = request.path().split('/').skip(1);
        let kind = segments.next().unwrap_or_default();
        let number = segments.next().and_then(|digits| digits.parse().ok());
        let number: usize = number.unwrap_or(0);
        let answer = Response::new(Status::OK);
        let reader = move || std::io::Cursor::new(pattern(number));
        match kind {
            "bytes" => answer.body(pattern(number)),
            "shared" => answer.body(Arc::<[u8]>::from(pattern(number))),
            "chunked" => answer.stream(None, reader()),
            "stream" => answer.stream(Some(number as u64), reader()),
            "echo" => match request.body().collect() {
                Ok(content) => answer.body(content),
                Err(_) => Response::new(Status::BAD_REQUEST),
            },
            "part" => {
                let mut content = Vec::new();
                let body = request.body();
                match body.take(number as u64).read_to_end(&mut content) {
                    Ok(_) => answer.body(content),
                    Err(_) => Response::new(Status::BAD_REQUEST),
                }
            }
            "writer" => answer.writer(move |writer| write_all(writer, number)),
            "detached" => answer.detached(move |writer| write_all(writer, number)),
            "upgrade" => answer.upgrade("echo", |upgraded| {
                let mut octets = [0; 500];
                loop {
                    match upgraded.read(&mut octets)? {
                        0 => return Ok(()),
                        count => upgraded.write_all(&octets[..count])?,
                    }
                }
            }),
            "fails" => answer.writer(|writer| {
                writer.write_all(b"the beginning")?;
                Err(std::io::ErrorKind::Other.into())
            }),
            "queue" => match self.hall.gate.enter(1) {
                None => queued(&self.hall.gate),
                Some(pass) => {
                    let stays = self.system.state().policy.chance().random.one_in(2);
                    if stays {
                        *self.hall.held.lock().expect("no fault") = Some(pass);
                    }
                    answer.body(pattern(number))
                }
            },
            "gated" => within(answer.stream(None, reader()), &self.hall.gate, 1),
            // Takes so many seconds.
            "slow" => {
                self.system.state().now += Duration::from_secs(number as u64);
                answer.body(pattern(40_000))
            }
            _ => Response::new(Status::NOT_FOUND),
        }
    }
}

/// Writes in pieces, some of which are to be sent at once.
fn write_all(writer: &mut Writer<'_>, length: usize) -> std::io::Result<()> {
    for piece in pattern(length).chunks(length / 3 + 1) {
        writer.write_all(piece)?;
        if piece.len() % 2 == 0 {
            writer.flush()?;
        }
    }
    Ok(())
}

/// The server's parts, and what each worker has taken and not looked at.
struct Run {
    system: System<Crowd>,
    shared: Arc<Shared>,
    workers: Vec<(Worker, Option<Token>)>,
    housekeeper: Housekeeper,
    recorder: Recorder,
    hall: Hall,
    random: Random,
    /// Time jumps while clients are at work, who then may be cut.
    storm: bool,
    /// There is little room, so that some have to go for the sake of others.
    tight: bool,
    /// The step at which the server begins to stop.
    stops_at: Option<usize>,
    stop: Option<Stop>,
}

/// A server that stops.
struct Stop {
    /// When its grace is over.
    until: Moment,
    /// Clients that had sent a whole request, the only one without an answer, before it began.
    owed: Vec<usize>,
    ended: Option<ShutdownReport>,
}

/// A run with clients that the seed chooses.
pub fn run(seed: u64, fault: Option<InjectedFault>) -> Result<Told, String> {
    let mut random = Random::new(seed);
    let clients = crowd(&mut random);
    // One seed in three stops the server, early or late.
    let stops_at = (seed % 3 == 1).then(|| random.between(0, 3_000));
    run_whole(seed, fault, clients, stops_at)
}

/// A run with these clients.
pub fn run_clients(
    seed: u64,
    fault: Option<InjectedFault>,
    clients: Vec<Client>,
) -> Result<Told, String> {
    run_whole(seed, fault, clients, None)
}

fn run_whole(
    seed: u64,
    fault: Option<InjectedFault>,
    clients: Vec<Client>,
    stops_at: Option<usize>,
) -> Result<Told, String> {
    let whole = || {
        let mut run = Run::new(seed, fault, clients);
        run.stops_at = stops_at;
        run.until_all_is_over()?;
        run.judge()
    };
    match catch_unwind(AssertUnwindSafe(whole)) {
        Ok(told) => told,
        Err(payload) => Err(match payload.downcast_ref::<String>() {
            Some(message) => message.clone(),
            None => payload
                .downcast_ref::<&str>()
                .map_or("a panic".to_string(), |message| message.to_string()),
        }),
    }
}

impl Run {
    fn new(seed: u64, fault: Option<InjectedFault>, clients: Vec<Client>) -> Run {
        let system = System::new(Policy::random(seed, fault), Crowd(clients));
        let mut state = system.state();
        state.now = Duration::from_secs(1);
        // The workers take their events from here, never from the poller.
        state.busy = true;
        drop(state);
        let recorder = Recorder::default();
        let tight = seed % 5 == 2;
        let mut config = Config::default();
        if tight {
            config.limits.connections = 4;
            config.limits.parked_bytes = 60_000;
            config.limits.detached_threads = 1;
        }
        let hall = Hall::default();
        let handler = Answers {
            system: system.clone(),
            hall: hall.clone(),
        };
        let observer = Box::new(recorder.clone());
        let threads = Box::new(system.clone());
        let shared = put_together(&system, handler, config, Some(observer), threads);
        let workers = (0..WORKERS).map(|_| (Worker::new(shared.clone()), None));
        Run {
            workers: workers.collect(),
            housekeeper: Housekeeper::new(shared.clone()),
            system,
            shared,
            recorder,
            hall,
            random: Random::new(seed ^ 0xD00_25E9),
            storm: seed % 4 == 3,
            tight,
            stops_at: None,
            stop: None,
        }
    }

    /// Steps until no connection is left and no client has anything to do.
    fn until_all_is_over(&mut self) -> Result<(), String> {
        let mut idle = 0;
        for number in 0..STEPS_MOST {
            if self.stops_at == Some(number) {
                self.stop();
            }
            if self.step() {
                idle = 0;
                continue;
            }
            idle += 1;
            if idle < IDLE_MOST || self.anything() {
                continue;
            }
            idle = 0;
            if self.is_over() {
                return Ok(());
            }
            self.stand_still()?;
        }
        Err(format!("no end in {STEPS_MOST} steps: {}", self.left()))
    }

    /// One thing happens, or nothing.
    fn step(&mut self) -> bool {
        let worker = self.random.between(0, WORKERS - 1);
        match self.random.between(0, 19) {
            0..=9 => {
                let mut state = self.system.state();
                let count = state.outside.0.len();
                let client = self.random.between(0, count - 1);
                state.step_client(client)
            }
            10..=13 => self.take(worker),
            14..=17 => self.turn(worker),
            18 if self.random.one_in(2) => self.system.run_thread(),
            18 if self.random.one_in(2) => self.hall.leave(),
            18 => {
                self.sweep();
                false
            }
            _ => {
                let mut state = self.system.state();
                state.now += Duration::from_micros(self.random.between(0, 100) as u64);
                if self.random.one_in(20) {
                    state.set_wall();
                }
                if self.storm && self.random.one_in(100) {
                    state.now += Duration::from_secs(self.random.between(1, 100) as u64);
                }
                false
            }
        }
    }

    /// A worker takes an event, and may look at it much later.
    fn take(&mut self, worker: usize) -> bool {
        let held = &mut self.workers[worker].1;
        if held.is_none() {
            *held = self.system.state().take_event();
            return held.is_some();
        }
        false
    }

    fn turn(&mut self, worker: usize) -> bool {
        let (worker, held) = &mut self.workers[worker];
        let Some(token) = held.take() else {
            return false;
        };
        self.system.state().begin_turn();
        worker.turn(token);
        true
    }

    /// What the housekeeper does from time to time.
    fn sweep(&mut self) {
        self.system.state().begin_turn();
        match &mut self.stop {
            None => self.housekeeper.sweep(),
            Some(stop) if stop.ended.is_none() => stop.ended = self.housekeeper.finish(stop.until),
            Some(_) => {}
        }
    }

    fn stop(&mut self) {
        let mut state = self.system.state();
        state.policy.chance().late_bytes = false;
        let now = state.now;
        let owed = state.outside.0.iter().enumerate();
        let owed = owed.filter(|(_, client)| client.good && client.is_owed_one());
        let owed = owed.map(|(index, _)| index).collect();
        drop(state);
        // Mostly enough for everybody, and sometimes for few.
        let grace = match self.random.one_in(4) {
            true => Duration::from_millis(self.random.between(0, 2_000) as u64),
            false => Duration::from_secs(100_000),
        };
        let until = Moment::at(now).after(grace);
        self.system.state().begin_turn();
        self.housekeeper.stop();
        self.stop = Some(Stop {
            until,
            owed,
            ended: None,
        });
    }

    /// Asks everybody in turn.
    fn anything(&mut self) -> bool {
        let clients = self.system.state().outside.0.len();
        (0..clients).any(|client| self.system.state().step_client(client))
            || (0..WORKERS).any(|worker| self.turn(worker))
            || (0..WORKERS).any(|worker| self.take(worker))
            || self.system.run_thread()
            || self.hall.leave()
    }

    fn is_over(&self) -> bool {
        let state = self.system.state();
        // Nobody lets in a client that comes when the server has stopped.
        let mut left = state.outside.0.iter().filter(|client| !client.finished);
        let finished = match &self.stop {
            None => left.next().is_none(),
            Some(stop) => stop.ended.is_some() && left.all(|client| !state.is_accepted(client)),
        };
        finished && self.shared.slots.occupied() == 0
    }

    /// Nothing happens until time passes: then every well-behaved client must have what it asked
    /// for.
    fn stand_still(&mut self) -> Result<(), String> {
        let mut state = self.system.state();
        if !self.storm && !self.tight && self.stop.is_none() {
            for (index, client) in state.outside.0.iter().enumerate() {
                let got = &client.answers;
                if client.good
                    && client.wakes(state.now).is_none()
                    && got.len() < client.wanted.len()
                {
                    let (got, wanted) = (got.len(), client.wanted.len());
                    return Err(format!(
                        "client {index} waits with {got} of {wanted} answers"
                    ));
                }
            }
        }
        state.jump(Duration::from_millis(self.random.between(1, 20_000) as u64));
        drop(state);
        self.sweep();
        Ok(())
    }

    fn left(&self) -> String {
        let state = self.system.state();
        let names = state.outside.0.iter().filter(|client| !client.finished);
        let names: Vec<&str> = names.map(|client| client.name).collect();
        let occupied = self.shared.slots.occupied();
        format!("{occupied} slots are occupied, clients left: {names:?}")
    }

    /// What must be so when all is over.
    fn judge(&self) -> Result<Told, String> {
        let state = self.system.state();
        if let Some(breach) = state.breaches.first() {
            return Err(format!("the server {breach}"));
        }
        let end = |event: &Event| match event {
            Event::Closed(Some(peer), reason) => Some((usize::from(peer.port()), *reason)),
            _ => None,
        };
        let ends: Vec<_> = self.recorder.events().iter().filter_map(end).collect();
        if self.shared.budget.held() > 0 {
            return Err(format!(
                "{} bytes are still counted as kept",
                self.shared.budget.held()
            ));
        }
        let waiting = self.hall.gate.waiting();
        if waiting > 0 || self.hall.gate.enter(1).is_none() {
            return Err(format!("{waiting} are left in front of the gate"));
        }
        let mut told = Told::default();
        for (index, client) in state.outside.0.iter().enumerate() {
            let name = client.name;
            if self.stop.is_some() && !state.is_accepted(client) {
                continue;
            }
            // Turned away, it was never let in.
            let is_turned_away = self.tight && !ends.iter().any(|(of, _)| *of == index);
            if is_turned_away && client.answers.iter().all(|answer| answer.status == 503) {
                continue;
            }
            let mut reasons = ends.iter().filter(|(of, _)| *of == index);
            let (Some((_, reason)), None) = (reasons.next(), reasons.next()) else {
                return Err(format!("client {index}, {name}: not ended exactly once"));
            };
            let (got, rest) = (&client.answers, &client.rest);
            told.answers += got.len();
            let stopped = self.stop.is_some() && *reason == CloseReason::Shutdown;
            let overloaded = self.tight && *reason == CloseReason::Overload;
            let usual = !self.storm && !stopped && !overloaded && !self.tight;
            if usual && !client.ends.contains(reason) {
                return Err(format!("client {index}, {name}: ended because {reason:?}"));
            }
            if let (true, Some(echoed)) = (usual, &client.echoed) {
                if client.rest != *echoed {
                    return Err(format!(
                        "client {index}, {name}: {} bytes came back",
                        client.rest.len()
                    ));
                }
            }
            if client.good {
                let whole = !self.storm && !stopped && !self.tight;
                agree(&client.wanted, got, rest, whole)
                    .map_err(|why| format!("client {index}: {why}"))?;
            }
        }
        if let Some(stop) = &self.stop {
            self.judge_stop(stop, &state, &ends)?;
        }
        Ok(told)
    }

    /// What a server that stops owes its clients.
    fn judge_stop(
        &self,
        stop: &Stop,
        state: &State<Crowd>,
        ends: &[(usize, CloseReason)],
    ) -> Result<(), String> {
        let was_cut = stop.ended.is_none_or(|ended| ended.aborted > 0);
        let in_time = Moment::at(state.now) < stop.until;
        if in_time && was_cut {
            return Err("cut somebody before the grace was over".to_string());
        }
        if self.storm || self.tight || was_cut {
            return Ok(());
        }
        for &index in &stop.owed {
            let client = &state.outside.0[index];
            if client.answers.len() < client.wanted.len() {
                let end = ends.iter().find(|(of, _)| *of == index);
                return Err(format!(
                    "client {index}: its request had arrived before the stop, and it ended with {end:?}"
                ));
            }
        }
        Ok(())
    }
}

/// The answers are the ones that were asked for, in order. Where the time was over before that, a
/// refusal may end them; where there was no room, 503 may stand in for some.
fn agree(wanted: &[Wanted], got: &[Wanted], rest: &[u8], whole: bool) -> Result<(), String> {
    let last = got.len().saturating_sub(1);
    for (number, (wanted, got)) in wanted.iter().zip(got).enumerate() {
        // A server that is full says so in place of an answer, and may go on with the next request.
        if !whole && got.status == 503 {
            continue;
        }
        if !whole && got.status == 408 && number == last {
            return Ok(());
        }
        if wanted != got {
            let (wanted, content) = (wanted.content.len(), got.content.len());
            return Err(format!(
                "answer {number} is {}, {content} bytes, in place of 200, {wanted} bytes",
                got.status
            ));
        }
    }
    if got.len() > wanted.len() {
        let more = &got[wanted.len()..];
        let cut = !whole && more.len() == 1 && matches!(more[0].status, 408 | 503);
        if !cut {
            return Err(format!("{} answers too many", more.len()));
        }
    }
    if whole && got.len() < wanted.len() {
        return Err(format!("{} of {} answers", got.len(), wanted.len()));
    }
    if whole && !rest.is_empty() {
        return Err(format!("{} bytes after the last answer", rest.len()));
    }
    Ok(())
}
