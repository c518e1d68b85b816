//! What a program does with a connection of its own, step by step as a test says.

use crate::client::PATIENCE;
use doorstep::Writer;
use std::io::{self, Write};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};

/// What it is to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Write this, without a flush.
    Write(&'static str),
    /// Flush.
    Flush,
    /// Write, and flush, until that fails.
    Flood,
    /// Ask whether the client has gone.
    Look,
    /// Ask until it has.
    Watch,
    /// Return an error of its own.
    Fail,
    /// Panic.
    Panic,
    /// Return in good order.
    End,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Came {
    /// It went well.
    Well,
    /// An error.
    Failed(io::ErrorKind),
    /// Whether the client has gone.
    Gone(bool),
}

/// The end of the strings that a test holds. When it is dropped, the program returns in good order.
pub struct Strings {
    tell: Sender<Step>,
    told: Receiver<Came>,
}

impl Strings {
    /// Has it do something that goes well.
    #[track_caller]
    pub fn does(&self, step: Step) {
        assert_eq!(self.tries(step), Came::Well, "{step:?}");
    }

    /// Has it do something.
    #[track_caller]
    pub fn tries(&self, step: Step) -> Came {
        self.begins(step);
        self.came()
    }

    /// Has it begin with something.
    #[track_caller]
    pub fn begins(&self, step: Step) {
        self.tell.send(step).expect("it waits for its next step");
    }

    /// What came of what it has begun.
    #[track_caller]
    pub fn came(&self) -> Came {
        self.told.recv_timeout(PATIENCE).expect("an outcome")
    }

    /// Waits until it runs.
    #[track_caller]
    pub fn runs(&self) {
        assert_eq!(self.tries(Step::Look), Came::Gone(false));
    }
}

/// The program's end of them.
pub struct Puppet {
    steps: Receiver<Step>,
    outcomes: Sender<Came>,
}

impl Puppet {
    /// Does what it is told, with a writer.
    pub fn write(self, out: &mut Writer<'_>) -> io::Result<()> {
        // Ends with its strings.
        while let Ok(step) = self.steps.recv() {
            let came = match step {
                Step::Write(text) => came(out.write_all(text.as_bytes())),
                Step::Flush => came(out.flush()),
                Step::Flood => flood(out),
                Step::Look => Came::Gone(out.disconnected()),
                Step::Watch => Came::Gone(crate::stage::eventually(|| out.disconnected())),
                Step::Fail => return Err(io::Error::other("as told")),
                Step::Panic => panic!("as told"),
                Step::End => return Ok(()),
            };
            let _ = self.outcomes.send(came);
        }
        Ok(())
    }
}

fn came(result: io::Result<()>) -> Came {
    match result {
        Ok(()) => Came::Well,
        Err(error) => Came::Failed(error.kind()),
    }
}

fn flood(out: &mut impl Write) -> Came {
    let block = [b'f'; 16 * 1024];
    loop {
        if let Err(error) = out.write_all(&block).and_then(|()| out.flush()) {
            return Came::Failed(error.kind());
        }
    }
}

/// A puppet for each request that wants one, in their order.
#[derive(Clone, Default)]
pub struct Troupe(Arc<Mutex<Vec<Puppet>>>);

impl Troupe {
    /// One more puppet, and its strings.
    pub fn add(&self) -> Strings {
        let (tell, steps) = channel();
        let (outcomes, told) = channel();
        let mut puppets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        puppets.insert(0, Puppet { steps, outcomes });
        Strings { tell, told }
    }

    /// The next one.
    pub fn take(&self) -> Puppet {
        let mut puppets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        puppets.pop().expect("a puppet for this request")
    }
}
