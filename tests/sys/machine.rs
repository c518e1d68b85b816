//! The process and the machine: clocks, addresses, limits, signals.

use doorstep::internals::sys::{Clock, SystemClock};
use doorstep::os;
use std::collections::HashSet;
use std::net::IpAddr;
use std::time::{Duration, SystemTime};

#[test]
fn the_clock_goes_forward_and_tells_the_time() {
    let clock = SystemClock::start();
    let before = SystemTime::now();
    let (mut last, wall) = clock.now();
    assert!(wall >= before && wall <= SystemTime::now());
    for _ in 0..1000 {
        let (now, _) = clock.now();
        assert!(now >= last);
        last = now;
    }
}

/// A time noted by a handler that two servers share is as old for the one as for the other.
#[test]
fn clocks_that_start_later_show_the_same_time() {
    let early = SystemClock::start();
    while early.now().0 < Duration::from_millis(1) {}
    let late = SystemClock::start();
    let (before, _) = early.now();
    let (between, _) = late.now();
    let (behind, _) = early.now();
    assert!(before <= between && between <= behind);
}

#[test]
fn the_addresses_of_this_machine() {
    let addresses = os::local_addresses().expect("a list");
    println!("{addresses:?}");
    assert!(
        addresses.iter().any(IpAddr::is_loopback),
        "loopback is up: {addresses:?}"
    );
    let unique: HashSet<_> = addresses.iter().collect();
    assert_eq!(unique.len(), addresses.len(), "each once: {addresses:?}");
    let loopback_end = addresses
        .iter()
        .take_while(|address| address.is_loopback())
        .count();
    assert!(
        !addresses[loopback_end..].iter().any(IpAddr::is_loopback),
        "first: {addresses:?}"
    );
    // RFC 4291 §2.5.6: fe80::/10, which need a zone to be used.
    let is_link_local = |address: &IpAddr| matches!(address, IpAddr::V6(v6) if v6.segments()[0] >> 6 == 0xfe80 >> 6);
    assert!(!addresses.iter().any(is_link_local), "{addresses:?}");
    for address in &addresses {
        // An address of this machine can be bound.
        std::net::TcpListener::bind((*address, 0)).expect("an address of this machine");
    }
}

/// A file belongs to its maker.
#[cfg(unix)]
#[test]
fn root_owns_what_it_creates() {
    use std::os::unix::fs::MetadataExt;
    let tree = crate::harness::Tree::plant();
    tree.file("mine", "");
    let owner = std::fs::metadata(tree.at("mine")).expect("metadata").uid();
    assert_eq!(os::is_root(), owner == 0, "owned by {owner}");
}

#[cfg(unix)]
mod process {
    use crate::harness::{CHILD, child, is_child, pair};
    use doorstep::internals::sys::limits::open_files;
    use doorstep::internals::sys::{Backend, Interest, Stream, Wake};
    use doorstep::os::{Signal, Signals, raise_open_files};
    use std::io::{BufRead, BufReader};
    use std::process::{Child, Command, Stdio};
    use std::time::{Duration, Instant};

    const SIGHUP: i32 = 1;
    const SIGINT: i32 = 2;
    const SIGTERM: i32 = 15;

    #[allow(unsafe_code, reason = "a declaration of what libc has")]
    unsafe extern "C" {
        safe fn kill(process: i32, number: i32) -> i32;
        safe fn pthread_self() -> usize;
        safe fn pthread_kill(thread: usize, number: i32) -> i32;
    }

    struct Conversation {
        child: Child,
        lines: std::io::Lines<BufReader<std::process::ChildStdout>>,
    }

    impl Conversation {
        fn begin(test: &str) -> Conversation {
            let mut child = child(test)
                .stdout(Stdio::piped())
                .spawn()
                .expect("a child process");
            let output = BufReader::new(child.stdout.take().expect("a pipe"));
            Conversation {
                child,
                lines: output.lines(),
            }
        }

        fn expect(&mut self, text: &str) {
            let line = self
                .lines
                .find(|line| line.as_ref().is_ok_and(|line| line.ends_with(text)));
            line.unwrap_or_else(|| panic!("the child ended before it said {text}"))
                .expect("a line");
        }

        fn send(&self, signal: i32) {
            assert_eq!(kill(self.child.id() as i32, signal), 0);
        }

        fn end(mut self) {
            assert!(self.child.wait().expect("an exit").success());
        }
    }

    #[test]
    fn signals_are_received_each_by_one_wait() {
        let mut child = Conversation::begin("machine::process::says_its_signals");
        child.expect("installed");
        for (signal, name) in [
            (SIGINT, "Interrupt"),
            (SIGTERM, "Terminate"),
            (SIGHUP, "Hangup"),
            (SIGINT, "Interrupt"),
        ] {
            child.send(signal);
            child.expect(name);
        }
        child.end();
    }

    #[test]
    // Run by signals_are_received_each_by_one_wait in a process of its own; nothing otherwise.
    fn says_its_signals() {
        if !is_child() {
            return;
        }
        let mut first = Signals::install().expect("handlers");
        let mut second = Signals::install().expect("handlers, again");
        println!("\ninstalled");
        println!("{:?}", first.wait().expect("a signal"));
        for _ in 0..3 {
            println!("{:?}", second.wait().expect("a signal"));
        }
    }

    #[test]
    fn a_signal_does_not_end_a_wait() {
        let output = child("machine::process::waits_through_signals")
            .output()
            .expect("a child");
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(
            output.status.success() && text.contains("waited for all"),
            "{output:?}"
        );
    }

    #[test]
    // Run by a_signal_does_not_end_a_wait in a process of its own; nothing otherwise.
    fn waits_through_signals() {
        if !is_child() {
            return;
        }
        let mut signals = Signals::install().expect("handlers");
        let waiting = pthread_self();
        let time = Duration::from_millis(300);
        for &backend in Backend::ALL {
            let poller = backend.open().expect("a poller");
            let (one, _other) = pair();
            let mut stream = Stream::Tcp(one);
            let waits: [&mut dyn FnMut(); 2] = [
                &mut || assert_eq!(poller.wait(Some(time)).expect("a wait"), Wake::TimedOut),
                &mut || assert!(!stream.wait(Interest::Read, time).expect("a wait")),
            ];
            for wait in waits {
                let begin = Instant::now();
                std::thread::scope(|scope| {
                    scope.spawn(|| {
                        while begin.elapsed() < time {
                            assert_eq!(pthread_kill(waiting, SIGTERM), 0);
                            std::thread::sleep(Duration::from_millis(5));
                        }
                    });
                    wait();
                    assert!(
                        begin.elapsed() >= time,
                        "{backend:?}: {:?}",
                        begin.elapsed()
                    );
                });
            }
        }
        assert_eq!(signals.wait().expect("one of them"), Signal::Terminate);
        println!("waited for all");
    }

    #[test]
    fn the_open_file_limit_is_raised() {
        let program = std::env::current_exe().expect("this program");
        let test = child("machine::process::raises_its_limit");
        // Soft 100, hard 200.
        let mut shell = Command::new("sh");
        shell
            .args([
                "-c",
                "ulimit -Sn 100 && ulimit -Hn 200 && exec \"$@\"",
                "sh",
            ])
            .arg(program);
        let output = shell
            .args(test.get_args())
            .env(CHILD, "yes")
            .output()
            .expect("a shell");
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(
            output.status.success() && text.contains("raised"),
            "{output:?}"
        );
    }

    #[test]
    // Run by the_open_file_limit_is_raised under a small limit; nothing otherwise.
    fn raises_its_limit() {
        if !is_child() {
            return;
        }
        assert_eq!(open_files(), Some(100));
        for (wanted, expected) in [(50, 100), (100, 100), (150, 150), (120, 150), (9000, 200)] {
            let limit = raise_open_files(wanted).expect("a limit");
            assert_eq!(limit, Some(expected), "{wanted} wanted");
            assert_eq!(open_files(), Some(expected));
        }
        println!("raised");
    }
}
