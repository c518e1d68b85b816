//! Bodies that are read inside of a gate only: they wait without a worker while it is full, and
//! whatever becomes of them, they are dropped inside.

use crate::simulated::{Scene, Wire};
use crate::support::client::get;
use crate::support::recorder::Event;
use crate::support::server::Housekeeper;
use crate::support::simulated::Act;
use crate::support::temporary::Temporary;
use doorstep::internals::conn::Moment;
use doorstep::internals::handler::gate::{Gate, Pass};
use doorstep::internals::handler::within;
use doorstep::internals::limits::{SENDFILE_FROM, STREAM_BLOCK};
use doorstep::{CloseReason, Payload, Request, Response, Status};
use std::fs::File;
use std::io::{self, Read};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, Weak};

/// Blocks of a stream.
const BLOCKS: usize = 3;

/// What a gate's readers have to tell.
#[derive(Default)]
struct Log {
    reads: AtomicUsize,
    drops: AtomicUsize,
    /// Something was read or dropped while nobody was inside.
    outside: AtomicBool,
}

impl Log {
    fn counts(&self) -> (usize, usize) {
        assert!(!self.outside.load(Ordering::SeqCst), "outside of the gate");
        (
            self.reads.load(Ordering::SeqCst),
            self.drops.load(Ordering::SeqCst),
        )
    }
}

/// A reader that notes whether somebody is inside.
struct Watched {
    gate: Arc<Gate>,
    log: Arc<Log>,
    blocks: usize,
}

impl Watched {
    fn notes(&self, count: &AtomicUsize) {
        count.fetch_add(1, Ordering::SeqCst);
        let outside = self.gate.enter(1).is_some();
        self.log.outside.fetch_or(outside, Ordering::SeqCst);
    }
}

impl Read for Watched {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.notes(&self.log.reads);
        let count = match self.blocks.checked_sub(1) {
            Some(left) => {
                self.blocks = left;
                buffer.len()
            }
            None => 0,
        };
        buffer[..count].fill(b'x');
        Ok(count)
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.notes(&self.log.drops);
    }
}

struct Disk {
    scene: Scene,
    gate: Arc<Gate>,
    log: Arc<Log>,
    held: Arc<Mutex<Option<Pass>>>,
}

impl Disk {
    /// `/stream` and `/chunked` are read from a disk behind a gate, `/unchanged` is not read after
    /// all.
    fn new() -> Disk {
        let (gate, log) = (Arc::<Gate>::default(), Arc::<Log>::default());
        let (door, notes) = (gate.clone(), log.clone());
        let scene = Scene::new(move |request: &mut Request<'_>| {
            let reader = || Watched {
                gate: door.clone(),
                log: notes.clone(),
                blocks: BLOCKS,
            };
            let ok = Response::new(Status::OK);
            let length = (BLOCKS * STREAM_BLOCK) as u64;
            let response = match request.path() {
                "/stream" => ok.stream(Some(length), reader()),
                "/chunked" => ok.stream(None, reader()),
                "/unchanged" => Response::new(Status::NOT_MODIFIED).stream(None, reader()),
                _ => return Response::text("elsewhere"),
            };
            within(response, &door, 1)
        });
        Disk {
            scene,
            gate,
            log,
            held: Arc::default(),
        }
    }

    fn fill(&self) {
        *self.held.lock().unwrap() = Some(self.gate.enter(1).expect("room"));
    }

    fn leave(&self) {
        let pass = self.held.lock().unwrap().take();
        drop(pass.expect("somebody inside"));
    }

    /// The next that leaves finds that somebody else is inside at once.
    fn is_wanted(&self) {
        let (gate, held) = (Arc::downgrade(&self.gate), self.held.clone());
        let enter = move || {
            let gate = gate.upgrade().expect("a gate");
            *held.lock().unwrap() = Some(gate.enter(1).expect("room"));
        };
        assert!(self.gate.wait(None, Box::new(enter)).is_some());
    }

    fn asks(&self, request: impl AsRef<[u8]>) -> Wire {
        let wire = self.scene.wire();
        wire.sends(request);
        self.scene.admits(&wire);
        wire
    }

    /// Whether the observer heard that the only request was answered as a whole; `None` when it
    /// heard nothing yet.
    fn bytes_heard(&self) -> Option<u64> {
        let mut heard = Vec::new();
        for event in self.scene.recorder.events() {
            if let Event::Request { bytes, .. } = event {
                heard.push(bytes);
            }
        }
        assert!(heard.len() <= 1, "{heard:?}");
        heard.pop()
    }
}

fn bytes_of(text: &str) -> usize {
    text.split_once("\r\n\r\n")
        .expect("a head")
        .1
        .matches('x')
        .count()
}

#[test]
fn a_body_is_read_and_dropped_inside() {
    for path in ["/stream", "/chunked"] {
        let disk = Disk::new();
        let wire = disk.asks(get(path));
        disk.scene.runs();
        assert_eq!(bytes_of(&wire.got()), BLOCKS * STREAM_BLOCK);
        let (reads, drops) = disk.log.counts();
        assert_eq!((reads >= BLOCKS, drops), (true, 1), "{path}");
        assert!(disk.gate.enter(1).is_some());
    }
}

#[test]
fn a_body_waits_while_the_gate_is_full() {
    for path in ["/stream", "/chunked"] {
        let disk = Disk::new();
        disk.fill();
        let wire = disk.asks([get(path), get("/next")].concat());
        assert_eq!(disk.scene.runs(), 0, "no worker");
        assert!(wire.got().ends_with("\r\n\r\n"), "the head alone");
        assert_eq!((disk.gate.waiting(), disk.log.counts()), (1, (0, 0)));
        let other = disk.asks(get("/"));
        assert!(other.got().ends_with("elsewhere"));
        disk.leave();
        disk.scene.runs();
        let got = wire.got();
        assert!(got.ends_with("elsewhere"), "what comes after it");
        assert!(got.matches('x').count() >= BLOCKS * STREAM_BLOCK);
        assert_eq!((disk.gate.waiting(), disk.log.counts().1), (0, 1));
    }
}

#[test]
fn a_body_waits_as_long_as_a_client_may_take_nothing() {
    let disk = Disk::new();
    disk.fill();
    let wire = disk.asks(get("/stream"));
    disk.scene.at(29_999);
    disk.scene.runs();
    assert_eq!(disk.scene.reason(&wire), None);
    disk.scene.at(30_000);
    assert_eq!(disk.scene.reason(&wire), None, "that is for a worker");
    disk.scene.runs();
    assert_eq!(disk.scene.reason(&wire), Some(CloseReason::Overload));
    assert_eq!(disk.bytes_heard(), Some(0));
    // What it would have sent is dropped when there is room for that.
    assert_eq!((disk.gate.waiting(), disk.log.counts()), (0, (0, 0)));
    disk.leave();
    assert_eq!(disk.log.counts(), (0, 1));
}

/// The time of a wait is for one piece of a body.
#[test]
fn a_body_that_moves_waits_anew() {
    let disk = Disk::new();
    disk.fill();
    let wire = disk.asks(get("/stream"));
    wire.got();
    // Called in vain, it waits on.
    disk.scene.set(10_000);
    disk.leave();
    disk.fill();
    disk.scene.runs();
    assert_eq!(disk.log.counts(), (0, 0));
    // One block, then somebody else.
    disk.scene.set(20_000);
    disk.is_wanted();
    disk.leave();
    disk.scene.runs();
    assert_eq!(disk.log.counts(), (1, 0));
    assert_eq!(wire.got().len(), STREAM_BLOCK);
    disk.scene.set(25_000);
    let other = disk.asks(get("/stream"));
    disk.scene.at(49_999);
    disk.scene.runs();
    assert_eq!(disk.scene.reason(&wire), None);
    disk.scene.at(50_000);
    disk.scene.runs();
    assert_eq!(disk.scene.reason(&wire), Some(CloseReason::Overload));
    disk.leave();
    disk.scene.runs();
    assert_eq!(disk.log.counts(), (1 + BLOCKS, 2));
    assert_eq!(bytes_of(&other.got()), BLOCKS * STREAM_BLOCK);
}

#[test]
fn a_body_that_has_moved_goes_to_the_end_of_the_queue() {
    let disk = Disk::new();
    disk.fill();
    let first = disk.asks(get("/stream"));
    disk.is_wanted();
    let second = disk.asks(get("/stream"));
    first.got();
    second.got();
    disk.leave();
    disk.scene.runs();
    assert_eq!(first.got().len(), STREAM_BLOCK);
    // Somebody else between the two again.
    disk.is_wanted();
    disk.leave();
    disk.scene.turn();
    assert!(first.got().is_empty() && !second.got().is_empty());
    disk.leave();
    disk.scene.runs();
    let whole = BLOCKS * STREAM_BLOCK;
    let taken = |wire: &Wire| wire.link(|link| String::from_utf8_lossy(&link.taken).into_owned());
    assert_eq!(
        [&first, &second].map(|wire| bytes_of(&taken(wire))),
        [whole; 2]
    );
}

#[test]
fn a_body_that_is_not_sent_is_dropped_inside() {
    let head = |path: &str| format!("HEAD {path} HTTP/1.1\r\nHost: a\r\n\r\n").into_bytes();
    for request in [head("/stream"), head("/chunked"), get("/unchanged").into()] {
        for is_full in [false, true] {
            let disk = Disk::new();
            if is_full {
                disk.fill();
            }
            let wire = disk.asks(&request);
            assert!(wire.got().ends_with("\r\n\r\n"), "it need not wait");
            assert_eq!(disk.log.counts(), (0, usize::from(!is_full)));
            if is_full {
                disk.leave();
                assert_eq!(disk.log.counts(), (0, 1));
            }
            assert_eq!((disk.scene.runs(), disk.gate.waiting()), (0, 0));
        }
    }
}

#[test]
fn a_client_that_has_gone_leaves_its_body_to_the_gate() {
    let disk = Disk::new();
    disk.fill();
    let wire = disk.asks(get("/stream"));
    wire.does(Act::Resets);
    disk.is_wanted();
    disk.leave();
    disk.scene.runs();
    // It read a block before it could see that nobody takes it.
    assert_eq!(disk.scene.reason(&wire), Some(CloseReason::Failed));
    assert_eq!(disk.log.counts(), (1, 0));
    disk.leave();
    assert_eq!(disk.log.counts(), (1, 1));
    assert_eq!((disk.gate.waiting(), disk.scene.runs()), (0, 0));
}

#[test]
fn the_end_of_a_server_leaves_its_bodies_to_the_gate() {
    let disk = Disk::new();
    disk.fill();
    let wire = disk.asks(get("/stream"));
    let (shared, aborted) = (disk.scene.shared.clone(), Arc::new(AtomicUsize::new(0)));
    let told = aborted.clone();
    disk.scene.works(move |_| {
        let mut keeper = Housekeeper::new(shared);
        keeper.stop();
        let report = keeper.finish(Moment(0)).expect("the grace is over");
        told.store(report.aborted, Ordering::SeqCst);
    });
    assert_eq!(disk.scene.reason(&wire), None, "that may block");
    assert!(disk.scene.system.run_thread());
    assert_eq!(disk.scene.reason(&wire), Some(CloseReason::Shutdown));
    assert_eq!(aborted.load(Ordering::SeqCst), 1);
    assert_eq!((disk.gate.waiting(), disk.log.counts()), (0, (0, 0)));
    disk.leave();
    assert_eq!(disk.log.counts(), (0, 1));
}

/// A server of one file behind a gate for two, of whom one is inside all the time.
struct Shelf {
    scene: Scene,
    gate: Arc<Gate>,
    /// The file of the last response,
    open: Arc<Mutex<Weak<File>>>,
    /// and whether it was open when its reader left the gate.
    left_open: Arc<Mutex<Option<bool>>>,
}

impl Shelf {
    fn of(file: &Temporary, length: u64) -> Shelf {
        let (gate, path) = (Arc::<Gate>::default(), file.to_path_buf());
        let (open, left_open) = (Arc::<Mutex<Weak<File>>>::default(), Arc::default());
        let (door, kept) = (gate.clone(), open.clone());
        let scene = Scene::new(move |_: &mut Request<'_>| {
            let file = Arc::new(File::open(&path).expect("a file"));
            *kept.lock().unwrap() = Arc::downgrade(&file);
            let payload = Payload::File {
                file,
                offset: 0,
                length,
            };
            within(Response::new(Status::OK).body(payload), &door, 2)
        });
        Shelf {
            scene,
            gate,
            open,
            left_open,
        }
    }

    /// Looks at the file as the gate is left next.
    fn watches(&self) {
        let (open, left_open) = (self.open.clone(), self.left_open.clone());
        let look = move || {
            let is_open = open.lock().unwrap().strong_count() > 0;
            *left_open.lock().unwrap() = Some(is_open);
        };
        assert!(self.gate.wait(None, Box::new(look)).is_some());
    }
}

#[test]
fn a_file_is_read_and_closed_inside() {
    for length in [1, SENDFILE_FROM - 1, SENDFILE_FROM] {
        let file = Temporary::file(&vec![b'x'; length as usize]);
        for is_full in [false, true] {
            let shelf = Shelf::of(&file, length);
            let _one = shelf.gate.enter(2).expect("room");
            let other = is_full.then(|| shelf.gate.enter(2).expect("room"));
            let wire = shelf.scene.wire();
            wire.sends(get("/"));
            if is_full {
                shelf.scene.admits(&wire);
                assert!(wire.got().ends_with("\r\n\r\n"), "{length}");
                assert_eq!((shelf.gate.waiting(), shelf.scene.runs()), (1, 0));
                shelf.watches();
                drop(other);
                shelf.scene.runs();
            } else {
                shelf.watches();
                shelf.scene.admits(&wire);
                shelf.scene.runs();
            }
            let taken = wire.link(|link| String::from_utf8_lossy(&link.taken).into_owned());
            assert_eq!(bytes_of(&taken), length as usize);
            let left_open = *shelf.left_open.lock().unwrap();
            assert_eq!(left_open, Some(false), "{length}, {is_full}");
        }
    }
}
