//! What a program does with a connection of its own, step by step as a test says.

use crate::support::PATIENCE;
use crate::support::eventually;
use doorstep::{Upgraded, Writer};
use std::io::{self, Read, Write};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// What the program is to do next.
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
    /// Read once.
    Read,
    /// Read so long and no longer from here on.
    ReadFor(Duration),
    /// Return an error of its own.
    Fail,
    /// Panic.
    Panic,
    /// Return in good order.
    End,
}

/// What becomes of a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It went well.
    Done,
    /// An error.
    Failed(io::ErrorKind),
    /// Whether the client has gone.
    Disconnected(bool),
    /// What was read.
    Text(String),
}

/// The test's end of a script. When it is dropped, the program returns in good order.
pub struct Script {
    tell: Sender<Step>,
    told: Receiver<Outcome>,
}

impl Script {
    /// Has it do something that goes well.
    #[track_caller]
    pub fn does(&self, step: Step) {
        assert_eq!(self.tries(step), Outcome::Done, "{step:?}");
    }

    /// Has it do something.
    #[track_caller]
    pub fn tries(&self, step: Step) -> Outcome {
        self.begins(step);
        self.outcome()
    }

    /// Has it begin with something.
    #[track_caller]
    pub fn begins(&self, step: Step) {
        self.tell.send(step).expect("it waits for its next step");
    }

    /// The outcome of what it has begun.
    #[track_caller]
    pub fn outcome(&self) -> Outcome {
        self.told.recv_timeout(PATIENCE).expect("an outcome")
    }

    /// It reads exactly this, in one piece or several.
    #[track_caller]
    pub fn reads(&self, text: &str) {
        let mut read = String::new();
        while read.len() < text.len() {
            match self.tries(Step::Read) {
                Outcome::Text(more) if !more.is_empty() => read += &more,
                other => panic!("{other:?} after {read:?}"),
            }
        }
        assert_eq!(read, text);
    }

    /// Waits until it runs.
    #[track_caller]
    pub fn runs(&self) {
        assert_eq!(self.tries(Step::Look), Outcome::Disconnected(false));
    }
}

/// The program's end of a script.
pub struct Scripted {
    steps: Receiver<Step>,
    outcomes: Sender<Outcome>,
}

/// What a script is played on.
pub trait Stream: Write {
    fn is_gone(&mut self) -> bool;
    fn read_once(&mut self) -> Outcome;
    fn read_for(&mut self, time: Duration);
}

impl Stream for Writer<'_> {
    fn is_gone(&mut self) -> bool {
        self.disconnected()
    }
    fn read_once(&mut self) -> Outcome {
        panic!("a writer reads nothing")
    }
    fn read_for(&mut self, _: Duration) {}
}

impl Stream for Upgraded<'_> {
    fn is_gone(&mut self) -> bool {
        self.disconnected()
    }
    fn read_once(&mut self) -> Outcome {
        let mut buffer = [0; 64 * 1024];
        match self.read(&mut buffer) {
            Ok(count) => Outcome::Text(String::from_utf8_lossy(&buffer[..count]).into_owned()),
            Err(error) => Outcome::Failed(error.kind()),
        }
    }
    fn read_for(&mut self, time: Duration) {
        self.set_read_timeout(time);
    }
}

impl Scripted {
    /// Does what it is told, with a writer or in another protocol.
    pub fn play(self, stream: &mut impl Stream) -> io::Result<()> {
        // Ends with its script.
        while let Ok(step) = self.steps.recv() {
            let outcome = match step {
                Step::Write(text) => outcome(stream.write_all(text.as_bytes())),
                Step::Flush => outcome(stream.flush()),
                Step::Flood => flood(stream),
                Step::Look => Outcome::Disconnected(stream.is_gone()),
                Step::Watch => Outcome::Disconnected(eventually(|| stream.is_gone())),
                Step::Read => stream.read_once(),
                Step::ReadFor(time) => {
                    stream.read_for(time);
                    Outcome::Done
                }
                Step::Fail => return Err(io::Error::other("as told")),
                Step::Panic => panic!("as told"),
                Step::End => return Ok(()),
            };
            let _ = self.outcomes.send(outcome);
        }
        Ok(())
    }
}

fn outcome(result: io::Result<()>) -> Outcome {
    match result {
        Ok(()) => Outcome::Done,
        Err(error) => Outcome::Failed(error.kind()),
    }
}

fn flood(out: &mut impl Write) -> Outcome {
    let block = [b'f'; 16 * 1024];
    loop {
        if let Err(error) = out.write_all(&block).and_then(|()| out.flush()) {
            return Outcome::Failed(error.kind());
        }
    }
}

/// A script for each request that wants one, in their order.
#[derive(Clone, Default)]
pub struct Scripts(Arc<Mutex<Vec<Scripted>>>);

impl Scripts {
    /// One more script.
    pub fn add(&self) -> Script {
        let (tell, steps) = channel();
        let (outcomes, told) = channel();
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert(0, Scripted { steps, outcomes });
        Script { tell, told }
    }

    /// The next one, for the program.
    pub fn take(&self) -> Scripted {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.pop().expect("a script for this request")
    }
}
