//! A request's way to the disk of its site.
//!
//! A disk may hang, so each call that it may hold up is made inside of the site's gate: a [`Pass`]
//! in the arguments of a function says that it makes such calls.

use super::respond::error::FileError;
use crate::handler::gate::{Gate, GateRule, Pass};
use crate::handler::{Payload, Response};
use crate::sys::beneath::Root;
use crate::sys::stream::read_exact_at;
use std::cell::OnceCell;
use std::fs::{File, Metadata};
use std::io;
use std::sync::Arc;

/// One request's: it enters the gate when it first needs the disk, and leaves it at its end.
#[derive(Debug)]
pub struct Disk<'a> {
    gate: &'a Arc<Gate>,
    most: usize,
    pass: OnceCell<Pass>,
}

/// An open file or folder, closed inside of the gate of its disk.
#[derive(Debug)]
pub struct DiskFile {
    /// Only taken by the drop.
    file: Option<Arc<File>>,
    rule: GateRule,
}

/// An open file and its metadata, whatever may have its name by now.
#[derive(Debug)]
pub struct Opened {
    /// The file.
    pub file: DiskFile,
    /// What the system says about it.
    pub metadata: Metadata,
}

impl<'a> Disk<'a> {
    /// The disk behind this gate, for which `most` threads may wait.
    pub fn of(gate: &'a Arc<Gate>, most: usize) -> Disk<'a> {
        let pass = OnceCell::new();
        Disk { gate, most, pass }
    }

    /// Enters the gate, if this request is not inside.
    ///
    /// # Errors
    /// [`FileError::Busy`]: the gate is full.
    pub fn enter(&self) -> Result<&Pass, FileError> {
        if let Some(pass) = self.pass.get() {
            return Ok(pass);
        }
        let pass = self.gate.enter(self.most).ok_or(FileError::Busy)?;
        Ok(self.pass.get_or_init(|| pass))
    }

    /// Opens a file below a root of this disk, and asks what it is.
    ///
    /// # Errors
    /// [`FileError::Busy`], and those of opening it.
    pub fn open(&self, root: &Root, path: &[u8]) -> Result<Opened, FileError> {
        let pass = self.enter()?;
        let file = root
            .open_beneath(path)
            .map_err(|error| FileError::of_open(&error))?;
        let file = DiskFile {
            file: Some(Arc::new(file)),
            rule: GateRule::of(self.gate, self.most),
        };
        let metadata = file.on(pass).and_then(File::metadata);
        let metadata = metadata.map_err(|error| FileError::of_io(&error))?;
        Ok(Opened { file, metadata })
    }
}

impl DiskFile {
    /// The file, for calls that its disk may hold up.
    ///
    /// # Errors
    /// None: only a drop takes the file away.
    pub fn on(&self, _: &Pass) -> io::Result<&File> {
        self.file
            .as_deref()
            .ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    /// A part of it, for a response that is [`within`](DiskFile::within) the gate.
    pub fn part(&self, offset: u64, length: u64) -> Payload {
        match self.file.clone() {
            Some(file) => Payload::File {
                file,
                offset,
                length,
            },
            None => Payload::Empty,
        }
    }

    /// The response, whose body is read inside of the gate.
    pub fn within(&self, response: Response) -> Response {
        response.within(&self.rule.gate, self.rule.most)
    }

    /// Reads a part of it, as long as the buffer. The caller is inside of the gate: see
    /// [`within`](DiskFile::within).
    ///
    /// # Errors
    /// [`UnexpectedEof`](io::ErrorKind::UnexpectedEof) when the file is shorter; those of reading
    /// it.
    pub fn read_within(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        match &self.file {
            Some(file) => read_exact_at(file, buffer, offset),
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }
}

impl Drop for DiskFile {
    fn drop(&mut self) {
        if let Some(file) = self.file.take() {
            self.rule.discard(file);
        }
    }
}
