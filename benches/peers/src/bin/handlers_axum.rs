//! Handlers that block, on axum: in `spawn_blocking`, as its documentation says.
#![forbid(unsafe_code)]

use axum::Router;
use axum::http::Uri;
use peers::Arguments;
use peers::work::Work;
use std::io;
use std::process::ExitCode;
use tokio::net::TcpListener;
use tokio::task::spawn_blocking;

fn main() -> ExitCode {
    peers::report("handlers_axum", run())
}

fn run() -> Result<(), String> {
    let mut arguments = Arguments::new("handlers_axum [--port N]");
    let port = arguments.number("--port", 0)?;
    let [] = arguments.rest()?;
    let port = u16::try_from(port).map_err(|_| format!("{port} is no port"))?;
    serve(port).map_err(|error| error.to_string())
}

fn serve(port: u16) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_io()
        .build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind(("127.0.0.1", port)).await?;
        axum::serve(listener, Router::new().fallback(answer)).await
    })
}

async fn answer(uri: Uri) -> Vec<u8> {
    let work = Work::of(uri.path());
    match work.blocks() {
        true => spawn_blocking(move || work.run()).await.unwrap_or_default(),
        false => work.run(),
    }
}
