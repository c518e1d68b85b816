//! Handlers that block, on rouille.
#![forbid(unsafe_code)]

use peers::Arguments;
use peers::work::Work;
use rouille::Response;
use std::process::ExitCode;

fn main() -> ExitCode {
    peers::report("handlers_rouille", run())
}

fn run() -> Result<(), String> {
    let mut arguments = Arguments::new("handlers_rouille [--port N]");
    let port = arguments.number("--port", 0)?;
    let [] = arguments.rest()?;
    rouille::start_server(format!("127.0.0.1:{port}"), |request| {
        Response::from_data("text/plain", Work::of(&request.url()).run())
    })
}
