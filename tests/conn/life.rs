//! The harness: a script in, a connection driven by it, every expectation of the script held.

use doorstep::internals::conn::{
    BodyFraming, CloseReason, Config, Connection, Event, Moment, Phase, ResponsePlan,
};
use doorstep::internals::h1::{Head, Reject, write::CONTINUE};
use doorstep::internals::limits::PREFETCH_BYTES;
use doorstep::internals::semantics::{FieldTable, Status};

pub const GET: &str = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
/// What must never be taken for a request.
pub const EVIL: &str = "GET /evil HTTP/1.1\r\nHost: a\r\n\r\n";

/// What the time means for a connection that waits for its peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expiry {
    NotYet,
    Refuse(Reject),
    Close(CloseReason),
}

/// What follows an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finished {
    /// The next request, or unread content.
    Continue,
    Linger,
    Close(CloseReason),
}

/// As the server has it.
pub fn as_served(config: Config) -> Config {
    Config {
        prefetch_bytes: PREFETCH_BYTES,
        checks_deadlines: false,
        ..config
    }
}

/// What the time means, without a change.
pub fn expiry(conn: &Connection, now: Moment) -> Expiry {
    match conn.clone().on_deadline(now) {
        None => Expiry::NotYet,
        Some(Event::Refuse(reject)) => Expiry::Refuse(reject),
        Some(Event::Close(reason)) => Expiry::Close(reason),
        Some(event) => panic!("no end of a wait: {event:?}"),
    }
}

/// What the phase after an answer says of it.
pub fn finished(conn: &Connection) -> Finished {
    match (conn.phase(), conn.close_reason()) {
        (Phase::Idle | Phase::Discard, None) => Finished::Continue,
        (Phase::Linger, Some(_)) => Finished::Linger,
        (Phase::Closed, Some(reason)) => Finished::Close(reason),
        other => panic!("{other:?} after an answer"),
    }
}

/// One line of a script. Times are in milliseconds.
#[derive(Clone, Copy, Debug)]
pub enum Action {
    /// These bytes come.
    Comes(&'static str),
    /// So many bytes of content come.
    Fills(usize),
    /// Time passes.
    After(u64),
    /// The handler reads so many bytes of content, all of which are here.
    Takes(usize),
    /// The handler needs more than is here.
    WaitsForContent,
    /// Whether 100 Continue is to be sent now.
    Continue(bool),
    /// The handler answers.
    Answers(Reply),
    /// The handler goes on in this protocol.
    Upgrades(&'static str),
    /// The socket takes so many bytes,
    Wrote(u64),
    /// or none, and the wait for it ends at this time.
    BlockedUntil(u64),
    /// The last byte of the last answer is with the system.
    AllSent,
    Is(Phase),
    /// The wait for the peer's bytes ends at this time.
    Until(u64),
    /// What the sweep finds now.
    Expires(Expiry),
    /// The same for a connection that waits to write, since that wait's end.
    ExpiresWriting(Expiry),
    /// What a FIN means now.
    Fin(Option<CloseReason>),
    /// What the last answer's head holds,
    Says(&'static str),
    /// and what it does not.
    Silent(&'static str),
    Delivers(BodyFraming),
    Finishes(Finished),
    Last(Option<CloseReason>),
    /// The message was refused, and the refusal answered.
    Refused(Reject),
    /// Requests begun so far.
    Requests(u32),
    /// Bytes that are here and belong to no message so far.
    Unread(usize),
}

#[derive(Clone, Copy, Debug)]
pub struct Reply {
    pub status: Status,
    pub length: Option<u64>,
    pub last: Option<CloseReason>,
}

pub const OK: Reply = reply(Status::OK, Some(5));
pub const STREAM: Reply = reply(Status::OK, None);

pub const fn reply(status: Status, length: Option<u64>) -> Reply {
    Reply {
        status,
        length,
        last: None,
    }
}

pub const fn last(reason: CloseReason) -> Reply {
    Reply {
        last: Some(reason),
        ..OK
    }
}

/// What is being asked, the script.
pub type Row = (&'static str, &'static [Action]);

/// Runs each row on a connection of its own, accepted at time 0.
pub fn run(rows: &[Row]) {
    run_with(&Config::default(), rows);
}

pub fn run_with(config: &Config, rows: &[Row]) {
    for (name, script) in rows {
        let mut life = Life::new(config.clone());
        for (line, act) in script.iter().enumerate() {
            life.act(*act, &format!("{name}: line {}, {act:?}", line + 1));
        }
    }
}

/// A connection, its buffers and its clock.
pub struct Life {
    pub conn: Connection,
    pub config: Config,
    pub now: Moment,
    /// What is here and unread.
    pub input: Vec<u8>,
    pub table: FieldTable,
    /// The head that is being served, and its bytes.
    pub head: Option<(Head, Vec<u8>)>,
    /// The last answer's head.
    pub out: Vec<u8>,
    delivery: Option<BodyFraming>,
    pub finished: Option<Finished>,
    pub refused: Option<Reject>,
    write_deadline: Moment,
}

impl Life {
    pub fn new(config: Config) -> Life {
        Life {
            conn: Connection::new(Moment(0), &config),
            config: as_served(config),
            now: Moment(0),
            input: Vec::new(),
            table: FieldTable::default(),
            head: None,
            out: Vec::new(),
            delivery: None,
            finished: None,
            refused: None,
            write_deadline: Moment::NEVER,
        }
    }

    /// These bytes come, and the connection goes as far as it can.
    pub fn comes(&mut self, octets: &[u8]) {
        self.input.extend_from_slice(octets);
        self.go();
    }

    /// Steps until the handler is to be called or more bytes are needed.
    pub fn go(&mut self) {
        loop {
            match self.conn.phase() {
                Phase::Linger => return self.input.clear(),
                Phase::Handle | Phase::Send | Phase::Closed => return,
                Phase::Idle | Phase::Head | Phase::Prefetch | Phase::Discard => {}
            }
            match self.next_event() {
                Event::Read => return,
                Event::Head { head, used } => {
                    self.head = Some((head, self.input[..used].to_vec()));
                    self.input.drain(..used);
                }
                Event::Content { used, .. } => drop(self.input.drain(..used)),
                Event::Refuse(reject) => self.refuse(reject),
                event => panic!("{event:?} in {:?}", self.conn.phase()),
            }
        }
    }

    pub fn next_event(&mut self) -> Event {
        let mut out = Vec::new();
        let event = self.conn.next_event(
            &self.input,
            &mut self.table,
            self.now,
            &self.config,
            &mut out,
        );
        assert_eq!(out, b"", "nothing is due to the client");
        event
    }

    /// Answers a refusal, or refuses what is in progress.
    pub fn refuse(&mut self, reject: Reject) {
        self.input.clear();
        self.refused = Some(reject);
        self.conn.abandon(CloseReason::Rejected(reject));
        self.answer(reply(reject.status(), Some(3)));
    }

    /// The handler takes one run of content out of what is here.
    pub fn take(&mut self) -> Result<Vec<u8>, Reject> {
        if self.input.is_empty() {
            return Ok(Vec::new());
        }
        let (event, out) = self.next_content(&self.input.clone());
        assert_eq!(out, b"", "content is here");
        match event {
            Event::Content { used, data } => {
                let data = self.input[data].to_vec();
                self.input.drain(..used);
                Ok(data)
            }
            Event::Respond => Ok(Vec::new()),
            Event::Refuse(reject) => Err(reject),
            event => panic!("{event:?} for a handler"),
        }
    }

    fn next_content(&mut self, input: &[u8]) -> (Event, Vec<u8>) {
        let mut out = Vec::new();
        let event = self
            .conn
            .next_content(input, self.now, &self.config, &mut out);
        (event, out)
    }

    /// What a FIN means.
    pub fn fin(&self) -> Option<CloseReason> {
        let mut conn = self.conn.clone();
        conn.input_ended();
        let mut table = FieldTable::default();
        match conn.next_event(
            &self.input,
            &mut table,
            self.now,
            &self.config,
            &mut Vec::new(),
        ) {
            Event::Close(reason) => Some(reason),
            Event::Refuse(reject) => Some(CloseReason::Rejected(reject)),
            _ => None,
        }
    }

    pub fn answer(&mut self, reply: Reply) {
        self.frame(reply, None);
        let surplus = !self.input.is_empty();
        self.conn.finish(surplus, self.now, &self.config);
        self.finished = Some(finished(&self.conn));
        self.go();
    }

    /// The head of an answer.
    pub fn frame(&mut self, reply: Reply, upgrade: Option<&str>) {
        let mut answer = ResponsePlan::new(reply.status);
        if let Some(length) = reply.length {
            answer = answer.length(length);
        }
        if let Some(last) = reply.last {
            answer = answer.close_after(last);
        }
        if let Some(protocol) = upgrade {
            answer = answer
                .upgrade(protocol)
                .expect("the scripts name protocols");
        }
        self.out.clear();
        self.delivery = Some(self.conn.respond(&answer, &self.config, &mut self.out));
    }

    pub fn act(&mut self, act: Action, at: &str) {
        match act {
            Action::Comes(octets) => self.comes(octets.as_bytes()),
            Action::Fills(count) => self.comes(&vec![b'x'; count]),
            Action::After(wait) => self.now.0 += wait,
            Action::Takes(count) => {
                let mut taken = 0;
                while taken < count {
                    let data = self.take().expect(at);
                    assert!(!data.is_empty(), "{at}: only {taken} are here");
                    taken += data.len();
                }
                assert_eq!(taken, count, "{at}");
            }
            Action::WaitsForContent => {
                let deadline = self.conn.content_deadline(self.now, &self.config);
                assert_eq!(deadline, self.conn.read_deadline(), "{at}");
            }
            Action::Continue(due) => {
                let (_, out) = self.next_content(b"");
                assert_eq!(out, if due { CONTINUE } else { b"" }, "{at}");
            }
            Action::Answers(reply) => {
                assert_eq!(self.conn.phase(), Phase::Handle, "{at}");
                self.answer(reply);
            }
            Action::Upgrades(protocol) => {
                self.frame(reply(Status::SWITCHING_PROTOCOLS, None), Some(protocol));
                self.conn
                    .linger(CloseReason::Upgraded, self.now, &self.config);
            }
            Action::Wrote(count) => self.conn.wrote(self.now, count, &self.config),
            Action::AllSent => {
                let reason = self.conn.close_reason().expect("a last answer");
                self.conn.linger(reason, self.now, &self.config);
            }
            Action::BlockedUntil(until) => {
                self.write_deadline = self.conn.write_deadline(self.now, &self.config);
                assert_eq!(self.write_deadline, Moment(until), "{at}");
            }
            _ => self.expect(act, at),
        }
    }

    fn expect(&mut self, act: Action, at: &str) {
        let out = String::from_utf8_lossy(&self.out);
        match act {
            Action::Is(phase) => assert_eq!(self.conn.phase(), phase, "{at}"),
            Action::Until(until) => assert_eq!(self.conn.read_deadline(), Moment(until), "{at}"),
            Action::Expires(due) => assert_eq!(expiry(&self.conn, self.now), due, "{at}"),
            Action::ExpiresWriting(due) => {
                let found = match self.now < self.write_deadline {
                    true => Expiry::NotYet,
                    false => Expiry::Close(CloseReason::WriteTimeout),
                };
                assert_eq!(found, due, "{at}");
            }
            Action::Fin(reason) => assert_eq!(self.fin(), reason, "{at}"),
            Action::Says(part) => assert!(out.contains(part), "{at}: {out}"),
            Action::Silent(part) => assert!(!out.contains(part), "{at}: {out}"),
            Action::Delivers(delivery) => assert_eq!(self.delivery, Some(delivery), "{at}"),
            Action::Finishes(finished) => assert_eq!(self.finished, Some(finished), "{at}"),
            Action::Last(reason) => assert_eq!(self.conn.close_reason(), reason, "{at}"),
            Action::Refused(reject) => {
                assert_eq!(self.refused, Some(reject), "{at}");
                let line = format!("HTTP/1.1 {} ", reject.status().code());
                assert!(out.starts_with(&line), "{at}: {out}");
                assert!(out.contains("Connection: close\r\n"), "{at}: {out}");
            }
            Action::Requests(count) => assert_eq!(self.conn.requests(), count, "{at}"),
            Action::Unread(count) => assert_eq!(self.input.len(), count, "{at}"),
            _ => unreachable!("{at}: not an expectation"),
        }
    }
}
