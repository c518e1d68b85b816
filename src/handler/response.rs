//! A response.

use super::gate::{Gate, GateRule};
use super::{Payload, Speak, Upgraded, WriteContent, Writer, run_writer};
use crate::semantics::upgrade::is_protocol;
use crate::semantics::{FieldError, FieldLines, Status};
use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::sync::{Arc, Mutex, PoisonError};

/// A response. It borrows nothing, so that it can be sent while its worker serves others.
///
/// ```
/// use doorstep::{Response, Status};
///
/// let response = Response::new(Status::CREATED).header("Location", "/tea/1").body("brewing");
/// assert_eq!(response.status().code(), 201);
/// ```
#[derive(Debug)]
#[must_use = "a response does nothing unless a handler returns it"]
pub struct Response {
    pub(super) status: Status,
    fields: FieldLines,
    close: bool,
    payload: Payload,
    content_length: Option<u64>,
    /// Boxed, as few responses have one and each is moved several times; so is the gate.
    takeover: Option<Box<Takeover>>,
    log_reason: Option<&'static str>,
    fault: Option<FieldError>,
    gate: Option<Box<GateRule>>,
    /// Whether the request is to wait at the gate; otherwise the body is read inside of it.
    is_queued: bool,
}

impl Response {
    /// A response without a body.
    pub fn new(status: Status) -> Response {
        Response {
            status,
            fields: FieldLines::new(),
            close: false,
            payload: Payload::Empty,
            content_length: Some(0),
            takeover: None,
            log_reason: None,
            fault: None,
            gate: None,
            is_queued: false,
        }
    }

    /// 200 with plain text.
    pub fn text(text: impl Into<String>) -> Response {
        Response::new(Status::OK).media_type(TEXT).body(text.into())
    }

    /// 200 with HTML.
    pub fn html(html: impl Into<String>) -> Response {
        Response::new(Status::OK).media_type(HTML).body(html.into())
    }

    /// A redirect: 301, 302, 303, 307 or 308 with a Location (RFC 9110 §10.2.2). A location with a
    /// control character makes the response a 500, as with [`header`](Response::header).
    pub fn redirect(status: Status, location: &str) -> Response {
        Response::new(status).header("Location", location)
    }

    /// A small page that says the status, for people; never stored.
    pub fn status_page(status: Status) -> Response {
        let code = status.code();
        let reason = status.reason();
        Response::new(status)
            .media_type(HTML)
            .header("Cache-Control", "no-store")
            .header("X-Content-Type-Options", "nosniff")
            .body(format!(
                "{PAGE_TOP}{code} {reason}</title>\n<h1>{code} {reason}</h1>\n"
            ))
    }

    /// Adds a header, or replaces the one that the response has if the header may stand only once,
    /// such as Content-Type or Location (RFC 9110 §5.3). A header that cannot be written turns the
    /// response into a 500, with a reason for the observer: [`try_header`](Response::try_header)
    /// returns the error instead.
    pub fn header(mut self, name: &str, value: &str) -> Response {
        if let Err(fault) = self.try_header(name, value) {
            self.fault = Some(fault);
        }
        self
    }

    /// Adds or replaces a header, as [`header`](Response::header) does.
    ///
    /// # Errors
    /// See [`FieldError`]; the response is unchanged.
    pub fn try_header(&mut self, name: &str, value: &str) -> Result<(), FieldError> {
        self.fields.push(name, value)
    }

    /// Sets the body.
    pub fn body(mut self, content: impl Into<Payload>) -> Response {
        self.payload = content.into();
        self.content_length = self.payload.length();
        self.takeover = None;
        // A gate is for the body that it was set for.
        self.gate = None;
        self.is_queued = false;
        self
    }

    /// Sets the body to a part of a file, which is sent without passing through memory where the
    /// system can do that. When the file turns out shorter, the connection closes in the middle of
    /// the body, so that the client notices.
    pub fn file(self, file: File, offset: u64, length: u64) -> Response {
        self.body(Payload::File {
            file: Arc::new(file),
            offset,
            length,
        })
    }

    /// Sets the body to what a reader returns: exactly `length` bytes if that is known, otherwise
    /// chunks up to the reader's end. The reader runs on a worker and should not block; an error,
    /// or too few bytes, closes the connection in the middle of the body.
    pub fn stream<R: Read + Send + 'static>(self, length: Option<u64>, reader: R) -> Response {
        self.body(Payload::Stream {
            length,
            reader: Box::new(reader),
            held_bytes: size_of::<R>(),
        })
    }

    /// Says how much memory the stream's reader takes besides its own size.
    #[cfg(feature = "files")]
    pub(crate) fn holding(mut self, bytes: usize) -> Response {
        if let Payload::Stream { held_bytes, .. } = &mut self.payload {
            *held_bytes += bytes;
        }
        self
    }

    /// Sets the body to what `write` writes, which need not be known when the response begins:
    /// [`flush`](io::Write::flush) sends what has been written.
    ///
    /// ```
    /// use doorstep::{Method, Request, Response, Status};
    /// use std::io::Write;
    ///
    /// let countdown = |_: &mut Request<'_>| {
    ///     Response::new(Status::OK).header("Content-Type", "text/plain").writer(|out| {
    ///         for number in (1..=3).rev() {
    ///             writeln!(out, "{number}")?;
    ///             // The client has this line before the next one is made.
    ///             out.flush()?;
    ///         }
    ///         writeln!(out, "lift-off")
    ///     })
    /// };
    /// let response = Request::test(Method::Get, "/").send(&countdown);
    /// assert_eq!(response.into_content()?, b"3\n2\n1\nlift-off\n");
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// The closure runs after the handler on the same worker, and blocks it while it waits for its
    /// client or for anything else; [`detached`](Response::detached) does not. It does not run when
    /// the response has no body: to HEAD, or with a status such as 204. When it fails or panics,
    /// the connection closes in the middle of the body, so that the client notices, and an observer
    /// gets the [error](crate::RequestEvent::error): do in the handler what may fail at once.
    pub fn writer(
        self,
        write: impl FnOnce(&mut Writer<'_>) -> io::Result<()> + Send + 'static,
    ) -> Response {
        self.taken_over_by(Takeover::Writer {
            write: Box::new(write),
            is_detached: false,
        })
    }

    /// As [`writer`](Response::writer), on a thread of its own: for a body that comes up slowly,
    /// such as events. It counts as a connection and uses no worker.
    ///
    /// There may be [`Limits::detached_threads`](crate::Limits::detached_threads) of them; the next
    /// request gets 503 and Retry-After. When the server shuts down, a detached response has the
    /// grace period to end, as a running request has; after that its next write fails. One that
    /// goes on forever uses up the grace period each time, unless it asks
    /// [`Shutdown::is_begun`](crate::Shutdown::is_begun) and ends by itself.
    pub fn detached(
        self,
        write: impl FnOnce(&mut Writer<'_>) -> io::Result<()> + Send + 'static,
    ) -> Response {
        self.taken_over_by(Takeover::Writer {
            write: Box::new(write),
            is_detached: true,
        })
    }

    /// Makes this a 101: after it, the connection goes on in another protocol, which `speak` runs
    /// on a thread of its own (RFC 9110 §7.8). The name of the protocol goes into the Upgrade
    /// field.
    ///
    /// ```
    /// use doorstep::{Request, Response, Server, Status};
    /// use std::io::{Read, Write};
    ///
    /// let echo = |_: &mut Request<'_>| {
    ///     Response::new(Status::SWITCHING_PROTOCOLS).upgrade("echo", |peer| {
    ///         let mut bytes = [0; 1024];
    ///         loop {
    ///             match peer.read(&mut bytes)? {
    ///                 0 => return Ok(()),
    ///                 count => peer.write_all(&bytes[..count])?,
    ///             }
    ///         }
    ///     })
    /// };
    /// let running = Server::bind("127.0.0.1:0")?.spawn(echo)?;
    ///
    /// let mut client = std::net::TcpStream::connect(running.addr())?;
    /// client.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n")?;
    /// client.write_all(b"Connection: upgrade\r\nUpgrade: echo\r\n\r\n")?;
    /// client.write_all(b"hello")?;
    /// client.shutdown(std::net::Shutdown::Write)?;
    /// let mut response = String::new();
    /// client.read_to_string(&mut response)?;
    /// assert!(response.starts_with("HTTP/1.1 101 "));
    /// assert!(response.ends_with("\r\n\r\nhello"));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// A client that does not offer this protocol gets 426 with its name, and its connection goes
    /// on as HTTP; an unread request body makes the response a 500. The server writes Connection
    /// and Upgrade, the handler all other headers (such as Sec-WebSocket-Accept). The observer is
    /// told of the request when the 101 is sent, and of the connection when the other protocol has
    /// ended: `speak` has returned, its bytes are sent and its side closed, and the peer has closed
    /// too.
    ///
    /// Threads are counted, and ended by a shutdown, as those of [`detached`](Response::detached)
    /// are.
    pub fn upgrade(
        mut self,
        protocol: &'static str,
        speak: impl FnOnce(&mut Upgraded<'_>) -> io::Result<()> + Send + 'static,
    ) -> Response {
        if !is_protocol(protocol.as_bytes()) {
            self.fault = Some(FieldError::Value);
        }
        self.status = Status::SWITCHING_PROTOCOLS;
        self.taken_over_by(Takeover::Upgrade {
            protocol,
            speak: Box::new(speak),
        })
    }

    fn taken_over_by(mut self, takeover: Takeover) -> Response {
        self.payload = Payload::Empty;
        self.content_length = match &takeover {
            Takeover::Writer { .. } => None,
            Takeover::Upgrade { .. } => Some(0),
        };
        self.takeover = Some(Box::new(takeover));
        self
    }

    /// Closes the connection after this response.
    pub fn close(mut self) -> Response {
        self.close = true;
        self
    }

    /// Sets the reason for this response, for the observer and the log; it is never sent.
    pub fn with_log_reason(mut self, why: &'static str) -> Response {
        self.log_reason = Some(why);
        self
    }

    /// The status.
    pub fn status(&self) -> Status {
        self.status
    }

    /// The value of the first header with this name, in any case.
    pub fn header_value(&self, name: &str) -> Option<&str> {
        self.fields.get(name)
    }

    /// The reason for this response, if the handler gave one: see
    /// [`with_log_reason`](Response::with_log_reason).
    pub fn log_reason(&self) -> Option<&'static str> {
        self.log_reason
    }

    /// The body; [`Payload::Empty`] when a [`writer`](Response::writer) writes it.
    pub fn payload(&self) -> &Payload {
        &self.payload
    }

    /// The length of the body, if it is known before it is sent.
    pub fn content_length(&self) -> Option<u64> {
        self.content_length
    }

    /// Reads or writes the whole body into memory: for tests of handlers.
    ///
    /// # Errors
    /// The errors of reading a file or a stream, or of a writer;
    /// [`UnexpectedEof`](io::ErrorKind::UnexpectedEof) when the file has become shorter than the
    /// response says.
    pub fn into_content(self) -> io::Result<Vec<u8>> {
        let mut all = Vec::new();
        if let Some(Takeover::Writer { write, .. }) = self.takeover.map(|boxed| *boxed) {
            run_writer(&mut all, write)?;
            return Ok(all);
        }
        match self.payload {
            Payload::Empty => {}
            Payload::Static(bytes) => all.extend_from_slice(bytes),
            Payload::Bytes(bytes) => all = bytes,
            Payload::Shared(bytes) => all.extend_from_slice(&bytes),
            Payload::File {
                file,
                offset,
                length,
            } => {
                // Responses may share the descriptor of a file, and so its cursor, and be read at
                // the same time.
                static CURSOR: Mutex<()> = Mutex::new(());
                let _alone = CURSOR.lock().unwrap_or_else(PoisonError::into_inner);
                let mut file: &File = &file;
                io::Seek::seek(&mut file, io::SeekFrom::Start(offset))?;
                let count = file.take(length).read_to_end(&mut all)?;
                if (count as u64) < length {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
            }
            Payload::Stream { mut reader, .. } => {
                reader.read_to_end(&mut all)?;
            }
        }
        Ok(all)
    }

    /// The gate at which the request is to wait before this response is sent.
    pub(crate) fn queued_at(&self) -> Option<&Arc<Gate>> {
        let rule = self.gate.as_ref().filter(|_| self.is_queued);
        rule.map(|rule| &rule.gate)
    }

    /// Adds a Content-Type that is known to be valid.
    pub(super) fn media_type(mut self, value: &'static str) -> Response {
        self.fields.push_media_type(value);
        self
    }

    /// 503, to be sent only after the request has waited in vain for room in this gate: the server
    /// calls the handler again when a thread has left it.
    pub(crate) fn queued(gate: &Arc<Gate>) -> Response {
        Response {
            gate: Some(Box::new(GateRule::of(gate, 0))),
            is_queued: true,
            ..Response::unavailable()
        }
    }

    /// The response to a client for which there is no room.
    pub(crate) fn unavailable() -> Response {
        // RFC 9110 §15.6.4: "The server MAY send a Retry-After header field".
        Response::status_page(Status::SERVICE_UNAVAILABLE).header("Retry-After", "1")
    }

    /// The body, a file or a stream, is read only inside of this gate, by `most` threads at a time.
    pub(crate) fn within(mut self, gate: &Arc<Gate>, most: usize) -> Response {
        self.gate = Some(Box::new(GateRule::of(gate, most)));
        self
    }
}

// For a handler that caches responses.
#[cfg(feature = "files")]
impl Response {
    /// A response with the headers of another one, and this body.
    pub(crate) fn with_lines(status: Status, lines: &FieldLines, payload: Payload) -> Response {
        Response {
            status,
            fields: lines.clone(),
            close: false,
            content_length: payload.length(),
            payload,
            takeover: None,
            log_reason: None,
            fault: None,
            gate: None,
            is_queued: false,
        }
    }
}

/// The program's closure that goes on with a connection when a response's head has been sent.
pub enum Takeover {
    /// Writes the body.
    Writer {
        /// The program's closure.
        write: WriteContent,
        /// Whether it runs on a thread of its own rather than on a worker.
        is_detached: bool,
    },
    /// Runs another protocol from then on.
    Upgrade {
        /// The protocol's name.
        protocol: &'static str,
        /// The program's closure.
        speak: Speak,
    },
}

impl Takeover {
    /// The memory that the program's closure takes.
    pub fn bytes(&self) -> usize {
        match self {
            Takeover::Writer { write, .. } => size_of_val(&**write),
            Takeover::Upgrade { speak, .. } => size_of_val(&**speak),
        }
    }
}

impl fmt::Debug for Takeover {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Takeover::Writer { .. } => "Writer",
            Takeover::Upgrade { .. } => "Upgrade",
        })
    }
}

/// The parts of a response, for the server; see [`Response::take_apart`].
#[derive(Debug)]
pub struct ResponseParts {
    /// The status.
    pub status: Status,
    /// The field lines.
    pub fields: FieldLines,
    /// Whether the connection closes after the response.
    pub close: bool,
    /// The Upgrade field.
    pub upgrade: Option<&'static str>,
    /// The body, unless a program writes it.
    pub payload: Payload,
    /// Its length, if that is known before it is sent.
    pub content_length: Option<u64>,
    /// What goes on with the connection after the head.
    pub takeover: Option<Takeover>,
    /// The reason for this response.
    pub log_reason: Option<&'static str>,
    /// The body is read only inside of this gate.
    pub gate: Option<Box<GateRule>>,
}

impl Response {
    /// The parts, for the server. A response with a header that cannot be written becomes a 500
    /// here.
    pub(crate) fn take_apart(self) -> ResponseParts {
        if let Some(fault) = self.fault {
            let reason = match fault {
                FieldError::Name => "invalid field name in the answer",
                FieldError::Value => "invalid field value in the answer",
                FieldError::Managed => "the answer sets a field that the server writes",
            };
            return Response::status_page(Status::INTERNAL_SERVER_ERROR)
                .with_log_reason(reason)
                .take_apart();
        }
        let upgrade = match self.takeover.as_deref() {
            Some(Takeover::Upgrade { protocol, .. }) => Some(*protocol),
            Some(Takeover::Writer { .. }) | None => None,
        };
        if upgrade.is_some() && self.status != Status::SWITCHING_PROTOCOLS {
            return Response::status_page(Status::INTERNAL_SERVER_ERROR)
                .with_log_reason("an upgrade is answered with 101")
                .take_apart();
        }
        ResponseParts {
            status: self.status,
            fields: self.fields,
            close: self.close,
            upgrade,
            payload: self.payload,
            content_length: self.content_length,
            takeover: self.takeover.map(|boxed| *boxed),
            log_reason: self.log_reason,
            gate: self.gate.filter(|_| !self.is_queued),
        }
    }
}

pub(super) const TEXT: &str = "text/plain; charset=utf-8";
const HTML: &str = "text/html; charset=utf-8";
const PAGE_TOP: &str = "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
<meta name=\"viewport\" content=\"width=device-width\">\n<meta name=\"color-scheme\" content=\"light dark\">\n\
<style>body{font:1rem/1.5 system-ui,sans-serif;max-width:40rem;margin:15vh auto;padding:0 1rem}</style>\n<title>";
