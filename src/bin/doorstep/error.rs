//! Every error that the program can end with: its text, its hint, its exit status.
//!
//! In: what went wrong. Out: `doorstep: …`, a hint where there is a way out, and 1 (it cannot start) or 2 (wrong usage).
//! Never: a backtrace; a control character of a name that a stranger chose.

use crate::text::{escaped, shown};
use std::fmt;
use std::io;
use std::net::IpAddr;
use std::path::Path;

/// Why the program ends.
#[derive(Debug, PartialEq, Eq)]
pub struct Failure {
    text: String,
    hint: Option<String>,
    status: u8,
}

impl Failure {
    /// Wrong usage: exit status 2.
    fn usage(text: impl Into<String>) -> Failure {
        let (text, hint) = (text.into(), None);
        Failure {
            text,
            hint,
            status: 2,
        }
    }

    /// Right usage, but it cannot start: exit status 1.
    fn start(text: impl Into<String>) -> Failure {
        let (text, hint) = (text.into(), None);
        Failure {
            text,
            hint,
            status: 1,
        }
    }

    fn hint(mut self, hint: impl Into<String>) -> Failure {
        self.hint = Some(hint.into());
        self
    }

    /// The exit status.
    pub fn status(&self) -> u8 {
        self.status
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "doorstep: {}", self.text)?;
        match &self.hint {
            Some(hint) => writeln!(f, "  hint: {hint}"),
            None => Ok(()),
        }
    }
}

// Wrong usage.

pub fn unknown_option(option: &str, nearest: Option<&str>) -> Failure {
    let text = format!("unknown option '{}'", escaped(option));
    Failure::usage(text).hint(match nearest {
        Some(name) => format!("did you mean '--{name}'? See `doorstep --help`."),
        None => "see `doorstep --help`.".to_string(),
    })
}

pub fn refused_option(option: &str, why: &str) -> Failure {
    Failure::usage(format!("there is no '{}': {why}", escaped(option)))
}

pub fn missing_value(option: &str, what: &str) -> Failure {
    Failure::usage(format!("option '{option}' needs a value: {option} {what}"))
}

pub fn needless_value(option: &str) -> Failure {
    Failure::usage(format!("option '{option}' takes no value"))
}

pub fn conflict(one: &str, other: &str) -> Failure {
    Failure::usage(format!("'{one}' and '{other}' cannot be used together"))
}

pub fn port_twice(argument: &str) -> Failure {
    let text = format!(
        "the port is given twice: '{}' and --port",
        escaped(argument)
    );
    Failure::usage(text)
}

pub fn unexpected_argument(argument: &str) -> Failure {
    let text = format!("unexpected argument '{}'", escaped(argument));
    Failure::usage(text).hint("usage is `doorstep [OPTIONS] [DIR | FILE] [PORT]`.")
}

/// `kind` is what the value should be ("port"), `variable` where it came from unless from the command line, `rule`
/// which values there are ("must be 0 to 65535").
pub fn invalid(kind: &str, value: &str, variable: Option<&str>, rule: &str) -> Failure {
    let value = escaped(value);
    match variable {
        None => Failure::usage(format!("invalid {kind} '{value}' ({rule})")),
        Some(variable) => {
            let text = format!("invalid {kind} '{value}' in {variable} ({rule})");
            Failure::usage(text).hint(format!("change or unset {variable} in the environment."))
        }
    }
}

/// `from` is where they came from. Their text is not said: it may be a password.
pub fn invalid_credentials(from: &str, longest: usize) -> Failure {
    Failure::usage(format!(
        "invalid credentials in {from} (must be USER:PASS, at most {longest} octets, no control characters)"
    ))
}

pub fn too_many_credentials(most: usize) -> Failure {
    Failure::usage(format!("too many credentials (at most {most})"))
}

pub fn mounted_twice(path: &str) -> Failure {
    let path = escaped(path);
    Failure::usage(format!("two folders cannot both be mounted at '{path}'"))
}

// It cannot start.

pub fn not_a_folder(asked: &Path) -> Failure {
    Failure::start(format!("cannot serve '{}': not a folder", shown(asked)))
}

pub fn credentials_file_failed(path: &Path, error: &io::Error) -> Failure {
    Failure::start(format!(
        "cannot take credentials from '{}': {error}",
        shown(path)
    ))
}

pub fn no_such_folder(asked: &Path, looked_in: &Path, nearest: Option<&Path>) -> Failure {
    let (asked, looked_in) = (shown(asked), shown(looked_in));
    let failure = Failure::start(format!(
        "cannot serve '{asked}': no such folder (looked in {looked_in})"
    ));
    match nearest {
        Some(path) => failure.hint(format!("did you mean '{}'?", shown(path))),
        None => failure,
    }
}

pub fn neither_folder_nor_file(asked: &Path) -> Failure {
    let asked = shown(asked);
    Failure::start(format!(
        "cannot serve '{asked}': neither a folder nor a regular file"
    ))
}

pub fn folder_denied(asked: &Path, user: Option<&str>) -> Failure {
    let user = match user {
        Some(user) => format!(" (running as user '{}')", escaped(user)),
        None => String::new(),
    };
    let asked = shown(asked);
    Failure::start(format!("cannot serve '{asked}': permission denied{user}"))
}

pub fn folder_failed(asked: &Path, error: &io::Error) -> Failure {
    Failure::start(format!("cannot serve '{}': {error}", shown(asked)))
}

pub fn port_in_use(port: u16, ip: IpAddr) -> Failure {
    let text = format!("port {port} on {ip} is already in use");
    let another = match port.checked_add(1) {
        Some(next) => format!("Try `doorstep -p {next}`, or `-p 0` for any free port."),
        None => "Try `doorstep -p 0` for any free port.".to_string(),
    };
    Failure::start(text).hint(format!("another server is running there. {another}"))
}

pub fn ports_in_use(first: u16, last: u16) -> Failure {
    let text = format!("ports {first} to {last} are all in use");
    Failure::start(text).hint("choose one with `-p`, or take any free port with `-p 0`.")
}

pub fn port_needs_rights(port: u16) -> Failure {
    let text = format!("port {port} needs extra rights (ports below 1024)");
    let free = 8000 + port;
    Failure::start(text).hint(if cfg!(target_os = "linux") {
        format!(
            "use `-p {free}`, or allow it once: sudo setcap cap_net_bind_service=+ep $(command -v doorstep)"
        )
    } else {
        format!("use `-p {free}`.")
    })
}

pub fn no_such_address(ip: IpAddr, here: &[IpAddr]) -> Failure {
    let text = format!("cannot listen on {ip}: this machine has no such address");
    if here.is_empty() {
        return Failure::start(text);
    }
    let here: Vec<String> = here.iter().map(IpAddr::to_string).collect();
    let here = here.join(", ");
    Failure::start(text).hint(format!(
        "addresses here are {here}. Use --lan for all of them."
    ))
}

pub fn no_such_host(name: &str) -> Failure {
    let name = escaped(name);
    Failure::start(format!("cannot listen on '{name}': no such host"))
}

pub fn cannot_listen(what: &str, error: &io::Error) -> Failure {
    Failure::start(format!("cannot listen on {what}: {error}"))
}

pub fn cannot_start(what: &str, error: &io::Error) -> Failure {
    Failure::start(format!("cannot {what}: {error}"))
}

pub fn server_failed(error: &io::Error) -> Failure {
    Failure::start(format!("the server failed: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{Ipv4Addr, Ipv6Addr};

    #[rustfmt::skip]
    #[test]
    fn says_what_to_do() {
        let v4 = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let v6 = IpAddr::V6(Ipv6Addr::LOCALHOST);
        let far = IpAddr::from([192, 168, 9, 9]);
        let here = [v4, v6, IpAddr::from([192, 168, 1, 20])];
        let path = Path::new;
        for (failure, status, text) in [
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
            assert_eq!((failure.status(), failure.to_string()), (status, text.to_string()));
        }
    }

    #[test]
    fn names_a_free_port_for_a_privileged_one() {
        for (port, free) in [(80, "`-p 8080`"), (443, "`-p 8443`"), (1023, "`-p 9023`")] {
            let text = port_needs_rights(port).to_string();
            assert!(text.starts_with(&format!(
                "doorstep: port {port} needs extra rights (ports below 1024)\n"
            )));
            assert!(text.contains(free), "{text}");
        }
    }
}
