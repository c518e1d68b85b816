//! What a loop is told to do: rows of what comes and when, and the events that follow.

use doorstep::conn::{BodyFraming, Config, Connection, Event, Moment, Phase, ResponsePlan};
use doorstep::h1::{FieldTable, Head};
use doorstep::{CloseReason, Status};
use proptest::prelude::*;
use proptest::sample::Index;

/// One line of a script. Times are in milliseconds.
#[derive(Clone, Copy, Debug)]
enum Action {
    /// These bytes come.
    Comes(&'static str),
    /// Time passes.
    After(u64),
    /// The peer closes its side.
    Ends,
    /// So many bytes of what was framed are sent.
    Wrote(u64),
    /// The wait that has begun ends at this time.
    Until(u64),
    Is(Phase),
}
use Action::{After, Comes, Ends, Is, Until, Wrote};

/// A loop as the module's documentation has it. It answers 200, a request for `/early` before its
/// content, and one for `/upgrade` with 101; it writes down what it is told to do.
struct Loop {
    conn: Connection,
    config: Config,
    table: FieldTable,
    now: Moment,
    input: Vec<u8>,
    out: Vec<u8>,
    told: Vec<String>,
    content: Vec<u8>,
}

impl Loop {
    fn new(config: Config) -> Loop {
        Loop {
            conn: Connection::new(Moment(0), &config),
            config,
            table: FieldTable::default(),
            now: Moment(0),
            input: Vec::new(),
            out: Vec::new(),
            told: Vec::new(),
            content: Vec::new(),
        }
    }

    /// Goes on until bytes are needed or the connection is over.
    fn go(&mut self) {
        // As many as there are bytes, and some around each message, of which the shortest has more.
        for _ in 0..4 * self.input.len() + 32 {
            let Loop {
                conn,
                config,
                table,
                now,
                input,
                out,
                ..
            } = self;
            match conn.next_event(input, table, *now, config, out) {
                Event::Read => {
                    if out.ends_with(b" 100 Continue\r\n\r\n") {
                        self.told.push("continue".into());
                    }
                    self.out.clear();
                    return;
                }
                Event::Close(reason) => {
                    self.told.push(format!("close: {reason:?}"));
                    return;
                }
                Event::Head { head, used } => self.head(&head, used),
                Event::Content { used, data } => {
                    self.content.extend_from_slice(&input[data]);
                    input.drain(..used);
                }
                Event::Respond => {
                    let content = String::from_utf8_lossy(&self.content);
                    self.told.push(format!("answer {content:?}"));
                    conn.respond_full(Status::OK, b"ok", config, out);
                }
                Event::Refuse(reject) => {
                    self.told
                        .push(format!("refuse {}: {reject:?}", reject.status().code()));
                    conn.respond_full(reject.status(), b"", config, out);
                }
                Event::Send => {
                    self.content.clear();
                    conn.finish(!input.is_empty(), *now, config);
                }
            }
        }
        panic!("no end is in sight: {:?}", self.told)
    }

    fn head(&mut self, head: &Head, used: usize) {
        let Loop {
            conn, config, out, ..
        } = self;
        let path = head.path(&self.input).to_owned();
        self.told.push(format!("{} {path}", head.method));
        let answer = ResponsePlan::new(Status::SWITCHING_PROTOCOLS).upgrade("echo");
        match &*path {
            "/early" => conn.respond_full(Status::OK, b"ok", config, out),
            "/upgrade" => {
                let found = conn.respond(&answer.expect("a protocol"), config, out);
                assert_eq!(found, BodyFraming::NoContent);
            }
            _ => {}
        }
        self.input.drain(..used);
    }

    fn act(&mut self, act: Action, piece: usize) {
        match act {
            Comes(octets) => {
                for piece in octets.as_bytes().chunks(piece) {
                    self.input.extend_from_slice(piece);
                    self.go();
                }
                return;
            }
            After(wait) => self.now.0 += wait,
            Ends => self.conn.input_ended(),
            Wrote(count) => self.conn.wrote(self.now, count, &self.config),
            Until(until) => assert_eq!(self.conn.read_deadline(), Moment(until)),
            Is(phase) => assert_eq!(self.conn.phase(), phase),
        }
        if matches!(act, After(_) | Ends) {
            self.go();
        }
    }
}

const GET: &str = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const EARLY: &str = "POST /early HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n";
const LONG: &str = "POST /early HTTP/1.1\r\nHost: a\r\nContent-Length: 65537\r\n\r\n";
const HELD: &str =
    "POST /early HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n";
const POST: &str = "POST /x?y HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n";
const UPGRADE: &str =
    "GET /upgrade HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n";

/// What is asked, the script, what the loop is told.
type Row = (&'static str, &'static [Action], &'static [&'static str]);

#[rustfmt::skip]
const ROWS: &[Row] = &[
    ("a request, and a FIN", &[Comes(GET), Ends], &["GET /", "answer \"\"", "close: PeerClosed"]),
    ("a FIN with the request is no abort", &[Comes("GET / HTTP/1.1\r\n"), Comes("Host: a\r\n\r\n"), Ends], &["GET /", "answer \"\"", "close: PeerClosed"]),
    ("content", &[Comes(POST), Comes("hello"), Comes(GET)], &["POST /x", "answer \"hello\"", "GET /", "answer \"\""]),
    ("content that ends early", &[Comes(POST), Comes("hell"), Ends], &["POST /x", "refuse 400: TruncatedContent", "close: Rejected(TruncatedContent)"]),
    ("a head that ends early", &[Comes("GET"), Ends], &["close: PeerClosedEarly"]),
    ("a FIN alone", &[Ends], &["close: PeerClosed"]),
    ("refused: what comes after it is dropped", &[Comes("BAD\r\n"), Comes(GET), Is(Phase::Linger), Ends], &["refuse 400: RequestLineForm", "close: Rejected(RequestLineForm)"]),
    ("closed after the last answer", &[Comes("GET / HTTP/1.0\r\n\r\n")], &["GET /", "answer \"\"", "close: Answered"]),

    ("answered before its content, which is dropped", &[Comes(EARLY), Is(Phase::Discard), Comes("hello"), Comes(GET)], &["POST /early", "GET /", "answer \"\""]),
    ("the same, of which the end never comes", &[Comes(EARLY), Comes("hell"), Ends], &["POST /early", "close: PeerClosedEarly"]),
    ("the same, out of time", &[Comes(EARLY), Until(30_000), After(30_000)], &["POST /early", "close: UnreadContent"]),
    ("answered before content that is held back, which would be taken for a request", &[Comes(HELD), Comes("hello"), Is(Phase::Linger), Ends], &["POST /early", "close: UnreadContent"]),
    ("answered before content that is too long to drop", &[Comes(LONG), Is(Phase::Linger), Ends], &["POST /early", "close: UnreadContent"]),

    ("another protocol takes over", &[Comes(UPGRADE)], &["GET /upgrade", "close: Upgraded"]),

    ("accepted: ten seconds", &[Until(10_000), After(9_999), After(1)], &["close: IdleTimeout"]),
    ("a head: ten seconds, in all", &[After(1_000), Comes("GET / "), After(8_999), Comes("H"), Until(10_000), After(1)], &["refuse 408: HeadTimeout"]),
    ("between requests: 75 seconds", &[Comes(GET), Until(75_000), After(75_000)], &["GET /", "answer \"\"", "close: IdleTimeout"]),
    ("content: 30 seconds", &[Comes(POST), Until(30_000), After(29_999), After(1)], &["POST /x", "refuse 408: ContentTimeout"]),
    ("content that dribbles: 30 seconds, in all", &[Comes(POST), After(29_000), Comes("h"), After(999), Comes("e"), Until(30_000), After(1)], &["POST /x", "refuse 408: ContentTimeout"]),
    ("a look without bytes is no progress", &[Comes(POST), After(10_000), After(10_000), Until(30_000)], &["POST /x"]),
    ("refused: two seconds to read the answer", &[Comes("\x01"), Until(2_000), After(2_000)], &["refuse 400: InvalidMethod", "close: Rejected(InvalidMethod)"]),
    ("from its last byte on", &[Comes("\x01"), After(1_000), Wrote(50), Until(3_000), Wrote(0), Until(3_000), After(2_000)], &["refuse 400: InvalidMethod", "close: Rejected(InvalidMethod)"]),
];

#[test]
fn rows() {
    for (name, script, expected) in ROWS {
        for piece in [usize::MAX, 1] {
            let mut driven = Loop::new(Config::default());
            for act in *script {
                driven.act(*act, piece);
            }
            assert_eq!(driven.told, *expected, "{name}: {piece} at a time");
        }
    }
}

/// A deadline is for what does not come: what is here is served first.
#[test]
fn bytes_come_before_the_time() {
    let mut driven = Loop::new(Config::default());
    driven.input.extend_from_slice(GET.as_bytes());
    driven.act(After(1_000_000), 1);
    assert_eq!(driven.told, ["GET /", "answer \"\""]);
    // And the idle time begins after it.
    assert_eq!(driven.conn.read_deadline(), Moment(1_075_000));
}

/// RFC 9110 §10.1.1: the interim answer, once, when content is waited for.
#[test]
fn content_is_invited_once() {
    let head = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n";
    let mut driven = Loop::new(Config::default());
    driven.act(Comes(head), usize::MAX);
    driven.act(Comes("hello"), 1);
    assert_eq!(driven.told, ["POST /", "continue", "answer \"hello\""]);
}

/// The bytes after a 101 are the other protocol's, and nobody's to drop.
#[test]
fn what_follows_an_upgrade_is_left() {
    let mut driven = Loop::new(Config::default());
    driven.input = [UPGRADE, "\x00\x01"].concat().into_bytes();
    driven.go();
    assert_eq!(driven.told, ["GET /upgrade", "close: Upgraded"]);
    assert_eq!(driven.input, b"\x00\x01");
    assert!(driven.out.starts_with(b"HTTP/1.1 101 "));
}

/// Dropped content whose framing breaks, and what follows it: nobody waits for more while some of
/// it is here.
#[test]
fn what_is_dropped_is_dropped_at_once() {
    let next = |this: &mut Loop, input: &[u8]| {
        let (conn, table) = (&mut this.conn, &mut this.table);
        conn.next_event(input, table, this.now, &this.config, &mut this.out)
    };
    let mut this = Loop::new(Config::default());
    let head = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    assert!(matches!(next(&mut this, head), Event::Head { .. }));
    let answer = ResponsePlan::new(Status::OK).length(0);
    this.conn.respond(&answer, &this.config, &mut this.out);
    this.conn.finish(false, this.now, &this.config);
    assert_eq!(this.conn.phase(), Phase::Discard);
    let dropped = |used| Event::Content {
        used,
        data: used..used,
    };
    assert_eq!(next(&mut this, b"XX"), dropped(0), "the end is found");
    assert_eq!(next(&mut this, b"XX"), dropped(2), "what broke it");
    assert_eq!(next(&mut this, b""), Event::Read);
}

/// Pieces of messages, of which many are no message together.
fn pieces() -> impl Strategy<Value = Vec<u8>> {
    let known = prop::sample::select(vec![
        GET,
        POST,
        EARLY,
        HELD,
        LONG,
        UPGRADE,
        "hello",
        "5\r\nhello\r\n0\r\n\r\n",
        "\r\n",
        "Host: b\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
        "GET / HTTP/1.0\r\n\r\n",
    ]);
    let known = known.prop_map(|piece| piece.as_bytes().to_vec());
    let any = prop::collection::vec(any::<u8>(), 0..10);
    prop::collection::vec(prop_oneof![8 => known, 1 => any], 0..8).prop_map(|all| all.concat())
}

proptest! {
    /// Whatever comes, however it is cut: a loop comes to an end, in steps that are bounded by the
    /// bytes, for the reason that the connection gives.
    #[test]
    fn every_conversation_ends(octets in pieces(), cuts in prop::collection::vec(any::<Index>(), 0..6)) {
        let mut ends: Vec<usize> = cuts.iter().map(|cut| cut.index(octets.len() + 1)).collect();
        ends.push(octets.len());
        ends.sort_unstable();
        let mut driven = Loop::new(Config::default());
        let mut begin = 0;
        for end in ends {
            driven.input.extend_from_slice(&octets[begin..end]);
            begin = end;
            driven.go();
        }
        driven.conn.input_ended();
        driven.go();
        let last = driven.conn.close_reason();
        prop_assert!(last.is_some());
        let told = driven.told.last().cloned().unwrap_or_default();
        prop_assert_eq!(told, format!("close: {:?}", last.unwrap_or(CloseReason::Failed)));
    }
}
