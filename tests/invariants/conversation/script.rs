//! The first line of an input: one byte for each thing that the clients, the system or the clock
//! do.
//!
//! | byte | what happens |
//! |---|---|
//! | `a` to `z` | the client sends so many more of the input's bytes, see [`SIZES`]; `z`: all that are left |
//! | `A` to `Z` | its socket takes so many more bytes from the server; `A`: none, `Z`: any number |
//! | `+` | the client sends 16 KiB of requests that nobody may take for such, as content |
//! | `&` | the next of three clients goes on; it connects if it has no connection |
//! | `-` `!` | the client closes its side; resets its connection |
//! | `0` `1` `2` `3` `4` `5` | 1 ms, 1 s, 3 s, 11 s, 31 s, 80 s pass |
//! | `<` `>` | the wall clock is set to before 1970, after 9999 |
//! | `,` `.` | events are held back; handed over again, as they are by themselves otherwise |
//! | `/` | the housekeeper sweeps |
//! | `*` | the last event comes once more |
//! | `$` | the shutdown begins, with a grace of 20 s; each sweep is a step of it |
//! | `~` `?` | the next read or write is interrupted; finds nothing |
//! | `:` `;` | the next read gives, the next write takes, a half of what it could |
//! | `=` | the next arming fails |
//! | `%` `^` | the next accept fails, for this connection; for want of descriptors |
//! | `@` | the next thread cannot be started |
//!
//! Every other byte sends. What is left when the script is over is sent then, in one piece.

use std::collections::VecDeque;
use std::time::Duration;

/// One thing that happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    Send(usize),
    SendFiller,
    Room(usize),
    NextClient,
    HalfClose,
    Reset,
    Wait(Duration),
    SetWall(i64),
    Hold,
    Resume,
    Sweep,
    OldEvent,
    Stop,
    Interrupt,
    FindNothing,
    HalfRead,
    HalfWrite,
    FailToArm,
    /// For want of descriptors, or because a connection is gone.
    FailToAccept {
        lacks: bool,
    },
    FailToStart,
}

/// How many bytes each letter stands for.
const SIZES: [usize; 26] = [
    0,
    1,
    2,
    3,
    4,
    5,
    6,
    8,
    10,
    12,
    16,
    20,
    24,
    32,
    40,
    50,
    64,
    80,
    100,
    128,
    200,
    256,
    512,
    1_024,
    8_192,
    usize::MAX,
];

/// EMFILE, WSAEMFILE.
pub const TOO_MANY_FILES: i32 = if cfg!(windows) { 10_024 } else { 24 };

/// What must never be taken for a request.
pub const FILLER: &[u8] = b"GET /evil HTTP/1.1\r\nHost: e\r\n\r\n";
/// How often it is sent at most.
pub const FILLERS_MOST: usize = 6;

/// An input's script, and its bytes after that.
pub fn take_apart(input: &[u8]) -> (VecDeque<Op>, &[u8]) {
    match input.iter().position(|&octet| octet == b'\n') {
        Some(end) => (
            input[..end].iter().map(|&octet| op(octet)).collect(),
            &input[end + 1..],
        ),
        None => (VecDeque::new(), input),
    }
}

fn op(octet: u8) -> Op {
    let wait = |milliseconds| Op::Wait(Duration::from_millis(milliseconds));
    let size = |first: u8| SIZES[usize::from((octet - first) % 26)];
    match octet {
        b'A'..=b'Z' => Op::Room(size(b'A')),
        b'+' => Op::SendFiller,
        b'&' => Op::NextClient,
        b'-' => Op::HalfClose,
        b'!' => Op::Reset,
        b'0' => wait(1),
        b'1' => wait(1_000),
        b'2' => wait(3_000),
        b'3' => wait(11_000),
        b'4' => wait(31_000),
        b'5' => wait(80_000),
        b'<' => Op::SetWall(-1),
        b'>' => Op::SetWall(300_000_000_000),
        b',' => Op::Hold,
        b'.' => Op::Resume,
        b'/' => Op::Sweep,
        b'*' => Op::OldEvent,
        b'$' => Op::Stop,
        b'~' => Op::Interrupt,
        b'?' => Op::FindNothing,
        b':' => Op::HalfRead,
        b';' => Op::HalfWrite,
        b'=' => Op::FailToArm,
        b'%' => Op::FailToAccept { lacks: false },
        b'@' => Op::FailToStart,
        b'^' => Op::FailToAccept { lacks: true },
        b'a'..=b'z' => Op::Send(size(b'a').max(1)),
        _ => Op::Send(SIZES[usize::from(octet % 25)].max(1)),
    }
}
