//! What a program does with a connection of its own, step by step as a test says.

use crate::harness::eventually;
use crate::support::PATIENCE;
use doorstep::{Upgraded, Writer};
use std::io::{self, Read, Write};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

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

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Came {
    /// It went well.
    Well,
    /// An error.
    Failed(io::ErrorKind),
    /// Whether the client has gone.
    Gone(bool),
    /// What was read.
    Text(String),
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

    /// It reads exactly this, in one piece or several.
    #[track_caller]
    pub fn reads(&self, text: &str) {
        let mut read = String::new();
        while read.len() < text.len() {
            match self.tries(Step::Read) {
                Came::Text(more) if !more.is_empty() => read += &more,
                other => panic!("{other:?} behind {read:?}"),
            }
        }
        assert_eq!(read, text);
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

/// What a puppet can have in its hands.
trait Prop: Write {
    fn is_gone(&mut self) -> bool;
    fn read_once(&mut self) -> Came;
    fn read_for(&mut self, time: Duration);
}

impl Prop for Writer<'_> {
    fn is_gone(&mut self) -> bool {
        self.disconnected()
    }
    fn read_once(&mut self) -> Came {
        panic!("a writer reads nothing")
    }
    fn read_for(&mut self, _: Duration) {}
}

impl Prop for Upgraded<'_> {
    fn is_gone(&mut self) -> bool {
        self.disconnected()
    }
    fn read_once(&mut self) -> Came {
        let mut buffer = [0; 64 * 1024];
        match self.read(&mut buffer) {
            Ok(count) => Came::Text(String::from_utf8_lossy(&buffer[..count]).into_owned()),
            Err(error) => Came::Failed(error.kind()),
        }
    }
    fn read_for(&mut self, time: Duration) {
        self.set_read_timeout(time);
    }
}

impl Puppet {
    /// Does what it is told, with a writer.
    pub fn write(self, out: &mut Writer<'_>) -> io::Result<()> {
        self.play(out)
    }

    /// Does what it is told, with another protocol.
    pub fn speak(self, peer: &mut Upgraded<'_>) -> io::Result<()> {
        self.play(peer)
    }

    fn play(self, prop: &mut impl Prop) -> io::Result<()> {
        // Ends with its strings.
        while let Ok(step) = self.steps.recv() {
            let came = match step {
                Step::Write(text) => came(prop.write_all(text.as_bytes())),
                Step::Flush => came(prop.flush()),
                Step::Flood => flood(prop),
                Step::Look => Came::Gone(prop.is_gone()),
                Step::Watch => Came::Gone(eventually(|| prop.is_gone())),
                Step::Read => prop.read_once(),
                Step::ReadFor(time) => {
                    prop.read_for(time);
                    Came::Well
                }
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
