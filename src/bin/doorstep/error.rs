//! Every error that can end the program: its text, its hint, its exit status.
//!
//! The status is 1 when the server cannot start and 2 for wrong usage. Names that come from outside
//! are escaped before they are printed.

use crate::text::{escaped, shown};
use std::fmt;
use std::io;
use std::net::IpAddr;
use std::path::Path;

#[derive(Debug, PartialEq, Eq)]
pub struct CliError {
    text: String,
    hint: Option<String>,
    status: u8,
}

impl CliError {
    /// Exit status 2: wrong usage.
    fn usage(text: impl Into<String>) -> CliError {
        CliError {
            text: text.into(),
            hint: None,
            status: 2,
        }
    }

    /// Exit status 1: correct usage, but the server cannot start.
    fn start(text: impl Into<String>) -> CliError {
        let mut error = CliError::usage(text);
        error.status = 1;
        error
    }

    fn hint(mut self, hint: impl Into<String>) -> CliError {
        self.hint = Some(hint.into());
        self
    }

    pub fn status(&self) -> u8 {
        self.status
    }
}

impl fmt::Display for CliError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "doorstep: {}", self.text)?;
        match &self.hint {
            Some(hint) => writeln!(f, "  hint: {hint}"),
            None => Ok(()),
        }
    }
}

// Wrong usage.

pub fn unknown_option(option: &str, nearest: Option<&str>) -> CliError {
    let text = format!("unknown option '{}'", escaped(option));
    CliError::usage(text).hint(match nearest {
        Some(name) => format!("did you mean '--{name}'? See `doorstep --help`."),
        None => "see `doorstep --help`.".to_string(),
    })
}

pub fn refused_option(option: &str, why: &str) -> CliError {
    CliError::usage(format!("there is no '{}': {why}", escaped(option)))
}

pub fn missing_value(option: &str, what: &str) -> CliError {
    CliError::usage(format!("option '{option}' needs a value: {option} {what}"))
}

pub fn needless_value(option: &str) -> CliError {
    CliError::usage(format!("option '{option}' takes no value"))
}

pub fn conflict(one: &str, other: &str) -> CliError {
    CliError::usage(format!("'{one}' and '{other}' cannot be used together"))
}

pub fn port_twice(argument: &str) -> CliError {
    let argument = escaped(argument);
    CliError::usage(format!("the port is given twice: '{argument}' and --port"))
}

pub fn unexpected_argument(argument: &str) -> CliError {
    let text = format!("unexpected argument '{}'", escaped(argument));
    CliError::usage(text).hint("usage is `doorstep [OPTIONS] [DIR | FILE] [PORT]`.")
}

/// `kind` names the value ("port"), `variable` is the environment variable it came from, if any,
/// and `rule` states the valid values ("must be 0 to 65535").
pub fn invalid(kind: &str, value: &str, variable: Option<&str>, rule: &str) -> CliError {
    let value = escaped(value);
    match variable {
        None => CliError::usage(format!("invalid {kind} '{value}' ({rule})")),
        Some(variable) => {
            let text = format!("invalid {kind} '{value}' in {variable} ({rule})");
            CliError::usage(text).hint(format!("change or unset {variable} in the environment."))
        }
    }
}

/// `from` names their source. Their text is not printed: it may be a password.
pub fn invalid_credentials(from: &str, longest: usize) -> CliError {
    CliError::usage(format!(
        "invalid credentials in {from} (must be USER:PASS, at most {longest} octets, no control characters)"
    ))
}

pub fn too_many_credentials(most: usize) -> CliError {
    CliError::usage(format!("too many credentials (at most {most})"))
}

pub fn mounted_twice(path: &str) -> CliError {
    let path = escaped(path);
    CliError::usage(format!("two folders cannot both be mounted at '{path}'"))
}

// The server cannot start.

pub fn not_a_folder(asked: &Path) -> CliError {
    cannot_serve(asked, "not a folder")
}

fn cannot_serve(asked: &Path, why: impl fmt::Display) -> CliError {
    CliError::start(format!("cannot serve '{}': {why}", shown(asked)))
}

pub fn credentials_file_failed(path: &Path, error: &io::Error) -> CliError {
    let path = shown(path);
    CliError::start(format!("cannot take credentials from '{path}': {error}"))
}

pub fn no_such_folder(asked: &Path, looked_in: &Path, nearest: Option<&Path>) -> CliError {
    let why = format!("no such folder (looked in {})", shown(looked_in));
    let error = cannot_serve(asked, why);
    match nearest {
        Some(path) => error.hint(format!("did you mean '{}'?", shown(path))),
        None => error,
    }
}

pub fn neither_folder_nor_file(asked: &Path) -> CliError {
    cannot_serve(asked, "neither a folder nor a regular file")
}

pub fn folder_denied(asked: &Path, user: Option<&str>) -> CliError {
    let user = match user {
        Some(user) => format!(" (running as user '{}')", escaped(user)),
        None => String::new(),
    };
    cannot_serve(asked, format!("permission denied{user}"))
}

pub fn folder_failed(asked: &Path, error: &io::Error) -> CliError {
    cannot_serve(asked, error)
}

pub fn port_in_use(port: u16, ip: IpAddr) -> CliError {
    let text = format!("port {port} on {ip} is already in use");
    let another = match port.checked_add(1) {
        Some(next) => format!("Try `doorstep -p {next}`, or `-p 0` for any free port."),
        None => "Try `doorstep -p 0` for any free port.".to_string(),
    };
    CliError::start(text).hint(format!("another server is running there. {another}"))
}

pub fn ports_in_use(first: u16, last: u16) -> CliError {
    let text = format!("ports {first} to {last} are all in use");
    CliError::start(text).hint("choose one with `-p`, or take any free port with `-p 0`.")
}

pub fn port_needs_rights(port: u16) -> CliError {
    let text = format!("port {port} needs extra rights (ports below 1024)");
    let free = 8000 + port;
    CliError::start(text).hint(if cfg!(target_os = "linux") {
        format!(
            "use `-p {free}`, or allow it once: sudo setcap cap_net_bind_service=+ep $(command -v doorstep)"
        )
    } else {
        format!("use `-p {free}`.")
    })
}

pub fn no_such_address(ip: IpAddr, here: &[IpAddr]) -> CliError {
    let text = format!("cannot listen on {ip}: this machine has no such address");
    if here.is_empty() {
        return CliError::start(text);
    }
    let here: Vec<String> = here.iter().map(IpAddr::to_string).collect();
    let here = here.join(", ");
    CliError::start(text).hint(format!(
        "addresses here are {here}. Use --lan for all of them."
    ))
}

pub fn no_such_host(name: &str) -> CliError {
    let name = escaped(name);
    CliError::start(format!("cannot listen on '{name}': no such host"))
}

pub fn cannot_listen(what: &str, error: &io::Error) -> CliError {
    CliError::start(format!("cannot listen on {what}: {error}"))
}

pub fn cannot_start(what: &str, error: &io::Error) -> CliError {
    CliError::start(format!("cannot {what}: {error}"))
}

pub fn server_failed(error: io::Error) -> CliError {
    CliError::start(format!("the server failed: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{Ipv4Addr, Ipv6Addr};

    #[rustfmt::skip]
    #[test]
    fn errors_say_what_to_do() {
        let v4 = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let v6 = IpAddr::V6(Ipv6Addr::LOCALHOST);
        let far = IpAddr::from([192, 168, 9, 9]);
        let here = [v4, v6, IpAddr::from([192, 168, 1, 20])];
        let path = Path::new;
        for (error, status, text) in [
            (port_in_use(8000, v4), 1, "doorstep: port 8000 on 127.0.0.1 is already in use\n  hint: another server is running there. Try `doorstep -p 8001`, or `-p 0` for any free port.\n"),
            (port_in_use(65535, v6), 1, "doorstep: port 65535 on ::1 is already in use\n  hint: another server is running there. Try `doorstep -p 0` for any free port.\n"),
            (no_such_folder(path("public"), path("/home/ana/site"), Some(path("dist"))), 1, "doorstep: cannot serve 'public': no such folder (looked in /home/ana/site)\n  hint: did you mean 'dist'?\n"),
            (no_such_folder(path("a\x1b[2Jb"), path("/"), None), 1, "doorstep: cannot serve 'a\\u{1b}[2Jb': no such folder (looked in /)\n"),
            (folder_denied(path("/srv/private"), Some("ana")), 1, "doorstep: cannot serve '/srv/private': permission denied (running as user 'ana')\n"),
            (folder_denied(path("/srv/private"), None), 1, "doorstep: cannot serve '/srv/private': permission denied\n"),
            (no_such_address(far, &here), 1, "doorstep: cannot listen on 192.168.9.9: this machine has no such address\n  hint: addresses here are 127.0.0.1, ::1, 192.168.1.20. Use --lan for all of them.\n"),
            (no_such_address(far, &[]), 1, "doorstep: cannot listen on 192.168.9.9: this machine has no such address\n"),
            (invalid("port", "80800", None, "must be 0 to 65535"), 2, "doorstep: invalid port '80800' (must be 0 to 65535)\n"),
            (unknown_option("--prot", Some("port")), 2, "doorstep: unknown option '--prot'\n  hint: did you mean '--port'? See `doorstep --help`.\n"),
        ] {
            assert_eq!((error.status(), error.to_string()), (status, text.to_string()));
        }
    }

    #[test]
    fn names_a_free_port_for_a_privileged_one() {
        for (port, free) in [(80, "`-p 8080`"), (443, "`-p 8443`"), (1023, "`-p 9023`")] {
            let text = port_needs_rights(port).to_string();
            let start = format!("doorstep: port {port} needs extra rights (ports below 1024)\n");
            assert!(text.starts_with(&start));
            assert!(text.contains(free), "{text}");
        }
    }
}
