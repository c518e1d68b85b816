//! The program `doorstep`: serves the files of a folder.
//!
//! In: arguments, environment, messages, the banner, the log, signals, exit statuses. Out: HTTP, which is the library's.
//! Never: anything of the crate but its public API.
#![forbid(unsafe_code)]

mod address;
mod args;
mod auth;
mod banner;
mod base64;
mod error;
mod file_options;
mod help;
mod listen;
mod log;
mod options;
mod root;
mod serve;
mod settings;
mod signals;
mod text;

use std::io::{ErrorKind, Write as _};
use std::process::ExitCode;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // With standard error closed there is nobody left to tell; the exit status still says it.
            let _ = std::io::stderr().write_all(error.to_string().as_bytes());
            ExitCode::from(error.status())
        }
    }
}

fn run() -> Result<(), error::CliError> {
    let given = args::parse(std::env::args_os().skip(1))?;
    if given.asks(options::Id::Help) {
        print(&help::text());
        return Ok(());
    }
    if given.asks(options::Id::Version) {
        print(&help::version());
        return Ok(());
    }
    serve::run(&settings::read(
        given,
        &settings::Environment::of_process(),
    )?)
}

/// Writes to standard output. A reader that went away (`doorstep --help | head -1`) is no failure; a full disk is said,
/// as a script may wait there for the address.
pub fn print(text: &str) {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            log::say(&format!("cannot write to standard output: {error}"));
        }
        Ok(()) | Err(_) => {}
    }
}
