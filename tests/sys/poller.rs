//! The poller's contract, on every backend.

use crate::harness::{LOST, may_open, on_each_backend, pair, source};
use doorstep::internals::sys::{Interest, Poller, Source, Token, Wake};
use std::collections::HashSet;
use std::io::{self, Read, Write};
use std::marker::PhantomData;
use std::net::{TcpStream, UdpSocket};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Barrier, mpsc};
use std::thread;
use std::time::{Duration, Instant};

const NOW: Option<Duration> = Some(Duration::ZERO);

fn ready(token: u64) -> Wake {
    Wake::Ready(Token(token))
}

fn next(poller: &dyn Poller) -> Wake {
    poller.wait(Some(LOST)).expect("a wait")
}

fn assert_silent(poller: &dyn Poller) {
    assert_eq!(
        poller
            .wait(Some(Duration::from_millis(20)))
            .expect("a wait"),
        Wake::TimedOut
    );
}

#[test]
fn an_event_comes_once_for_each_arming() {
    on_each_backend(|poller| {
        let (mut client, server) = pair();
        client.write_all(b"x").expect("a write");
        // The byte is there before the registration is.
        poller
            .add(source(&server), Token(7), Interest::Read)
            .expect("add");
        assert_eq!(next(poller), ready(7));
        assert_silent(poller);
        client.write_all(b"y").expect("a write");
        assert_silent(poller);
        // Armed under another token: that one counts.
        poller
            .arm(source(&server), Token(8), Interest::Read)
            .expect("arm");
        assert_eq!(next(poller), ready(8));
        poller
            .arm(source(&server), Token(9), Interest::Read)
            .expect("arm");
        poller.remove(source(&server), Token(9)).expect("remove");
        assert_silent(poller);
        poller
            .add(source(&server), Token(10), Interest::Read)
            .expect("add again");
        assert_eq!(next(poller), ready(10));
        // Removed while disarmed.
        poller.remove(source(&server), Token(10)).expect("remove");
        assert_silent(poller);
    });
}

#[test]
fn arming_again_changes_the_direction() {
    on_each_backend(|poller| {
        let (_client, server) = pair();
        poller
            .add(source(&server), Token(1), Interest::Read)
            .expect("add");
        assert_silent(poller);
        poller
            .arm(source(&server), Token(1), Interest::Write)
            .expect("arm");
        assert_eq!(next(poller), ready(1));
        poller
            .arm(source(&server), Token(1), Interest::Read)
            .expect("arm");
        assert_silent(poller);
    });
}

#[test]
fn a_full_socket_is_not_writable_until_it_is_read() {
    on_each_backend(|poller| {
        let (mut client, mut server) = pair();
        let block = [0; 65_536];
        while server.write(&block).is_ok() {}
        poller
            .add(source(&server), Token(1), Interest::Write)
            .expect("add");
        assert_silent(poller);
        let mut sink = vec![0; 1 << 20];
        let end = Instant::now() + LOST;
        loop {
            while client.read(&mut sink).is_ok() {}
            if poller.wait(Some(Duration::from_millis(5))).expect("a wait") == ready(1) {
                break;
            }
            assert!(Instant::now() < end, "never writable again");
        }
    });
}

#[test]
fn a_peer_that_goes_is_reported_in_either_direction() {
    for interest in [Interest::Read, Interest::Write] {
        on_each_backend(|poller| {
            let (mut client, mut server) = pair();
            if interest == Interest::Write {
                // Unread bytes make the close a reset, which is an error and not only an end.
                while server.write(&[0; 65_536]).is_ok() {}
                client.write_all(b"x").expect("a write");
            }
            poller
                .add(source(&server), Token(3), interest)
                .expect("add");
            assert_silent(poller);
            drop(client);
            assert_eq!(next(poller), ready(3), "{interest:?}");
        });
    }
}

#[test]
fn a_wait_lasts_its_time() {
    on_each_backend(|poller| {
        for time_ms in [0, 1, 35] {
            let time = Duration::from_millis(time_ms);
            let begin = Instant::now();
            assert_eq!(poller.wait(Some(time)).expect("a wait"), Wake::TimedOut);
            assert!(begin.elapsed() >= time, "{:?} of {time:?}", begin.elapsed());
        }
    });
}

#[test]
fn followers_time_out_while_another_leads() {
    on_each_backend(|poller| {
        thread::scope(|scope| {
            let leader = scope.spawn(|| next(poller));
            for _ in 0..3 {
                scope
                    .spawn(|| assert_silent(poller))
                    .join()
                    .expect("a thread");
            }
            poller.wake();
            assert_eq!(leader.join().expect("a thread"), Wake::Woken);
        });
    });
}

#[test]
fn a_posted_token_comes_once() {
    on_each_backend(|poller| {
        let (_client, server) = pair();
        poller
            .add(source(&server), Token(1), Interest::Read)
            .expect("add");
        poller.post(Token(7));
        poller.post(Token(8));
        assert!(poller.pending().expect("a look"));
        let mut got = [next(poller), next(poller)];
        got.sort_by_key(|wake| format!("{wake:?}"));
        assert_eq!(got, [ready(7), ready(8)]);
        assert_silent(poller);
        // Nothing was disarmed.
        (&_client).write_all(b"x").expect("a write");
        assert_eq!(next(poller), ready(1));
    });
}

/// Whether the threads that wait sleep already or not.
#[test]
fn a_posted_token_finds_a_thread_that_waits() {
    const ROUNDS: u64 = 300;
    on_each_backend(|poller| {
        for threads in [1, 3] {
            let begun = Instant::now();
            let (tell, told) = mpsc::channel();
            thread::scope(|scope| {
                for _ in 0..threads {
                    let tell = tell.clone();
                    scope.spawn(move || {
                        while let Ok(Wake::Ready(token)) = poller.wait(Some(LOST)) {
                            match token {
                                Token(0) => return,
                                Token(number) => tell.send(number).expect("a listener"),
                            }
                        }
                    });
                }
                for round in 1..=ROUNDS {
                    poller.post(Token(round));
                    if round % 3 == 0 {
                        thread::yield_now();
                    }
                    assert_eq!(told.recv_timeout(LOST), Ok(round), "{threads} threads");
                }
                (0..threads).for_each(|_| poller.post(Token(0)));
            });
            // Without a call, a thread that waits may look only once a second.
            assert!(begun.elapsed() < Duration::from_secs(ROUNDS / 3), "late");
        }
    });
}

/// Who posts a token for each that it gets hears of its sockets all the same; and who is always
/// ready does not keep posted tokens from being handed out.
#[test]
fn posted_tokens_and_sources_take_turns() {
    const SOURCES: usize = 100;
    on_each_backend(|poller| {
        let pairs: Vec<_> = (0..SOURCES).map(|_| pair()).collect();
        for (number, (client, server)) in pairs.iter().enumerate() {
            (&*client).write_all(b"x").expect("a write");
            let token = Token(1_000 + number as u64);
            poller
                .add(source(server), token, Interest::Read)
                .expect("add");
        }
        poller.post(Token(1));
        poller.post(Token(2));
        let mut sources = HashSet::new();
        let mut posted = 0;
        // All of them are always ready.
        for _ in 0..10 * SOURCES {
            match next(poller) {
                Wake::Ready(token @ Token(1..=2)) => {
                    posted += 1;
                    poller.post(token);
                }
                Wake::Ready(token) => {
                    sources.insert(token.0);
                    let (_, server) = &pairs[token.0 as usize - 1_000];
                    poller
                        .arm(source(server), token, Interest::Read)
                        .expect("arm");
                }
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(sources.len(), SOURCES, "sockets starve");
        assert!(posted >= 10, "{posted}: posted tokens starve");
        assert!(posted <= 5 * SOURCES, "{posted}: more than their share");
    });
}

#[test]
fn wake_ends_all_waits_forever() {
    on_each_backend(|poller| {
        let begin = Instant::now();
        let begun = AtomicUsize::new(0);
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    begun.fetch_add(1, Ordering::SeqCst);
                    assert_eq!(next(poller), Wake::Woken);
                    assert_eq!(poller.wait(None).expect("a wait"), Wake::Woken);
                });
            }
            while begun.load(Ordering::SeqCst) < 8 {
                thread::yield_now();
            }
            // Some sleep by now, some are about to; all must come back.
            poller.wake();
        });
        assert!(begin.elapsed() < LOST / 2, "woken by the end of the time");
        assert_eq!(poller.wait(NOW).expect("a wait"), Wake::Woken);
        poller.wake();
        assert_eq!(poller.wait(None).expect("a wait"), Wake::Woken);
    });
}

#[test]
fn invalid_registrations_are_refused() {
    on_each_backend(|poller| {
        let (_client, server) = pair();
        let named = Source::Named(1, PhantomData);
        let read = Interest::Read;
        let refused = |answer: io::Result<()>, kind| {
            assert_eq!(answer.expect_err("refused").kind(), kind);
        };
        refused(
            poller.add(named, Token(1), read),
            io::ErrorKind::Unsupported,
        );
        refused(
            poller.arm(named, Token(1), read),
            io::ErrorKind::Unsupported,
        );
        refused(poller.remove(named, Token(1)), io::ErrorKind::Unsupported);
        refused(
            poller.arm(source(&server), Token(1), read),
            io::ErrorKind::NotFound,
        );
        refused(
            poller.remove(source(&server), Token(1)),
            io::ErrorKind::NotFound,
        );
        for reserved in [u64::MAX - 1, u64::MAX] {
            let answer = poller.add(source(&server), Token(reserved), read);
            refused(answer, io::ErrorKind::InvalidInput);
        }
        poller
            .add(source(&server), Token(u64::MAX - 2), read)
            .expect("the highest token");
    });
}

#[test]
fn a_reused_number_is_the_new_source() {
    on_each_backend(|poller| {
        for round in 0..50 {
            let (_client, server) = pair();
            poller
                .add(source(&server), Token(round), Interest::Read)
                .expect("add");
            drop(server); // without remove
            let (mut client, server) = pair();
            poller
                .add(source(&server), Token(1000 + round), Interest::Read)
                .expect("add");
            client.write_all(b"x").expect("a write");
            // A poller without the kernel's help may take a third socket that has the number now
            // for the one that is gone; that token's generation is over.
            let fresh = (0..50)
                .map(|_| token(next(poller)))
                .find(|&token| token >= 1000);
            assert_eq!(fresh, Some(1000 + round));
            poller
                .remove(source(&server), Token(1000 + round))
                .expect("remove");
        }
        assert_silent(poller);
    });
}

/// One thread at a time owns a source between its event and its arming; it finds exactly the one
/// byte that was sent, and the round goes on until every source has had its rounds.
#[test]
fn many_threads_lose_no_event_and_get_none_twice() {
    const SOURCES: usize = 200;
    const THREADS: usize = 8;
    const ROUNDS: usize = 60;
    if !may_open(2048, "many_threads_lose_no_event_and_get_none_twice") {
        return;
    }
    on_each_backend(|poller| {
        let pairs: Vec<_> = (0..SOURCES).map(|_| pair()).collect();
        let owned: Vec<_> = (0..SOURCES).map(|_| AtomicBool::new(false)).collect();
        let rounds: Vec<_> = (0..SOURCES).map(|_| AtomicUsize::new(0)).collect();
        let finished = AtomicUsize::new(0);
        for (place, (_, server)) in pairs.iter().enumerate() {
            poller
                .add(source(server), Token(place as u64), Interest::Read)
                .expect("add");
        }
        let play = || loop {
            let place = match next(poller) {
                Wake::Ready(Token(place)) => place as usize,
                Wake::Woken => return,
                Wake::TimedOut => panic!("lost after {:?}", finished),
            };
            assert!(
                !owned[place].swap(true, Ordering::SeqCst),
                "two events at once"
            );
            let (mut client, mut server): (&TcpStream, &TcpStream) =
                (&pairs[place].0, &pairs[place].1);
            let mut buffer = [0; 8];
            assert_eq!(server.read(&mut buffer).expect("an octet"), 1);
            let round = rounds[place].fetch_add(1, Ordering::SeqCst) + 1;
            owned[place].store(false, Ordering::SeqCst);
            if round == ROUNDS {
                if finished.fetch_add(1, Ordering::SeqCst) + 1 == SOURCES {
                    poller.wake();
                }
                continue;
            }
            let token = Token(place as u64);
            // Both orders: armed and then ready, ready and then armed.
            if round % 2 == 0 {
                client.write_all(b"x").expect("a write");
                poller
                    .arm(source(server), token, Interest::Read)
                    .expect("arm");
            } else {
                poller
                    .arm(source(server), token, Interest::Read)
                    .expect("arm");
                client.write_all(b"x").expect("a write");
            }
        };
        thread::scope(|scope| {
            for _ in 0..THREADS {
                scope.spawn(play);
            }
            for (client, _) in &pairs {
                let mut client = client;
                client.write_all(b"x").expect("a write");
            }
        });
        assert!(
            rounds
                .iter()
                .all(|rounds| rounds.load(Ordering::SeqCst) == ROUNDS)
        );
    });
}

/// A thread that was interrupted for a change sleeps again afterwards.
#[cfg(target_os = "linux")]
#[test]
fn waiting_costs_no_processor_time() {
    fn used() -> Option<Duration> {
        let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
        Some(Duration::from_nanos(text.split(' ').next()?.parse().ok()?))
    }
    if used().is_none() {
        println!("SKIPPED waiting_costs_no_processor_time: no /proc/thread-self/schedstat");
        return;
    }
    on_each_backend(|poller| {
        let (_client, server) = pair();
        let time = Duration::from_millis(600);
        thread::scope(|scope| {
            let waiting = scope.spawn(|| {
                let before = used();
                assert_eq!(poller.wait(Some(time)).expect("a wait"), Wake::TimedOut);
                used()
                    .zip(before)
                    .map(|(after, before)| after.saturating_sub(before))
            });
            poller
                .add(source(&server), Token(1), Interest::Read)
                .expect("add");
            for _ in 0..20 {
                thread::sleep(Duration::from_millis(5));
                poller
                    .arm(source(&server), Token(1), Interest::Read)
                    .expect("arm");
            }
            let used = waiting.join().expect("a thread").expect("a number");
            assert!(used < time / 4, "{used:?} of {time:?}");
        });
    });
}

/// Eight threads wait; eight events come, each when the one before has been taken by a thread that
/// does not come back. Whoever waits takes over, whatever the busy ones were doing for the others.
#[test]
fn each_event_finds_a_thread_that_still_waits() {
    const THREADS: usize = 8;
    on_each_backend(|poller| {
        let pairs: Vec<_> = (0..THREADS).map(|_| pair()).collect();
        let (taken, takings) = mpsc::channel();
        thread::scope(|scope| {
            for _ in 0..THREADS {
                let taken = taken.clone();
                scope.spawn(move || taken.send(next(poller)));
            }
            for (place, (mut client, server)) in pairs.iter().map(|(a, b)| (a, b)).enumerate() {
                poller
                    .add(source(server), Token(place as u64), Interest::Read)
                    .expect("add");
                client.write_all(b"x").expect("a write");
                assert_eq!(
                    takings.recv_timeout(LOST).expect("an event"),
                    ready(place as u64)
                );
            }
        });
    });
}

/// A thread's result for an arming counts for that arming alone, not for the next one.
#[test]
fn an_event_belongs_to_the_arming_it_came_from() {
    on_each_backend(|poller| {
        let (mut client, mut server) = pair();
        client.write_all(b"x").expect("a write");
        while server.write(&[0; 65_536]).is_ok() {}
        poller
            .add(source(&server), Token(0), Interest::Read)
            .expect("add");
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    while let Wake::Ready(Token(token)) = next(poller) {
                        assert_eq!(token % 2, 0, "readable was taken for writable");
                    }
                });
            }
            for round in 1..3000 {
                // Readable, so an event is on its way at once; but never writable.
                poller
                    .arm(source(&server), Token(2 * round), Interest::Read)
                    .expect("arm");
                // The other thread may be anywhere between the kernel and its own lock.
                let pause = Duration::from_micros(round % 64);
                let begin = Instant::now();
                while begin.elapsed() < pause {
                    std::hint::spin_loop();
                }
                poller
                    .arm(source(&server), Token(2 * round + 1), Interest::Write)
                    .expect("arm");
            }
            poller.wake();
        });
    });
}

/// Of two threads, the one that gets an event first is busy with it until the other has received
/// all the rest: no event waits for the thread that fetched it.
#[test]
fn a_batch_is_never_stranded_behind_a_busy_thread() {
    const BURST: usize = 50;
    const ROUNDS: usize = 300;
    let pairs: Vec<_> = (0..BURST).map(|_| pair()).collect();
    on_each_backend(|poller| {
        for (place, (mut client, server)) in pairs.iter().map(|(a, b)| (a, b)).enumerate() {
            client.write_all(b"x").expect("a write");
            poller
                .add(source(server), Token(place as u64), Interest::Read)
                .expect("add");
        }
        for round in 0..ROUNDS {
            if round > 0 {
                for (place, (_, server)) in pairs.iter().enumerate() {
                    poller
                        .arm(source(server), Token(place as u64), Interest::Read)
                        .expect("arm");
                }
            }
            take_burst(poller, BURST);
        }
        assert_silent(poller);
    });
}

fn take_burst(poller: &dyn Poller, burst: usize) {
    let start = Barrier::new(2);
    let is_one_busy = AtomicBool::new(false);
    let (done, until_done) = mpsc::channel::<HashSet<u64>>();
    let until_done = std::sync::Mutex::new(until_done);
    thread::scope(|scope| {
        for _ in 0..2 {
            let done = done.clone();
            let (start, is_one_busy, until_done) = (&start, &is_one_busy, &until_done);
            scope.spawn(move || {
                start.wait();
                let first = token(next(poller));
                if !is_one_busy.swap(true, Ordering::SeqCst) {
                    let others = until_done.lock().expect("one thread").recv_timeout(LOST);
                    let mut all = others.expect("the other thread has the rest");
                    all.insert(first);
                    assert_eq!(all.len(), burst);
                    return;
                }
                let mut taken = HashSet::from([first]);
                while taken.len() < burst - 1 {
                    assert!(taken.insert(token(next(poller))), "twice");
                }
                done.send(taken).expect("the busy thread");
            });
        }
    });
}

fn token(wake: Wake) -> u64 {
    match wake {
        Wake::Ready(Token(token)) => token,
        other => panic!("{other:?} instead of an event"),
    }
}

#[test]
fn four_thousand_sources() {
    const SOURCES: u64 = 4000;
    if !may_open(SOURCES + 1024, "four_thousand_sources") {
        return;
    }
    on_each_backend(|poller| {
        let sockets: Vec<_> = (0..SOURCES)
            .map(|token| {
                let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
                socket
                    .connect(socket.local_addr().expect("bound"))
                    .expect("connected to itself");
                poller
                    .add(source(&socket), Token(token), Interest::Read)
                    .expect("add");
                socket
            })
            .collect();
        assert_silent(poller);
        let mut expected = HashSet::new();
        for token in (0..SOURCES).step_by(4) {
            sockets[token as usize].send(b"x").expect("a datagram");
            expected.insert(token);
        }
        thread::scope(|scope| {
            let takers: Vec<_> = (0..4)
                .map(|_| {
                    scope.spawn(|| {
                        (0..expected.len() / 4)
                            .map(|_| token(next(poller)))
                            .collect::<Vec<_>>()
                    })
                })
                .collect();
            let taken: Vec<_> = takers
                .into_iter()
                .flat_map(|taker| taker.join().expect("a thread"))
                .collect();
            assert_eq!(taken.len(), expected.len());
            assert_eq!(taken.into_iter().collect::<HashSet<_>>(), expected);
        });
        assert_silent(poller);
    });
}

/// While one thread waits, others add, arm and remove: each change counts at once.
#[test]
fn changes_reach_a_thread_that_waits_already() {
    on_each_backend(|poller| {
        let (events, received) = mpsc::channel();
        let begin = Instant::now();
        thread::scope(|scope| {
            scope.spawn(move || {
                loop {
                    let wake = next(poller);
                    if events.send(wake).is_err() || wake == Wake::Woken {
                        return;
                    }
                }
            });
            for round in 0..200 {
                let (mut client, server) = pair();
                let token = Token(round * 2);
                poller
                    .add(source(&server), token, Interest::Read)
                    .expect("add");
                client.write_all(b"x").expect("a write");
                let begin = Instant::now();
                assert_eq!(
                    received.recv_timeout(LOST).expect("an event"),
                    Wake::Ready(token)
                );
                poller
                    .arm(source(&server), Token(token.0 + 1), Interest::Write)
                    .expect("arm");
                assert_eq!(
                    received.recv_timeout(LOST).expect("an event"),
                    ready(token.0 + 1)
                );
                assert!(
                    begin.elapsed() < Duration::from_millis(900),
                    "found by accident"
                );
                poller.remove(source(&server), token).expect("remove");
            }
            poller.wake();
            assert_eq!(received.recv_timeout(LOST).expect("an event"), Wake::Woken);
        });
        // A poller that looks at its table only now and then (once a second) needs minutes.
        assert!(
            begin.elapsed() < Duration::from_secs(60),
            "{:?}",
            begin.elapsed()
        );
    });
}
