//! A server whose handler blocks at times, to measure what the other requests pay for it.
//!
//! Every `--every`th request (the 20th, which is 5 %; 0 means none) sleeps `--milliseconds` (50)
//! before its answer. GET gets 1 KiB from memory; POST has its whole content read, and gets the
//! length. A counter decides who sleeps, not chance, so that two runs are alike. `--workers` is the
//! library's; otherwise there are as many as CPUs.
#![forbid(unsafe_code)]

use doorstep::os::{Signals, raise_open_files};
use doorstep::{Method, Payload, Request, Response, Server, Status};
use peers::Arguments;
use std::io;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

/// Open files to ask for: the connections that the library takes by default, and room for its own.
const OPEN_FILES: u64 = 10_100;
const USAGE: &str = "block_server [--port N] [--workers N] [--every N] [--milliseconds N]";
static PAGE: [u8; 1024] = [b'x'; 1024];
/// How long a stop waits for running requests. What drips then is cut.
const GRACE: Duration = Duration::from_millis(200);

fn main() -> ExitCode {
    peers::report("block_server", run())
}

fn run() -> Result<(), String> {
    let mut arguments = Arguments::new(USAGE);
    let port = arguments.number("--port", 0)?;
    let workers = arguments.number("--workers", 0)?;
    let every = arguments.number("--every", 20)?;
    let pause = Duration::from_millis(arguments.number("--milliseconds", 50)?);
    let [] = arguments.rest()?;
    let port = u16::try_from(port).map_err(|_| format!("{port} is no port"))?;
    serve(port, workers as usize, every, pause).map_err(|error| error.to_string())
}

fn serve(port: u16, workers: usize, every: u64, pause: Duration) -> io::Result<()> {
    raise_open_files(OPEN_FILES)?;
    let mut signals = Signals::install()?;
    let mut server = Server::bind(("127.0.0.1", port))?;
    if workers > 0 {
        server = server.workers(workers);
    }
    let stop = server.shutdown_handle();
    thread::spawn(move || {
        if signals.wait().is_ok() {
            stop.begin(GRACE);
        }
    });
    println!("listening on http://{}/", server.local_addr()?);
    let requests = AtomicU64::new(0);
    server.serve(move |request| {
        let number = requests.fetch_add(1, Ordering::Relaxed) + 1;
        if every > 0 && number % every == 0 {
            thread::sleep(pause);
        }
        answer(request)
    })
}

fn answer(request: &mut Request<'_>) -> Response {
    match request.method() {
        Method::Get => Response::new(Status::OK).body(Payload::Static(&PAGE)),
        Method::Post => match io::copy(request.body(), &mut io::sink()) {
            Ok(length) => Response::text(format!("{length}\n")),
            Err(_) => Response::new(Status::BAD_REQUEST).close(),
        },
        _ => Response::new(Status::METHOD_NOT_ALLOWED).header("Allow", "GET, POST"),
    }
}
