//! The addresses the program listens on, and the line that names them.

use crate::folder::Folder;
use crate::program::{Program, connect, doorstep, free_port, get, has_ipv6};
use crate::support::skipped;
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

#[test]
fn one_line_of_output_names_address_root_and_process() {
    let folder = Folder::with_page();
    let program = doorstep(folder.path(), ["-p", "0"]).serve();
    let port = program.address().port();
    assert_ne!(port, 0);
    let expected = format!(
        "doorstep: listening on http://127.0.0.1:{port}/ root={} pid={}\n",
        folder.path().display(),
        program.id()
    );
    assert_eq!(program.line(), expected);
    assert_eq!(program.get("/page").content, b"tea");
    let outcome = program.kill();
    assert_eq!(outcome.out, expected, "nothing follows the line");
}

#[test]
fn listens_on_both_loopback_addresses_by_default() {
    let folder = Folder::with_page();
    let program = doorstep(folder.path(), ["-p", "0"]).serve();
    let port = program.address().port();
    match has_ipv6() {
        true => assert_eq!(
            get(SocketAddr::from(([0, 0, 0, 0, 0, 0, 0, 1], port)), "/page").content,
            b"tea"
        ),
        false => skipped(
            "listens_on_both_loopback_addresses_by_default, IPv6",
            "there is none",
        ),
    }
    for ip in doorstep::os::local_addresses().unwrap() {
        if !ip.is_loopback() {
            let address = SocketAddr::new(ip, port);
            let stream = TcpStream::connect_timeout(&address, Duration::from_secs(1));
            assert!(stream.is_err(), "it listens on {ip}");
        }
    }
}

/// Arguments of `python -m http.server` that mean the same here. `{port}` is a free port, `{dir}`
/// the folder; rows without it use the current folder.
#[test]
fn python_style_arguments() {
    let folder = Folder::with_page();
    let elsewhere = Folder::new();
    for arguments in [
        &["{port}"][..],
        &["{port}", "--bind", "127.0.0.1"],
        &["--bind", "127.0.0.1", "{port}"],
        &["-b", "127.0.0.1", "{port}"],
        &["{dir}", "{port}"],
        &["{dir}", "{port}", "--bind", "127.0.0.1"],
        &["{dir}", "--bind", "127.0.0.1:{port}"],
        &["{dir}", "-p{port}"],
        &["{dir}", "--port={port}", "--threads", "1"],
    ] {
        let there = match arguments.contains(&"{dir}") {
            true => elsewhere.path(),
            false => folder.path(),
        };
        let (_program, address) = on_free_port(|port| {
            let root = folder.path().display().to_string();
            let fill = |text: &&str| {
                text.replace("{port}", &port.to_string())
                    .replace("{dir}", &root)
            };
            doorstep(there, arguments.iter().map(fill)).spawn()
        });
        assert_eq!(get(address, "/page").content, b"tea", "{arguments:?}");
    }
}

/// A number is a folder if one has that name.
#[test]
fn folder_named_like_a_port() {
    let folder = Folder::new();
    let year = folder.folder("2024");
    std::fs::write(year.join("page"), "old").unwrap();
    let program = doorstep(folder.path(), ["2024"]).with("PORT", "0").serve();
    assert_eq!(program.get("/page").content, b"old");
}

#[test]
fn port_and_address_from_the_environment() {
    let folder = Folder::with_page();
    for environment in [
        &[("PORT", "0")][..],
        &[("DOORSTEP_PORT", "0"), ("PORT", "1")],
        &[("DOORSTEP_BIND", "127.0.0.1:0")],
        &[
            ("DOORSTEP_BIND", "127.0.0.1"),
            ("PORT", "0"),
            ("DOORSTEP_THREADS", "2"),
            ("DOORSTEP_GRACE", "0"),
        ],
    ] {
        let mut setup = doorstep(folder.path(), [""; 0]);
        for (name, value) in environment {
            setup = setup.with(name, value);
        }
        let program = setup.serve();
        assert_eq!(program.get("/page").content, b"tea", "{environment:?}");
    }
}

#[test]
fn several_addresses_each_with_its_port() {
    let folder = Folder::with_page();
    let program = doorstep(folder.path(), ["-b", "127.0.0.1:0", "-b", "localhost:0"]).serve();
    assert_eq!(program.address().ip(), IpAddr::from([127, 0, 0, 1]));
    assert_eq!(program.get("/page").content, b"tea");
}

/// Port 8000 may be taken by this test or by another process: the program moves on either way.
#[test]
fn default_port_in_use() {
    let test = "default_port_in_use";
    let folder = Folder::with_page();
    let Ok(taken) = TcpListener::bind("127.0.0.1:8000") else {
        return skipped(
            test,
            "port 8000 belongs to another process, which may release it meanwhile",
        );
    };
    let mut program = doorstep(folder.path(), [""; 0]).spawn();
    if !program.has_line() {
        let outcome = program.wait();
        assert_eq!(
            (outcome.status, outcome.err.as_str()),
            (
                Some(1),
                "doorstep: ports 8000 to 8010 are all in use\n  hint: choose one with `-p`, or take any free port with `-p 0`.\n"
            )
        );
        return skipped(test, "ports 8001 to 8010 are in use, too");
    }
    assert!(
        (8001..=8010).contains(&program.address().port()),
        "{}",
        program.line()
    );
    assert_eq!(program.get("/page").content, b"tea");
    drop(taken);
}

#[test]
fn quiet_prints_nothing() {
    let folder = Folder::with_page();
    folder.file("secret.pem", "");
    let (program, address) =
        on_free_port(|port| doorstep(folder.path(), ["-q", "-p", &port.to_string()]).spawn());
    assert_eq!(get(address, "/page").content, b"tea");
    assert!(
        get(address, "/missing")
            .head
            .text
            .starts_with("HTTP/1.1 404 ")
    );
    let outcome = program.kill();
    assert_eq!((outcome.out.as_str(), outcome.err.as_str()), ("", ""));
}

/// Starts a program on a port that was free a moment ago, again if another process took it, and
/// waits until it listens.
fn on_free_port(start: impl Fn(u16) -> Program) -> (Program, SocketAddr) {
    for _ in 0..10 {
        let port = free_port();
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let mut program = start(port);
        let begin = std::time::Instant::now();
        while program.runs() && begin.elapsed() < crate::program::TIMEOUT {
            if TcpStream::connect(address).is_ok() {
                drop(connect(address));
                return (program, address);
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        let outcome = program.kill();
        assert!(outcome.err.contains("is already in use"), "{outcome:?}");
    }
    panic!("every port is taken");
}
