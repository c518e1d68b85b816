//! Standard output: the banner, the help and the version.

use crate::log;
use std::io::{ErrorKind, Write as _};

/// Writes to standard output. A closed pipe (`doorstep --help | head -1`) is not an error; any
/// other failure is reported, because a script may be waiting for the address.
pub fn print(text: &str) {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            log::say(&format!("cannot write to standard output: {error}"));
        }
        Ok(()) | Err(_) => {}
    }
}
