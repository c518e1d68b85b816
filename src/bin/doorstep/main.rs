//! The program `doorstep`: serves the files of a folder.
//!
//! It uses only the public API of the crate; HTTP is the library's job.
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
mod output;
mod root;
mod serve;
mod settings;
mod signals;
mod text;

use std::io::Write as _;
use std::process::ExitCode;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // With standard error closed, only the exit status can report the error.
            let _ = std::io::stderr().write_all(error.to_string().as_bytes());
            ExitCode::from(error.status())
        }
    }
}

fn run() -> Result<(), error::CliError> {
    let given = args::parse(std::env::args_os().skip(1))?;
    if given.has(options::Id::Help) {
        output::print(&help::text());
        return Ok(());
    }
    if given.has(options::Id::Version) {
        output::print(&help::version());
        return Ok(());
    }
    let environment = settings::Environment::of_process();
    serve::run(&settings::read(given, &environment)?)
}
