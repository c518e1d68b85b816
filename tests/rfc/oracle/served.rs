//! A connection as the sans-IO core drives it, with a handler that reads all content or none, and
//! what it found in the bytes.

use super::meter::{Call, Meter};
use super::naive::{Form, Message};
use super::status;
use doorstep::internals::conn::{
    CloseReason, Config, Connection, Event, Moment, Phase, ResponsePlan,
};
use doorstep::internals::h1::{Expect, Framing, Head, Parsed, Reject, Resume, parse_head};
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
    /// Bytes that had come when its head was found,
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
    /// Bytes of the heads that have come before the content that is awaited with them, and so are
    /// parsed once more.
    pub awaited: usize,
    /// Bytes that have come.
    come: usize,
    pub messages: Vec<Found>,
    /// With which status, and when so many bytes had come.
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
            awaited: 0,
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

    /// Bytes that it has looked at, and bytes that have come.
    pub fn scanned(&self) -> (usize, usize) {
        (
            self.meter.as_ref().map_or(0, |meter| meter.scanned),
            self.come,
        )
    }

    /// No byte that comes now is read.
    pub fn is_over(&self) -> bool {
        matches!(self.conn.phase(), Phase::Linger | Phase::Closed)
    }

    /// These bytes come, and the connection goes as far as it can.
    pub fn comes(&mut self, octets: &[u8]) {
        self.come += octets.len();
        self.input.extend_from_slice(octets);
        while !self.is_over() {
            let goes_on = match self.conn.phase() {
                Phase::Idle | Phase::Head | Phase::Prefetch => self.receive(),
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

    fn next_event(&mut self) -> Event {
        let table = &mut self.table;
        self.conn
            .next_event(&self.input, table, NOW, &self.config, &mut Vec::new())
    }

    fn receive(&mut self) -> Result<bool, Reject> {
        let before = self.conn.clone();
        let event = self.next_event();
        let is_found = self.conn.requests() > before.requests();
        // The head of a request whose content is awaited is told later, and not at all if it is
        // refused.
        let head = match (&event, is_found) {
            (Event::Head { head, used }, _) => Some((*head, *used)),
            (_, true) => Some(self.head()),
            (_, false) => None,
        };
        self.count_receive(&before, &event, head.map(|(_, used)| used));
        if let (Some((head, used)), true) = (head, is_found) {
            self.messages.push(Found {
                said: said(&head, &self.table, &self.input),
                content: Vec::new(),
                begun: self.come,
                ended: None,
            });
            if event == Event::Read {
                self.awaited += used;
            }
        }
        match event {
            Event::Read => Ok(false),
            Event::Head { head, used } => {
                let said = said(&head, &self.table, &self.input);
                assert_eq!(said, self.present().said);
                self.input.drain(..used);
                self.forget();
                Ok(true)
            }
            Event::Refuse(reject) => Err(reject),
            event => panic!("{event:?} before a handler"),
        }
    }

    /// The head that is at the start of the input.
    fn head(&mut self) -> (Head, usize) {
        let limits = &self.config.limits;
        match parse_head(&self.input, Resume::default(), limits, &mut self.table) {
            Ok(Parsed::Done { value, used }) => (value, used),
            other => panic!("{other:?} for a head"),
        }
    }

    fn count_receive(&mut self, before: &Connection, event: &Event, head: Option<usize>) {
        let Some(meter) = &mut self.meter else {
            return;
        };
        let is_awaited = before.phase() == Phase::Prefetch;
        let awaits = self.config.prefetch_bytes > 0;
        let (end, again) = match (event, head) {
            // What was looked at of a head is looked at again when that is whole; of content
            // nothing is.
            (Event::Head { .. }, Some(used)) if is_awaited => (self.input.len(), 0..used),
            (_, Some(used)) if awaits => (self.input.len(), 0..used),
            (_, Some(used)) => (used, 0..used),
            (Event::Read, None) => (self.input.len(), 0..0),
            (_, None) if is_awaited => (self.input.len(), 0..0),
            (_, None) => (self.input.len(), 0..self.input.len()),
        };
        meter.count(&Call {
            before,
            after: &self.conn,
            input: &self.input,
            result: event,
            fresh: meter.seen..end,
            again,
            repeat: |conn: &mut Connection, input: &[u8]| {
                let mut table = FieldTable::default();
                conn.next_event(input, &mut table, NOW, &self.config, &mut Vec::new())
            },
        });
        meter.seen = end;
    }

    /// What is here is looked at by another, for the first time.
    fn forget(&mut self) {
        if let Some(meter) = &mut self.meter {
            meter.seen = 0;
        }
    }

    fn next_content(&mut self) -> Event {
        let before = self.conn.clone();
        let event = self
            .conn
            .next_content(&self.input, NOW, &self.config, &mut Vec::new());
        if let Some(meter) = &mut self.meter {
            let used = match event {
                Event::Content { used, .. } => used,
                _ => self.input.len(),
            };
            meter.count(&Call {
                before: &before,
                after: &self.conn,
                input: &self.input,
                result: &event,
                fresh: 0..used,
                again: 0..0,
                repeat: |conn: &mut Connection, input: &[u8]| {
                    conn.next_content(input, NOW, &self.config, &mut Vec::new())
                },
            });
        }
        event
    }

    /// The handler, and the whole of its answer.
    fn handle(&mut self) -> Result<bool, Reject> {
        while self.reads && self.conn.content_left() != Some(0) {
            match self.next_content() {
                Event::Content { used, data } => {
                    let content = self.input[data].to_vec();
                    self.present().content.extend(content);
                    self.input.drain(..used);
                }
                Event::Read => return Ok(false),
                Event::Refuse(reject) => return Err(reject),
                event => panic!("{event:?} for a handler"),
            }
        }
        let is_read = self.conn.content_left() == Some(0);
        let ended = is_read.then_some(self.come);
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
        self.conn.finish(!self.input.is_empty(), NOW, &self.config);
    }

    fn discard(&mut self) -> Result<bool, Reject> {
        let before = self.conn.clone();
        let event = self.next_event();
        let used = match event {
            Event::Content { used, .. } => used,
            Event::Read => 0,
            event => panic!("{event:?} for what nobody reads"),
        };
        if let Some(meter) = &mut self.meter {
            // What it does not drop, a refused byte apart, is nothing to it.
            let is_over = self.conn.phase() == Phase::Linger;
            let end = if is_over { self.input.len() } else { used };
            meter.count(&Call {
                before: &before,
                after: &self.conn,
                input: &self.input,
                result: &event,
                fresh: 0..end,
                again: 0..0,
                repeat: |conn: &mut Connection, input: &[u8]| {
                    let mut table = FieldTable::default();
                    conn.next_event(input, &mut table, NOW, &self.config, &mut Vec::new())
                },
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
        assert_eq!(
            self.conn.close_reason(),
            Some(CloseReason::Rejected(reject))
        );
        self.answer();
    }
}
