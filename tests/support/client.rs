//! A client that sends what it is told and reads answers strictly: whatever RFC 9112 does not allow
//! a server is a failure.

use super::PATIENCE;
use std::fmt;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::ops::Deref;

/// Bytes of an answer's head at most.
const HEAD_MOST: usize = 64 * 1024;

/// One connection, seen from the client.
pub struct Client {
    stream: TcpStream,
    unread: Vec<u8>,
    start: usize,
}

/// The head of an answer.
#[derive(Clone, Debug)]
pub struct Head {
    /// The status code.
    pub status: u16,
    /// As it came, without the empty line.
    pub text: String,
    /// Names and values in their order.
    pub fields: Vec<(String, String)>,
    /// The declared length.
    pub length: Option<u64>,
    /// Whether it says that no answer follows.
    pub closes: bool,
}

/// A whole answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The head.
    pub head: Head,
    /// The content, its framing taken off.
    pub content: Vec<u8>,
    /// How it was delimited.
    pub delimited: Delimited,
}

/// What showed where the content ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delimited {
    /// The status, or the method.
    NoContent,
    /// Content-Length.
    Length,
    /// The chunked coding.
    Chunked,
    /// The end of the connection.
    Close,
}

/// Why there is no whole answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Broken {
    /// The connection ended before a byte of it.
    Closed,
    /// It was reset before a byte of it.
    Reset,
    /// It ended, or was reset, within the answer.
    Cut,
    /// Nothing came within [`PATIENCE`].
    TimedOut,
}

impl Client {
    /// Connects.
    pub fn connect(address: SocketAddr) -> Client {
        Client::try_connect(address).expect("a connection")
    }

    /// Connects, if there is a server.
    pub fn try_connect(address: SocketAddr) -> io::Result<Client> {
        let stream = TcpStream::connect_timeout(&address, PATIENCE)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        Ok(Client {
            stream,
            unread: Vec::new(),
            start: 0,
        })
    }

    /// This end's address, by which the server knows the client.
    pub fn address(&self) -> SocketAddr {
        self.stream.local_addr().expect("an address")
    }

    /// Another handle of the same connection, to send and to read in two threads.
    pub fn also(&self) -> Client {
        Client {
            stream: self.stream.try_clone().expect("a second handle"),
            unread: Vec::new(),
            start: 0,
        }
    }

    /// Sends all of it.
    pub fn send(&mut self, octets: impl AsRef<[u8]>) {
        self.try_send(octets).expect("the bytes are taken");
    }

    /// Sends, unless the server has gone.
    pub fn try_send(&mut self, octets: impl AsRef<[u8]>) -> io::Result<()> {
        self.stream.write_all(octets.as_ref())
    }

    /// Closes the sending side, or all of it on any of its handles.
    pub fn shutdown(&mut self, how: Shutdown) {
        let done = self.stream.shutdown(how);
        assert!(done.is_ok() || how == Shutdown::Both, "{done:?}");
    }

    /// Waits until a byte lies here unread, and leaves it there: dropped like that, the connection
    /// is reset.
    pub fn await_bytes(&self) {
        let count = self.stream.peek(&mut [0]).expect("a byte");
        assert_eq!(count, 1, "the end instead of a byte");
    }

    /// Whether a byte that lies here unread, or the end, can be read without a wait.
    pub fn is_readable(&self) -> bool {
        let set = |nonblocking| self.stream.set_nonblocking(nonblocking).expect("a stream");
        set(true);
        let peeked = self.stream.peek(&mut [0]);
        set(false);
        !matches!(peeked, Err(error) if error.kind() == ErrorKind::WouldBlock)
    }

    /// Asks for a path and reads the answer.
    pub fn ask(&mut self, path: &str) -> Answer {
        self.send(get(path));
        self.answer()
    }

    /// The next answer.
    #[track_caller]
    pub fn answer(&mut self) -> Answer {
        self.try_answer()
            .unwrap_or_else(|broken| panic!("no answer: {broken}"))
    }

    /// The next answer, or what was there instead.
    pub fn try_answer(&mut self) -> Result<Answer, Broken> {
        let head = self.try_head()?;
        let delimited = head.delimited();
        let mut content = Vec::new();
        match delimited {
            Delimited::NoContent => {}
            Delimited::Length => {
                self.take_exactly(head.length.expect("a length"), &mut content)?;
            }
            Delimited::Chunked => self.take_chunks(&mut content)?,
            Delimited::Close => self.take_to_the_end(&mut content)?,
        }
        Ok(Answer {
            head,
            content,
            delimited,
        })
    }

    /// The head of the next answer: all of one to HEAD. Otherwise its content is the caller's to
    /// read.
    #[track_caller]
    pub fn head(&mut self) -> Head {
        self.try_head()
            .unwrap_or_else(|broken| panic!("no head: {broken}"))
    }

    /// The next bytes, as they come; none at the end.
    pub fn some(&mut self) -> Result<&[u8], Broken> {
        if self.start == self.unread.len() {
            self.fill()?;
        }
        let from = std::mem::replace(&mut self.start, self.unread.len());
        Ok(&self.unread[from..])
    }

    /// How many bytes there still are, and how the connection ends after them.
    pub fn rest(&mut self) -> (u64, Broken) {
        let mut seen = 0;
        loop {
            match self.some() {
                Ok([]) => return (seen, Broken::Closed),
                Ok(octets) => seen += octets.len() as u64,
                Err(broken) => return (seen, broken),
            }
        }
    }

    /// The next bytes have to be exactly these.
    #[track_caller]
    pub fn expects(&mut self, octets: &[u8]) {
        let mut seen = Vec::new();
        let taken = self.take_exactly(octets.len() as u64, &mut seen);
        assert_eq!(
            (taken, String::from_utf8_lossy(&seen)),
            (Ok(()), String::from_utf8_lossy(octets))
        );
    }

    /// Nothing more comes, and the server has closed in good order.
    #[track_caller]
    pub fn ends(&mut self) {
        let rest = self.some().map(String::from_utf8_lossy);
        assert_eq!(rest, Ok("".into()), "the connection should have ended");
    }

    /// Nothing more comes; whether the end was in good order is not asked.
    #[track_caller]
    pub fn is_gone(&mut self) {
        match self.some() {
            Ok([]) | Err(Broken::Reset | Broken::Cut | Broken::Closed) => {}
            other => panic!("the connection should have been gone: {other:?}"),
        }
    }

    fn try_head(&mut self) -> Result<Head, Broken> {
        let mut searched = 0;
        let end = loop {
            let here = &self.unread[self.start..];
            if let Some(at) = find(&here[searched..], b"\r\n\r\n") {
                break searched + at;
            }
            searched = here.len().saturating_sub(3);
            assert!(here.len() < HEAD_MOST, "a head without an end");
            let begun = !here.is_empty();
            match self.fill() {
                Ok(0) if begun => return Err(Broken::Cut),
                Ok(0) => return Err(Broken::Closed),
                Ok(_) => {}
                Err(Broken::Reset) if begun => return Err(Broken::Cut),
                Err(broken) => return Err(broken),
            }
        };
        let head = Head::parse(&self.unread[self.start..self.start + end]);
        self.start += end + 4;
        Ok(head)
    }

    fn take_exactly(&mut self, length: u64, to: &mut Vec<u8>) -> Result<(), Broken> {
        let mut left = usize::try_from(length).expect("a length that fits");
        while left > 0 {
            let here = self.within()?;
            let count = left.min(here.len());
            to.extend_from_slice(&here[..count]);
            self.start += count;
            left -= count;
        }
        Ok(())
    }

    fn take_line(&mut self) -> Result<Vec<u8>, Broken> {
        let mut line = Vec::new();
        while !line.ends_with(b"\r\n") {
            assert!(line.len() < 32, "a chunk's line of {line:?}");
            self.take_exactly(1, &mut line)?;
        }
        line.truncate(line.len() - 2);
        Ok(line)
    }

    fn take_chunks(&mut self, to: &mut Vec<u8>) -> Result<(), Broken> {
        loop {
            let line = self.take_line()?;
            let digits = std::str::from_utf8(&line).expect("a chunk size of ASCII");
            assert!(
                !digits.is_empty() && digits.bytes().all(|octet| octet.is_ascii_hexdigit()),
                "a chunk size of {digits:?}"
            );
            let size = u64::from_str_radix(digits, 16).expect("a chunk size");
            self.take_exactly(size, to)?;
            // The end of the chunk, or, after the last one, of the empty trailer section.
            assert_eq!(self.take_line()?, b"", "bytes after a chunk");
            if size == 0 {
                return Ok(());
            }
        }
    }

    fn take_to_the_end(&mut self, to: &mut Vec<u8>) -> Result<(), Broken> {
        loop {
            let here = match self.some() {
                Ok([]) => return Ok(()),
                Err(Broken::Reset) => return Err(Broken::Cut),
                here => here?,
            };
            to.extend_from_slice(here);
        }
    }

    /// Bytes that are here, within a message: an end is a cut.
    fn within(&mut self) -> Result<&[u8], Broken> {
        if self.start == self.unread.len() {
            match self.fill() {
                Ok(0) | Err(Broken::Reset) => return Err(Broken::Cut),
                other => other?,
            };
        }
        Ok(&self.unread[self.start..])
    }

    fn fill(&mut self) -> Result<usize, Broken> {
        if self.start == self.unread.len() {
            self.unread.clear();
            self.start = 0;
        }
        let mut block = [0; 16 * 1024];
        loop {
            return match self.stream.read(&mut block) {
                Ok(count) => {
                    self.unread.extend_from_slice(&block[..count]);
                    Ok(count)
                }
                Err(error) => match error.kind() {
                    ErrorKind::Interrupted => continue,
                    ErrorKind::WouldBlock | ErrorKind::TimedOut => Err(Broken::TimedOut),
                    _ => Err(Broken::Reset),
                },
            };
        }
    }
}

impl Head {
    fn parse(octets: &[u8]) -> Head {
        let text = std::str::from_utf8(octets).expect("a head of UTF-8");
        assert!(!text.contains('\0'), "NUL in {text:?}");
        let mut lines = text.split("\r\n");
        let status_line = lines.next().unwrap_or_default();
        let code = status_line
            .strip_prefix("HTTP/1.1 ")
            .and_then(|rest| rest.split_once(' '))
            .map(|(code, _reason)| code)
            .unwrap_or_else(|| panic!("a status line of {status_line:?}"));
        assert!(
            code.len() == 3 && code.bytes().all(|octet| octet.is_ascii_digit()),
            "a status of {code:?}"
        );
        let fields = lines
            .map(|line| {
                assert!(
                    !line.contains(['\r', '\n']),
                    "a bare end of line in {line:?}"
                );
                let (name, value) = line
                    .split_once(": ")
                    .unwrap_or_else(|| panic!("a field line of {line:?}"));
                let is_token = !name.is_empty()
                    && name
                        .bytes()
                        .all(|octet| octet.is_ascii_alphanumeric() || octet == b'-');
                assert!(is_token, "a field name of {name:?}");
                (name.to_string(), value.to_string())
            })
            .collect();
        let mut head = Head {
            status: code.parse().expect("a status"),
            text: text.to_string(),
            fields,
            length: None,
            closes: false,
        };
        head.is_unambiguous();
        head.length = head.header_value("Content-Length").map(|value| {
            let is_number = !value.is_empty() && value.bytes().all(|octet| octet.is_ascii_digit());
            assert!(is_number, "a length of {value:?}");
            value.parse().expect("a length")
        });
        head.closes = head.header_value("Connection") == Some("close");
        head
    }

    /// One answer to each question of framing.
    fn is_unambiguous(&self) {
        for name in [
            "Content-Length",
            "Transfer-Encoding",
            "Connection",
            "Date",
            "Server",
        ] {
            assert!(self.all(name).count() <= 1, "{name} twice: {self:?}");
        }
        let both = self.header_value("Content-Length").is_some()
            && self.header_value("Transfer-Encoding").is_some();
        assert!(!both, "two ways to delimit: {self:?}");
        if matches!(self.status, 100..=199 | 204) {
            // RFC 9110 §8.6, RFC 9112 §6.1: neither field in an answer without content.
            assert_eq!(self.header_value("Content-Length"), None, "{self:?}");
            assert_eq!(self.header_value("Transfer-Encoding"), None, "{self:?}");
        }
    }

    fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.fields
            .iter()
            .filter(move |(this, _)| this.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// The first value under this name.
    pub fn header_value(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    fn delimited(&self) -> Delimited {
        if matches!(self.status, 100..=199 | 204 | 304) {
            return Delimited::NoContent;
        }
        match self.header_value("Transfer-Encoding") {
            Some("chunked") => Delimited::Chunked,
            Some(other) => panic!("a transfer coding of {other:?}"),
            None if self.length.is_some() => Delimited::Length,
            None => Delimited::Close,
        }
    }
}

impl From<Head> for Answer {
    /// An answer to HEAD.
    fn from(head: Head) -> Answer {
        Answer {
            head,
            content: Vec::new(),
            delimited: Delimited::NoContent,
        }
    }
}

impl Deref for Answer {
    type Target = Head;

    fn deref(&self) -> &Head {
        &self.head
    }
}

impl Answer {
    /// The content as text.
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.content).expect("text")
    }
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Broken::Closed => "the connection ended",
            Broken::Reset => "the connection was reset",
            Broken::Cut => "the connection ended within the answer",
            Broken::TimedOut => "nothing came in time",
        })
    }
}

/// A plain request for a path.
pub fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n")
}

/// The end of the head of the last request of its connection, in place of `CRLF CRLF`.
pub const AND_CLOSE: &str = "\r\nConnection: close\r\n\r\n";

/// A request with content by length.
pub fn post(path: &str, content: impl AsRef<[u8]>) -> Vec<u8> {
    let content = content.as_ref();
    let mut octets = format!(
        "POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n",
        content.len()
    )
    .into_bytes();
    octets.extend_from_slice(content);
    octets
}

/// A request with chunked content, in chunks of these sizes over and over.
pub fn post_chunked(path: &str, content: &[u8], sizes: &[usize]) -> Vec<u8> {
    let mut octets =
        format!("POST {path} HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n")
            .into_bytes();
    let mut sizes = sizes.iter().cycle();
    let mut left = content;
    while !left.is_empty() {
        let size = left.len().min(*sizes.next().expect("a size"));
        octets.extend_from_slice(format!("{size:x}\r\n").as_bytes());
        octets.extend_from_slice(&left[..size]);
        octets.extend_from_slice(b"\r\n");
        left = &left[size..];
    }
    octets.extend_from_slice(b"0\r\n\r\n");
    octets
}

fn find(octets: &[u8], wanted: &[u8]) -> Option<usize> {
    octets
        .windows(wanted.len())
        .position(|window| window == wanted)
}
