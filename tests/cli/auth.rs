//! Passwords: their sources, the response to a request without one, and the warnings about them.

use crate::folder::Folder;
use crate::program::doorstep;

/// `ana:tea`, `ben:x:y`, `zoë:grüße`, `eve:tea` in Base64.
const ANA: &str = "YW5hOnRlYQ==";
const BEN: &str = "YmVuOng6eQ==";
const ZOE: &str = "em/DqzpncsO8w59l";
const EVE: &str = "ZXZlOnRlYQ==";

const SEEN: &str = "doorstep: warning: everyone on this machine can see the password of --auth among the processes: use --auth-file or DOORSTEP_AUTH\n";
const SERVED: &str = "doorstep: warning: the file of --auth-file is among those that are served: whoever is let in can read it\n";

/// Arguments, environment, allowed users, warnings. The file `users` is beside the folder `site`.
struct Row(
    &'static [&'static str],
    &'static [(&'static str, &'static str)],
    &'static [&'static str],
    &'static str,
);

#[rustfmt::skip]
const PLACES: &[Row] = &[
    Row(&["--auth=ana:tea"], &[], &[ANA], SEEN),
    Row(&["-a", "ana:tea", "-aben:x:y"], &[], &[ANA, BEN], SEEN),
    Row(&["--auth-file", "users"], &[], &[BEN, ZOE], ""),
    Row(&["--auth-file=users", "-a", "ana:tea"], &[], &[ANA, BEN, ZOE], SEEN),
    Row(&[], &[("DOORSTEP_AUTH", "ana:tea")], &[ANA], ""),
    Row(&[], &[("DOORSTEP_AUTH_FILE", "users")], &[BEN, ZOE], ""),
    Row(&["--auth-file", "users"], &[("DOORSTEP_AUTH", "ana:tea")], &[ANA, BEN, ZOE], ""),
    Row(&["-a", "ben:x:y"], &[("DOORSTEP_AUTH", "ana:tea")], &[BEN], SEEN),
    Row(&["--auth-file", "site/users"], &[], &[EVE], SERVED),
    Row(&["--auth-file", "site/../site/users"], &[], &[EVE], SERVED),
];

fn site() -> Folder {
    let folder = Folder::new();
    folder.folder("site");
    folder.file("site/page", "tea");
    folder.file("site/users", "eve:tea\n");
    folder.file("users", "ben:x:y\r\n\r\nzoë:grüße\n");
    folder
}

#[test]
fn passwords_from_every_source() {
    let folder = site();
    for Row(arguments, environment, inside, said) in PLACES {
        let mut setup = doorstep(folder.path(), ["site", "0"].iter().chain(*arguments));
        for (name, value) in *environment {
            setup = setup.with(name, value);
        }
        let program = setup.serve();
        for who in [ANA, BEN, ZOE, EVE] {
            let response = program.ask("GET /page", &format!("Authorization: Basic {who}\r\n"));
            let status = if inside.contains(&who) { 200 } else { 401 };
            assert_eq!(
                response.status, status,
                "{arguments:?} {environment:?} {who}"
            );
        }
        let err = program.kill().err;
        let warnings: String = err
            .split_inclusive('\n')
            .filter(|line| line.contains("warning"))
            .collect();
        assert_eq!(warnings, *said, "{arguments:?} {environment:?}");
    }
}

#[test]
fn requests_without_a_password_reveal_nothing() {
    let folder = site();
    let program = doorstep(folder.path(), ["site", "0"])
        .with("DOORSTEP_AUTH", "ana:tea")
        .serve();
    for (line, fields) in [
        ("GET /page", ""),
        ("HEAD /page", ""),
        ("GET /", ""),
        ("GET /missing", ""),
        ("GET /../page", ""),
        ("OPTIONS *", ""),
        ("POST /page", "Content-Length: 0\r\n"),
        ("BREW /page", ""),
    ] {
        let response = program.ask(line, fields);
        assert_eq!(response.status, 401, "{line} {fields}");
        assert_eq!(
            response.header_value("WWW-Authenticate"),
            Some("Basic realm=\"doorstep\", charset=\"UTF-8\""),
            "{line}"
        );
        assert_eq!(
            response.header_value("Cache-Control"),
            Some("no-store"),
            "{line}"
        );
        for name in ["ETag", "Last-Modified", "Allow", "Location"] {
            assert_eq!(response.header_value(name), None, "{line}");
        }
        assert_eq!(
            response.content.is_empty(),
            line.starts_with("HEAD"),
            "{line}"
        );
    }
}

/// Headers, and whether they admit ana, whose password is `tea`. The encodings of all lengths of
/// RFC 4648 §10 are tested beside the decoder.
#[rustfmt::skip]
const SPELLINGS: &[(&str, &str, bool)] = &[
    ("RFC 7617 §2", "Authorization: Basic YW5hOnRlYQ==\r\n", true),
    ("RFC 9110 §11.1: the scheme in any case", "Authorization: bASIC YW5hOnRlYQ==\r\n", true),
    ("RFC 9110 §11.4: 1*SP", "Authorization: Basic   YW5hOnRlYQ==\r\n", true),
    ("white space around the value", "authorization:\tBasic YW5hOnRlYQ== \t\r\n", true),
    ("another scheme", "Authorization: Bearer YW5hOnRlYQ==\r\n", false),
    ("another password", "Authorization: Basic YW5hOnRlYg==\r\n", false),
    ("RFC 4648 §4: padded", "Authorization: Basic YW5hOnRlYQ\r\n", false),
    ("RFC 4648 §3.5: unused bits", "Authorization: Basic YW5hOnRlYR==\r\n", false),
    ("not encoded", "Authorization: Basic ana:tea\r\n", false),
    ("no colon", "Authorization: Basic YW5hdGVh\r\n", false),
    ("two lines", "Authorization: Basic YW5hOnRlYQ==\r\nAuthorization: Basic YW5hOnRlYQ==\r\n", false),
    ("in the field for proxies", "Proxy-Authorization: Basic YW5hOnRlYQ==\r\n", false),
];

#[test]
fn only_one_spelling_grants_access() {
    let folder = site();
    let program = doorstep(folder.path(), ["site", "0"])
        .with("DOORSTEP_AUTH", "ana:tea")
        .serve();
    for (name, fields, inside) in SPELLINGS {
        let response = program.ask("GET /page", fields);
        assert_eq!(response.status, if *inside { 200 } else { 401 }, "{name}");
        assert_eq!(response.content == b"tea", *inside, "{name}");
    }
}

#[test]
fn invalid_credentials_files_are_refused() {
    let folder = site();
    folder.file("empty", "\n");
    folder.file("bad", "ana:tea\nsecret\n");
    for (file, status, said) in [
        (
            "missing",
            1,
            "doorstep: cannot take credentials from 'missing': ",
        ),
        (
            "empty",
            1,
            "doorstep: cannot take credentials from 'empty': it holds none\n",
        ),
        (
            "bad",
            2,
            "doorstep: invalid credentials in line 2 of 'bad' (must be USER:PASS, at most 512 octets, no control characters)\n",
        ),
    ] {
        let outcome = doorstep(folder.path(), ["site", "0", "--auth-file", file]).run();
        assert_eq!((outcome.status, outcome.out.as_str()), (Some(status), ""));
        assert!(outcome.err.starts_with(said), "{}", outcome.err);
    }
}
