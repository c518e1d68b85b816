//! Whatever a program puts into an answer, what goes out is exactly the lines that it asked for
//! after those that the server writes, each once, and its content, framed in one way; or, when any
//! of it cannot be written, a 500 with nothing of it. After an answer stands the next one or
//! nothing.

#[path = "response/program.rs"]
mod program;

use crate::support::server::{Worker, put_together};
use crate::support::simulated::{Policy, Script, System};
use doorstep::internals::conn::Config;
use doorstep::{Handler, Request, Response, Status};
use program::{Question, Wanted, run};
use std::time::{Duration, UNIX_EPOCH};

/// The content of a request that has some.
const SENT: &str = "GET /evil HTTP/1.1\r\nHost: e\r\n\r\n";
/// What is answered to the request after it.
const SECOND: &str = "the second answer";

/// Panics when an answer that is made as `bytes` say (see `response/program.rs`) breaks the
/// sentence above.
pub fn check(octets: &[u8]) {
    let path = path_of(octets);
    let (_, mut wanted) = run(octets, &path);
    let question = wanted.question.clone();
    if question.method() == "CONNECT" {
        // Its target has no path.
        (_, wanted) = run(octets, "");
    }
    let program = octets.to_vec();
    let handler = move |request: &mut Request<'_>| -> Response {
        if request.path() == "/second" {
            return Response::new(Status::OK).body(SECOND);
        }
        let (response, wanted) = run(&program, request.path());
        if wanted.question.reads {
            let content = request.body().collect().expect("all of it is here");
            let sent = if wanted.question.has_content() {
                SENT
            } else {
                ""
            };
            assert_eq!(content, sent.as_bytes());
        }
        response
    };
    let second = "GET /second HTTP/1.1\r\nHost: a\r\n\r\n";
    let sent = question.request(&path) + second;
    let taken = exchange(handler, sent.into_bytes());
    judge(&question, effective(wanted), second, &taken);
}

/// More turns than any exchange takes.
const TURNS_MOST: usize = 50;

/// What `handler` answers to these bytes, on a connection whose client has sent all of them, and
/// then its end, beforehand.
fn exchange(handler: impl Handler, bytes: Vec<u8>) -> Vec<u8> {
    let policy = Policy::Script(Script {
        one_piece: true,
        ..Script::default()
    });
    let system = System::new(policy, ());
    let mut state = system.state();
    state.wall = Some(UNIX_EPOCH + Duration::from_secs(784_111_777));
    let link = state.connect(None);
    (state.links[link].sent, state.links[link].half_closed) = (bytes, true);
    state.knock(link);
    drop(state);
    let mut config = Config::default();
    config.limits.connections = 1;
    let shared = put_together(&system, handler, config, None, Box::new(system.clone()));
    let mut worker = Worker::new(shared);
    for _ in 0..TURNS_MOST {
        let event = system.state().take_event();
        match event {
            Some(token) => worker.turn(token),
            None if system.run_thread() => {}
            None => {
                let link = &mut system.state().links[link];
                assert!(link.dropped, "the connection stays open");
                return std::mem::take(&mut link.taken);
            }
        }
    }
    panic!("no end of turns");
}

/// A path of bytes that a target may hold, some of them escaped: what is asked for in it is up to
/// the program.
fn path_of(octets: &[u8]) -> String {
    let mut path = String::from("/");
    for octet in octets.iter().take(40) {
        match octet {
            b'a'..=b'z' | b'/' | b'=' => path.push(char::from(*octet)),
            _ => path.push_str(&format!("%{octet:02X}")),
        }
    }
    path
}

impl Question {
    fn method(&self) -> &'static str {
        match self.method {
            Some('H') => "HEAD",
            Some('C') => "CONNECT",
            Some('P') => "POST",
            _ => "GET",
        }
    }

    fn has_content(&self) -> bool {
        self.method == Some('P')
    }

    fn request(&self, path: &str) -> String {
        let version = if self.is_old { "1.0" } else { "1.1" };
        let target = if self.method == Some('C') {
            "a:1"
        } else {
            path
        };
        let mut request = format!("{} {target} HTTP/{version}\r\nHost: a:1\r\n", self.method());
        let mut line = |line: &str| {
            request.push_str(line);
            request.push_str("\r\n");
        };
        if let Some(option) = self.connection {
            line(&format!("Connection: {option}"));
        }
        if self.offers {
            line("Connection: upgrade");
            line("Upgrade: websocket, IRC/6.9, h2c, echo, HTTP/1.1, Set-Cookie, IRC/6, e, o");
        }
        if self.expects {
            line("Expect: 100-continue");
        }
        if self.has_content() {
            line(&format!("Content-Length: {}", SENT.len()));
        }
        line("");
        if self.has_content() {
            request.push_str(SENT);
        }
        request
    }

    /// Whether the protocol is among those that the request offers.
    fn is_offered(&self, protocol: &str) -> bool {
        let offered = "websocket, IRC/6.9, h2c, echo, HTTP/1.1, Set-Cookie, IRC/6, e, o";
        let mut offered = offered.split(", ");
        self.offers && !self.is_old && offered.any(|this| this.eq_ignore_ascii_case(protocol))
    }
}

/// What is written in place of what cannot be.
fn effective(wanted: Wanted) -> Wanted {
    let question = wanted.question.clone();
    let is_interim = wanted.status < 200;
    let instead = match wanted.protocol {
        _ if wanted.is_faulty => Some(500),
        None => is_interim.then_some(500),
        Some(_) if wanted.status != 101 => Some(500),
        Some(protocol) if !question.is_offered(protocol) => Some(426),
        Some(_) => (question.has_content() && !question.reads).then_some(500),
    };
    match instead {
        None => wanted,
        Some(status) => Wanted {
            question,
            protocol: wanted.protocol.filter(|_| status == 426),
            ..Wanted::page(status)
        },
    }
}

/// A head as a naive reader sees it.
struct Head<'a> {
    status: &'a str,
    lines: Vec<(&'a str, &'a str)>,
    /// What is behind it.
    rest: &'a [u8],
}

impl<'a> Head<'a> {
    /// `status-line CRLF *( field-line CRLF ) CRLF`, and no control but HTAB in any line.
    fn of(octets: &'a [u8]) -> Head<'a> {
        let end = octets.windows(4).position(|four| four == b"\r\n\r\n");
        let end = end.unwrap_or_else(|| panic!("no head: {}", octets.escape_ascii()));
        let text = std::str::from_utf8(&octets[..end]).expect("only text was asked for");
        let mut lines = text.split("\r\n");
        let status = lines.next().unwrap_or_default();
        let status = status.strip_prefix("HTTP/1.1 ").expect("a status line");
        let lines = lines.map(|line| {
            let is_control = |c: char| c.is_ascii_control() && c != '\t';
            assert!(!line.contains(is_control), "{line:?}");
            line.split_once(": ").expect("a field line has a colon")
        });
        Head {
            status,
            lines: lines.collect(),
            rest: &octets[end + 4..],
        }
    }

    /// The value of the first line, which has to have this name.
    fn take(&mut self, name: &str) -> Option<&'a str> {
        let (first, value) = *self.lines.first()?;
        (first == name).then(|| {
            self.lines.remove(0);
            value
        })
    }
}

fn judge(question: &Question, wanted: Wanted, second: &str, taken: &[u8]) {
    let mut taken = taken;
    let interim = b"HTTP/1.1 100 Continue\r\n\r\n";
    if question.expects && !question.is_old && wanted.status == 101 {
        taken = taken.strip_prefix(interim).expect("100 before 101");
    }
    let mut head = Head::of(taken);
    let reason = Status::from_code(wanted.status).map_or("", Status::reason);
    assert_eq!(head.status, format!("{} {reason}", wanted.status));
    if !wanted.has("Date") && wanted.status != 101 {
        assert_eq!(head.take("Date"), Some("Sun, 06 Nov 1994 08:49:37 GMT"));
    }
    if !wanted.has("Server") {
        assert_eq!(head.take("Server"), Some("doorstep"));
    }
    let connection = head.take("Connection").unwrap_or_default();
    let mut options: Vec<&str> = connection.split(", ").collect();
    let upgrade = wanted.protocol.and_then(|_| head.take("Upgrade"));
    assert_eq!(upgrade, wanted.protocol, "the protocol");
    if upgrade.is_some() {
        assert_eq!(
            options.pop(),
            Some("upgrade"),
            "what announces the protocol"
        );
    }
    let closes = options.contains(&"close");
    assert!(
        ["", "close", "keep-alive"].contains(&options.join(",").as_str()),
        "{connection}"
    );
    let length = head.take("Content-Length");
    let coding = head.take("Transfer-Encoding");
    let lines = wanted.lines.iter().map(|(name, value)| (&**name, &**value));
    assert!(
        head.lines.iter().copied().eq(lines),
        "{:?} in place of {:?}",
        head.lines,
        wanted.lines
    );
    let behind = content(question, &wanted, length, coding, closes, head.rest);
    let asks_for_end = match question.connection {
        Some(option) => option == "close",
        None => question.is_old,
    };
    assert!(
        closes || wanted.status == 101 || !(asks_for_end || wanted.closes),
        "an end without a word"
    );
    if wanted.status == 101 {
        assert!(wanted.protocol.is_some());
        assert_eq!(behind, b"upgraded", "after the 101 and {second:?}");
    } else if closes {
        assert_eq!(
            behind.escape_ascii().to_string(),
            "",
            "after the last answer"
        );
    } else {
        let mut head = Head::of(behind);
        assert_eq!(head.status, "200 OK", "the second answer");
        head.lines
            .retain(|(name, _)| !["Date", "Server", "Connection"].contains(name));
        assert_eq!(head.lines, [("Content-Length", "17")]);
        assert_eq!(head.rest, SECOND.as_bytes());
    }
}

/// The content is what was asked for, framed in one way and in the one that it has to be; answers
/// what is behind it.
fn content<'a>(
    question: &Question,
    wanted: &Wanted,
    length: Option<&str>,
    coding: Option<&str>,
    closes: bool,
    rest: &'a [u8],
) -> &'a [u8] {
    assert!(length.is_none() || coding.is_none(), "framed in two ways");
    assert!(coding.is_none_or(|coding| coding == "chunked" && !question.is_old));
    let is_tunnel = question.method() == "CONNECT" && (200..300).contains(&wanted.status);
    if is_tunnel || matches!(wanted.status, 101 | 204 | 304) {
        // RFC 9110 §8.6 and RFC 9112 §6.1 forbid both.
        assert_eq!((length, coding), (None, None));
        return rest;
    }
    let known = match wanted.status {
        205 => Some(0),
        _ => (!wanted.is_unmeasured).then_some(wanted.content.len()),
    };
    assert_eq!(length, known.map(|known| known.to_string()).as_deref());
    if question.method() == "HEAD" {
        return rest;
    }
    if let Some(known) = known {
        let (content, behind) = rest.split_at(known);
        assert!(wanted.content.starts_with(content));
        return behind;
    }
    if coding.is_none() {
        assert!(closes, "until an end that is not announced");
        assert_eq!(rest, wanted.content);
        return b"";
    }
    let (content, behind) = chunks(rest);
    assert_eq!(content, wanted.content);
    behind
}

/// The content of a chunked body, and what is behind it.
fn chunks(mut rest: &[u8]) -> (Vec<u8>, &[u8]) {
    let mut content = Vec::new();
    loop {
        let end = rest
            .windows(2)
            .position(|two| two == b"\r\n")
            .expect("a size line");
        let size = std::str::from_utf8(&rest[..end]).expect("digits");
        let size = usize::from_str_radix(size, 16).expect("a size");
        let (data, behind) = rest[end + 2..].split_at(size);
        content.extend_from_slice(data);
        rest = behind.strip_prefix(b"\r\n").expect("the end of a chunk");
        if size == 0 {
            return (content, rest);
        }
    }
}
