//! A server that has no slot, no descriptor or no memory left, on real sockets. Which connection
//! goes when, `overload` has exactly.

use crate::engine::Engine;
use crate::harness::{Gate, PAGE, Stage, on_each_backend, page};
use crate::support::bytes::pattern;
use crate::support::client::{Broken, Client, get};
use crate::support::eventually;
use crate::support::recorder::{Event, Recorder};
use crate::support::server::{Housekeeper, Listeners, Shared, Worker};
use crate::support::skipped;
use crate::support::temporary::Temporary;
use doorstep::internals::conn::{Config, Moment};
use doorstep::internals::server::EVICTED_AFTER;
use doorstep::internals::sys::{Accept, Clock, Listener, Source, Stream, SystemClock};
use doorstep::{CloseReason, Handler, Limits, Payload, Request, Response, Status, Timeouts};
#[cfg(unix)]
use std::fs::File;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

fn limits(change: impl FnOnce(&mut Limits)) -> Limits {
    let mut limits = Limits::default();
    change(&mut limits);
    limits
}

/// Who was closed for the sake of others, in that order.
fn evicted(events: &[Event]) -> Vec<SocketAddr> {
    let evicted = |event: &Event| match event {
        Event::Closed(Some(peer), CloseReason::Overload) => Some(*peer),
        _ => None,
    };
    events.iter().filter_map(evicted).collect()
}

fn told(recorder: &Recorder, start: &str) -> usize {
    let is_it = |event: &&Event| matches!(event, Event::Overload(why) if why.starts_with(start));
    recorder.events().iter().filter(is_it).count()
}

/// Whoever is idle now may be closed for others from now on.
fn long_after() {
    thread::sleep(EVICTED_AFTER + Duration::from_millis(10));
}

/// A client whose request a handler has: nobody closes its connection for another's sake. It is the
/// one of this number that waits at the gate.
fn held(server: SocketAddr, gate: &Gate, number: usize) -> Client {
    let mut client = Client::connect(server);
    client.send(get("/wait"));
    gate.holds(number);
    client
}

/// Waits at the gate for `/wait`.
fn gated(gate: &Gate) -> impl Handler + use<> {
    let gate = gate.clone();
    move |request: &mut Request<'_>| {
        if request.path() == "/wait" {
            gate.pass();
        }
        PAGE
    }
}

/// The next connection is idle later than the one before, on any clock.
fn a_moment_later() {
    thread::sleep(Duration::from_millis(5));
}

#[test]
fn the_one_that_has_been_idle_longest_goes_first() {
    on_each_backend(|stage| {
        let recorder = Recorder::default();
        // With one worker, whoever is accepted has been preceded by everything that was answered
        // before.
        let server = stage
            .server()
            .workers(1)
            .limits(limits(|limits| limits.connections = 3))
            .observer(recorder.clone());
        let server = server.spawn(page).unwrap();
        let mut first = Client::connect(server.addr());
        assert_eq!(first.ask("/").text(), PAGE);
        a_moment_later();
        let mut silent = Client::connect(server.addr());
        recorder.hears("an accept", |events| {
            events.contains(&Event::Accepted(Some(silent.address())))
        });
        a_moment_later();
        let mut second = Client::connect(server.addr());
        assert_eq!(second.ask("/").text(), PAGE);
        a_moment_later();
        // The first to come is the last to have been served.
        assert_eq!(first.ask("/").text(), PAGE);
        let expected = [silent.address(), second.address(), first.address()];
        let mut newcomers = Vec::new();
        long_after();
        for number in 1..=3 {
            a_moment_later();
            let mut newcomer = Client::connect(server.addr());
            assert_eq!(newcomer.ask("/").text(), PAGE);
            newcomers.push(newcomer);
            assert_eq!(evicted(&recorder.events()), expected[..number]);
        }
        for client in [&mut silent, &mut second, &mut first] {
            client.ends();
        }
        for newcomer in &mut newcomers {
            assert_eq!(newcomer.ask("/").text(), PAGE);
        }
        assert_eq!(told(&recorder, "too many connections (limit 3): idle"), 1);
    });
}

#[test]
fn a_full_server_says_so_and_recovers() {
    const MOST: usize = 4;
    on_each_backend(|stage| {
        let (recorder, gate) = (Recorder::default(), Gate::default());
        let server = stage
            .server()
            .workers(MOST + 1)
            .limits(limits(|limits| limits.connections = MOST))
            .observer(recorder.clone());
        let server = server.spawn(gated(&gate)).unwrap();
        let mut clients: Vec<_> = (1..=MOST)
            .map(|number| held(server.addr(), &gate, number))
            .collect();
        for _ in 0..3 {
            let mut one_too_many = Client::connect(server.addr());
            let _ = one_too_many.try_send(get("/"));
            let answer = one_too_many.answer();
            assert_eq!((answer.status, answer.closes), (503, true));
            assert_eq!(answer.header_value("Retry-After"), Some("1"));
            one_too_many.is_gone();
        }
        let why = "too many connections (limit 4): new ones are turned away";
        assert_eq!(told(&recorder, why), 1, "once a minute is enough");
        // Those that are in are served all the time.
        gate.open();
        for client in &mut clients {
            assert_eq!(client.answer().text(), PAGE);
            assert_eq!(client.ask("/").text(), PAGE);
        }
        drop(clients.pop());
        recorder.hears_closed(CloseReason::PeerClosed);
        assert_eq!(Client::connect(server.addr()).ask("/").text(), PAGE);
    });
}

#[test]
fn who_is_in_the_middle_of_something_stays() {
    on_each_backend(|stage| {
        let gate = Gate::default();
        let (inside, big) = (gate.clone(), pattern(16 << 20));
        let handler = move |request: &mut Request<'_>| match request.path() {
            "/wait" => {
                inside.pass();
                Response::text(PAGE)
            }
            "/big" => Response::new(Status::OK).stream(None, io::Cursor::new(big.clone())),
            _ => Response::text(PAGE),
        };
        let recorder = Recorder::default();
        let server = stage
            .server()
            .workers(3)
            .limits(limits(|limits| limits.connections = 3))
            .observer(recorder.clone());
        let server = server.spawn(handler).unwrap();
        let mut waits = held(server.addr(), &gate, 1);
        let mut deaf = Client::connect(server.addr());
        deaf.send(get("/big"));
        deaf.head();
        let mut idle = Client::connect(server.addr());
        assert_eq!(idle.ask("/").text(), PAGE);
        long_after();
        // One has to go, and then there is none.
        let mut newcomer = held(server.addr(), &gate, 2);
        idle.ends();
        for _ in 0..5 {
            let mut refused = Client::connect(server.addr());
            assert_eq!(refused.answer().status, 503);
        }
        assert_eq!(evicted(&recorder.events()), [idle.address()]);
        gate.open();
        for client in [&mut waits, &mut newcomer] {
            assert_eq!(client.answer().text(), PAGE);
        }
        let mut seen = 0;
        while seen < 16 << 20 {
            seen += deaf.some().expect("the answer goes on").len();
        }
    });
}

/// A clock on which a millisecond is a second, so that clients in a hurry are idle for long.
struct Hasty(SystemClock);

impl Clock for Hasty {
    fn now(&self) -> (Duration, SystemTime) {
        let (monotonic, wall) = self.0.now();
        (monotonic * 1_000, wall)
    }
}

/// Whoever asks on a connection that is closed for another's sake is answered as a whole, or not
/// begun to be answered.
#[test]
fn an_eviction_never_cuts_an_answer() {
    on_each_backend(|stage| {
        let mut config = Config::default();
        config.limits.connections = 4;
        let never = Duration::from_secs(1_000_000);
        (config.timeouts.head, config.timeouts.keep_alive) = (never, never);
        let clock = Arc::new(Hasty(SystemClock::start()));
        let engine = Engine::on_clock(stage, 2, config, clock, page);
        let address = engine.address;
        let ask = |client: &mut Client| {
            if client.try_send(get("/")).is_err() {
                return false;
            }
            match client.try_answer() {
                Ok(answer) if answer.status == 200 => {
                    assert_eq!(answer.text(), PAGE);
                    true
                }
                Ok(answer) => {
                    assert_eq!(answer.status, 503);
                    false
                }
                Err(broken) => {
                    assert!(matches!(broken, Broken::Closed | Broken::Reset), "{broken}");
                    false
                }
            }
        };
        let served = thread::scope(|scope| {
            let work = || {
                let (mut client, mut served) = (Client::connect(address), 0);
                for _ in 0..300 {
                    match ask(&mut client) {
                        true => {
                            served += 1;
                            thread::sleep(Duration::from_millis(1));
                        }
                        false => client = Client::connect(address),
                    }
                }
                served
            };
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(work)).collect();
            let served = threads.into_iter().map(|thread| thread.join().unwrap());
            served.sum::<usize>()
        });
        assert!(served > 0, "nobody was served");
        assert!(!evicted(&engine.recorder.events()).is_empty());
        thread::sleep(Duration::from_millis(10));
        assert_eq!(Client::connect(address).ask("/").text(), PAGE);
    });
}

#[test]
fn memory_for_those_that_wait_is_bounded() {
    const LENGTH: usize = 16 << 20;
    on_each_backend(|stage| {
        let recorder = Recorder::default();
        // More than two sockets hold is left of each.
        let handler = |_: &mut Request<'_>| Response::new(Status::OK).body(vec![b'x'; LENGTH]);
        let server = stage
            .server()
            .workers(1)
            .limits(limits(|limits| {
                limits.parked_bytes = 2 * LENGTH + LENGTH / 2
            }))
            .observer(recorder.clone());
        let server = server.spawn(handler).unwrap();
        let mut clients: Vec<_> = (0..3)
            .map(|_| {
                let mut client = Client::connect(server.addr());
                client.send(get("/"));
                assert_eq!(client.head().length, Some(LENGTH as u64));
                client
            })
            .collect();
        // Which of them is a matter of milliseconds.
        recorder.hears_ends(1);
        let cut = evicted(&recorder.events());
        // This is told before the end that it is about.
        let why = "too much is kept for connections";
        recorder.hears(why, |events| {
            let is_it =
                |event: &Event| matches!(event, Event::Overload(said) if said.starts_with(why));
            events.iter().any(is_it)
        });
        for client in &mut clients {
            let mut seen = 0;
            while seen < LENGTH {
                match client.some() {
                    Ok(octets) if !octets.is_empty() => seen += octets.len(),
                    _ => break,
                }
            }
            let is_cut = cut == [client.address()];
            assert_eq!(seen < LENGTH, is_cut, "{seen} bytes, cut: {cut:?}");
        }
    });
}

#[test]
fn one_address_leaves_room_for_others() {
    on_each_backend(|stage| {
        let recorder = Recorder::default();
        let server = stage
            .server()
            .limits(limits(|limits| limits.connections_per_ip = Some(2)))
            .observer(recorder.clone());
        let server = match server.bind_also("[::1]:0") {
            Ok(server) => server,
            Err(error) => {
                skipped(
                    "one_address_leaves_room_for_others, with IPv6",
                    &error.to_string(),
                );
                stage
                    .server()
                    .limits(limits(|limits| limits.connections_per_ip = Some(2)))
                    .observer(recorder.clone())
            }
        };
        let addresses = server.local_addrs();
        let _running = server.spawn(page).unwrap();
        for address in addresses {
            let mut clients = [Client::connect(address), Client::connect(address)];
            for client in &mut clients {
                assert_eq!(client.ask("/").text(), PAGE);
            }
            let mut third = Client::connect(address);
            let _ = third.try_send(get("/"));
            let answer = third.answer();
            assert_eq!(answer.status, 503);
            assert_eq!(answer.header_value("Retry-After"), Some("1"));
            for client in &mut clients {
                assert_eq!(client.ask("/").text(), PAGE, "idle ones of it stay");
            }
            let [one, other] = clients;
            let (gone, before) = (one.address(), recorder.reasons().len());
            drop(one);
            recorder.hears_ends(before + 1);
            assert_eq!(Client::connect(address).ask("/").text(), PAGE);
            drop(other);
            assert_eq!(evicted(&recorder.events()), [], "{gone}");
        }
        let why = "too many connections from 127.0.0.1 (limit 2): more are turned away";
        assert_eq!(told(&recorder, why), 1);
    });
}

#[cfg(unix)]
#[test]
fn a_limit_that_comes_from_the_open_files_says_so() {
    use crate::harness::alone;
    let name = "at_capacity::a_limit_that_comes_from_the_open_files_says_so";
    alone(name, Some(66), || {
        on_each_backend(|stage| {
            // Asked for, and what there is: 64 descriptors are kept for other things.
            for (connections, limit) in [(10_000, "2, with 66 open files"), (1, "1")] {
                let recorder = Recorder::default();
                let gate = Gate::default();
                let server = stage
                    .server()
                    .workers(3)
                    .limits(limits(|limits| limits.connections = connections))
                    .observer(recorder.clone());
                let server = server.spawn(gated(&gate)).unwrap();
                let most = connections.min(2);
                let _inside: Vec<_> = (1..=most)
                    .map(|number| held(server.addr(), &gate, number))
                    .collect();
                assert_eq!(Client::connect(server.addr()).answer().status, 503);
                let why = format!("too many connections (limit {limit}): new ones are turned away");
                assert_eq!(told(&recorder, &why), 1);
                gate.open();
            }
        });
    });
}

#[cfg(unix)]
#[test]
fn a_process_without_descriptors_recovers() {
    use crate::harness::alone;
    alone(
        "at_capacity::a_process_without_descriptors_recovers",
        Some(128),
        || {
            on_each_backend(|stage| {
                let (recorder, gate) = (Recorder::default(), Gate::default());
                let server = stage
                    .server()
                    .workers(3)
                    .observer(recorder.clone())
                    .spawn(gated(&gate))
                    .unwrap();
                let mut idle: Vec<_> = (0..3).map(|_| Client::connect(server.addr())).collect();
                for client in &mut idle {
                    assert_eq!(client.ask("/").text(), PAGE);
                }
                let mut before = held(server.addr(), &gate, 1);
                // tiny-http#283: all descriptors are taken but one, and that one is the client's.
                let mut hoard = Vec::new();
                while let Ok(file) = File::open("/dev/null") {
                    hoard.push(file);
                }
                hoard.pop();
                long_after();
                let mut client = Client::connect(server.addr());
                assert_eq!(client.ask("/").text(), PAGE, "idle ones make room");
                for client in &mut idle {
                    client.ends();
                }
                let why = "too many open files (limit 128): other connections are closed";
                assert_eq!(told(&recorder, why), 1);
                // Nobody is idle any more, and nothing is left.
                client.send(get("/wait"));
                gate.holds(2);
                drop(idle);
                while let Ok(file) = File::open("/dev/null") {
                    hoard.push(file);
                }
                hoard.pop();
                // A new one is told so, with the descriptor that is kept for that.
                for _ in 0..3 {
                    // Its own descriptor is the one that is left.
                    let mut refused = Client::connect(server.addr());
                    refused.send(get("/"));
                    let answer = refused.answer();
                    assert_eq!((answer.status, answer.closes), (503, true));
                }
                let why = "too many open files (limit 128): new connections are turned away";
                assert_eq!(told(&recorder, why), 1);
                // Those that are in are served, and all others when there is a descriptor.
                gate.open();
                assert_eq!(before.answer().text(), PAGE);
                assert_eq!(client.answer().text(), PAGE);
                hoard.clear();
                assert_eq!(Client::connect(server.addr()).ask("/").text(), PAGE);
            });
        },
    );
}

/// Bytes of a large file: more than two sockets hold.
#[cfg(unix)]
const LARGE: u64 = 64 << 20;

#[cfg(unix)]
fn large_file() -> Temporary {
    let scratch = Temporary::file(b"");
    let file = File::options().write(true).open(&*scratch).unwrap();
    file.set_len(LARGE).unwrap();
    scratch
}

#[cfg(unix)]
fn whole(file: Arc<File>) -> Payload {
    Payload::File {
        file,
        offset: 0,
        length: LARGE,
    }
}

/// The status of a response of which the client reads no more.
#[cfg(unix)]
fn status_of(address: SocketAddr, path: &str) -> (u16, Client) {
    let mut client = Client::connect(address);
    client.send(get(path));
    (client.head().status, client)
}

/// A file whose client has gone, and which waits because its disk is busy, counts until it is
/// closed.
#[cfg(unix)]
#[test]
fn descriptors_of_files_that_wait_to_be_closed_count() {
    use crate::harness::alone;
    use doorstep::internals::handler::gate::Gate;
    use doorstep::internals::handler::within;
    const NAME: &str = "at_capacity::descriptors_of_files_that_wait_to_be_closed_count";
    alone(NAME, Some(128), || {
        let scratch = large_file();
        on_each_backend(|stage| {
            let (path, disk) = (scratch.to_path_buf(), Arc::<Gate>::default());
            let gate = disk.clone();
            let handler = move |_: &mut Request<'_>| {
                let file = Arc::new(File::open(&path).unwrap());
                within(Response::new(Status::OK).body(whole(file)), &gate, 1)
            };
            let mut timeouts = Timeouts::default();
            timeouts.write = Duration::from_millis(500);
            let server = stage.server().workers(2).timeouts(timeouts);
            let server = server.spawn(handler).unwrap();
            let status = || status_of(server.addr(), "/");
            let busy = disk.enter(1).expect("nobody is inside");
            // Each is a connection and a file.
            let gone: Vec<_> = (0..31).map(|_| status()).collect();
            assert!(gone.iter().all(|(status, _)| *status == 200));
            drop(gone);
            assert!(eventually(|| server.stats().connections == 0));
            // A few connections and files beside them, and not 31 of each.
            let found: Vec<_> = (0..31).map(|_| status()).collect();
            assert!(
                found.iter().any(|(status, _)| *status == 503),
                "31 are open"
            );
            drop((found, busy));
            let thirty_one = || {
                let all: Vec<_> = (0..31).map(|_| status()).collect();
                all.iter().all(|(status, _)| *status == 200)
            };
            assert!(eventually(thirty_one));
        });
    });
}

/// Of 128 descriptors, 64 are for connections and for the files on their way to them.
#[cfg(unix)]
#[test]
fn descriptors_of_files_on_their_way_count() {
    use crate::harness::alone;
    const NAME: &str = "at_capacity::descriptors_of_files_on_their_way_count";
    alone(NAME, Some(128), || {
        let scratch = large_file();
        on_each_backend(|stage| {
            let path = scratch.to_path_buf();
            let shared = Arc::new(File::open(&path).unwrap());
            let handler = move |request: &mut Request<'_>| {
                let ok = Response::new(Status::OK);
                match request.path() {
                    "/own" => ok.body(whole(Arc::new(File::open(&path).unwrap()))),
                    "/shared" => ok.body(whole(shared.clone())),
                    _ => Response::text(PAGE),
                }
            };
            let server = stage.server().workers(2).spawn(handler).unwrap();
            let status = |path: &str| status_of(server.addr(), path);
            // Each is a connection and a file; then there are two connections without one.
            let mut deaf: Vec<_> = (0..31).map(|_| status("/own")).collect();
            assert!(deaf.iter().all(|(status, _)| *status == 200));
            let mut one = Client::connect(server.addr());
            let mut other = Client::connect(server.addr());
            assert_eq!(one.ask("/").text(), PAGE);
            assert_eq!(other.ask("/").text(), PAGE);
            let refused = one.ask("/own");
            assert_eq!((refused.status, refused.closes), (503, true));
            one.ends();
            assert_eq!(other.ask("/").text(), PAGE);
            deaf.push(status("/own"));
            assert_eq!(deaf[31].0, 503, "the connection took the last one");
            deaf.pop();
            // Responses that share a file share its descriptor.
            deaf.pop();
            let is_shared = || {
                let (status, client) = status("/shared");
                // One that is refused would only take descriptors of this process.
                if status == 200 {
                    deaf.push((status, client));
                }
                status == 200
            };
            assert!(eventually(is_shared));
            drop(deaf);
            let mut many = Vec::new();
            let fifty = || {
                many.push(status("/shared"));
                many.retain(|(status, _)| *status == 200);
                many.len() == 50
            };
            assert!(eventually(fifty));
        });
    });
}

/// A listener that fails so often before it accepts, and when it was asked.
struct Faulty {
    listener: Listener,
    failures: Mutex<usize>,
    asked: Arc<Mutex<Vec<Instant>>>,
}

impl Accept for Faulty {
    fn source(&self) -> Source<'_> {
        self.listener.source()
    }
    fn accept(&self) -> io::Result<(Stream, Option<SocketAddr>)> {
        self.asked.lock().unwrap().push(Instant::now());
        let mut failures = self.failures.lock().unwrap();
        if *failures > 0 {
            *failures -= 1;
            // Not a lack of descriptors, for which there is a spare one.
            return Err(io::Error::other("planted"));
        }
        self.listener.accept()
    }
}

/// The threads of a server around one listener.
fn with_listener(stage: Stage, listener: Faulty, test: impl FnOnce()) {
    let (poller, clock) = (stage.backend.open().unwrap(), SystemClock::start());
    let listeners = Listeners::new(vec![Listener::Other(Box::new(listener))]);
    let mut config = Config::default();
    // The housekeeper's other work is once a second then.
    config.timeouts.linger = Duration::from_secs(10);
    let shared = Shared::new(poller, Arc::new(clock), Box::new(page), config, listeners);
    let shared = Arc::new(shared);
    shared.listeners.register(&*shared.poller).unwrap();
    let mut worker = Worker::new(shared.clone());
    let mut housekeeper = Housekeeper::new(shared.clone());
    thread::scope(|scope| {
        let ends = shared.clone();
        let _end = crate::harness::AtTheEnd(move || {
            ends.signal.request_shutdown(Moment(0));
            ends.poller.wake();
        });
        scope.spawn(move || worker.run());
        scope.spawn(move || housekeeper.run());
        test();
    });
}

#[test]
fn a_listener_that_cannot_accept_is_asked_ten_times_a_second_at_most() {
    // A tick of the housekeeper for each would be more than a client's patience.
    const FAILURES: usize = 14;
    on_each_backend(|stage| {
        let listener = Listener::bind_tcp("127.0.0.1:0".parse().unwrap(), 16).unwrap();
        let address = listener.local_addr().unwrap();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let faulty = Faulty {
            listener,
            failures: Mutex::new(FAILURES),
            asked: asked.clone(),
        };
        with_listener(stage, faulty, || {
            let mut client = Client::connect(address);
            assert_eq!(client.ask("/").text(), PAGE);
            let asked = asked.lock().unwrap().clone();
            assert_eq!(asked.len(), FAILURES + 1);
            for two in asked.windows(2) {
                let rest = two[1] - two[0];
                // The server's clock counts whole milliseconds.
                assert!(rest >= Duration::from_millis(99), "{rest:?}");
            }
        });
    });
}

/// Whoever has gone makes room as well, before anybody has come to see that.
#[test]
fn one_connection_at_a_time_is_a_server_too() {
    on_each_backend(|stage| {
        let server = stage
            .server()
            .workers(1)
            .limits(limits(|limits| limits.connections = 1));
        let server = server.spawn(page).unwrap();
        for _ in 0..20 {
            let mut client = Client::connect(server.addr());
            assert_eq!(client.ask("/").text(), PAGE);
            assert_eq!(client.ask("/").text(), PAGE);
        }
    });
}

/// A wait for events that fails for lack of memory is tried again, by each worker.
#[cfg(unix)]
#[test]
fn a_lack_of_memory_while_waiting_ends_no_worker() {
    const ENOMEM: i32 = 12;
    on_each_backend(|stage| {
        let engine = Engine::start(stage, 2, Config::default(), page);
        for _ in 0..3 {
            let lacks = (0..5).map(|_| io::Error::from_raw_os_error(ENOMEM));
            engine.faults.waits.lock().unwrap().extend(lacks);
            for _ in 0..4 {
                assert_eq!(Client::connect(engine.address).ask("/").text(), PAGE);
            }
        }
        let all_failed = || engine.faults.waits.lock().unwrap().is_empty();
        assert!(eventually(all_failed));
        assert_eq!(engine.shared.pool.counts().all(), 2);
        assert_eq!(Client::connect(engine.address).ask("/").text(), PAGE);
    });
}
