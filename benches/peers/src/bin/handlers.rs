//! Handlers that block, on doorstep.
//!
//! Besides the paths of `peers::work`: `/made` is 1 MiB made for this response alone; `/poll` waits
//! for a POST of `/wake`, at most 20 s. POST elsewhere has its body read.
#![forbid(unsafe_code)]

use doorstep::os::{Signals, raise_open_files};
use doorstep::{Method, Request, Response, Server, Status};
use peers::Arguments;
use peers::work::Work;
use std::io;
use std::process::ExitCode;
use std::sync::{Condvar, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// Open files to ask for: the connections that the library takes by default, and room for its own.
const OPEN_FILES: u64 = 10_100;
const USAGE: &str = "handlers [--port N]";
const MADE: usize = 1024 * 1024;
const POLL_WITHIN: Duration = Duration::from_secs(20);
/// How long a stop waits for running requests.
const GRACE: Duration = Duration::from_millis(200);

fn main() -> ExitCode {
    peers::report("handlers", run())
}

fn run() -> Result<(), String> {
    let mut arguments = Arguments::new(USAGE);
    let port = arguments.number("--port", 0)?;
    let [] = arguments.rest()?;
    let port = u16::try_from(port).map_err(|_| format!("{port} is no port"))?;
    serve(port).map_err(|error| error.to_string())
}

fn serve(port: u16) -> io::Result<()> {
    raise_open_files(OPEN_FILES)?;
    let mut signals = Signals::install()?;
    let server = Server::bind(("127.0.0.1", port))?;
    let stop = server.shutdown_handle();
    thread::spawn(move || {
        if signals.wait().is_ok() {
            stop.begin(GRACE);
        }
    });
    server.serve(answer)
}

fn answer(request: &mut Request<'_>) -> Response {
    match (request.method(), request.path()) {
        (Method::Post, "/wake") => {
            POLLS.wake();
            Response::text("woken\n")
        }
        (Method::Post, _) => match io::copy(request.body(), &mut io::sink()) {
            Ok(length) => Response::text(format!("{length}\n")),
            Err(_) => Response::new(Status::BAD_REQUEST).close(),
        },
        (_, "/made") => Response::new(Status::OK).body(vec![b'x'; MADE]),
        (_, "/poll") => {
            POLLS.wait();
            Response::text("news\n")
        }
        (_, path) => Response::new(Status::OK).body(Work::of(path).run()),
    }
}

static POLLS: Polls = Polls {
    wakes: Mutex::new(0),
    woken: Condvar::new(),
};

struct Polls {
    wakes: Mutex<u64>,
    woken: Condvar,
}

impl Polls {
    fn wake(&self) {
        *self.wakes.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.woken.notify_all();
    }

    /// Until the next wake.
    fn wait(&self) {
        let wakes = self.wakes.lock().unwrap_or_else(PoisonError::into_inner);
        let before = *wakes;
        let is_asleep = |wakes: &mut u64| *wakes == before;
        drop(self.woken.wait_timeout_while(wakes, POLL_WITHIN, is_asleep));
    }
}
