//! The write buffer, and sending it with the body: framed bytes first, then the body.

use crate::h1::chunked;
use crate::handler::Payload;
use crate::handler::gate::Gate;
use crate::limits::{SENDFILE_FROM, STREAM_BLOCK};
use crate::server::client::pending::PendingBody;
use crate::sys::Stream;
use crate::sys::stream::read_exact_at;
use std::fs::File;
use std::io::{self, IoSlice};
use std::sync::Arc;

/// Reads that one turn asks of a body's reader: as many as it takes to send a turn's bytes in
/// blocks of 1 KiB.
pub const READS_PER_TURN: u32 = 1024;

/// Bytes that are ready to be sent, of one response or of several in a row. Belongs to a worker.
#[derive(Debug, Default)]
pub struct Output {
    /// Heads, and bodies that are small enough to share their write.
    pub bytes: Vec<u8>,
    sent: usize,
    /// One block on its way from a reader or a file.
    scratch: Vec<u8>,
}

impl Output {
    /// Starts a connection's turn with the bytes that its socket did not take the last time.
    pub fn restore(&mut self, unsent: &mut Vec<u8>) {
        self.sent = 0;
        if unsent.is_empty() {
            self.bytes.clear();
        } else {
            self.bytes = std::mem::take(unsent);
        }
    }

    /// Ends a connection's turn: the bytes that were not sent go back to it.
    pub fn save(&mut self, unsent: &mut Vec<u8>) {
        unsent.extend_from_slice(self.unsent());
        self.clear();
    }

    pub fn unsent(&self) -> &[u8] {
        &self.bytes[self.sent..]
    }

    pub fn is_empty(&self) -> bool {
        self.sent == self.bytes.len()
    }

    pub fn clear(&mut self) {
        self.bytes.clear();
        self.sent = 0;
    }

    /// Keeps no more memory than for this many bytes that wait, for as long as a handler blocks.
    pub fn shrink_to(&mut self, bytes: usize) {
        self.bytes.shrink_to(bytes);
        self.scratch = Vec::new();
    }

    fn advance(&mut self, count: usize) {
        self.sent += count;
        if self.is_empty() {
            self.clear();
        }
    }
}

#[derive(Debug)]
pub enum Progress {
    /// Everything is with the system.
    Done,
    /// The socket takes no more for now.
    Blocked,
    /// The turn has sent its share; the socket would take more.
    Yield,
    /// The body is behind a gate that is full.
    Full(Arc<Gate>),
}

#[derive(Debug)]
pub enum Broken {
    Socket,
    /// The body ended before its length, or its reader failed.
    Body(io::Error),
}

/// Sends `output` and then `body`, as much as the socket takes and `share` allows. The bytes that
/// the socket took are counted in `moved`. A body that is sent to its end becomes `None`.
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
    // Every round moves bytes, ends the body, reads a block, or returns.
    loop {
        body.take_if(|body| matches!(body.payload, Payload::Empty));
        if output.is_empty() && body.is_none() {
            return Ok(Progress::Done);
        }
        // A reader that gives one byte at a time, or is interrupted each time, has its share as
        // well.
        if *moved >= share || reads == READS_PER_TURN {
            return Ok(Progress::Yield);
        }
        let taken = match body {
            Some(body) if in_memory(&body.payload).is_some() => write_memory(output, body, stream)?,
            Some(body) if output.is_empty() => {
                // A payload that ends is dropped inside as well.
                let pass = match &body.gate {
                    None => None,
                    Some(rule) => match rule.enter() {
                        None => return Ok(Progress::Full(rule.gate.clone())),
                        pass => pass,
                    },
                };
                let taken = match &mut body.payload {
                    Payload::File { .. } => write_file(output, &mut body.payload, stream)?,
                    _ => {
                        reads += 1;
                        read_block(output, body)?;
                        continue;
                    }
                };
                drop(pass);
                taken
            }
            _ => {
                let taken = taken(stream.write(output.unsent()))?;
                output.advance(taken.unwrap_or(0));
                taken
            }
        };
        match taken {
            Some(count) => *moved += count as u64,
            None => return Ok(Progress::Blocked),
        }
    }
}

/// Writes the output and the body after it, where it lies in memory.
fn write_memory(
    output: &mut Output,
    body: &mut PendingBody,
    stream: &mut Stream,
) -> Result<Option<usize>, Broken> {
    let bytes = in_memory(&body.payload).unwrap_or_default();
    let rest = bytes.get(body.sent..).unwrap_or_default();
    let ahead = output.unsent().len();
    let whole = ahead + rest.len();
    let taken = taken(stream.write_vectored(&[IoSlice::new(output.unsent()), IoSlice::new(rest)]))?;
    let count = taken.unwrap_or(0);
    output.advance(count.min(ahead));
    body.sent += count.saturating_sub(ahead);
    if count == whole {
        body.payload = Payload::Empty;
    }
    Ok(taken)
}

/// Sends a part of a file; the output is empty.
fn write_file(
    output: &mut Output,
    payload: &mut Payload,
    stream: &mut Stream,
) -> Result<Option<usize>, Broken> {
    let Payload::File {
        file,
        offset,
        length,
    } = payload
    else {
        return Ok(Some(0));
    };
    let taken = match stream.send_file(file, *offset, *length, &mut output.scratch) {
        Ok(0) => return Err(ended_early()),
        result => taken(result)?,
    };
    let count = taken.unwrap_or(0) as u64;
    *offset += count;
    *length = length.saturating_sub(count);
    if *length == 0 {
        *payload = Payload::Empty;
    }
    Ok(taken)
}

/// The count of bytes that the socket took; `None` when it takes none now.
fn taken(result: io::Result<usize>) -> Result<Option<usize>, Broken> {
    match result {
        // A socket that takes nothing without an error would keep the loop above going forever.
        Ok(0) => Err(Broken::Socket),
        Ok(count) => Ok(Some(count)),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
        Err(_) => Err(Broken::Socket),
    }
}

/// Frames one block of a reader's bytes into the empty output.
fn read_block(output: &mut Output, body: &mut PendingBody) -> Result<(), Broken> {
    let is_chunked = body.is_chunked;
    let Payload::Stream { length, reader, .. } = &mut body.payload else {
        return Ok(());
    };
    let max = length.map_or(STREAM_BLOCK, |left| {
        STREAM_BLOCK.min(usize::try_from(left).unwrap_or(STREAM_BLOCK))
    });
    // Zeroed each time: a reader that claims more than it wrote must not send what was here before.
    output.scratch.clear();
    output.scratch.resize(STREAM_BLOCK, 0);
    let count = match reader.read(&mut output.scratch[..max]) {
        Ok(count) => count.min(max),
        Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(()),
        Err(error) => return Err(Broken::Body(error)),
    };
    let has_ended = match length {
        Some(left) => {
            if count == 0 && *left > 0 {
                return Err(ended_early());
            }
            *left -= count as u64;
            *left == 0
        }
        None => count == 0,
    };
    let block = &output.scratch[..count];
    match is_chunked {
        true => chunked::push_chunk(&mut output.bytes, block),
        false => output.bytes.extend_from_slice(block),
    }
    if is_chunked && has_ended {
        chunked::push_last_chunk(&mut output.bytes);
    }
    if has_ended {
        body.payload = Payload::Empty;
    }
    Ok(())
}

fn ended_early() -> Broken {
    Broken::Body(io::ErrorKind::UnexpectedEof.into())
}

pub fn in_memory(payload: &Payload) -> Option<&[u8]> {
    match payload {
        Payload::Static(bytes) => Some(bytes),
        Payload::Bytes(bytes) => Some(bytes),
        Payload::Shared(bytes) => Some(bytes),
        Payload::Empty | Payload::File { .. } | Payload::Stream { .. } => None,
    }
}

/// Appends a part of a file to `bytes`. False when the file ends before that, or cannot be read.
pub fn copy_file(bytes: &mut Vec<u8>, file: &File, offset: u64, length: u64) -> bool {
    debug_assert!(length < SENDFILE_FROM);
    let start = bytes.len();
    bytes.resize(start + length as usize, 0);
    read_exact_at(file, &mut bytes[start..], offset).is_ok()
}
