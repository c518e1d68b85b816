//! What one load consists of, and connections for it.

use peers::{Arguments, PATIENCE};
use rustix::process::Pid;
use socket2::{Domain, SockRef, Socket, Type};
use std::io::{self, ErrorKind, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

/// The receive buffer of clients that do not read: the kernel takes little in their place.
const SMALL_BUFFER: usize = 4096;
const TICK: Duration = Duration::from_millis(20);

pub struct Load {
    pub clients: usize,
    pub time: Duration,
    pub method: String,
    pub target: String,
    header: String,
    times: usize,
    pub pause: Duration,
    pub every: Duration,
    pub reset_after: Option<Duration>,
    pub turns: u64,
    pub length: u64,
    pub quarter_of: Option<Pid>,
    /// A file whose coming ends the load before its time.
    until: Option<PathBuf>,
    pub unread: bool,
    pub keep_alive: bool,
}

impl Load {
    pub fn take(arguments: &mut Arguments) -> Result<Load, String> {
        let mut target = arguments.value("--target")?.unwrap_or("/".to_string());
        let pad = arguments.number("--pad", 0)? as usize;
        if pad > 0 {
            target += &format!("?{}", "x".repeat(pad - 1));
        }
        let reset_after = arguments.number("--reset-after", 0)?;
        Ok(Load {
            clients: arguments.number("--clients", 1)?.max(1) as usize,
            time: Duration::from_secs(arguments.number("--seconds", 3)?),
            method: arguments.value("--method")?.unwrap_or("GET".to_string()),
            target,
            header: match arguments.value("--header")? {
                Some(line) => line + "\r\n",
                None => String::new(),
            },
            times: arguments.number("--times", 1)?.max(1) as usize,
            pause: Duration::from_millis(arguments.number("--pause", 0)?),
            every: Duration::from_millis(arguments.number("--every", 1000)?.max(1)),
            reset_after: (reset_after > 0).then_some(Duration::from_millis(reset_after)),
            turns: arguments.number("--turns", 5)?.max(1),
            length: arguments.number("--length", 1024)?,
            quarter_of: match arguments.number("--quarter-of", 0)? {
                0 => None,
                number => i32::try_from(number).ok().and_then(Pid::from_raw),
            },
            until: arguments.value("--until")?.map(PathBuf::from),
            unread: arguments.flag("--unread"),
            keep_alive: arguments.flag("--keep-alive"),
        })
    }

    /// Lets the load last.
    pub fn rest(&self) {
        let started = Instant::now();
        while started.elapsed() < self.time
            && !self.until.as_ref().is_some_and(|file| file.exists())
        {
            thread::sleep(TICK.min(self.time));
        }
    }

    /// The bytes that a client sends at once.
    pub fn requests(&self, client: usize) -> Vec<u8> {
        self.with_header(client, &self.header).repeat(self.times)
    }

    /// One request after whose response the server closes.
    pub fn last_request(&self, client: usize) -> Vec<u8> {
        self.with_header(client, "Connection: close\r\n")
    }

    fn with_header(&self, client: usize, header: &str) -> Vec<u8> {
        let target = self.target.replace('#', &format!("{client:05}"));
        let method = &self.method;
        format!("{method} {target} HTTP/1.1\r\nHost: localhost\r\n{header}\r\n").into_bytes()
    }
}

/// A connection on which nothing waits longer than [`PATIENCE`].
pub fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// A connection on which nothing waits.
pub fn connect_small(address: SocketAddr, small: bool) -> io::Result<TcpStream> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    if small {
        socket.set_recv_buffer_size(SMALL_BUFFER)?;
    }
    socket.connect_timeout(&address.into(), PATIENCE)?;
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}

/// Writes what the connection takes, and gives the number of bytes.
pub fn write_some(stream: &mut TcpStream, bytes: &[u8]) -> io::Result<usize> {
    match stream.write(bytes) {
        Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(0),
        result => result,
    }
}

/// Closes with a reset, whatever has been read.
pub fn reset(stream: TcpStream) {
    // A socket that cannot linger is closed all the same.
    let _ = SockRef::from(&stream).set_linger(Some(Duration::ZERO));
}

/// Says that the load is up.
pub fn ready(count: usize) {
    println!("ready {count}");
}
