//! A response body that a program writes: framed as it comes, with waits when the client reads
//! slowly.
//!
//! The worker or the detached thread that calls this file decides where the writer runs. No byte is
//! sent after one that could not be sent.

use crate::conn::CloseReason;
use crate::h1::chunked;
use crate::handler::{ContentSink, WriteContent, run_writer};
use crate::server::client::Client;
use crate::server::client::output::Output;
use crate::server::exchange::blocking::{BlockingError, BlockingIo};
use crate::server::exchange::peer_wait::PeerWait;
use crate::server::shared::Shared;
use std::io;

struct BodyWriter<'a> {
    shared: &'a Shared,
    io: BlockingIo<'a>,
    is_chunked: bool,
    failure: Option<BlockingError>,
}

/// Runs a program's writer for the response in progress, whose head has been sent, and frames its
/// output. Bytes that it has not flushed are left in `output`, with the end of the body.
///
/// # Errors
/// Why the connection has to end in the middle of the body.
pub(crate) fn write_content(
    shared: &Shared,
    client: &mut Client,
    output: &mut Output,
    waits: PeerWait<'_>,
    write: WriteContent,
    is_chunked: bool,
) -> Result<(), CloseReason> {
    let mut writer = BodyWriter {
        shared,
        io: BlockingIo {
            conn: &mut client.conn,
            stream: &mut client.stream,
            output,
            waits,
            config: &shared.config,
            sent: &mut client.sent,
        },
        is_chunked,
        failure: None,
    };
    let written = run_writer(&mut writer, write);
    if let Some(failure) = writer.failure {
        // Even if the program ignored the error.
        return Err(failure.reason());
    }
    if let Err(error) = written {
        client.body_failed(error);
        return Err(CloseReason::ContentFailed);
    }
    if is_chunked {
        chunked::push_last_chunk(&mut output.bytes);
    }
    Ok(())
}

impl ContentSink for BodyWriter<'_> {
    fn take(&mut self, bytes: &[u8]) {
        let out = &mut self.io.output.bytes;
        // Nothing is sent after a failure, so nothing is buffered either.
        if self.failure.is_some() {
            return;
        }
        match self.is_chunked {
            true => chunked::push_chunk(out, bytes),
            false => out.extend_from_slice(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.failure.is_none() {
            // Checked even if the client takes everything at once: otherwise a program that ignores
            // it would never end.
            let ended = self.shared.has_ended();
            let flushed = match ended {
                true => Err(BlockingError::Cancelled(CloseReason::Shutdown)),
                false => self.io.flush(),
            };
            match flushed {
                // The program may take long until it writes more.
                Ok(()) => self.io.output.bytes = Vec::new(),
                Err(failure) => self.failure = Some(failure),
            }
        }
        self.failure.map_or(Ok(()), |failure| Err(failure.error()))
    }

    fn is_disconnected(&mut self) -> bool {
        // Recorded, because a program that returns now has not sent everything, although no later
        // write may be left to fail.
        if self.failure.is_none() && self.io.stream.is_reset() {
            self.failure = Some(BlockingError::Lost);
        }
        self.failure.is_some() || self.shared.has_ended()
    }
}
