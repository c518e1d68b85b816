//! Discard: content that the handler left unread.

use super::life::{Action::*, EVIL, Expiry, Finished, Life, OK, Row, run, run_with};
use doorstep::internals::conn::{Config, Event, Phase};
use doorstep::{CloseReason, Reject};

const AT_LIMIT: &str = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 65536\r\n\r\n";
const BELOW: &str = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 65535\r\n\r\n";
const ABOVE: &str = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 65537\r\n\r\n";
/// With Expect, so that nothing is here before the handler runs.
const BELOW_ASKED: &str =
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 65535\r\nExpect: 100-continue\r\n\r\n";
const ABOVE_ASKED: &str =
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 65537\r\nExpect: 100-continue\r\n\r\n";
const CHUNKED: &str = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
const CHUNKS: &str = "5\r\nhello\r\n0\r\n\r\n";
const CLOSES: &str = "Connection: close\r\n";

const ROWS: &[Row] = &[
    (
        "RUSTSEC-2020-0093: content that looks like a request is content",
        &[
            Comes("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 31\r\n\r\n"),
            Comes(EVIL),
            Is(Phase::Handle),
            Answers(OK),
            Is(Phase::Idle),
            Unread(0),
            Requests(1),
        ],
    ),
    (
        "one byte below the limit",
        &[
            Comes(BELOW),
            Fills(16_384),
            Answers(OK),
            Silent(CLOSES),
            Is(Phase::Discard),
            Fills(49_150),
            Is(Phase::Discard),
            Fills(1),
            Is(Phase::Idle),
        ],
    ),
    (
        "at the limit",
        &[
            Comes(AT_LIMIT),
            Fills(16_384),
            Answers(OK),
            Silent(CLOSES),
            Is(Phase::Discard),
            Fills(49_152),
            Is(Phase::Idle),
            Last(None),
        ],
    ),
    (
        "30 seconds for the next bytes, which an event without bytes does not extend",
        &[
            Comes(AT_LIMIT),
            Fills(16_384),
            Answers(OK),
            Until(30_000),
            Fills(6_000),
            Until(30_000),
            After(10_000),
            Comes(""),
            Until(30_000),
            After(20_000),
            Expires(Expiry::Close(CloseReason::UnreadContent)),
        ],
    ),
    (
        "one byte above: told, and the end",
        &[
            Comes(ABOVE),
            Fills(16_384),
            Answers(OK),
            Says(CLOSES),
            Finishes(Finished::Linger),
            Is(Phase::Linger),
            Last(Some(CloseReason::UnreadContent)),
        ],
    ),
    (
        "what the handler has read does not count",
        &[
            Comes(ABOVE_ASKED),
            Continue(true),
            Fills(1),
            Takes(1),
            Answers(OK),
            Silent(CLOSES),
            Is(Phase::Discard),
        ],
    ),
    (
        "surplus after the dropped content is the next request",
        &[
            Comes("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 20000\r\n\r\n"),
            Fills(16_384),
            Answers(OK),
            Fills(3_615),
            Is(Phase::Discard),
            Comes("xGET / HTTP/1.1\r\nHost: a\r\n\r\n"),
            Is(Phase::Handle),
            Requests(2),
        ],
    ),
    (
        "30 seconds for the next bytes, then the end without a word: the answer is out",
        &[
            Comes(BELOW),
            Fills(16_384),
            After(100),
            Answers(OK),
            Until(30_100),
            After(30_000),
            Expires(Expiry::Close(CloseReason::UnreadContent)),
        ],
    ),
    (
        "dribbling does not extend them",
        &[
            Comes(BELOW_ASKED),
            Continue(true),
            Answers(OK),
            After(29_000),
            Fills(1),
            Until(30_000),
        ],
    ),
    (
        "a FIN within it",
        &[
            Comes(BELOW),
            Fills(16_384),
            Answers(OK),
            Fills(10),
            Fin(Some(CloseReason::PeerClosedEarly)),
        ],
    ),
    (
        "idle 75 seconds after it",
        &[
            Comes(BELOW),
            Fills(16_384),
            Answers(OK),
            After(7_000),
            Fills(49_151),
            Is(Phase::Idle),
            Until(82_000),
        ],
    ),
    (
        "a malformed chunk: the answer is out, so nothing is said",
        &[
            Comes(CHUNKED),
            Comes("5000\r\n"),
            Fills(20_000),
            Answers(OK),
            Is(Phase::Discard),
            Fills(480),
            Comes("XX"),
            Is(Phase::Linger),
            Last(Some(CloseReason::Rejected(Reject::InvalidChunkEnd))),
            Says("HTTP/1.1 200 OK\r\n"),
            Unread(0),
        ],
    ),
];

#[test]
fn discard() {
    run(ROWS);
}

/// RUSTSEC-2025-0037: nobody knows how long chunks will be, so they are counted as they are
/// dropped, framing included.
#[test]
fn drain_chunks() {
    let mut config = Config::default();
    for (drain, end) in [
        (CHUNKS.len(), Phase::Idle),
        (CHUNKS.len() - 1, Phase::Linger),
    ] {
        config.limits.discard_bytes = drain;
        let script = vec![
            Comes(CHUNKED),
            Comes(CHUNKS),
            Answers(OK),
            Silent(CLOSES),
            Is(end),
        ];
        run_with(
            &config,
            &[("chunks at the limit, and above", script.leak())],
        );
    }
    run_with(
        &config,
        &[(
            "chunks above the limit: the reason",
            &[
                Comes(CHUNKED),
                Comes(CHUNKS),
                Answers(OK),
                Last(Some(CloseReason::UnreadContent)),
                Comes(EVIL),
                Requests(1),
            ],
        )],
    );
}

/// What is dropped is counted in 32 bits: a limit above that is one at 4 GiB less two bytes, and
/// never none.
#[test]
fn the_highest_limit() {
    const MOST: u64 = u32::MAX as u64 - 1;
    for limit in [
        MOST as usize,
        MOST as usize + 1,
        (MOST as usize).saturating_add(2),
        usize::MAX,
    ] {
        let mut config = Config::default();
        config.limits.discard_bytes = limit;
        for (length, silence) in [(MOST, true), (MOST + 1, false)] {
            let head = format!(
                "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\nExpect: 100-continue\r\n\r\n"
            );
            let mut life = Life::new(config.clone());
            life.comes(head.as_bytes());
            life.act(Continue(true), "before the handler answers");
            life.answer(OK);
            assert_eq!(
                life.conn.close_reason().is_none(),
                silence,
                "{limit}: {length}"
            );
        }
        // A piece at a time, so that no machine has to have as much: the size line, and then
        // content that nobody looks at.
        let mut life = Life::new(config.clone());
        life.comes(CHUNKED.as_bytes());
        life.comes(b"ffffffff\r\n");
        life.comes(&[0; 16_384]);
        life.answer(OK);
        assert_eq!(life.conn.phase(), Phase::Discard);
        let piece = vec![0; 1 << 24];
        let mut left = MOST - 10 - 16_384;
        while left > 0 {
            let count = left.min(piece.len() as u64);
            let dropped = life.conn.next_event(
                &piece[..count as usize],
                &mut life.table,
                life.now,
                &life.config,
                &mut Vec::new(),
            );
            let Event::Content { used, .. } = dropped else {
                panic!("{limit}: {dropped:?}")
            };
            left -= used as u64;
            assert_eq!(life.conn.phase(), Phase::Discard, "{limit}: {left} before");
        }
        life.comes(&[0]);
        assert_eq!(
            life.conn.close_reason(),
            Some(CloseReason::UnreadContent),
            "{limit}"
        );
    }
}
