//! The body of a response, in each form that it may have.

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::sync::Arc;

/// The body of a response.
#[non_exhaustive]
pub enum Payload {
    /// No body.
    Empty,
    /// Bytes in the program itself.
    Static(&'static [u8]),
    /// Bytes made for this response.
    Bytes(Vec<u8>),
    /// Bytes that several responses share.
    Shared(Arc<[u8]>),
    /// A part of a file.
    File {
        /// The file, which other responses may share: its own position is neither used nor moved.
        file: Arc<File>,
        /// Where the part begins.
        offset: u64,
        /// Its length.
        length: u64,
    },
    /// Everything that a reader returns.
    Stream {
        /// The number of bytes, if it is known; otherwise the body is chunked.
        length: Option<u64>,
        /// The reader. It must not block: it runs on a worker.
        reader: Box<dyn Read + Send>,
        /// The memory that it takes, for [`Limits::parked_bytes`](crate::Limits::parked_bytes).
        held_bytes: usize,
    },
}

impl Payload {
    /// The length of the body, if it is known.
    pub fn length(&self) -> Option<u64> {
        match self {
            Payload::Empty => Some(0),
            Payload::Static(bytes) => Some(bytes.len() as u64),
            Payload::Bytes(bytes) => Some(bytes.len() as u64),
            Payload::Shared(bytes) => Some(bytes.len() as u64),
            Payload::File { length, .. } => Some(*length),
            Payload::Stream { length, .. } => *length,
        }
    }
}

impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self {
            Payload::Empty => "Empty",
            Payload::Static(_) => "Static",
            Payload::Bytes(_) => "Bytes",
            Payload::Shared(_) => "Shared",
            Payload::File { .. } => "File",
            Payload::Stream { .. } => "Stream",
        };
        f.debug_struct(kind)
            .field("length", &self.length())
            .finish()
    }
}

impl From<&'static str> for Payload {
    fn from(text: &'static str) -> Payload {
        Payload::Static(text.as_bytes())
    }
}

impl From<&'static [u8]> for Payload {
    fn from(bytes: &'static [u8]) -> Payload {
        Payload::Static(bytes)
    }
}

impl From<String> for Payload {
    fn from(text: String) -> Payload {
        Payload::Bytes(text.into_bytes())
    }
}

impl From<Vec<u8>> for Payload {
    fn from(bytes: Vec<u8>) -> Payload {
        Payload::Bytes(bytes)
    }
}

impl From<Arc<[u8]>> for Payload {
    fn from(bytes: Arc<[u8]>) -> Payload {
        Payload::Shared(bytes)
    }
}
