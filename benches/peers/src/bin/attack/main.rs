//! Clients that take more of a server than their share, and the good clients beside them.
//!
//! - `good`: a GET of `--target` on a fresh connection (with `--keep-alive` on one), one after the
//!   other, `--pause` milliseconds apart. Only a 200 with all of its `--length` bytes counts. Prints
//!   the rate, the 50th and 99th percentile of all requests, and the losses.
//! - `fresh`: `--clients` fresh connections at the same time, `--turns` times: how long the last of
//!   them waits. With `--quarter-of`, that process runs a quarter of the time, for `--seconds`.
//! - `loop`: clients that send the next request when they have read the response to the last one.
//! - `burst`: each `--every` milliseconds, `--times` requests in one write, whether or not
//!   responses have come; they are read unless `--unread`. `--reset-after` resets each connection
//!   so many milliseconds after its burst.
//! - `unread`: `--times` requests in one write, of whose responses nothing is read.
//! - `held`: one request and its response, then nothing; counts the connections still open.
//! - `polls`: a GET of `--target` that the server answers after a POST of `/wake`, which is sent
//!   after `--seconds`; says how long the POST took.
//!
//! In a target, `#` stands for the number of the client in five digits; `--pad` adds a query of so
//! many bytes. When a load is up, it prints a line that begins with `ready`; after `--seconds`, or
//! when the file of `--until` is there, one line of what it saw. Every wait is bounded.
#![forbid(unsafe_code)]

mod burst;
mod good;
mod hold;
mod load;
mod responses;
mod together;

use load::Load;
use peers::Arguments;
use std::process::ExitCode;

const USAGE: &str = "attack good|fresh|loop|burst|unread|held|polls ADDRESS:PORT
       [--clients N] [--seconds N] [--method M] [--target PATH] [--header LINE] [--pad N]
       [--times N] [--pause MS] [--every MS] [--reset-after MS] [--turns N] [--length N] [--quarter-of PID] [--until FILE]
       [--unread] [--keep-alive]";

fn main() -> ExitCode {
    peers::report("attack", run())
}

fn run() -> Result<(), String> {
    let mut arguments = Arguments::new(USAGE);
    let load = Load::take(&mut arguments)?;
    let [kind, address] = arguments.rest()?;
    let address = peers::address(&address)?;
    if !address.ip().is_loopback() {
        return Err(format!("{address} is not on this machine"));
    }
    peers::check_open_files(load.clients as u64)?;
    let line = match kind.as_str() {
        "good" => good::run(&load, address),
        "fresh" => together::fresh(&load, address),
        "loop" => together::closed_loop(&load, address),
        "burst" => burst::run(&load, address),
        "unread" => hold::unread(&load, address),
        "held" => hold::held(&load, address),
        "polls" => hold::polls(&load, address),
        _ => return Err(format!("'{kind}' is no kind of load: {USAGE}")),
    }
    .map_err(|error| format!("{kind}: {error}"))?;
    println!("{line}");
    Ok(())
}
