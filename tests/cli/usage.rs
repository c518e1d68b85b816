//! Arguments that end the program at once: help, version, and every error with its text and status.

use crate::folder::Folder;
use crate::program::doorstep;
use crate::support::skipped;
use std::net::{Ipv4Addr, TcpListener};

/// Arguments, environment, exit status, standard error. `{dir}` is the current folder, with the
/// folder `dist` and the file `page` in it; `{sep}` is the system's separator. The host's label has
/// 64 letters, one more than RFC 1035 §2.3.4 allows, so that no resolver asks the network for it.
struct Row(
    &'static [&'static str],
    &'static [(&'static str, &'static str)],
    i32,
    &'static str,
);

#[rustfmt::skip]
const ERRORS: &[Row] = &[
    Row(&["--prot"], &[], 2, "doorstep: unknown option '--prot'\n  hint: did you mean '--port'? See `doorstep --help`.\n"),
    Row(&["--treads=2"], &[], 2, "doorstep: unknown option '--treads'\n  hint: did you mean '--threads'? See `doorstep --help`.\n"),
    Row(&["-port", "80"], &[], 2, "doorstep: unknown option '-port'\n  hint: did you mean '--port'? See `doorstep --help`.\n"),
    Row(&["--daemonize"], &[], 2, "doorstep: unknown option '--daemonize'\n  hint: see `doorstep --help`.\n"),
    Row(&["-x"], &[], 2, "doorstep: unknown option '-x'\n  hint: see `doorstep --help`.\n"),
    Row(&["--\x1b[2J"], &[], 2, "doorstep: unknown option '--\\u{1b}[2J'\n  hint: see `doorstep --help`.\n"),
    Row(&["--port"], &[], 2, "doorstep: option '--port' needs a value: --port PORT\n"),
    Row(&["--port", "--quiet"], &[], 2, "doorstep: option '--port' needs a value: --port PORT\n"),
    Row(&["dist", "-b"], &[], 2, "doorstep: option '-b' needs a value: -b ADDR[:PORT]\n"),
    Row(&["--lan=yes"], &[], 2, "doorstep: option '--lan' takes no value\n"),
    Row(&["--lan", "-b", "::1"], &[], 2, "doorstep: '--lan' and '--bind' cannot be used together\n"),
    Row(&["dist", "80", "more"], &[], 2, "doorstep: unexpected argument 'more'\n  hint: usage is `doorstep [OPTIONS] [DIR | FILE] [PORT]`.\n"),
    Row(&["dist", "80", "-p81"], &[], 2, "doorstep: the port is given twice: '80' and --port\n"),
    Row(&["dist", "80800"], &[], 2, "doorstep: invalid port '80800' (must be 0 to 65535)\n"),
    Row(&["80800"], &[], 2, "doorstep: invalid port '80800' (must be 0 to 65535)\n"),
    Row(&["--port=+80"], &[], 2, "doorstep: invalid port '+80' (must be 0 to 65535)\n"),
    Row(&["-b", "unix:/run/x"], &[], 2, "doorstep: invalid port '/run/x' (must be 0 to 65535)\n"),
    Row(&["-b", "1.2.3"], &[], 2, "doorstep: invalid address '1.2.3' (must be ADDR, ADDR:PORT or [IPv6]:PORT)\n"),
    Row(&["--auth"], &[], 2, "doorstep: option '--auth' needs a value: --auth USER:PASS\n"),
    Row(&["-a", "ana"], &[], 2, "doorstep: invalid credentials in --auth (must be USER:PASS, at most 512 octets, no control characters)\n"),
    Row(&["--auth=:tea"], &[], 2, "doorstep: invalid credentials in --auth (must be USER:PASS, at most 512 octets, no control characters)\n"),
    Row(&["--auth=ana:"], &[], 2, "doorstep: invalid credentials in --auth (must be USER:PASS, at most 512 octets, no control characters)\n"),
    Row(&[], &[("DOORSTEP_AUTH", "secret")], 2, "doorstep: invalid credentials in DOORSTEP_AUTH (must be USER:PASS, at most 512 octets, no control characters)\n"),
    Row(&["--hidden=yes"], &[], 2, "doorstep: option '--hidden' takes no value\n"),
    Row(&["--symlink", "all"], &[], 2, "doorstep: unknown option '--symlink'\n  hint: did you mean '--symlinks'? See `doorstep --help`.\n"),
    Row(&["--symlinks", "some"], &[], 2, "doorstep: invalid choice of symlinks 'some' (must be inside, all or none)\n"),
    Row(&["--index", "a/b"], &[], 2, "doorstep: invalid index 'a/b' (must be the name of a file, without a slash)\n"),
    Row(&["--spa=../x"], &[], 2, "doorstep: invalid page '../x' (must be a file of the folder, such as app/index.html)\n"),
    Row(&["--mime", "ts"], &[], 2, "doorstep: invalid media type 'ts' (must be EXT=TYPE or NAME=TYPE, such as ts=text/plain)\n"),
    Row(&["--cache"], &[], 2, "doorstep: option '--cache' needs a value: --cache SECONDS\n"),
    Row(&["--cache", "1h"], &[], 2, "doorstep: invalid cache time '1h' (must be 0 to 31536000 seconds)\n"),
    Row(&["--cache", "60", "--no-store"], &[], 2, "doorstep: '--cache' and '--no-store' cannot be used together\n"),
    Row(&["--no-store", "--immutable"], &[], 2, "doorstep: '--no-store' and '--immutable' cannot be used together\n"),
    Row(&[], &[("DOORSTEP_CACHE", "60"), ("DOORSTEP_NO_STORE", "1")], 2, "doorstep: 'DOORSTEP_CACHE' and 'DOORSTEP_NO_STORE' cannot be used together\n"),
    Row(&[], &[("DOORSTEP_FILE_CACHE", "lots")], 2, "doorstep: invalid file cache 'lots' in DOORSTEP_FILE_CACHE (must be a number of bytes, such as 0, 512K, 64M or 2G)\n  hint: change or unset DOORSTEP_FILE_CACHE in the environment.\n"),
    Row(&[], &[("DOORSTEP_HIDDEN", "maybe")], 2, "doorstep: invalid switch 'maybe' in DOORSTEP_HIDDEN (must be 1 or 0)\n  hint: change or unset DOORSTEP_HIDDEN in the environment.\n"),
    Row(&["--mount", "/docs"], &[], 2, "doorstep: invalid mount '/docs' (must be /PATH=DIR, such as /docs=../manual)\n"),
    Row(&["--mount=/a=x", "--mount=/a/=y"], &[], 2, "doorstep: two folders cannot both be mounted at '/a'\n"),
    Row(&["--threads", "0"], &[], 2, "doorstep: invalid number of threads '0' (must be 1 to 4096)\n"),
    Row(&["--threads", "4097"], &[], 2, "doorstep: invalid number of threads '4097' (must be 1 to 4096)\n"),
    Row(&["--drain", "-1"], &[], 2, "doorstep: invalid drain '-1' (must be 0 to 86400 seconds)\n"),
    Row(&["--max-conn", "5"], &[], 2, "doorstep: unknown option '--max-conn'\n  hint: did you mean '--max-conns'? See `doorstep --help`.\n"),
    Row(&["--max-conns"], &[], 2, "doorstep: option '--max-conns' needs a value: --max-conns N\n"),
    Row(&["--max-conns", "0"], &[], 2, "doorstep: invalid number of connections '0' (must be 1 to 1000000)\n"),
    Row(&["--max-conns-per-ip", "all"], &[], 2, "doorstep: invalid number of connections per address 'all' (must be 1 to 1000000)\n"),
    Row(&[], &[("DOORSTEP_MAX_CONNS", "many")], 2, "doorstep: invalid number of connections 'many' in DOORSTEP_MAX_CONNS (must be 1 to 1000000)\n  hint: change or unset DOORSTEP_MAX_CONNS in the environment.\n"),
    Row(&["--grace", "soon"], &[], 2, "doorstep: invalid grace 'soon' (must be 0 to 86400 seconds)\n"),
    Row(&[], &[("PORT", "http")], 2, "doorstep: invalid port 'http' in PORT (must be 0 to 65535)\n  hint: change or unset PORT in the environment.\n"),
    Row(&[], &[("DOORSTEP_PORT", "tcp://10.0.0.1:80"), ("PORT", "80")], 2, "doorstep: invalid port 'tcp://10.0.0.1:80' in DOORSTEP_PORT (must be 0 to 65535)\n  hint: change or unset DOORSTEP_PORT in the environment.\n"),
    Row(&[], &[("DOORSTEP_THREADS", "many")], 2, "doorstep: invalid number of threads 'many' in DOORSTEP_THREADS (must be 1 to 4096)\n  hint: change or unset DOORSTEP_THREADS in the environment.\n"),
    Row(&["--tls"], &[], 2, "doorstep: there is no '--tls': doorstep speaks plain HTTP: for HTTPS put a proxy before it, such as `caddy reverse-proxy --from localhost:8443 --to :8000`\n"),
    Row(&["--cert", "x.pem"], &[], 2, "doorstep: there is no '--cert': doorstep speaks plain HTTP: for HTTPS put a proxy before it, such as `caddy reverse-proxy --from localhost:8443 --to :8000`\n"),
    Row(&["--http2"], &[], 2, "doorstep: there is no '--http2': doorstep speaks HTTP/1.1: for HTTP/2 put a proxy before it, such as `caddy reverse-proxy --from localhost:8443 --to :8000`\n"),
    Row(&["--webdav"], &[], 2, "doorstep: there is no '--webdav': doorstep never writes a file: for WebDAV use another server, such as `rclone serve webdav DIR`\n"),
    Row(&["public"], &[], 1, "doorstep: cannot serve 'public': no such folder (looked in {dir})\n  hint: did you mean 'dist'?\n"),
    Row(&["./dits", "-p0"], &[], 1, "doorstep: cannot serve './dits': no such folder (looked in {dir})\n  hint: did you mean '.{sep}dist'?\n"),
    Row(&["page/x"], &[], 1, "doorstep: cannot serve 'page/x': no such folder (looked in {dir})\n"),
    Row(&[""], &[], 1, "doorstep: cannot serve '': no such folder (looked in {dir})\n"),
    Row(&["--", "-q"], &[], 1, "doorstep: cannot serve '-q': no such folder (looked in {dir})\n  hint: did you mean 'dist'?\n"),
    Row(&["-b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"], &[], 1, "doorstep: cannot listen on 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa': no such host\n"),
];

#[test]
fn errors_say_what_to_do() {
    let folder = Folder::new();
    folder.folder("dist");
    folder.file("page", "");
    let here = folder.path().display().to_string();
    for Row(arguments, environment, status, err) in ERRORS {
        let mut setup = doorstep(folder.path(), *arguments);
        for (name, value) in *environment {
            setup = setup.with(name, value);
        }
        let outcome = setup.run();
        let expected = err
            .replace("{dir}", &here)
            .replace("{sep}", std::path::MAIN_SEPARATOR_STR);
        assert_eq!(
            (outcome.status, outcome.out.as_str(), outcome.err),
            (Some(*status), "", expected),
            "{arguments:?} {environment:?}"
        );
    }
}

#[test]
fn help_fits_on_a_page() {
    let folder = Folder::new();
    for arguments in [&["--help"][..], &["-h"], &["-qh", "--nonsense"]] {
        let outcome = doorstep(folder.path(), arguments).run();
        assert_eq!((outcome.status, outcome.err.as_str()), (Some(0), ""));
        let lines: Vec<&str> = outcome.out.lines().collect();
        assert!(lines.len() <= 60, "{} lines", lines.len());
        for title in [
            "Where to listen:",
            "What is served, and to whom:",
            "How it runs:",
            "About:",
            "Environment:",
            "Exit status:",
        ] {
            assert!(lines.contains(&title), "{title}");
        }
        let examples = lines
            .iter()
            .skip_while(|line| **line != "Examples:")
            .skip(1);
        assert_eq!(
            examples
                .filter(|line| line.starts_with("  doorstep"))
                .count(),
            5
        );
    }
}

#[test]
fn version_is_one_line() {
    let folder = Folder::new();
    for argument in ["--version", "-V"] {
        let outcome = doorstep(folder.path(), [argument]).run();
        let expected = format!("doorstep {}\n", env!("CARGO_PKG_VERSION"));
        assert_eq!(
            (outcome.status, outcome.out, outcome.err.as_str()),
            (Some(0), expected, "")
        );
    }
}

#[test]
fn chosen_port_in_use() {
    let folder = Folder::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let (text, both) = (port.to_string(), format!("127.0.0.1:{port}"));
    let expected = format!(
        "doorstep: port {port} on 127.0.0.1 is already in use\n  hint: another server is running there. Try `doorstep -p "
    );
    for arguments in [&["-p", &text][..], &[&text], &[".", &text], &["-b", &both]] {
        let outcome = doorstep(folder.path(), arguments).run();
        assert_eq!(
            (outcome.status, outcome.out.as_str()),
            (Some(1), ""),
            "{outcome:?}"
        );
        assert!(
            outcome.err.starts_with(&expected),
            "{arguments:?}: {}",
            outcome.err
        );
    }
    let outcome = doorstep(folder.path(), [""; 0]).with("PORT", &text).run();
    assert!(outcome.err.starts_with(&expected), "{}", outcome.err);
}

#[test]
fn address_of_another_machine() {
    // RFC 5737 §3: addresses for documentation.
    let elsewhere = Ipv4Addr::new(192, 0, 2, 1);
    if TcpListener::bind((elsewhere, 0)).is_ok() {
        return skipped(
            "address_of_another_machine",
            "this system binds any address",
        );
    }
    let folder = Folder::new();
    let outcome = doorstep(folder.path(), ["-p0", "-b", "192.0.2.1"]).run();
    assert_eq!((outcome.status, outcome.out.as_str()), (Some(1), ""));
    let text = "doorstep: cannot listen on 192.0.2.1: this machine has no such address\n  hint: addresses here are 127.0.0.1";
    assert!(outcome.err.starts_with(text), "{}", outcome.err);
    assert!(
        outcome.err.ends_with(". Use --lan for all of them.\n"),
        "{}",
        outcome.err
    );
}

#[test]
fn port_below_1024() {
    let why = "this user may bind ports below 1024";
    let port = 1023;
    match TcpListener::bind(("127.0.0.1", port)) {
        Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {}
        _ => return skipped("port_below_1024", why),
    }
    let folder = Folder::new();
    let outcome = doorstep(folder.path(), ["-p", "1023"]).run();
    assert_eq!((outcome.status, outcome.out.as_str()), (Some(1), ""));
    let text = "doorstep: port 1023 needs extra rights (ports below 1024)\n  hint: use `-p 9023`";
    assert!(outcome.err.starts_with(text), "{}", outcome.err);
}

#[cfg(unix)]
#[test]
fn device_is_not_served() {
    let folder = Folder::new();
    let outcome = doorstep(folder.path(), ["/dev/null", "0"]).run();
    let expected =
        "doorstep: cannot serve '/dev/null': neither a folder nor a regular file\n".to_string();
    assert_eq!((outcome.status, outcome.err), (Some(1), expected));
}

#[cfg(unix)]
#[test]
fn folder_without_permission() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new();
    let private = folder.folder("private");
    let allow = |mode| std::fs::set_permissions(&private, PermissionsExt::from_mode(mode)).unwrap();
    allow(0o000);
    let denied = private.join("x").symlink_metadata().unwrap_err().kind()
        == std::io::ErrorKind::PermissionDenied;
    let outcome = doorstep(folder.path(), ["private", "-p0"]);
    if !denied {
        allow(0o700);
        return skipped(
            "folder_without_permission",
            "this user may enter every folder",
        );
    }
    let outcome = outcome.run();
    allow(0o700);
    assert_eq!(
        (outcome.status, outcome.err.as_str()),
        (
            Some(1),
            "doorstep: cannot serve 'private': permission denied (running as user 'ana')\n"
        )
    );
}

#[cfg(unix)]
#[test]
fn file_without_permission() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new();
    let private = folder.file("private.txt", "private");
    std::fs::set_permissions(&private, PermissionsExt::from_mode(0o000)).unwrap();
    if std::fs::File::open(&private).is_ok() {
        return skipped("file_without_permission", "this user may read every file");
    }
    let outcome = doorstep(folder.path(), ["private.txt", "-p0"]).run();
    assert_eq!(
        (outcome.status, outcome.err.as_str()),
        (
            Some(1),
            "doorstep: cannot serve 'private.txt': permission denied (running as user 'ana')\n"
        )
    );
}
