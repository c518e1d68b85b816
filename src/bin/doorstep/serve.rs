//! Turns the settings into a running server and waits for its end.
//!
//! The steps stand in the order in which they should fail; the decisions are in the other modules.

use crate::auth::{self, Guard};
use crate::banner::{Banner, colour_on};
use crate::error::{self, CliError};
use crate::file_options::{FileOptions, Mount};
use crate::listen::{Listening, Plan, SystemSockets};
use crate::log::{self, Log, say};
use crate::output::print;
use crate::root::{self, Kind, Root};
use crate::settings::Settings;
use crate::signals;
use crate::text::{escaped, shown};
use doorstep::os::{self, Signals};
use doorstep::{Files, Limits, Server, ShutdownReport};
use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::time::Duration;

/// The open-file limit to ask for, at least: six times the library's default connection limit, for
/// files held open by responses. If the system grants less, the library takes fewer connections.
const OPEN_FILES: u64 = 65_536;

/// Descriptors to ask for per connection of `--max-conns`.
const OPEN_FILES_EACH: u64 = 6;

/// Descriptors that the library reserves for other uses: see `Limits::connections`.
const OPEN_FILES_BESIDE: u64 = 64;

/// How long the program waits at its end for the log to be read.
const LOG_ENDS_WITHIN: Duration = Duration::from_secs(1);

/// Serves until a signal ends it.
///
/// # Errors
/// When the server cannot start, or fails while it runs.
pub fn run(settings: &Settings) -> Result<(), CliError> {
    let root = Root::at(&settings.root, &settings.files.index_names())?;
    let mounts = mounts(&settings.files)?;
    let files = service(&root, settings)?;
    let service = guarded(files, settings)?;
    // Serve even if the limit cannot be raised.
    let wanted = OPEN_FILES_EACH * settings.max_conns.unwrap_or(0) as u64;
    let open_files = os::raise_open_files(OPEN_FILES.max(wanted)).ok().flatten();
    let listening = Plan::of(settings)?.carry_out(&SystemSockets)?;
    let signals =
        Signals::install().map_err(|error| error::cannot_start("wait for signals", &error))?;

    if !settings.quiet {
        warn(&root, &mounts, settings);
        let too_few = too_few_files(settings.max_conns, open_files);
        too_few.iter().for_each(|text| say(text));
        let banner = banner(settings, &root, &mounts, &listening);
        announce(&banner);
    }
    log::start().map_err(|error| error::cannot_start("write the log", &error))?;
    let server = configured(listening.bound, settings);
    let stop = server.shutdown_handle();
    let running = match service {
        Service::Open(files) => server.spawn(files),
        Service::Guarded(guard) => server.spawn(guard),
    };
    let running = running.map_err(|error| error::cannot_start("start", &error))?;
    let (drain, grace) = (settings.drain, settings.grace);
    signals::on_signal(signals, stop, drain, grace, settings.quiet)
        .map_err(|error| error::cannot_start("wait for signals", &error))?;
    let ended = running.join().map_err(error::server_failed)?;
    tell_end(ended, grace.as_secs());
    log::finish(LOG_ENDS_WITHIN);
    Ok(())
}

/// The file service: the root and the mounted folders. Each is opened by the name it was given, so
/// that a symlink switched to another folder or file takes effect.
fn service(root: &Root, settings: &Settings) -> Result<Files, CliError> {
    let (options, asked) = (&settings.files, settings.root.as_path());
    let files = match root.kind {
        Kind::Folder { .. } => options.files(asked),
        Kind::File => options.one_file(asked),
    };
    let mut files = files.map_err(|error| root::failed(asked, &error))?;
    for Mount { path, folder } in &options.mounts {
        let mounted = options
            .files(folder)
            .map_err(|error| root::failed(folder, &error))?;
        files = files.mount(path, mounted);
    }
    Ok(files)
}

fn mounts(options: &FileOptions) -> Result<Vec<(&str, Root)>, CliError> {
    let mut mounts = Vec::new();
    for Mount { path, folder } in &options.mounts {
        let root = Root::at(folder, &options.index_names())?;
        if root.kind == Kind::File {
            return Err(error::not_a_folder(folder));
        }
        mounts.push((path.as_str(), root));
    }
    Ok(mounts)
}

enum Service {
    Open(Files),
    Guarded(Guard<Files>),
}

/// The file service, protected by passwords if any are set.
fn guarded(files: Files, settings: &Settings) -> Result<Service, CliError> {
    let mut credentials = settings.credentials.clone();
    if let Some(path) = &settings.auth_file {
        credentials.extend(auth::read_file(path)?);
    }
    match credentials.is_empty() {
        true => Ok(Service::Open(files)),
        false => Ok(Service::Guarded(Guard::new(credentials, files)?)),
    }
}

fn configured(mut server: Server, settings: &Settings) -> Server {
    if let Some(count) = settings.threads {
        server = server.workers(count);
    }
    let mut limits = Limits::default();
    limits.connections = settings.max_conns.unwrap_or(limits.connections);
    limits.connections_per_ip = settings.max_conns_per_ip;
    server = server.limits(limits);
    if settings.quiet {
        return server;
    }
    let colour = colour_on(std::io::stderr().is_terminal());
    server.observer(Log { colour })
}

fn warn(root: &Root, mounts: &[(&str, Root)], settings: &Settings) {
    let home = ["HOME", "USERPROFILE"].iter().find_map(std::env::var_os);
    let home = home.map(PathBuf::from);
    let mut warnings = root.warnings(home.as_deref());
    warnings.extend(root.missing(&settings.files));
    for (path, mounted) in mounts {
        let about = mounted.warnings(home.as_deref()).into_iter();
        warnings.extend(about.map(|text| format!("{}: {text}", escaped(path))));
    }
    for warning in warnings {
        say(&format!("warning: {warning}"));
    }
    if os::is_root() {
        say("warning: running as root: no file's permissions keep it from being served");
    }
    if settings.password_is_visible {
        say(
            "warning: everyone on this machine can see the password of --auth among the processes: use --auth-file or DOORSTEP_AUTH",
        );
    }
    let mut roots = mounts.iter().map(|(_, mounted)| mounted).chain([root]);
    let auth_file = settings.auth_file.as_ref();
    if auth_file.is_some_and(|file| roots.any(|root| root.holds(file))) {
        say(
            "warning: the file of --auth-file is among those that are served: whoever is let in can read it",
        );
    }
}

/// The warning when the open-file limit is too low for `--max-conns`.
fn too_few_files(max_conns: Option<usize>, open_files: Option<u64>) -> Option<String> {
    let (asked, limit) = (max_conns? as u64, open_files?);
    let most = limit.saturating_sub(OPEN_FILES_BESIDE).max(1);
    (most < asked).then(|| {
        format!(
            "warning: at most {most} open connections in place of {asked}: the limit of open files is {limit} (see `ulimit -n`)"
        )
    })
}

fn banner(
    settings: &Settings,
    root: &Root,
    mounts: &[(&str, Root)],
    found: &Listening<Server>,
) -> Banner {
    let listening = found.bound.local_addrs();
    let wildcard = listening.iter().any(|one| one.ip().is_unspecified());
    // If they cannot be read, the banner just has fewer lines.
    let machine = match wildcard {
        true => os::local_addresses().unwrap_or_default(),
        false => Vec::new(),
    };
    let mounts = mounts.iter();
    Banner {
        root: shown(&root.path),
        index: index_note(root, &settings.files),
        rules: rules(root, &settings.files),
        listening,
        by_default: settings.binds.is_empty(),
        machine,
        moved: found.moved,
        mounts: mounts
            .map(|(path, mounted)| (escaped(path).into_owned(), shown(&mounted.path)))
            .collect(),
        is_guarded: !settings.credentials.is_empty() || settings.auth_file.is_some(),
    }
}

fn announce(banner: &Banner) {
    let terminal = std::io::stdout().is_terminal();
    print(&match terminal {
        true => banner.page(colour_on(terminal)),
        false => banner.line(std::process::id()),
    });
}

/// The rules to show. A single file answers every path, so the rules about names do not apply.
fn rules(root: &Root, options: &FileOptions) -> Vec<String> {
    let [hidden, symlinks, cache] = options.rules();
    match root.kind {
        Kind::Folder { .. } => vec![hidden, symlinks, cache],
        Kind::File => vec![cache],
    }
}

/// The note beside the root: what a request for `/` gets.
fn index_note(root: &Root, options: &FileOptions) -> String {
    let name = match &root.kind {
        Kind::File => return "for every path".to_string(),
        Kind::Folder { index: Some(name) } => return format!("{name} found"),
        Kind::Folder { index: None } => options.index_names().first().copied().unwrap_or_default(),
    };
    match options.no_listing {
        true => format!("no {name}"),
        false => format!("no {name}: folders are listed"),
    }
}

fn tell_end(report: ShutdownReport, grace: u64) {
    // Reported even with --quiet: some clients did not get their response.
    match report.aborted {
        0 => {}
        1 => say(&format!("1 connection was cut after {grace} s")),
        aborted => say(&format!("{aborted} connections were cut after {grace} s")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn warns_of_a_low_open_file_limit() {
        for (max_conns, open_files, most) in [
            (
                Some(961),
                Some(1024),
                Some("at most 960 open connections in place of 961"),
            ),
            (
                Some(2),
                Some(10),
                Some("at most 1 open connections in place of 2"),
            ),
            (Some(960), Some(1024), None),
            (Some(1), Some(10), None),
            (None, Some(80), None),
            (Some(100), None, None),
        ] {
            let said = too_few_files(max_conns, open_files);
            let start = most.map(|most| format!("warning: {most}: "));
            assert_eq!(said.is_some(), start.is_some(), "{said:?}");
            let (said, start) = (said.unwrap_or_default(), start.unwrap_or_default());
            assert!(said.starts_with(&start), "{said}");
        }
    }
}
