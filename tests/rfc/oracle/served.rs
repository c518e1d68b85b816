//! A connection as the sans-IO core drives it, with a handler that reads all content or none, and what it found in the octets.

use super::meter::{Call, Meter};
use super::naive::{Form, Message};
use super::status;
use doorstep::internals::conn::{
    CloseReason, Config, Connection, Finished, Moment, Phase, Prefetched, Received, ResponsePlan,
};
use doorstep::internals::h1::chunked::Decoded;
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
    config: Config,
    reads: bool,
    input: Vec<u8>,
    table: FieldTable,
    head: usize,
    /// Octets that have come.
    come: usize,
    pub messages: Vec<Found>,
    /// With which status, and when so many octets had come.
    pub refused: Option<(u16, usize)>,
    meter: Option<Meter>,
}

const NOW: Moment = Moment(0);

impl Served {
    pub fn new(config: Config, reads: bool) -> Served {
        Served {
            conn: Connection::new(NOW, &config),
            config,
            reads,
            input: Vec::new(),
            table: FieldTable::default(),
            head: 0,
            come: 0,
            messages: Vec::new(),
            refused: None,
            meter: None,
        }
    }

    /// One that counts what it looks at.
    pub fn metered(config: Config, reads: bool) -> Served {
        let meter = Some(Meter::default());
        Served {
            meter,
            ..Served::new(config, reads)
        }
    }

    /// Octets that it has looked at, and octets that have come.
    pub fn scanned(&self) -> (usize, usize) {
        (
            self.meter.as_ref().map_or(0, |meter| meter.scanned),
            self.come,
        )
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
                Phase::Prefetch => self.prefetch(),
                Phase::Discard => self.discard(),
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
        let before = self.conn.clone();
        let result = self
            .conn
            .receive(&self.input, &mut self.table, NOW, &self.config);
        if let Some(meter) = &mut self.meter {
            let (end, is_last) = match result {
                Ok(Received::More) => (self.input.len(), false),
                Ok(Received::Head { used, .. }) => (used, true),
                Err(_) => (self.input.len(), true),
            };
            meter.count(&Call {
                before: &before,
                after: &self.conn,
                input: &self.input,
                result: &result,
                fresh: meter.seen..end,
                is_last,
                again: |conn: &mut Connection, input: &[u8]| {
                    conn.receive(input, &mut FieldTable::default(), NOW, &self.config)
                },
            });
            meter.seen = end;
        }
        let Received::Head { head, used } = result? else {
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

    fn prefetch(&mut self) -> Result<bool, Reject> {
        let before = self.conn.clone();
        let result = self.conn.prefetch(&self.input, NOW, &self.config);
        if let Some(meter) = &mut self.meter {
            meter.count(&Call {
                before: &before,
                after: &self.conn,
                input: &self.input,
                result: &result,
                fresh: meter.seen..self.input.len(),
                is_last: false,
                again: |conn: &mut Connection, input: &[u8]| {
                    conn.prefetch(input, NOW, &self.config)
                },
            });
            meter.seen = self.input.len();
        }
        if result? == Prefetched::More {
            return Ok(false);
        }
        self.input.drain(..self.head);
        self.forget();
        Ok(true)
    }

    /// What is here is looked at by another, for the first time.
    fn forget(&mut self) {
        if let Some(meter) = &mut self.meter {
            meter.seen = 0;
        }
    }

    fn take_content(&mut self) -> Result<Decoded, Reject> {
        let before = self.conn.clone();
        let result = self.conn.take_content(&self.input, NOW, &self.config);
        if let Some(meter) = &mut self.meter {
            meter.count(&Call {
                before: &before,
                after: &self.conn,
                input: &self.input,
                result: &result,
                fresh: 0..result.as_ref().map_or(self.input.len(), |taken| taken.used),
                is_last: false,
                again: |conn: &mut Connection, input: &[u8]| {
                    conn.take_content(input, NOW, &self.config)
                },
            });
        }
        result
    }

    /// The handler, and the whole of its answer.
    fn handle(&mut self) -> Result<bool, Reject> {
        while self.reads && !self.conn.content_is_read() {
            let taken = self.take_content()?;
            let content = self.input[taken.data].to_vec();
            self.present().content.extend(content);
            self.input.drain(..taken.used);
            if taken.used == 0 {
                self.conn.take_continue();
                return Ok(false);
            }
        }
        let ended = self.conn.content_is_read().then_some(self.come);
        self.present().ended = ended;
        self.answer();
        Ok(true)
    }

    fn present(&mut self) -> &mut Found {
        self.messages.last_mut().expect("a head before its handler")
    }

    fn answer(&mut self) {
        let answer = ResponsePlan::new(Status::OK).length(0);
        self.conn.respond(&answer, &self.config, &mut Vec::new());
        let finished = self.conn.finish(!self.input.is_empty(), NOW, &self.config);
        assert_eq!(finished == Finished::Continue, !self.is_over());
    }

    fn discard(&mut self) -> Result<bool, Reject> {
        let before = self.conn.clone();
        let used = self.conn.discard(&self.input, NOW, &self.config);
        if let Some(meter) = &mut self.meter {
            // What it does not drop, a refused octet apart, is nothing to it.
            let is_over = self.conn.phase() == Phase::Linger;
            let end = if is_over { self.input.len() } else { used };
            meter.count(&Call {
                before: &before,
                after: &self.conn,
                input: &self.input,
                result: &used,
                fresh: 0..end,
                is_last: false,
                again: |conn: &mut Connection, input: &[u8]| conn.discard(input, NOW, &self.config),
            });
        }
        self.input.drain(..used);
        if let Some(CloseReason::Rejected(reject)) = self.conn.close_reason() {
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
