//! Connections that wait cost no turn, whatever they wait for, and hold up nobody.

use crate::engine::Engine;
use crate::harness::{PAGE, on_each_backend};
use crate::support::client::{Client, get};
use crate::support::eventually;
use doorstep::internals::conn::Config;
use doorstep::internals::limits::PREFETCH_BYTES;
use doorstep::{CloseReason, IntoResponse, Request, Response, Status};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;

/// More than two sockets hold.
const BIG: usize = 16 << 20;
/// Clients of each kind: more than there are workers.
const EACH: usize = 8;

/// rouille#207: a server with nothing to do does nothing; hyper#368: nor do the idle ones keep
/// others from being served.
#[test]
fn connections_that_wait_are_not_looked_at() {
    let big: Arc<[u8]> = vec![b'x'; BIG].into();
    let kinds = [
        String::new(),
        get("/"),
        "GET / HT".to_string(),
        "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nab".to_string(),
        // The handler is called with the beginning of it, and reads nothing.
        "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 20000\r\n\r\n".to_string()
            + &"x".repeat(PREFETCH_BYTES),
        get("/big"),
        "NOT HTTP\r\n\r\n".to_string(),
    ];
    on_each_backend(|stage| {
        let mut config = Config::default();
        // None of them ends here.
        config.timeouts.head = Duration::from_secs(600);
        config.timeouts.linger = Duration::from_secs(600);
        let big = big.clone();
        let handler = move |request: &mut Request<'_>| match request.path() {
            "/big" => Response::new(Status::OK).body(big.clone()),
            _ => PAGE.into_response(),
        };
        let engine = Engine::start(stage, 2, config, handler);
        let mut clients: Vec<_> = (0..EACH * kinds.len())
            .map(|number| {
                let mut client = Client::connect(engine.address);
                client.send(&kinds[number % kinds.len()]);
                client
            })
            .collect();
        // Everything that could be done for them has been done.
        let mut events = engine.events();
        let is_quiet = eventually(|| {
            thread::sleep(Duration::from_millis(50));
            let before = std::mem::replace(&mut events, engine.events());
            before == events && engine.shared.slots.occupied() == clients.len()
        });
        assert!(is_quiet, "there is always something to do");
        let sweeps = engine.counts.sweeps.load(Ordering::SeqCst);
        assert!(eventually(
            || engine.counts.sweeps.load(Ordering::SeqCst) >= sweeps + 20
        ));
        assert_eq!(engine.events(), events);
        // Who comes now is served at once: one event for the listener, or two, and one for each
        // request.
        let mut fresh = Client::connect(engine.address);
        for _ in 0..100 {
            assert_eq!(fresh.ask("/").text(), PAGE);
        }
        assert!(engine.events() <= events + 103);
        // And they are still what they were.
        assert_eq!(engine.recorder.reasons(), []);
        for (number, client) in clients.iter_mut().enumerate() {
            match number % kinds.len() {
                0 => assert_eq!(client.ask("/").text(), PAGE),
                1 => assert_eq!(client.answer().text(), PAGE),
                2 => client.send("TP/1.1\r\nHost: localhost\r\n\r\n"),
                3 => client.send("cde"),
                _ => {}
            }
            match number % kinds.len() {
                2..=4 => assert_eq!(client.answer().text(), PAGE),
                5 => assert_eq!(client.answer().content.len(), BIG),
                6 => assert_eq!(client.answer().status, 400),
                _ => {}
            }
        }
        drop(clients);
        engine.recorder.hears_closed(CloseReason::PeerClosedEarly);
        assert!(eventually(|| engine.shared.slots.occupied() == 1));
    });
}
