//! Any requests, split anywhere, with any handlers and any pauses: answered in order, once each at most, and content is never
//! parsed as a request; there is always progress or a deadline.

use super::life::{EVIL, Life, OK, Reply, STREAM};
use doorstep::CloseReason;
use doorstep::internals::conn::{Expiry, Finished, Moment, Phase, Rules};
use doorstep::internals::h1::Reject;
use proptest::collection::vec;
use proptest::prelude::*;

/// One request, and what its handler does.
#[derive(Clone, Debug)]
struct Plan {
    framing: Framing,
    /// Octets of content.
    content: usize,
    expect: bool,
    /// How many of them the handler asks for.
    reads: usize,
    reply: Reply,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Framing {
    None,
    Length,
    /// Chunks of this size.
    Chunked(usize),
}

fn plans() -> impl Strategy<Value = Vec<Plan>> {
    let framing = prop_oneof![
        Just(Framing::None),
        Just(Framing::Length),
        (1_usize..40).prop_map(Framing::Chunked),
    ];
    // Few are longer than what is gathered.
    let content = prop_oneof![0_usize..80, 16_300_usize..16_500];
    let reply = prop_oneof![Just(OK), Just(STREAM)];
    let plan = (framing, content, any::<bool>(), 0_usize..90, reply).prop_map(
        |(framing, content, expect, reads, reply)| Plan {
            framing,
            content: if framing == Framing::None { 0 } else { content },
            expect,
            reads: if reads == 89 { usize::MAX } else { reads },
            reply,
        },
    );
    vec(plan, 1..6)
}

impl Plan {
    /// Content that would be a request, or many, if anybody parsed it.
    fn content(&self) -> Vec<u8> {
        EVIL.bytes().cycle().take(self.content).collect()
    }

    fn octets(&self, number: usize) -> Vec<u8> {
        let mut octets = format!("POST /{number} HTTP/1.1\r\nHost: a\r\n").into_bytes();
        if self.expect {
            octets.extend(b"Expect: 100-continue\r\n");
        }
        match self.framing {
            Framing::None => octets.extend(b"\r\n"),
            Framing::Length => {
                octets.extend(format!("Content-Length: {}\r\n\r\n", self.content).bytes());
                octets.extend(self.content());
            }
            Framing::Chunked(size) => {
                octets.extend(b"Transfer-Encoding: chunked\r\n\r\n");
                for chunk in self.content().chunks(size.max(self.content / 64)) {
                    octets.extend(format!("{:x}\r\n", chunk.len()).bytes());
                    octets.extend(chunk);
                    octets.extend(b"\r\n");
                }
                octets.extend(b"0\r\n\r\n");
            }
        }
        octets
    }
}

/// What the client does with its octets: pieces of these sizes, each after a pause in milliseconds.
type Pieces = Vec<(usize, u64)>;

/// A run of the connection, as a worker and its handler drive it.
struct Run<'a> {
    life: Life,
    plans: &'a [Plan],
    octets: &'a [u8],
    pieces: std::iter::Cycle<std::slice::Iter<'a, (usize, u64)>>,
    answered: usize,
    over: bool,
}

impl Run<'_> {
    /// The next piece of the client's octets. False when there is none, or the time is over.
    fn piece(&mut self) -> bool {
        let Some(&(size, pause)) = self.pieces.next() else {
            return false;
        };
        let deadline = self.life.conn.read_deadline();
        assert_ne!(deadline, Moment::NEVER, "a wait without an end");
        self.life.now.0 += pause;
        let now = self.life.now;
        match self.life.conn.expire(now, false, deadline) {
            Expiry::Close(_) => self.over = true,
            Expiry::Refuse(reject) => self.life.refuse(reject),
            Expiry::NotYet if self.life.conn.phase() == Phase::Handle && now >= deadline => {
                self.life.refuse(Reject::ContentTimeout);
            }
            Expiry::NotYet => {
                let (piece, rest) = self.octets.split_at(size.min(self.octets.len()));
                self.octets = rest;
                self.life.input.extend_from_slice(piece);
                return !piece.is_empty();
            }
        }
        false
    }

    /// The handler's turn: content up to what it asks for, then its answer.
    fn handle(&mut self) {
        let plan = &self.plans[self.answered];
        let target = format!("/{}", self.answered);
        let (head, octets) = self.life.head.take().expect("a head before its handler");
        assert_eq!(head.target.of(&octets), target.as_bytes(), "out of order");
        let mut read = Vec::new();
        while read.len() < plan.reads && !self.life.conn.content_is_read() {
            if self.life.input.is_empty() {
                self.life.conn.take_continue();
                let (now, rules) = (self.life.now, self.life.rules.clone());
                self.life.conn.content_deadline(now, &rules);
                if !self.piece() {
                    if self.life.conn.phase() == Phase::Handle {
                        self.life.refuse(Reject::TruncatedContent);
                    }
                    return;
                }
            }
            read.extend(
                self.life
                    .take()
                    .expect("what the plan framed is well framed"),
            );
        }
        let content = plan.content();
        assert!(content.starts_with(&read), "content of another request");
        if plan.reads > content.len() {
            assert_eq!(read, content, "content is missing");
        }
        self.life.answer(plan.reply);
        self.answered += 1;
    }

    fn run_out(&mut self) {
        // A phase in which nothing is asked of the client ends with the handler's turn; in all others each round takes a
        // piece, so the number of rounds is bounded by the octets.
        let mut rounds = self.octets.len() + self.plans.len() + 2;
        while !self.over && self.life.finished != Some(Finished::Linger) {
            rounds = rounds.checked_sub(1).expect("no progress");
            match self.life.conn.phase() {
                Phase::Handle => self.handle(),
                Phase::Closed | Phase::Linger => return,
                _ => {
                    if !self.piece() {
                        return;
                    }
                    self.life.go();
                }
            }
            assert!(self.answered <= self.plans.len());
            assert!(self.life.conn.requests() as usize <= self.plans.len());
        }
    }
}

fn run<'a>(plans: &'a [Plan], octets: &'a [u8], pieces: &'a Pieces, rules: Rules) -> Run<'a> {
    let mut run = Run {
        life: Life::new(rules),
        plans,
        octets,
        pieces: pieces.iter().cycle(),
        answered: 0,
        over: false,
    };
    run.run_out();
    run
}

fn octets_of(plans: &[Plan]) -> Vec<u8> {
    let all = plans.iter().enumerate();
    all.flat_map(|(number, plan)| plan.octets(number)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    /// In time, everything is answered, however it is split.
    #[test]
    fn every_split_is_answered(plans in plans(), sizes in vec(1_usize..3_000, 1..40)) {
        let octets = octets_of(&plans);
        let pieces: Pieces = sizes.into_iter().map(|size| (size, 0)).collect();
        let run = run(&plans, &octets, &pieces, Rules::default());
        prop_assert_eq!(run.life.refused, None);
        if run.life.conn.phase() == Phase::Linger {
            // Only content that the client was not told to send, and whose end the handler has not found, is left to itself.
            let last = &plans[run.answered - 1];
            prop_assert!(last.expect && last.content >= last.reads, "{:?}", last);
            prop_assert_eq!(run.life.conn.last(), Some(CloseReason::UnreadContent));
        } else {
            prop_assert_eq!(run.answered, plans.len());
            prop_assert_eq!(run.life.conn.phase(), Phase::Idle);
            prop_assert_eq!(run.life.input.len(), 0);
        }
    }

    /// With any pauses: what is answered is in order, and every wait ends.
    #[test]
    fn every_pause_ends(plans in plans(), pieces in vec((1_usize..300, 0_u64..40_000), 1..40)) {
        let octets = octets_of(&plans);
        let run = run(&plans, &octets, &pieces, Rules::default());
        prop_assert!(run.answered <= plans.len());
        let phase = run.life.conn.phase();
        prop_assert!(run.over || phase != Phase::Handle, "left in {:?}", phase);
    }
}
