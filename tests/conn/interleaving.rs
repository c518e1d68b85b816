//! Any history of a connection: bytes that come in any pieces, reads of any size, sockets that take
//! any part of an answer, any handlers, pauses and half-closes, in any order. What must follow each
//! step is said by a reference that knows what was sent.
//!
//! After each step the phase, the deadline, the reason for the end and the count of requests are
//! those of the reference, which works with counts of bytes and sums of time, and parses nothing.
//! So:
//! - answers are in order, and at most one to each message;
//! - each byte belongs to the message that it was written for: none of content is read as a head,
//!   and none behind a message as its content;
//! - the unread bytes are fewer than a whole head and a prefetched body;
//! - a connection that can do nothing waits until a time that is bounded by what was moved, and its
//!   end comes with that time.

mod message;
mod reference;

use super::life::{Expiry, as_served, expiry, finished};
use doorstep::internals::conn::{
    BodyFraming, CloseReason, Config, Connection, Event, Moment, Phase, ResponsePlan,
};
use doorstep::internals::h1::{Reject, write::CONTINUE};
use doorstep::internals::limits::PREFETCH_BYTES;
use doorstep::internals::semantics::{FieldTable, Status};
use message::{Does, Message, Written, messages};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use reference::Reference;

/// What happens next.
#[derive(Clone, Copy, Debug)]
enum Op {
    /// So many bytes of the client's reach the socket.
    Comes(usize),
    /// The client closes its side after what it has sent.
    HalfCloses,
    /// The socket takes so many bytes more.
    Takes(u64),
    /// The server does one thing; if it reads, or sends a piece of content, so many bytes at most.
    Step(usize),
    /// The server goes on until it has to wait.
    Turn(usize),
    /// Time passes, and the sweep looks.
    Passes(u64),
}

/// How the history goes on when its steps are over.
#[derive(Clone, Copy, Debug)]
enum End {
    /// Everything comes and is taken.
    InTime,
    /// Nothing comes and nothing is taken any more.
    Silence,
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    let size = || prop_oneof![3 => 1_usize..8, 4 => 8_usize..300, 2 => 300_usize..20_000];
    let pause = prop_oneof![8 => 0_u64..300, 2 => 300_u64..12_000, 1 => 12_000_u64..80_000];
    let op = prop_oneof![
        10 => size().prop_map(Op::Comes),
        5 => prop_oneof![1 => 1_u64..40, 2 => 40_u64..3_000].prop_map(Op::Takes),
        8 => size().prop_map(Op::Step),
        7 => size().prop_map(Op::Turn),
        3 => pause.prop_map(Op::Passes),
    ];
    let half_close = prop_oneof![3 => Just(None), 1 => any::<Index>().prop_map(Some)];
    // A socket may take nothing at first, or everything for long.
    let window = prop_oneof![Just(0_u64), Just(1 << 20)].prop_map(Op::Takes);
    let ops = prop_oneof![vec(op.clone(), 1..25), vec(op, 1..200)];
    (window, ops, half_close).prop_map(|(window, mut ops, half_close)| {
        ops.insert(0, window);
        if let Some(at) = half_close {
            ops.insert(at.index(ops.len()), Op::HalfCloses);
        }
        ops
    })
}

/// Limits that short messages reach.
fn config() -> impl Strategy<Value = Config> {
    let requests = prop_oneof![3 => Just(None), 1 => (1_u32..5).prop_map(Some)];
    (
        requests,
        prop_oneof![Just(10_u32), Just(256), Just(100_000)],
    )
        .prop_map(|(requests, min_rate)| {
            let mut config = Config::default();
            config.limits.head_bytes = 400;
            config.limits.discard_bytes = 300;
            config.limits.write_buffer_bytes = 500;
            config.limits.requests_per_connection = requests;
            config.timeouts.min_rate = min_rate;
            as_served(config)
        })
}

/// A wait of the server's.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Wait {
    is_to_write: bool,
    until: Moment,
}

/// Bytes of an answer whose length its head does not say.
const STREAM: u64 = 300;

/// A connection with what is around it, driven as a worker drives it.
struct World<'a> {
    conn: Connection,
    config: &'a Config,
    now: u64,
    stream: &'a [u8],
    /// Bytes of the stream that have come to the socket, and that were read from it.
    came: usize,
    read: usize,
    has_half_closed: bool,
    /// What the socket takes at once.
    window: u64,
    input: Vec<u8>,
    table: FieldTable,
    /// All of the input has been looked at: more is needed.
    asks: bool,
    unsent: u64,
    /// Bytes of an answer's content that are not framed yet; whether it is sent in pieces.
    tail: u64,
    is_long: bool,
    switches: bool,
    /// Bytes of content that the present handler has got.
    handled: usize,
    answered: usize,
    write_closed: bool,
    wait: Option<Wait>,
    over: Option<CloseReason>,
    must: Reference<'a>,
}

impl World<'_> {
    fn op(&mut self, op: Op) {
        match op {
            Op::Comes(_) if self.has_half_closed => {}
            Op::Comes(count) => self.came = self.stream.len().min(self.came + count),
            Op::HalfCloses => self.has_half_closed = true,
            Op::Takes(count) => self.window = self.window.saturating_add(count),
            Op::Step(size) => drop(self.step(size)),
            Op::Turn(size) => self.turn(size),
            Op::Passes(wait) => {
                self.now += wait;
                self.sweep();
            }
        }
        self.agree();
    }

    /// Steps until it has to wait, which it comes to.
    fn turn(&mut self, size: usize) {
        // It may be called for nothing: what is here is looked at once more.
        self.asks = false;
        // Each step reads, uses or sends a byte, or is one of a few for each message.
        let octets = self.stream.len() - self.read + self.input.len();
        let mut left = 10_000 + 3 * octets;
        while self.step(size) {
            left = left.checked_sub(1).expect("a turn without an end");
        }
        assert_ne!(
            self.wait.is_some(),
            self.over.is_some(),
            "neither progress nor a wait"
        );
    }

    /// What a step may change.
    fn state(&self) -> ([usize; 4], [u64; 2], [bool; 4], Phase) {
        (
            [self.read, self.input.len(), self.answered, self.handled],
            [self.unsent, self.tail],
            [
                self.asks,
                self.write_closed,
                self.is_long,
                self.over.is_some(),
            ],
            self.conn.phase(),
        )
    }

    /// The next step, as the phase has it. False when nothing can be done but wait.
    fn step(&mut self, size: usize) -> bool {
        if self.over.is_some() {
            return false;
        }
        let before = self.state();
        self.wait = None;
        match self.conn.phase() {
            Phase::Idle | Phase::Head => self.receive(size),
            Phase::Prefetch => self.prefetch(size),
            Phase::Handle => self.handle(size),
            Phase::Send => self.send(size),
            Phase::Discard => self.discard(size),
            Phase::Linger => self.linger(size),
            Phase::Closed => {
                if self.flush() {
                    self.end(CloseReason::Answered);
                }
            }
        }
        self.agree();
        before != self.state()
    }

    /// The state is the one that must be.
    fn agree(&self) {
        let must = &self.must;
        assert_eq!(self.conn.phase(), must.phase);
        assert_eq!(self.conn.requests(), must.begun);
        assert_eq!(self.conn.close_reason(), must.last);
        assert_eq!(self.conn.read_deadline(), Moment(must.deadline));
        if must.last.is_none() {
            assert_eq!(self.input.len(), must.here - must.used, "bytes are lost");
        }
    }

    fn end(&mut self, reason: CloseReason) {
        if let Some(last) = self.must.last {
            let is_cut = matches!(reason, CloseReason::WriteTimeout);
            assert!(reason == last || is_cut, "{reason:?}, not {last:?}");
        }
        self.over = Some(reason);
    }

    /// Gives the socket what it takes. False when something is left.
    fn flush(&mut self) -> bool {
        let sent = self.unsent.min(self.window);
        self.unsent -= sent;
        self.window -= sent;
        if sent > 0 || self.unsent == 0 {
            self.conn.wrote(Moment(self.now), sent, self.config);
            self.must.wrote(self.now, sent);
        }
        if self.unsent > 0 {
            let until = self.conn.write_deadline(Moment(self.now), self.config);
            assert_eq!(until, Moment(self.must.until_written(self.now)));
            self.waits(true, until);
        }
        self.unsent == 0
    }

    fn waits(&mut self, is_to_write: bool, until: Moment) {
        let longest = self.config.timeouts.keep_alive;
        assert!(
            until <= Moment(self.now).after(longest),
            "a wait without an end"
        );
        self.wait = Some(Wait { is_to_write, until });
    }

    /// Reads once, or finds the end of what the client sends, or waits for it.
    fn fetch(&mut self, size: usize) {
        if !self.flush() {
            return;
        }
        let most = match self.conn.phase() {
            Phase::Idle | Phase::Handle | Phase::Discard | Phase::Linger => 0,
            Phase::Head => self.config.limits.head_bytes - 1,
            _ => self.config.limits.head_bytes + PREFETCH_BYTES - 1,
        };
        assert!(self.input.len() <= most, "more is kept than may be");
        let room = self.config.limits.head_bytes + PREFETCH_BYTES - self.input.len();
        let count = size.min(room).min(self.came - self.read);
        if count > 0 {
            let octets = &self.stream[self.read..self.read + count];
            self.input.extend_from_slice(octets);
            self.read += count;
            self.must.here += count;
            self.asks = false;
        } else if !self.has_half_closed {
            let until = match self.conn.phase() {
                Phase::Handle => {
                    let until = self.must.awaits_content(self.now);
                    let found = self.conn.content_deadline(Moment(self.now), self.config);
                    assert_eq!(found, Moment(until));
                    found
                }
                _ => self.conn.read_deadline(),
            };
            self.waits(false, until);
        } else {
            let (conn, is_handled) = (self.conn.clone(), self.conn.phase() == Phase::Handle);
            self.conn.input_ended();
            let event = match is_handled {
                true => self.next_content().0,
                false => self.next_event(),
            };
            // Here the end is told once; a server closes at once.
            self.conn = conn;
            match (event, self.must.closes()) {
                (Event::Close(reason), due) => {
                    assert_eq!(Some(reason), due);
                    self.end(reason);
                }
                (event, due) => {
                    assert_eq!(event, Event::Refuse(Reject::TruncatedContent));
                    assert_eq!(due, None);
                    self.refuse(Reject::TruncatedContent);
                }
            }
        }
    }

    fn receive(&mut self, size: usize) {
        if self.asks {
            return self.fetch(size);
        }
        let is_full = self.unsent >= self.config.limits.write_buffer_bytes as u64;
        if is_full && !self.input.is_empty() && !self.flush() {
            return;
        }
        let mut due = self.must.receive(self.now);
        if due == Ok(true) {
            due = self.must.prefetch(self.now);
        }
        self.received(due);
    }

    fn prefetch(&mut self, size: usize) {
        if self.asks {
            return self.fetch(size);
        }
        let due = self.must.prefetch(self.now);
        self.received(due);
    }

    /// The connection looks for a head and what is awaited of its content: whether they are here,
    /// or why they are refused.
    fn received(&mut self, due: Result<bool, Reject>) {
        match self.next_event() {
            Event::Read => {
                assert_eq!(due, Ok(false));
                self.asks = true;
            }
            Event::Head { head, used } => {
                assert_eq!((due, used), (Ok(true), self.must.text().head));
                let target = self.must.message().target(self.must.number);
                assert_eq!(head.target.of(&self.input), target.as_bytes());
                self.input.drain(..used);
                self.handled = 0;
            }
            Event::Refuse(reject) => {
                assert_eq!(due, Err(reject));
                self.refuse(reject);
            }
            event => panic!("{event:?} before a handler"),
        }
    }

    fn next_event(&mut self) -> Event {
        let (now, table) = (Moment(self.now), &mut self.table);
        let mut out = Vec::new();
        let event = self
            .conn
            .next_event(&self.input, table, now, self.config, &mut out);
        assert_eq!(out, b"", "nothing is due to the client");
        event
    }

    /// What the connection says of the handler's content, and what it writes then.
    fn next_content(&mut self) -> (Event, Vec<u8>) {
        let mut out = Vec::new();
        let now = Moment(self.now);
        let event = self
            .conn
            .next_content(&self.input, now, self.config, &mut out);
        (event, out)
    }

    /// The handler reads, as much as it asks for, then answers.
    fn handle(&mut self, size: usize) {
        let handler = self.must.message().handler;
        let is_read = self.conn.content_left() == Some(0);
        assert_eq!(is_read, self.must.content_is_read());
        if self.handled < handler.reads && !is_read {
            return self.pull(size);
        }
        match handler.does {
            Does::ResponsePlan {
                code,
                length,
                closes,
                streams,
            } => self.answer(code, length, closes, streams),
            Does::Upgrade if self.must.switches() => {
                self.switches = true;
                self.answer(101, None, false, true);
            }
            Does::Upgrade => self.answer(426, Some(10), false, false),
            Does::Panic => {
                self.conn.abandon(CloseReason::Panicked);
                self.must.abandon(CloseReason::Panicked);
                self.asks_nothing();
                self.input.clear();
                self.answer(500, Some(20), false, false);
            }
        }
    }

    fn pull(&mut self, size: usize) {
        let is_empty = self.input.is_empty();
        match self.next_content() {
            (Event::Read, out) if is_empty => {
                let invites = std::mem::take(&mut self.must.holds_back);
                assert_eq!(out, if invites { CONTINUE } else { b"" });
                assert_eq!(self.next_content(), (Event::Read, Vec::new()), "twice");
                self.unsent += out.len() as u64;
                self.fetch(size);
            }
            (Event::Content { used, data }, out) if !is_empty => {
                assert_eq!(out, b"");
                let data = &self.input[data];
                self.must.takes(self.now, Ok((used, data)));
                self.handled += data.len();
                self.input.drain(..used);
            }
            (Event::Refuse(reject), out) if !is_empty => {
                assert_eq!(out, b"");
                self.must.takes(self.now, Err(reject));
                self.refuse(reject);
            }
            (event, _) => panic!("{event:?} for a handler"),
        }
    }

    fn refuse(&mut self, reject: Reject) {
        self.input.clear();
        self.conn.abandon(CloseReason::Rejected(reject));
        self.must.refuse(reject);
        self.asks_nothing();
        self.answer(reject.status().code(), Some(30), false, false);
    }

    /// Behind a refusal nothing is left of the message that anybody waits for.
    fn asks_nothing(&mut self) {
        assert_eq!(self.conn.content_left(), Some(0));
        let (event, out) = self.next_content();
        assert!(matches!(event, Event::Respond | Event::Refuse(_)));
        assert_eq!(out, b"");
    }

    fn answer(&mut self, code: u16, length: Option<u64>, closes: bool, streams: bool) {
        assert_eq!(
            self.answered, self.must.number,
            "an answer to another message, or a second one"
        );
        self.answered += 1;
        let status = Status::from_code(code).expect("a status");
        let mut answer = ResponsePlan::new(status);
        if let Some(length) = length {
            answer = answer.length(length);
        }
        if closes {
            answer = answer.close_after(CloseReason::Shutdown);
        }
        if self.switches {
            answer = answer.upgrade("other").expect("a protocol");
        }
        let mut out = Vec::new();
        let delivery = self.conn.respond(&answer, self.config, &mut out);
        let invited = self.switches && std::mem::take(&mut self.must.holds_back);
        let (due, mut lines) = self.must.answer(code, length, closes, self.switches);
        assert_eq!(delivery, due);
        if self.switches {
            lines.push("Upgrade: other".into());
        }
        self.unsent += out.len() as u64;
        let mut head = &out[..];
        if invited {
            head = head.strip_prefix(CONTINUE).expect("100 before 101");
        }
        let head = String::from_utf8_lossy(head);
        let first = format!("HTTP/1.1 {code} {}", status.reason());
        let mut found: Vec<&str> = head
            .strip_suffix("\r\n\r\n")
            .expect("a head")
            .split("\r\n")
            .collect();
        assert_eq!(found.remove(0), first);
        found.sort_unstable();
        lines.sort_unstable();
        assert_eq!(found, lines);
        self.tail = match delivery {
            BodyFraming::NoContent => 0,
            BodyFraming::Length(length) => length,
            BodyFraming::Chunked | BodyFraming::UntilClose => STREAM,
        };
        self.is_long = streams;
        if !streams {
            self.unsent += std::mem::take(&mut self.tail);
        }
    }

    /// The rest of an answer that is sent in pieces, and what follows an answer.
    fn send(&mut self, size: usize) {
        if self.is_long {
            if !self.flush() {
                return;
            }
            let count = self.tail.min(size as u64);
            self.unsent += count;
            self.tail -= count;
            if self.unsent > 0 {
                return;
            }
        }
        let now = Moment(self.now);
        if self.switches {
            // What is here belongs to the other protocol.
            self.input.clear();
            self.conn.linger(CloseReason::Upgraded, now, self.config);
            return self.must.linger(CloseReason::Upgraded, self.now);
        }
        let in_doubt = std::mem::take(&mut self.is_long) || !self.input.is_empty();
        let due = self.must.finish(in_doubt, self.now);
        self.conn.finish(in_doubt, now, self.config);
        assert_eq!(finished(&self.conn), due);
        self.asks = false;
    }

    fn discard(&mut self, size: usize) {
        if self.asks {
            return self.fetch(size);
        }
        let used = match self.next_event() {
            Event::Read => 0,
            Event::Content { used, data } => {
                assert!(data.is_empty());
                used
            }
            event => panic!("{event:?} for what nobody reads"),
        };
        let (phase, last) = (self.conn.phase(), self.conn.close_reason());
        self.must.drained(self.now, used, phase, last);
        self.input.drain(..used);
        self.asks = phase == Phase::Discard;
    }

    fn linger(&mut self, size: usize) {
        if !self.flush() {
            return;
        }
        self.input.clear();
        if !self.write_closed {
            self.write_closed = true;
            let reason = self.conn.close_reason().expect("a last answer");
            self.conn.linger(reason, Moment(self.now), self.config);
            self.must.lingers(self.now);
        }
        self.fetch(size);
    }

    /// The sweep looks at a connection that waits.
    fn sweep(&mut self) {
        let Some(wait) = self.wait else {
            return;
        };
        let now = Moment(self.now);
        let found = match wait.is_to_write {
            true if now < wait.until => Expiry::NotYet,
            true => Expiry::Close(CloseReason::WriteTimeout),
            false => expiry(&self.conn, now),
        };
        assert_eq!(
            found,
            self.must.expires(now >= wait.until, wait.is_to_write)
        );
        match found {
            Expiry::Close(reason) => self.end(reason),
            Expiry::Refuse(reject) => self.refuse(reject),
            Expiry::NotYet => return,
        }
        self.wait = None;
    }

    /// Everything comes and is taken: all messages are answered, or the connection comes to its
    /// end.
    fn in_time(&mut self) {
        if !self.has_half_closed {
            self.came = self.stream.len();
        }
        self.window = u64::MAX;
        self.turn(700);
        match self.conn.phase() {
            _ if self.over.is_some() => {}
            Phase::Idle => assert_eq!(
                (self.answered, self.read),
                (self.must.messages.len(), self.stream.len())
            ),
            phase => assert_eq!(phase, Phase::Linger),
        }
    }

    /// Nothing comes and nothing is taken: each wait ends with its time, and the connection with a
    /// few of them.
    fn silence(&mut self) {
        self.window = 0;
        // What was begun is refused; the refusal is not taken.
        for _ in 0..3 {
            self.turn(700);
            if let Some(wait) = self.wait {
                self.now = self.now.max(wait.until.0);
                self.sweep();
                self.agree();
            }
        }
        assert!(self.over.is_some(), "no end in {:?}", self.conn.phase());
    }
}

proptest! {
    // Four times as many as other properties have: what is rare in a history is common in a
    // server's life.
    #![proptest_config(ProptestConfig {
        cases: 4 * ProptestConfig::default().cases,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn every_history_is_as_it_must_be(
        messages in messages(),
        config in config(),
        ops in ops(),
        end in prop_oneof![Just(End::InTime), Just(End::Silence)],
    ) {
        let numbered = messages.iter().enumerate();
        let written: Vec<Written> = numbered.map(|(number, message)| message.write(number, config.limits.head_bytes)).collect();
        let stream: Vec<u8> = written.iter().flat_map(|text| text.octets.clone()).collect();
        play(&messages, &written, &stream, &config, &ops, end);
    }
}

fn play(
    messages: &[Message],
    written: &[Written],
    stream: &[u8],
    config: &Config,
    ops: &[Op],
    end: End,
) {
    let mut world = World {
        conn: Connection::new(Moment(0), config),
        config,
        now: 0,
        stream,
        came: 0,
        read: 0,
        has_half_closed: false,
        window: 0,
        input: Vec::new(),
        table: FieldTable::default(),
        asks: false,
        unsent: 0,
        tail: 0,
        is_long: false,
        switches: false,
        handled: 0,
        answered: 0,
        write_closed: false,
        wait: None,
        over: None,
        must: Reference::new(config, messages, written),
    };
    for op in ops {
        world.op(*op);
    }
    match end {
        End::InTime => world.in_time(),
        End::Silence => world.silence(),
    }
}
