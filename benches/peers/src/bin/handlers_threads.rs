//! Handlers that block, on a thread for each client over `std::net` alone.
#![forbid(unsafe_code)]

use peers::Arguments;
use peers::work::Work;
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

const HEAD_BYTES: usize = 16 * 1024;
const IDLE: Duration = Duration::from_secs(75);

fn main() -> ExitCode {
    peers::report("handlers_threads", run())
}

fn run() -> Result<(), String> {
    let mut arguments = Arguments::new("handlers_threads [--port N]");
    let port = arguments.number("--port", 0)?;
    let [] = arguments.rest()?;
    let port = u16::try_from(port).map_err(|_| format!("{port} is no port"))?;
    serve(port).map_err(|error| error.to_string())
}

fn serve(port: u16) -> io::Result<()> {
    let listener = TcpListener::bind(("127.0.0.1", port))?;
    loop {
        let (stream, _) = listener.accept()?;
        // A client for whom there is no thread is closed.
        let _ = thread::Builder::new().spawn(move || client(stream));
    }
}

/// Until the client closes, asks to close, or is idle for long.
fn client(mut stream: TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(IDLE))?;
    let (mut buffer, mut got) = (vec![0; HEAD_BYTES], 0);
    loop {
        let end = loop {
            if let Some(at) = buffer[..got].windows(4).position(|end| end == b"\r\n\r\n") {
                break at + 4;
            }
            match stream.read(&mut buffer[got..])? {
                0 => return Ok(()),
                count => got += count,
            }
        };
        let head = String::from_utf8_lossy(&buffer[..end]);
        let path = head.split(' ').nth(1).unwrap_or("/");
        let is_last = head.contains("Connection: close");
        let body = Work::of(path).run();
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
        stream.write_all(&[head.as_bytes(), &body].concat())?;
        if is_last {
            return Ok(());
        }
        buffer.copy_within(end..got, 0);
        got -= end;
    }
}
