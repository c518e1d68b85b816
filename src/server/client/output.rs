//! What goes out: framed octets, and the content behind them.

use crate::h1::chunked;
use crate::handler::{Payload, Speak, WriteContent};
use crate::limits::{READS_PER_TURN, SENDFILE_FROM, STREAM_BLOCK};
use crate::server::base::permits::Permit;
use crate::sys::Stream;
use crate::sys::stream::read_exact_at;
use std::fmt;
use std::fs::File;
use std::io::{self, IoSlice, Read};
use std::sync::Arc;

/// Octets that are ready to be sent, of one answer or of several in a row. Belongs to a worker.
#[derive(Debug, Default)]
pub struct Output {
    /// Heads, and content that is small enough to share their write.
    pub octets: Vec<u8>,
    sent: usize,
    /// One block on its way from a reader or a file.
    scratch: Vec<u8>,
}

impl Output {
    /// Starts a connection's turn with what its socket did not take the last time.
    pub fn restore(&mut self, parked: &mut Vec<u8>) {
        self.sent = 0;
        if parked.is_empty() {
            self.octets.clear();
        } else {
            self.octets = std::mem::take(parked);
        }
    }

    /// Ends a connection's turn: what was not sent goes back to it.
    pub fn save(&mut self, parked: &mut Vec<u8>) {
        parked.extend_from_slice(self.unsent());
        self.clear();
    }

    /// What is still to be sent.
    pub fn unsent(&self) -> &[u8] {
        &self.octets[self.sent..]
    }

    /// Whether everything has been sent.
    pub fn is_empty(&self) -> bool {
        self.sent == self.octets.len()
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.octets.clear();
        self.sent = 0;
    }

    fn advance(&mut self, count: usize) {
        self.sent += count;
        if self.is_empty() {
            self.clear();
        }
    }
}

/// Content behind the framed octets, which is not, or not yet, in memory as a whole.
pub enum PendingBody {
    /// Octets in memory that are too many to be copied.
    Memory {
        /// The octets.
        payload: Payload,
        /// How many of them have been sent.
        sent: usize,
    },
    /// A part of a file.
    File {
        /// The file.
        file: Arc<File>,
        /// Where the unsent part begins.
        offset: u64,
        /// How long it is.
        left: u64,
    },
    /// A reader.
    Stream {
        /// The reader.
        reader: Box<dyn Read + Send>,
        /// What it still has to give, if that is known.
        left: Option<u64>,
        /// Whether its octets are framed as chunks.
        chunked: bool,
    },
    /// A program's writer, which is not sent from here but run when everything before it has been sent.
    Writer {
        /// What writes.
        write: WriteContent,
        /// Whether its octets are framed as chunks.
        is_chunked: bool,
        /// The seat of one that runs on a thread of its own.
        permit: Option<Permit>,
    },
    /// Another protocol, which is spoken when everything before it has been sent.
    Upgrade {
        /// What speaks it.
        speak: Speak,
        /// The seat of its thread.
        permit: Option<Permit>,
    },
}

/// Whether the program goes on when everything that is in the output has been sent.
pub fn is_programs(body: Option<&PendingBody>) -> bool {
    matches!(
        body,
        Some(PendingBody::Writer { .. } | PendingBody::Upgrade { .. })
    )
}

impl fmt::Debug for PendingBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            PendingBody::Memory { .. } => "Memory",
            PendingBody::File { .. } => "File",
            PendingBody::Stream { .. } => "Stream",
            PendingBody::Writer { .. } => "Writer",
            PendingBody::Upgrade { .. } => "Upgrade",
        })
    }
}

/// How far sending has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Everything is with the system.
    Done,
    /// The socket takes no more for now.
    Blocked,
    /// The turn has sent its share; the socket would take more.
    Yield,
}

/// Why sending ended for good.
#[derive(Debug)]
pub enum Broken {
    /// The connection is gone.
    Socket,
    /// The content ended before its length, or its reader failed.
    Content,
}

/// Sends `output` and then `tail`, as much as the socket takes and `share` allows. What the socket took is counted in `moved`.
/// What is the program's is left for the caller.
///
/// # Errors
/// Why nothing more can be sent.
pub fn transmit(
    output: &mut Output,
    body: &mut Option<PendingBody>,
    stream: &mut Stream,
    share: u64,
    moved: &mut u64,
) -> Result<Progress, Broken> {
    let mut reads = 0;
    // Every round moves octets, takes the tail away, reads a block, or returns.
    loop {
        if output.is_empty() && (body.is_none() || is_programs(body.as_ref())) {
            return Ok(Progress::Done);
        }
        // A reader that gives one octet at a time, or is interrupted each time, has its share as well.
        if *moved >= share || reads == READS_PER_TURN {
            return Ok(Progress::Yield);
        }
        let step = match body {
            Some(PendingBody::Memory { .. }) => write_memory(output, body, stream)?,
            _ if !output.is_empty() => {
                let taken = taken(stream.write(output.unsent()))?;
                output.advance(taken.unwrap_or(0));
                taken
            }
            Some(PendingBody::File { .. }) => write_file(output, body, stream)?,
            Some(_) | None => {
                reads += 1;
                read_block(output, body)?;
                continue;
            }
        };
        match step {
            Some(count) => *moved += count as u64,
            None => return Ok(Progress::Blocked),
        }
    }
}

/// Writes what is in the output and the octets behind it, where they lie.
fn write_memory(
    output: &mut Output,
    body: &mut Option<PendingBody>,
    stream: &mut Stream,
) -> Result<Option<usize>, Broken> {
    let Some(PendingBody::Memory { payload, sent }) = body else {
        return Ok(Some(0));
    };
    let rest = memory(payload).get(*sent..).unwrap_or_default();
    let ahead = output.unsent().len();
    let whole = ahead + rest.len();
    let taken = taken(stream.write_vectored(&[IoSlice::new(output.unsent()), IoSlice::new(rest)]))?;
    let count = taken.unwrap_or(0);
    output.advance(count.min(ahead));
    *sent += count.saturating_sub(ahead);
    if count == whole {
        *body = None;
    }
    Ok(taken)
}

/// Sends a part of a file; the output is empty.
fn write_file(
    output: &mut Output,
    body: &mut Option<PendingBody>,
    stream: &mut Stream,
) -> Result<Option<usize>, Broken> {
    let Some(PendingBody::File { file, offset, left }) = body else {
        return Ok(Some(0));
    };
    let taken = match stream.send_file(file, *offset, *left, &mut output.scratch) {
        Ok(0) => return Err(Broken::Content),
        result => taken(result)?,
    };
    let count = taken.unwrap_or(0) as u64;
    *offset += count;
    *left = left.saturating_sub(count);
    if *left == 0 {
        *body = None;
    }
    Ok(taken)
}

/// What the socket took; `None` when it takes nothing now.
fn taken(result: io::Result<usize>) -> Result<Option<usize>, Broken> {
    match result {
        // A socket that takes nothing without an error would keep the loop above going for ever.
        Ok(0) => Err(Broken::Socket),
        Ok(count) => Ok(Some(count)),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
        Err(_) => Err(Broken::Socket),
    }
}

/// Frames one block of a reader's octets into the empty output.
fn read_block(output: &mut Output, body: &mut Option<PendingBody>) -> Result<(), Broken> {
    let Some(PendingBody::Stream {
        reader,
        left,
        chunked,
    }) = body
    else {
        return Ok(());
    };
    let most = left.map_or(STREAM_BLOCK, |left| {
        STREAM_BLOCK.min(usize::try_from(left).unwrap_or(STREAM_BLOCK))
    });
    // Zeroed each time: a reader that claims more than it wrote must not send what was here before.
    output.scratch.clear();
    output.scratch.resize(STREAM_BLOCK, 0);
    let count = match reader.read(&mut output.scratch[..most]) {
        Ok(count) => count.min(most),
        Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(()),
        Err(_) => return Err(Broken::Content),
    };
    let ended = match left {
        Some(left) => {
            if count == 0 && *left > 0 {
                return Err(Broken::Content);
            }
            *left -= count as u64;
            *left == 0
        }
        None => count == 0,
    };
    let chunked = *chunked;
    let content = &output.scratch[..count];
    match chunked {
        true => chunked::push_chunk(&mut output.octets, content),
        false => output.octets.extend_from_slice(content),
    }
    if chunked && ended {
        chunked::push_last_chunk(&mut output.octets);
    }
    if ended {
        *body = None;
    }
    Ok(())
}

/// The octets of a payload that is in memory.
pub fn memory(payload: &Payload) -> &[u8] {
    match payload {
        Payload::Static(octets) => octets,
        Payload::Bytes(octets) => octets,
        Payload::Shared(octets) => octets,
        Payload::Empty | Payload::File { .. } | Payload::Stream { .. } => &[],
    }
}

/// Copies a part of a file behind what `octets` holds. False when the file ends before that, or cannot be read.
pub fn copy_file(octets: &mut Vec<u8>, file: &File, offset: u64, length: u64) -> bool {
    debug_assert!(length < SENDFILE_FROM);
    let start = octets.len();
    octets.resize(start + length as usize, 0);
    read_exact_at(file, &mut octets[start..], offset).is_ok()
}
