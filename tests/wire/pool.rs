//! The pool: how many stand in for workers whose handlers block, until when, and who is cut when
//! nobody can.

use crate::engine::{Faults, failing};
use crate::harness::{Gate, PAGE, Stage, on_each_backend};
use crate::support::PATIENCE;
use crate::support::client::{AND_CLOSE, Client, get, post};
use crate::support::eventually;
use crate::support::recorder::{Event, Recorder};
use crate::support::server::{Housekeeper, Listeners, Pool, Shared, WatchOutcome, Worker};
use doorstep::internals::conn::Config;
use doorstep::internals::limits::DETACHED_BYTES;
use doorstep::internals::server::{
    CANCEL_AFTER, EXHAUSTED_AFTER, PENDING_BYTES, QUEUE_FOR, SPARE_WORKER_ENDS_AFTER, WAIT_SLICE,
};
use doorstep::internals::sys::{Clock, Listener, SystemThreads, ThreadProbe, Threads, Usage};
use doorstep::{CloseReason, Handler, Limits, Request, Response, Status};
use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, SystemTime};

/// Threads, counted; none can be started any more once the mark is set.
#[derive(Clone, Default)]
struct Counted {
    counts: Arc<(AtomicUsize, AtomicUsize, AtomicBool)>,
    /// What the threads' probes show, if they have any.
    hands: Option<Hands>,
}

thread_local! {
    /// Whether this thread uses a processor, or would if it had one.
    static ACTS: Arc<Acts> = Arc::default();
}

/// What a thread does, as its probe shows it.
#[derive(Default)]
struct Acts {
    /// Thousandths of a processor.
    share: AtomicU64,
    starves: AtomicBool,
    /// Milliseconds of processor time, and waits, so far.
    used: AtomicU64,
    waits: AtomicU64,
}

/// A thread has used its share of all the time that there was.
struct Probe(Arc<Acts>, Hands);

impl ThreadProbe for Probe {
    fn time(&self) -> Option<Duration> {
        let share = self.0.share.load(Ordering::SeqCst);
        Some(self.1.now().0 * share as u32 / 1_000)
    }
    fn is_runnable(&self) -> Option<bool> {
        Some(self.0.starves.load(Ordering::SeqCst))
    }
}

impl Threads for Counted {
    fn start(&self, name: &str, work: Box<dyn FnOnce() + Send>) -> io::Result<()> {
        if self.counts.2.load(Ordering::SeqCst) {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        self.counts.0.fetch_add(1, Ordering::SeqCst);
        let counts = self.counts.clone();
        let counted = move || {
            work();
            counts.1.fetch_add(1, Ordering::SeqCst);
        };
        SystemThreads.start(name, Box::new(counted))
    }
    fn probe(&self) -> Option<Box<dyn ThreadProbe>> {
        let hands = self.hands.clone()?;
        Some(Box::new(Probe(ACTS.with(Arc::clone), hands)))
    }
    fn usage(&self) -> Option<Usage> {
        self.hands.as_ref()?;
        ACTS.with(|acts| {
            Some(Usage {
                time: Duration::from_millis(acts.used.load(Ordering::SeqCst)),
                waits: acts.waits.load(Ordering::SeqCst),
            })
        })
    }
}

impl Counted {
    fn started(&self) -> usize {
        self.counts.0.load(Ordering::SeqCst)
    }
    fn ended(&self) -> usize {
        self.counts.1.load(Ordering::SeqCst)
    }
}

/// A clock that shows what it is set to, in milliseconds.
#[derive(Clone, Default)]
struct Hands(Arc<AtomicU64>);

impl Clock for Hands {
    fn now(&self) -> (Duration, SystemTime) {
        let elapsed = Duration::from_millis(self.0.load(Ordering::SeqCst));
        (elapsed, SystemTime::UNIX_EPOCH + elapsed)
    }
}

/// A server whose housekeeper is the test: nothing is looked at but when the test looks.
struct House {
    shared: Arc<Shared>,
    keeper: Housekeeper,
    address: SocketAddr,
    threads: Counted,
    hands: Hands,
    heard: Recorder,
    faults: Arc<Faults>,
}

impl House {
    fn new(stage: Stage, base: usize, most: usize, handler: impl Handler) -> House {
        House::with(
            stage,
            base,
            most,
            Counted::default(),
            Hands::default(),
            handler,
        )
    }

    /// A server whose threads have probes.
    fn probed(stage: Stage, base: usize, most: usize, handler: impl Handler) -> House {
        House::probed_with(stage, base, most, Hands::default(), handler)
    }

    /// The same, by a clock that the handler has as well.
    fn probed_with(
        stage: Stage,
        base: usize,
        most: usize,
        hands: Hands,
        handler: impl Handler,
    ) -> House {
        let threads = Counted {
            hands: Some(hands.clone()),
            ..Counted::default()
        };
        House::with(stage, base, most, threads, hands, handler)
    }

    fn with(
        stage: Stage,
        base: usize,
        most: usize,
        threads: Counted,
        hands: Hands,
        handler: impl Handler,
    ) -> House {
        let listener = Listener::bind_tcp("127.0.0.1:0".parse().unwrap(), 64).expect("a free port");
        let address = listener.local_addr().unwrap();
        let heard = Recorder::default();
        let faults = Arc::default();
        let mut shared = Shared::new(
            failing(stage.backend.open().expect("a poller"), &faults),
            Arc::new(hands.clone()),
            Box::new(handler),
            Config::default(),
            Listeners::new(vec![listener]),
        );
        shared.threads = Box::new(threads.clone());
        shared.observer = Some(Box::new(heard.clone()));
        shared.pool = Arc::new(Pool::new(base, most));
        let shared = Arc::new(shared);
        shared.listeners.register(&*shared.poller).unwrap();
        shared.pool.start(|| Worker::start(&shared)).unwrap();
        House {
            keeper: Housekeeper::new(shared.clone()),
            shared,
            address,
            threads,
            hands,
            heard,
            faults,
        }
    }

    /// Two looks, between which no blocked worker gets on: what the first of them that led to
    /// something led to.
    fn looks_twice(&mut self) -> WatchOutcome {
        match (self.keeper.watch(), self.keeper.watch()) {
            (WatchOutcome::Nothing, second) => second,
            (first, _) => first,
        }
    }

    /// One look, a moment after the last.
    fn looks(&mut self) -> WatchOutcome {
        self.passes(5);
        self.keeper.watch()
    }

    /// This many milliseconds pass.
    fn passes(&self, ms: u64) {
        self.hands.0.fetch_add(ms, Ordering::SeqCst);
    }

    /// Waits until this many workers wait for events.
    fn wait_for_events(&self, workers: usize) {
        assert!(eventually(|| self.shared.poller.waiting() == workers));
    }

    fn all(&self) -> usize {
        self.shared.pool.counts().all()
    }

    fn asks(&self, path: &str) -> Client {
        let mut client = Client::connect(self.address);
        client.send(get(path));
        client
    }
}

impl Drop for House {
    fn drop(&mut self) {
        self.shared.end();
        self.shared.poller.wake();
        let ended = self.shared.pool.end();
        if !std::thread::panicking() {
            ended.unwrap();
            // The count follows the thread's last act.
            let (started, threads) = (self.threads.started(), &self.threads);
            assert!(
                eventually(|| threads.ended() == started),
                "a thread is left"
            );
        }
    }
}

/// Waits at the gate for `/wait`, reads the content of a POST, and answers at once otherwise.
fn gated(gate: &Gate) -> impl Handler + use<> {
    let gate = gate.clone();
    move |request: &mut Request<'_>| {
        if request.path() == "/wait" {
            gate.pass();
        }
        // Whether it comes whole is the client's affair.
        let _ = request.body().read_to_end(&mut Vec::new());
        PAGE
    }
}

/// What a handler does, by the first part of its path: it waits at the gate, and does so as a
/// thread that computes, more or less, or would, for `/starves`.
fn acting(gate: &Gate) -> impl Handler + use<> {
    let gate = gate.clone();
    move |request: &mut Request<'_>| {
        let name = request.path().split('/').nth(1);
        let (share, starves) = match name.unwrap_or_default() {
            "waits" => (0, false),
            "less" => (124, false),
            "eighth" => (125, false),
            "computes" => (1_000, false),
            "starves" => (0, true),
            _ => return PAGE,
        };
        let act = |share, starves| {
            ACTS.with(|acts| {
                acts.share.store(share, Ordering::SeqCst);
                acts.starves.store(starves, Ordering::SeqCst);
            });
        };
        act(share, starves);
        gate.pass();
        act(0, false);
        PAGE
    }
}

#[test]
fn stand_ins_double_while_handlers_block_and_events_wait() {
    on_each_backend(|stage| {
        let gate = Gate::default();
        let mut house = House::probed(stage, 2, 40, acting(&gate));
        let mut clients: Vec<_> = (0..2).map(|_| house.asks("/waits/0")).collect();
        gate.holds(2);
        // Nothing waits for them.
        assert_eq!(house.looks(), WatchOutcome::Nothing);
        clients.extend((0..48).map(|number| house.asks(&format!("/waits/{}", number % 2))));
        for (grown, all) in [(2, 4), (4, 8), (8, 16), (16, 32), (8, 40)] {
            assert_eq!(house.looks(), WatchOutcome::Grown(grown));
            gate.holds(all);
            assert_eq!((house.threads.started(), house.all()), (all, all));
        }
        assert_eq!(house.looks(), WatchOutcome::AtCap);
        assert_eq!(house.threads.started(), 40);
        gate.open();
        for client in &mut clients {
            assert_eq!(client.answer().text(), PAGE);
        }
        // They end when no event has come for long.
        assert!(eventually(|| house.threads.ended() == 38));
        assert_eq!(house.all(), 2);
        assert_eq!(Client::connect(house.address).ask("/").text(), PAGE);
    });
}

/// Nobody stands in for a worker that computes, or would if it had a processor: one more would slow
/// down the others.
#[test]
fn a_worker_that_computes_is_not_blocked() {
    on_each_backend(|stage| {
        for path in ["/computes", "/eighth", "/starves"] {
            let gate = Gate::default();
            let mut house = House::probed(stage, 2, 8, acting(&gate));
            let mut clients: Vec<_> = (0..5).map(|_| house.asks(path)).collect();
            gate.holds(2);
            for _ in 0..5 {
                assert_eq!(house.looks(), WatchOutcome::Nothing, "{path}");
            }
            gate.open();
            for client in &mut clients {
                assert_eq!(client.answer().text(), PAGE);
            }
        }
        // One of two computes: the other is missing.
        let gate = Gate::default();
        let mut house = House::probed(stage, 2, 8, acting(&gate));
        let mut clients = vec![house.asks("/computes"), house.asks("/less")];
        gate.holds(2);
        clients.push(house.asks("/"));
        assert_eq!(house.looks(), WatchOutcome::Grown(2));
        assert_eq!(clients.pop().unwrap().answer().text(), PAGE);
        gate.open();
        for client in &mut clients {
            assert_eq!(client.answer().text(), PAGE);
        }
    });
}

/// A handler that takes 10 ms for `/hash`, to compute, and for `/ask`, to wait. It passes the gate
/// when that is shut.
fn slow(gate: &Gate, hands: &Hands) -> impl Handler + use<> {
    let (gate, hands) = (gate.clone(), hands.clone());
    move |request: &mut Request<'_>| {
        let (computes, waits) = match request.path() {
            "/hash" => (10, 0),
            "/ask" => (0, 1),
            _ => return PAGE,
        };
        ACTS.with(|acts| {
            acts.used.fetch_add(computes, Ordering::SeqCst);
            acts.waits.fetch_add(waits, Ordering::SeqCst);
        });
        hands.0.fetch_add(10, Ordering::SeqCst);
        gate.pass();
        PAGE
    }
}

/// Requests that are known to compute wait apart, without a worker: one more runs than there are
/// CPUs, and the others have their workers.
#[test]
fn requests_that_compute_hold_up_no_others() {
    on_each_backend(|stage| {
        let (gate, hands) = (Gate::default(), Hands::default());
        let mut house = House::probed_with(stage, 2, 40, hands.clone(), slow(&gate, &hands));
        gate.open();
        let mut first = Client::connect(house.address);
        // The first shows that calls take long, and the second what this one does.
        for _ in 0..2 {
            assert_eq!(first.ask("/hash").text(), PAGE);
        }
        gate.shut();
        let mut clients = Vec::new();
        for inside in 1..=2 {
            clients.push(house.asks("/hash"));
            gate.holds(inside);
        }
        clients.extend((0..10).map(|_| house.asks("/hash")));
        // The two that compute are not to be waited for.
        assert_eq!(house.looks(), WatchOutcome::Grown(2));
        gate.holds(3);
        let queue = &house.shared.pool.computing.gate;
        assert!(eventually(|| queue.waiting() == 9));
        assert_eq!(first.ask("/").text(), PAGE);
        house.wait_for_events(1);
        gate.lets_one_go();
        gate.holds(3);
        assert!(eventually(|| queue.waiting() == 8));
        gate.open();
        for client in &mut clients {
            assert_eq!(client.answer().text(), PAGE);
        }
        assert_eq!(queue.waiting(), 0);
    });
}

/// Stand-ins measure their first calls: one that computed is enough.
#[test]
fn stand_ins_learn_from_their_first_call() {
    on_each_backend(|stage| {
        let (gate, hands) = (Gate::default(), Hands::default());
        let (held, clock) = (gate.clone(), hands.clone());
        let handler = move |request: &mut Request<'_>| {
            match request.path() {
                "/hash" => {
                    ACTS.with(|acts| acts.used.fetch_add(10, Ordering::SeqCst));
                    clock.0.fetch_add(10, Ordering::SeqCst);
                }
                _ => held.pass(),
            }
            PAGE
        };
        let mut house = House::probed_with(stage, 2, 40, hands, handler);
        let mut clients: Vec<_> = (0..2).map(|_| house.asks("/waits")).collect();
        gate.holds(2);
        let mut first = house.asks("/hash");
        assert_eq!(house.looks(), WatchOutcome::Grown(2));
        assert_eq!(first.answer().text(), PAGE);
        let computing = &house.shared.pool.computing;
        assert!(computing.lookup("GET", "/hash").computes());
        gate.open();
        for client in &mut clients {
            assert_eq!(client.answer().text(), PAGE);
        }
    });
}

/// As many of those that wait run as there are.
#[test]
fn requests_that_wait_do_not_wait_apart() {
    on_each_backend(|stage| {
        let (gate, hands) = (Gate::default(), Hands::default());
        let mut house = House::probed_with(stage, 2, 16, hands.clone(), slow(&gate, &hands));
        gate.open();
        let mut first = Client::connect(house.address);
        for _ in 0..9 {
            assert_eq!(first.ask("/ask").text(), PAGE);
        }
        gate.shut();
        let mut clients: Vec<_> = (0..8).map(|_| house.asks("/ask")).collect();
        for all in [2, 4] {
            gate.holds(all);
            // The first look may have to learn what the processor time is.
            assert!((0..2).any(|_| house.looks() == WatchOutcome::Grown(all)));
        }
        gate.holds(8);
        gate.open();
        for client in &mut clients {
            assert_eq!(client.answer().text(), PAGE);
        }
    });
}

/// A reading of the processor time that is too old says nothing of what the thread does now.
#[test]
fn a_worker_that_has_just_begun_is_not_blocked() {
    on_each_backend(|stage| {
        let gate = Gate::default();
        let mut house = House::probed(stage, 1, 4, acting(&gate));
        house.wait_for_events(1);
        house.passes(1_000);
        let mut clients = vec![house.asks("/waits")];
        gate.holds(1);
        clients.push(house.asks("/waits"));
        assert_eq!(house.looks(), WatchOutcome::Nothing);
        assert_eq!(house.looks(), WatchOutcome::Grown(2));
        gate.open();
        for client in &mut clients {
            assert_eq!(client.answer().text(), PAGE);
        }
    });
}

/// A server that stays busy does not keep all the workers of its worst moment: half of the surplus
/// ends every second, each worker at the end of a turn.
#[test]
fn a_surplus_ends_under_load() {
    on_each_backend(|stage| {
        let gate = Gate::default();
        let mut house = House::probed(stage, 1, 8, acting(&gate));
        let paths = (0..8).map(|number| format!("/waits/{}", number % 2));
        let mut clients: Vec<_> = paths.map(|path| house.asks(&path)).collect();
        for all in [1, 3, 7, 8] {
            gate.holds(all);
            house.looks();
        }
        gate.holds(8);
        gate.open();
        for client in &mut clients {
            assert_eq!(client.answer().text(), PAGE);
        }
        house.wait_for_events(8);
        // The last second has needed them all.
        house.passes(1_000);
        house.keeper.watch();
        assert_eq!(house.shared.pool.counts().surplus(), 0);
        for (all, surplus) in [(8, 4), (4, 2), (2, 1), (1, 0)] {
            house.passes(1_000);
            house.keeper.watch();
            let counts = house.shared.pool.counts();
            assert_eq!((counts.all(), counts.surplus()), (all, surplus));
            // Any worker that has an event now ends after it.
            for _ in 0..surplus {
                assert_eq!(clients[0].ask("/").text(), PAGE);
            }
            assert!(eventually(|| house.all() == all - surplus));
            house.wait_for_events(all - surplus);
        }
    });
}

/// Where the system cannot tell a thread's processor time.
#[test]
fn without_a_probe_a_worker_without_progress_is_blocked() {
    on_each_backend(|stage| {
        let gate = Gate::default();
        let mut house = House::new(stage, 1, 3, gated(&gate));
        let mut clients = vec![house.asks("/wait")];
        gate.holds(1);
        // Blocked, but nothing waits for it.
        assert_eq!(house.looks_twice(), WatchOutcome::Nothing);
        clients.push(house.asks("/wait"));
        assert_eq!(house.looks_twice(), WatchOutcome::Grown(2));
        gate.holds(2);
        clients.push(house.asks("/wait"));
        gate.holds(3);
        clients.push(house.asks("/"));
        assert_eq!(house.looks_twice(), WatchOutcome::AtCap);
        assert_eq!(house.threads.started(), 3);
        gate.open();
        for client in &mut clients {
            assert_eq!(client.answer().text(), PAGE);
        }
    });
}

#[test]
fn a_worker_that_gets_on_is_not_replaced() {
    on_each_backend(|stage| {
        let gate = Gate::default();
        let mut house = House::new(stage, 1, 3, gated(&gate));
        for _ in 0..5 {
            assert_eq!(Client::connect(house.address).ask("/").text(), PAGE);
            house.keeper.watch();
        }
        // One look at a blocked worker says nothing yet.
        let mut blocked = house.asks("/wait");
        gate.holds(1);
        let mut waiting = house.asks("/");
        house.keeper.watch();
        assert_eq!(house.threads.started(), 1);
        gate.open();
        assert_eq!(blocked.answer().text(), PAGE);
        assert_eq!(waiting.answer().text(), PAGE);
    });
}

/// The real housekeeper, by its own clock: no look is made by the test.
#[test]
fn blocked_handlers_hold_up_nobody() {
    on_each_backend(|stage| {
        let base = std::thread::available_parallelism().map_or(1, usize::from);
        let gate = Gate::default();
        let mut limits = Limits::default();
        limits.workers_max = base + 8;
        let server = stage.server().limits(limits).spawn(gated(&gate)).unwrap();
        let mut clients = Vec::new();
        for count in 1..=base + 7 {
            let mut client = Client::connect(server.addr());
            client.send(get("/wait"));
            clients.push(client);
            gate.holds(count);
        }
        for _ in 0..20 {
            let mut client = Client::connect(server.addr());
            client.send(get("/").replace("\r\n\r\n", AND_CLOSE));
            assert_eq!(client.answer().text(), PAGE);
        }
        gate.open();
        for client in &mut clients {
            assert_eq!(client.answer().text(), PAGE);
        }
    });
}

/// How many handlers are inside, and how many there ever were.
#[derive(Clone, Default)]
struct Busy(Arc<(Mutex<(usize, usize)>, Condvar)>);

impl Busy {
    /// Waits until `count` handlers have been inside at once, for a moment at most.
    fn pass(&self, count: usize) {
        let mut inside = self.0.0.lock().unwrap();
        inside.0 += 1;
        inside.1 = inside.1.max(inside.0);
        self.0.1.notify_all();
        let waited = self
            .0
            .1
            .wait_timeout_while(inside, Duration::from_millis(50), |inside| inside.1 < count);
        waited.unwrap().0.0 -= 1;
    }
}

#[test]
fn a_fixed_number_of_workers_is_never_exceeded() {
    on_each_backend(|stage| {
        let busy = Busy::default();
        let inside = busy.clone();
        let server = stage.server().workers(2);
        let server = server.spawn(move |_: &mut Request<'_>| {
            inside.pass(3);
            PAGE
        });
        let server = server.unwrap();
        let mut clients: Vec<_> = (0..8).map(|_| Client::connect(server.addr())).collect();
        clients.iter_mut().for_each(|client| client.send(get("/")));
        for client in &mut clients {
            assert_eq!(client.answer().text(), PAGE);
        }
        assert_eq!(busy.0.0.lock().unwrap().1, 2);
    });
}

/// More than is prefetched before the handler is called.
const BEGUN: usize = 20_000;

/// An upload that stops, in a handler that reads it.
fn stalled(house: &House) -> Client {
    let mut client = Client::connect(house.address);
    let whole = post("/", vec![b'x'; 1_000_000]);
    let head = whole.len() - 1_000_000;
    client.send(&whole[..head + BEGUN]);
    client
}

#[test]
fn the_longest_wait_for_a_peer_is_cut_for_the_sake_of_others() {
    on_each_backend(|stage| {
        let mut house = House::new(stage, 2, 2, gated(&Gate::default()));
        let waits = |house: &House, count: usize| {
            assert!(
                eventually(|| house.shared.pool.waits() == count),
                "{count} waits"
            );
        };
        let mut oldest = stalled(&house);
        waits(&house, 1);
        house.hands.0.fetch_add(1, Ordering::SeqCst);
        let mut younger = stalled(&house);
        waits(&house, 2);
        // Nobody waits for a worker: nobody is cut, however long it takes.
        let least = CANCEL_AFTER.as_millis() as u64;
        house.hands.0.store(100 * least, Ordering::SeqCst);
        assert_eq!(house.looks_twice(), WatchOutcome::Nothing);
        house.hands.0.store(least - 1, Ordering::SeqCst);
        let mut good = house.asks("/");
        assert_eq!(house.looks_twice(), WatchOutcome::AtCap);
        house.hands.0.store(least, Ordering::SeqCst);
        assert_eq!(house.keeper.watch(), WatchOutcome::Cancelled);
        // It takes the worker a moment to hear of it; meanwhile a server of two workers cuts nobody
        // else.
        assert_eq!(house.keeper.watch(), WatchOutcome::AtCap);
        let told = oldest.answer();
        assert_eq!(
            (told.status, told.header_value("Retry-After")),
            (503, Some("1"))
        );
        oldest.shutdown(Shutdown::Write);
        oldest.is_gone();
        assert_eq!(good.answer().text(), PAGE);
        let is_told =
            |event: &Event| matches!(event, Event::Request { status, .. } if status.code() == 503);
        house.heard.hears("the request that was cut", |events| {
            events.iter().filter(|event| is_told(event)).count() == 1
        });
        // A worker is free again, so the other may go on.
        waits(&house, 1);
        house.hands.0.store(10 * least, Ordering::SeqCst);
        // One look, as the next could come before that worker has had time for anything.
        assert_ne!(house.keeper.watch(), WatchOutcome::Cancelled);
        waits(&house, 1);
        house.heard.hears_closed(CloseReason::Overload);
        assert_eq!(house.heard.reasons(), [CloseReason::Overload]);
        younger.send(vec![b'x'; 1_000_000 - BEGUN]);
        assert_eq!(younger.answer().text(), PAGE);
    });
}

/// A part of the workers is kept for requests that keep nobody waiting.
#[test]
fn not_every_worker_waits_for_content() {
    on_each_backend(|stage| {
        let house = House::new(stage, 4, 4, gated(&Gate::default()));
        let mut slow = Vec::new();
        for count in 1..=3 {
            slow.push(stalled(&house));
            assert!(eventually(|| house.shared.pool.waits() == count));
        }
        for _ in 0..3 {
            let mut refused = stalled(&house);
            let told = refused.answer();
            assert_eq!(
                (told.status, told.header_value("Retry-After")),
                (503, Some("1"))
            );
            refused.shutdown(Shutdown::Write);
            refused.is_gone();
            assert_eq!(Client::connect(house.address).ask("/").text(), PAGE);
        }
        house.heard.hears_ends(6);
        assert_eq!(
            house
                .heard
                .reasons()
                .iter()
                .filter(|reason| **reason == CloseReason::Overload)
                .count(),
            3
        );
        // Those that were being read go on, also when they make a worker wait once more.
        for client in &mut slow {
            client.send(vec![b'x'; 10_000]);
        }
        for client in &mut slow {
            client.send(vec![b'x'; 1_000_000 - BEGUN - 10_000]);
            assert_eq!(client.answer().text(), PAGE);
        }
    });
}

/// A worker in the same wait for its peer as at the last look is blocked: its clock is not asked.
#[test]
fn a_worker_that_goes_on_waiting_for_its_peer_is_blocked() {
    on_each_backend(|stage| {
        let read = |request: &mut Request<'_>| {
            let share = u64::from(request.path() == "/computes") * 1_000;
            ACTS.with(|acts| acts.share.store(share, Ordering::SeqCst));
            let _ = request.body().read_to_end(&mut Vec::new());
            ACTS.with(|acts| acts.share.store(0, Ordering::SeqCst));
            PAGE
        };
        let mut house = House::probed(stage, 1, 8, read);
        let mut slow = Client::connect(house.address);
        let whole = post("/computes", vec![b'x'; BEGUN + 1_000]);
        slow.send(&whole[..whole.len() - 1_000]);
        assert!(eventually(|| house.shared.pool.waits() == 1));
        let mut good = house.asks("/");
        house.passes(5);
        // Its clock says that it computes, as a thread does between many short waits.
        assert_eq!(house.keeper.watch(), WatchOutcome::Nothing);
        house.passes(5);
        assert_eq!(house.keeper.watch(), WatchOutcome::Grown(2));
        assert_eq!(good.answer().text(), PAGE);
        slow.send(&whole[whole.len() - 1_000..]);
        assert_eq!(slow.answer().text(), PAGE);
    });
}

/// Each of its waits is shorter than the time between two looks for a cut, and it keeps the least
/// rate.
#[test]
fn a_client_that_drips_is_cut_as_well() {
    on_each_backend(|stage| {
        let heard = Recorder::default();
        let server = stage.server().workers(1).observer(heard.clone());
        let begun = Arc::new(AtomicUsize::new(0));
        let (reads, reader) = (begun.clone(), gated(&Gate::default()));
        let handler = move |request: &mut Request<'_>| {
            reads.fetch_add(1, Ordering::SeqCst);
            reader.handle(request)
        };
        let server = server.spawn(handler).unwrap();
        let mut drips = Client::connect(server.addr());
        let whole = post("/", vec![b'x'; 1_000_000]);
        drips.send(&whole[..BEGUN + 1_000]);
        assert!(eventually(|| begun.load(Ordering::SeqCst) == 1));
        let mut good = Client::connect(server.addr());
        good.send(get("/"));
        let answer = thread::scope(|scope| {
            let answer = scope.spawn(|| good.try_answer());
            while !answer.is_finished() {
                // Fails once the server has closed.
                let _ = drips.try_send([b'x'; 10]);
                thread::sleep(WAIT_SLICE / 5);
            }
            answer.join().unwrap()
        });
        assert_eq!(answer.expect("an answer").text(), PAGE);
        heard.hears_closed(CloseReason::Overload);
    });
}

#[test]
fn a_thread_that_cannot_be_started_is_no_reason_not_to_cut() {
    on_each_backend(|stage| {
        let mut house = House::new(stage, 1, 2, gated(&Gate::default()));
        let mut oldest = stalled(&house);
        assert!(eventually(|| house.shared.pool.waits() == 1));
        house.threads.counts.2.store(true, Ordering::SeqCst);
        let late = CANCEL_AFTER.as_millis() as u64;
        house.hands.0.store(late, Ordering::SeqCst);
        let mut good = house.asks("/");
        house.looks_twice();
        assert_eq!(oldest.answer().status, 503);
        assert_eq!(good.answer().text(), PAGE);
    });
}

/// The program's own waits are not cut: nobody could.
#[test]
fn a_handler_that_waits_for_itself_is_not_cut() {
    on_each_backend(|stage| {
        let gate = Gate::default();
        let mut house = House::new(stage, 1, 1, gated(&gate));
        let mut blocked = house.asks("/wait");
        gate.holds(1);
        let mut waiting = house.asks("/");
        house.hands.0.store(100_000, Ordering::SeqCst);
        assert_eq!(house.looks_twice(), WatchOutcome::AtCap);
        gate.open();
        assert_eq!(blocked.answer().text(), PAGE);
        assert_eq!(waiting.answer().text(), PAGE);
        assert!(house.heard.reasons().is_empty());
    });
}

/// A server whose workers all wait in handlers, and a client that none of them serves.
fn exhausted(stage: Stage, most: usize, gate: &Gate) -> (House, Vec<Client>, Client) {
    let mut house = House::probed(stage, most, most, acting(gate));
    let blocked = (0..most).map(|_| house.asks("/waits")).collect();
    gate.holds(most);
    let left = house.asks("/");
    assert_eq!(house.looks(), WatchOutcome::AtCap);
    (house, blocked, left)
}

/// What has been said of an overload.
fn said(house: &House) -> Vec<String> {
    let events = house.heard.events();
    let overloads = events.iter().filter_map(|event| match event {
        Event::Overload(why) => Some(why.clone()),
        _ => None,
    });
    overloads.collect()
}

const BLOCKED: &str = "handlers block all workers (limit 4): requests wait";
const EXHAUSTED: &str = "handlers have blocked all workers for 5 s (limit 4): requests get 503";

#[test]
fn requests_get_503_while_no_worker_returns() {
    on_each_backend(|stage| {
        let gate = Gate::default();
        let (mut house, mut blocked, mut left) = exhausted(stage, 4, &gate);
        let least = EXHAUSTED_AFTER.as_millis() as u64;
        house.passes(least - 1);
        assert_eq!(house.keeper.watch(), WatchOutcome::AtCap);
        assert_eq!(said(&house), [BLOCKED]);
        house.passes(1);
        assert_eq!(house.keeper.watch(), WatchOutcome::Exhausted);
        assert_eq!(said(&house), [BLOCKED, EXHAUSTED]);
        let told = left.answer();
        let retry = told.header_value("Retry-After");
        assert_eq!((told.status, retry), (503, Some("1")));
        // A wait for events that fails for lack of memory is tried again.
        if cfg!(unix) {
            const ENOMEM: i32 = 12;
            let lacks = (0..3).map(|_| io::Error::from_raw_os_error(ENOMEM));
            house.faults.waits.lock().unwrap().extend(lacks);
        }
        assert_eq!(house.keeper.watch(), WatchOutcome::Nothing);
        let since = house.shared.pool.behind();
        assert!(since.is_some(), "as long as requests are rejected");
        // The connection lives on; and new ones are told as well, also with bodies.
        assert_eq!(left.ask("/").status, 503);
        let mut posts = Client::connect(house.address);
        posts.send(post("/", "a body"));
        assert_eq!(posts.answer().status, 503);
        let is_told = |event: &Event| {
            let Event::Request { status, reason, .. } = event else {
                return false;
            };
            status.code() == 503 && *reason == Some("no worker is free")
        };
        house.heard.hears("three refusals", |events| {
            events.iter().filter(|event| is_told(event)).count() == 3
        });
        // Its thread waits for events, which is no reason to start another.
        house.passes(60_000);
        assert_eq!(house.keeper.watch(), WatchOutcome::Nothing);
        assert_eq!(house.threads.started(), 5);
        gate.open();
        for client in &mut blocked {
            assert_eq!(client.answer().text(), PAGE);
        }
        // Whoever has the next event serves it.
        assert_eq!(left.ask("/").text(), PAGE);
        assert!(eventually(|| house.threads.ended() == 1));
        assert_eq!(house.all(), 4);
        assert_eq!(house.shared.pool.behind(), since);
        house.looks();
        assert_eq!(house.shared.pool.behind(), None);
    });
}

/// A body of a program's that notes each read of it.
struct Noted(Arc<AtomicUsize>);

impl Read for Noted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.fetch_add(1, Ordering::SeqCst);
        buffer.fill(b'x');
        Ok(buffer.len())
    }
}

/// The thread that rejects requests runs nothing of the program's, which might block it.
#[test]
fn a_body_of_the_program_waits_for_a_worker() {
    // More than sockets hold.
    const LENGTH: u64 = 32 * 1024 * 1024;
    on_each_backend(|stage| {
        let (gate, reads) = (Gate::default(), Arc::<AtomicUsize>::default());
        let (acts, noted) = (acting(&gate), reads.clone());
        let handler = move |request: &mut Request<'_>| match request.path() {
            "/stream" => Response::new(Status::OK).stream(Some(LENGTH), Noted(noted.clone())),
            _ => acts.handle(request),
        };
        let mut house = House::probed(stage, 4, 4, handler);
        let mut reader = house.asks("/stream");
        assert!(eventually(|| reads.load(Ordering::SeqCst) > 0));
        // Its client reads nothing.
        house.wait_for_events(4);
        let mut blocked: Vec<_> = (0..4).map(|_| house.asks("/waits")).collect();
        gate.holds(4);
        let mut left = house.asks("/");
        house.looks();
        house.passes(EXHAUSTED_AFTER.as_millis() as u64);
        assert_eq!(house.keeper.watch(), WatchOutcome::Exhausted);
        assert_eq!(left.answer().status, 503);
        let before = reads.load(Ordering::SeqCst);
        thread::scope(|scope| {
            let whole = scope.spawn(|| reader.answer().content.len() as u64);
            for _ in 0..300 {
                assert_eq!(left.ask("/").status, 503);
            }
            assert_eq!(reads.load(Ordering::SeqCst), before);
            gate.open();
            for client in &mut blocked {
                assert_eq!(client.answer().text(), PAGE);
            }
            // Only now does its worker go on.
            assert_eq!(whole.join().expect("a body"), LENGTH);
        });
    });
}

/// A server of few workers waits for them, as documented, and says so.
#[test]
fn a_small_server_waits_for_its_workers() {
    on_each_backend(|stage| {
        let gate = Gate::default();
        let (mut house, mut blocked, mut left) = exhausted(stage, 3, &gate);
        for _ in 0..100 {
            house.passes(1_000);
            assert_eq!(house.keeper.watch(), WatchOutcome::AtCap);
        }
        assert_eq!(said(&house).len(), 2, "once a minute");
        assert_eq!(house.threads.started(), 3);
        gate.open();
        for client in &mut blocked {
            assert_eq!(client.answer().text(), PAGE);
        }
        assert_eq!(left.answer().text(), PAGE);
    });
}

/// A server of 16 workers, of which requests of `/waits` hold their share; 18 more of these wait.
fn crowded(stage: Stage, gate: &Gate) -> (House, Vec<Client>) {
    let mut house = House::probed(stage, 2, 16, acting(gate));
    let clients = (0..32).map(|_| house.asks("/waits")).collect();
    for (all, grown) in [(2, 2), (4, 4), (8, 8)] {
        gate.holds(all);
        // The first look may have to learn what the processor time is.
        assert!((0..2).any(|_| house.looks() == WatchOutcome::Grown(grown)));
    }
    gate.holds(14);
    assert!(eventually(|| house.shared.pool.shares.waiting() == 18));
    house.wait_for_events(2);
    (house, clients)
}

const SHARE_BLOCKED: &str =
    "handlers of one path block their share of the workers (limit 14): more of these requests wait";

/// Requests of one path that wait for a request of another do not keep it from its worker.
#[test]
fn requests_of_one_kind_leave_workers_for_others() {
    on_each_backend(|stage| {
        let gate = Gate::default();
        let (mut house, mut clients) = crowded(stage, &gate);
        for _ in 0..20 {
            house.looks();
            assert_eq!(Client::connect(house.address).ask("/").text(), PAGE);
        }
        // Those of another path have the rest of the workers.
        let others: Vec<_> = (0..2).map(|_| house.asks("/waits/b")).collect();
        gate.holds(16);
        let mut last = house.asks("/");
        assert!((0..2).any(|_| house.looks() == WatchOutcome::AtCap));
        assert_eq!(house.shared.pool.shares.kinds(), 2);
        gate.open();
        clients.extend(others);
        for client in &mut clients {
            assert_eq!(client.answer().text(), PAGE);
        }
        assert_eq!(last.answer().text(), PAGE);
        assert!(eventually(|| house.shared.pool.shares.kinds() == 0));
    });
}

/// A share that is used up calls the next request as soon as one of its calls returns; 503 comes
/// when none has begun for 5 s.
#[test]
fn requests_wait_for_their_share_as_long_as_others_get_on() {
    on_each_backend(|stage| {
        let gate = Gate::default();
        let (mut house, mut clients) = crowded(stage, &gate);
        let waiting = |house: &House| house.shared.pool.shares.waiting();
        let least = QUEUE_FOR.as_millis() as u64;
        house.looks();
        assert_eq!(said(&house), [""; 0]);
        house.passes(1_000);
        house.looks();
        assert_eq!(said(&house), [SHARE_BLOCKED]);
        for left in [17, 16] {
            house.passes(least - 1);
            gate.lets_one_go();
            // It may be one of those from before calls were counted: a look finds that out.
            assert!(eventually(|| {
                house.keeper.watch();
                waiting(&house) == left
            }));
            gate.holds(14);
            house.keeper.sweep();
            assert!(eventually(|| {
                house.shared.poller.waiting() == house.all() - 14
            }));
            assert_eq!(waiting(&house), left);
        }
        house.passes(least);
        house.keeper.sweep();
        let is_told =
            |event: &Event| matches!(event, Event::Request { status, .. } if status.code() == 503);
        house.heard.hears("those that waited in vain", |events| {
            events.iter().filter(|event| is_told(event)).count() == 16
        });
        assert_eq!(waiting(&house), 0);
        assert_eq!(Client::connect(house.address).ask("/").text(), PAGE);
        gate.open();
        let answers = clients.iter_mut().map(|client| client.answer());
        let told: Vec<_> = answers.filter(|answer| answer.status == 503).collect();
        assert_eq!(told.len(), 16);
        assert!(
            told.iter()
                .all(|told| told.header_value("Retry-After") == Some("1"))
        );
        assert_eq!(said(&house), [SHARE_BLOCKED]);
    });
}

/// As long as some handler returns every second, requests wait for one.
#[test]
fn a_worker_that_returns_at_times_is_waited_for() {
    on_each_backend(|stage| {
        let gate = Gate::default();
        let (mut house, mut blocked, left) = exhausted(stage, 4, &gate);
        let mut waiting = vec![left];
        waiting.extend((0..6).map(|_| house.asks("/waits")));
        for _ in 0..5 {
            house.passes(EXHAUSTED_AFTER.as_millis() as u64 - 1);
            assert_eq!(house.keeper.watch(), WatchOutcome::AtCap);
            // The next request takes its worker.
            gate.lets_one_go();
            gate.holds(4);
            house.looks();
        }
        assert_eq!(said(&house), [BLOCKED]);
        gate.open();
        blocked.append(&mut waiting);
        for client in &mut blocked {
            assert_eq!(client.answer().text(), PAGE);
        }
    });
}

/// What a peer is waited for when the grace is over is cut as well: the thread ends with the
/// server.
#[test]
fn no_thread_waits_for_a_peer_after_the_end() {
    on_each_backend(|stage| {
        let house = House::new(stage, 1, 1, gated(&Gate::default()));
        let mut client = stalled(&house);
        assert!(eventually(|| house.shared.pool.waits() == 1));
        let heard = house.heard.clone();
        drop(house);
        client.is_gone();
        heard.hears_closed(CloseReason::Shutdown);
    });
}

/// A client that has taken all it was sent is not closed for the workers' being late.
#[test]
fn who_waits_for_a_worker_alone_does_not_read_too_slowly() {
    on_each_backend(|stage| {
        let (gate, detached) = (Gate::default(), Gate::default());
        let (inside, writes) = (gated(&gate), detached.clone());
        let handler = move |request: &mut Request<'_>| match request.path() {
            "/detached" => {
                let writes = writes.clone();
                Response::new(Status::OK).detached(move |out| {
                    writes.pass();
                    out.write_all(PAGE.as_bytes())
                })
            }
            _ => inside.handle(request),
        };
        let mut house = House::new(stage, 1, 1, handler);
        let mut client = house.asks("/detached");
        detached.holds(1);
        let mut blocked = house.asks("/wait");
        gate.holds(1);
        detached.open();
        assert!(eventually(|| house.threads.ended() == 1));
        let wait = Config::default().timeouts.write.as_millis() as u64;
        // In the first of these the housekeeper sends what is left of the answer.
        for round in 1..=3 {
            house.hands.0.store(round * (wait + 1), Ordering::SeqCst);
            house.keeper.sweep();
        }
        assert_eq!(client.answer().text(), PAGE);
        gate.open();
        assert_eq!(blocked.answer().text(), PAGE);
        assert_eq!(client.ask("/").text(), PAGE);
        assert!(house.heard.reasons().is_empty());
    });
}

/// What came with the offer is the other protocol's, for as long as that lives.
#[test]
fn what_a_thread_has_not_read_is_kept_for_it() {
    on_each_backend(|stage| {
        let (unread, read) = (Gate::default(), Gate::default());
        let gates = (unread.clone(), read.clone());
        let house = House::new(stage, 1, 1, move |_: &mut Request<'_>| {
            let (unread, read) = gates.clone();
            Response::new(Status::OK).upgrade("echo", move |peer| {
                unread.pass();
                peer.read_exact(&mut [0; 1_000])?;
                read.pass();
                Ok(())
            })
        });
        let mut client = Client::connect(house.address);
        let offer = "GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n";
        client.send([offer.as_bytes(), &[b'x'; 1_000]].concat());
        unread.holds(1);
        assert_eq!(
            house.shared.budget.held(),
            DETACHED_BYTES + PENDING_BYTES + 1_000
        );
        unread.open();
        read.holds(1);
        assert_eq!(house.shared.budget.held(), DETACHED_BYTES + PENDING_BYTES);
        read.open();
        client.shutdown(Shutdown::Write);
        house.heard.hears_closed(CloseReason::Upgraded);
        assert_eq!(house.shared.budget.held(), 0);
    });
}

#[test]
fn the_patience_of_these_tests_is_longer_than_a_rest() {
    assert!(PATIENCE > 2 * SPARE_WORKER_ENDS_AFTER);
}
