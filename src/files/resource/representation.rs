//! One file as it is sent: its content, its validators and its headers.
//!
//! A file's tag is made of its length and its modification time in nanoseconds, so that copies of a
//! site on several machines agree. But file systems stamp a change with the time of their last
//! tick, some with whole seconds, FAT with even ones: within that time, a change of the same length
//! leaves no trace. So a file that is not yet [`SETTLED`] has a weak tag with a hash of its
//! content, and is not cached.
//!
//! Content in memory is always that of its tag. A file that is sent from its descriptor has the
//! content of that moment: see [`Representation::is_intact`].

use crate::files::disk::{Disk, DiskFile, Opened};
use crate::files::media_types;
use crate::files::options::Options;
use crate::files::respond::error::FileError;
use crate::handler::gate::Pass;
use crate::handler::{Now, Payload, Response};
use crate::semantics::accept_encoding::Coding;
use crate::semantics::date::HttpDate;
use crate::semantics::etag::{self, EntityTag};
use crate::semantics::precondition::Validators;
use crate::semantics::{FieldError, FieldLines};
use crate::sys::file_identity::Identity;
use crate::sys::stream::read_exact_at;
use std::collections::hash_map::RandomState;
use std::fs::{File, Metadata};
use std::hash::{BuildHasher as _, Hasher as _};
use std::io;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The largest file that is kept in memory. Larger ones gain less from it, and go by `sendfile(2)`.
const CACHE_FILE_BYTES: u64 = 64 * 1024;
/// How old a file's last change has to be before length and time identify its state.
const SETTLED: Duration = Duration::from_secs(2);
/// How often a file is read again because it changed meanwhile. One that is written all the time is
/// sent as it comes.
const READS_MAX: u32 = 3;
/// What a representation costs besides its content: the structure, three allocations and their
/// share of a list.
const OVERHEAD: usize = 384;

#[derive(Debug)]
pub struct Representation {
    /// Identifies this state of the file. `None` where the system cannot tell.
    identity: Option<Identity>,
    /// The time of its last change, if the system keeps that.
    pub changed: Option<SystemTime>,
    /// From when on it may answer later requests; `None`: never.
    kept_from: Option<SystemTime>,
    pub length: u64,
    /// The value of Last-Modified, in seconds since 1970.
    last_modified: Option<u64>,
    tag: Option<Tag>,
    /// The headers of a 200 or 206.
    pub lines: FieldLines,
    pub lines_not_modified: FieldLines,
    content: Content,
}

#[derive(Debug)]
struct Tag {
    weak: bool,
    opaque: Vec<u8>,
}

#[derive(Debug)]
enum Content {
    Memory(Arc<[u8]>),
    File(DiskFile),
}

impl Representation {
    /// Loads a file's metadata, and its content if that is small. `name` is a path that ends in the
    /// file's name, without the ending of its coding.
    ///
    /// # Errors
    /// Those of reading it.
    pub fn load(
        pass: &Pass,
        opened: Opened,
        name: &[u8],
        coding: Option<Coding>,
        options: &Options,
        now: Now,
    ) -> io::Result<Representation> {
        let Opened { file, mut metadata } = opened;
        let mut content = None;
        for _ in 0..READS_MAX {
            if !is_read(&metadata, options, now) {
                break;
            }
            content = read(file.on(pass)?, &metadata);
            if content.is_some() {
                break;
            }
            // It was written to while it was read: another try, with its length and time of now.
            metadata = file.on(pass)?.metadata()?;
        }
        let identity = Identity::of(file.on(pass)?, &metadata);
        let changed = metadata.modified().ok();
        let tag = changed.map(|changed| {
            let sign = match &content {
                _ if is_settled(changed, now) => None,
                Some(content) => Some(hash(content)),
                // Different in each response, so it never claims that a client has the file
                // already.
                None => Some(random()),
            };
            Tag::of(metadata.len(), changed, coding, sign)
        });
        let last_modified = changed.and_then(|changed| {
            // RFC 9110 §8.8.2.1: an origin server with a clock "MUST NOT generate a Last-Modified
            // date that is later than the server's time of message origination"; a time in the
            // future becomes that time. Before 1970 or after 9999 there is no honest date, and the
            // tag does the work.
            let seconds = changed.min(now.wall).duration_since(UNIX_EPOCH).ok()?;
            HttpDate::from_unix(seconds.as_secs()).map(|_| seconds.as_secs())
        });
        let mut representation = Representation {
            identity,
            changed,
            kept_from: identity.and_then(|_| changed?.checked_add(SETTLED)),
            length: metadata.len(),
            last_modified,
            tag,
            lines: FieldLines::new(),
            lines_not_modified: FieldLines::new(),
            content: match content {
                Some(content) => Content::Memory(content),
                None => Content::File(file),
            },
        };
        // Media types were checked when they were set, and everything else here is visible ASCII.
        if representation.write_lines(name, coding, options).is_err() {
            return Err(io::ErrorKind::InvalidData.into());
        }
        Ok(representation)
    }

    fn write_lines(
        &mut self,
        name: &[u8],
        coding: Option<Coding>,
        options: &Options,
    ) -> Result<(), FieldError> {
        let is_settled = self.tag.as_ref().is_some_and(|tag| !tag.weak);
        let cache_control = options.cache_control(name, is_settled);
        let tag = self.tag.as_ref().map(Tag::written);
        let lines = &mut self.lines;
        lines.push("Content-Type", options.media_type(name))?;
        if let Some(coding) = coding.or_else(|| media_types::coding_of(name)) {
            lines.push("Content-Encoding", coding.name())?;
        }
        // Otherwise a browser may take an upload named `.txt` for a script.
        lines.push("X-Content-Type-Options", "nosniff")?;
        // RFC 9110 §14.3: clients may resume a download.
        lines.push("Accept-Ranges", "bytes")?;
        // RFC 9110 §15.4.5: "The server generating a 304 response MUST generate any of the
        // following header fields that would have been sent in a 200 (OK) response to the same
        // request: Content-Location, Date, ETag, and Vary; Cache-Control and Expires". The server
        // writes Date.
        for lines in [&mut self.lines, &mut self.lines_not_modified] {
            lines.push("Cache-Control", &cache_control)?;
            // RFC 9110 §12.5.5. Always, because a sidecar may appear at any time.
            lines.push("Vary", "Accept-Encoding")?;
            if let Some(tag) = &tag {
                lines.push("ETag", tag)?;
            }
        }
        let date = self.last_modified.and_then(HttpDate::from_unix);
        if let Some(date) = date {
            self.lines.push("Last-Modified", date.as_str())?;
            // RFC 9110 §15.4.5: "a sender SHOULD NOT generate representation metadata other than
            // the above listed fields unless said metadata exists for the purpose of guiding cache
            // updates (e.g., Last-Modified might be useful if the response does not have an ETag
            // field)".
            if tag.is_none() {
                self.lines_not_modified
                    .push("Last-Modified", date.as_str())?;
            }
        }
        Ok(())
    }

    pub fn validators(&self) -> Validators<'_> {
        Validators {
            tag: self.tag.as_ref().map(|tag| EntityTag {
                weak: tag.weak,
                opaque: &tag.opaque,
            }),
            modified: self.last_modified,
        }
    }

    pub fn is_coded(&self) -> bool {
        self.lines.get("Content-Encoding").is_some()
    }

    /// A part of the content, for a response that is [`within`](Representation::within) its gate.
    pub fn part(&self, first: u64, length: u64) -> Payload {
        match &self.content {
            // The descriptor is not held until the response is sent.
            _ if length == 0 => Payload::Empty,
            Content::Memory(bytes) if length == self.length => Payload::Shared(bytes.clone()),
            // A part of a small file is copied.
            Content::Memory(bytes) => {
                let from = bytes.get(first as usize..).unwrap_or_default();
                Payload::Bytes(from[..from.len().min(length as usize)].to_vec())
            }
            Content::File(file) => file.part(first, length),
        }
    }

    /// The response, whose body reads parts of the content.
    #[inline]
    pub fn within(&self, response: Response) -> Response {
        match &self.content {
            Content::Memory(_) => response,
            Content::File(file) => file.within(response),
        }
    }

    /// Reads a part of the content, as long as the buffer, for the body of such a response.
    ///
    /// # Errors
    /// [`UnexpectedEof`](io::ErrorKind::UnexpectedEof) when the file has become shorter; those of
    /// reading it.
    pub fn read_part(&self, first: u64, buffer: &mut [u8]) -> io::Result<()> {
        match &self.content {
            Content::Memory(bytes) => {
                let from = bytes.get(first as usize..).unwrap_or_default();
                let part = from.get(..buffer.len());
                buffer.copy_from_slice(part.ok_or(io::ErrorKind::UnexpectedEof)?);
                Ok(())
            }
            Content::File(file) => file.read_within(buffer, first),
        }
    }

    /// Whether it may answer later requests.
    pub fn may_be_kept(&self, now: Now) -> bool {
        matches!(self.kept_from, Some(from) if from <= now.wall)
    }

    pub fn is_of(&self, pass: &Pass, opened: &Opened, now: Now) -> bool {
        let file = opened.file.on(pass).ok();
        let identity = file.and_then(|file| Identity::of(file, &opened.metadata));
        identity.is_some() && identity == self.identity && self.may_be_kept(now)
    }

    /// Whether its content is still that of its tag. In-memory content cannot change. A file sent
    /// from its descriptor may have, so its metadata is checked again.
    ///
    /// # Errors
    /// [`FileError::Busy`]
    pub fn is_intact(&self, disk: &Disk<'_>) -> Result<bool, FileError> {
        let Content::File(file) = &self.content else {
            return Ok(true);
        };
        let now = file.on(disk.enter()?).and_then(|file| {
            let metadata = file.metadata()?;
            Ok(Identity::of(file, &metadata))
        });
        Ok(matches!(now, Ok(now @ Some(_)) if now == self.identity))
    }

    pub fn holds_descriptor(&self) -> bool {
        matches!(self.content, Content::File(_))
    }

    /// The memory that it takes, in bytes.
    pub fn bytes(&self) -> usize {
        let content = match &self.content {
            Content::Memory(bytes) => bytes.len(),
            Content::File(_) => 0,
        };
        let lines = self.lines.as_bytes().len() + self.lines_not_modified.as_bytes().len();
        OVERHEAD + lines + content
    }
}

impl Tag {
    /// `sign` distinguishes states of the same length and time.
    fn of(length: u64, changed: SystemTime, coding: Option<Coding>, sign: Option<u64>) -> Tag {
        let mut quoted = Vec::with_capacity(TAG_ROOM);
        etag::push_file_tag(&mut quoted, length, changed);
        let mut opaque = quoted[1..quoted.len() - 1].to_vec();
        // A file and its sidecar of the same length and time are still two representations
        // (RFC 9110 §8.8.3.3).
        if let Some(coding) = coding {
            opaque.push(b'-');
            opaque.extend_from_slice(coding.name().as_bytes());
        }
        if let Some(sign) = sign {
            opaque.push(b'-');
            crate::bytes::number::push_hexadecimal(&mut opaque, sign);
        }
        let weak = sign.is_some();
        Tag { weak, opaque }
    }

    fn written(&self) -> String {
        let weak = if self.weak { "W/" } else { "" };
        // Hexadecimal digits, hyphens and names of codings: always UTF-8.
        let opaque = std::str::from_utf8(&self.opaque).unwrap_or_default();
        format!("{weak}\"{opaque}\"")
    }
}

/// Whether the content is read into memory: that of small files, to be cached, or to make a tag of
/// while they are not settled.
fn is_read(metadata: &Metadata, options: &Options, now: Now) -> bool {
    let small = metadata.len() <= CACHE_FILE_BYTES;
    let settled = matches!(metadata.modified(), Ok(changed) if is_settled(changed, now));
    small && (options.memory > 0 || !settled)
}

/// The content, if the file is the same before and after it is read.
fn read(file: &File, metadata: &Metadata) -> Option<Arc<[u8]>> {
    let before = Identity::of(file, metadata)?;
    let mut content = vec![0; usize::try_from(metadata.len()).ok()?];
    read_exact_at(file, &mut content, 0).ok()?;
    let after = Identity::of(file, &file.metadata().ok()?)?;
    (before == after).then(|| content.into())
}

fn is_settled(changed: SystemTime, now: Now) -> bool {
    // A time in the future may be reached by another change.
    matches!(changed.checked_add(SETTLED), Some(settles) if settles <= now.wall)
}

/// FNV-1a of 64 bits: the same on every machine, unlike std's hash, and good enough for two seconds
/// of weak comparison.
fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xCBF2_9CE4_8422_2325, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3)
    })
}

/// A number that nobody can predict: the keys of std's maps are made in the same way.
pub fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}

/// Two quotes, two hyphens, a sign, 16 digits of length and 16 of time: enough until the year 2554.
const TAG_ROOM: usize = 40;
