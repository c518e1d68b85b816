//! Turns the command line, and then the environment, into [`Settings`].

use crate::address::{Bind, number, port};
use crate::args::Given;
use crate::auth::Credentials;
use crate::error::{self, CliError};
use crate::file_options::FileOptions;
use crate::options::{Id, OPTIONS, Opt, Value};
use doorstep::Timeouts;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::time::Duration;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    pub root: PathBuf,
    pub port: Option<u16>,
    /// Addresses to listen on; if empty, the loopback or, with `lan`, the wildcard ones.
    pub binds: Vec<Bind>,
    pub lan: bool,
    pub threads: Option<usize>,
    pub max_conns: Option<usize>,
    pub max_conns_per_ip: Option<usize>,
    pub grace: Duration,
    pub drain: Duration,
    pub quiet: bool,
    pub files: FileOptions,
    /// Users with access; if empty and without a file, everybody.
    pub credentials: Vec<Credentials>,
    pub auth_file: Option<PathBuf>,
    /// A password is on the command line, where other users can see it.
    pub password_is_visible: bool,
}

/// The parts of the process's environment that settings depend on.
pub struct Environment<'a> {
    pub variable: &'a dyn Fn(&str) -> Option<OsString>,
    pub exists: &'a dyn Fn(&Path) -> bool,
}

impl Environment<'static> {
    pub fn of_process() -> Environment<'static> {
        Environment {
            variable: &|name| std::env::var_os(name),
            // A broken symlink exists: it is an error under its name, not a port.
            exists: &|path| path.symlink_metadata().is_ok(),
        }
    }
}

/// The settings from the command line and, for options not given there, from the environment.
///
/// # Errors
/// Invalid values, more than two arguments, a port given twice, options that exclude each other.
pub fn read(given: Given, environment: &Environment<'_>) -> Result<Settings, CliError> {
    let mut settings = Settings {
        root: PathBuf::from("."),
        grace: Timeouts::default().shutdown,
        password_is_visible: given.has(Id::Auth),
        ..Settings::default()
    };
    for (option, value) in &given.options {
        settings.set(option.id, value.as_deref(), None)?;
    }
    settings.take_arguments(&given, environment)?;
    settings.take_environment(&given, environment)?;
    Ok(settings)
}

impl Settings {
    /// Sets one option; `variable` is the environment variable that the value came from, if any.
    fn set(
        &mut self,
        id: Id,
        value: Option<&OsStr>,
        variable: Option<&str>,
    ) -> Result<(), CliError> {
        let text = value.unwrap_or_default().to_string_lossy();
        match id {
            Id::Port => self.port = Some(port(&text, variable)?),
            Id::Bind => self.binds.push(Bind::read(&text, variable)?),
            Id::Lan => self.lan = true,
            Id::Threads => {
                // The library's own limit.
                let count = number(&text, 1, 4096).ok_or_else(|| {
                    error::invalid("number of threads", &text, variable, "must be 1 to 4096")
                })?;
                self.threads = Some(count as usize);
            }
            Id::MaxConns => {
                self.max_conns = Some(connections("number of connections", &text, variable)?);
            }
            Id::MaxConnsPerIp => {
                let kind = "number of connections per address";
                self.max_conns_per_ip = Some(connections(kind, &text, variable)?);
            }
            Id::Grace => self.grace = seconds("grace", &text, variable)?,
            Id::Drain => self.drain = seconds("drain", &text, variable)?,
            Id::Quiet => self.quiet = true,
            Id::Auth => {
                let text = value.and_then(OsStr::to_str).unwrap_or_default();
                let from = variable.unwrap_or("--auth");
                self.credentials.push(Credentials::read(text, from)?);
            }
            Id::AuthFile => self.auth_file = value.map(PathBuf::from),
            Id::Index
            | Id::Spa
            | Id::NoListing
            | Id::NoCleanUrls
            | Id::Hidden
            | Id::Symlinks
            | Id::PortableNames
            | Id::Cache
            | Id::NoStore
            | Id::Immutable
            | Id::Mime
            | Id::FileCache
            | Id::Mount => self.files.set(id, value.map(|_| &*text), variable)?,
            Id::Help | Id::Version => {}
        }
        Ok(())
    }

    /// `[DIR | FILE] [PORT]`. A single argument is the root if it exists, otherwise a port if it is
    /// a number.
    fn take_arguments(
        &mut self,
        given: &Given,
        environment: &Environment<'_>,
    ) -> Result<(), CliError> {
        let digits = |word: &OsStr| {
            let bytes = word.as_encoded_bytes();
            !bytes.is_empty() && bytes.iter().all(u8::is_ascii_digit)
        };
        let (folder, port_word) = match given.arguments.as_slice() {
            [] => (None, None),
            [one] if digits(one) && !(environment.exists)(Path::new(one)) => (None, Some(one)),
            [one] => (Some(one), None),
            [folder, port] => (Some(folder), Some(port)),
            [_, _, third, ..] => {
                return Err(error::unexpected_argument(&third.to_string_lossy()));
            }
        };
        if let Some(folder) = folder {
            self.root = PathBuf::from(folder);
        }
        if let Some(word) = port_word {
            let text = word.to_string_lossy();
            if given.has(Id::Port) {
                return Err(error::port_twice(&text));
            }
            self.port = Some(port(&text, None)?);
        }
        Ok(())
    }

    /// Options from the environment, unless the command line sets the same option or one that
    /// excludes it. An empty variable counts as unset.
    fn take_environment(
        &mut self,
        given: &Given,
        environment: &Environment<'_>,
    ) -> Result<(), CliError> {
        let mut found: Vec<(&Opt, String)> = Vec::new();
        for option in OPTIONS {
            let settled = given.has(option.id)
                || option.excludes.iter().any(|other| given.has(*other))
                || (option.id == Id::Port && self.port.is_some());
            if settled {
                continue;
            }
            let first = option.variables().into_iter().find_map(|name| {
                let value = (environment.variable)(&name)?;
                (!value.is_empty()).then_some((name, value))
            });
            let Some((name, value)) = first else { continue };
            if self.set_from(option, &name, &value)? {
                if let Some((_, other)) = found
                    .iter()
                    .find(|(other, _)| other.excludes.contains(&option.id))
                {
                    return Err(error::conflict(other, &name));
                }
                found.push((option, name));
            }
        }
        Ok(())
    }

    /// Sets an option from a variable; `false` if the variable switches it off. An option without a
    /// value is switched on by `1`; some that collect values take several, separated by spaces.
    fn set_from(&mut self, option: &Opt, name: &str, value: &OsStr) -> Result<bool, CliError> {
        if let Value::None | Value::Optional(_) = option.value {
            let text = value.to_string_lossy();
            match text.as_ref() {
                "0" | "no" | "false" => return Ok(false),
                "1" | "yes" | "true" => self.set(option.id, None, Some(name))?,
                _ if option.value != Value::None => self.set(option.id, Some(value), Some(name))?,
                _ => {
                    let rule = "must be 1 or 0";
                    return Err(error::invalid("switch", &text, Some(name), rule));
                }
            }
            return Ok(true);
        }
        if let Id::Bind | Id::Index | Id::Mime = option.id {
            for one in value.to_string_lossy().split_ascii_whitespace() {
                self.set(option.id, Some(OsStr::new(one)), Some(name))?;
            }
            return Ok(true);
        }
        self.set(option.id, Some(value), Some(name))?;
        Ok(true)
    }
}

/// A number of connections. One process hardly gets descriptors for a million.
fn connections(kind: &str, text: &str, variable: Option<&str>) -> Result<usize, CliError> {
    let count = number(text, 1, 1_000_000)
        .ok_or_else(|| error::invalid(kind, text, variable, "must be 1 to 1000000"))?;
    Ok(count as usize)
}

fn seconds(kind: &str, text: &str, variable: Option<&str>) -> Result<Duration, CliError> {
    let count = number(text, 0, 86_400)
        .ok_or_else(|| error::invalid(kind, text, variable, "must be 0 to 86400 seconds"))?;
    Ok(Duration::from_secs(count))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args;

    fn settings(line: &[&str], variables: &[(&str, &str)]) -> Result<Settings, String> {
        let environment = Environment {
            variable: &|name| {
                let (_, value) = variables.iter().find(|(variable, _)| *variable == name)?;
                Some(OsString::from(value))
            },
            exists: &|path| path == Path::new("public") || path == Path::new("2024"),
        };
        args::parse(line.iter().map(OsString::from))
            .and_then(|given| read(given, &environment))
            .map_err(|error| error.to_string())
    }

    /// Arguments, root, port.
    #[test]
    fn folder_and_port_are_read_as_python_reads_them() {
        for (line, root, port) in [
            (&[][..], ".", None),
            (&["public"], "public", None),
            (&["9000"], ".", Some(9000)),
            (&["2024"], "2024", None),
            (&["missing"], "missing", None),
            (&["public", "9000"], "public", Some(9000)),
            (
                &["public", "9000", "--bind", "127.0.0.1"],
                "public",
                Some(9000),
            ),
            (&["--bind", "127.0.0.1", "9000"], ".", Some(9000)),
            (&["./9000"], "./9000", None),
            (&["2024", "0"], "2024", Some(0)),
            (&["-p1", "-p2"], ".", Some(2)),
            (&["--", "-p"], "-p", None),
        ] {
            let settings = settings(line, &[]).unwrap();
            assert_eq!(settings.root.to_str(), Some(root), "{line:?}");
            assert_eq!(settings.port, port, "{line:?}");
        }
    }

    #[test]
    fn rejects_invalid_numbers() {
        for (line, expected) in [
            (
                &["-p", "80800"][..],
                "invalid port '80800' (must be 0 to 65535)",
            ),
            (&["80800"], "invalid port '80800' (must be 0 to 65535)"),
            (
                &["99999999999999999999999"],
                "invalid port '99999999999999999999999' (must be 0 to 65535)",
            ),
            (
                &["public", "http"],
                "invalid port 'http' (must be 0 to 65535)",
            ),
            (&["-p", "+5"], "invalid port '+5' (must be 0 to 65535)"),
            (&["-p", "-1"], "invalid port '-1' (must be 0 to 65535)"),
            (&["-p", " 80"], "invalid port ' 80' (must be 0 to 65535)"),
            (&["-p", ""], "invalid port '' (must be 0 to 65535)"),
            (&["--port="], "invalid port '' (must be 0 to 65535)"),
            (
                &["--threads", "0"],
                "invalid number of threads '0' (must be 1 to 4096)",
            ),
            (
                &["--threads", "4097"],
                "invalid number of threads '4097' (must be 1 to 4096)",
            ),
            (
                &["--max-conns", "0"],
                "invalid number of connections '0' (must be 1 to 1000000)",
            ),
            (
                &["--max-conns-per-ip", "1000001"],
                "invalid number of connections per address '1000001' (must be 1 to 1000000)",
            ),
            (
                &["--grace", "1.5"],
                "invalid grace '1.5' (must be 0 to 86400 seconds)",
            ),
            (&["public", "80", "more"], "unexpected argument 'more'"),
            (
                &["public", "80", "-p", "81"],
                "the port is given twice: '80' and --port",
            ),
        ] {
            let error = settings(line, &[]).unwrap_err();
            let expected = format!("doorstep: {expected}\n");
            assert!(error.starts_with(&expected), "{line:?}: {error}");
        }
    }

    #[test]
    fn the_command_line_overrides_the_environment() {
        let port = |line: &[&str], variables: &[(&str, &str)]| {
            settings(line, variables).map(|settings| settings.port)
        };
        assert_eq!(port(&[], &[("PORT", "81")]), Ok(Some(81)));
        assert_eq!(port(&[], &[("PORT", "")]), Ok(None));
        let both = [("PORT", "81"), ("DOORSTEP_PORT", "82")];
        assert_eq!(port(&[], &both), Ok(Some(82)));
        let both = [("PORT", "x"), ("DOORSTEP_PORT", "82")];
        assert_eq!(port(&["83"], &both), Ok(Some(83)));
        assert_eq!(port(&["-p", "83"], &[("PORT", "81")]), Ok(Some(83)));
        let error = port(&[], &[("PORT", "x")]).unwrap_err();
        assert!(error.starts_with("doorstep: invalid port 'x' in PORT (must"));

        let all = [
            ("DOORSTEP_BIND", "127.0.0.1 [::1]:90"),
            ("DOORSTEP_THREADS", "3"),
            ("DOORSTEP_MAX_CONNS", "50"),
            ("DOORSTEP_MAX_CONNS_PER_IP", "5"),
            ("DOORSTEP_GRACE", "0"),
            ("DOORSTEP_QUIET", "1"),
            ("DOORSTEP_LAN", "0"),
        ];
        let found = settings(&[], &all).unwrap();
        assert_eq!(found.binds.len(), 2);
        assert_eq!((found.threads, found.quiet), (Some(3), true));
        assert_eq!(found.grace, Duration::ZERO);
        assert_eq!(found.max_conns, Some(50));
        assert_eq!(found.max_conns_per_ip, Some(5));
        // --lan on the command line overrides the addresses of the environment.
        let found = settings(&["--lan", "--threads=1"], &all).unwrap();
        assert!(found.lan && found.binds.is_empty());
        assert_eq!(found.threads, Some(1));

        let both = [("DOORSTEP_BIND", "::1"), ("DOORSTEP_LAN", "1")];
        assert_eq!(
            settings(&[], &both).unwrap_err(),
            "doorstep: 'DOORSTEP_BIND' and 'DOORSTEP_LAN' cannot be used together\n"
        );
        assert!(settings(&[], &[("DOORSTEP_QUIET", "maybe")]).is_err());
    }

    #[test]
    fn rejects_options_that_exclude_each_other() {
        assert_eq!(
            settings(&["--lan", "--bind", "::1"], &[]).unwrap_err(),
            "doorstep: '--lan' and '--bind' cannot be used together\n"
        );
    }
}
