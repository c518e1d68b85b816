//! The clients: scripts of what each sends and waits for, what it has to be answered, and how its
//! connection has to end.

use crate::support::bytes::pattern;
use crate::support::random::Random;
use crate::support::simulated::{self, Outside, State};
use doorstep::{CloseReason, Reject};
use std::time::{Duration, SystemTime};

/// What must never be taken for a request.
const EVIL: &str = "GET /evil HTTP/1.1\r\nHost: a\r\n\r\n";

/// One thing that a client does.
#[derive(Clone, Debug)]
pub enum Act {
    Send(Vec<u8>),
    /// Waits for 100 Continue.
    AwaitContinue,
    /// Waits until everything that is wanted has been answered,
    AwaitAnswers,
    /// or so many requests.
    Await(usize),
    Pause(Duration),
    Close,
    Reset,
    /// Sends without an end.
    Flood,
    /// Reads from now on, or not.
    Read(bool),
}

/// What an answer has to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    pub status: u16,
    pub content: Vec<u8>,
}

#[derive(Debug)]
pub struct Client {
    pub name: &'static str,
    /// It does all that a client should, so it is to get all that it asked for.
    pub good: bool,
    /// It makes a handler wait.
    pub late: bool,
    reads: bool,
    script: std::collections::VecDeque<Act>,
    pub wanted: Vec<Wanted>,
    /// What it has been answered, interim answers left out.
    pub answers: Vec<Wanted>,
    /// Bytes after the last whole answer.
    pub rest: Vec<u8>,
    /// What they have to be, when all goes well.
    pub echoed: Option<Vec<u8>>,
    /// 100 Continue has come, and has not been waited for.
    invited: bool,
    /// How many bytes it takes without reading them; otherwise the seed says.
    pub room: Option<usize>,
    pub link: Option<usize>,
    paused_until: Duration,
    /// How its connection may end.
    pub ends: Vec<CloseReason>,
    /// It will do nothing more.
    pub finished: bool,
}

impl Client {
    pub fn blank() -> Client {
        Client {
            name: "nobody",
            good: false,
            late: false,
            reads: true,
            script: std::collections::VecDeque::new(),
            wanted: Vec::new(),
            answers: Vec::new(),
            rest: Vec::new(),
            echoed: None,
            invited: false,
            room: None,
            link: None,
            paused_until: Duration::ZERO,
            ends: Vec::new(),
            finished: false,
        }
    }

    fn bad(name: &'static str, script: Vec<Act>, end: CloseReason) -> Client {
        Client {
            name,
            script: script.into(),
            ends: vec![end],
            ..Client::blank()
        }
    }

    fn late(mut self) -> Client {
        self.late = true;
        self
    }

    fn deaf(mut self) -> Client {
        self.reads = false;
        self
    }

    /// Whether it has sent all of its requests, is connected, and has been answered all but one.
    pub fn is_owed_one(&self) -> bool {
        let sends = self.script.iter().any(|act| matches!(act, Act::Send(_)));
        self.link.is_some() && !sends && self.answers.len() + 1 == self.wanted.len()
    }

    /// When it goes on by itself, if it waits for nothing but time.
    pub fn wakes(&self, now: Duration) -> Option<Duration> {
        (now < self.paused_until).then_some(self.paused_until)
    }

    /// Does one thing. False when there is nothing that it could do now.
    fn step(&mut self, index: usize, state: &mut State<Crowd>) -> bool {
        if self.finished {
            return false;
        }
        let Some(link) = self.link else {
            self.link = Some(self.connect(index, state));
            return true;
        };
        let reads_first = state.policy.chance().random.one_in(2);
        (reads_first && self.read(link, state)) || self.act(link, state) || self.read(link, state)
    }

    fn connect(&self, index: usize, state: &mut State<Crowd>) -> usize {
        let random = &mut state.policy.chance().random;
        let chosen = match random.between(0, 2) {
            0 => random.between(50, 500),
            _ => random.between(1_000, 60_000),
        };
        // The port says which client it is, for the observer.
        let link = state.connect(Some(([127, 0, 0, 1], index as u16).into()));
        state.links[link].room = self.room.unwrap_or(chosen);
        state.knock(link);
        link
    }

    fn read(&mut self, link: usize, state: &mut State<Crowd>) -> bool {
        let State { links, policy, .. } = state;
        let link = &mut links[link];
        if link.was_cut {
            link.reset = true;
            link.heard = link.taken.len();
        }
        let here = &link.taken[link.heard..];
        if self.reads && !here.is_empty() {
            let count = policy.chance().random.part(here.len());
            self.rest.extend(&here[..count]);
            link.heard += count;
            link.room += count;
            self.hear();
            return true;
        }
        // What it does not read it may still leave there; the end of a connection is an end for
        // either.
        let over = match self.reads {
            true => link.write_closed || link.dropped,
            false => link.dropped,
        };
        if link.reset || over {
            link.half_closed = true;
            self.finished = true;
            return true;
        }
        false
    }

    /// Takes apart what has come.
    fn hear(&mut self) {
        while let Some((answer, used)) = answer(&self.rest) {
            self.rest.drain(..used);
            match answer.status {
                100 => self.invited = true,
                _ => self.answers.push(answer),
            }
        }
    }

    fn act(&mut self, link: usize, state: &mut State<Crowd>) -> bool {
        if self.wakes(state.now).is_some() {
            return false;
        }
        let has = |count: usize| self.answers.len() >= count;
        match self.script.front_mut() {
            None => return false,
            Some(Act::AwaitContinue) if !std::mem::take(&mut self.invited) => return false,
            Some(Act::AwaitAnswers) if !has(self.wanted.len()) => return false,
            Some(Act::Await(count)) if !has(*count) => return false,
            Some(Act::Send(octets)) => {
                // What is sent after the server's close is lost.
                let count = state.policy.chance().random.part(octets.len());
                let piece: Vec<u8> = octets.drain(..count).collect();
                if !state.links[link].dropped {
                    state.links[link].sent.extend(piece);
                }
                if !octets.is_empty() {
                    return true;
                }
            }
            Some(Act::Pause(time)) => self.paused_until = state.now + *time,
            Some(Act::Close) => state.links[link].half_closed = true,
            Some(Act::Reset) => state.links[link].reset = true,
            Some(Act::Read(reads)) => self.reads = *reads,
            Some(Act::Flood) => state.act(link, simulated::Act::Floods(vec![b'x'; 4_096])),
            Some(Act::AwaitContinue | Act::AwaitAnswers | Act::Await(_)) => {}
        }
        self.script.pop_front();
        true
    }
}

/// The clients of a run.
pub struct Crowd(pub Vec<Client>);

impl Outside for Crowd {
    /// Blocks one worker, not the others' clients, and when none of them has anything to do, time
    /// passes.
    fn pass(state: &mut State<Crowd>, end: Duration) {
        let count = state.outside.0.len();
        let first = state.policy.chance().random.between(0, count - 1);
        let acted = (0..count).any(|offset| state.step_client((first + offset) % count));
        if !acted {
            let step = state.policy.chance().random.between(100, 5_000) as u64;
            state.jump(Duration::from_millis(step));
            state.now = state.now.min(end);
        }
    }
}

impl State<Crowd> {
    /// Whether the server has taken a client's connection out of its queue.
    pub fn is_accepted(&self, client: &Client) -> bool {
        let link = client.link.map(|link| &self.links[link]);
        link.is_some_and(|link| link.number.is_some() || link.dropped)
    }

    /// The wall clock may be set at any time.
    pub fn set_wall(&mut self) {
        let seconds = self.policy.chance().random.next() % 4_000_000_000;
        self.wall = Some(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds));
    }

    /// Time passes, but not beyond the moment at which a client has something to do.
    pub fn jump(&mut self, step: Duration) {
        let clients = self.outside.0.iter();
        let next = clients.filter_map(|client| client.wakes(self.now));
        self.now = next.fold(self.now + step, Duration::min);
    }

    /// One client does one thing. False when it has nothing to do.
    pub fn step_client(&mut self, index: usize) -> bool {
        if self.outside.0[index].late && !self.is_quiet_for(index) {
            return false;
        }
        let mut client = std::mem::replace(&mut self.outside.0[index], Client::blank());
        let acted = client.step(index, self);
        self.outside.0[index] = client;
        acted
    }

    /// A client that makes a handler wait holds up both workers here, so it comes when nobody else
    /// is to be served.
    fn is_quiet_for(&self, late: usize) -> bool {
        let mut others = self.outside.0.iter().enumerate();
        others.all(|(index, client)| client.finished || client.late && index >= late)
    }
}

/// The answer that stands at the start of these bytes, if it is whole, and how many of them it
/// took.
fn answer(octets: &[u8]) -> Option<(Wanted, usize)> {
    let head_len = octets.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let head = std::str::from_utf8(&octets[..head_len]).ok()?;
    let status = head.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok()?;
    let body = &octets[head_len..];
    let field = |name: &str| head.lines().find_map(|line| line.strip_prefix(name));
    if field("Transfer-Encoding: chunked").is_some() {
        let (content, used) = dechunk(body)?;
        return Some((Wanted { status, content }, head_len + used));
    }
    let length = match field("Content-Length: ") {
        Some(digits) => digits.parse().ok()?,
        None => 0,
    };
    let content = body.get(..length)?.to_vec();
    Some((Wanted { status, content }, head_len + length))
}

fn dechunk(octets: &[u8]) -> Option<(Vec<u8>, usize)> {
    let mut content = Vec::new();
    let mut at = 0;
    loop {
        let line = octets.get(at..)?;
        let digits = line.windows(2).position(|two| two == b"\r\n")?;
        let size = usize::from_str_radix(std::str::from_utf8(&line[..digits]).ok()?, 16).ok()?;
        at += digits + 2;
        content.extend(octets.get(at..at + size)?);
        at += size + 2;
        if octets.len() < at {
            return None;
        }
        if size == 0 {
            return Some((content, at));
        }
    }
}

fn content(length: usize) -> Vec<u8> {
    EVIL.bytes().cycle().take(length).collect()
}

fn size(random: &mut Random) -> usize {
    match random.between(0, 5) {
        0 => 0,
        1..=3 => random.between(1, 300),
        4 => random.between(16_000, 17_000),
        _ => random.between(1, 50_000),
    }
}

fn head(method: &str, path: &str, fields: &str) -> Vec<u8> {
    format!("{method} {path} HTTP/1.1\r\nHost: a\r\n{fields}\r\n").into_bytes()
}

fn with_length(path: &str, length: usize, fields: &str) -> Vec<u8> {
    let mut octets = head(
        "POST",
        path,
        &format!("Content-Length: {length}\r\n{fields}"),
    );
    octets.extend(content(length));
    octets
}

fn with_chunks(path: &str, length: usize, random: &mut Random) -> Vec<u8> {
    let mut octets = head("POST", path, "Transfer-Encoding: chunked\r\n");
    let content = content(length);
    let mut rest = &content[..];
    while !rest.is_empty() {
        let (chunk, behind) = rest.split_at(random.between(1, rest.len()));
        octets.extend(format!("{:x}\r\n", chunk.len()).bytes());
        octets.extend(chunk);
        octets.extend(b"\r\n");
        rest = behind;
    }
    octets.extend(b"0\r\n\r\n");
    octets
}

/// A client that asks for many things on one connection, mostly stuck together.
fn good(random: &mut Random) -> Client {
    let mut client = Client {
        name: "well behaved",
        good: true,
        ..Client::blank()
    };
    // More than one turn's share of requests, in one piece; or fewer, in several.
    let is_long = random.one_in(4);
    let count = if is_long {
        random.between(60, 200)
    } else {
        random.between(1, 12)
    };
    let mut stuck = Vec::new();
    for _ in 0..count {
        let length = if is_long {
            random.between(0, 40)
        } else {
            size(random)
        };
        let (request, content) = request(random, length);
        client.wanted.push(Wanted {
            status: 200,
            content,
        });
        stuck.extend(request);
        if is_long {
            continue;
        }
        if random.one_in(4) {
            client
                .script
                .push_back(Act::Send(std::mem::take(&mut stuck)));
        }
        if random.one_in(12) {
            stuck.extend(head(
                "POST",
                "/echo",
                &format!("Content-Length: {length}\r\nExpect: 100-continue\r\n"),
            ));
            client
                .script
                .push_back(Act::Send(std::mem::take(&mut stuck)));
            if length > 0 {
                client.script.push_back(Act::AwaitContinue);
                client.script.push_back(Act::Send(self::content(length)));
            }
            client.wanted.push(Wanted {
                status: 200,
                content: self::content(length),
            });
        }
    }
    if !stuck.is_empty() {
        client.script.push_back(Act::Send(stuck));
    }
    finish(random, &mut client);
    client
}

fn finish(random: &mut Random, client: &mut Client) {
    match random.between(0, 3) {
        // Half-closed after the last request: that is no abort.
        0 => {
            client.script.push_back(Act::Close);
            client.ends = vec![CloseReason::PeerClosed];
        }
        1 => {
            client.script.push_back(Act::AwaitAnswers);
            client.script.push_back(Act::Close);
            client.ends = vec![CloseReason::PeerClosed];
        }
        2 => {
            let fields = "Connection: close\r\n";
            client
                .script
                .push_back(Act::Send(head("GET", "/bytes/7", fields)));
            client.wanted.push(Wanted {
                status: 200,
                content: pattern(7),
            });
            client.ends = vec![CloseReason::Answered];
        }
        // Stays until the server has had enough.
        _ => client.ends = vec![CloseReason::IdleTimeout],
    }
}

/// A request, and the content of its answer.
fn request(random: &mut Random, length: usize) -> (Vec<u8>, Vec<u8>) {
    let get = |path: &str| {
        (
            head("GET", &format!("/{path}/{length}"), ""),
            pattern(length),
        )
    };
    match random.between(0, 11) {
        0 | 1 => get("bytes"),
        10 => get("queue"),
        11 => get("gated"),
        8 => get("writer"),
        9 => get("detached"),
        2 => get("shared"),
        3 => get("chunked"),
        4 => get("stream"),
        5 => (with_length("/echo", length, ""), content(length)),
        6 => (with_chunks("/echo", length, random), content(length)),
        _ => {
            let reads = random.between(0, 20);
            let path = format!("/part/{reads}");
            let octets = match random.one_in(2) {
                true => with_length(&path, length, ""),
                false => with_chunks(&path, length, random),
            };
            (octets, content(length.min(reads)))
        }
    }
}

/// One of every kind of client that does something wrong.
fn bad(kind: usize, random: &mut Random) -> Client {
    let second = Duration::from_secs(1);
    let part = |octets: Vec<u8>, random: &mut Random| {
        let count = random.between(1, octets.len() - 1);
        octets[..count].to_vec()
    };
    let get = head("GET", "/bytes/100", "");
    match kind {
        0 => Client::bad("silent", vec![], CloseReason::IdleTimeout),
        1 => Client::bad("gone at once", vec![Act::Close], CloseReason::PeerClosed),
        2 => {
            let dribble = get
                .iter()
                .flat_map(|octet| [Act::Send(vec![*octet]), Act::Pause(second)]);
            let end = CloseReason::Rejected(Reject::HeadTimeout);
            Client::bad("dribbles a head", dribble.collect(), end)
        }
        3 => {
            let script = vec![Act::Send(b"GET\r\n\r\n".to_vec()), Act::Send(get)];
            let end = CloseReason::Rejected(Reject::RequestLineForm);
            Client::bad("sends nonsense, and goes on", script, end)
        }
        4 => {
            let script = vec![Act::Send(part(get, random)), Act::Close];
            Client::bad("closes within a head", script, CloseReason::PeerClosedEarly)
        }
        5 => {
            let script = vec![Act::Send(part(get, random)), Act::Reset];
            Client::bad("resets within a head", script, CloseReason::Failed)
        }
        6 => {
            let script = vec![Act::Send(head("GET", "/stream/400000", "")), Act::Reset];
            Client::bad("resets within an answer", script, CloseReason::Failed).deaf()
        }
        7 => {
            let script = vec![Act::Send(head("GET", "/shared/400000", ""))];
            Client::bad("never reads", script, CloseReason::WriteTimeout).deaf()
        }
        8 => {
            let octets = with_length("/echo", 100, "");
            let script = vec![Act::Send(octets[..octets.len() - 1].to_vec())];
            let end = CloseReason::Rejected(Reject::ContentTimeout);
            Client::bad("stops within content that is gathered", script, end)
        }
        9 => {
            let octets = with_length("/echo", 50_000, "");
            let script = vec![Act::Send(octets[..octets.len() - 1].to_vec())];
            let end = CloseReason::Rejected(Reject::ContentTimeout);
            Client::bad("stops within content that is pulled", script, end).late()
        }
        10 => {
            let length = if random.one_in(2) { 100 } else { 50_000 };
            let octets = with_length("/echo", length, "");
            let script = vec![Act::Send(octets[..octets.len() - 1].to_vec()), Act::Close];
            let end = CloseReason::Rejected(Reject::TruncatedContent);
            Client::bad("closes within content, gathered or pulled", script, end).late()
        }
        11 => {
            let octets = with_length("/part/0", 200_000, "");
            let script = vec![Act::Send(octets)];
            Client::bad(
                "sends what nobody wants",
                script,
                CloseReason::UnreadContent,
            )
        }
        12 => {
            let octets = with_length("/part/0", 60_000, "");
            let script = vec![Act::Send(octets[..octets.len() - 1].to_vec())];
            Client::bad(
                "stops within what nobody wants",
                script,
                CloseReason::UnreadContent,
            )
        }
        18 => {
            let octets = head("GET", "/queue/5", "").repeat(3);
            let script = vec![Act::Send(octets), Act::Reset];
            Client::bad("resets in front of a gate", script, CloseReason::Failed).deaf()
        }
        19 => {
            let script = vec![Act::Send(head("GET", "/gated/400000", ""))];
            let end = CloseReason::WriteTimeout;
            let mut client = Client::bad("never reads what is behind a gate", script, end).deaf();
            // Somebody else may be inside.
            client.ends.push(CloseReason::Overload);
            client
        }
        13 => {
            let script = vec![Act::Send(head("GET", "/fails", ""))];
            let end = CloseReason::ContentFailed;
            Client::bad("is sent content that fails", script, end)
        }
        17 => {
            let script = vec![Act::Send(head("GET", "/detached/400000", "")), Act::Reset];
            Client::bad(
                "resets within a detached answer",
                script,
                CloseReason::Failed,
            )
            .deaf()
        }
        14 => {
            let fields = "Connection: upgrade\r\nUpgrade: echo\r\n";
            let mut octets = head("GET", "/upgrade", fields);
            // Behind the head nothing is a request.
            octets.extend(EVIL.bytes());
            let script = vec![Act::Send(octets), Act::Send(content(3_000)), Act::Close];
            let end = CloseReason::Upgraded;
            let mut client = Client::bad("speaks another protocol", script, end);
            client.echoed = Some([EVIL.as_bytes(), &content(3_000)].concat());
            client
        }
        15 | 16 => {
            let path = ["/detached/400000", "/writer/400000"][kind - 15];
            let script = vec![Act::Send(head("GET", path, ""))];
            let end = CloseReason::WriteTimeout;
            Client::bad("never reads what is written", script, end)
                .deaf()
                .late()
        }
        _ => {
            let mut octets = head("POST", "/echo", "Transfer-Encoding: chunked\r\n");
            octets.extend(b"5\r\nhelloXX");
            let end = CloseReason::Rejected(Reject::InvalidChunkEnd);
            Client::bad(
                "sends a chunk that does not end",
                vec![Act::Send(octets)],
                end,
            )
        }
    }
}

pub const KINDS_OF_BAD: usize = 21;

pub fn crowd(random: &mut Random) -> Vec<Client> {
    let mut clients = Vec::new();
    for _ in 0..random.between(1, 5) {
        clients.push(good(random));
    }
    for _ in 0..random.between(0, 6) {
        let kind = random.between(0, KINDS_OF_BAD - 1);
        clients.push(bad(kind, random));
    }
    clients
}

/// One client with a script of its own, which is to get these answers to its requests.
pub fn one(script: Vec<Act>, contents: Vec<Vec<u8>>, end: CloseReason) -> Client {
    let wanted = contents.into_iter().map(|content| Wanted {
        status: 200,
        content,
    });
    Client {
        good: !matches!(end, CloseReason::Rejected(_)),
        wanted: wanted.collect(),
        ..Client::bad("the only one", script, end)
    }
}

pub fn get(path: &str) -> Act {
    Act::Send(head("GET", path, ""))
}

impl Client {
    pub fn with_room(mut self, room: usize) -> Client {
        self.room = Some(room);
        self
    }
}

/// So many requests stuck together, and the head of one more with content of this length.
pub fn stuck(count: usize, length: usize) -> Act {
    let mut octets = head("GET", "/bytes/1", "").repeat(count);
    let fields = format!("Content-Length: {length}\r\n");
    octets.extend(head("POST", "/part/0", &fields));
    Act::Send(octets)
}
