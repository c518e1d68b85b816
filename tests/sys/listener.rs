//! Listening sockets: how they are set up, and what accepting gives.

use crate::harness::{LOST, may_open, on_each_backend, pair};
use doorstep::internals::sys::shortage::{Shortage, shortage};
use doorstep::internals::sys::{Accept, Interest, Listener, Source, Stream, Token, Wake};
use std::io::{self, Read};
use std::net::{SocketAddr, TcpListener, TcpStream};

fn listen() -> Listener {
    Listener::bind_tcp("127.0.0.1:0".parse().expect("an address"), 16).expect("a listener")
}

/// Accepts a connection that was made already, but may still be on its way through the kernel.
fn accept(listener: &Listener) -> (Stream, Option<SocketAddr>) {
    let poller = doorstep::internals::sys::Backend::Poll
        .open()
        .expect("a poller");
    poller
        .add(listener.source(), Token(0), Interest::Read)
        .expect("add");
    assert_eq!(
        poller.wait(Some(LOST)).expect("a wait"),
        Wake::Ready(Token(0))
    );
    listener.accept().expect("a connection")
}

fn would_block<T>(answer: io::Result<T>) -> bool {
    answer.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
}

#[test]
fn an_accepted_connection_is_ready_for_use() {
    let listeners = [
        listen(),
        Listener::from_tcp(TcpListener::bind("127.0.0.1:0").expect("a port"), 4096)
            .expect("a listener"),
    ];
    for listener in listeners {
        assert!(would_block(listener.accept()), "nobody is there");
        let address = listener.local_addr().expect("an address");
        assert_ne!(address.port(), 0);
        let mut client = TcpStream::connect(address).expect("a connection");
        let (mut stream, peer) = accept(&listener);
        assert_eq!(peer, Some(client.local_addr().expect("an address")));
        assert!(would_block(stream.read(&mut [0; 8])), "never blocks");
        assert_eq!(stream.write(b"hello").expect("a write"), 5);
        let mut greeting = [0; 5];
        client.read_exact(&mut greeting).expect("a read");
        assert_eq!(&greeting, b"hello");
        let Stream::Tcp(stream) = &stream else {
            panic!("TCP")
        };
        // hyper#1184, axum#2653
        assert!(stream.nodelay().expect("an option"));
        assert_closed_on_exec(stream);
    }
}

#[cfg(target_os = "linux")]
fn assert_closed_on_exec(stream: &impl std::os::fd::AsRawFd) {
    const O_CLOEXEC: u32 = 0o2_000_000;
    let path = format!("/proc/self/fdinfo/{}", stream.as_raw_fd());
    let info = std::fs::read_to_string(path).expect("a description");
    let flags = info
        .lines()
        .find_map(|line| line.strip_prefix("flags:"))
        .expect("flags");
    let flags = u32::from_str_radix(flags.trim(), 8).expect("octal");
    assert_ne!(flags & O_CLOEXEC, 0, "{flags:o}");
}

#[cfg(not(target_os = "linux"))]
fn assert_closed_on_exec<T>(_stream: &T) {}

#[test]
fn a_connection_over_ipv6_and_its_address() {
    let Ok(listener) = Listener::bind_tcp("[::1]:0".parse().expect("an address"), 16) else {
        println!("SKIPPED a_connection_over_ipv6_and_its_address: no IPv6 on loopback");
        return;
    };
    let address = listener.local_addr().expect("an address");
    assert!(address.is_ipv6());
    let client = TcpStream::connect(address).expect("a connection");
    let (_, peer) = accept(&listener);
    assert_eq!(peer, Some(client.local_addr().expect("an address")));
}

#[test]
fn all_of_ipv6_leaves_ipv4_alone() {
    let Ok(six) = Listener::bind_tcp("[::]:0".parse().expect("an address"), 16) else {
        println!("SKIPPED all_of_ipv6_leaves_ipv4_alone: no IPv6");
        return;
    };
    let port = six.local_addr().expect("an address").port();
    TcpStream::connect(("127.0.0.1", port)).expect_err("nobody listens on IPv4");
    Listener::bind_tcp(SocketAddr::from(([127, 0, 0, 1], port)), 16).expect("the port is free");
}

/// The side that closes first keeps the port in TIME_WAIT; a restart must not wait for it.
#[test]
fn a_port_can_be_bound_again_at_once() {
    let listener = listen();
    let address = listener.local_addr().expect("an address");
    let mut client = TcpStream::connect(address).expect("a connection");
    let (stream, _) = accept(&listener);
    drop(stream);
    assert_eq!(client.read(&mut [0; 8]).expect("the end"), 0);
    drop(client);
    drop(listener);
    let again = Listener::bind_tcp(address, 16).expect("the port");
    assert_eq!(again.local_addr().expect("an address"), address);
}

#[test]
fn a_port_that_is_taken_is_an_error() {
    let listener = listen();
    let error = Listener::bind_tcp(listener.local_addr().expect("an address"), 16);
    assert_eq!(error.expect_err("taken").kind(), io::ErrorKind::AddrInUse);
}

#[test]
fn three_thousand_connects_are_kept_until_they_are_accepted() {
    const CONNECTS: usize = 3000;
    const NAME: &str = "three_thousand_connects_are_kept_until_they_are_accepted";
    if !longest_queue_is(CONNECTS, NAME) || !may_open(2 * CONNECTS as u64 + 1024, NAME) {
        return;
    }
    let bound = TcpListener::bind("127.0.0.1:0").expect("a port");
    for listener in [
        Listener::bind_tcp("127.0.0.1:0".parse().expect("an address"), 4096).expect("a listener"),
        Listener::from_tcp(bound, 4096).expect("a listener"),
    ] {
        let address = listener.local_addr().expect("an address");
        let connect = || TcpStream::connect_timeout(&address, LOST).expect("room in the queue");
        let clients: Vec<_> = (0..CONNECTS).map(|_| connect()).collect();
        let accepted: Vec<_> = (0..CONNECTS).map(|_| accept_one(&listener)).collect();
        assert_eq!(accepted.len(), clients.len());
        assert!(would_block(listener.accept()));
    }
}

fn accept_one(listener: &Listener) -> Stream {
    listener.accept().expect("a connection that was made").0
}

/// Linux cuts every backlog to a setting of the machine.
#[cfg(target_os = "linux")]
fn longest_queue_is(wanted: usize, test: &str) -> bool {
    let setting = std::fs::read_to_string("/proc/sys/net/core/somaxconn").unwrap_or_default();
    let longest = setting.trim().parse::<usize>().unwrap_or(0);
    if longest < wanted {
        println!("SKIPPED {test}: net.core.somaxconn is {longest}");
    }
    longest >= wanted
}

#[cfg(not(target_os = "linux"))]
fn longest_queue_is(_wanted: usize, test: &str) -> bool {
    println!("SKIPPED {test}: this system's longest queue is unknown");
    false
}

#[test]
fn a_listener_is_ready_when_somebody_connects() {
    on_each_backend(|poller| {
        let listener = listen();
        poller
            .add(listener.source(), Token(1), Interest::Read)
            .expect("add");
        let wait = || poller.wait(Some(LOST)).expect("a wait");
        let address = listener.local_addr().expect("an address");
        let _clients = [TcpStream::connect(address), TcpStream::connect(address)];
        for _ in 0..2 {
            // Two wait in the queue: armed again, it is ready again.
            assert_eq!(wait(), Wake::Ready(Token(1)));
            accept_one(&listener);
            poller
                .arm(listener.source(), Token(1), Interest::Read)
                .expect("arm");
        }
        let time = Some(std::time::Duration::from_millis(20));
        assert_eq!(poller.wait(time).expect("a wait"), Wake::TimedOut);
    });
}

#[cfg(unix)]
#[test]
fn a_unix_socket_listens_too() {
    use std::io::Write;
    use std::os::unix::net::{UnixListener, UnixStream};
    let tree = crate::harness::Tree::plant();
    let bound = UnixListener::bind(tree.at("socket")).expect("a socket");
    bound.set_nonblocking(true).expect("an option");
    let listener = Listener::Unix(bound);
    assert!(would_block(listener.accept()));
    let mut client = UnixStream::connect(tree.at("socket")).expect("a connection");
    let (mut stream, peer) = accept(&listener);
    assert_eq!(peer, None);
    assert!(would_block(stream.read(&mut [0; 8])), "never blocks");
    client.write_all(b"x").expect("a write");
    assert_eq!(stream.read(&mut [0; 8]).expect("a read"), 1);
    let Stream::Unix(stream) = &stream else {
        panic!("a Unix stream")
    };
    assert_closed_on_exec(stream);
    let kind = listener.local_addr().expect_err("not IP").kind();
    assert_eq!(kind, io::ErrorKind::Unsupported);
}

#[test]
fn a_listener_of_the_programs_own() {
    struct Own(TcpListener);
    impl Accept for Own {
        fn source(&self) -> Source<'_> {
            crate::harness::source(&self.0)
        }
        fn accept(&self) -> io::Result<(Stream, Option<SocketAddr>)> {
            Ok((Stream::Tcp(pair().0), None))
        }
    }
    let listener = Listener::Other(Box::new(Own(
        TcpListener::bind("127.0.0.1:0").expect("a port")
    )));
    assert!(matches!(
        listener.accept().expect("a connection"),
        (Stream::Tcp(_), None)
    ));
    assert!(matches!(listener.source(), Source::Descriptor(_)));
    let kind = listener.local_addr().expect_err("not known").kind();
    assert_eq!(kind, io::ErrorKind::Unsupported);
}

#[test]
fn shortages_are_classified() {
    const PROCESS: Option<Shortage> = Some(Shortage::Process);
    const MEMORY: Option<Shortage> = Some(Shortage::Memory);
    #[cfg(target_os = "linux")]
    let rows = [
        (24, PROCESS),
        (23, Some(Shortage::System)),
        (105, MEMORY),
        (12, MEMORY),
        (103, None),
        (11, None),
        (22, None),
    ];
    #[cfg(all(unix, not(target_os = "linux")))]
    let rows = [
        (24, PROCESS),
        (23, Some(Shortage::System)),
        (55, MEMORY),
        (12, MEMORY),
        (53, None),
        (35, None),
        (22, None),
    ];
    #[cfg(windows)]
    let rows = [
        (10024, PROCESS),
        (10055, MEMORY),
        (10054, None),
        (10035, None),
        (10022, None),
    ];
    for (number, expected) in rows {
        let error = io::Error::from_raw_os_error(number);
        assert_eq!(shortage(&error), expected, "{error}");
    }
    assert_eq!(
        shortage(&io::ErrorKind::OutOfMemory.into()),
        None,
        "not an answer of the system"
    );
}
