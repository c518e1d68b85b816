//! Static files: a handler like any other.
#![forbid(unsafe_code)]

use crate::handler::{Handler, Request, Response};
use std::io;
use std::path::Path;

/// Serves the files below a folder.
#[derive(Debug)]
pub struct Files {}

impl Files {
    /// Serves this folder.
    ///
    /// # Errors
    /// Those of opening it.
    pub fn new(root: impl AsRef<Path>) -> io::Result<Files> {
        todo!()
    }
}

impl Handler for Files {
    fn handle(&self, request: &mut Request<'_>) -> Response {
        todo!()
    }
}
