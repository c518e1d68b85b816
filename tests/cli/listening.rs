//! Where it listens, and the line that says so.

use crate::folder::Folder;
use crate::program::{Program, connect, doorstep, free_port, get, has_ipv6, skipped};
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
fn loopback_alone_on_both_addresses_unless_asked() {
    let folder = Folder::with_page();
    let program = doorstep(folder.path(), ["-p", "0"]).serve();
    let port = program.address().port();
    match has_ipv6() {
        true => assert_eq!(
            get(SocketAddr::from(([0, 0, 0, 0, 0, 0, 0, 1], port)), "/page").content,
            b"tea"
        ),
        false => skipped(
            "loopback_alone_on_both_addresses_unless_asked, IPv6",
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

/// Arguments of `python -m http.server` that mean the same here. `{port}` is a free port, `{dir}` the folder, which is not
/// the current one unless the row leaves it out.
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

/// A number that is the name of a folder is the folder.
#[test]
fn folder_with_a_number_for_a_name() {
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

/// The default port is everybody's: whoever holds 8000, this test or a stranger, the program goes elsewhere.
#[test]
fn port_that_nobody_chose_and_is_taken() {
    let test = "port_that_nobody_chose_and_is_taken";
    let folder = Folder::with_page();
    let Ok(taken) = TcpListener::bind("127.0.0.1:8000") else {
        return skipped(
            test,
            "port 8000 is a stranger's, who may give it back meanwhile",
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
        return skipped(test, "ports 8001 to 8010 are taken, too");
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
    assert!(get(address, "/missing").head.starts_with("HTTP/1.1 404 "));
    let outcome = program.kill();
    assert_eq!((outcome.out.as_str(), outcome.err.as_str()), ("", ""));
}

/// Starts a program on a port that was free a moment ago, once more if somebody was faster, and waits until it listens.
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
