//! What the housekeeper may not do: read, send or close a file, call a program's reader, or drop a
//! program's value. A disk may hang, and a program may block, and then no deadline would be kept.

use crate::harness::{Gate as StopGate, PAGE, on_each_backend};
use crate::simulated::{Scene, Wire};
use crate::support::client::{Client, get};
use crate::support::in_time;
use crate::support::recorder::Recorder;
use crate::support::server::Housekeeper;
use crate::support::temporary::Temporary;
use doorstep::internals::conn::{Config, Moment};
use doorstep::internals::limits::SENDFILE_FROM;
use doorstep::{CloseReason, Payload, Request, Response, Status, Writer};
use std::fs::File;
use std::io::{self, Read, Write};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

/// What a response is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    File,
    Stream,
    Writer,
    Detached,
}

const KINDS: [Kind; 4] = [Kind::File, Kind::Stream, Kind::Writer, Kind::Detached];

/// What the program has to tell.
#[derive(Clone, Default)]
struct Notes {
    /// The housekeeper is at work.
    keeping: Arc<AtomicBool>,
    /// It has called the program.
    breached: Arc<AtomicBool>,
    drops: Arc<AtomicUsize>,
    file: Arc<Mutex<Weak<File>>>,
}

/// A value of the program's.
struct Own(Notes);

impl Own {
    fn is_touched(&self) {
        let keeping = self.0.keeping.load(Ordering::SeqCst);
        self.0.breached.fetch_or(keeping, Ordering::SeqCst);
    }
}

impl Read for Own {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.is_touched();
        buffer.fill(b'x');
        Ok(buffer.len())
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        self.is_touched();
        self.0.drops.fetch_add(1, Ordering::SeqCst);
    }
}

struct House {
    scene: Scene,
    notes: Notes,
    kind: Kind,
    _file: Temporary,
}

impl House {
    fn of(kind: Kind, config: Config) -> House {
        let file = Temporary::file(&vec![b'x'; 4 * SENDFILE_FROM as usize]);
        let (notes, path) = (Notes::default(), file.to_path_buf());
        let program = notes.clone();
        let scene = Scene::with(config, move |_: &mut Request<'_>| {
            let (own, ok) = (Own(program.clone()), Response::new(Status::OK));
            let write = move |out: &mut Writer<'_>| {
                own.is_touched();
                out.write_all(b"x")
            };
            match kind {
                Kind::File => {
                    let file = Arc::new(File::open(&path).expect("a file"));
                    *program.file.lock().unwrap() = Arc::downgrade(&file);
                    ok.body(Payload::File {
                        file,
                        offset: 0,
                        length: 4 * SENDFILE_FROM,
                    })
                }
                Kind::Stream => ok.stream(None, Own(program.clone())),
                Kind::Writer => ok.writer(write),
                Kind::Detached => ok.detached(write),
            }
        });
        House {
            scene,
            notes,
            kind,
            _file: file,
        }
    }

    /// A client whose response has begun, and that takes no more of it than this.
    fn asks(&self, room: usize) -> Wire {
        let wire = self.scene.wire();
        wire.room(room);
        wire.sends(get("/"));
        self.scene.admits(&wire);
        self.notes.drops.store(0, Ordering::SeqCst);
        wire
    }

    /// The housekeeper works, and touches nothing of the program's; nor does it send.
    #[track_caller]
    fn keeps(&self, wire: &Wire, work: impl FnOnce(&mut Housekeeper) + Send + 'static) {
        let (shared, keeping) = (self.scene.shared.clone(), self.notes.keeping.clone());
        let before = (self.is_held(), wire.link(|link| link.writes.len()));
        self.scene.works(move |_| {
            keeping.store(true, Ordering::SeqCst);
            work(&mut Housekeeper::new(shared));
            keeping.store(false, Ordering::SeqCst);
        });
        let kind = self.kind;
        assert!(
            !self.notes.breached.load(Ordering::SeqCst),
            "{kind:?}: called"
        );
        let after = (self.is_held(), wire.link(|link| link.writes.len()));
        assert_eq!(before, after, "{kind:?}: closed, or sent");
    }

    /// Whether the server holds what the program has given it.
    fn is_held(&self) -> bool {
        match self.kind {
            Kind::File => self.notes.file.lock().unwrap().strong_count() > 0,
            _ => self.notes.drops.load(Ordering::SeqCst) == 0,
        }
    }
}

#[test]
fn a_write_deadline_is_for_a_worker() {
    for kind in KINDS {
        let house = House::of(kind, Config::default());
        let wire = house.asks(10);
        assert!(house.is_held());
        house.scene.set(29_999);
        house.keeps(&wire, Housekeeper::sweep);
        assert_eq!(house.scene.runs(), 0, "{kind:?}: not yet");
        house.scene.set(30_000);
        house.keeps(&wire, Housekeeper::sweep);
        // Once, however often it looks meanwhile.
        house.keeps(&wire, Housekeeper::sweep);
        assert_eq!(house.scene.runs(), 1, "{kind:?}");
        assert_eq!(house.scene.reason(&wire), Some(CloseReason::WriteTimeout));
        assert!(!house.is_held());
    }
}

/// A client that takes something at the last moment is served on, by the worker.
#[test]
fn a_client_that_takes_something_is_served_on() {
    for kind in KINDS {
        let house = House::of(kind, Config::default());
        let wire = house.asks(10);
        house.scene.set(30_000);
        wire.room(40_000);
        house.keeps(&wire, Housekeeper::sweep);
        assert!(house.scene.runs() > 0);
        while house.scene.system.run_thread() {
            house.scene.runs();
        }
        assert_eq!(house.scene.reason(&wire), None, "{kind:?}");
        assert!(wire.got().len() > 10);
        let whole = matches!(kind, Kind::Writer | Kind::Detached);
        assert_eq!(house.is_held(), !whole);
    }
}

/// An event comes while the housekeeper owns a connection, and the poller cannot be armed again:
/// a worker tries that once more, and closes the connection if it cannot be done.
#[test]
fn a_connection_that_cannot_be_armed_is_for_a_worker() {
    for (kind, fails_again) in KINDS
        .into_iter()
        .flat_map(|kind| [(kind, false), (kind, true)])
    {
        let house = House::of(kind, Config::default());
        let wire = house.asks(10);
        let shared = house.scene.shared.clone();
        let owned = shared.slots.claim(0, |_| true).expect("it waits");
        assert!(house.scene.reports(Some(&wire)));
        let fails = || house.scene.system.state().policy.script().unarmed = true;
        fails();
        house.keeps(&wire, move |_| shared.release(owned));
        assert!(wire.link(|link| link.unarmed));
        assert_eq!(house.scene.reason(&wire), None, "{kind:?}");
        if fails_again {
            fails();
        }
        assert!(house.scene.turn());
        let reason = fails_again.then_some(CloseReason::Failed);
        assert_eq!(house.scene.reason(&wire), reason, "{kind:?}");
        assert_eq!(house.is_held(), !fails_again);
        if !fails_again {
            wire.room(usize::MAX);
            assert!(house.scene.turn());
            assert!(wire.got().len() > 10);
        }
    }
}

#[test]
fn the_end_of_the_grace_is_for_a_thread_of_its_own() {
    for kind in KINDS {
        let house = House::of(kind, Config::default());
        let wire = house.asks(10);
        house.keeps(&wire, |keeper| keeper.stop());
        house.keeps(&wire, |keeper| {
            assert!(keeper.finish(Moment(1_000)).is_none())
        });
        let aborted = Arc::new(AtomicUsize::new(0));
        let told = aborted.clone();
        house.scene.set(1_000);
        house.keeps(&wire, move |keeper| {
            let report = keeper.finish(Moment(1_000)).expect("the end");
            told.store(report.aborted, Ordering::SeqCst);
        });
        assert_eq!(aborted.load(Ordering::SeqCst), 1, "{kind:?}");
        assert!(house.scene.system.run_thread());
        assert_eq!(house.scene.reason(&wire), Some(CloseReason::Shutdown));
        assert!(!house.is_held());
        assert_eq!(house.scene.shared.slots.occupied(), 0);
    }
}

/// A value of the program's whose end waits for the test.
struct Stuck(StopGate);

impl Drop for Stuck {
    fn drop(&mut self) {
        self.0.pass();
    }
}

impl Read for Stuck {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        buffer.fill(b'x');
        Ok(buffer.len())
    }
}

#[test]
fn the_end_of_a_server_does_not_wait_for_a_body_that_hangs_as_it_is_dropped() {
    on_each_backend(|stage| {
        let (gate, heard) = (StopGate::default(), Recorder::default());
        let dropped = gate.clone();
        let handler = move |request: &mut Request<'_>| match request.path() {
            "/stuck" => Response::new(Status::OK).stream(None, Stuck(dropped.clone())),
            _ => Response::text(PAGE),
        };
        let server = stage.server().workers(1).observer(heard.clone());
        let server = server.spawn(handler).unwrap();
        // It takes nothing, so that its body waits with it.
        let mut deaf = Client::connect(server.addr());
        deaf.send(get("/stuck"));
        let mut other = Client::connect(server.addr());
        assert_eq!(other.ask("/").text(), PAGE);
        server.shutdown_handle().begin(Duration::from_millis(200));
        let report = in_time(|| server.join()).expect("a good end");
        assert_eq!(report.aborted, 1);
        gate.holds(1);
        gate.open();
        heard.hears_ends(2);
    });
}

#[test]
fn the_end_of_a_server_does_not_wait_for_a_handler_that_hangs_as_it_is_dropped() {
    on_each_backend(|stage| {
        let gate = StopGate::default();
        let own = Stuck(gate.clone());
        let handler = move |_: &mut Request<'_>| {
            let _own = &own;
            PAGE
        };
        let server = stage.server().spawn(handler).unwrap();
        let mut client = Client::connect(server.addr());
        assert_eq!(client.ask("/").text(), PAGE);
        server.shutdown_handle().begin(Duration::from_millis(200));
        let report = in_time(|| server.join()).expect("a good end");
        assert_eq!(report.aborted, 0);
        gate.holds(1);
        gate.open();
    });
}
