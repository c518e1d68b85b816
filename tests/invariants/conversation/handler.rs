//! The handler: a request's path says what it does, and it writes down what it was asked and what
//! it answers.

use super::answers::{Call, Content, Given, Pulled};
use super::clients::Clients;
use crate::support::bytes::pattern;
use crate::support::simulated::System;
use doorstep::{Handler, Request, Response, Status, Upgraded, Version, Writer};
use std::borrow::Cow;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::Duration;

/// The longest content, more than one turn's share.
const LONGEST: usize = 1_200_000;
/// Bytes read from the file, more than are sent from memory.
const FILE_OCTETS: usize = 100_000;

/// Bytes that tell where they stand, and, from another start, of which answer they are.
fn content(start: usize, length: usize) -> &'static [u8] {
    static PATTERN: OnceLock<Vec<u8>> = OnceLock::new();
    let whole = PATTERN.get_or_init(|| pattern(LONGEST + 251));
    &whole[start % 251..start % 251 + length]
}

/// A file that is there wherever this runs: this program. Its path, its start and its length.
fn file() -> Option<&'static (PathBuf, Vec<u8>, u64)> {
    static FILE: OnceLock<Option<(PathBuf, Vec<u8>, u64)>> = OnceLock::new();
    let read = || {
        let path = std::env::current_exe().ok()?;
        let mut octets = Vec::new();
        let file = File::open(&path).ok()?;
        let length = file.metadata().ok()?.len();
        file.take(FILE_OCTETS as u64)
            .read_to_end(&mut octets)
            .ok()?;
        (octets.len() == FILE_OCTETS).then_some((path, octets, length))
    };
    FILE.get_or_init(read).as_ref()
}

/// How a reader gives its bytes.
struct Source {
    octets: &'static [u8],
    /// At a time.
    most: usize,
    /// Every second read is interrupted.
    stutters: Option<bool>,
    /// It fails after its last byte.
    fails: bool,
}

impl Read for Source {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if let Some(now) = &mut self.stutters {
            *now = !*now;
            if *now {
                return Err(io::ErrorKind::Interrupted.into());
            }
        }
        if self.octets.is_empty() && self.fails {
            return Err(io::ErrorKind::Other.into());
        }
        let count = self.octets.len().min(buffer.len()).min(self.most);
        let (here, rest) = self.octets.split_at(count);
        buffer[..count].copy_from_slice(here);
        self.octets = rest;
        Ok(count)
    }
}

/// Answers every request.
pub struct Answers(pub System<Clients>);

impl Handler for Answers {
    fn handle(&self, request: &mut Request<'_>) -> Response {
        let number = self.note(request);
        let mut segments = request.path().split('/').skip(1);
        let kind = segments.next().unwrap_or_default();
        let length = segments.next().and_then(|digits| digits.parse().ok());
        let length: usize = length.unwrap_or(0);
        let mut given = Given {
            status: 200,
            ..Given::default()
        };
        let response = match kind {
            "echo" => self.echo(request, number, &mut given),
            "part" => self.part(request, number, length, &mut given),
            "status" => status(request, length, &mut given),
            "upgrade" => {
                given.status = 101;
                given.is_upgrade = true;
                Response::new(Status::SWITCHING_PROTOCOLS).upgrade("echo", echo)
            }
            "slow" => {
                self.0.state().now += Duration::from_secs(length.min(100) as u64);
                text(number, &mut given)
            }
            "close" => {
                given.closes = true;
                text(number, &mut given).close()
            }
            "text" | "" => text(number, &mut given),
            _ => {
                let length = self.0.state().outside.spend(length.min(LONGEST));
                given.is_bodiless = is_bodiless(request, 200);
                long(kind, number, length, &mut given)
            }
        };
        given.is_bodiless = is_bodiless(request, given.status);
        let response = with_line(response, request.query(), &mut given);
        let tag = number.to_string();
        let world = &mut *self.0.state();
        let call = &mut world.outside.calls[number];
        call.waits.end = world.links[call.link].waits.len();
        call.given = Some(given);
        response.header("X-Call", &tag)
    }
}

impl Answers {
    /// Writes down what is asked; the number of the call.
    fn note(&self, request: &mut Request<'_>) -> usize {
        let fields = request.headers();
        let fields = fields
            .iter()
            .map(|(name, value)| (name.as_bytes().to_vec(), value.to_vec()));
        let fields = fields.collect();
        let mut world = self.0.state();
        let link = request
            .peer_addr()
            .map_or(0, |peer| usize::from(peer.port()));
        world.progress += 1;
        world.outside.calls_in_turn += 1;
        world.outside.notes[link].calls += 1;
        let call = Call {
            link,
            method: request.method().as_str().to_string(),
            target: request.target().to_string(),
            path: request.path().to_string(),
            query: request.query().map(str::to_string),
            minor: u8::from(request.version() == Version::Http11),
            host: request.host().map(str::to_string),
            fields,
            length: request.body().content_length(),
            read: world.links[link].read,
            taken: world.links[link].taken.len(),
            waits: world.links[link].waits.len()..usize::MAX,
            pulled: Pulled::Nothing,
            given: None,
        };
        world.outside.calls.push(call);
        world.outside.calls.len() - 1
    }

    /// The content, as it came.
    fn echo(&self, request: &mut Request<'_>, number: usize, given: &mut Given) -> Response {
        self.0.state().outside.calls[number].pulled = Pulled::Failed(Vec::new());
        match request.body().collect() {
            Ok(content) => {
                self.0.state().outside.calls[number].pulled = Pulled::Whole(content.clone());
                given.content = Content::Known(Cow::Owned(content.clone()));
                Response::new(Status::OK).body(content)
            }
            Err(doorstep::BodyError::TooLarge) => {
                self.0.state().outside.calls[number].pulled = Pulled::Part(Vec::new());
                given.status = 413;
                Response::new(Status::CONTENT_TOO_LARGE)
            }
            // What was read by then is not handed out, and the answer is not the handler's, as the
            // client is at fault.
            Err(_) => Response::new(Status::BAD_REQUEST),
        }
    }

    /// The first bytes of the content; the rest is left unread.
    fn part(
        &self,
        request: &mut Request<'_>,
        number: usize,
        length: usize,
        given: &mut Given,
    ) -> Response {
        let mut content = Vec::new();
        self.0.state().outside.calls[number].pulled = Pulled::Failed(Vec::new());
        let end = request.body().take(length as u64).read_to_end(&mut content);
        let pulled = match end {
            Ok(_) if length == 0 => Pulled::Nothing,
            Ok(_) if content.len() < length => Pulled::Whole(content.clone()),
            Ok(_) => Pulled::Part(content.clone()),
            Err(_) => Pulled::Failed(content.clone()),
        };
        self.0.state().outside.calls[number].pulled = pulled;
        given.content = Content::Known(Cow::Owned(content.clone()));
        Response::new(Status::OK).body(content)
    }
}

/// RFC 9110 §6.4.1: answers that have no content whatever their handler gave.
fn is_bodiless(request: &Request<'_>, status: u16) -> bool {
    let method = request.method();
    let is_tunnel = method.as_str() == "CONNECT" && (200..300).contains(&status);
    method.as_str() == "HEAD" || is_tunnel || matches!(status, 204 | 205 | 304)
}

fn text(number: usize, given: &mut Given) -> Response {
    let content = self::content(number, 12);
    given.content = Content::Known(Cow::Borrowed(content));
    Response::new(Status::OK).body(content)
}

fn status(request: &Request<'_>, code: usize, given: &mut Given) -> Response {
    let status = u16::try_from(code).ok().and_then(Status::from_code);
    let status = status.unwrap_or(Status::NOT_FOUND);
    given.status = status.code();
    given.content = Content::Known(Cow::Borrowed(b"content"));
    if status.is_informational() {
        // No interim status can be an answer.
        *given = Given::fault();
    }
    given.is_bodiless = is_bodiless(request, given.status);
    Response::new(status).body("content")
}

/// Content of this length, by its kind.
fn long(kind: &str, number: usize, length: usize, given: &mut Given) -> Response {
    let octets = content(number, length);
    let answer = Response::new(Status::OK);
    given.content = Content::Known(Cow::Borrowed(octets));
    let source = |most, fails| Source {
        octets,
        most,
        stutters: (kind == "drip").then_some(false),
        fails,
    };
    // Bytes that come one at a time are slow to write down.
    let few = length.min(3_000);
    let drops = |fails| Source {
        octets: &octets[..few],
        ..source(1, fails)
    };
    match kind {
        "bytes" => answer.body(octets.to_vec()),
        "shared" => answer.body(std::sync::Arc::<[u8]>::from(octets)),
        "stream" => answer.stream(Some(length as u64), source(7_000, false)),
        "chunked" => {
            given.is_unmeasured = true;
            answer.stream(None, source(7_000, false))
        }
        "drip" | "drops" => {
            given.content = Content::Known(Cow::Borrowed(&octets[..few]));
            given.is_unmeasured = kind == "drops";
            let known = (kind == "drip").then_some(few as u64);
            answer.stream(known, drops(false))
        }
        // The content ends early, or fails.
        "short" => {
            given.breaks = true;
            answer.stream(Some(length as u64 + 1), source(7_000, false))
        }
        "broken" => {
            given.breaks = true;
            given.is_unmeasured = true;
            answer.stream(None, source(7_000, true))
        }
        "writer" | "detached" | "fails" => {
            given.is_unmeasured = true;
            given.breaks = kind == "fails";
            given.is_detached = kind == "detached";
            let fails = given.breaks;
            let write = move |writer: &mut Writer<'_>| write(writer, octets, fails);
            match given.is_detached {
                true => answer.detached(write),
                false => answer.writer(write),
            }
        }
        "file" | "gone" => from_file(kind == "gone", length, given, answer),
        _ => answer.body(octets),
    }
}

/// The other protocol: what comes goes back.
fn echo(peer: &mut Upgraded<'_>) -> io::Result<()> {
    let mut octets = [0; 300];
    loop {
        match peer.read(&mut octets)? {
            0 => return Ok(()),
            count => peer.write_all(&octets[..count])?,
        }
    }
}

/// Writes in pieces, some of which are to be sent at once.
fn write(writer: &mut Writer<'_>, octets: &[u8], fails: bool) -> io::Result<()> {
    for piece in octets.chunks(octets.len() / 3 + 1) {
        writer.write_all(piece)?;
        if piece.len() % 2 == 0 && !writer.disconnected() {
            writer.flush()?;
        }
    }
    match fails {
        true => Err(io::ErrorKind::Other.into()),
        false => Ok(()),
    }
}

/// A part of a file, or what is thought to be one.
fn from_file(is_gone: bool, length: usize, given: &mut Given, answer: Response) -> Response {
    let length = length.min(FILE_OCTETS);
    let opened = file().and_then(|(path, octets, end)| Some((File::open(path).ok()?, octets, end)));
    let Some((file, octets, end)) = opened else {
        given.content = Content::Known(Cow::Borrowed(b""));
        return answer;
    };
    if !is_gone {
        given.content = Content::Known(Cow::Borrowed(&octets[..length]));
        return answer.file(file, 0, length as u64);
    }
    let length = length.max(1);
    given.content = Content::Known(Cow::Borrowed(b""));
    if !given.is_bodiless {
        match length < doorstep::internals::limits::SENDFILE_FROM as usize {
            // No byte of the answer is out, so another one takes its place.
            true => {
                *given = Given::fault();
                given.closes = true;
                given.fails = true;
            }
            false => given.breaks = true,
        }
    }
    answer.file(file, *end, length as u64)
}

/// Adds the line that the query asks for, `name=value`, if it can be one.
fn with_line(mut response: Response, query: Option<&str>, given: &mut Given) -> Response {
    let line = query.and_then(|query| query.split_once('='));
    let line = line.filter(|(name, _)| !name.eq_ignore_ascii_case("x-call"));
    if let Some((name, value)) = line {
        if response.try_header(name, value).is_ok() && given.is_tagged() {
            given.line = Some((name.to_string(), value.to_string()));
        }
    }
    response
}
