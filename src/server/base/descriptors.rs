//! The descriptors that connections, and the files that are sent on them, hold together.

use crate::server::base::lock::lock;
use std::collections::HashMap;
use std::fs::File;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

/// The files that responses hold between two turns.
#[derive(Debug)]
pub struct Descriptors {
    /// The most descriptors of connections and of these files.
    max: usize,
    /// For each file, by its address, the responses that hold it: they share its descriptor.
    files: Mutex<HashMap<usize, usize>>,
    /// The number of these files.
    count: AtomicUsize,
}

/// A file that counts until this is dropped.
#[derive(Debug)]
pub struct HeldFile {
    descriptors: Arc<Descriptors>,
    address: usize,
}

impl Descriptors {
    pub fn new(max: usize) -> Descriptors {
        Descriptors {
            max,
            files: Mutex::default(),
            count: AtomicUsize::new(0),
        }
    }

    /// Whether so many connections leave room for one descriptor more.
    pub fn has_room(&self, connections: usize) -> bool {
        connections.saturating_add(self.count.load(Ordering::SeqCst)) < self.max
    }

    /// Counts a file that a response holds. `None` when it would be one descriptor too many.
    pub fn hold(
        descriptors: &Arc<Descriptors>,
        file: &Arc<File>,
        connections: usize,
    ) -> Option<HeldFile> {
        let address = Arc::as_ptr(file).addr();
        let mut files = lock(&descriptors.files);
        match files.get_mut(&address) {
            Some(responses) => *responses += 1,
            None if !descriptors.has_room(connections) => return None,
            None => drop(files.insert(address, 1)),
        }
        descriptors.count.store(files.len(), Ordering::SeqCst);
        Some(HeldFile {
            descriptors: descriptors.clone(),
            address,
        })
    }
}

impl Drop for HeldFile {
    fn drop(&mut self) {
        let mut files = lock(&self.descriptors.files);
        if let Some(responses) = files.get_mut(&self.address) {
            *responses -= 1;
            if *responses == 0 {
                files.remove(&self.address);
            }
        }
        self.descriptors.count.store(files.len(), Ordering::SeqCst);
    }
}
