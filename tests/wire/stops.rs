//! A server is stopped and started again and again, under load and beside clients that say nothing.
//! Each clause by itself stands in `shutdown`.

use crate::harness::{Gate, PAGE, Stage, alone, on_each_backend, own};
use crate::support::client::{Client, get};
use crate::support::skipped;
use crate::support::{eventually, in_time};
use doorstep::{Request, Server, ServerHandle, ShutdownReport};
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

/// A grace that no test lasts: what ends long before it was not waited for.
const LONG: Duration = Duration::from_secs(600);
/// Clients of each kind.
const EACH: usize = 6;
const ROUNDS: usize = 5;

/// Asks over and over until the server is gone.
fn load(address: SocketAddr, answered: &AtomicUsize) {
    while let Ok(mut client) = Client::try_connect(address) {
        while client.try_send(get("/")).is_ok() {
            let Ok(answer) = client.try_answer() else {
                break;
            };
            assert_eq!(answer.text(), PAGE);
            answered.fetch_add(1, Ordering::SeqCst);
        }
    }
}

/// Stopped with everything going on at once.
fn stop(server: ServerHandle) -> io::Result<ShutdownReport> {
    let address = server.addr();
    // hyper#2730, hyper#3188: some have never said a word.
    let mut idle: Vec<_> = (0..2 * EACH).map(|_| Client::connect(address)).collect();
    for client in &mut idle[..EACH] {
        assert_eq!(client.ask("/").text(), PAGE);
    }
    let answered = AtomicUsize::new(0);
    let ended = thread::scope(|scope| {
        for _ in 0..EACH {
            scope.spawn(|| load(address, &answered));
        }
        let loaded = eventually(|| answered.load(Ordering::SeqCst) > 200);
        // rouille#200, rouille#207: from another thread, at any time, and as often as anybody
        // likes.
        let shutdown = server.shutdown_handle();
        (0..2).for_each(|_| shutdown.begin(LONG));
        let ended = in_time(|| server.join());
        assert!(loaded, "no load");
        ended
    });
    // They were told soon, and not at the end of the grace.
    idle.iter_mut().for_each(Client::is_gone);
    ended
}

fn page(_: &mut Request<'_>) -> &'static str {
    PAGE
}

#[test]
fn a_server_under_load_is_stopped_and_started_again_at_once() {
    const NAME: &str = "stops::a_server_under_load_is_stopped_and_started_again_at_once";
    alone(NAME, None, || {
        let (Some(before), Some(open)) = (own("task"), own("fd")) else {
            return skipped(NAME, "this system does not list a process's threads");
        };
        on_each_backend(|stage| {
            let mut server = stage.server();
            for round in 1..=ROUNDS {
                let running = server.workers(4).spawn(page).unwrap();
                let address = running.addr();
                assert_eq!(stop(running).unwrap().aborted, 0);
                // rouille#190: nothing of it is left.
                assert!(
                    eventually(|| own("task") == Some(before)),
                    "{:?}",
                    own("task")
                );
                assert!(eventually(|| own("fd") == Some(open)), "round {round}");
                server = again(stage, address);
            }
            drop(server);
        });
    });
}

/// The same port, at once: its connections were closed by the server, and are in TIME_WAIT.
fn again(stage: Stage, address: SocketAddr) -> Server {
    match Server::bind(address) {
        Ok(server) => server.backend(stage.backend),
        // Between the end and the next start another process may be given the port: that this is
        // rare is shown elsewhere.
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => stage.server(),
        Err(error) => panic!("the next start: {error}"),
    }
}

/// hyper#3720: whoever is served while the server stops is told that no answer follows; hyper#3808:
/// so is a client whose connection was idle, and whose request was on its way.
#[test]
fn the_last_answer_of_each_connection_says_so() {
    on_each_backend(|stage| {
        let gate = Gate::default();
        let inside = gate.clone();
        let handler = move |request: &mut Request<'_>| {
            if request.path() == "/wait" {
                inside.pass();
            }
            PAGE
        };
        let server = stage.server().workers(1).spawn(handler).unwrap();
        let address = server.addr();
        let mut idle: Vec<_> = (0..EACH).map(|_| Client::connect(address)).collect();
        for client in &mut idle {
            assert_eq!(client.ask("/").text(), PAGE);
        }
        let mut running = Client::connect(address);
        running.send([get("/wait"), get("/")].concat());
        gate.holds(1);
        // The only worker is busy, so these lie unread as the server stops.
        idle.iter_mut().for_each(|client| client.send(get("/")));
        crate::harness::await_arrival(address, &idle.iter().collect::<Vec<_>>());
        server.shutdown_handle().begin(LONG);
        let is_deserted = || Client::try_connect(address).is_err();
        assert!(eventually(is_deserted));
        gate.open();
        for client in idle.iter_mut().chain([&mut running]) {
            let answer = client.answer();
            assert_eq!((answer.text(), answer.closes), (PAGE, true));
            client.ends();
        }
        drop((idle, running));
        assert_eq!(in_time(|| server.join()).unwrap().aborted, 0);
    });
}
