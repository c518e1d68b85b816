//! A connection as the sans-IO core drives it, with a handler that reads all content or none, and what it found in the octets.

use super::naive::{Form, Message};
use super::status;
use doorstep::internals::conn::{
    Answer, CloseReason, Connection, Finished, Gathered, Moment, Phase, Received, Rules,
};
use doorstep::internals::h1::{Expect, Framing, Head, Reject};
use doorstep::internals::semantics::target::TargetForm;
use doorstep::internals::semantics::{FieldTable, Span, Status, Version};

/// All that is said of a head.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    method: Vec<u8>,
    target: Vec<u8>,
    form: Form,
    path: Vec<u8>,
    query: Option<Vec<u8>>,
    minor: u8,
    host: Option<Vec<u8>>,
    fields: Vec<(Vec<u8>, Vec<u8>)>,
    /// None when the content is chunked.
    length: Option<u64>,
    keeps_alive: bool,
    expects: bool,
}

impl Said {
    /// By the naive reader.
    pub fn of(message: &Message) -> Said {
        Said {
            method: message.method.clone(),
            target: message.target.clone(),
            form: message.form,
            path: message.path.clone(),
            query: message.query.clone(),
            minor: message.minor,
            host: message.host.clone(),
            fields: message.fields.clone(),
            length: message.length,
            keeps_alive: message.keeps_alive,
            expects: message.expects,
        }
    }
}

/// By the parser.
pub fn said(head: &Head, table: &FieldTable, octets: &[u8]) -> Said {
    let text = |span: Span| span.of(octets).to_vec();
    let within = |span: Span| span.of(head.target.of(octets)).to_vec();
    let lines = table.lines().iter();
    Said {
        method: head.method.as_str().into(),
        target: text(head.target),
        form: match head.parts.form {
            TargetForm::Origin => Form::Origin,
            TargetForm::Absolute => Form::Absolute,
            TargetForm::Authority => Form::Authority,
            TargetForm::Asterisk => Form::Asterisk,
        },
        path: within(head.parts.path),
        query: head.parts.query.map(within),
        minor: match head.version {
            Version::Http10 => 0,
            _ => 1,
        },
        host: head.host.map(text),
        fields: lines
            .map(|line| (text(line.name), text(line.value)))
            .collect(),
        length: match head.framing {
            Framing::None => Some(0),
            Framing::Length(length) => Some(length),
            Framing::Chunked => None,
        },
        keeps_alive: head.keep_alive,
        expects: head.expect == Expect::Continue,
    }
}

/// One message that the connection found.
pub struct Found {
    pub said: Said,
    /// What the handler read.
    pub content: Vec<u8>,
    /// Octets that had come when its head was found,
    pub begun: usize,
    /// and when the handler had read it to its end.
    pub ended: Option<usize>,
}

/// A connection and what is here and unread.
pub struct Served {
    conn: Connection,
    rules: Rules,
    reads: bool,
    input: Vec<u8>,
    table: FieldTable,
    head: usize,
    /// Octets that have come.
    come: usize,
    pub messages: Vec<Found>,
    /// With which status, and when so many octets had come.
    pub refused: Option<(u16, usize)>,
}

const NOW: Moment = Moment(0);

impl Served {
    pub fn new(rules: Rules, reads: bool) -> Served {
        Served {
            conn: Connection::new(NOW, &rules),
            rules,
            reads,
            input: Vec::new(),
            table: FieldTable::default(),
            head: 0,
            come: 0,
            messages: Vec::new(),
            refused: None,
        }
    }

    /// No octet that comes now is read.
    pub fn is_over(&self) -> bool {
        matches!(self.conn.phase(), Phase::Linger | Phase::Closed)
    }

    /// These octets come, and the connection goes as far as it can.
    pub fn comes(&mut self, octets: &[u8]) {
        self.come += octets.len();
        self.input.extend_from_slice(octets);
        while !self.is_over() {
            let goes_on = match self.conn.phase() {
                Phase::Idle | Phase::Head => self.receive(),
                Phase::Gather => self.gather(),
                Phase::Drain => self.drain(),
                _ => self.handle(),
            };
            match goes_on {
                Ok(true) => {}
                Ok(false) => return,
                Err(reject) => self.refuse(reject),
            }
        }
    }

    fn receive(&mut self) -> Result<bool, Reject> {
        let received = self
            .conn
            .receive(&self.input, &mut self.table, NOW, &self.rules)?;
        let Received::Head { head, used } = received else {
            return Ok(false);
        };
        self.head = used;
        self.messages.push(Found {
            said: said(&head, &self.table, &self.input),
            content: Vec::new(),
            begun: self.come,
            ended: None,
        });
        Ok(true)
    }

    fn gather(&mut self) -> Result<bool, Reject> {
        if self.conn.gather(&self.input, NOW, &self.rules)? == Gathered::More {
            return Ok(false);
        }
        self.input.drain(..self.head);
        Ok(true)
    }

    /// The handler, and the whole of its answer.
    fn handle(&mut self) -> Result<bool, Reject> {
        let found = self.messages.last_mut().expect("a head before its handler");
        while self.reads && !self.conn.content_is_read() {
            let taken = self.conn.take_content(&self.input, NOW, &self.rules)?;
            found
                .content
                .extend_from_slice(&self.input[taken.data.clone()]);
            self.input.drain(..taken.used);
            if taken.used == 0 {
                self.conn.take_continue();
                return Ok(false);
            }
        }
        found.ended = self.conn.content_is_read().then_some(self.come);
        self.answer();
        Ok(true)
    }

    fn answer(&mut self) {
        let answer = Answer {
            status: Status::OK,
            fields: b"",
            date: None,
            server: None,
            length: Some(0),
            last: None,
            upgrade: None,
        };
        self.conn.answer(&answer, &self.rules, &mut Vec::new());
        let finished = self.conn.finish(!self.input.is_empty(), NOW, &self.rules);
        assert_eq!(finished == Finished::Continue, !self.is_over());
    }

    fn drain(&mut self) -> Result<bool, Reject> {
        let used = self.conn.drain(&self.input, NOW, &self.rules);
        self.input.drain(..used);
        if let Some(CloseReason::Rejected(reject)) = self.conn.last() {
            self.refused = Some((status(reject), self.come));
        }
        Ok(used > 0)
    }

    fn refuse(&mut self, reject: Reject) {
        self.refused = Some((status(reject), self.come));
        self.conn.refuse(reject);
        self.answer();
    }
}
